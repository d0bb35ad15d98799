"""The pair of UDP sockets from which pictures go out, shared by all viewers of one address; receiver reports come in.

Where the system can cut a large piece into datagrams itself (Linux: UDP_SEGMENT), a burst is one call, which costs a
seventh. What arrives at the RTP socket is the junk with which clients open their routers' ways back; it is never read.
A small frame goes out at once, a large one in bursts, so that a receiver's buffer of common size need not take it
whole. What a socket does not take is lost, as UDP may lose it anyway.

May import ``lpr.core`` and anyio.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import anyio
import anyio.lowlevel

from lpr.core.clock import Clock
from lpr.core.sockets import ListenError

Peer: TypeAlias = "tuple[str, int] | tuple[str, int, int, int]"

TRIES = 64
"""Pairs tried before a free one is given up."""
SEND_BUFFER = 4 * 1024 * 1024
RECEIVE_BUFFER = 65536
MAX_REPORT = 2048
READS = 64
"""Reports read in a row before others have their turn."""
BURST = 64
"""Packets sent to one viewer in a row: 90 kB, under half of what Linux buffers for a receiver."""
PACE = 0.002
"""Seconds between two bursts: 350 Mbit/s to one viewer."""
MAX_WAITING = 4096
"""Packets that wait for one viewer; a frame that would make more is left out."""


MAX_PIECE = 60_000
"""Bytes of one piece; an IP packet ends at 65,535."""

_UDP_SEGMENT = 103
_CANNOT = (errno.EINVAL, errno.EIO, errno.ENOPROTOOPT, errno.EMSGSIZE, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Piece:
    """Packets of one size, of which the last may be shorter, and all of them together."""

    packets: Sequence[bytes]
    data: bytes


def cut(packets: Sequence[bytes]) -> tuple[Piece, ...]:
    """The packets in their order, as pieces of at most ``MAX_PIECE`` bytes and ``BURST`` packets."""
    found: list[Piece] = []
    start = 0
    for index, packet in enumerate(packets):
        first, count = len(packets[start]), index - start
        ended = count > 0 and (len(packets[index - 1]) < first or len(packet) > first)
        if ended or count >= BURST or (count + 1) * first > MAX_PIECE:
            found.append(_piece(packets[start:index]))
            start = index
    if packets:
        found.append(_piece(packets[start:]))
    return tuple(piece for piece in found if piece.packets)


def _piece(packets: Sequence[bytes]) -> Piece:
    return Piece(packets, packets[0] if len(packets) == 1 else b"".join(packets))


def at_port(peer: Peer, port: int) -> Peer:
    """Another port of the same machine."""
    return (peer[0], port) if len(peer) == 2 else (peer[0], port, peer[2], peer[3])


class UdpPair:
    """``ports``: of RTP and RTCP. ``rtp``: the socket that frames leave by; ``segments``: whether the system cuts
    pieces for it. ``lost``: packets that were not sent."""

    def __init__(self, rtp: socket.socket, rtcp: socket.socket, clock: Clock) -> None:
        self.rtp = rtp
        self._rtcp = rtcp
        self._clock = clock
        self._waiting: dict[Peer, deque[bytes]] = {}
        self._something = anyio.Event()
        self.segments = sys.platform == "linux"
        self._cut: tuple[Sequence[bytes], Sequence[Piece]] = ((), ())
        self.ports: tuple[int, int] = (rtp.getsockname()[1], rtcp.getsockname()[1])
        self.lost = 0

    def send(self, packets: tuple[bytes, ...], peer: Peer) -> None:
        """Packets of one frame to the client's RTP port."""
        waiting = self._waiting.get(peer)
        if waiting is None:
            self._burst(packets if len(packets) <= BURST else packets[:BURST], peer)
            if len(packets) > BURST:
                self._waiting[peer] = deque(packets[BURST:])
                self._something.set()
        elif len(waiting) + len(packets) <= MAX_WAITING:
            waiting.extend(packets)
        else:
            self.lost += len(packets)

    async def pump(self) -> None:
        """Until cancelled: send what waits, a burst each turn."""
        while True:
            if not self._waiting:
                self._something = anyio.Event()
                await self._something.wait()
            await self._clock.sleep(PACE)
            for peer, waiting in tuple(self._waiting.items()):
                self._burst([waiting.popleft() for _ in range(min(BURST, len(waiting)))], peer)
                if not waiting:
                    del self._waiting[peer]

    def forget(self, peer: Peer) -> None:
        """Nothing that waits for this viewer is sent any more."""
        self._waiting.pop(peer, None)

    def _burst(self, packets: Sequence[bytes], peer: Peer) -> None:
        left = len(packets)
        try:
            if self.segments:
                for piece in self._pieces(packets):
                    self._send_piece(piece, peer)
                    left -= len(piece.packets)
            else:
                for packet in packets:
                    self.rtp.sendto(packet, peer)
                    left -= 1
        except OSError:  # no room now, or no way there: the same to a sender of live pictures
            self.lost += left

    def _pieces(self, packets: Sequence[bytes]) -> Sequence[Piece]:
        """The packets as pieces; the last frame's are kept, since every viewer gets the same."""
        kept, pieces = self._cut
        if kept is not packets:
            pieces = cut(packets)
            self._cut = packets, pieces
        return pieces

    def _send_piece(self, piece: Piece, peer: Peer) -> None:
        """Raises OSError."""
        if len(piece.packets) == 1:
            self.rtp.sendto(piece.data, peer)
            return
        size = struct.pack("H", len(piece.packets[0]))
        try:
            self.rtp.sendmsg([piece.data], [(socket.IPPROTO_UDP, _UDP_SEGMENT, size)], 0, peer)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self.segments = False  # the system, the card or the way there can't: packet by packet from now on
            for packet in piece.packets:
                self.rtp.sendto(packet, peer)

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
            for _ in range(READS):
                try:
                    data, peer = self._rtcp.recvfrom(MAX_REPORT)
                except OSError:  # nothing more for now
                    break
                heard(str(peer[0]), int(peer[1]), data)
            await anyio.lowlevel.checkpoint()

    def close(self) -> None:
        """For good."""
        self.rtp.close()
        self._rtcp.close()


def open_pair(server: str, family: int, host: str, port: int, clock: Clock) -> UdpPair:
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
        return UdpPair(rtp, rtcp, clock)
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
