"""The MQTT sink as a ``SinkCase``, against a broker that does as it is told (``tests.contracts.mqtt_broker``)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from lpr.actors.mqtt import MqttSink, Surroundings
from lpr.config import Mqtt
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.protocols.mqtt import Version
from lpr.protocols.mqtt_messages import Device, PassageMessage
from tests.contracts.mqtt_broker import ScriptedBroker
from tests.contracts.sinks import SECRET, Behaviour, Got, SinkCase


class MqttBench:
    """A sink and its broker."""

    def __init__(self, sink: MqttSink, broker: ScriptedBroker) -> None:
        self.sink = sink
        self.broker = broker

    @property
    def got(self) -> list[Got]:
        found = [
            msgspec.json.decode(payload, type=PassageMessage)
            for topic, payload, _ in self.broker.got
            if topic.endswith("/passage")
        ]
        return [Got(message.id, message.plate) for message in found]

    async def behave(self, behaviour: Behaviour) -> None:
        await self.broker.behave(behaviour)


def mqtt_case(version: Version, user: bool) -> SinkCase:
    """A sink that speaks ``version``."""

    @asynccontextmanager
    async def opened(folder: Path, blobs: BlobStore, clock: Clock) -> AsyncGenerator[MqttBench]:
        broker = ScriptedBroker(version, SECRET if user else None)
        async with broker:
            settings = Mqtt(
                host="127.0.0.1",
                port=broker.port,
                tls=False,
                user="lpr" if user else None,
                version=version,
                timeout=0.8,
                pictures="all",
            )
            around = Surroundings(
                Device("lpr_1", "Gate", "0.1"),
                lambda: {"gate": True},
                folder / "mqtt.json",
                lambda prefix, passage: (f"{prefix}/onvif-ej/plate", passage.plate.encode()),
            )
            sink = MqttSink(settings, around, blobs=blobs, clock=clock, password=SECRET if user else "")
            try:
                yield MqttBench(sink, broker)
            finally:
                await sink.close()

    return SinkCase(f"mqtt {version} {'password' if user else 'none'}", opened)


MQTT_CASES = [mqtt_case("5", True), mqtt_case("5", False)]
