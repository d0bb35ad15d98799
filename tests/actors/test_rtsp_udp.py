"""Packets by UDP: in pieces that the system cuts, or one by one, they arrive the same."""

from __future__ import annotations

import errno
import socket
from collections.abc import Generator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.rtsp_server.udp import BURST, MAX_PIECE, UdpPair, cut, open_pair
from lpr.core.clock import ManualClock

SIZES = st.lists(st.one_of(st.integers(12, 40), st.sampled_from([1400, 1400, 1400, 900])), max_size=200)


@given(SIZES)
def test_pieces_are_what_the_system_can_cut_again(sizes: list[int]) -> None:
    packets = tuple(bytes((index % 256,)) * size for index, size in enumerate(sizes))
    pieces = cut(packets)
    assert tuple(packet for piece in pieces for packet in piece.packets) == packets
    for piece in pieces:
        size = len(piece.packets[0])
        assert [piece.data[at : at + size] for at in range(0, len(piece.data), size)] == list(piece.packets)
        assert len(piece.data) <= MAX_PIECE
        assert len(piece.packets) <= BURST


def test_a_frame_of_equal_packets_and_a_rest_is_one_piece() -> None:
    assert len(cut((b"a" * 1400,) * 40 + (b"b" * 7,))) == 1
    assert cut(()) == ()


@pytest.fixture
def pair() -> Generator[UdpPair]:
    """A pair at loopback."""
    made = open_pair("rtsp", socket.AF_INET, "127.0.0.1", 0, ManualClock())
    yield made
    made.close()


def received(viewer: socket.socket, count: int) -> list[bytes]:
    """The next ``count`` datagrams."""
    viewer.settimeout(20)
    return [viewer.recv(65536) for _ in range(count)]


PACKETS = (*(bytes((number,)) * 1400 for number in range(30)), b"rest", b"other" * 50)


def test_every_packet_arrives(pair: UdpPair) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as viewer:
        viewer.bind(("127.0.0.1", 0))
        pair.send(PACKETS, viewer.getsockname())
        assert received(viewer, len(PACKETS)) == list(PACKETS)
        assert pair.lost == 0


class Unable:
    """A socket whose system can't cut pieces. ``tried``: how often it was asked to."""

    def __init__(self, sock: socket.socket, reason: int) -> None:
        self._sock = sock
        self._reason = reason
        self.tried = 0

    def sendmsg(self, *_: Any) -> int:
        """Refuses."""
        self.tried += 1
        raise OSError(self._reason, "no")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def test_where_the_system_cannot_cut_they_go_one_by_one(pair: UdpPair, monkeypatch: pytest.MonkeyPatch) -> None:
    unable = Unable(pair.rtp, errno.EINVAL)
    monkeypatch.setattr(pair, "rtp", unable)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as viewer:
        viewer.bind(("127.0.0.1", 0))
        for _ in range(2):
            pair.send(PACKETS, viewer.getsockname())
            assert received(viewer, len(PACKETS)) == list(PACKETS)
    assert unable.tried <= 1
    assert pair.lost == 0


def test_what_finds_no_room_is_counted_as_lost(pair: UdpPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair, "rtp", Unable(pair.rtp, errno.EAGAIN))
    monkeypatch.setattr(pair, "segments", True)
    pair.send((b"x" * 100,) * 20, ("127.0.0.1", 9))
    assert pair.lost == 20
