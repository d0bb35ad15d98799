"""A camera's live picture as a stream: resized, drawn on by choice, encoded once for all, in a thread of its own.

One picture is in work at a time, and the next one taken is the newest: a slow encoder leaves pictures out and builds up
no delay. Where the source stands still its last picture is sent again each second, so that a viewer who joins sees
something and no line falls silent. Timestamps follow the camera's own times as long as these are the wall clock's.

May import this room, ``lpr.config``, ``lpr.core``, ``lpr.vision``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio

from lpr.config import RtspStream
from lpr.core.clock import Clock
from lpr.core.frames import Frame
from lpr.core.live import LiveSnapshot, LiveView
from lpr.core.offload import Offload
from lpr.events import Micros, Reading
from lpr.media.demand import OnDemand
from lpr.media.encoder import fit, open_encoder
from lpr.media.encoding import Codec, Encoded, Encoder, EncoderError, Settings
from lpr.media.marks import Marks, Pace
from lpr.media.stream import MediaUnavailable, Track
from lpr.media.threads import LowThread
from lpr.protocols.rtp import jpeg
from lpr.vision.overlay import drawn

CLOCK_RATE = 90000
PAYLOAD_TYPE = 96
NAMES: dict[Codec, str] = {"h264": "H264", "h265": "H265", "mjpeg": "JPEG"}

FIRST_PICTURE = 5.0
"""Seconds that ``track`` waits for a camera's first picture."""
STILL = 1.0
"""Seconds after which a picture is sent again when none has come."""
KEY_GAP: Micros = 500_000
"""Key frames that viewers ask for are at least so far apart, µs."""
LATEST: Micros = 1_000_000
"""A frame's own time counts while it lies at most so far behind the wall clock, µs."""
TICK: Micros = 12
"""Timestamps grow by at least one tick of 90 kHz."""
USUAL_RATE = 25.0
MOST_SIZES = 8
"""Sizes whose media description is kept."""


@dataclass(frozen=True, slots=True)
class _Picture:
    frame: Frame
    readings: tuple[Reading, ...]


