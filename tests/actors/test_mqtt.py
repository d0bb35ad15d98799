"""The MQTT sink's connection between passages: announced, kept alive, opened again, left in good order."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from lpr.actors.mqtt import LinkError, MqttSink, Surroundings
from lpr.config import Mqtt
from lpr.core.blobs import BlobStore
from lpr.core.clock import SECOND, ManualClock
from lpr.core.delivery import Delivered, Refused
from lpr.protocols.mqtt_messages import Device
from tests.contracts.mqtt_broker import ScriptedBroker
from tests.contracts.sinks import shipment

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Site:
    """A sink, its broker, its clock."""

    def __init__(self, folder: Path, broker: ScriptedBroker, **settings: Any) -> None:
        self.broker = broker
        self.clock = ManualClock()
        self.blobs = BlobStore(folder / "blobs")
        self.cameras = {"gate": True}
        section = {"host": "127.0.0.1", "port": broker.port, "tls": False, "timeout": 2.0, **settings}
        around = Surroundings(
            Device("lpr_1", "Gate", "0.1"),
            lambda: self.cameras,
            folder / "retained.json",
            lambda prefix, passage: (f"{prefix}/onvif-ej/plate", passage.plate.encode()),
        )
        self.sink = MqttSink(msgspec.convert(section, Mqtt), around, blobs=self.blobs, clock=self.clock)

    def status(self) -> list[bytes]:
        return [payload for topic, payload, _ in self.broker.got if topic == "lpr/status"]

    def seconds(self) -> float:
        """The clock as paho wants it."""
        return self.clock.mono() / SECOND

    async def pass_time(self, until: Any, seconds: float = 1.0) -> None:
        with anyio.fail_after(30):
            while not until():
                self.clock.advance(seconds)
                await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def site(folder: Path, **settings: Any) -> AsyncGenerator[Site]:
    async with ScriptedBroker() as broker:
        made = Site(folder, broker, **settings)
        try:
            yield made
        finally:
            await made.sink.close()


async def test_it_announces_itself_says_it_lives_and_takes_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path, keep_alive=10) as made, anyio.create_task_group() as tasks:
        monkeypatch.setattr("paho.mqtt.client.time_func", made.seconds)
        tasks.start_soon(made.sink.keep)
        await made.pass_time(lambda: made.broker.pings >= 2)
        assert made.status() == [b"online"] and made.broker.connections == 1
        assert made.broker.wills == [("lpr/status", b"offline")]
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True), anyio.fail_after(10):
            while not made.broker.left:
                await made.broker.changed.wait()
                made.broker.changed.clear()
    assert made.status() == [b"online", b"offline"]


async def test_it_connects_again_and_tells_once_what_is_wrong(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with site(tmp_path) as made, anyio.create_task_group() as tasks:
        tasks.start_soon(made.sink.keep)
        await made.pass_time(lambda: made.status() == [b"online"])
        with caplog.at_level(logging.WARNING):
            await made.broker.close()
            await made.pass_time(lambda: len(caplog.messages) >= 2, 10.0)
            await made.broker.listen()
            await made.pass_time(lambda: made.status() == [b"online", b"online"], 100.0)
            await made.pass_time(lambda: "again" in caplog.messages[-1], 100.0)
        assert len(caplog.messages) <= 4
        assert made.broker.retained()["lpr/gate/status"] == b"online"
        tasks.cancel_scope.cancel()


async def test_a_camera_that_stops_is_told(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        assert await made.sink.check() == ""
        made.cameras = {"gate": False}
        assert await made.sink.check() == ""
        assert made.broker.retained()["lpr/gate/status"] == b"offline"


async def test_a_message_that_is_too_large_is_refused_and_a_picture_left_out(tmp_path: Path) -> None:
    async with site(tmp_path, discovery="off") as made:
        made.broker.connack = b"\x20\x08\x00\x00\x05\x27\x00\x00\x00\x30"
        outcome = await made.sink.deliver(await shipment(made.blobs))
        assert isinstance(outcome, Refused) and "takes 48" in outcome.reason
        made.broker.connack = b"\x20\x08\x00\x00\x05\x27\x00\x00\x07\x00"
        made.broker.cut()
        await made.sink.close()
        big = await made.blobs.put(b"\xff\xd8" + b"x" * 2000)
        sent = await shipment(made.blobs)
        signed = msgspec.structs.replace(sent.signed, picture=msgspec.structs.replace(sent.signed.picture, blob=big))
        outcome = await made.sink.deliver(type(sent)(sent.record, sent.passage, sent.decided, signed))
        assert isinstance(outcome, Delivered) and "picture" in outcome.answer
        topic, payload, _ = made.broker.got[-1]
        assert topic == "lpr/gate/passage" and json.loads(payload)["picture"]["topic"] is None


async def test_the_broker_that_acknowledges_nothing_is_not_used(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        made.broker.connack = b"\x20\x05\x00\x00\x02\x24\x00"
        assert "QoS 0 alone" in await made.sink.check()


async def test_pictures_stand_in_the_message_when_asked_for(tmp_path: Path) -> None:
    async with site(tmp_path, images="all", pictures="none", onvif=True) as made:
        assert isinstance(await made.sink.deliver(await shipment(made.blobs)), Delivered)
        found = {topic: payload for topic, payload, _ in made.broker.got}
        message = json.loads(found["lpr/gate/passage"])
        assert message["picture"]["data"] and message["plate_picture"]["data"]
        assert found["lpr/onvif-ej/plate"] == b"AB12CD" and "lpr/gate/picture" not in found


async def test_a_passage_that_is_sent_again_does_not_look_like_the_last(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        for plate, number in (("OLD", 2), ("NEW", 4), ("OLD", 2)):
            assert isinstance(await made.sink.deliver(await shipment(made.blobs, plate, number)), Delivered)
        state = json.loads(made.broker.retained()["lpr/gate/state"])
        assert (state["plate"], state["passages"]) == ("NEW", 2)
        topic, payload, _ = made.broker.got[-1]
        last = json.loads(payload)
        assert (topic, last["plate"], last["picture"]["topic"]) == ("lpr/gate/passage", "OLD", None)


async def test_a_broker_without_tls_is_told_from_one_with(tmp_path: Path) -> None:
    async with site(tmp_path, tls=True) as made:
        assert "TLS" in await made.sink.check()


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    settings = Mqtt(host="h", ca_file=str(tmp_path / "none.pem"))
    around = Surroundings(Device("a", "b", "c"), dict, tmp_path / "m", lambda prefix, passage: ("", b""))
    with pytest.raises(LinkError, match="PEM"):
        MqttSink(settings, around, blobs=BlobStore(tmp_path), clock=ManualClock())
    with pytest.raises(LinkError, match="password_file"):
        MqttSink(Mqtt(host="h", user="u"), around, blobs=BlobStore(tmp_path), clock=ManualClock())
