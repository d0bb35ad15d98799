"""The pages as they come from the server: first-class without scripts, safe with anything in the data."""

from __future__ import annotations

import re
import ssl
from html import unescape

import aiohttp
import msgspec
import pytest
import trustme

from lpr import config as settings
from lpr.core.live import LiveView
from lpr.events import PassageDecided
from lpr.web.models import EventDocument, instant
from lpr.web.page_passages import step
from lpr.web.passages import Passages
from lpr.web.render import ROOM, environment, level, number, percent, plate_view, size_text, zone_of
from lpr.web.status import Trouble
from lpr.web.texts import LANGUAGES, texts_of
from lpr.web.views import local
from tests.web.conftest import Client
from tests.web.sample import ADMIN, OPERATOR, SECRET, Site
from tests.web.test_web_hostile import serving
from tools import schemas

pytestmark = pytest.mark.anyio


async def log_in(client: Client, user: str = ADMIN, password: str = SECRET, **extra: str) -> aiohttp.ClientResponse:
    """Through the form."""
    return await client.post("/login", data={"user": user, "password": password, **extra}, allow_redirects=False)


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


async def test_the_way_in_and_out(client: Client) -> None:
    answer = await client.get("/passages?plate=AB%26C", allow_redirects=False)
    assert answer.status == 303 and answer.headers["Location"] == "/login?next=%2Fpassages%3Fplate%3DAB%2526C"
    form = await client.get(answer.headers["Location"])
    wanted = field(await form.text(), "next")
    wrong = await log_in(client, password="wrong")
    assert wrong.status == 401 and "User or password is wrong" in await wrong.text()
    answer = await log_in(client, next=wanted)
    assert answer.status == 303 and answer.headers["Location"] == "/passages?plate=AB%26C"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    page = await (await client.get("/")).text()
    out = await client.post("/logout", data={"csrf": field(page, "csrf")}, allow_redirects=False)
    assert out.headers["Location"] == "/login"
    assert (await client.get("/", allow_redirects=False)).status == 303


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "/a\r\nX: y", "", "x" * 9])
def test_nobody_is_sent_elsewhere(target: str) -> None:
    assert local(target) == "/"


async def test_a_temporary_password_leads_to_its_change(client: Client, site: Site) -> None:
    await site.users.set_password(OPERATOR, SECRET, by="test", temporary=True)
    assert (await log_in(client, OPERATOR)).headers["Location"] == "/password"
    answer = await client.get("/status", allow_redirects=False)
    assert answer.headers["Location"] == "/password"
    page = await (await client.get("/password")).text()
    assert "temporary" in page
    form = {"csrf": field(page, "csrf"), "current": SECRET, "new": "quite another one", "repeat": "not the same"}
    assert "not the same" in await (await client.post("/password", data=form)).text()
    form["repeat"] = form["new"]
    assert (await client.post("/password", data={**form, "csrf": "x"})).status == 403
    answer = await client.post("/password", data=form, allow_redirects=False)
    assert answer.headers["Location"] == "/"
    assert (await client.get("/status")).status == 200


async def test_pages_speak_three_languages(client: Client) -> None:
    for language, word in (("en", "Log in"), ("pt", "Entrar"), ("es", "Contraseña")):
        page = await (await client.get("/login", headers={"Accept-Language": f"{language}-XX"})).text()
        assert f'<html lang="{language}">' in page and word in page
    answer = await client.get("/login?next=%2Fstatus&lang=pt", allow_redirects=False)
    assert answer.status == 303 and answer.headers["Location"] == "/login?next=%2Fstatus"
    assert '<html lang="pt">' in await (await client.get("/login")).text()


async def test_search_without_scripts(client: Client, site: Site) -> None:
    await log_in(client, OPERATOR)
    page = await (await client.get("/passages?order=oldest")).text()
    assert "8 passages" in page and page.count('class="passage"') == 8
    assert re.findall(r'data-id="([^"]+)"', page) == site.ids
    found = re.search(r'data-plate="(\w+)"', page)
    assert found
    page = await (await client.get(f"/passages?plate={found[1][:5].lower()}&from=2025-10-09T05:53")).text()
    assert f'data-plate="{found[1]}"' in page and 'value="2025-10-09T05:53"' in page
    link = re.search(r'href="(/api/v1/passages\.csv\?[^"]+)"', page)
    assert link and "05%3A53%3A00-03%3A00" in link[1]
    assert (await client.get(unescape(link[1]))).status == 200
    page = await (await client.get("/passages?from=yesterday")).text()
    assert 'role="alert"' in page and "What stands under “From” can&#39;t be searched for." in page
    page = await (await client.get("/passages?min_confidence=2", headers={"Accept-Language": "pt"})).text()
    assert "Não é possível buscar o que está em “Confiança mínima”." in page
    page = await (await client.get("/passages?cursor=none", headers={"Accept-Language": "es"})).text()
    assert "Busque otra vez." in page
    assert "Nothing was found" in await (await client.get("/passages?plate=QQQQQQ")).text()


