"""ONVIF over HTTP: who may call, what hostile clients get, what stays in the log."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pytest

from lpr.actors.device_http.onvif_events import EventsService
from lpr.config import DeviceHttp, Onvif, OnvifEvents
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import AbuseSeen, ApiCalled, Event, LoginFailed, OnvifChanged
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.model import Added, Encoding
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.operations import Call, Operation, Reply, Service
from lpr.protocols.onvif.tree import element, write
from lpr.protocols.onvif_metadata import Notification
from tests.actors.device_http.onvif_rig import JPEG, OnvifRig, moment, onvif, subcodes, token
from tests.protocols.onvif.worlds import MAIN, texts
from tests.protocols.onvif_metadata import schemas


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
NOT_AUTHORIZED = ["env:Sender", "ter:NotAuthorized"]


class NoPlates:
    """No events but those of the services themselves."""

    def attach(self, listener: Callable[[str, Notification], None]) -> None:
        """Nobody is told anything."""

    def detach(self, listener: Callable[[str, Notification], None]) -> None:
        """Nor anything more."""

    def properties(self) -> list[Notification]:
        return []


async def written(rig: OnvifRig, kind: type[Event]) -> list[Event]:
    """The events of a kind in the log, as soon as there is one."""
    while True:
        found = await rig.rig.log.read(0, types=frozenset({kind.__name__}))
        if found:
            return [record.event for record in found]
        await rig.rig.log.wait(rig.rig.log.head)


async def test_a_username_token_opens_what_its_account_may(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        status, body = await rig.call("tds:GetDeviceInformation")
        assert status == 200 and texts(body, "tds:Manufacturer") == ["lpr"]
        status, body = await rig.call("tds:GetUsers")
        assert status == 400 and subcodes(body) == NOT_AUTHORIZED
        status, body = await rig.call("tds:GetUsers", account="boss")
        assert status == 200 and len(body)


async def test_without_a_log_in_there_is_a_fault_with_challenges(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        status, data, challenges = await rig.post(rig.envelope(element("tds:GetDeviceInformation"), None))
        assert status == 401 and subcodes(soap.parse(data).body) == NOT_AUTHORIZED
        assert "SHA-256" in challenges[0] and "MD5" in challenges[-1]


async def test_an_empty_request_asks_for_challenges(tmp_path: Path) -> None:
    """As curl does before it sends the body."""
    async with onvif(tmp_path) as rig:
        status, data, challenges = await rig.post(b"")
        assert status == 401 and subcodes(soap.parse(data).body) == NOT_AUTHORIZED and len(challenges) == 2
        status, data, _ = await rig.rig.call("onvif/device_service", "nvr", "POST", b"")
        assert status == 400 and b"WellFormed" in data


async def test_http_digest_does_as_well(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        body = rig.envelope(element("tds:GetDeviceInformation"), None)
        for account, expected in (("nvr", 200), ("stranger", 401)):
            status, data, response = await rig.rig.call("onvif/device_service", account, "POST", body)
            assert status == expected and response.content_type == "application/soap+xml"
            assert soap.parse(data)


async def test_wrong_tokens_are_refused_and_counted(tmp_path: Path) -> None:
    async with onvif(tmp_path, http=DeviceHttp(port=0, login_attempts=3)) as rig:
        when = moment(rig.clock.wall())
        body = element("env:Body", element("tds:GetDeviceInformation"))
        for number in range(3):
            header = token("nvr", "wrong", b"%d" % number, when)
            status, data, challenges = await rig.post(write(element("env:Envelope", header, body)))
            assert status == 400 and subcodes(soap.parse(data).body) == NOT_AUTHORIZED and not challenges
        status, data, _ = await rig.post(rig.envelope(element("tds:GetDeviceInformation"), "nvr"))
        assert status == 429, "not even the right one is looked at now"
        found = await written(rig, LoginFailed)
        assert isinstance(found[0], LoginFailed) and found[0].user == "nvr"


async def test_a_replayed_request_and_an_old_one_are_refused_and_harm_nobody(tmp_path: Path) -> None:
    async with onvif(tmp_path, http=DeviceHttp(port=0, login_attempts=2)) as rig:
        request = rig.envelope(element("tds:GetDeviceInformation"), "nvr")
        assert (await rig.post(request))[0] == 200
        for _ in range(5):
            status, data, _ = await rig.post(request)
            assert status == 400 and b"used before" in data
        old = rig.envelope(element("tds:GetDeviceInformation"), "nvr", created=moment(rig.clock.wall() - 301_000_000))
        status, data, _ = await rig.post(old)
        assert status == 400 and b"300 s" in data
        assert (await rig.call("tds:GetDeviceInformation"))[0] == 200, "these were no guesses"


async def test_a_password_in_the_clear_is_refused(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        header = token("nvr", "nvr-secret", b"1", moment(rig.clock.wall()), "PasswordText")
        data = write(element("env:Envelope", header, element("env:Body", element("tds:GetDeviceInformation"))))
        status, data, _ = await rig.post(data)
        assert status == 400 and b"digest" in data


async def test_what_needs_no_log_in_is_answered_whatever_comes_along(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        old = rig.envelope(element("tds:GetSystemDateAndTime"), "nvr", created="2001-01-01T00:00:00Z")
        assert (await rig.post(old))[0] == 200
        assert (await rig.call("tds:GetServices", account=None))[0] == 200
        status, body = await rig.call("trt:CreateProfile", element("trt:Name", "SynoTestProfile"), account=None)
        assert status == 500 and subcodes(body) == ["env:Receiver", "ter:Action", "ter:MaxNVTProfiles"]


async def test_every_service_answers_at_every_address(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        for path in ("onvif/device_service", "onvif/media_service", "onvif/whatever/there/is"):
            status, data, _ = await rig.post(rig.envelope(element("trt:GetProfiles"), "viewer"), path)
            assert status == 200 and soap.parse(data).operation == "GetProfilesResponse"


async def test_unknown_operations_get_the_fault_that_nvrs_expect(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        for name in ("tds:MakeCoffee", "tds:SetHostname"):
            status, body = await rig.call(name, account="boss")
            assert status == 500 and subcodes(body) == ["env:Receiver", "ter:ActionNotSupported"]


@pytest.mark.parametrize(
    ("data", "status", "part"),
    [
        (b" ", 400, b"WellFormed"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 400, b"document type"),
        (b"<a>" * 60, 400, b"deep"),
        (b"\xff" * 1000, 400, b"WellFormed"),
        (b"x" * 300_000, 413, b"bytes"),
        (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>', 400, b"SOAP 1.2"),
    ],
    ids=["empty", "entity", "deep", "noise", "large", "SOAP 1.1"],
)
async def test_hostile_bodies_are_refused_and_told(tmp_path: Path, data: bytes, status: int, part: bytes) -> None:
    async with onvif(tmp_path) as rig:
        found, body, _ = await rig.post(data)
        assert found == status and part in body
        told = (await written(rig, AbuseSeen))[0]
        assert isinstance(told, AbuseSeen) and told.server == "device_http"
        assert (await rig.call("tds:GetDeviceInformation"))[0] == 200


async def test_half_a_request_is_given_up(tmp_path: Path) -> None:
    async with onvif(tmp_path, read_timeout=0.05) as rig:
        host, port = rig.rig.url.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<half")
        answer = await asyncio.wait_for(reader.readline(), 20)
        assert b" 408 " in answer
        writer.close()


async def test_calls_are_in_the_audit_trail_changes_before_their_answer(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        scope = element("tds:ScopeItem", "onvif://www.onvif.org/lane/2")
        status, _ = await rig.call("tds:AddScopes", scope, account="boss")
        assert status == 200
        log = rig.rig.log
        calls = await log.read(0, types=frozenset({ApiCalled.__name__}))
        (call,) = (record.event for record in calls)
        assert isinstance(call, ApiCalled)
        assert (call.user, call.path, call.status) == ("boss", "/onvif/device_service#tds:AddScopes", 200)
        (changed,) = (record.event for record in await log.read(0, types=frozenset({OnvifChanged.__name__})))
        assert changed == OnvifChanged(scopes=("onvif://www.onvif.org/lane/2",), discoverable=True, user="boss")
        for _ in range(3):
            await rig.call("trt:GetProfiles")
        calls = await written(rig, ApiCalled)
        assert sum(isinstance(call, ApiCalled) and "GetProfiles" in call.path for call in calls) <= 1


async def test_what_was_changed_holds_after_a_restart(tmp_path: Path) -> None:
    clock = SystemClock()
    async with EventLog.open(tmp_path / "events.db", clock) as log:
        async with onvif(tmp_path, clock=clock, log=log) as rig:
            await rig.call("tds:AddScopes", element("tds:ScopeItem", "onvif://x/a"), account="boss")
            version = rig.memory.version
        async with onvif(tmp_path, clock=clock, log=log) as rig:
            _, body = await rig.call("tds:GetScopes")
            assert "onvif://x/a" in texts(body, "tt:ScopeItem")
            assert rig.memory.version == version > 1


async def test_a_changed_stream_is_in_the_log_and_in_force_also_after_a_restart(tmp_path: Path) -> None:
    clock = SystemClock()
    free = dataclasses.replace(MAIN, sizes=((1920, 1080), (640, 360)))
    wanted = element(
        "trt:Configuration",
        element("tt:Resolution", element("tt:Width", 640), element("tt:Height", 360)),
        token="main-video",
    )
    wish = Encoding("main", 640, 360, 25.0, 4000, 75, 50, "base of main")
    async with EventLog.open(tmp_path / "events.db", clock) as log:
        async with onvif(tmp_path, clock=clock, log=log, streams=[free]) as rig:
            assert (await rig.call("trt:SetVideoEncoderConfiguration", wanted, account="viewer"))[0] == 400
            assert (await rig.call("trt:SetVideoEncoderConfiguration", wanted))[0] == 200
            assert rig.encoders.applied[-1] == (wish,)
            await rig.call("tds:AddScopes", element("tds:ScopeItem", "onvif://x/a"), account="boss")
        async with onvif(tmp_path, clock=clock, log=log, streams=[free]) as rig:
            await rig.call("tds:GetScopes")
            assert rig.memory.added == Added(("onvif://x/a",), True, (wish,))
            await rig.part.run()
            assert set(rig.encoders.applied) == {(wish,)}


async def test_a_changed_stream_is_told_as_an_event(tmp_path: Path) -> None:
    """Once, and not when a client writes back what there is."""
    free = dataclasses.replace(MAIN, sizes=((1920, 1080), (640, 360)))
    events = EventsService(OnvifEvents(), NoPlates(), SystemClock())

    def wanted(width: int, height: int) -> Element:
        size = element("tt:Resolution", element("tt:Width", width), element("tt:Height", height))
        return element("tr2:Configuration", size, token="main-video")

    async with onvif(tmp_path, streams=[free], further=[events.service()], configured=events.configured) as rig:
        _, told = await rig.call("tev:GetEventProperties")
        assert told.find(f".//{q('tns1:Media')}/ConfigurationChanged") is not None
        _, made = await rig.call("tev:CreatePullPointSubscription")
        path = urlsplit(texts(made, "wsa:Address")[0]).path.lstrip("/")
        for width, height in ((1920, 1080), (640, 360)):
            assert (await rig.call("tr2:SetVideoEncoderConfiguration", wanted(width, height)))[0] == 200
        status, data, _ = await rig.post(rig.envelope(element("tev:PullMessages"), "nvr"), path)
        answer = soap.parse(data).body
        assert status == 200 and texts(answer, "wsnt:Topic") == ["tns1:Media/ConfigurationChanged"]
        items = [(node.get("Name"), node.get("Value")) for node in answer.iter(q("tt:SimpleItem"))]
        assert items == [("Token", "main-video"), ("Type", "VideoEncoder")]
        assert schemas.faults(schemas.events(), schemas.alone(data)) == []


async def test_pictures_of_streams(tmp_path: Path) -> None:
    async with onvif(tmp_path) as rig:
        status, data, response = await rig.rig.call("onvif/snapshot/main")
        assert status == 200 and data == JPEG + b"main" and response.content_type == "image/jpeg"
        assert (await rig.rig.call("onvif/snapshot/none"))[0] == 404
        assert (await rig.rig.call("onvif/snapshot/fine"))[0] == 503
        assert (await rig.rig.call("onvif/snapshot/main", None))[0] == 401


async def test_a_service_of_others_may_wait_and_name_its_action(tmp_path: Path) -> None:
    async def renew(call: Call) -> Reply:
        await asyncio.sleep(0)
        assert call.user == "nvr" and call.path == "/onvif/events/7"
        return Reply(element("wsnt:RenewResponse"), action="urn:renewed")

    events = Service("tev", "/onvif/events", (Operation("wsnt:Renew", "READ_MEDIA", renew),), also=("wsnt",))
    async with onvif(tmp_path, further=[events]) as rig:
        status, data, _ = await rig.post(rig.envelope(element("wsnt:Renew"), "nvr"), "onvif/events/7")
        assert status == 200 and soap.parse(data).action == "urn:renewed"
        _, body = await rig.call("tds:GetServices", element("tds:IncludeCapability", False))
        assert "http://www.onvif.org/ver10/events/wsdl" in texts(body, "tds:Namespace")
        _, body = await rig.call("tds:GetCapabilities")
        assert texts(body, "tt:WSPullPointSupport") == ["true"]


async def test_limits_of_xml_are_the_configurations(tmp_path: Path) -> None:
    async with onvif(tmp_path, Onvif(max_elements=3)) as rig:
        assert (await rig.call("tds:GetDeviceInformation"))[0] == 400
