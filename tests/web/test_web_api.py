"""The REST API over a filled site: who may do what, search, why, pictures, audit."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from lpr.core.log import EventLog
from lpr.events import ApiCalled, BlobMissing, DeliveryRequested, Event, LoginFailed
from lpr.web.api import ROUTES
from lpr.web.services import SERVICES
from tests.web.conftest import Client, bearer
from tests.web.sample import ADMIN, OPERATOR, SECRET, Site

pytestmark = pytest.mark.anyio
NEW = "another good secret"


async def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check a problem document."""
    assert answer.status == status, await answer.text()
    assert answer.content_type == "application/problem+json"
    found: dict[str, Any] = await answer.json()
    assert found["code"] == code and found["status"] == status and found["title"] and found["remedy"]
    return found


async def events(log: EventLog, kind: type[Event]) -> list[Any]:
    """All events of a type."""
    return [record.event for record in await log.read(0, types=(kind.__name__,), limit=5000)]


async def audited(client: Client, site: Site) -> list[ApiCalled]:
    """The audit trail, written to its end."""
    assert client.app is not None
    await client.app[SERVICES].audit.close()
    return await events(site.log, ApiCalled)


async def test_nothing_without_a_log_in(client: Client) -> None:
    forged = {"Authorization": "Bearer " + "A" * 43}
    for route in ROUTES:
        if route.access == "open":
            continue
        path = route.path.format(id="x", name="x")
        found = await problem(await client.request(route.method, path), 401, "not_logged_in")
        assert "login" in found["remedy"]
        await problem(await client.request(route.method, path, headers=forged), 401, "not_logged_in")


async def test_log_in_me_log_out(client: Client, site: Site) -> None:
    headers = await bearer(client, OPERATOR)
    me = await (await client.get("/api/v1/me", headers=headers)).json()
    assert (me["user"], me["role"], me["password_change_required"]) == (OPERATOR, "operator", False)
    assert (await client.post("/api/v1/logout", headers=headers)).status == 204
    await problem(await client.get("/api/v1/me", headers=headers), 401, "not_logged_in")


