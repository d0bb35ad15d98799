"""Glyphs of fonts for the reader's training: a zero with a dot, which plates do not have, loses it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.lettering import undotted


def ring() -> NDArray[np.uint8]:
    """A zero: an upright ellipse."""
    zero = np.zeros((120, 80), np.uint8)
    cv2.ellipse(zero, ((40, 60), (60, 100), 0.0), (255,), 12, cv2.LINE_AA)
    return zero


def test_a_dotted_zero_loses_its_dot_and_nothing_else() -> None:
    dotted = ring()
    cv2.circle(dotted, (40, 60), 8, (255,), -1, cv2.LINE_AA)
    assert (undotted(dotted) == ring()).all()


def test_a_plain_and_a_slashed_zero_stay() -> None:
    assert (undotted(ring()) == ring()).all()
    slashed = ring()
    cv2.line(slashed, (20, 95), (60, 25), (255,), 8, cv2.LINE_AA)
    assert (undotted(slashed) == slashed).all()
