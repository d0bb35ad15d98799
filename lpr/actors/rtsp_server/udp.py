"""The pair of UDP sockets from which pictures go out, shared by all viewers of one address; receiver reports come in.

What arrives at the RTP socket is the junk with which clients open their routers' ways back; it is never read. A burst
of packets of one frame goes out at once; what a socket's buffer does not take is lost, as UDP may lose it anyway.

May import ``lpr.core`` and anyio.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import TypeAlias

import anyio
import anyio.lowlevel

from lpr.core.sockets import ListenError

Peer: TypeAlias = "tuple[str, int] | tuple[str, int, int, int]"

TRIES = 64
"""Pairs tried before a free one is given up."""
SEND_BUFFER = 4 * 1024 * 1024
RECEIVE_BUFFER = 65536
MAX_REPORT = 2048
BURST = 64
"""Reports read in a row before others have their turn."""


def at_port(peer: Peer, port: int) -> Peer:
    """Another port of the same machine."""
    return (peer[0], port) if len(peer) == 2 else (peer[0], port, peer[2], peer[3])


class UdpPair:
    """``ports``: of RTP and RTCP. ``lost``: packets that the system did not take."""

    def __init__(self, rtp: socket.socket, rtcp: socket.socket) -> None:
        self._rtp = rtp
        self._rtcp = rtcp
        self.ports: tuple[int, int] = (rtp.getsockname()[1], rtcp.getsockname()[1])
        self.lost = 0

    def send(self, packets: tuple[bytes, ...], peer: Peer) -> None:
        """Packets of one frame to the client's RTP port."""
        sendto = self._rtp.sendto
        for index, packet in enumerate(packets):
            try:
                sendto(packet, peer)
            except OSError:  # no room now, or no way there: the same to a sender of live pictures
                self.lost += len(packets) - index
                return

    def report(self, data: bytes, peer: Peer) -> None:
        """An RTCP packet to the client's RTCP port."""
        try:
            self._rtcp.sendto(data, peer)
        except OSError:
            self.lost += 1

    async def listen(self, heard: Callable[[str, int, bytes], None]) -> None:
        """Until cancelled: ``heard(host, port, data)`` for what comes to the RTCP port."""
        while True:
            await anyio.wait_readable(self._rtcp)
            for _ in range(BURST):
                try:
                    data, peer = self._rtcp.recvfrom(MAX_REPORT)
                except (BlockingIOError, InterruptedError):
                    break
                except OSError:
                    break
                heard(str(peer[0]), int(peer[1]), data)
            await anyio.lowlevel.checkpoint()

    def close(self) -> None:
        """For good."""
        self._rtp.close()
        self._rtcp.close()


def open_pair(server: str, family: int, host: str, port: int) -> UdpPair:
    """An even port and the next one, at ``host``. ``port``: 0 takes any free pair. Raises ListenError."""
    problem = ""
    for _ in range(TRIES if port == 0 else 1):
        rtp = _bound(family, host, port)
        if isinstance(rtp, str):
            problem = rtp
            continue
        even: int = rtp.getsockname()[1] & ~1
        if even != rtp.getsockname()[1]:
            rtp.close()
            rtp = _bound(family, host, even)
            if isinstance(rtp, str):
                problem = rtp
                continue
        rtcp = _bound(family, host, even + 1)
        if isinstance(rtcp, str):
            problem = rtcp
            rtp.close()
            continue
        return UdpPair(rtp, rtcp)
    raise ListenError(
        f"{server}: no pair of UDP ports at {host} from {port or 'any'} on ({problem}); set another even udp_port,"
        " or udp = false"
    )


def _bound(family: int, host: str, port: int) -> socket.socket | str:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6 and sys.platform != "win32":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        return str(error.strerror or error)
    return sock
