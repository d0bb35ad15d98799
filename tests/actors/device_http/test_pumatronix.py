"""Pumatronix's addresses: log-in, tokens, pictures, the stream, documents, what is not there."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pytest

from lpr.config import Pumatronix as Settings
from lpr.core.clock import SystemClock
from lpr.events import ApiCalled, LoginFailed
from lpr.protocols.pumatronix import documents
from lpr.protocols.pumatronix.operations import OPERATIONS, Operation
from lpr.protocols.vtr600.comment import fields_of, read_items
from lpr.protocols.vtr600.segments import last_comment
from tests.actors.device_http.pumatronix_rig import SHOWN, pumatronix
from tests.actors.device_http.rig import ACCOUNTS, Rig


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


async def log_in(rig: Rig, name: str, password: str | None = None) -> tuple[int, Any]:
    login = {"username": name, "password": password or ACCOUNTS.password_of(name)}
    async with rig.session.post(rig.url + "api/auth", json={"params": login}) as response:
        return response.status, await response.json()


async def bearer(rig: Rig, name: str = "nvr") -> dict[str, str]:
    status, answer = await log_in(rig, name)
    assert status == 200
    return {"Authorization": f"Bearer {answer['token']}"}


async def get(rig: Rig, path: str, headers: dict[str, str], **more: Any) -> tuple[int, Any, str]:
    """(status, body or JSON, content type)"""
    async with rig.session.request(more.pop("method", "GET"), rig.url + path, headers=headers, **more) as response:
        body = await response.read()
        kind = response.headers.get("Content-Type", "")
        return response.status, json.loads(body) if kind == "application/json" else body, kind


def comment(jpeg: bytes) -> documents.Json:
    text = last_comment(jpeg)
    assert text is not None
    return fields_of(read_items(text), utc_offset=-180)


async def test_a_log_in_gives_a_token(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        status, first = await log_in(rig, "boss")
        assert status == 200 and first["isAdmin"] is True and first["username"] == "boss"
        assert first["lastLoggedIn"] is None and isinstance(first["id"], int)
        _, second = await log_in(rig, "boss")
        assert second["lastLoggedIn"].endswith("Z") and second["id"] == first["id"]
        status, person = await log_in(rig, "maria", "correct horse battery")
        assert status == 200 and person["isAdmin"] is True
        headers = {"Authorization": f"Bearer {person['token']}"}
        assert (await get(rig, "api/equipment/ocr", headers))[0] == 200


async def test_nothing_without_a_log_in(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        for operation in OPERATIONS:
            if operation.path != "/auth":
                status, _, _ = await get(rig, "api" + operation.path, {}, method=operation.method)
                assert status == 401, operation.path
        assert (await get(rig, "api/no/such/thing", {}))[0] == 401
        assert camera.fired == []
        async with rig.session.get(rig.url + "api/lastframe.cgi") as response:
            ways = [value.split()[0] for value in response.headers.getall("WWW-Authenticate")]
        assert ways == ["Digest", "Digest", "Basic", "Bearer"]


async def test_wrong_log_ins_are_bounded_and_told(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        codes = [(await log_in(rig, "nvr", "wrong"))[0] for _ in range(20)]
        assert codes == [401] * 20
        async with rig.session.post(rig.url + "api/auth", json={}) as response:
            assert response.status == 429
        with anyio.fail_after(30):
            while not await rig.log.read(0, types=(LoginFailed.__name__,)):
                await rig.log.wait(rig.log.head)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"params":{}}', b"\xff" * 100, b'{"params":' * 400])
async def test_bad_log_ins(tmp_path: Path, body: bytes) -> None:
    async with pumatronix(tmp_path) as (rig, _), rig.session.post(rig.url + "api/auth", data=body) as response:
        assert response.status == 400 and "params" in (await response.json())["error"]


async def test_a_log_in_is_bounded_in_size(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _), rig.session.post(rig.url + "api/auth", data=b"x" * 9000) as response:
        assert response.status == 413


async def test_tokens_of_others_and_old_ones(tmp_path: Path) -> None:
    async with pumatronix(tmp_path / "a") as (other, _):
        foreign = await bearer(other)
    async with pumatronix(tmp_path / "b") as (rig, _):
        assert (await get(rig, "api/equipment/ocr", foreign))[0] == 401
        assert (await get(rig, "api/equipment/ocr", {"Authorization": "Bearer "}))[0] == 401
        for _ in range(30):
            assert (await get(rig, "api/equipment/ocr", {"Authorization": "Bearer a.b.c"}))[0] == 401
        assert (await log_in(rig, "nvr"))[0] == 200  # the address is not shut out for that


async def test_a_token_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pumatronix(tmp_path, Settings(token_life=60)) as (rig, _):
        headers = await bearer(rig)
        assert (await get(rig, "api/equipment/ocr", headers))[0] == 200
        later = SystemClock().wall() + 61_000_000

        def wall(clock: SystemClock) -> int:
            return later

        monkeypatch.setattr(SystemClock, "wall", wall)
        assert (await get(rig, "api/equipment/ocr", headers))[0] == 401


async def test_digest_and_basic_do_as_well(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        assert (await rig.call("api/equipment/ocr", "viewer"))[0] == 200
        basic = base64.b64encode(b"nvr:nvr-secret").decode()
        assert (await get(rig, "api/equipment/ocr", {"Authorization": f"Basic {basic}"}))[0] == 200


async def test_levels(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        viewer, operator = await bearer(rig, "viewer"), await bearer(rig, "nvr")
        assert (await get(rig, "api/lastframe.cgi", viewer))[0] == 200
        assert (await get(rig, "api/snapshot.cgi", viewer))[0] == 403
        assert (await get(rig, "api/trigger.cgi?force=1", viewer))[0] == 403
        assert (await get(rig, "api/equipment/ocr", operator, method="PUT", data=b"{}"))[0] == 403
        assert camera.fired == []


async def test_one_exposure(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        status, jpeg, kind = await get(rig, "api/snapshot.cgi?User_lane=north", await bearer(rig))
        assert (status, kind) == (200, "image/jpeg")
        told = comment(jpeg)
        assert told.plates == ("ABC1D23",) and told.boxes == ((10, 20, 30, 10),)
        assert told.at == 1_795_269_600_250_000
        assert ("User_lane", "north") in told.others
        assert camera.fired == [("api", "snapshot for nvr", 1)]
        calls = [record.event for record in await rig.log.read(0, types=("ApiCalled",))]
        assert any(
            isinstance(call, ApiCalled) and (call.user, call.path) == ("nvr", "/api/snapshot.cgi") for call in calls
        )


@pytest.mark.parametrize("query", ["s=500,1000,2000", "g=1,2,3"])
async def test_several_exposures(tmp_path: Path, query: str) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        status, body, kind = await get(rig, f"api/snapshot.cgi?{query}", await bearer(rig))
        assert (status, kind) == (200, "multipart/related; boundary=snapshot")
        message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        parts = [part for part in message.walk() if not part.is_multipart()]
        pictures = [part.get_payload(decode=True) for part in parts]
        assert len(pictures) == 3 and camera.fired[0][2] == 3
        plates: list[tuple[str, ...]] = []
        for picture in pictures:
            assert isinstance(picture, bytes)
            assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) is not None
            plates.append(comment(picture).plates)
        assert plates == [("ABC1D23",), (), ()]


async def test_exposures_as_configured_and_another_quality(tmp_path: Path) -> None:
    async with pumatronix(tmp_path, Settings(exposures=2)) as (rig, camera):
        headers = await bearer(rig)
        assert (await get(rig, "api/snapshot.cgi", headers))[2].startswith("multipart/related")
        _, small, kind = await get(rig, "api/snapshot.cgi?s=1&q=1", headers)
        _, large, _ = await get(rig, "api/snapshot.cgi?s=1&q=100", headers)
        assert kind == "image/jpeg" and len(small) < len(large)
        assert [count for _, _, count in camera.fired] == [2, 1, 1]


async def test_refused_snapshots(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        headers = await bearer(rig)
        assert (await get(rig, "api/snapshot.cgi?m=1", headers))[1] == {
            "error": "m: there is no mosaic here; leave it out"
        }
        camera.broken = "the disk is full"
        status, answer, _ = await get(rig, "api/snapshot.cgi", headers)
        assert (status, answer) == (503, {"error": "the disk is full"})


async def test_a_camera_without_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.media.live.SNAPSHOT_WAIT", 0.1)
    async with pumatronix(tmp_path, blind=True) as (rig, _):
        headers = await bearer(rig)
        assert (await get(rig, "api/lastframe.cgi", headers))[0] == 503
        assert (await get(rig, "api/mjpegvideo.cgi", headers))[0] == 503


async def test_the_stream(tmp_path: Path) -> None:
    async with pumatronix(tmp_path, Settings(max_streams=1, stream_rate=50)) as (rig, _):
        headers = await bearer(rig)
        with anyio.fail_after(30):
            async with rig.session.get(rig.url + "api/mjpegvideo.cgi", headers=headers) as stream:
                assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=MjpegBoundary"
                data = b""
                while data.count(b"--MjpegBoundary\r\n") < 4:
                    data += await stream.content.readany()
                assert (await get(rig, "api/mjpegvideo.cgi", headers))[0] == 503
            head, _, rest = data.partition(b"\r\n\r\n")
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            assert rest[:2] == b"\xff\xd8" and rest[length - 2 : length + 2] == b"\xff\xd9\r\n"
            while True:  # the place is free again once the server has noticed
                async with rig.session.get(rig.url + "api/mjpegvideo.cgi", headers=headers) as again:
                    if again.status == 200:
                        break
                await anyio.sleep(0.05)


async def test_documents(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        headers = await bearer(rig)
        for path, fields in documents.settings_fields(SHOWN).items():
            assert (await get(rig, "api" + path, headers))[1] == documents.document(fields)
        assert (await get(rig, "api/equipment/misc/readonly/volatile", headers))[1]["fps"] == {"mjpeg": 12.5}
        assert (await get(rig, "api/equipment/ioPorts", headers))[1] == []
        assert (await get(rig, "api/equipment/dateAndTime", headers))[1]["utcOffset"] == "-03:00"
        assert (await get(rig, "api/image/profiles", headers))[1][0]["id"] == 0
        assert (await get(rig, "api/system/licenses", headers))[1]["deviceId"] == {"serial": "5f" * 16}


async def test_putting(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        headers, path = await bearer(rig, "boss"), "api/equipment/analytics"
        same = {"voting": {"maxDiffChars": 2}}
        status, answer, _ = await get(rig, path, headers, method="PUT", json=same)
        assert status == 200 and answer["voting"]["maxDiffChars"] == 2
        status, answer, _ = await get(rig, path, headers, method="PUT", json={"voting": {"maxDiffChars": 1}})
        assert status == 409 and "set vote.max_different_characters in lpr.toml" in answer["error"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_the_server_answers_by_the_table(tmp_path: Path, operation: Operation) -> None:
    if operation.path in ("/auth", "/mjpegvideo.cgi"):
        return  # have tests of their own
    async with pumatronix(tmp_path) as (rig, _):
        query = "?force=1" if operation.path == "/trigger.cgi" else ""
        body = b"{}" if operation.method == "PUT" else None
        headers = await bearer(rig, "boss")
        path = "api" + operation.path + query
        status, answer, _ = await get(rig, path, headers, method=operation.method, data=body)
        if operation.state == "not":
            assert (status, answer) == (501, {"error": f"not here: {operation.says}"})
        else:
            assert status == 200


async def test_unknown_addresses(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, _):
        headers = await bearer(rig)
        for path in ("api/nothing", "api/equipment/ocr/schema", "api/"):
            assert (await get(rig, path, headers))[0] == 404
