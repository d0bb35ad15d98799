"""A camera's stream in simulated time: on demand, once for all, the newest picture, key frames when they are due."""

from __future__ import annotations

import logging
from itertools import pairwise

import msgspec
import numpy as np
import pytest
import trio

from lpr.config import RtspStream
from lpr.core.frames import Frame
from lpr.media.demand import LINGER
from lpr.media.stream import MediaUnavailable, Packets
from lpr.media.video import FIRST_PICTURE, KEY_GAP, STILL
from tests.media.rig import Bench, Camera, reading, simulate


def level(packets: Packets) -> int:
    """The grey level that the encoder saw: the number of the frame."""
    return packets.rtp[0][12]


def test_nothing_is_encoded_while_nobody_watches_and_once_for_all_who_do() -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera)
        first, second = list[Packets](), list[Packets]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            await camera.play(10)
            assert bench.encoded == [] and not camera.view.watched
            viewers = [bench.stream.attach(first.append), bench.stream.attach(second.append)]
            await camera.play(10)
            assert camera.view.watched and bench.stream.running
            assert len(first) >= 10 and first == second
            assert all(one is other for one, other in zip(first, second, strict=True))
            assert len(bench.encoded) == len(first) and bench.opened == 1
            for viewer in viewers:
                viewer.close()
            await camera.play(5)
            assert bench.stream.running  # it lingers
            await trio.sleep(LINGER)
            assert not bench.stream.running
            count = len(bench.encoded)
            await camera.play(10)
            assert len(bench.encoded) == count
            bench.stream.attach(first.append)
            await camera.play(3)
            assert bench.opened == 2 and bench.encoded[count][2]
            nursery.cancel_scope.cancel()

    simulate(main)


def test_a_slow_encoder_leaves_pictures_out_and_builds_up_no_delay() -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera, cost=0.1)
        delays: list[float] = []

        def take(packets: Packets) -> None:
            delays.append((camera.clock.wall() - packets.at) / 1e6)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(take)
            await camera.play(100)
            nursery.cancel_scope.cancel()
        assert 35 <= len(delays) <= 41
        assert max(delays) <= 0.1 + camera.gap + 0.001

    simulate(main)


def test_key_frames_for_those_who_join_are_bounded() -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera)
        waits: list[float] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            nursery.start_soon(camera.play, 250)

            def join() -> None:
                begun = camera.clock.mono()
                seen: list[Packets] = []

                def take(packets: Packets) -> None:
                    if not seen:
                        waits.append((camera.clock.mono() - begun) / 1e6)
                        assert packets.key
                    seen.append(packets)

                bench.stream.attach(take)

            for _ in range(50):
                join()
                await trio.sleep(0.1)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        assert len(waits) == 50 and max(waits) <= KEY_GAP / 1e6 + camera.gap
        assert 9 <= bench.keys <= 12

    simulate(main)


def test_key_frames_come_by_the_clock_also_from_a_slow_camera() -> None:
    async def main() -> None:
        camera = Camera(rate=5)
        bench = Bench(camera, RtspStream(rate=0, key_frame_interval=2))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(lambda packets: None)
            await camera.play(100)
            nursery.cancel_scope.cancel()
        assert bench.keys == 10

    simulate(main)


def test_a_camera_that_stands_still_is_sent_again_and_whoever_joins_sees_it_at_once() -> None:
    async def main() -> None:
        camera = Camera()
        camera.show()
        bench = Bench(camera)
        seen, late = list[Packets](), list[Packets]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(seen.append)
            await trio.sleep(10.5)
            assert len(seen) == pytest.approx(10.5 / STILL, abs=1)
            bench.stream.attach(late.append)
            await trio.sleep(0.01)
            assert [packets.key for packets in late] == [True]
            nursery.cancel_scope.cancel()
        stamps = [packets.timestamp for packets in seen]
        steps = [(b - a) & 0xFFFFFFFF for a, b in pairwise(stamps)]
        assert all(0 < step < 2 * 90000 for step in steps)
        assert sum(steps) == pytest.approx(10.5 * 90000, abs=2 * 90000)

    simulate(main)


@pytest.mark.parametrize(("rate", "expected"), [(0, 50), (25, 50), (10, 20), (1, 2)])
def test_the_rate_is_kept(rate: float, expected: int) -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera, RtspStream(rate=rate, key_frame_interval=60))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(lambda packets: None)
            await camera.play(50, lambda number: 0.008 if number % 2 else -0.008)
            nursery.cancel_scope.cancel()
        assert len(bench.encoded) == pytest.approx(expected, abs=2)

    simulate(main)


def test_timestamps_follow_the_cameras_own_times() -> None:
    async def main() -> None:
        camera = Camera(age=0.08)
        bench = Bench(camera, cost=0.013)
        seen: list[Packets] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(seen.append)
            await camera.play(20, lambda number: number % 3 * 0.005)
            nursery.cancel_scope.cancel()
        taken = {frame.at for frame in camera.frames}
        assert len(seen) >= 18 and all(packets.at in taken for packets in seen)
        steps = pairwise(seen)
        assert all(abs(((b.timestamp - a.timestamp) & 0xFFFFFFFF) - (b.at - a.at) * 0.09) <= 1 for a, b in steps)

    simulate(main)


