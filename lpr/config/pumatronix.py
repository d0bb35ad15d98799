"""Pumatronix's addresses on the device's HTTP server. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Count, Name, Positive, Section


class Pumatronix(Section, frozen=True, kw_only=True):
    """The device answers at ``/api/…`` as Pumatronix's cameras do; it needs ``[device_http]``.

    ``camera``: whose pictures and settings they are, None: the first. ``exposures``: of a snapshot that names none.
    ``token_life``: seconds that a log-in's token is good for. ``trigger_form``: how ``trigger.cgi`` sends captures as
    they happen: "multipart", which HTTP's clients read, or "responses", the maker's row of whole answers.
    """

    camera: Name | None = None
    exposures: Annotated[int, Meta(ge=1, le=8)] = 1
    stream_width: Annotated[int, Meta(ge=64, le=8192, description="of the MJPEG stream, pixels at most")] = 1280
    stream_rate: Annotated[float, Meta(gt=0, le=60, description="pictures a second at most")] = 10.0
    stream_quality: Annotated[int, Meta(ge=10, le=100)] = 80
    max_streams: Count = 8
    snapshot_timeout: Positive = 10.0
    trigger_form: Literal["multipart", "responses"] = "multipart"
    trigger_clients: Annotated[int, Meta(ge=1, description="that may wait for captures at a time")] = 8
    trigger_queue: Annotated[int, Meta(ge=1, le=64, description="captures that wait for each; the oldest go first")] = 8
    trigger_idle: Annotated[float, Meta(gt=0, description="seconds without a capture after which the answer ends")] = (
        300.0
    )
    token_life: Annotated[float, Meta(ge=60, le=604_800)] = 3600.0
