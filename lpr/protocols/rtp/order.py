"""A receiver's account of one sender: what was lost, the jitter, and the receiver report (RFC 3550, A.3 and A.8).

Sans-IO: arrival times are handed in. May import this room.
"""

from __future__ import annotations

from lpr.protocols.rtp.packet import RtpPacket
from lpr.protocols.rtp.rtcp import ReportBlock, SenderReport


class Reception:
    """One SSRC. ``clock_rate``: of its timestamps, Hz. Times are µs of a monotonic clock."""

    def __init__(self, clock_rate: int) -> None:
        self.clock_rate = clock_rate
        self.ssrc: int = 0
        self.received = 0
        self._base = 0
        self._highest = 0
        self._transit: int | None = None
        self._jitter = 0.0
        self._before = (0, 0)
        self._report: tuple[int, int] | None = None

    @property
    def lost(self) -> int:
        """Packets lost since the start; negative when some came twice."""
        return self._highest - self._base + 1 - self.received if self.received else 0

    @property
    def jitter(self) -> float:
        """Seconds."""
        return self._jitter / self.clock_rate

    def packet(self, packet: RtpPacket, now: int) -> None:
        """A packet has come. Another SSRC, or a sequence number far off, begins the account anew."""
        step = (packet.sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000
        if not self.received or packet.ssrc != self.ssrc or abs(step) > 3000:
            self.ssrc, self.received, self._before = packet.ssrc, 0, (0, 0)
            self._base = self._highest = packet.sequence
            self._transit, self._jitter, step = None, 0.0, 0
        self.received += 1
        self._highest += max(0, step)
        transit = now * self.clock_rate // 1_000_000 - packet.timestamp
        if self._transit is not None:
            drift = abs((transit - self._transit + (1 << 31) & 0xFFFFFFFF) - (1 << 31))
            self._jitter += (drift - self._jitter) / 16
        self._transit = transit

    def sender_report(self, report: SenderReport, now: int) -> None:
        """A sender report has come."""
        self._report = report.ntp >> 16 & 0xFFFFFFFF, now

    def block(self, now: int) -> ReportBlock:
        """What to report now; the fraction lost counts from the last call on."""
        expected = self._highest - self._base + 1 if self.received else 0
        before_expected, before_received = self._before
        self._before = expected, self.received
        interval = expected - before_expected
        missing = interval - (self.received - before_received)
        fraction = min(255, max(0, (missing << 8) // interval)) if interval > 0 else 0
        total = min(0x7FFFFF, max(-0x800000, expected - self.received))
        last, delay = 0, 0
        if self._report is not None:
            last, delay = self._report[0], (now - self._report[1]) * 65536 // 1_000_000 & 0xFFFFFFFF
        return ReportBlock(self.ssrc, fraction, total, self._highest & 0xFFFFFFFF, round(self._jitter), last, delay)
