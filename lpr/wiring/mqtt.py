"""The MQTT brokers that get the passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

from lpr.actors.mqtt import LinkError, MqttSink, Surroundings
from lpr.events import PassageDecided
from lpr.preparing import StartError, read_secret
from lpr.protocols.mqtt_messages import Device
from lpr.protocols.onvif_metadata import camera_tokens, ej_payload, ej_topic, plate_notification
from lpr.wiring.tools import Tools


def brokers(tools: Tools) -> Sequence[MqttSink]:
    """Every broker that gets the passages. Raises StartError."""
    config, views = tools.config, tools.views
    device = Device(f"lpr_{tools.log.log_id[:12]}", config.device, metadata.version("lpr"))

    tokens = {camera.name: camera_tokens(number) for number, camera in enumerate(config.cameras)}

    def onvif(prefix: str, passage: PassageDecided) -> tuple[str, bytes]:
        told = plate_notification(passage, tokens.get(passage.source) or camera_tokens(len(tokens)))
        return ej_topic(prefix, told), ej_payload(told)

    def cameras() -> Mapping[str, bool]:
        return {name: view.status.state in ("running", "waiting") for name, view in views.items()}

    found: list[MqttSink] = []
    for settings in config.mqtt:
        memory = tools.folder.root / f"{settings.name}.retained.json"
        around = Surroundings(device, cameras, memory, onvif)
        password = read_secret(settings.password_file)
        try:
            found.append(MqttSink(settings, around, blobs=tools.blobs, clock=tools.clock, password=password))
        except LinkError as error:
            raise StartError(str(error)) from None
    return found
