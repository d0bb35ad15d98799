"""The REST API and the pages. May import this room."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lpr.config.base import Count, Port, Positive, Section, Tls


class Web(Section, frozen=True, kw_only=True):
    """REST API and pages. On an address other than loopback, use TLS or a proxy that does."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8080
    tls: Tls | None = None
    proxies: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...],
        Meta(max_length=32, description="addresses or networks of proxies whose X-Forwarded fields are believed"),
    ] = ()
    session_hours: Positive = 12.0
    max_body: Annotated[int, Meta(ge=1024)] = 65536
    max_clients: Count = 256
    request_timeout: Positive = 30.0
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 10
    live_rate: Annotated[float, Meta(gt=0, le=30, description="pictures a second of the live view")] = 6.0
    live_width: Annotated[int, Meta(ge=160, le=4096)] = 960
