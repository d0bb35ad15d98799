"""Samples and strategies shared by the tests of Milesight's formats."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import strategies as st

from lpr.events import Character, PassageDecided, Picture
from lpr.protocols.milesight import REVISIONS, Metadata

GOLDEN = Path(__file__).parents[2] / "golden" / "milesight"

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
U8, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
REVISION = st.sampled_from(REVISIONS)


def golden(name: str) -> bytes:
    """The bytes of ``tests/golden/milesight/<name>.hex``."""
    return bytes.fromhex(re.sub("#.*", "", (GOLDEN / f"{name}.hex").read_text()))


def _fits(size: int, text: str) -> bool:
    return len(text.encode()) <= size


METADATA = st.builds(
    Metadata,
    guid=st.binary(min_size=16, max_size=16),
    time_ms=st.integers(0, 2**64 - 1),
    plate=TEXT,
    number=TEXT.filter(lambda text: _fits(16, text)),
    vehicle_colour=U8,
    plate_colour=U8,
    speed=U16,
    images=st.just(0),
    direction=U8,
    region=TEXT.filter(lambda text: _fits(32, text)),
    roi=U8,
    vehicle=U8,
    confidence=st.floats(0, 1, width=32),
    plate_type=U8,
    distance=st.integers(-(2**31), 2**31 - 1),
    azimuth=st.floats(width=32, allow_nan=False),
    vehicles=U32,
    width=U16,
    height=U16,
    x1=U16,
    y1=U16,
    x2=U16,
    y2=U16,
    rest=st.binary(max_size=40),
)


PASSAGE = PassageDecided(
    source="gate",
    lane="1",
    plate="AMW212",
    confidence=0.7,
    characters=tuple(Character(char=char, confidence=0.7) for char in "AMW212"),
    country="BE",
    layout=None,
    at=1_706_767_205_509_999,
    first_at=1_706_767_204_000_000,
    last_at=1_706_767_206_000_000,
    capture="gate@1706767205509999",
    exposure=0,
    picture=Picture(blob="0" * 64, width=1280, height=720, bytes=1000),
    box=(473.2, 93.9, 675.1, 134.5),
    corners=((473.0, 94.0), (675.0, 94.0), (675.0, 134.0), (473.0, 134.0)),
    direction="away",
    reads=3,
    votes=(),
    plate_colour="white",
    vehicle="bus",
    vehicle_colour="white",
)
"""The manual's example of the HTTP type, as a passage (2024-02-01 06:00:05.509 UTC)."""
