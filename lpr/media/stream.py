"""What a server gets to send: one track's RTP packets, made once a frame and shared by all who watch.

A ``MediaStream`` is one track (pictures, sound or metadata) with one SSRC and one run of sequence numbers for all its
viewers. It starts with its first viewer and stops some time after the last. Viewers take frames in one of two ways:

- ``attach(receive, ended)``: ``receive(packets)`` is called on the event loop for each frame: with hundreds of viewers
  that is a small part of what waking a task for each would cost. The viewer watches over its own buffer, and calls
  ``skip`` when it is full: nothing comes then up to the next key frame.
- ``async with stream.subscribe() as frames: async for packets in frames``: a bounded queue; when it is full, what waits
  is thrown away and it goes on with the next key frame.

All methods belong to the event loop's thread. May import this room, ``lpr.core``, ``lpr.protocols``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias

from lpr.core.clock import Clock
from lpr.core.wake import Waiter, running_loop
from lpr.events import Micros
from lpr.protocols.rtp.packet import encode_frame

TrackKind: TypeAlias = Literal["video", "audio", "metadata"]

QUEUE_BYTES = 2_097_152
"""What may wait in one subscription, bytes of RTP."""
MOST_CHANNELS = 8
"""Interleaved channels whose bytes are kept with a frame; a viewer on another one has them made for itself."""


class MediaUnavailable(Exception):
    """There is no such track now. The text says why and, where something helps, what."""


@dataclass(frozen=True, slots=True)
class Track:
    """What a viewer must know of a stream before the first packet.

    ``codec``: as in rtpmap ("H264", "H265", "JPEG", "PCMU", "MPEG4-GENERIC", "vnd.onvif.metadata"). ``sdp``: the lines
    of its media description, ``m=`` first (port 0), without ``a=control`` and a direction, which are the server's.
    ``clock_rate``: of RTP timestamps, Hz. ``width``, ``height``: pixels, video alone. ``rate``: frames a second at
    most, 0 unknown.
    """

    kind: TrackKind
    codec: str
    payload_type: int
    clock_rate: int
    sdp: tuple[str, ...]
    width: int = 0
    height: int = 0
    rate: float = 0.0


class Packets:
    """One frame (an access unit, a piece of sound, an XML document) as RTP packets, shared by all viewers.

    ``rtp``: the packets without interleaving header. ``key``: a viewer may begin here. ``size``: bytes of ``rtp``
    together. ``at``: when it was taken, µs of the wall clock; of a film that is not played as fast as it was taken,
    when it came. ``timestamp``: of RTP, u32, the same moment.
    """

    __slots__ = ("_interleaved", "at", "key", "rtp", "size", "timestamp")

    def __init__(self, rtp: tuple[bytes, ...], key: bool, at: Micros, timestamp: int) -> None:
        self.rtp = rtp
        self.key = key
        self.at = at
        self.timestamp = timestamp
        self.size = sum(map(len, rtp))
        self._interleaved: dict[int, bytes] = {}

    def interleaved(self, channel: int) -> bytes:
        """All packets with the header of RFC 2326 10.12 (``$``, channel, length), one object for all on ``channel``."""
        found = self._interleaved.get(channel)
        if found is None:
            head = b"$" + channel.to_bytes(1)
            found = b"".join(part for one in self.rtp for part in (head, len(one).to_bytes(2), one))
            if len(self._interleaved) < MOST_CHANNELS:
                self._interleaved[channel] = found
        return found


Receive: TypeAlias = Callable[[Packets], None]
Ended: TypeAlias = Callable[[str], None]
"""Called once when the stream can't go on; the text is for people."""


class Attachment:
    """One viewer of a stream. ``frames``: handed over; ``skipped``: left out, because it waits for a key frame."""

    __slots__ = ("_ended", "_receive", "_stream", "_waiting", "frames", "skipped")

    def __init__(self, stream: MediaStream, receive: Receive, ended: Ended | None) -> None:
        self._stream: MediaStream | None = stream
        self._receive = receive
        self._ended = ended
        self._waiting = True
        self.frames = 0
        self.skipped = 0

    def skip(self) -> None:
        """Leave out everything up to the next key frame, and ask for one."""
        self._waiting = True
        if self._stream is not None:
            self._stream.request_key_frame()

    def close(self) -> None:
        """Nothing more comes; may be called more than once, and from ``receive``."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.detach(self)

    def take(self, packets: Packets) -> None:
        """For the stream: a frame."""
        if self._stream is None:
            return
        if self._waiting and not packets.key:
            self.skipped += 1
            return
        self._waiting = False
        self.frames += 1
        self._receive(packets)

    def end(self, reason: str) -> None:
        """For the stream: it can't go on."""
        self._stream = None
        if self._ended is not None:
            self._ended(reason)


