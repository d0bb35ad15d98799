"""Events of passages as a camera at a gate leaves them, for benchmarks: the same for the same number.

A passage is eight captures with a reading each, the decision with eight votes, the signed pictures, a delivery.
"""

from __future__ import annotations

import hashlib

from lpr.events import (
    CaptureTaken,
    Character,
    Corners,
    Delivered,
    Event,
    Exposure,
    PassageDecided,
    PassageSigned,
    Picture,
    PlateRead,
    Reading,
    Vote,
)

CAPTURES = 8
EVENTS = 2 * CAPTURES + 3
"""Events of one passage."""

_START = 1_750_000_000_000_000
_GAP = 4_000_000
_FRAME = 125_000
_CORNERS: Corners = ((812.5, 604.25), (951.75, 606.5), (951.0, 650.25), (812.25, 648.5))


def plate_of(number: int) -> str:
    """A Brazilian plate of the Mercosul form for passage ``number``."""
    letters = "".join(chr(65 + (number // 26**place) % 26) for place in range(4))
    return f"{letters[:3]}{number % 10}{letters[3]}{number // 10 % 100:02d}"


def picture_of(text: str, size: int = 204_800) -> Picture:
    """A picture that is only named."""
    return Picture(blob=hashlib.sha256(text.encode()).hexdigest(), width=1920, height=1080, bytes=size)


def passage(number: int, source: str = "camera") -> list[Event]:
    """The events of passage ``number`` in the order of the log. Ids are made up."""
    plate = plate_of(number)
    first = _START + number * _GAP
    characters = tuple(
        Character(
            char=char, confidence=round(0.9 + (number + place) % 97 / 1000, 4), others=(("8", 0.0121), ("B", 0.003))
        )
        for place, char in enumerate(plate)
    )
    events: list[Event] = []
    for index in range(CAPTURES):
        at, position = first + index * _FRAME, number * 100 + index * 4
        events.append(
            CaptureTaken(
                capture=f"{source}@{at}",
                source=source,
                lane="1",
                trigger="free-flow",
                reason="level 12.5 over threshold 8",
                at=at,
                position=position,
                exposures=(Exposure(at=at, position=position, picture=picture_of(f"{number}-{index}")),),
            )
        )
        reading = Reading(
            text=plate,
            confidence=0.9012,
            characters=characters,
            box=(812.25, 604.25, 951.75, 650.25),
            corners=_CORNERS,
            detection=0.9731,
            country="BR",
            layout="br-mercosul",
            sharpness=812.5,
        )
        events.append(
            PlateRead(
                capture=f"{source}@{at}",
                source=source,
                lane="1",
                at=at,
                exposure=0,
                reading=reading,
                engine="lpr 1",
                elapsed_ms=31.25,
            )
        )
    last = first + (CAPTURES - 1) * _FRAME
    votes = tuple(
        Vote(capture=f"{source}@{first + i * _FRAME}", exposure=0, text=plate, confidence=0.9012, weight=1.25)
        for i in range(CAPTURES)
    )
    events.append(
        PassageDecided(
            source=source,
            lane="1",
            plate=plate,
            confidence=0.9312,
            characters=characters,
            country="BR",
            layout="br-mercosul",
            at=last,
            first_at=first,
            last_at=last,
            capture=f"{source}@{last}",
            exposure=0,
            picture=picture_of(f"{number}-{CAPTURES - 1}"),
            box=(812.25, 604.25, 951.75, 650.25),
            corners=_CORNERS,
            direction="approach",
            reads=CAPTURES,
            votes=votes,
            trigger="free-flow",
        )
    )
    passage_id = f"01977f2a-{number & 0xFFFF:04x}-8000-8000-{number:012x}"
    events.append(
        PassageSigned(
            passage=passage_id,
            plate=plate,
            at=last,
            picture=picture_of(f"{number}-signed"),
            plate_picture=picture_of(f"{number}-plate", 6_144),
            key="4f" * 32,
        )
    )
    events.append(Delivered(sink="push", passage=passage_id, record=number * EVENTS + 18, attempt=1, answer="200 OK"))
    return events
