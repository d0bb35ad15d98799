"""All streams of the service: one encoder a configured stream, one reading of a camera's sound, one source of metadata.

May import this room, ``lpr.config``, ``lpr.core``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from lpr.config import Camera, RtspStream
from lpr.core.clock import Clock
from lpr.core.live import LiveView
from lpr.core.pipeline import Emit
from lpr.media.audio import AudioStream
from lpr.media.demand import OnDemand
from lpr.media.encoder import available, choose_codec
from lpr.media.encoding import Codec
from lpr.media.live import LiveRoom
from lpr.media.metadata import MetadataStream
from lpr.media.source import MetadataSource, Presentation
from lpr.media.video import VideoStream
from lpr.protocols.onvif_metadata import FormName

Metadata: TypeAlias = Callable[[str, FormName], MetadataSource | None]
"""The metadata of a camera in a form; None where nobody makes it."""

SNAPSHOT_RATE = 5.0
"""Pictures a second of one camera, width and choice of boxes."""
SNAPSHOT_QUALITY = 88
SNAPSHOT_WIDTH = 8192


def no_metadata(_camera: str, _form: FormName) -> None:
    """For a service without it."""
    return


class MediaRoom:
    """Fits ``Presentations``. ``run`` is to run beside its users; they may ask and attach before it does.

    ``codecs``: what can be encoded here; None: found out.
    """

    name = "media"

    def __init__(
        self,
        streams: Sequence[RtspStream],
        cameras: Sequence[Camera],
        views: Mapping[str, LiveView],
        clock: Clock,
        *,
        metadata: Metadata = no_metadata,
        codecs: frozenset[Codec] | None = None,
    ) -> None:
        """Raises ValueError for a stream of a camera that there isn't."""
        self._clock = clock
        self._views = views
        self._cameras = {camera.name: camera for camera in cameras}
        self._codecs = available() if codecs is None else codecs
        self._live = LiveRoom(views, clock, width=SNAPSHOT_WIDTH, rate=SNAPSHOT_RATE, quality=SNAPSHOT_QUALITY)
        self._made = metadata
        self._sounds: dict[tuple[str, str], AudioStream] = {}
        self._documents: dict[tuple[str, str], MetadataStream | None] = {}
        self._videos: dict[str, VideoStream] = {}
        self._settings: dict[str, RtspStream] = {}
        self._problems: dict[str, str] = {}
        self._tasks: TaskGroup | None = None
        for settings in streams:
            self._add(settings)

    # --- for servers ----------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """See Presentations."""
        return tuple(self._settings)

    def presentation(self, name: str) -> Presentation | None:
        """See Presentations."""
        settings = self._settings.get(name)
        if settings is None:
            return None
        camera = self._camera(settings)
        sound = self._sounds.get((camera.name, settings.audio))
        return Presentation(
            name=name,
            camera=camera.name,
            settings=settings,
            video=self._videos[name],
            audio=None if sound is None or sound.problem else sound,
            metadata=self._documents.get((camera.name, settings.metadata)),
            video_problem=self._problems[name],
            audio_problem="" if sound is None else sound.problem,
        )

    async def snapshot(self, camera: str, width: int | None = None, *, boxes: bool = False) -> bytes:
        """See Presentations."""
        return await self._live.snapshot(camera, width, boxes=boxes)

    def configure(self, settings: RtspStream) -> None:
        """Other settings for the stream of that name, until the next start. Viewers stay, unless its codec is another
        one: then they are told that it ended, and find the new one when they come back.

        Raises KeyError for an unknown stream, ValueError for an unknown camera.
        """
        before = self._settings[settings.name]
        codec, problem = choose_codec(settings.codec, self._codecs)
        video = self._videos[settings.name]
        if video.codec == codec and before.camera == settings.camera:
            self._settings[settings.name], self._problems[settings.name] = settings, problem
            video.configure(settings)
            self._add_tracks(settings)
        else:
            self._add(settings)
            video.retire(f"stream {settings.name} has another codec or camera now")

    @property
    def problems(self) -> dict[str, str]:
        """Stream -> what it offers otherwise than configured, in words for people. What is not known yet is none."""
        found: dict[str, str] = {}
        for name, settings in self._settings.items():
            sound = self._sounds.get((self._camera(settings).name, settings.audio))
            silent = f"no sound: {sound.problem}" if sound is not None and sound.known and sound.problem else ""
            less = "" if settings.codec == "auto" else self._problems[name]
            if text := "; ".join(filter(None, (less, silent))):
                found[name] = text
        return found

    @property
    def plain(self) -> tuple[str, ...]:
        """The streams that may choose their codec and are MJPEG for want of PyAV: no fault, but worth a hint."""
        return tuple(
            name for name, settings in self._settings.items() if settings.codec == "auto" and self._problems[name]
        )

    # --- life -----------------------------------------------------------------------------------------

    async def run(self, emit: Emit | None = None) -> None:
        """Serve whoever watches, until cancelled. ``emit``: unused, so that it can be run as a source of events is."""
        try:
            async with anyio.create_task_group() as self._tasks:
                for stream in (*self._videos.values(), *self._sounds.values(), *self._documents.values()):
                    self._start(stream)
                await anyio.sleep_forever()
        finally:
            self._tasks = None

    def _start(self, stream: OnDemand | None) -> None:
        if self._tasks is None or stream is None:
            return
        self._tasks.start_soon(stream.run, name=stream.name)
        if isinstance(stream, AudioStream):
            self._tasks.start_soon(stream.probe, name=f"{stream.name}: probe")

    def _camera(self, settings: RtspStream) -> Camera:
        if settings.camera is None:
            return next(iter(self._cameras.values()))
        if settings.camera not in self._cameras:
            raise ValueError(f"stream {settings.name}: there is no camera named {settings.camera}")
        return self._cameras[settings.camera]

    def _add(self, settings: RtspStream) -> None:
        view = self._views[self._camera(settings).name]
        codec, problem = choose_codec(settings.codec, self._codecs)
        self._settings[settings.name], self._problems[settings.name] = settings, problem
        self._videos[settings.name] = video = VideoStream(settings, codec, view, self._clock)
        self._start(video)
        self._add_tracks(settings)

    def _add_tracks(self, settings: RtspStream) -> None:
        camera = self._camera(settings)
        if settings.audio != "none" and (camera.name, settings.audio) not in self._sounds:
            sound = AudioStream(camera, settings.audio, self._views[camera.name], self._clock)
            self._sounds[camera.name, settings.audio] = sound
            self._start(sound)
        key = (camera.name, settings.metadata)
        if settings.metadata != "none" and key not in self._documents:
            source = self._made(camera.name, settings.metadata)
            name = f"metadata of {camera.name} ({settings.metadata})"
            self._documents[key] = None if source is None else MetadataStream(name, source, self._clock)
            self._start(self._documents[key])
