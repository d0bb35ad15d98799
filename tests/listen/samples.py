"""Broken and whole messages that the reports are tried with."""

from __future__ import annotations

from collections.abc import Sequence

from lpr.listen.report import Deviation

JPEG = (
    b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x20\x00\x80\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f"
    b"\x00\x00\xff\xd9"
)
"""128 by 32 pixels, as far as its markers go."""


def fields(deviations: Sequence[Deviation]) -> list[str]:
    """Where something deviates."""
    return [one.field for one in deviations]
