"""Brokers that get the passages over MQTT. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Name, Port, Positive, Section


class Mqtt(Section, frozen=True, kw_only=True):
    """A broker. TLS with verification unless ``tls`` is false; ``ca_file``: PEM of the authority, none: the system's.

    ``client_certificate_file``, ``client_key_file``: PEM, for brokers that know clients by certificate. ``pictures``:
    which are published on topics of their own, retained; ``images``: which are put into the passage's JSON, base64.
    """

    name: Name = "mqtt"
    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[Port, Meta(description="0: 8883 with TLS, 1883 without")] = 0
    tls: bool = True
    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    user: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    password_file: str | None = None
    client_id: Annotated[str, Meta(max_length=64, description="one at a time; none: made from the log's id")] = ""
    version: Literal["3.1.1", "5"] = "5"
    prefix: Annotated[str, Meta(pattern=r"^[^#+/\x00]+(/[^#+/\x00]+)*$", max_length=128)] = "lpr"
    passages: Annotated[bool, Meta(description="our own JSON")] = True
    onvif: Annotated[bool, Meta(description="ONVIF's onvif-ej events")] = False
    images: Literal["none", "plate", "full", "all"] = "none"
    pictures: Literal["none", "plate", "full", "all"] = "full"
    discovery: Annotated[
        Literal["off", "device", "components"],
        Meta(description="Home Assistant: device from release 2024.11 on, components for older ones"),
    ] = "device"
    discovery_prefix: Annotated[str, Meta(pattern=r"^[^#+/\x00]+(/[^#+/\x00]+)*$", max_length=128)] = "homeassistant"
    keep_alive: Annotated[int, Meta(ge=5, le=65535, description="seconds")] = 30
    timeout: Positive = 15.0
    status_every: Annotated[float, Meta(gt=0, description="seconds between two looks at the cameras")] = 2.0
    max_packet: Annotated[int, Meta(ge=1024, description="bytes accepted from the broker in one packet")] = 65536
    retry_first: Positive = 1.0
    retry_max: Positive = 300.0
    max_attempts: Annotated[int, Meta(ge=0, description="0: without end")] = 0
