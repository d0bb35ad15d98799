"""Whether what was found and read is a plate: what the detector's score and the text say together.

Neither alone says enough: lamps and badges look like plates and give short or poor texts, and a plate in a bumper as
light as itself is a poor detection with a clear text. The values were chosen on photographs (docs/models.md).

Pure. May import ``lpr.events`` (Reading).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lpr.events import Reading

__all__ = ["CLEAR", "DIM", "GLANCE", "MOST_DIM", "UNKNOWN", "confirmed", "enough_read", "legible"]

PLAIN: Final = 0.9
"""A detection with this score is a plate whatever its text says."""

LIKELY: Final = 0.6
"""A detection with this score is a plate when its text is long enough; below, the text has to be fairly read, too."""

FAIR: Final = 0.6
"""The confidence of a text that is fairly read."""

CLEAR: Final = 0.7
"""The confidence that a text of no known format needs."""

UNKNOWN: Final = 0.2
"""How much more confidence than others a text of no known format needs to make a quick look enough."""

DIM: Final = 1.1
"""By how much (of its logit) a score may lie under the threshold where the text alone can make it a plate: with the
usual threshold of 0.4 down to 0.18."""

MOST_DIM: Final = 2
"""So many such detections of a picture are read, the best."""

LEGIBLE: Final = 0.85
"""The confidence that their text needs, besides a known format."""

GLANCE: Final = 0.5
"""Where the network alone gives the least sure character less than this, no text is searched for: it would hardly be
``LEGIBLE``."""


def confirmed(detection: float, text: str, confidence: float, min_characters: int, known: bool = True) -> bool:
    """Whether detector and reader together say that a detection over the threshold is a plate.

    ``known``: the text has a known format.
    """
    if detection >= PLAIN:
        return True
    if len(text) < min_characters or (not known and confidence < CLEAR):
        return False
    return detection >= LIKELY or confidence >= FAIR


def legible(text: str, confidence: float, min_characters: int, known: bool) -> bool:
    """Whether the text alone says that a detection under the threshold is a plate."""
    return known and len(text) >= min_characters and confidence >= LEGIBLE


def enough_read(plates: Sequence[Reading], least: float) -> bool:
    """Whether a quick look at a picture was enough: a plate was read with a confidence of ``least``, or with
    ``UNKNOWN`` more when its text has no known format."""
    return any(
        plate.text and plate.confidence >= (least if plate.layout is not None else least + UNKNOWN) for plate in plates
    )