class MediaStream:
    """One track. What makes the frames is a subclass, which overrides ``track``, ``started``, ``stopped`` and
    ``request_key_frame`` and calls ``deliver``."""

    def __init__(self, name: str, clock: Clock, payload_type: int, clock_rate: int) -> None:
        self.name = name
        self.clock = clock
        self.payload_type = payload_type
        self.clock_rate = clock_rate
        chance = clock.random_bytes(10)
        self.ssrc = int.from_bytes(chance[:4])
        self._offset = int.from_bytes(chance[4:8])
        self._sequence = int.from_bytes(chance[8:])
        self._viewers: dict[Attachment, None] = {}

    # --- what a server calls --------------------------------------------------------------------------

    async def track(self) -> Track:
        """What the track is. Raises MediaUnavailable."""
        raise MediaUnavailable(f"{self.name} has nothing to offer")

    def attach(self, receive: Receive, ended: Ended | None = None) -> Attachment:
        """Begin to watch: ``receive`` gets every frame from the next key frame on (one is asked for)."""
        viewer = Attachment(self, receive, ended)
        self._viewers[viewer] = None
        if len(self._viewers) == 1:
            self.started()
        self.request_key_frame()
        return viewer

    def subscribe(self, limit: int = QUEUE_BYTES) -> Subscription:
        """Begin to watch as an asynchronous iterator, to be entered with ``async with``. ``limit``: bytes waiting."""
        return Subscription(self, limit)

    def request_key_frame(self) -> None:
        """Have a key frame come soon; for metadata a synchronization point. How often is bounded."""

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @property
    def next_sequence(self) -> int:
        """The sequence number that the next packet will bear (for RTP-Info)."""
        return self._sequence

    def timestamp(self, mono: Micros) -> int:
        """The RTP timestamp (u32) of a time of ``clock.mono``: for RTP-Info and sender reports."""
        return (self._offset + mono * self.clock_rate // 1_000_000) & 0xFFFFFFFF

    # --- what makes the frames ------------------------------------------------------------------------

    def started(self) -> None:
        """The first viewer has come."""

    def stopped(self) -> None:
        """The last viewer has gone."""

    def detach(self, viewer: Attachment) -> None:
        """For ``Attachment.close``."""
        if self._viewers.pop(viewer, self) is None and not self._viewers:
            self.stopped()

    def deliver(
        self, payloads: Sequence[bytes], *, key: bool, at: Micros, timestamp: int, marker: bool = True
    ) -> Packets:
        """One frame for all viewers. ``timestamp``: as ``timestamp`` gives it."""
        rtp = encode_frame(payloads, self.payload_type, self._sequence, timestamp, self.ssrc, marker=marker)
        self._sequence = (self._sequence + len(rtp)) & 0xFFFF
        packets = Packets(rtp, key, at, timestamp)
        for viewer in tuple(self._viewers):
            viewer.take(packets)
        return packets

    def fail(self, reason: str) -> None:
        """It can't go on: every viewer is told and is one no more."""
        viewers, self._viewers = tuple(self._viewers), {}
        for viewer in viewers:
            viewer.end(reason)
        if viewers:
            self.stopped()


class Subscription:
    """An iterator over the frames of a stream, from the next key frame on. ``dropped``: frames left out so far.

    Ends when it is left; raises MediaUnavailable when the stream can't go on. For one task.
    """

    def __init__(self, stream: MediaStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._frames: deque[Packets] = deque()
        self._size = 0
        self._dropped = 0
        self._reason: str | None = None
        self._waiter: Waiter | None = None
        self._viewer: Attachment | None = None

    @property
    def dropped(self) -> int:
        return self._dropped + (self._viewer.skipped if self._viewer is not None else 0)

    async def __aenter__(self) -> Self:
        self._viewer = self._stream.attach(self._take, self._end)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._viewer is not None:
            self._viewer.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Packets:
        while not self._frames:
            if self._reason is not None:
                raise MediaUnavailable(self._reason)
            self._waiter = running_loop().waiter()
            await self._waiter
        packets = self._frames.popleft()
        self._size -= packets.size
        return packets

    def _take(self, packets: Packets) -> None:
        if self._frames and self._size + packets.size > self._limit:
            self._dropped += len(self._frames)
            self._frames.clear()
            self._size = 0
            if not packets.key:
                self._dropped += 1
                if self._viewer is not None:
                    self._viewer.skip()
                return
        self._frames.append(packets)
        self._size += packets.size
        self._wake()

    def _end(self, reason: str) -> None:
        self._reason = reason
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            running_loop().wake(waiter)
