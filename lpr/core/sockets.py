"""Sockets of the server: listening, accepting, and what the kernel knows of a connection. Thin; no decisions.

May import the standard library and anyio.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Protocol, cast

import anyio


class ListenError(Exception):
    """The server can't listen. The text names host, port and remedy."""


async def listen(server: str, host: str, port: int, backlog: int) -> Sequence[socket.socket]:
    """Non-blocking listening sockets for every address of ``host``; port 0 takes the same free one for all.

    Raises ListenError.
    """
    where = f"{host}:{port}"
    try:
        found = await anyio.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(f'{server}: no such address to listen at: "{host}" ({error}); correct host') from None
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in found:
            bound = (address[0], sockets[0].getsockname()[1] if sockets else port, *address[2:])
            sock = socket.socket(family, kind, protocol)
            sockets.append(sock)
            if sys.platform != "win32":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setblocking(False)
            sock.bind(bound)
            sock.listen(backlog)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise ListenError(f"{server}: cannot listen at {where}: {_remedy(error)}") from None
    return sockets


def prepare(sock: socket.socket, buffer: int) -> None:
    """Options of an accepted connection. ``buffer``: bytes that may wait for it in the kernel, its overhead counted."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, max(buffer // 2, 4096))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def unacknowledged(sock: socket.socket) -> int:
    """Bytes written to ``sock`` that the other machine has not acknowledged. 0 where the system can't tell."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        answer = _ioctl(sock.fileno(), _SIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int(struct.unpack("i", answer)[0])


def out_of_handles(error: OSError) -> bool:
    """Whether accepting failed for lack of file handles or memory, so that trying at once again would spin."""
    return error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def shown(sock: socket.socket) -> str:
    """The address that ``sock`` is bound to, as host:port."""
    host, port = cast("tuple[str, int]", sock.getsockname()[:2])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program uses this port; end it or set another port"
    if error.errno == errno.EACCES:
        return "ports under 1024 need a privilege; set a higher port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; set host to one of its own, or to 0.0.0.0 for all"
    return f"{error.strerror or error}; set another host or port"


class _Ioctl(Protocol):
    def __call__(self, fd: int, request: int, arg: bytes, /) -> bytes: ...


_SIOCOUTQ = 0x5411
if sys.platform.startswith("linux"):
    import fcntl

    _ioctl: _Ioctl = fcntl.ioctl