@pytest.mark.parametrize("age", [-3600.0, 5.0, 1e8])
def test_a_films_times_are_not_taken_for_the_clocks(age: float) -> None:
    async def main() -> None:
        camera = Camera(age=age)
        bench = Bench(camera)
        seen: list[Packets] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(seen.append)
            await camera.play(10)
            assert all(abs(camera.clock.wall() - packets.at) < 1e6 for packets in seen)
            assert seen[-1].timestamp == bench.stream.timestamp(seen[-1].at - camera.clock.wall() + camera.clock.mono())
            nursery.cancel_scope.cancel()

    simulate(main)


def test_timestamps_only_grow_when_the_wall_clock_steps_back() -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera)
        seen: list[Packets] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(seen.append)
            for number in range(30):
                camera.age = 0.3 if number % 2 else 0.0
                await camera.play(1)
            nursery.cancel_scope.cancel()
        steps = pairwise(seen)
        assert all(0 < (b.timestamp - a.timestamp) & 0xFFFFFFFF < 90000 for a, b in steps)

    simulate(main)


def test_the_track_waits_for_the_first_picture() -> None:
    async def main() -> None:
        camera = Camera(size=(1280, 720))
        bench = Bench(camera, RtspStream(width=640, rate=10))
        with pytest.raises(MediaUnavailable, match="gate has no picture yet"):
            await bench.stream.track()
        assert trio.current_time() == pytest.approx(FIRST_PICTURE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(camera.play, 1)
            track = await bench.stream.track()
        assert (track.width, track.height, track.rate, track.codec) == (640, 360, 10, "H264")
        assert track.sdp[1] == "a=x-size:640x360"
        assert await bench.stream.track() == track and bench.opened == 1
        bench.broken = "no encoder"
        camera.size = (320, 240)
        camera.show()
        with pytest.raises(MediaUnavailable, match="no encoder"):
            await bench.stream.track()

    simulate(main)


def test_another_size_opens_another_encoder_with_a_key_frame() -> None:
    async def main() -> None:
        camera = Camera(size=(640, 480))
        bench = Bench(camera)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(lambda packets: None)
            await camera.play(5)
            camera.size = (320, 240)
            await camera.play(5)
            bench.stream.configure(msgspec.structs.replace(bench.stream.settings, width=160, bitrate=500))
            await camera.play(5)
            nursery.cancel_scope.cancel()
        sizes = [(settings.width, settings.height) for settings, _, _ in bench.encoded]
        assert set(sizes) == {(640, 480), (320, 240), (160, 120)} and bench.opened == 3
        for size in set(sizes):
            assert bench.encoded[sizes.index(size)][2]
        assert bench.encoded[-1][0].bitrate == 500

    simulate(main)


def test_an_encoder_that_fails_is_told_to_the_viewers_and_tried_again_for_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera)
        bench.broken = "libx264 can't be opened"
        told: list[str] = []
        seen: list[Packets] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(seen.append, told.append)
            await camera.play(3)
            assert told == ["libx264 can't be opened"] and bench.stream.viewers == 0
            bench.broken = ""
            bench.stream.attach(seen.append)
            await trio.sleep(LINGER)
            await camera.play(3)
            assert seen
            bench.stream.retire("another takes its place")
        assert bench.stream.viewers == 0

    simulate(main)
    assert "libx264 can't be opened" in caplog.text


def test_a_fault_in_one_stream_ends_that_stream_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        camera = Camera()
        bench = Bench(camera)
        told: list[str] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(lambda packets: None, told.append)
            camera.view.set_frame(Frame("gate", 0, 0, np.zeros((0, 0, 3), np.uint8)))
            await trio.sleep(1)
            assert len(told) == 1 and "failed" in told[0]
            nursery.cancel_scope.cancel()

    with caplog.at_level(logging.CRITICAL):
        simulate(main)


def test_plates_are_drawn_where_that_is_chosen() -> None:
    async def main(boxes: bool) -> bytes:
        camera = Camera(size=(320, 240))
        bench = Bench(camera, RtspStream(boxes=boxes, rate=0))
        images: list[bytes] = []
        frame = camera.show()
        camera.view.set_readings(frame, (reading("", 280, 229, 39, 10),))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.stream.run)
            bench.stream.attach(lambda packets: images.append(packets.rtp[0][12:]))
            await trio.sleep(0.1)
            nursery.cancel_scope.cancel()
        assert not frame.image.any()
        return images[0]

    def run(boxes: bool) -> bytes:
        return simulate(lambda: main(boxes))

    assert run(False) == b"\x00"
    assert run(True) != b"\x00"
