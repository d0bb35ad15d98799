"""What viewers get of a stream: whole frames from a key frame on, shared, bounded."""

from __future__ import annotations

import anyio
import pytest

from lpr.core.clock import ManualClock
from lpr.media.stream import MOST_CHANNELS, MediaStream, MediaUnavailable, Packets
from lpr.protocols.rtp.packet import decode_packet


class Plain(MediaStream):
    """Delivers what a test says."""

    def __init__(self) -> None:
        super().__init__("plain", ManualClock(seed=7), 96, 90000)
        self.calls: list[str] = []

    def started(self) -> None:
        self.calls.append("started")

    def stopped(self) -> None:
        self.calls.append("stopped")

    def request_key_frame(self) -> None:
        self.calls.append("key")

    def show(self, *payloads: bytes, key: bool = False, at: int = 0) -> Packets:
        return self.deliver(payloads or (b"x",), key=key, at=at, timestamp=self.timestamp(at))


def test_packets_are_made_once_and_shared() -> None:
    stream, first, second = Plain(), list[Packets](), list[Packets]()
    stream.attach(first.append)
    stream.attach(second.append)
    sent = stream.show(b"ab", b"c", key=True)
    assert first == second == [sent] and first[0] is sent
    assert sent.interleaved(0) is sent.interleaved(0)
    a, b = sent.rtp
    assert sent.interleaved(2) == b"$\x02\x00\x0e" + a + b"$\x02\x00\x0d" + b
    assert sent.size == len(a) + len(b) == 27


def test_a_viewer_on_odd_channels_costs_no_memory() -> None:
    packets = Plain().show(b"x")
    kept = [packets.interleaved(channel) for channel in range(0, 200, 2)]
    assert sum(packets.interleaved(channel) is one for channel, one in zip(range(0, 200, 2), kept, strict=True)) == (
        MOST_CHANNELS
    )


def test_sequence_numbers_run_on_over_frames_and_timestamps_follow_the_clock() -> None:
    stream = Plain()
    start = stream.next_sequence
    packets = [decode_packet(data) for at in (0, 1_000_000) for data in stream.show(b"a", b"b", at=at).rtp]
    assert [packet.sequence for packet in packets] == [(start + n) & 0xFFFF for n in range(4)]
    assert {packet.ssrc for packet in packets} == {stream.ssrc}
    assert (packets[2].timestamp - packets[0].timestamp) & 0xFFFFFFFF == 90000
    assert stream.next_sequence == (start + 4) & 0xFFFF
    assert stream.timestamp(2**50) == (stream.timestamp(0) + 2**50 * 9 // 100) & 0xFFFFFFFF


def test_streams_begin_at_numbers_that_nobody_guesses() -> None:
    other = MediaStream("other", ManualClock(seed=8), 96, 90000)
    stream = Plain()
    assert (stream.ssrc, stream.next_sequence, stream.timestamp(0)) != (
        other.ssrc,
        other.next_sequence,
        other.timestamp(0),
    )


def test_a_viewer_begins_with_a_key_frame_and_may_skip_to_the_next() -> None:
    stream, seen = Plain(), list[Packets]()
    viewer = stream.attach(seen.append)
    assert stream.calls == ["started", "key"]
    stream.show()
    key = stream.show(key=True)
    after = stream.show()
    viewer.skip()
    stream.show()
    again = stream.show(key=True)
    assert seen == [key, after, again]
    assert (viewer.frames, viewer.skipped, stream.calls[2:]) == (3, 2, ["key"])


def test_started_with_the_first_and_stopped_with_the_last() -> None:
    stream = Plain()
    viewers = [stream.attach(lambda packets: None) for _ in range(3)]
    assert stream.viewers == 3
    viewers[0].close()
    viewers[0].close()
    viewers[2].close()
    assert stream.calls.count("stopped") == 0 and stream.viewers == 1
    viewers[1].close()
    assert stream.calls == ["started", "key", "key", "key", "stopped"]


def test_viewers_may_leave_while_a_frame_is_handed_out() -> None:
    stream, seen = Plain(), list[Packets]()

    def leave(packets: Packets) -> None:
        seen.append(packets)
        first.close()
        second.close()

    first = stream.attach(leave)
    second = stream.attach(leave)
    stream.show(key=True)
    stream.show(key=True)
    assert len(seen) == 1 and stream.viewers == 0


def test_a_stream_that_cannot_go_on_tells_every_viewer_once() -> None:
    stream, told = Plain(), list[str]()
    viewer = stream.attach(lambda packets: None, told.append)
    stream.attach(lambda packets: None)
    stream.fail("the encoder is gone")
    stream.fail("again")
    viewer.close()
    viewer.skip()
    assert told == ["the encoder is gone"]
    assert stream.viewers == 0 and stream.calls.count("stopped") == 1


@pytest.mark.anyio
async def test_a_subscription_gives_frames_in_order() -> None:
    stream, seen = Plain(), list[Packets]()
    sent: list[Packets] = []

    async def watch() -> None:
        async with stream.subscribe() as frames:
            async for packets in frames:
                seen.append(packets)
                if len(seen) == 3:
                    return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await anyio.wait_all_tasks_blocked()
        stream.show()
        sent.append(stream.show(key=True))
        await anyio.wait_all_tasks_blocked()
        sent += [stream.show(), stream.show()]
    assert seen == sent and stream.viewers == 0


@pytest.mark.anyio
async def test_a_slow_subscriber_loses_frames_up_to_the_next_key_frame_and_holds_little() -> None:
    stream = Plain()
    async with stream.subscribe(limit=1000) as frames, stream.subscribe() as quick:
        stream.show(bytes(400), key=True)
        stream.show(bytes(400))
        stream.show(bytes(400))  # too much: all of it goes
        stream.show(bytes(10))  # nothing before a key frame
        key = stream.show(bytes(400), key=True)
        after = stream.show(bytes(10))
        assert await anext(frames) is key
        assert await anext(frames) is after
        assert frames.dropped == 4
        assert len([await anext(quick) for _ in range(6)]) == 6 and quick.dropped == 0


@pytest.mark.anyio
async def test_a_key_frame_takes_the_place_of_what_waits() -> None:
    stream = Plain()
    async with stream.subscribe(limit=1000) as frames:
        stream.show(bytes(900), key=True)
        key = stream.show(bytes(5000), key=True)
        assert await anext(frames) is key
        assert frames.dropped == 1


@pytest.mark.anyio
async def test_a_subscriber_is_told_that_it_ended_behind_what_there_was() -> None:
    stream = Plain()
    async with stream.subscribe() as frames:
        stream.show(key=True)
        stream.fail("no more")
        await anext(frames)
        for _ in range(2):
            with pytest.raises(MediaUnavailable, match="no more"):
                await anext(frames)


@pytest.mark.anyio
async def test_a_bare_stream_has_nothing_to_offer() -> None:
    with pytest.raises(MediaUnavailable, match="bare has nothing"):
        await MediaStream("bare", ManualClock(), 96, 90000).track()
