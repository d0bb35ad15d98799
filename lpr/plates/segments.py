"""From a reader's columns or slots to *segments*: short stretches that each hold a few possible strings.

A CTC reader is sure of the blank between most characters. There its columns fall apart into segments that do not
depend on each other, and the probability of a text is the product over the segments. Inside one segment the
probability of a string is the sum over all ways to write it into the columns (Graves et al., "Connectionist temporal
classification", 2006), by a search over prefixes that drops what is hopeless. A reader with fixed slots is the simple
case: each slot is a segment, with one character or none.

Pure. May import numeric libraries only.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALPHABET", "TWINS", "Segment", "of_slots", "of_steps"]

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The characters of a column or slot in order; the blank is the column after them."""

BLANK: Final = len(ALPHABET)

TWINS: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "O": (("0", 1.0), ("Q", 0.1)),
    "0": (("O", 1.0), ("D", 0.1), ("Q", 0.1)),
    "I": (("1", 1.0),),
    "1": (("I", 1.0),),
    "Q": (("O", 0.1), ("0", 0.1)),
    "D": (("0", 0.1),),
}
"""Characters that one die or one blur makes the same, so that only their place can part them; how alike they are."""

Segment = tuple[tuple[str, float], ...]
"""The strings that a segment may hold with their log-probabilities (nats), the likeliest first. Not empty."""

_SURE_BLANK: Final = 0.995
_LEAST: Final = 1e-3
_HOPELESS: Final = 1e-6
_MOST: Final = 6
_IN_A_RUN: Final = 6
"""Characters of one column that count where several columns hang together: what is doubtful there is no plate."""


def of_slots(p: NDArray[np.float64], twins: float) -> list[Segment]:
    """Segments of fixed slots. ``p``: (slots, 37), rows sum to 1, the blank last. ``twins``: see ``of_steps``."""
    blank: list[float] = p[:, BLANK].tolist()
    return [
        _segment({"": blank[row], **characters}, twins)
        for row, characters in _characters(p).items()
        if blank[row] < 1 - _LEAST
    ]


def of_steps(p: NDArray[np.float64], twins: float) -> list[Segment]:
    """Segments of CTC columns. ``p``: (columns, 37), rows sum to 1, the blank last.

    ``twins``: a look-alike of a character gets at least this share of that character's probability: what a reader
    says of two characters of one shape is a guess.
    """
    blank: list[float] = p[:, BLANK].tolist()
    seen = _characters(p)
    segments: list[Segment] = []
    run: list[tuple[float, dict[str, float]]] = []
    for column, share in enumerate(blank):
        if share < _SURE_BLANK:
            run.append((share, seen.get(column, {})))
        elif run:
            segments.append(_segment(_strings(run), twins))
            run = []
    if run:
        segments.append(_segment(_strings(run), twins))
    return segments


def _characters(p: NDArray[np.float64]) -> dict[int, dict[str, float]]:
    """Row to its characters that are not hopeless, with their probabilities."""
    rows, codes = np.nonzero(p[:, :BLANK] > _LEAST)
    found: dict[int, dict[str, float]] = {}
    for row, code, share in zip(rows.tolist(), codes.tolist(), p[rows, codes].tolist(), strict=True):
        found.setdefault(row, {})[ALPHABET[code]] = share
    return found


def _strings(columns: list[tuple[float, dict[str, float]]]) -> dict[str, float]:
    """Each string that these columns (blank, characters) may spell, with its probability."""
    first, characters = columns[0]
    if len(columns) == 1:
        return {"": first, **characters}
    # prefix: probability that ends in a blank, and in its last character
    ends: dict[str, tuple[float, float]] = {"": (first, 0.0)}
    ends.update((char, (0.0, share)) for char, share in _few(characters))
    for blank, characters in columns[1:]:
        after: dict[str, tuple[float, float]] = {}
        shares = _few(characters)
        for prefix, (free, held) in ends.items():
            last = prefix[-1:]
            was = after.get(prefix, (0.0, 0.0))
            after[prefix] = (was[0] + (free + held) * blank, was[1] + held * characters.get(last, 0.0))
            for char, share in shares:
                more = (free if char == last else free + held) * share
                if more > _HOPELESS:
                    was = after.get(prefix + char, (0.0, 0.0))
                    after[prefix + char] = (was[0], was[1] + more)
        if len(after) > 2 * _MOST:
            totals = sorted([free + held for free, held in after.values()], reverse=True)
            least = totals[2 * _MOST - 1]
            after = {text: both for text, both in after.items() if both[0] + both[1] >= least}
        ends = after
    return {text: free + held for text, (free, held) in ends.items()}


def _few(characters: dict[str, float]) -> list[tuple[str, float]]:
    """The likeliest of a column's characters."""
    if len(characters) <= _IN_A_RUN:
        return list(characters.items())
    return sorted(characters.items(), key=_share, reverse=True)[:_IN_A_RUN]


def _share(item: tuple[str, float]) -> float:
    return item[1]


def _segment(strings: dict[str, float], twins: float) -> Segment:
    """Ranked, at most ``_MOST``, with the look-alikes of single characters lifted."""
    lifted = {text: share for text, share in strings.items() if share > _LEAST}
    for text, share in strings.items():
        for twin, alike in TWINS.get(text, ()):
            if share * twins * alike > lifted.get(twin, _LEAST):
                lifted[twin] = share * twins * alike
    ranked = sorted(lifted.items(), key=lambda item: -item[1])[:_MOST] or [("", 1.0)]
    return tuple((text, math.log(share)) for text, share in ranked)