async def test_paging_without_scripts(client: Client, site: Site) -> None:
    await site.fill(50)
    await log_in(client, OPERATOR)
    address, seen = "/passages", list[str]()
    while address:
        page = await (await client.get(address)).text()
        seen += re.findall(r'data-id="([^"]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(following[1]) if following else ""
    assert seen == site.ids[::-1]


async def test_one_passage_with_its_chain(client: Client, site: Site) -> None:
    await log_in(client, OPERATOR)
    page = await (await client.get(f"/passages/{site.ids[6]}")).text()
    for text in ("Capture by motion", "Decided:", "Picture signed", "Delivered to city", "Refused by parking"):
        assert text in page
    assert "level 14.2 over threshold 8.0" in page and 'class="differs"' in page
    page = await (await client.get(f"/passages/{site.ids[6]}", headers={"Accept-Language": "pt"})).text()
    assert "Captura por movimento" in page and "a partir de 3 leituras" in page
    form = {"csrf": field(page, "csrf"), "sink": "parking"}
    answer = await client.post(f"/passages/{site.ids[6]}/deliveries", data=form, allow_redirects=False)
    assert answer.headers["Location"].endswith("?asked=parking")
    page = await (await client.get(answer.headers["Location"])).text()
    assert "sent to parking again" in page and f"{OPERATOR} asked to send it" in page
    assert (await client.get("/passages/nothing")).status == 404


async def test_live_status_and_users(client: Client, site: Site) -> None:
    site.troubles = (Trouble(code="disk", values={"free": "7"}),)
    await log_in(client)
    page = await (await client.get("/")).text()
    assert "/api/v1/cameras/gate/live.mjpg?boxes=1" in page and page.count('class="passage"') == 8
    card = await (await client.get(f"/fragments/passages/{site.ids[2]}")).text()
    assert card.count("data-id") == 1 and 'id="hero"' in card
    page = await (await client.get("/status")).text()
    assert "The disk is nearly full: 7 MB are free." in page and "41.3 GB" in page and "catalogue" in page
    page = await (await client.get("/users")).text()
    token = field(page, "csrf")
    made = await (
        await client.post("/users", data={"csrf": token, "do": "add", "user": "ana", "role": "operator"})
    ).text()
    secret = re.search(r'class="secret">([\w-]+)<', made)
    assert secret and await site.users.check("ana", secret[1]) is not None
    for action, extra in (("role", {"role": "administrator"}), ("password", {}), ("remove", {})):
        answer = await client.post("/users", data={"csrf": token, "do": action, "user": "ana", **extra})
        assert answer.status == 200
    assert site.users.get("ana") is None
    again = await client.post("/users", data={"csrf": token, "do": "remove", "user": ADMIN})
    assert again.status == 409 and "last administrator" in await again.text()


async def test_the_status_page_says_what_it_knows(client: Client, site: Site) -> None:
    await log_in(client)
    page = await (await client.get("/status")).text()
    assert "All is well." in page and "Good to know" not in page and "<dd>1.9 GB</dd>" in page
    site.picture_bytes, site.hints = None, (Trouble(code="mjpeg", values={"names": "main"}),)
    page = await (await client.get("/status")).text()
    assert "<dt>Pictures on disk</dt><dd>–</dd>" in page
    for language, words in (
        ("en", ("All is well.", "Good to know", "Live pictures (main) are")),
        ("pt", ("Tudo está bem.", "Bom saber", "As imagens ao vivo (main)")),
        ("es", ("Todo está bien.", "Conviene saber", "Las imágenes en vivo (main)")),
    ):
        page = await (await client.get("/status", headers={"Accept-Language": language})).text()
        assert all(word in page for word in words) and "notice bad" not in page


async def test_operators_see_no_users(client: Client) -> None:
    await log_in(client, OPERATOR)
    answer = await client.get("/users")
    assert answer.status == 403 and "Ask an administrator" in await answer.text()
    assert 'href="/users"' not in await (await client.get("/")).text()


async def test_an_error_keeps_the_way_to_the_other_pages(client: Client) -> None:
    assert 'href="/status"' not in await (await client.get("/nothing")).text()
    await log_in(client, OPERATOR)
    page = await (await client.get("/nothing")).text()
    assert 'href="/status"' in page and 'href="/users"' not in page and "There is nothing at this address." in page


async def test_an_error_of_ours_is_a_page_and_the_next_call_works(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await log_in(client, OPERATOR)

    async def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(Passages, "count", broken)
        answer = await client.get("/passages", headers={"Accept-Language": "es"})
        page = await answer.text()
        assert answer.status == 500 and "El servicio cometió un error." in page and "a bug" not in page
        assert 'href="/status"' in page and "a bug" in caplog.text
    assert (await client.get("/passages")).status == 200


async def test_data_never_becomes_markup(client: Client, site: Site) -> None:
    evil = '"><script>alert(1)</script>'
    view = site.views["gate"]
    view.status = view.status.__class__(source="gate", state=evil, message=evil)
    site.troubles = (Trouble(code="camera", values={"name": "gate", "detail": evil}),)
    await log_in(client)
    for path in ("/", "/status", f"/passages?plate={evil}&lane={evil}", f"/nothing/{evil}", f"/login?next={evil}"):
        page = await (await client.get(path)).text()
        assert "<script>alert" not in page and 'value=""><script' not in page


async def test_a_page_before_the_first_picture(client: Client, site: Site) -> None:
    site.views["gate"] = LiveView("gate")
    await log_in(client)
    assert "Waiting for the first picture" in await (await client.get("/")).text()


async def test_static_files_are_marked_and_nothing_else_is_served(client: Client) -> None:
    page = await (await client.get("/login")).text()
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = await client.get(address)
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"]
    for path in ("/static/", "/static/nothing.css", "/static/..%2fapp.py", "/static/%2e%2e"):
        assert (await client.get(path, allow_redirects=False)).status in (303, 404, 405)


async def test_tls_makes_the_cookie_secure(site: Site) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    certificate, key = site.folder / "cert.pem", site.folder / "key.pem"
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    site.config = settings.Config(
        web=settings.Web(port=0, tls=settings.Tls(certificate_file=str(certificate), key_file=str(key)))
    )
    trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    async with serving(site.context) as server, aiohttp.ClientSession() as session:
        assert server.url.startswith("https://")
        form = {"user": ADMIN, "password": SECRET}
        async with session.post(f"{server.url}login", data=form, ssl=trust, allow_redirects=False) as answer:
            assert answer.status == 303 and "max-age" in answer.headers["Strict-Transport-Security"]
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-lpr_session=") and "Secure" in cookie


def test_templates_have_no_inline_styles_or_scripts_and_nothing_from_outside() -> None:
    files = [*(ROOM / "templates").glob("*.html"), *(ROOM / "static").iterdir()]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=\"|<style|javascript:", text), file.name
        addresses = set(re.findall(r"https?://[\w./-]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not addresses, file.name
    for name in environment().list_templates():
        environment().get_template(name)


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rrggbb."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_colours_can_be_told_apart() -> None:
    """WCAG 2.2, 1.4.3 (text 4.5 to 1) and 1.4.11 (edges of fields 3 to 1), light and dark."""
    style = (ROOM / "static" / "style.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6});", part)) for part in style.split("@media (", 2)[:2])
    assert set(dark) <= set(light) and len(dark) > 10
    for name, colours in (("light", light), ("dark", dark)):
        for ground in ("ground", "surface", "sunken", "good-soft", "poor-soft", "accent-soft"):
            for ink in ("ink", "muted", "accent", "good", "fair", "poor"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (name, ink, ground)
        assert _contrast(colours["on-accent"], colours["accent"]) >= 4.5
        assert _contrast(colours["field"], colours["surface"]) >= 3.0


def test_plates_are_drawn_in_their_format() -> None:
    assert plate_view("ABC1D23", "br-mercosul", "BR").band == "BRASIL"
    assert plate_view("ABC1234", "br-old", "BR").groups == ("ABC", "1234")
    assert plate_view("AB123CD", "fr", "FR").side == "FR"
    assert plate_view("CO12345X", "co", "CO").groups == ("CO12345X",), "a text that doesn't fit its format"
    assert plate_view("XYZ", "no-such-format", None).groups == ("XYZ",)
    taxi, dusk = plate_view("ABC1234", "br-old", "BR", "red"), plate_view("ABC1234", "br-old", "BR", "black")
    assert (taxi.ground, taxi.ink) == ("red", "white") and (dusk.ground, dusk.ink) == ("gray", "black")


def test_one_reading_is_not_readings() -> None:
    decided = schemas.sample(PassageDecided)
    for reads, said in ((1, "from one reading"), (2, "from 2 readings")):
        body = msgspec.json.encode({**msgspec.json.decode(decided), "reads": reads})
        shown = step(
            EventDocument(
                seq=1,
                id="a",
                type="PassageDecided",
                version=1,
                actor="voter",
                cause=0,
                at=instant(0),
                body=msgspec.Raw(body),
            ),
            texts_of("en"),
        )
        assert shown.title.endswith(said)


def test_figures_for_people() -> None:
    assert [level(one) for one in (1.0, 0.9, 0.89, 0.7, 0.69)] == ["good", "good", "fair", "fair", "poor"]
    assert [percent(one) for one in (0.999, 1.0, -1.0, 2.0)] == [99, 100, 0, 100]
    assert [size_text(one) for one in (0, 999, 1500, 123_456_789, 41.3e9, 2e15)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 MB",
        "41.3 GB",
        "2000.0 TB",
    ]
    assert number(1234567) == "1\u202f234\u202f567"
    assert str(zone_of("-03:30")) == "UTC-03:30"
    assert set(LANGUAGES) == {"en", "pt", "es"}
