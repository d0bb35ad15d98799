"""The service as a camera to machines: their accounts, and the HTTP server that they call. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Count, Port, Positive, Section, Tls


class Account(Section, frozen=True, kw_only=True):
    """An account for machines (NVRs), whose protocols need the password itself; people's users are kept apart.

    ``level``: what it may do, in ONVIF's words: a user looks on, an operator also takes pictures and subscribes, an
    administrator changes settings. ``password_file``: its first line is the password.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
    password_file: str
    level: Literal["user", "operator", "administrator"] = "operator"


class DeviceHttp(Section, frozen=True, kw_only=True):
    """One HTTP server for everything that machines call as if this were a camera: ONVIF, Milesight's pull API,
    Pumatronix's addresses, pictures. ``address``: the name or address under which they reach it, put into the
    addresses that it tells them; none: the one that they called.

    ``methods``: how passwords are asked for; Basic sends them readable, so it needs TLS or a network of one's own.
    """

    host: str = "127.0.0.1"
    port: Port = 8000
    tls: Tls | None = None
    address: Annotated[str, Meta(max_length=253)] | None = None
    methods: Annotated[tuple[Literal["digest-sha256", "digest-md5", "basic"], ...], Meta(min_length=1)] = (
        "digest-sha256",
        "digest-md5",
    )
    max_body: Annotated[int, Meta(ge=1024, description="bytes of a request's body")] = 262_144
    max_clients: Count = 256
    request_timeout: Positive = 30.0
    send_timeout: Positive = 20.0
    header_timeout: Positive = 15.0
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 20
    nonce_life: Annotated[float, Meta(gt=0, description="seconds that a Digest nonce is good for")] = 300.0
