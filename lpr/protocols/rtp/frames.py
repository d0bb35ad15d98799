"""What a receiver makes of packets: frames again, with what was lost said. The base of every format's unpacker.

A frame ends with the packet that bears the marker, or where the next timestamp begins (its end was lost then, or the
sender sets no markers). Memory is bounded: a frame over ``limit`` bytes is given up and named as lost.

May import this room.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from lpr.protocols.rtp.packet import RtpError, RtpPacket

MAX_FRAME = 8_388_608
"""The most bytes of one frame that a receiver keeps."""


@dataclass(frozen=True, slots=True)
class RtpFrame:
    """One frame as it arrived. ``parts``: NAL units (H.264, H.265) or access units (AAC); of other formats one.

    ``timestamp``: of RTP, u32. ``damaged``: packets of it were lost or wrong; ``parts`` are what is whole.
    ``marked``: the marker said that it was whole.
    """

    timestamp: int
    parts: tuple[bytes, ...]
    damaged: bool = False
    marked: bool = True


class Unpacker(ABC):
    """Packets of one SSRC, in order of their sequence numbers, to frames. ``limit``: bytes of one frame."""

    single = False
    """Every packet is a frame of its own, whatever its marker says."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self.limit = limit
        self.problem = ""
        self._parts: list[bytes] = []
        self._pending: list[bytes] = []
        self._size = 0
        self._timestamp: int | None = None
        self._damaged = False
        self._last: int | None = None

    def add(self, packet: RtpPacket) -> list[RtpFrame]:
        """Take a packet: the frames that it completes, at most two. Never raises: what is wrong with a payload makes
        its frame ``damaged``, and ``problem`` says it. A packet that comes twice or late is passed over."""
        step = 1 if self._last is None else (packet.sequence - self._last) & 0xFFFF
        if step == 0 or step >= 0x8000:
            return []
        self._last = packet.sequence
        gap = "" if step == 1 else f"{step - 1} packets were lost before {packet.sequence}"
        done: list[RtpFrame] = []
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            if gap:
                self._lose(gap)
            done += self._finish(False)
        if gap:
            self._lose(gap)
        self._timestamp = packet.timestamp
        self._size += len(packet.payload)
        if self._size > self.limit:
            self._lose(f"a frame is longer than {self.limit} bytes")
            self._parts.clear()
        else:
            try:
                self._take(packet.payload)
            except RtpError as error:
                self._lose(str(error))
        if packet.marker or self.single:
            done += self._finish(True)
        return done

    @abstractmethod
    def _take(self, payload: bytes) -> None:
        """Sort a payload into ``_parts`` (whole) and ``_pending`` (begun). Raises RtpError."""

    def _complete(self) -> None:
        """At a frame's end: what is pending may be whole by that. As delivered a begun part is lost."""
        if self._pending:
            self._lose("a fragment has no end")

    def _lose(self, problem: str) -> None:
        if not self._damaged:
            self.problem = problem
        self._damaged = True
        self._pending.clear()

    def _finish(self, marked: bool) -> list[RtpFrame]:
        self._complete()
        timestamp = self._timestamp or 0
        found = RtpFrame(timestamp, tuple(self._parts), self._damaged, marked)
        empty = not self._parts and not self._damaged
        self._parts.clear()
        self._pending.clear()
        self._size, self._damaged, self._timestamp = 0, False, None
        return [] if empty else [found]
