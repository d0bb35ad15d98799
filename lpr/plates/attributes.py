"""The vote on what is known of a vehicle besides its plate's text: kind, colour, make, model, and its plate's inks.

Each reading of one vehicle has a weight (how well it shows it) and an opinion with a confidence; who says nothing or
"unknown" abstains. The name with the greatest sum of weight times confidence wins when it has more than ``MAJORITY``
of all that was said and was said with ``LEAST`` confidence on the (weighted) average. Make and model are one opinion.
Pure. Imports ``lpr.events`` and ``lpr.plates.voting`` (weights by size and sharpness).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lpr.events import Reading
from lpr.plates.legible import plate_height

MAJORITY = 0.5
"""The winner has more than this part of what was said."""

LEAST = 0.4
"""The winner's mean confidence is at least this."""

UNKNOWN = "unknown"

Name = TypeVar("Name", str, tuple[str, str | None])


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the vote says; None where nobody can tell. ``ink``: the colour of the plate's characters."""

    kind: str | None = None
    colour: str | None = None
    make: str | None = None
    model: str | None = None
    ink: str | None = None


def attributes(readings: Sequence[Reading]) -> Attributes:
    """The vote of one vehicle's readings, in any order."""
    weights = weights_of(readings)
    seen = [(reading.vehicle, weight) for reading, weight in zip(readings, weights, strict=True) if reading.vehicle]
    kind = winner((one.kind, one.kind_confidence, weight) for one, weight in seen)
    colour = winner(
        (None if one.colour == UNKNOWN else one.colour, one.colour_confidence, weight) for one, weight in seen
    )
    make = winner(
        ((one.make, one.model) if one.make is not None else None, one.make_confidence, weight) for one, weight in seen
    )
    ink = winner((reading.ink_colour, 1.0, weight) for reading, weight in zip(readings, weights, strict=True))
    return Attributes(
        kind=kind, colour=colour, make=make[0] if make else None, model=make[1] if make else None, ink=ink
    )


def weights_of(readings: Sequence[Reading]) -> list[float]:
    """How much each reading counts, against the best of them: by the plate's height and sharpness."""
    heights = [max(0.0, plate_height(reading.corners)) for reading in readings]
    sharp = [max(0.0, reading.sharpness) for reading in readings]
    tallest, sharpest = max(heights, default=0.0), max(sharp, default=0.0)
    return [
        max(1e-3, (height / tallest if tallest > 0 else 1.0) * (0.5 + 0.5 * (edge / sharpest if sharpest > 0 else 1.0)))
        for height, edge in zip(heights, sharp, strict=True)
    ]


def winner(said: Iterable[tuple[Name | None, float, float]]) -> Name | None:
    """``said``: (name or None, confidence, weight). The name that wins, None when none does."""
    scores: dict[Name, float] = {}
    weights: dict[Name, float] = {}
    for name, confidence, weight in said:
        if name is None or confidence <= 0.0 or weight <= 0.0:
            continue
        scores[name] = scores.get(name, 0.0) + confidence * weight
        weights[name] = weights.get(name, 0.0) + weight
    if not scores:
        return None
    best = max(scores, key=lambda name: (scores[name], repr(name)))
    if scores[best] <= MAJORITY * sum(scores.values()) or scores[best] < LEAST * weights[best]:
        return None
    return best
