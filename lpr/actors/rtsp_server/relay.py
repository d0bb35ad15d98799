"""One track on its way to all its viewers: each frame is handed over once, with the sender reports between frames.

May import ``lpr.events``, ``lpr.core``, ``lpr.media`` and ``lpr.protocols``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from lpr.core.clock import SECOND, Clock
from lpr.events import Micros
from lpr.media.stream import Attachment, MediaStream, Packets
from lpr.protocols.rtp.packet import HEADER
from lpr.protocols.rtp.rtcp import Description, Goodbye, SenderReport, encode, ntp_time


class Leg(ABC):
    """One viewer's share of a track. ``waiting``: it goes on with the next key frame."""

    def __init__(self) -> None:
        self.waiting = True

    @abstractmethod
    def send(self, packets: Packets) -> None:
        """A frame. Must not raise."""

    @abstractmethod
    def report(self, data: bytes) -> None:
        """A compound RTCP packet. Must not raise."""

    @abstractmethod
    def ended(self, reason: str) -> None:
        """The stream can't go on. ``reason``: for people."""


class Relay:
    """``every``: seconds between two sender reports. ``cname``: of this device in them (RFC 3550, 6.5.1)."""

    def __init__(self, stream: MediaStream, clock: Clock, *, every: float, cname: str) -> None:
        self.stream = stream
        self._clock = clock
        self._every = round(every * SECOND)
        self._cname = cname
        self._legs: dict[Leg, None] = {}
        self._attachment: Attachment | None = None
        self._packets = 0
        self._octets = 0
        self._due = 0
        self._last: tuple[Micros, int] | None = None

    @property
    def viewers(self) -> int:
        """Legs that are joined."""
        return len(self._legs)

    def join(self, leg: Leg) -> None:
        """From the next key frame on; one is asked for."""
        leg.waiting = True
        self._legs[leg] = None
        if self._attachment is None:
            self._attachment = self.stream.attach(self._receive, self._ended)
        else:
            self.stream.request_key_frame()

    def leave(self, leg: Leg) -> None:
        """Nothing more. A second call does nothing."""
        self._legs.pop(leg, None)
        if not self._legs and self._attachment is not None:
            attachment, self._attachment = self._attachment, None
            attachment.close()

    def farewell(self) -> bytes:
        """The RTCP packet with which the track ends; b"" before its first frame."""
        if self._last is None:
            return b""
        ssrc = self.stream.ssrc
        return encode((self._sender(*self._last), Description(ssrc, self._cname), Goodbye((ssrc,))))

    def _receive(self, packets: Packets) -> None:
        now = self._clock.mono()
        report: bytes | None = None
        due = now >= self._due
        if due:
            self._due = now + self._every
        for leg in tuple(self._legs):
            if leg.waiting and not packets.key:
                continue
            if leg.waiting or due:
                leg.waiting = False
                if report is None:
                    report = self._report(packets)
                leg.report(report)
            leg.send(packets)
        self._last = packets.at, packets.timestamp
        self._packets += len(packets.rtp)
        self._octets += packets.size - HEADER.size * len(packets.rtp)

    def _sender(self, at: Micros, timestamp: int) -> SenderReport:
        packets, octets = self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF
        return SenderReport(self.stream.ssrc, ntp_time(at), timestamp, packets, octets)

    def _report(self, packets: Packets) -> bytes:
        return encode((self._sender(packets.at, packets.timestamp), Description(self.stream.ssrc, self._cname)))

    def _ended(self, reason: str) -> None:
        self._attachment = None
        legs, self._legs = tuple(self._legs), {}
        for leg in legs:
            leg.ended(reason)
