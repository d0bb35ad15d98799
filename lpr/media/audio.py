"""A camera's sound as a stream: its own source is read a second time, for sound alone, while somebody listens.

Whether a source has sound is found out once, beside the running service; until then, and without PyAV, there is no such
track, and ``problem`` says so. Files sound at their own pace, from about the place where the picture is.

May import this room, ``lpr.config``, ``lpr.core``, ``lpr.vision``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from lpr.config import Camera
from lpr.core.clock import Clock
from lpr.core.live import LiveView
from lpr.core.offload import Offload
from lpr.events import Micros
from lpr.media.demand import OnDemand
from lpr.media.encoder import MISSING, has_libav
from lpr.media.stream import MediaUnavailable, Track
from lpr.media.threads import LowThread
from lpr.protocols.rtp import audio
from lpr.vision.sources import SourceError, kind_of, read_credentials, with_credentials, without_credentials

if TYPE_CHECKING:
    from lpr.media.sound import Form, SoundReader, Tone

AAC_TYPE = 97
DRIFT: Micros = 1_000_000
"""Sound that lies so far behind the clock goes on at the clock's time; so far ahead of it, it is left out. µs."""
KINDS = ("file", "stream")
"""Sources that may have sound."""


class Line:
    """Where pieces lie in time: one behind the other, and never far from the clock. Timestamps only grow."""

    def __init__(self, tone: Tone) -> None:
        self._tone = tone
        self._origin: Micros | None = None
        self._samples = 0

    def place(self, now: Micros) -> tuple[Micros, int] | None:
        """For the piece that comes at ``now`` (monotonic): a time and the samples since then; None: leave it out."""
        origin = now if self._origin is None else self._origin
        ahead = origin + self._samples * 1_000_000 // self._tone.rate - now
        if ahead > DRIFT:
            return None
        if ahead < -DRIFT:
            origin, self._samples = now, 0
        self._origin = origin
        self._samples += self._tone.samples
        return origin, self._samples - self._tone.samples


class AudioStream(OnDemand):
    """``problem``: why there is no sound, "" when there is; ``known``: ``probe`` has looked. Nothing to be described
    before it has ended well."""

    def __init__(
        self, camera: Camera, form: Form, view: LiveView, clock: Clock, *, offload: Offload | None = None
    ) -> None:
        super().__init__(
            f"sound of {camera.name}", clock, audio.PCMU_TYPE if form == "pcmu" else AAC_TYPE, audio.PCMU_RATE
        )
        self._camera = camera
        self._form: Form = form
        self._view = view
        self._offload = offload or LowThread()
        self._tone: Tone | None = None
        self.known = False
        self.problem = "it is not known yet whether the source has sound"

    async def probe(self) -> None:
        """Find out whether there is sound; tries again until the source can be opened."""
        attempt = 0
        while self._tone is None:
            final = self._impossible()
            if final:
                self.known, self.problem = True, final
                return
            try:
                reader = await self._offload(self._open)
                self._learn(reader.tone)
                reader.close()
            except MediaUnavailable as error:
                self.known, self.problem = True, str(error)
                if kind_of(self._camera.source) == "file":
                    return
                attempt += 1
                wait = self._camera.retry_first * 2 ** min(attempt, 16)
                await self.clock.sleep(min(wait, max(self._camera.retry_max, self._camera.retry_first)))

    def _impossible(self) -> str:
        if kind_of(self._camera.source) not in KINDS:
            return "only files and streams have sound"
        return "" if has_libav() else MISSING

    def _learn(self, tone: Tone) -> None:
        self._tone, self.known, self.problem = tone, True, ""
        self.clock_rate = tone.rate

    async def track(self) -> Track:
        """See MediaStream."""
        tone = self._tone
        if tone is None:
            raise MediaUnavailable(self.problem)
        if tone.form == "pcmu":
            return Track("audio", "PCMU", self.payload_type, tone.rate, audio.pcmu_lines())
        config = audio.aac_config(tone.rate, tone.channels)
        sdp = audio.aac_lines(AAC_TYPE, config, tone.rate, tone.channels)
        return Track("audio", "MPEG4-GENERIC", self.payload_type, tone.rate, sdp)

    async def produce(self) -> None:
        """See OnDemand. A file's end is silence, unless the camera repeats it."""
        while True:
            reader = await self._offload(partial(self._open, start=self._place()))
            try:
                await self._play(reader)
            finally:
                reader.close()
            if kind_of(self._camera.source) == "file" and not self._camera.repeat:
                await anyio.sleep_forever()

    async def _play(self, reader: SoundReader) -> None:
        tone, live = reader.tone, kind_of(self._camera.source) == "stream"
        self._learn(tone)
        began, line = self.clock.mono(), Line(tone)
        while (piece := await self._offload(reader.read)) is not None:
            due = began + round(piece.offset * 1e6)
            late = self.clock.mono() - due
            if not live and late < 0:
                await self.clock.sleep(-late / 1e6)
            elif not live and late > DRIFT:
                began += late  # a film goes on where it was, not in a hurry
            moment = line.place(self.clock.mono())
            if moment is None:
                continue
            payloads = [piece.data] if tone.form == "pcmu" else audio.pack_aac(piece.data)
            origin, samples = moment
            timestamp = (self.timestamp(origin) + samples) & 0xFFFFFFFF
            self.deliver(payloads, key=True, at=self._wall(moment), timestamp=timestamp, marker=tone.form == "aac")

    def _wall(self, moment: tuple[Micros, int]) -> Micros:
        """The wall clock's time of a place in the sound."""
        mono = moment[0] + moment[1] * 1_000_000 // self.clock_rate
        return self.clock.wall() - self.clock.mono() + mono

    def _open(self, start: float = 0.0) -> SoundReader:
        """In the thread. Raises MediaUnavailable."""
        from lpr.media.sound import SoundReader

        camera = self._camera
        try:
            address = with_credentials(camera.source, read_credentials(camera.credentials_file))
        except SourceError as error:
            raise MediaUnavailable(str(error)) from None
        return SoundReader(
            address,
            without_credentials(camera.source),
            self._form,
            transport=camera.transport,
            timeout=camera.stall_after,
            start=start,
        )

    def _place(self) -> float:
        """Seconds into a file at which the picture is."""
        frame, rate = self._view.snapshot().frame, self._view.status.stated_rate
        return frame.position / rate if frame is not None and rate and not self._camera.repeat else 0.0
