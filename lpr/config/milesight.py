"""Milesight's types LPR to NVR: the TCP server and the HTTP push. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Count, Name, Port, Positive, Section


class MilesightServer(Section, frozen=True, kw_only=True):
    """Milesight's TCP type: the NVR connects here. ``password_file`` holds the password; none is built in."""

    name: Name = "milesight"
    host: str = "127.0.0.1"
    port: Port = 5000
    user: Annotated[str, Meta(min_length=1, max_length=64)] = "admin"
    password_file: str | None = None
    revision: Literal["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"] = "1.6"
    images: Literal["none", "plate", "full", "all"] = "all"
    resume: Annotated[bool, Meta(description="a client that comes back gets what it missed")] = True
    new_clients: Annotated[
        Literal["now", "beginning"], Meta(description="what a client gets that was never here: only what comes, or all")
    ] = "now"
    resume_limit: Annotated[int, Meta(ge=0, description="at most so many missed passages")] = 10000
    plate_type: Annotated[int, Meta(ge=0, le=3, description="1 black 2 white 3 visitor")] = 3
    registrations: Annotated[
        Literal["note", "obey"],
        Meta(description="obey: a client that registers for other messages alone (registerAll 0) gets no passages"),
    ] = "note"
    device_id: Annotated[str, Meta(pattern="^[0-9a-fA-F-]{32,36}$", description="GUID; none: from the log")] | None = (
        None
    )
    max_clients: Count = 512
    max_clients_per_address: Count = 512
    login_timeout: Positive = 10.0
    max_message: Annotated[int, Meta(ge=64, description="bytes accepted from a client in one message")] = 4096
    send_timeout: Annotated[float, Meta(gt=0, description="a client that takes nothing for so long is dropped")] = 30.0
    buffer: Annotated[int, Meta(ge=65536, description="bytes waiting for one client")] = 1_048_576
    login_attempts: Annotated[int, Meta(ge=1, description="wrong log-ins before the connection is closed")] = 3


class HttpPush(Section, frozen=True, kw_only=True):
    """Milesight's HTTP type: passages are posted (JSON) or sent as GET to a receiver."""

    name: Name = "push"
    url: Annotated[str, Meta(pattern=r"^https?://", max_length=2048)]
    method: Literal["post", "get"] = "post"
    user: str | None = None
    password_file: str | None = None
    images: Literal["none", "plate", "full", "all"] = "all"
    device: str | None = None
    plate_type: Literal["Black", "White", "Visitor", "-"] = "Visitor"
    milliseconds: bool = True
    ca_file: str | None = None
    timeout: Positive = 15.0
    max_answer: Annotated[int, Meta(ge=256)] = 65536
    retry_first: Positive = 1.0
    retry_max: Positive = 300.0
    max_attempts: Annotated[int, Meta(ge=0, description="0: without end")] = 0


class MilesightPull(Section, frozen=True, kw_only=True):
    """Milesight's pull API, a part of ``[device_http]``: NVRs ask for the latest passages.

    ``records``: at most so many; no more have a picture that can be fetched. ``cameras``: whose; empty: all.
    """

    enabled: bool = True
    records: Annotated[int, Meta(ge=1, le=10)] = 10
    milliseconds: Annotated[bool, Meta(description="times to the millisecond, not to the second")] = False
    cameras: tuple[str, ...] = ()
