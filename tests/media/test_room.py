"""The room of all streams: what is offered, shared, changed while it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import cv2
import msgspec
import numpy as np
import pytest

from lpr.config import Camera, RtspStream
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.media import live
from lpr.media.encoder import has_libav
from lpr.media.encoding import Codec
from lpr.media.room import MediaRoom
from lpr.media.source import MetadataSource
from lpr.media.stream import MediaUnavailable
from lpr.protocols.rtp.xml import XmlUnpacker
from tests.media.rig import reading
from tests.protocols.rtp import received

pytestmark = pytest.mark.anyio
ONLY_JPEG: frozenset[Codec] = frozenset({"mjpeg"})


class Documents:
    """A source of metadata that says its name, then what it is told; a synchronization point is one more document."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.readers = 0
        self._said: list[bytes] = []
        self._news = anyio.Event()
        self._ended = False

    async def documents(self) -> AsyncGenerator[bytes, None]:
        self.readers += 1
        try:
            yield f"<{self.name}/>".encode()
            while not self._ended:
                while self._said:
                    yield self._said.pop(0)
                self._news = anyio.Event()
                await self._news.wait()
        finally:
            self.readers -= 1

    def synchronize(self) -> None:
        self._said.append(b"<state/>")
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()


class Rig:
    """Two cameras with a picture each, and documents in two forms."""

    def __init__(self, *streams: RtspStream, codecs: frozenset[Codec] = ONLY_JPEG) -> None:
        self.clock = SystemClock()
        self.views = {name: LiveView(name) for name in ("gate", "yard")}
        self.made: dict[tuple[str, str], Documents] = {}
        cameras = [Camera(name=name) for name in self.views]
        self.room = MediaRoom(streams, cameras, self.views, self.clock, metadata=self._metadata, codecs=codecs)
        for name in self.views:
            self.show(name)

    def _metadata(self, camera: str, form: str) -> MetadataSource:
        self.made[camera, form] = made = Documents(f"{camera}-{form}")
        return made

    def show(self, camera: str, level: int = 100) -> Frame:
        image = np.full((240, 320, 3), level, np.uint8)
        frame = Frame(camera, level, self.clock.wall(), image)
        self.views[camera].set_frame(frame)
        return frame

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.room.run)
            with anyio.fail_after(20):
                yield
            tasks.cancel_scope.cancel()


async def test_streams_have_the_tracks_that_are_configured() -> None:
    rig = Rig(
        RtspStream(name="main", codec="mjpeg"),
        RtspStream(name="sub", camera="yard", metadata="milesight", width=160),
        RtspStream(name="bare", metadata="none"),
        RtspStream(name="more", metadata="onvif"),
    )
    assert rig.room.names == ("main", "sub", "bare", "more")
    main, sub, bare, more = (rig.room.presentation(name) for name in rig.room.names)
    assert main and sub and bare and more and rig.room.presentation("none") is None
    assert [shown.camera for shown in (main, sub, bare, more)] == ["gate", "yard", "gate", "gate"]
    assert len(main.streams) == 2 and len(bare.streams) == 1 and bare.metadata is None
    assert main.metadata is more.metadata and main.video is not more.video
    assert set(rig.made) == {("gate", "onvif"), ("yard", "milesight")}
    assert main.video_problem == "" and "MJPEG is offered" in sub.video_problem
    assert rig.room.plain == ("sub", "bare", "more") and rig.room.problems == {}
    track = await sub.video.track()
    assert (track.codec, track.width, track.height, track.payload_type) == ("JPEG", 160, 120, 26)


async def test_what_is_offered_otherwise_is_said() -> None:
    rig = Rig(RtspStream(name="main", codec="h265", audio="aac"), RtspStream(name="sub", codec="mjpeg"))
    (before,) = rig.room.problems.values()
    assert rig.room.plain == ()
    assert before.startswith("MJPEG is offered instead of H265: ") and "sound:" not in before
    async with rig.running():
        await _sound_known(rig, "main")
        assert rig.room.problems == {"main": f"{before}; no sound: only files and streams have sound"}


async def test_a_stream_of_no_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="no camera named moon"):
        Rig(RtspStream(camera="moon"))


async def test_pictures_and_documents_flow() -> None:
    rig = Rig(RtspStream(name="main"))
    shown = rig.room.presentation("main")
    assert shown and shown.metadata
    documents = rig.made["gate", "onvif"]
    async with rig.running(), shown.video.subscribe() as pictures:
        assert (await anext(pictures)).key
        async with shown.metadata.subscribe() as first:
            assert (await anext(first)).key and documents.readers == 1
            async with shown.metadata.subscribe() as second:
                packets = await anext(second)
                (frame,) = received(XmlUnpacker(), packets.rtp)
                assert frame.parts == (b"<state/>",) and documents.readers == 1
                assert await anext(first) is packets
        track = await shown.metadata.track()
        assert (track.kind, track.codec, track.sdp[0]) == (
            "metadata",
            "vnd.onvif.metadata",
            "m=application 0 RTP/AVP 107",
        )
    assert documents.readers == 0


