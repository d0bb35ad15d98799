"""onvif-zeep-async as Home Assistant uses it: services in its order, a pull point, its webhook (base notification).

And ffmpeg, which takes the documents of the metadata track as they are.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from lpr.actors.device_http.onvif_events import EventsService
from lpr.config import OnvifEvents, OnvifNotify
from lpr.core.actor import emitter
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.media.plate_metadata import MetadataCamera, PlateMetadata
from lpr.protocols.onvif_metadata import camera_tokens, parse_document
from tests.actors.device_http.events_rig import receiving
from tests.actors.device_http.onvif_rig import onvif
from tests.actors.device_http.rig import ACCOUNTS
from tests.core.samples import signed
from tests.protocols.onvif_metadata import schemas
from tests.protocols.onvif_metadata.samples import passage, reading
from tools.bench import events as benchmark

client = pytest.importorskip("onvif", reason="onvif-zeep-async is not installed")
zeep = pytest.importorskip("zeep", reason="zeep is not installed")
pytestmark = pytest.mark.anyio

VEHICLE = "tns1:RuleEngine/MyRuleDetector/VehicleDetect"
MOTION = "tns1:VideoSource/MotionAlarm"
PLATE = "tns1:RuleEngine/Recognition/LicensePlate"


@dataclass
class Device:
    """A device with one camera, ``gate``. ``url``: of its HTTP server."""

    url: str
    log: EventLog
    view: LiveView
    clock: SystemClock

    async def passes(self, plate: str) -> None:
        (record,) = await self.log.append((passage(plate, at=self.clock.wall()),), actor="voter")
        await self.log.append((signed(record.id),), actor="signer")

    def shows(self, plate: str) -> None:
        frame = Frame("gate", 0, self.clock.wall(), np.zeros((720, 1280, 3), np.uint8))
        self.view.set_readings(frame, (reading(plate, (320, 540, 448, 576)),))

    def camera(self, account: str = "nvr") -> Any:
        host, _, port = self.url.removeprefix("http://").rstrip("/").partition(":")
        return client.ONVIFCamera(host, int(port), account, ACCOUNTS.password_of(account), no_cache=True)


@asynccontextmanager
async def device(folder: Path, settings: OnvifEvents | None = None) -> AsyncGenerator[Device, None]:
    clock, view = SystemClock(), LiveView("gate")
    async with EventLog.open(folder / "log.db", clock) as log, anyio.create_task_group() as tasks:
        metadata = PlateMetadata({"gate": MetadataCamera(view, camera_tokens(0))}, log, clock, keep=0.2)
        events = EventsService(settings or OnvifEvents(keep=0.2), metadata, clock)
        async with onvif(folder, further=(events.service(),), clock=clock, log=log) as rig:
            tasks.start_soon(metadata.run, emitter(log, metadata.name))
            tasks.start_soon(events.run)
            await anyio.wait_all_tasks_blocked()
            yield Device(rig.rig.url, log, view, clock)
            tasks.cancel_scope.cancel()


def topic_of(message: Any) -> str:
    return str(message.Topic._value_1)


def state_of(message: Any) -> str:
    """As Home Assistant's parsers read both properties: the source named "Source", the first item of the data."""
    value = message.Message._value_1
    assert [item.Value for item in value.Source.SimpleItem if item.Name == "Source"] == ["VS0"]
    return str(value.Data.SimpleItem[0].Value)


async def pulled(pullpoint: Any, count: int) -> Sequence[Any]:
    """The next ``count`` messages, as Home Assistant asks for them."""
    found: list[Any] = []
    with anyio.fail_after(30):
        while len(found) < count:
            answer = await pullpoint.PullMessages({"MessageLimit": 100, "Timeout": dt.timedelta(seconds=60)})
            found += answer.NotificationMessage or []
    return found


