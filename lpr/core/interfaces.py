"""This computer's network as its kernel shows it: interfaces, name servers, gateway. Read, never changed.

On Linux from /sys, /proc and one ioctl; elsewhere no interface is known. Imports nothing of ours.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_NET = Path("/sys/class/net")
_ROUTES = Path("/proc/net/route")
_RESOLVERS = Path("/etc/resolv.conf")
_GET_ADDRESS, _GET_NETMASK = 0x8915, 0x891B
MAX_NAME = 15
"""Characters of an interface's name in Linux."""


@dataclass(frozen=True, slots=True)
class Found:
    """A network interface with an IPv4 address. ``hardware``: "02:00:5e:10:00:01" or ""; ``prefix``: bits
    of the net."""

    name: str
    address: str
    prefix: int
    hardware: str = ""
    mtu: int | None = None


class NoInterfaceError(Exception):
    """There is no such interface, or it has no IPv4 address. The text names it and the remedy."""


def interfaces() -> list[Found]:
    """Every interface with an IPv4 address, in the kernel's order."""
    found: list[Found] = []
    for _, name in socket.if_nameindex():
        address = _ask(name, _GET_ADDRESS)
        if address is not None:
            mask = _ask(name, _GET_NETMASK) or "255.255.255.0"
            found.append(
                Found(
                    name,
                    address,
                    ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen,
                    _read(_NET / name / "address"),
                    int(_read(_NET / name / "mtu") or 0) or None,
                )
            )
    return found


def interface(name: str, known: list[Found] | None = None) -> Found:
    """The interface of that name or IPv4 address. Raises NoInterfaceError."""
    there = interfaces() if known is None else known
    for found in there:
        if name in (found.name, found.address):
            return found
    listed = ", ".join(f"{found.name} ({found.address})" for found in there) or "none"
    raise NoInterfaceError(f"there is no network interface {name}; name one of these: {listed}")


def gateway() -> str | None:
    """The IPv4 address of the default gateway."""
    for line in _read(_ROUTES).splitlines()[1:]:
        parts = line.split()
        if len(parts) > 2 and parts[1] == "00000000" and parts[2] != "00000000":
            return socket.inet_ntoa(struct.pack("=I", int(parts[2], 16)))
    return None


def resolvers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(addresses of the name servers, search domains)."""
    servers: list[str] = []
    domains: list[str] = []
    for line in _read(_RESOLVERS).splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1 and _is_address(words[1]):
            servers.append(words[1])
        elif words[:1] == ["search"]:
            domains += words[1:]
    return tuple(servers), tuple(domains)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _ask(name: str, what: int) -> str | None:
    """One IPv4 address of an interface, as the kernel tells it."""
    if sys.platform != "linux":
        return None
    from fcntl import ioctl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            told = ioctl(sock, what, struct.pack("256s", name.encode()[:MAX_NAME]))
        except OSError:
            return None
    return socket.inet_ntoa(told[20:24])