async def test_documents_that_end_are_told() -> None:
    rig = Rig(RtspStream(name="main"))
    shown = rig.room.presentation("main")
    assert shown and shown.metadata
    async with rig.running(), shown.metadata.subscribe() as frames:
        assert await anext(frames)
        rig.made["gate", "onvif"].end()
        with pytest.raises(MediaUnavailable, match=r"metadata of gate \(onvif\) has ended"):
            await anext(frames)


async def test_another_codec_or_camera_makes_another_stream_and_tells_the_viewers() -> None:
    rig = Rig(RtspStream(name="main", codec="mjpeg"))
    before = rig.room.presentation("main")
    assert before is not None
    told: list[str] = []
    async with rig.running():
        before.video.attach(lambda packets: None, told.append)
        rig.room.configure(RtspStream(name="main", codec="mjpeg", quality=30, audio="pcmu"))
        same = rig.room.presentation("main")
        assert same and same.video is before.video and same.settings.quality == 30 and told == []
        assert same.audio is None and "only files and streams" in (await _sound_known(rig, "main"))
        rig.room.configure(RtspStream(name="main", codec="mjpeg", camera="yard"))
        other = rig.room.presentation("main")
        assert other and other.video is not before.video and other.camera == "yard"
        assert len(told) == 1 and "another codec or camera" in told[0]
        async with other.video.subscribe() as pictures:
            assert (await anext(pictures)).key
    with pytest.raises(KeyError):
        rig.room.configure(RtspStream(name="unknown"))
    with pytest.raises(ValueError, match="moon"):
        rig.room.configure(msgspec.structs.replace(before.settings, camera="moon"))


async def _sound_known(rig: Rig, name: str) -> str:
    while True:
        shown = rig.room.presentation(name)
        assert shown is not None
        if "not known yet" not in shown.audio_problem:
            return shown.audio_problem
        await anyio.sleep(0.001)


def size(jpeg: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


async def test_snapshots_are_shared_and_have_the_width_that_is_asked_for() -> None:
    rig = Rig(RtspStream())
    found: list[bytes] = []

    async def ask() -> None:
        found.append(await rig.room.snapshot("gate"))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
    assert len(found) == 10 and all(one is found[0] for one in found)
    assert size(found[0]) == (320, 240)
    small = await rig.room.snapshot("gate", 150)
    assert size(small) == (160, 120) and small is await rig.room.snapshot("gate", 155)
    frame = rig.show("gate", 50)
    rig.views["gate"].set_readings(frame, (reading("AB12", 100, 100),))
    newer = await rig.room.snapshot("gate")
    assert newer is not found[0] and await rig.room.snapshot("gate", boxes=True) != newer


async def test_a_snapshot_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(RtspStream())
    with pytest.raises(MediaUnavailable, match="no camera named moon"):
        await rig.room.snapshot("moon")
    monkeypatch.setattr(live, "SNAPSHOT_WAIT", 0.01)
    rig.views["yard"] = LiveView("yard")
    with pytest.raises(MediaUnavailable, match="yard has no picture yet"):
        await live.LiveRoom(rig.views, rig.clock, width=640, rate=5).snapshot("yard")


async def test_whoever_asks_for_every_width_costs_no_memory() -> None:
    rig = Rig(RtspStream())
    room = live.LiveRoom(rig.views, rig.clock, width=8192, rate=5)
    first = room.channel("gate", boxes=False, width=16)
    for width in range(1, 8192, 16):
        assert room.channel("gate", boxes=False, width=width) is not None
    assert room.channel("gate", boxes=False, width=16) is not first
    assert room.channel("gate", boxes=False, width=9000) is room.channel("gate", boxes=False)


@pytest.mark.skipif(not has_libav(), reason="PyAV is not installed (the extra 'video')")
async def test_with_pyav_automatic_is_h264() -> None:
    rig = Rig(RtspStream(name="main"), codecs=frozenset({"mjpeg", "h264"}))
    shown = rig.room.presentation("main")
    assert shown is not None and shown.video_problem == "" and rig.room.plain == ()
    async with rig.running(), shown.video.subscribe() as pictures:
        track = await shown.video.track()
        assert track.codec == "H264" and "sprop-parameter-sets" in track.sdp[2]
        assert (await anext(pictures)).key