async def test_home_assistants_order(tmp_path: Path) -> None:
    async with device(tmp_path) as place:
        camera = place.camera()
        try:
            await camera.update_xaddrs()
            management = await camera.create_devicemgmt_service()
            await management.GetSystemDateAndTime()
            assert (await management.GetDeviceInformation()).Manufacturer
            assert (await management.GetNetworkInterfaces())[0].Info.HwAddress
            media = await camera.create_media_service()
            await media.GetServiceCapabilities()
            profiles = await media.GetProfiles()
            assert any(profile.VideoEncoderConfiguration.Encoding == "H264" for profile in profiles)
            assert any(profile.MetadataConfiguration is not None for profile in profiles)
            setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
            uri = await media.GetStreamUri({"ProfileToken": profiles[0].token, "StreamSetup": setup})
            assert uri.Uri.startswith("rtsp://")
            assert (await camera.get_snapshot_uri(profiles[0].token)).startswith(place.url)

            lost: list[str] = []
            manager = await camera.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: lost.append("lost"))
            await manager.set_synchronization_point()
            pullpoint = manager.get_service()
            initial = await pulled(pullpoint, 4)
            assert [topic_of(message) for message in initial] == [VEHICLE, MOTION] * 2
            assert [message.Message._value_1.PropertyOperation for message in initial] == ["Initialized"] * 4
            assert [state_of(message) for message in initial] == ["false"] * 4

            place.shows("ABC1234")
            seen = await pulled(pullpoint, 2)
            assert [(topic_of(one), state_of(one)) for one in seen] == [(VEHICLE, "true"), (MOTION, "true")]
            await place.passes("ABC1234")
            told = await pulled(pullpoint, 1)
            while not any(topic_of(message) == PLATE for message in told):
                told = [*told, *await pulled(pullpoint, 1)]
            (plate,) = (message.Message._value_1 for message in told if topic_of(message) == PLATE)
            items = {item.Name: item.Value for item in plate.Data.SimpleItem}
            assert items["Likelihood"] == "0.93"
            assert items["ImageUri"].startswith(place.url + "LPR/")
            info = next(item for item in plate.Data.ElementItem if item.Name == "LicensePlateInfo")
            words = {node.tag.rpartition("}")[2]: node.text for node in info._value_1.iter()}
            assert words["PlateNumber"] == "ABC1234"
            while not any(topic_of(message) == VEHICLE and state_of(message) == "false" for message in told):
                told = await pulled(pullpoint, 1)
            await manager.shutdown()
            assert lost == []
            with pytest.raises(zeep.exceptions.Fault, match="no such subscription"):
                await pullpoint.PullMessages({"MessageLimit": 1, "Timeout": dt.timedelta(seconds=1)})
        finally:
            await camera.close()


async def test_event_properties_and_capabilities(tmp_path: Path) -> None:
    async with device(tmp_path) as place:
        camera = place.camera("viewer")
        try:
            await camera.update_xaddrs()
            events = await camera.create_events_service()
            told = await events.GetEventProperties()
            assert told.FixedTopicSet
            assert len(told.TopicExpressionDialect) == 2
            capable = await events.GetServiceCapabilities()
            assert capable.MaxPullPoints >= 2
        finally:
            await camera.close()


async def test_home_assistants_webhook(tmp_path: Path) -> None:
    notify = OnvifEvents(notify=OnvifNotify(allow=("subscriber",)))
    async with receiving() as receiver, device(tmp_path, notify) as place:
        camera = place.camera()
        try:
            await camera.update_xaddrs()
            lost: list[str] = []
            interval = dt.timedelta(seconds=60)
            manager = await camera.create_notification_manager(receiver.url, interval, lambda: lost.append("lost"))
            await manager.set_synchronization_point()
            await receiver.wait(1)
            await place.passes("ABC1234")
            while "ABC1234" not in receiver.plates():
                await receiver.wait(len(receiver.got) + 1)
            topics = [topic_of(one) for body in receiver.got for one in manager.process(body).NotificationMessage]
            assert topics[0] == VEHICLE
            assert PLATE in topics
            await manager.shutdown()
            assert lost == []
        finally:
            await camera.close()


async def test_a_wrong_password_gets_no_pull_point(tmp_path: Path) -> None:
    async with device(tmp_path) as place:
        host, _, port = place.url.removeprefix("http://").rstrip("/").partition(":")
        camera = client.ONVIFCamera(host, int(port), "nvr", "wrong", no_cache=True)
        try:
            await camera.update_xaddrs()
            with pytest.raises(zeep.exceptions.Fault, match="Not logged in"):
                await camera.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: None)
        finally:
            await camera.close()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
async def test_ffmpeg_takes_valid_documents_from_the_whole_service(tmp_path: Path) -> None:
    found = tmp_path / "documents"
    folder = tmp_path / "device"
    folder.mkdir()
    async with benchmark.device(folder, "mjpeg") as place:
        command = ("ffmpeg", "-v", "error", "-analyzeduration", "300000", "-rtsp_transport", "tcp")
        url = f"rtsp://127.0.0.1:{place.ports.rtsp}/main"
        take = ("-map", "0:d", "-c", "copy", "-flush_packets", "1", "-f", "data", str(found))
        async with await anyio.open_process([*command, "-i", url, *take], stdin=subprocess.PIPE, stdout=None) as player:
            with anyio.fail_after(40):
                number = 0
                while not found.exists() or b"Recognition/LicensePlate" not in found.read_bytes():
                    number += 1
                    await place.log.append((await place.prepare(number),), actor="signer")
                    await anyio.sleep(0.05)
            player.terminate()
    documents = found.read_bytes().split(b'<?xml version="1.0" encoding="UTF-8"?>')[1:-1]
    parsed = [parse_document(document) for document in documents]
    assert all(one.deviations == () for one in parsed)
    assert any(
        kept.plate and kept.plate.number == "LIVE123"
        for one in parsed
        for frame in one.frames
        for kept in frame.objects
    )
    schema = schemas.metadata_stream()
    assert [fault for document in documents[:20] for fault in schemas.faults(schema, document)] == []