async def test_wrong_log_ins_are_counted_slowed_and_recorded(client: Client, site: Site) -> None:
    for user in (ADMIN, "nobody"):
        answer = await client.post("/api/v1/login", json={"user": user, "password": "wrong"})
        await problem(answer, 401, "wrong_password")
    for _ in range(8):
        await client.post("/api/v1/login", json={"user": ADMIN, "password": "wrong"})
    answer = await client.post("/api/v1/login", json={"user": ADMIN, "password": SECRET})
    await problem(answer, 429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    await audited(client, site)
    failed = await events(site.log, LoginFailed)
    assert {one.user for one in failed} == {ADMIN, ""}, "an unknown name may be a password typed into the wrong field"
    assert sum(one.count for one in failed) == 10 and len(failed) <= 4


async def test_a_temporary_password_must_be_changed_first(client: Client, site: Site, admin: dict[str, str]) -> None:
    answer = await client.post(
        "/api/v1/users", json={"user": "ana", "role": "operator", "password": SECRET}, headers=admin
    )
    assert answer.status == 201 and (await answer.json())["temporary_password"]
    ana = await bearer(client, "ana")
    other = await bearer(client, "ana")
    await problem(await client.get("/api/v1/passages", headers=ana), 403, "password_change_required")
    change = {"current": SECRET, "new": NEW}
    await problem(
        await client.put("/api/v1/me/password", json={**change, "current": "no"}, headers=ana), 401, "wrong_password"
    )
    await problem(
        await client.put("/api/v1/me/password", json={**change, "new": "short"}, headers=ana), 422, "weak_password"
    )
    await problem(
        await client.put("/api/v1/me/password", json={**change, "new": SECRET}, headers=ana), 422, "weak_password"
    )
    assert (await client.put("/api/v1/me/password", json=change, headers=ana)).status == 204
    assert (await client.get("/api/v1/passages", headers=ana)).status == 200
    await problem(await client.get("/api/v1/me", headers=other), 401, "not_logged_in")
    assert await bearer(client, "ana", NEW)


async def test_administrators_manage_users_operators_do_not(
    client: Client, admin: dict[str, str], operator: dict[str, str]
) -> None:
    for method, path in (("GET", "/users"), ("POST", "/users"), ("PATCH", "/users/admin"), ("DELETE", "/users/admin")):
        await problem(await client.request(method, f"/api/v1{path}", headers=operator), 403, "not_allowed")
    listed = await (await client.get("/api/v1/users", headers=admin)).json()
    assert [one["user"] for one in listed["items"]] == [ADMIN, OPERATOR]
    await problem(await client.delete("/api/v1/users/admin", headers=admin), 409, "last_administrator")
    await problem(await client.delete("/api/v1/users/nobody", headers=admin), 404, "unknown_user")
    changed = await client.patch(f"/api/v1/users/{OPERATOR}", json={"role": "administrator"}, headers=admin)
    assert (await changed.json())["role"] == "administrator"
    assert (await client.get("/api/v1/users", headers=operator)).status == 200, "the new role holds at once"
    assert (await client.delete(f"/api/v1/users/{OPERATOR}", headers=admin)).status == 204
    await problem(await client.get("/api/v1/me", headers=operator), 401, "not_logged_in")


async def test_paging_reaches_everything_once(client: Client, operator: dict[str, str], site: Site) -> None:
    for order in ("newest", "oldest"):
        found: list[str] = []
        query = {"limit": "3", "order": order}
        while True:
            page = await (await client.get("/api/v1/passages", params=query, headers=operator)).json()
            found += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert found == (site.ids if order == "oldest" else site.ids[::-1])
    count = await (await client.get("/api/v1/passages/count", headers=operator)).json()
    assert count == {"count": 8}


async def test_filters(client: Client, operator: dict[str, str], site: Site) -> None:
    async def ids(**query: str) -> list[str]:
        answer = await client.get("/api/v1/passages", params={"order": "oldest", **query}, headers=operator)
        assert answer.status == 200, await answer.text()
        return [one["id"] for one in (await answer.json())["items"]]

    first = await (await client.get(f"/api/v1/passages/{site.ids[0]}", headers=operator)).json()
    passage = first["passage"]
    assert site.ids[0] in await ids(plate=passage["plate"][1:4].lower())
    assert site.ids[0] in await ids(plate=passage["plate"][:2] + "*")
    assert await ids(plate="QQQQQ") == []
    assert await ids(camera="gate") == site.ids and await ids(camera="elsewhere") == []
    assert site.ids[0] in await ids(country=passage["country"], lane=passage["lane"])
    assert await ids(**{"from": "2025-10-09T05:53:20-03:00", "to": "2025-10-09T08:54:07Z"}) == site.ids[:1]
    assert await ids(**{"from": passage["at"]}) == site.ids
    high = await ids(min_confidence="0.9")
    assert 0 < len(high) < len(site.ids)


BAD_SEARCHES = [
    ("limit=0", "bad_parameter", "limit"),
    ("limit=1001", "bad_parameter", "limit"),
    ("limit=x", "bad_parameter", "limit"),
    ("from=yesterday", "bad_parameter", "from"),
    ("from=2025-01-01T00:00:00", "bad_parameter", "from"),
    ("from=0001-01-01T00:00:00%2B14:00", "", ""),
    ("to=9999-12-31T23:59:59-14:00", "", ""),
    ("min_confidence=2", "bad_parameter", "min_confidence"),
    ("min_confidence=nan", "bad_parameter", "min_confidence"),
    ("country=brasil", "bad_parameter", "country"),
    ("order=sideways", "bad_parameter", "order"),
    ("colour=red", "bad_parameter", "colour"),
    ("plate=A&plate=B", "bad_parameter", "plate"),
    ("plate=" + "A" * 60, "bad_parameter", "plate"),
    ("plate=" + "A" * 3000, "bad_parameter", "query"),
    ("cursor=1.2.3", "bad_cursor", "cursor"),
    ("cursor=-ffffffffffffffff.ffffffffffffffff", "", ""),
    ("plate=%00%F0%9F%9A%97%27%22", "", ""),
    ("lane=%27%20OR%201=1", "", ""),
]


async def test_bad_searches_name_the_place(client: Client, operator: dict[str, str]) -> None:
    for query, code, place in BAD_SEARCHES:
        answer = await client.get(f"/api/v1/passages?{query}", headers=operator)
        if code:
            assert place in (await problem(answer, 400, code))["detail"], query
        else:
            assert answer.status == 200, query


async def test_the_why_of_a_passage(client: Client, operator: dict[str, str], site: Site) -> None:
    found = await (await client.get(f"/api/v1/passages/{site.ids[6]}", headers=operator)).json()
    kinds = [event["type"] for event in found["events"]]
    assert kinds == [
        *(["CaptureTaken", "PlateRead"] * 3),
        "PassageDecided",
        "PassageSigned",
        "Delivered",
        "DeliveryFailed",
        "DeliveryParked",
    ]
    assert found["complete"] and [event["seq"] for event in found["events"]] == sorted(
        e["seq"] for e in found["events"]
    )
    decided = found["events"][6]
    assert (
        decided["id"] == site.ids[6] and decided["actor"] == "voter" and decided["cause"] == found["events"][5]["seq"]
    )
    assert {vote["capture"] for vote in found["votes"]} == {e["body"]["capture"] for e in found["events"][:6:2]}
    assert {(one["sink"], one["state"]) for one in found["deliveries"]} == {
        ("city", "delivered"),
        ("parking", "parked"),
    }
    assert found["passage"]["signed"] and found["passage"]["at"] == "2025-10-09T08:58:02Z"


async def test_a_passage_without_its_catalogue(client: Client, operator: dict[str, str], site: Site) -> None:
    (site.folder / "passages.db").unlink()
    found = await (await client.get(f"/api/v1/passages/{site.ids[3].upper()}", headers=operator)).json()
    assert found["passage"]["id"] == site.ids[3] and len(found["events"]) == 9
    await problem(await client.get("/api/v1/passages", headers=operator), 503, "search_unavailable")
    (site.folder / "passages.db").write_bytes(b"this is no database at all")
    await problem(await client.get("/api/v1/passages", headers=operator), 503, "search_unavailable")


async def test_unknown_passages(client: Client, operator: dict[str, str]) -> None:
    for passage in ("x", "0" * 36, "0199c8a2-0000-8000-8000-0000000000ff", "%00", "..%2fetc"):
        for path in ("", "/picture", "/plate-picture"):
            answer = await client.get(f"/api/v1/passages/{passage}{path}", headers=operator)
            assert answer.status == 404 and (await answer.json())["code"] in ("unknown_passage", "unknown_path")


async def test_pictures_with_their_etag(client: Client, operator: dict[str, str], site: Site) -> None:
    for path in ("picture", "plate-picture"):
        answer = await client.get(f"/api/v1/passages/{site.ids[0]}/{path}", headers=operator)
        assert answer.status == 200 and answer.content_type == "image/jpeg"
        assert (await answer.read())[:2] == b"\xff\xd8" and "_" in answer.headers["Content-Disposition"]
        tag = answer.headers["ETag"]
        again = await client.get(f"/api/v1/passages/{site.ids[0]}/{path}", headers={**operator, "If-None-Match": tag})
        assert again.status == 304 and await again.read() == b""


async def test_a_missing_picture_is_said_once(client: Client, operator: dict[str, str], site: Site) -> None:
    found = await (await client.get(f"/api/v1/passages/{site.ids[0]}", headers=operator)).json()
    blob = found["passage"]["picture"]["sha256"]
    site.blobs.path(blob).unlink()
    for _ in range(3):
        answer = await client.get(f"/api/v1/passages/{site.ids[0]}/picture", headers=operator)
        await problem(answer, 410, "picture_missing")
    missing = await events(site.log, BlobMissing)
    assert [(one.blob, one.noticed_by) for one in missing] == [(blob, "web")]


async def test_csv_has_every_passage(client: Client, operator: dict[str, str], site: Site) -> None:
    answer = await client.get("/api/v1/passages.csv?order=oldest", headers=operator)
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [row["id"] for row in rows] == site.ids
    await problem(await client.get("/api/v1/passages.csv?limit=3", headers=operator), 400, "bad_parameter")


async def test_a_passage_is_sent_again_on_request(client: Client, operator: dict[str, str], site: Site) -> None:
    path = f"/api/v1/passages/{site.ids[6]}/deliveries"
    await problem(await client.post(path, json={"sink": "mars"}, headers=operator), 404, "unknown_sink")
    answer = await client.post(path, json={"sink": "parking"}, headers=operator)
    assert answer.status == 202
    (asked,) = await events(site.log, DeliveryRequested)
    record = await site.log.get(asked.record)
    assert (asked.sink, asked.passage, asked.by) == ("parking", site.ids[6], OPERATOR)
    assert record is not None and record.type == "PassageSigned"


async def test_events_page_by_page(client: Client, admin: dict[str, str], operator: dict[str, str], site: Site) -> None:
    after, seen = 0, list[int]()
    while True:
        query = {"after": str(after), "types": "PassageDecided,PassageSigned", "limit": "5"}
        page = await (await client.get("/api/v1/events", params=query, headers=operator)).json()
        if not page["items"]:
            break
        seen += [one["seq"] for one in page["items"]]
        after = page["next"]
    assert len(seen) == 16 and after == page["head"]
    all_types = await (await client.get("/api/v1/events?limit=1000", headers=operator)).json()
    assert not {"UserAdded", "LoggedIn", "ApiCalled"} & {one["type"] for one in all_types["items"]}
    for_admin = await (await client.get("/api/v1/events?limit=1000", headers=admin)).json()
    assert {"UserAdded", "LoggedIn"} <= {one["type"] for one in for_admin["items"]}
    await problem(await client.get("/api/v1/events?types=ApiCalled", headers=operator), 403, "not_allowed")
    await problem(await client.get("/api/v1/events?types=Nonsense", headers=operator), 400, "bad_parameter")


async def test_every_call_is_in_the_audit_trail(client: Client, operator: dict[str, str], site: Site) -> None:
    await client.get("/api/v1/passages?plate=ABC", headers=operator)
    for _ in range(3):
        await client.get(f"/api/v1/passages/{site.ids[0]}/picture", headers=operator)
        await client.get(f"/api/v1/passages/{site.ids[0]}/plate-picture", headers=operator)
        await client.get("/api/v1/status", headers=operator)
    await client.get("/api/v1/users", headers=operator)
    await client.post("/api/v1/logout", headers=operator)
    trail = await audited(client, site)
    assert all(call.user == OPERATOR and call.remote == "127.0.0.1" for call in trail)
    shown = {(call.method, call.path, call.query, call.status) for call in trail}
    assert ("GET", "/api/v1/passages", "plate=ABC", 200) in shown
    assert ("GET", f"/api/v1/passages/{site.ids[0]}/picture", "", 200) in shown
    assert ("GET", "/api/v1/passages/{id}/plate-picture", "calls=3", 200) in shown
    assert ("GET", "/api/v1/status", "calls=3", 200) in shown
    assert ("GET", "/api/v1/users", "", 403) in shown
    assert ("POST", "/api/v1/logout", "", 204) in shown
    assert len(trail) == 6


async def test_the_cookie_alone_changes_nothing(client: Client, site: Site) -> None:
    form = {"user": ADMIN, "password": SECRET}
    assert (await client.post("/login", data=form, allow_redirects=False)).status == 303
    me = await (await client.get("/api/v1/me")).json()
    new = {"user": "eve", "role": "administrator", "password": SECRET}
    await problem(await client.post("/api/v1/users", json=new), 403, "cross_site")
    token = {"X-CSRF-Token": me["csrf"]}
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}):
        await problem(await client.post("/api/v1/users", json=new, headers={**token, **foreign}), 403, "cross_site")
    here = {"Origin": str(client.make_url("/")).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/api/v1/users", json=new, headers={**token, **here})).status == 201


BAD_BODIES = [
    (b"{", "application/json", 400, "bad_json"),
    (b"", "application/json", 400, "bad_json"),
    (b"[" * 30000, "application/json", 400, "bad_json"),
    (b'{"user": 1, "password": "x"}', "application/json", 400, "bad_json"),
    (b'{"user": "a", "password": "x", "more": 1}', "application/json", 400, "bad_json"),
    (b'{"user": "\xff", "password": "x"}', "application/json", 400, "bad_json"),
    (b"user=a&password=b", "application/x-www-form-urlencoded", 415, "unsupported_media"),
    (b"x" * 70000, "application/json", 413, "body_too_large"),
]


async def test_bad_bodies(client: Client) -> None:
    for content, kind, status, code in BAD_BODIES:
        answer = await client.post("/api/v1/login", data=content, headers={"Content-Type": kind})
        await problem(answer, status, code)


async def test_headers_of_every_answer(client: Client, operator: dict[str, str]) -> None:
    for path in ("/login", "/api/v1/me", "/nothing", "/static/style.css", "/api/v1/status"):
        answer = await client.get(path, headers=operator)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
        assert "Server" not in answer.headers
        assert ("no-store" in answer.headers["Cache-Control"]) == (not path.startswith("/static"))
    await problem(await client.request("PATCH", "/api/v1/me"), 405, "method_not_allowed")
    await problem(await client.get("/api/v1/nothing"), 404, "unknown_path")
    allowed = await client.delete("/api/v1/passages")
    assert allowed.headers["Allow"] == "GET"


async def test_status_and_cameras(client: Client, operator: dict[str, str], site: Site) -> None:
    status = await (await client.get("/api/v1/status", headers=operator)).json()
    assert status["log"]["head"] > 50 and status["sources"][0]["state"] == "running" and len(status["sinks"]) == 2
    cameras = await (await client.get("/api/v1/cameras", headers=operator)).json()
    assert [(one["name"], one["state"], one["width"]) for one in cameras["items"]] == [("gate", "running", 1280)]
