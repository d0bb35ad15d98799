"""A session that is watched: its tracks joined to their relays, its frames sent through the connection or by UDP.

May import ``lpr.events``, ``lpr.core``, ``lpr.media`` and ``lpr.protocols``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from lpr.actors.rtsp_server.outgoing import Outgoing
from lpr.actors.rtsp_server.relay import Leg, Relay
from lpr.actors.rtsp_server.udp import Peer, UdpPair, at_port
from lpr.media.source import Presentation
from lpr.media.stream import MediaStream, Packets
from lpr.protocols.rtp.packet import HEADER
from lpr.protocols.rtsp import Channels, Choice, Ports, Session, encode_interleaved

VIDEO, AUDIO, METADATA = 0, 1, 2
"""Numbers of the tracks, whichever of them a stream has: one that goes away meanwhile moves no other."""


def tracks_of(presentation: Presentation) -> dict[int, MediaStream]:
    """The tracks of a stream by their numbers."""
    streams = {VIDEO: presentation.video, AUDIO: presentation.audio, METADATA: presentation.metadata}
    return {number: stream for number, stream in streams.items() if stream is not None}


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a session's packets go. ``outgoing``: of its connection; ``lost``: called when that is gone;
    ``udp``, ``peer``: for packets by UDP, None where there is none."""

    outgoing: Outgoing
    lost: Callable[[OSError], None]
    udp: UdpPair | None
    peer: Peer


class Viewer:
    """One session. ``tracks``: of its stream, by number. ``sent``: frames. ``ended``: called with the reason when the
    stream can't go on."""

    def __init__(
        self,
        session: Session,
        tracks: Mapping[int, MediaStream],
        outlet: Outlet,
        relay: Callable[[MediaStream], Relay],
        ended: Callable[[Viewer, str], None],
    ) -> None:
        self.session = session
        self.tracks = tracks
        self.outlet = outlet
        self.sent = 0
        self.watched = False
        self.failed = ""
        self._relay = relay
        self._ended = ended
        self._legs: dict[int, _Leg] = {}
        self._first = anyio.Event()
        self._held = False

    @property
    def channels(self) -> set[int]:
        """Interleaved channels that it uses."""
        return {
            channel
            for choice in self.session.tracks.values()
            if isinstance(choice, Channels)
            for channel in (choice.rtp, choice.rtcp)
        }

    async def play(self, wait: float) -> None:
        """Join every track; returns with the first frame of the pictures, or after ``wait`` seconds. Frames wait for
        ``release``, so that the answer to PLAY goes before them."""
        self._first = anyio.Event()
        self._held = True
        if self.session.interleaved:
            self.outlet.outgoing.hold()
        for number, choice in self.session.tracks.items():
            leg = self._legs[number] = _leg(self, number, choice)
            self._relay(self.tracks[number]).join(leg)
        if VIDEO in self._legs and not self.failed:
            with anyio.move_on_after(wait):
                await self._first.wait()

    def release(self) -> None:
        """Let the frames go."""
        self._held = False
        if self.session.interleaved:
            self._guarded(self.outlet.outgoing.release)
        for leg in self._legs.values():
            leg.release()

    def stop(self) -> None:
        """Leave every track."""
        for number, leg in self._legs.items():
            self._relay(self.tracks[number]).leave(leg)
            leg.stop()
        self._legs.clear()
        if self._held:
            self.release()

    def farewell(self) -> None:
        """Say by RTCP that the tracks end: for viewers by UDP, who see no connection close."""
        for number, leg in self._legs.items():
            data = self._relay(self.tracks[number]).farewell()
            if data and isinstance(leg, _UdpLeg):
                leg.report(data)

    def drained(self) -> None:
        """The connection has room again: whoever waits for a key frame gets one soon."""
        for number, leg in self._legs.items():
            if leg.waiting:
                self._relay(self.tracks[number]).stream.request_key_frame()

    def start_of(self, number: int, mono: int) -> tuple[int, int]:
        """Sequence number and RTP time with which a track begins, for RTP-Info. ``mono``: the time now."""
        leg = self._legs.get(number)
        if leg is not None and leg.first is not None:
            return leg.first
        stream = self._relay(self.tracks[number]).stream
        return stream.next_sequence, stream.timestamp(mono)

    # --- for the legs ----------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether the answer to PLAY is still to come."""
        return self._held

    def began(self, number: int) -> None:
        """A track has its first frame."""
        if number == VIDEO:
            self._first.set()

    def fail(self, reason: str) -> None:
        """A track can't go on."""
        if not self.failed:
            self.failed = reason
            self._first.set()
            self._ended(self, reason)

    def interleave(self, data: bytes) -> bool:
        """Through the connection; False when it was left out."""
        try:
            return self.outlet.outgoing.frame(data)
        except OSError as error:
            self.outlet.lost(error)
            return True

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except OSError as error:
            self.outlet.lost(error)


class _Leg(Leg):
    """What all legs have. ``first``: sequence number and RTP time of the first frame."""

    def __init__(self, viewer: Viewer, number: int) -> None:
        super().__init__()
        self.viewer = viewer
        self._number = number
        self.first: tuple[int, int] | None = None

    def note_first(self, packets: Packets) -> None:
        """The first frame has come."""
        sequence: int = HEADER.unpack_from(packets.rtp[0])[2]
        self.first = sequence, packets.timestamp
        self.viewer.began(self._number)

    def release(self) -> None:
        """PLAY was answered."""

    def stop(self) -> None:
        """It was left."""

    def ended(self, reason: str) -> None:
        self.viewer.fail(reason)


class _ChannelLeg(_Leg):
    def __init__(self, viewer: Viewer, number: int, channels: Channels) -> None:
        super().__init__(viewer, number)
        self._rtp = channels.rtp
        self._rtcp = channels.rtcp

    def send(self, packets: Packets) -> None:
        if self.first is None:
            self.note_first(packets)
        self.viewer.sent += 1
        if not self.viewer.interleave(packets.interleaved(self._rtp)):
            self.waiting = True

    def report(self, data: bytes) -> None:
        self.viewer.interleave(encode_interleaved(self._rtcp, data))


class _UdpLeg(_Leg):
    def __init__(self, viewer: Viewer, number: int, ports: Ports) -> None:
        super().__init__(viewer, number)
        self._rtp = at_port(viewer.outlet.peer, ports.rtp)
        self._rtcp = at_port(viewer.outlet.peer, ports.rtcp)
        self._kept: list[Packets] = []

    def send(self, packets: Packets) -> None:
        if self.first is None:
            self.note_first(packets)
        self.viewer.sent += 1
        if self.viewer.held:
            self._kept.append(packets)
        elif self.viewer.outlet.udp is not None:
            self.viewer.outlet.udp.send(packets.rtp, self._rtp)

    def report(self, data: bytes) -> None:
        if self.viewer.outlet.udp is not None:
            self.viewer.outlet.udp.report(data, self._rtcp)

    def stop(self) -> None:
        if self.viewer.outlet.udp is not None:
            self.viewer.outlet.udp.forget(self._rtp)

    def release(self) -> None:
        kept, self._kept = self._kept, []
        for packets in kept:
            if self.viewer.outlet.udp is not None:
                self.viewer.outlet.udp.send(packets.rtp, self._rtp)


def _leg(viewer: Viewer, number: int, choice: Choice) -> _Leg:
    if isinstance(choice, Channels):
        return _ChannelLeg(viewer, number, choice)
    return _UdpLeg(viewer, number, choice)
