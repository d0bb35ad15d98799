"""Who really calls when a proxy stands in front: the X-Forwarded fields, believed of named proxies alone.

``caller`` is pure. The address is the last one that no trusted proxy vouches for, so what a client writes into the
field itself counts for nothing. May import aiohttp only.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Network: TypeAlias = IPv4Network | IPv6Network
MAX_FIELD = 1024
"""Characters of X-Forwarded-For that are looked at, from its end."""


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as configured ("10.0.0.1", "10.0.0.0/8"). Raises ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def trusted(address: str, proxies: Sequence[Network]) -> bool:
    """Whether ``address`` is a proxy's; False for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)


def caller(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The caller's address. ``peer``: of the connection; ``forwarded``: X-Forwarded-For, fields joined by commas."""
    if not trusted(peer, proxies):
        return peer
    found = peer
    for entry in reversed(forwarded[-MAX_FIELD:].split(",")):
        address = _bare(entry.strip())
        if address is None:
            break
        found = address
        if not trusted(address, proxies):
            break
    return found


def _bare(entry: str) -> str | None:
    """The address of an entry, which may have a port; None when it has none."""
    text = entry.partition("]")[0].removeprefix("[") if entry.startswith("[") else entry
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def behind(proxies: Sequence[Network]) -> Middleware:
    """A middleware that gives handlers the caller's address and scheme in the place of the proxy's."""

    @web.middleware
    async def forwarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = request.remote or ""
        if not trusted(peer, proxies):
            return await handler(request)
        addresses = ",".join(request.headers.getall("X-Forwarded-For", []))
        scheme = request.headers.get("X-Forwarded-Proto", request.scheme).strip().lower()
        if scheme not in ("http", "https"):
            scheme = request.scheme
        return await handler(request.clone(remote=caller(peer, addresses, proxies), scheme=scheme))

    return forwarded