class VideoStream(OnDemand):
    """``offload``: where it encodes; None: a thread with lower priority. ``open_with``: makes its encoders."""

    def __init__(
        self,
        settings: RtspStream,
        codec: Codec,
        view: LiveView,
        clock: Clock,
        *,
        offload: Offload | None = None,
        open_with: Callable[[Settings], Encoder] = open_encoder,
    ) -> None:
        payload_type = jpeg.PAYLOAD_TYPE if codec == "mjpeg" else PAYLOAD_TYPE
        super().__init__(f"stream {settings.name}", clock, payload_type, CLOCK_RATE)
        self.settings = settings
        self.codec: Codec = codec
        self.encoded = 0
        self._view = view
        self._open = open_with
        self._offload = offload or LowThread()
        self._opener = offload or LowThread()
        self._opening = anyio.Lock()
        self._known: dict[Settings, tuple[str, ...]] = {}
        self._key_wanted = False
        self._key_at: Micros | None = None
        self._waiting: anyio.CancelScope | None = None
        self._moment: Micros = -LATEST

    # --- for servers ----------------------------------------------------------------------------------

    async def track(self) -> Track:
        """See MediaStream. Waits for the camera's first picture, since its size is part of the description."""
        with anyio.move_on_after(FIRST_PICTURE):
            while self._picture(self._view.snapshot(), None) is None:
                await self._view.wait_newer(self._view.snapshot().version)
        picture = self._picture(self._view.snapshot(), None)
        if picture is None:
            raise MediaUnavailable(f"camera {self._view.source} has no picture yet")
        wanted = self._wanted(picture.frame)
        async with self._opening:
            if wanted not in self._known:
                try:
                    encoder = await self._opener(partial(self._open, wanted))
                except EncoderError as error:
                    raise MediaUnavailable(str(error)) from error
                self._describe(wanted, encoder)
        return Track(
            kind="video",
            codec=NAMES[self.codec],
            payload_type=self.payload_type,
            clock_rate=CLOCK_RATE,
            sdp=self._known[wanted],
            width=wanted.width,
            height=wanted.height,
            rate=wanted.rate,
        )

    def request_key_frame(self) -> None:
        """See MediaStream; at most one in ``KEY_GAP``."""
        self._key_wanted = True
        if self._waiting is not None:
            self._waiting.cancel()

    def configure(self, settings: RtspStream) -> None:
        """Other sizes, rates or boxes from the next picture on, for all viewers. The codec stays."""
        self.settings = settings
        self.request_key_frame()

    # --- the work -------------------------------------------------------------------------------------

    async def produce(self) -> None:
        """See OnDemand."""
        encoder: Encoder | None = None
        opened: Settings | None = None
        marks, pace, paced = Marks(), Pace(self.settings.rate), self.settings.rate
        shown: Frame | None = None
        version, sent_at = -1, self.clock.mono()
        self._key_at = None
        while True:
            snapshot = await self._next(version)
            version = snapshot.version
            if self.settings.rate != paced:
                pace, paced = Pace(self.settings.rate), self.settings.rate
            picture, now = self._picture(snapshot, marks), self.clock.mono()
            if picture is None:
                continue
            wanted = self._wanted(picture.frame)
            key = encoder is None or opened != wanted or self._key_due(now)
            again = picture.frame is shown
            if not key and (now - sent_at < STILL * 1e6 if again else not pace.take(now)):
                continue
            self._key_wanted = False if key else self._key_wanted
            before = encoder if opened == wanted else None
            try:
                encoder, encoded = await self._offload(partial(self._encode, before, wanted, picture, key))
            except EncoderError as error:
                raise MediaUnavailable(str(error)) from error
            if opened != wanted:
                self._describe(wanted, encoder)
            opened, shown, sent_at = wanted, picture.frame, now
            if encoded is not None:
                self._send(encoded, picture.frame, now, again)

    async def _next(self, version: int) -> LiveSnapshot:
        """The newest picture: once there is a newer one than ``version``, a key frame is due, or ``STILL`` is over."""
        now, wait = self.clock.mono(), STILL
        if self._key_wanted:
            wait = 0.0 if self._key_at is None else max(0.0, (self._key_at + KEY_GAP - now) / 1e6)
        if wait and self._view.snapshot().version <= version:
            with anyio.move_on_after(wait) as self._waiting:
                await self._view.wait_newer(version)
            self._waiting = None
        elif self._view.snapshot().frame is None:
            await self._view.wait_newer(version)
        return self._view.snapshot()

    def _key_due(self, now: Micros) -> bool:
        if self._key_at is None:
            return True
        since = now - self._key_at
        return since >= self.settings.key_frame_interval * 1e6 or (self._key_wanted and since >= KEY_GAP)

    def _picture(self, snapshot: LiveSnapshot, marks: Marks | None) -> _Picture | None:
        frame = snapshot.frame or snapshot.read_frame
        if frame is None:
            return None
        return _Picture(frame, marks.of(snapshot) if marks is not None and self.settings.boxes else ())

    def _wanted(self, frame: Frame) -> Settings:
        chosen, stated = self.settings, self._view.status.stated_rate
        rate = stated if 1.0 <= stated <= 120.0 else USUAL_RATE
        height, width = frame.image.shape[:2]
        wide, high = fit((width, height), chosen.width, chosen.height, self.codec)
        return Settings(
            codec=self.codec,
            width=wide,
            height=high,
            rate=min(rate, chosen.rate) if chosen.rate else rate,
            bitrate=chosen.bitrate,
            quality=chosen.quality,
        )

    def _describe(self, settings: Settings, encoder: Encoder) -> None:
        self._known[settings] = encoder.sdp
        while len(self._known) > MOST_SIZES:
            del self._known[next(iter(self._known))]

    def _send(self, encoded: Encoded, frame: Frame, now: Micros, again: bool) -> None:
        self.encoded += 1
        if encoded.key:
            self._key_at = now
        wall, mono = self.clock.wall(), self.clock.mono()
        behind = wall - frame.at
        if again or not 0 <= behind <= LATEST:
            behind = mono - now
        self._moment = max(mono - behind, self._moment + TICK)
        self.deliver(encoded.payloads, key=encoded.key, at=wall - behind, timestamp=self.timestamp(self._moment))

    def _encode(
        self, encoder: Encoder | None, settings: Settings, picture: _Picture, key: bool
    ) -> tuple[Encoder, Encoded | None]:
        """In the thread: one picture, with a new encoder where there is none. Raises EncoderError."""
        encoder = encoder or self._open(settings)
        image = drawn(picture.frame.image, picture.readings, (settings.width, settings.height))
        return encoder, encoder.encode(image, key=key)
