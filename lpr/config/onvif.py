"""The ONVIF services and WS-Discovery. May import this room."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lpr.config.base import Count, Positive, Section


class Onvif(Section, frozen=True, kw_only=True):
    """This device as an ONVIF camera: NVRs find it, ask what it has, and take the streams of ``[rtsp]``. The services
    are at ``http://<device_http>/onvif/device_service``, so ``[device_http]`` and ``[rtsp]`` are needed.

    ``name``: what NVRs show, the device's unless given. ``location``, ``scopes``: told to whoever looks for devices.
    ``hw_address``: by which NVRs tell devices apart; none: one made for this service and kept, so that two services on
    one computer differ. ``time_window``: seconds by which a log-in's time may differ from this device's.

    ``change_streams``: an account of the level operator may set size, rate, bits, quality and key frames of a stream,
    as NVRs do; it holds until the stream's settings in this file are others.

    ``discovery``: WS-Discovery answers, on ``interfaces`` alone: names ("eth0") or IPv4 addresses of this computer.
    ``answers``: at most so many a second, over all who ask.
    """

    name: Annotated[str, Meta(max_length=64)] = ""
    manufacturer: Annotated[str, Meta(min_length=1, max_length=64)] = "lpr"
    model: Annotated[str, Meta(min_length=1, max_length=64)] = "LPR camera"
    hardware: Annotated[str, Meta(min_length=1, max_length=64)] = "software"
    location: Annotated[str, Meta(max_length=128)] = ""
    scopes: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$", max_length=256)], ...],
        Meta(max_length=16, description="further scopes, URIs"),
    ] = ()
    hw_address: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")] | None = None
    time_window: Annotated[float, Meta(ge=5, le=86400)] = 300.0
    nonces: Annotated[Count, Meta(description="used log-ins that are remembered, so that none is used again")] = 4096
    max_elements: Annotated[Count, Meta(description="XML elements of a request")] = 5000
    max_depth: Annotated[int, Meta(ge=8, le=200, description="nesting of a request's XML")] = 48
    change_streams: bool = True
    discovery: bool = False
    interfaces: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    answers: Positive = 20.0
