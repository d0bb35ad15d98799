"""Who may call the device's HTTP server, and what it says to whom."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from lpr.actors.device_http import DeviceRequest, DeviceRoute
from lpr.actors.device_http.server import REALM
from lpr.config import DeviceHttp as Settings
from lpr.events import AbuseSeen, ApiCalled, LoginFailed, ServerListening
from tests.actors.device_http.rig import Rig, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp is asyncio's."""
    return "asyncio"


class Echo:
    """Says who calls."""

    def routes(self) -> Sequence[DeviceRoute]:
        return (
            DeviceRoute("GET", "/who", self.who),
            DeviceRoute("GET", "/open", self.who, access="open"),
            DeviceRoute("GET", "/own", self.own, access="own"),
            DeviceRoute("PUT", "/change", self.who, access="administrator", audit="each"),
            DeviceRoute("POST", "/small", self.size, max_body=10),
            DeviceRoute("GET", "/slow", self.slow),
            DeviceRoute("GET", "/broken", self.broken),
        )

    async def run(self) -> None:
        return None

    async def who(self, request: DeviceRequest) -> web.Response:
        caller = request.caller
        return web.json_response({"name": caller and caller.name, "base": request.base})

    async def own(self, request: DeviceRequest) -> web.Response:
        caller = await request.identify()
        return web.Response(text=caller.name if caller is not None else "nobody")

    async def size(self, request: DeviceRequest) -> web.Response:
        return web.Response(text=str(len(await request.http.read())))

    async def slow(self, request: DeviceRequest) -> web.Response:
        del request
        await anyio.sleep_forever()
        raise AssertionError

    async def broken(self, request: DeviceRequest) -> web.Response:
        raise ZeroDivisionError(request.remote)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def events(rig: Rig, kind: str) -> list[object]:
    return [record.event for record in await rig.log.read(0, types={kind})]


async def test_who_calls_is_asked_and_known(tmp_path: Path) -> None:
    async with serving(tmp_path, [Echo()]) as rig:
        status, _, response = await rig.call("/who", None)
        assert status == 401
        assert [value.split(",")[0] for value in response.headers.getall("WWW-Authenticate")] == [
            f'Digest realm="{REALM}"'
        ] * 2
        status, body, _ = await rig.call("/who?x=1")
        assert status == 200 and b'"nvr"' in body and rig.url.rstrip("/").encode() in body
        assert (await rig.call("/who", "stranger"))[0] == 401
        assert (await rig.call("/open", None))[0] == 200
        assert (await rig.call("/own", None))[1] == b"nobody"
        assert (await rig.call("/own", ask="/who"))[1] == b"nvr"
        assert (await rig.call("/nowhere", None))[0] == 404
        listening = await events(rig, "ServerListening")
        assert isinstance(listening[0], ServerListening) and listening[0].server == "device_http"


async def test_levels(tmp_path: Path) -> None:
    async with serving(tmp_path, [Echo()]) as rig:
        assert (await rig.call("/change", "nvr", "PUT"))[0] == 403
        assert (await rig.call("/change", "boss", "PUT"))[0] == 200
        (denied, done) = await events(rig, "ApiCalled")
        assert isinstance(denied, ApiCalled) and (denied.user, denied.status) == ("nvr", 403)
        assert isinstance(done, ApiCalled) and (done.user, done.status) == ("boss", 200)


async def test_basic_only_where_it_is_configured(tmp_path: Path) -> None:
    async with serving(tmp_path, [Echo()]) as rig:
        assert (await rig.call("/who", None, headers=basic("nvr", "nvr-secret")))[0] == 401
    folder = tmp_path / "other"
    async with serving(folder, [Echo()], Settings(port=0, methods=("basic",))) as rig:
        assert (await rig.call("/who", None, headers=basic("nvr", "nvr-secret")))[0] == 200
        assert (await rig.call("/who", None, headers=basic("maria", "correct horse battery")))[0] == 200
        assert (await rig.call("/who", None, headers=basic("maria", "wrong")))[0] == 401


async def test_guessing_is_slowed_down_and_told(tmp_path: Path) -> None:
    async with serving(tmp_path, [Echo()], Settings(port=0, login_attempts=3, methods=("basic",))) as rig:
        for _ in range(3):
            assert (await rig.call("/who", None, headers=basic("nvr", "guess")))[0] == 401
        status, _, response = await rig.call("/who", None, headers=basic("nvr", "nvr-secret"))
        assert status == 429 and int(response.headers["Retry-After"]) > 0
    async with serving(tmp_path, [Echo()]) as rig:
        assert any(isinstance(event, LoginFailed) for event in await events(rig, "LoginFailed"))
        assert any(isinstance(event, AbuseSeen) for event in await events(rig, "AbuseSeen"))


async def test_what_goes_wrong_is_said_shortly(tmp_path: Path) -> None:
    async with serving(tmp_path, [Echo()], Settings(port=0, request_timeout=0.05)) as rig:
        assert (await rig.call("/slow"))[0] == 408
        status, body, _ = await rig.call("/broken")
        assert status == 500 and b"Traceback" not in body and b"ZeroDivision" not in body
        assert (await rig.call("/small", method="POST", body=b"x" * 10))[:2] == (200, b"10")
        assert (await rig.call("/small", method="POST", body=b"x" * 11))[0] == 413
