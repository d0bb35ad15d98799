"""The Transport header: what a client offers, what is taken of it, and how that is answered (RFC 2326, 12.39).

Taken are RTP/AVP by UDP unicast to the client's own address, and RTP/AVP/TCP interleaved. A ``destination`` is not
looked at: packets go where the request came from, or anybody could have a third one flooded.

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

MAX_OFFERS = 16
"""Transports of one header that are looked at."""

LOWEST_PORT = 1024
"""UDP ports of clients under this one are not sent to."""

_PAIR = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Offer:
    """One of the transports that a client names. ``profile``: "RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP" …"""

    profile: str
    multicast: bool = False
    interleaved: tuple[int, int] | None = None
    client_port: tuple[int, int] | None = None
    mode: str = "PLAY"


@dataclass(frozen=True, slots=True)
class Channels:
    """Interleaved: RTP on ``rtp``, RTCP on ``rtcp`` of the connection."""

    rtp: int
    rtcp: int


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports of the client."""

    rtp: int
    rtcp: int


Choice: TypeAlias = "Channels | Ports"


def parse_transport(header: str) -> tuple[Offer, ...]:
    """Every transport of a header, in the client's order. What is malformed is passed over; never raises."""
    found: list[Offer] = []
    for text in header.split(",")[:MAX_OFFERS]:
        profile, *parameters = (part.strip() for part in text.split(";"))
        if not profile:
            continue
        values = {name.strip().lower(): value.strip().strip('"') for name, _, value in _split(parameters)}
        found.append(
            Offer(
                profile.upper(),
                "multicast" in values,
                _pair(values.get("interleaved"), 255),
                _pair(values.get("client_port"), 65535),
                values.get("mode", "PLAY").upper(),
            )
        )
    return tuple(found)


def choose(offers: Collection[Offer], *, udp: bool, taken: Collection[int] = ()) -> Choice | None:
    """The first offer that can be served; None: 461.

    ``udp``: whether UDP is served here. ``taken``: channels that the connection uses already; an offer that names one
    of them, or none, gets the next free pair.
    """
    for offer in offers:
        if offer.multicast or offer.mode not in ("PLAY", ""):
            continue
        if offer.profile == "RTP/AVP/TCP":
            channels = _channels(offer.interleaved, taken)
            if channels is not None:
                return channels
        elif offer.profile in ("RTP/AVP", "RTP/AVP/UDP") and udp and offer.client_port is not None:
            rtp, rtcp = offer.client_port
            if min(rtp, rtcp) >= LOWEST_PORT and rtp != rtcp:
                return Ports(rtp, rtcp)
    return None


def format_transport(choice: Choice, *, ssrc: int, server_port: tuple[int, int] | None = None) -> str:
    """The value of the answer's Transport. ``server_port``: RTP and RTCP port here, for UDP."""
    if isinstance(choice, Channels):
        return f'RTP/AVP/TCP;unicast;interleaved={choice.rtp}-{choice.rtcp};ssrc={ssrc:08X};mode="PLAY"'
    here = "" if server_port is None else f"server_port={server_port[0]}-{server_port[1]};"
    return f'RTP/AVP;unicast;client_port={choice.rtp}-{choice.rtcp};{here}ssrc={ssrc:08X};mode="PLAY"'


def _split(parameters: list[str]) -> list[tuple[str, str, str]]:
    return [parameter.partition("=") for parameter in parameters]


def _pair(text: str | None, most: int) -> tuple[int, int] | None:
    match = _PAIR.fullmatch(text or "")
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if max(first, second) <= most else None


def _channels(wanted: tuple[int, int] | None, taken: Collection[int]) -> Channels | None:
    if wanted is not None and wanted[0] != wanted[1] and not {*wanted} & {*taken}:
        return Channels(*wanted)
    for rtp in range(0, 256, 2):
        if rtp not in taken and rtp + 1 not in taken:
            return Channels(rtp, rtp + 1)
    return None
