"""The whole service as an ONVIF camera, with clients that we did not write: onvif-zeep-async in Home Assistant's order,
npm's onvif, WSDiscovery, curl, ffprobe."""

from __future__ import annotations

import ipaddress
import json
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lpr.protocols.http_auth import Authenticator
from lpr.protocols.onvif.names import NAMESPACES, q
from lpr.protocols.onvif.tree import parse, words
from tests.actors.test_discovery import no_multicast
from tests.e2e import harness

pytest.importorskip("onvif", reason="onvif-zeep-async is not installed")
onvif: Any = import_module("onvif")
Fault: Any = import_module("zeep.exceptions").Fault
PASSWORD = "nvr-secret-1"
PATIENCE = 120.0
SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'

pytestmark = pytest.mark.anyio


@dataclass
class Camera:
    """Where the service is."""

    http: int
    rtsp: int

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.http}/{path}"


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Generator[Camera]:
    """The rendered street as a camera with two streams."""
    root = tmp_path_factory.mktemp("onvif")
    found = Camera(harness.free_port(), harness.free_port())
    extra = (
        f'[[accounts]]\nname = "nvr"\npassword_file = "{root / "nvr.password"}"\n'
        f"[device_http]\nport = {found.http}\n[rtsp]\nport = {found.rtsp}\n"
        '[[rtsp.streams]]\nname = "main"\nwidth = 640\n'
        '[[rtsp.streams]]\nname = "sub"\ncodec = "mjpeg"\nwidth = 320\n'
        '[onvif]\nname = "Gate & yard"\ndiscovery = true\ninterfaces = ["127.0.0.1"]\n'
    )
    where = harness.place(root, "demo", extra, camera="")
    process = harness.start(where)
    try:
        harness.until(lambda: pictured(found), "the first picture", process)
        yield found
    finally:
        assert harness.stop(process) == 0


def pictured(camera: Camera) -> bool:
    """Whether the service listens and its camera has shown a picture."""
    asking, path = Authenticator("nvr", PASSWORD), "/onvif/snapshot/sub"
    try:
        urllib.request.urlopen(camera.url(path[1:]), timeout=PATIENCE)
    except urllib.error.HTTPError as refusal:
        asking.challenged(refusal.headers.get_all("WWW-Authenticate", []))
    except OSError:
        return False
    answer = asking.answer("GET", path, "abc")
    assert answer is not None
    request = urllib.request.Request(camera.url(path[1:]), headers={"Authorization": answer})
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE).status == 200
    except OSError:
        return False


async def test_home_assistants_order(camera: Camera) -> None:
    """What its set-up calls, in its order; then the stream that it would open. (Events: test_onvif_events.)"""
    client: Any = onvif.ONVIFCamera("127.0.0.1", camera.http, "nvr", PASSWORD)
    try:
        await client.update_xaddrs()
        assert client.xaddrs["http://www.onvif.org/ver10/media/wsdl"] == camera.url("onvif/media_service")
        capabilities = await client.get_capabilities()
        assert capabilities["Events"]["WSPullPointSupport"]
        device = await client.create_devicemgmt_service()
        assert (await device.GetSystemDateAndTime()).UTCDateTime.Date.Year >= 2025
        information = await device.GetDeviceInformation()
        assert information.Manufacturer == "lpr" and information.SerialNumber
        (interface,) = await device.GetNetworkInterfaces()
        assert interface.Info.HwAddress.startswith("02:")
        scopes = [found.ScopeItem for found in await device.GetScopes()]
        assert "onvif://www.onvif.org/Profile/Streaming" in scopes
        assert "onvif://www.onvif.org/name/Gate%20%26%20yard" in scopes
        media = await client.create_media_service()
        assert (await media.GetServiceCapabilities()).SnapshotUri
        profiles = await media.GetProfiles()
        encodings = [profile.VideoEncoderConfiguration.Encoding for profile in profiles]
        assert encodings[-1] == "JPEG" and all(profile.MetadataConfiguration for profile in profiles)
        asked = {
            "ProfileToken": "main",
            "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
        }
        address = (await media.GetStreamUri(asked)).Uri
        assert address == f"rtsp://127.0.0.1:{camera.rtsp}/main"
        picture = await client.get_snapshot("main")
        shape = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert shape is not None
        (size,) = {
            (one.VideoEncoderConfiguration.Resolution.Width, one.VideoEncoderConfiguration.Resolution.Height)
            for one in profiles
            if one.token == "main"
        }
        assert size == (640, 360) == shape.shape[1::-1]
        imaging = await client.create_imaging_service()
        assert not await imaging.GetImagingSettings({"VideoSourceToken": "VS0"}), "there are no settings"
    finally:
        await client.close()
    if shutil.which("ffprobe") is not None:
        assert probed(address) == {"video": (encodings[0].lower().replace("jpeg", "mjpeg"), *size)}


def probed(address: str) -> dict[str, tuple[str, int, int]]:
    """What ffprobe finds in a stream: kind -> codec, width, height."""
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-of", "json", "-show_streams",
         address.replace("rtsp://", f"rtsp://nvr:{PASSWORD}@")],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return {
        found["codec_type"]: (found["codec_name"], found["width"], found["height"])
        for found in json.loads(told.stdout)["streams"]
        if found["codec_type"] == "video"
    }


async def test_a_wrong_password_and_synologys_test_profile(camera: Camera) -> None:
    client: Any = onvif.ONVIFCamera("127.0.0.1", camera.http, "nvr", "wrong")
    try:
        await client.update_xaddrs()
        device = await client.create_devicemgmt_service()
        with pytest.raises(Fault, match="wrong user or password"):
            await device.GetDeviceInformation()
        media = await client.create_media_service()
        with pytest.raises(Fault) as refused:
            await media.CreateProfile({"Name": "SynoTestProfile"})
        codes = [str(code) for code in refused.value.subcodes]
        assert any("MaxNVTProfiles" in code for code in codes)
    finally:
        await client.close()


