"""The Transport header: what clients offer, and what is taken of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import Channels, Offer, Ports, choose, format_transport, parse_transport


@pytest.mark.parametrize(
    ("header", "choice"),
    [
        # ffmpeg 5.1, GStreamer 1.22 and live555 as they write it
        ("RTP/AVP/TCP;unicast;interleaved=0-1", Channels(0, 1)),
        ("RTP/AVP/UDP;unicast;client_port=21250-21251", Ports(21250, 21251)),
        ("RTP/AVP;unicast;client_port=43582-43583", Ports(43582, 43583)),
        ("RTP/AVP;multicast;mode=PLAY,RTP/AVP/TCP;unicast;interleaved=2-3;mode=PLAY", Channels(2, 3)),
        ('rtp/avp/tcp; unicast; interleaved=4-5; mode="PLAY"', Channels(4, 5)),
        ("RTP/AVP/TCP;unicast", Channels(0, 1)),
        ("RTP/AVP/TCP;interleaved=0", Channels(0, 1)),
        ("RTP/AVP;unicast;client_port=5000", Ports(5000, 5001)),
        ("RTP/SAVP;unicast;client_port=5000-5001", None),
        ("RTP/AVP;multicast", None),
        ("RTP/AVP;unicast", None),
        ("RTP/AVP;unicast;client_port=53-54", None),
        ("RTP/AVP;unicast;client_port=70000-70001", None),
        ("RTP/AVP;unicast;client_port=5000-5000", None),
        ("RTP/AVP/TCP;unicast;interleaved=0-1;mode=RECORD", None),
        ("", None),
        (";;;,,,", None),
    ],
)
def test_each_offer_is_tried(header: str, choice: object) -> None:
    assert choose(parse_transport(header), udp=True) == choice


def test_without_udp_the_next_offer_counts() -> None:
    offers = parse_transport("RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1")
    assert choose(offers, udp=False) == Channels(0, 1)
    assert choose(offers[:1], udp=False) is None


def test_a_channel_in_use_gives_another_one() -> None:
    offers = parse_transport("RTP/AVP/TCP;unicast;interleaved=0-1")
    assert choose(offers, udp=False, taken={0, 1, 2, 3}) == Channels(4, 5)
    assert choose(offers, udp=False, taken=range(256)) is None


def test_a_destination_is_not_looked_at() -> None:
    (offer,) = parse_transport("RTP/AVP;unicast;destination=192.0.2.9;client_port=5000-5001")
    assert offer == Offer("RTP/AVP", client_port=(5000, 5001))


def test_the_answer_names_what_was_taken() -> None:
    assert format_transport(Channels(2, 3), ssrc=0xBEEF) == (
        'RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=0000BEEF;mode="PLAY"'
    )
    assert format_transport(Ports(5000, 5001), ssrc=1, server_port=(6000, 6001)) == (
        'RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=00000001;mode="PLAY"'
    )


@given(st.text(max_size=200))
def test_whatever_comes_nothing_is_raised(header: str) -> None:
    choice = choose(parse_transport(header), udp=True)
    assert choice is None or isinstance(choice, Channels | Ports)


@given(st.integers(0, 254), st.sets(st.integers(0, 255)))
def test_channels_are_free_ones(first: int, taken: set[int]) -> None:
    offers = (Offer("RTP/AVP/TCP", interleaved=(first, first + 1)),)
    choice = choose(offers, udp=False, taken=taken)
    if choice is None:
        assert all(even in taken or even + 1 in taken for even in range(0, 256, 2))
    else:
        assert isinstance(choice, Channels) and not {choice.rtp, choice.rtcp} & taken
