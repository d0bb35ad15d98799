"""Plates drawn onto a picture for people: outline and text, in the colour of their reliability. Pure functions.

The one place for it: the pages, snapshots and the streams draw with this. May import ``lpr.events``, OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Reading

COLOURS = ((0.9, (118, 196, 72)), (0.7, (60, 176, 240)), (0.0, (84, 84, 236)))
"""Smallest confidence -> BGR: green, amber, red."""
INK = (24, 20, 16)


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``image`` (H, W, 3) with ``size`` (width, height); the image itself when it has that already."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    smaller = size[0] < image.shape[1] or size[1] < image.shape[0]
    done = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.ascontiguousarray(done, dtype=np.uint8)


def annotate(canvas: NDArray[np.uint8], readings: Sequence[Reading], scale: tuple[float, float]) -> None:
    """Draw the outline and the text of each plate onto ``canvas`` (H, W, 3, BGR).

    ``scale``: from the readings' pixels to the canvas's, across and down.
    """
    unit = max(canvas.shape[1], 320) / 960
    for reading in readings:
        colour = next(bgr for least, bgr in COLOURS if reading.confidence >= least or least == 0.0)
        corners = np.array(reading.corners, dtype=np.float64) * scale
        outline = np.clip(np.rint(corners), -10000, 10000).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [outline], True, INK, max(3, round(5 * unit)), cv2.LINE_AA)
        cv2.polylines(canvas, [outline], True, colour, max(2, round(2.4 * unit)), cv2.LINE_AA)
        if reading.text:
            _label(canvas, f"{reading.text}  {round(reading.confidence * 100)}%", outline, colour, unit)


def drawn(image: NDArray[np.uint8], readings: Sequence[Reading], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of ``size`` (width, height) with the plates of ``image`` drawn; ``image`` stays as it is, and is given
    back itself when nothing is to be done."""
    canvas = resized(image, size)
    if readings:
        canvas = canvas.copy() if canvas is image else canvas
        annotate(canvas, readings, (size[0] / image.shape[1], size[1] / image.shape[0]))
    return canvas


def draw(image: NDArray[np.uint8], readings: Sequence[Reading], width: int) -> NDArray[np.uint8]:
    """``drawn`` at most ``width`` wide, in the picture's own shape."""
    scale = min(1.0, width / image.shape[1])
    return drawn(image, readings, (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))))


def _label(
    canvas: NDArray[np.uint8], text: str, outline: NDArray[np.int32], colour: tuple[int, int, int], unit: float
) -> None:
    font, size, weight = cv2.FONT_HERSHEY_DUPLEX, 0.62 * unit, max(1, round(1.2 * unit))
    (wide, high), _ = cv2.getTextSize(text, font, size, weight)
    pad = round(6 * unit)
    left = int(np.clip(outline[:, 0, 0].min(), 0, max(0, canvas.shape[1] - wide - 2 * pad)))
    top = int(outline[:, 0, 1].min()) - high - 3 * pad
    if top < 0:
        top = int(outline[:, 0, 1].max()) + pad
    cv2.rectangle(canvas, (left, top), (left + wide + 2 * pad, top + high + 2 * pad), INK, cv2.FILLED)
    cv2.rectangle(canvas, (left, top), (left + max(3, pad // 2), top + high + 2 * pad), colour, cv2.FILLED)
    cv2.putText(
        canvas, text, (left + pad + pad // 2, top + high + pad), font, size, (245, 245, 245), weight, cv2.LINE_AA
    )