async def test_an_nvr_changes_a_stream_and_gets_it_so(camera: Camera) -> None:
    client: Any = onvif.ONVIFCamera("127.0.0.1", camera.http, "nvr", PASSWORD)
    try:
        await client.update_xaddrs()
        media = await client.create_media_service()
        (wanted,) = [one for one in await media.GetVideoEncoderConfigurations() if one.token == "sub-video"]
        options = await media.GetVideoEncoderConfigurationOptions({"ConfigurationToken": "sub-video"})
        sizes = [(one.Width, one.Height) for one in options.JPEG.ResolutionsAvailable]
        assert (480, 272) in sizes and (wanted.Resolution.Width, wanted.Resolution.Height) == (320, 176)
        wanted.Resolution.Width, wanted.Resolution.Height = 480, 272
        await media.SetVideoEncoderConfiguration({"Configuration": wanted, "ForcePersistence": True})
        (now,) = [one for one in await media.GetVideoEncoderConfigurations() if one.token == "sub-video"]
        assert (now.Resolution.Width, now.Resolution.Height) == (480, 272)
        wanted.Resolution.Width = 481
        with pytest.raises(Fault, match="481x272"):
            await media.SetVideoEncoderConfiguration({"Configuration": wanted, "ForcePersistence": True})
    finally:
        await client.close()
    if shutil.which("ffprobe") is not None:
        assert probed(f"rtsp://127.0.0.1:{camera.rtsp}/sub") == {"video": ("mjpeg", 480, 272)}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_asks_with_digest(camera: Camera, tmp_path: Path) -> None:
    picture, answer = tmp_path / "picture.jpg", tmp_path / "answer.xml"
    common = ["curl", "--silent", "--show-error", "--fail", "--digest", "--user", f"nvr:{PASSWORD}", "--max-time", "60"]
    subprocess.run([*common, "--output", str(picture), camera.url("onvif/snapshot/main")], check=True)
    found = cv2.imread(str(picture))
    assert found is not None and found.shape == (360, 640, 3)
    asked = SOAP.format('<GetProfiles xmlns="http://www.onvif.org/ver20/media/wsdl"><Type>All</Type></GetProfiles>')
    where = camera.url("onvif/media2_service")
    subprocess.run([*common, "--output", str(answer), "--data-binary", asked, where], check=True)
    root = parse(answer.read_bytes()).root
    assert [words(found) for found in root.iter(q("tr2:Name"))] == ["main", "sub"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with npm's package onvif."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "onvif@0.8"],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"npm could not install onvif: {done.stderr[-200:]}")
    return folder


def test_npms_onvif(camera: Camera, package: Path) -> None:
    """Connects, reads, gets addresses and an event, and finds the device by multicast where loopback has that."""
    script = Path(__file__).with_name("onvif_client.js")
    done = subprocess.run(
        ["node", str(script), "127.0.0.1", str(camera.http), "nvr", PASSWORD],
        cwd=package, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    steps = {line["step"]: line["found"] for line in map(json.loads, done.stdout.splitlines())}
    assert "failed" not in steps and done.returncode == 0, (steps.get("failed"), done.stderr[-500:])
    assert steps["connected"]["media2"] and steps["connected"]["source"]["profileToken"] == "main"
    assert steps["getDeviceInformation"]["manufacturer"] == "lpr"
    assert steps["getStreamUri"] == f"rtsp://127.0.0.1:{camera.rtsp}/main"
    assert steps["getSnapshotUri"] == camera.url("onvif/snapshot/main")
    assert steps["event"].startswith("tns1:RuleEngine/")
    assert steps["discovered"] or no_multicast()


def test_wsdiscovery_finds_and_resolves_it(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI's WSDiscovery, which passes loopback over unless it is told to look there."""
    pytest.importorskip("wsdiscovery", reason="WSDiscovery is not installed")
    if why := no_multicast():
        pytest.skip(why)
    discovery: Any = import_module("wsdiscovery.discovery")
    loopback = {socket.AF_INET: [ipaddress.ip_address("127.0.0.1")], socket.AF_INET6: []}
    monkeypatch.setattr("wsdiscovery.threaded._getNetworkAddrs", loopback.__getitem__)
    found, seen = threading.Event(), list[Any]()

    class Client(discovery.ThreadedWSDiscovery):
        def _addRemoteService(self, service: Any) -> None:
            if any(f":{camera.http}/" in address for address in service.getXAddrs()):
                seen.append(service)
                found.set()

    client = Client()
    client.start()
    try:
        types = [import_module("wsdiscovery.qname").QName(NAMESPACES["dn"], "NetworkVideoTransmitter")]
        scopes = [import_module("wsdiscovery.scope").Scope("onvif://www.onvif.org/Profile/Streaming")]
        client.searchServices(types, scopes, timeout=0)
        assert found.wait(PATIENCE)
        (first, *_) = seen
        assert first.getXAddrs() == [camera.url("onvif/device_service")]
        told = [scope.getValue() for scope in first.getScopes()]
        assert "onvif://www.onvif.org/name/Gate %26 yard" in told, "it reads %20 alone"
        names = {(kind.getNamespace(), kind.getLocalname()) for kind in first.getTypes()}
        assert names == {(NAMESPACES["dn"], "NetworkVideoTransmitter"), (NAMESPACES["tds"], "Device")}
        found.clear()
        client._sendResolve(first.getEPR())
        assert found.wait(PATIENCE) and seen[-1].getEPR() == first.getEPR()
    finally:
        client.stop()
