"""What waits for one connection: answers before frames, nothing torn apart, what a slow viewer loses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.rtsp_server.outgoing import MAX_REPLIES, Outgoing


class Peer:
    """Takes as much as it has room for."""

    def __init__(self, room: int, limit: int = 100) -> None:
        self.room = room
        self.got = b""
        self.now = 0
        self.blocked = 0
        self.outgoing = Outgoing(self._send, limit=limit, now=lambda: self.now, blocked=self._block)

    def _send(self, data: bytes | memoryview) -> int:
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.got += taken
        return len(taken)

    def _block(self) -> None:
        self.blocked += 1

    def drain(self) -> None:
        """Take everything."""
        self.room = 1 << 30
        assert self.outgoing.flush()


def test_frames_go_straight_out_while_there_is_room() -> None:
    peer = Peer(10)
    assert peer.outgoing.frame(b"12345")
    assert (peer.got, peer.blocked, peer.outgoing.idle, peer.outgoing.since) == (b"12345", 0, True, None)


def test_an_answer_goes_before_frames_that_wait_and_never_into_one() -> None:
    peer = Peer(3)
    peer.outgoing.frame(b"frame1")
    peer.outgoing.frame(b"frame2")
    assert peer.outgoing.reply(b"answer")
    peer.drain()
    assert peer.got == b"frame1answerframe2"
    assert peer.outgoing.idle


def test_over_the_limit_what_has_not_begun_is_lost_until_all_is_out() -> None:
    peer = Peer(1, limit=10)
    assert peer.outgoing.frame(b"aaaa")
    assert peer.outgoing.frame(b"bbbbbb") and peer.outgoing.frame(b"cccc")
    assert not peer.outgoing.frame(b"d")
    assert peer.outgoing.waiting == 0 and peer.outgoing.choked
    assert not peer.outgoing.frame(b"e"), "nothing before it has drained"
    peer.drain()
    assert not peer.outgoing.choked
    assert peer.outgoing.frame(b"f")
    assert peer.got == b"aaaaf"
    assert peer.outgoing.dropped == 4


def test_a_frame_larger_than_the_limit_still_goes() -> None:
    peer = Peer(1, limit=10)
    assert peer.outgoing.frame(b"x" * 50)
    peer.drain()
    assert peer.got == b"x" * 50


def test_since_when_one_piece_is_being_taken() -> None:
    peer = Peer(1)
    peer.now = 5
    peer.outgoing.frame(b"aaaa")
    peer.outgoing.frame(b"bbbb")
    peer.now = 7
    peer.room = 1
    assert not peer.outgoing.flush()
    assert peer.outgoing.since == 5, "a byte now and then gains no time"
    peer.room = 3
    peer.outgoing.flush()
    assert peer.outgoing.since == 7, "the next piece has begun"
    peer.drain()
    assert peer.outgoing.since is None


def test_frames_are_held_for_an_answer() -> None:
    peer = Peer(100)
    peer.outgoing.hold()
    assert peer.outgoing.frame(b"frame")
    assert peer.got == b""
    peer.outgoing.reply(b"answer")
    peer.outgoing.release()
    assert peer.got == b"answerframe"


def test_answers_that_nobody_reads_are_bounded() -> None:
    peer = Peer(0)
    taken = [peer.outgoing.reply(b"x") for _ in range(MAX_REPLIES + 5)]
    assert taken.count(True) == MAX_REPLIES + 1


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=30), st.integers(0, 40)), max_size=40))
def test_what_arrives_is_whole_frames_in_order(steps: list[bytes | int]) -> None:
    peer = Peer(0, limit=60)
    sent: list[bytes] = []
    for number, step in enumerate(steps):
        if isinstance(step, int):
            peer.room = step
            peer.outgoing.flush()
        else:
            frame = bytes((number, len(step))) + step
            peer.outgoing.frame(frame)
            sent.append(frame)
        assert peer.outgoing.waiting <= 60
    peer.drain()
    found: list[bytes] = []
    at = 0
    while at < len(peer.got):
        found.append(peer.got[at : at + 2 + peer.got[at + 1]])
        at += len(found[-1])
    assert found == [frame for frame in sent if frame in found]
    assert len(found) + peer.outgoing.dropped == len(sent)
