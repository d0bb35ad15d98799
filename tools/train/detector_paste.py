"""Rendered plates and look-alikes put into photographs: the exact corners of the detector's training.

May import: numpy, OpenCV, ``tools.train.scenes_data``. Nothing here is read from a file.
"""

from __future__ import annotations

import string

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.scenes_data import from_centres

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)


def posed(rng: np.random.Generator, aspect: float, width: float, turn: float, hard: float) -> Array:
    """Corners [4, 2] about the origin of a flat plate seen by a pinhole camera.

    ``aspect``: width to height of the flat plate; ``width``: pixels it would have face on; ``turn``: roll in
    degrees; ``hard``: 0 (face on) to 1 (yaw to 60 degrees, pitch to 40).
    """
    half = np.array([[-1, -1 / aspect], [1, -1 / aspect], [1, 1 / aspect], [-1, 1 / aspect]]) * (width / 2)
    yaw = np.deg2rad(np.clip(rng.normal(0, 28 * hard), -60, 60))
    pitch = np.deg2rad(np.clip(rng.normal(0, 16 * hard), -40, 40))
    roll = np.deg2rad(turn)
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    points = np.concatenate([half, np.zeros((4, 1))], 1)
    points = points @ np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]).T
    points = points @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]).T
    distance = width * rng.uniform(3, 20)
    flat = points[:, :2] * (distance / (distance + points[:, 2:3]))
    return flat @ np.array([[cr, -sr], [sr, cr]]).T


def tone(picture: Image, target: float, rng: np.random.Generator) -> Image:
    """``picture`` with its mean drawn towards ``target`` grey levels and a light falling across it."""
    mean = max(float(picture.mean()), 8.0)
    gain = float(np.clip(target / mean, 0.25, 1.6)) * float(np.exp(rng.normal(0, 0.18)))
    h, w = picture.shape[:2]
    slope = np.linspace(1 - rng.uniform(0, 0.25), 1 + rng.uniform(0, 0.25), w)[None, :, None]
    fall = np.linspace(1 - rng.uniform(-0.2, 0.2), 1 + rng.uniform(-0.2, 0.2), h)[:, None, None]
    lifted = picture.astype(np.float32) * (gain * slope * fall).astype(np.float32) + rng.uniform(-6, 12)
    return np.clip(lifted, 0, 255).astype(np.uint8)


def paste(canvas: Image, picture: Image, corners: Array) -> None:
    """Draw ``picture`` into ``canvas`` so that its corners come to ``corners``, with smooth edges."""
    h, w = canvas.shape[:2]
    ph, pw = picture.shape[:2]
    edges = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
    wide, high = max(float(edges[0]), float(edges[2]), 4.0), max(float(edges[1]), float(edges[3]), 3.0)
    factor = max(wide / pw, high / ph)
    if factor < 0.8:
        picture = cv2.resize(
            picture, (max(int(pw * factor * 1.2), 4), max(int(ph * factor * 1.2), 3)), interpolation=cv2.INTER_AREA
        ).astype(np.uint8)
        ph, pw = picture.shape[:2]
    x1, y1 = np.maximum(np.floor(corners.min(0)).astype(int) - 2, 0)
    x2, y2 = np.minimum(np.ceil(corners.max(0)).astype(int) + 2, [w, h])
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    source = np.array([[0, 0], [pw, 0], [pw, ph], [0, ph]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, (corners - [x1, y1]).astype(np.float32))
    size = (int(x2 - x1), int(y2 - y1))
    drawn = cv2.warpPerspective(
        picture,
        from_centres(np.asarray(matrix, np.float64)),
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    mask = np.zeros((size[1] * 4, size[0] * 4), np.uint8)
    cv2.fillConvexPoly(mask, np.round((corners - [x1, y1]) * 4 - 0.5).astype(np.int32), 255)
    alpha = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255)[:, :, None]
    region = canvas[y1:y2, x1:x2]
    region[:] = (drawn * alpha + region * (1 - alpha) + 0.5).astype(np.uint8)


def cover(canvas: Image, corners: Array, rng: np.random.Generator) -> None:
    """Paint over what lies in ``corners`` (a little larger) with the colours just around it."""
    centre = corners.mean(0)
    outer = (corners - centre) * 1.18 + centre
    h, w = canvas.shape[:2]
    x1, y1 = np.maximum(np.floor(outer.min(0)).astype(int) - 3, 0)
    x2, y2 = np.minimum(np.ceil(outer.max(0)).astype(int) + 3, [w, h])
    if x2 - x1 < 4 or y2 - y1 < 4:
        return
    region = canvas[y1:y2, x1:x2]
    mask = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.asarray(np.round(outer - [x1, y1]), np.int32), 255)
    ring = region[mask == 0].reshape(-1, 3)
    if len(ring) == 0:
        return
    colour = np.median(ring, 0) * rng.uniform(0.5, 1.0)
    rough = rng.normal(0, 4, region.shape)
    filled = np.clip(colour + cv2.GaussianBlur(rough, (0, 0), 2.0), 0, 255)
    alpha = (cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32) / 255)[:, :, None]
    region[:] = (filled * alpha + region * (1 - alpha)).astype(np.uint8)


def words(rng: np.random.Generator, low: int, high: int, alphabet: str) -> str:
    """Random characters of ``alphabet``, ``low`` to ``high`` of them."""
    return "".join(alphabet[int(i)] for i in rng.integers(0, len(alphabet), int(rng.integers(low, high + 1))))


def look_alike(rng: np.random.Generator) -> Image:
    """Something that is not a plate but may look like one: sign, poster, van lettering, grille, lamp, window, label."""
    kind = int(rng.integers(0, 8))
    ground = rng.integers(0, 256, 3).astype(float)
    ink = np.array([255.0] * 3) if ground.mean() < 120 else np.array([0.0, 0, 0])
    ink = np.clip(ink + rng.normal(0, 50, 3), 0, 255)
    font = FONTS[int(rng.integers(0, len(FONTS)))]
    colour = (float(ink[0]), float(ink[1]), float(ink[2]))
    if kind in (0, 1):  # several lines of words: poster, road sign, shop front
        lines = int(rng.integers(1, 5)) if kind else int(rng.integers(2, 6))
        alphabet = string.ascii_letters + "   "
        picture = np.full((40 * lines + 16, int(rng.integers(120, 420)), 3), ground, np.uint8)
        for row in range(lines):
            cv2.putText(
                picture,
                words(rng, 5, 18, alphabet),
                (int(rng.integers(2, 30)), 38 + 40 * row),
                font,
                float(rng.uniform(0.6, 1.3)),
                colour,
                int(rng.integers(1, 4)),
                cv2.LINE_AA,
            )
    elif kind == 2:  # a telephone number or a web address, long and without a frame
        text = (
            words(rng, 9, 14, string.digits + " -")
            if rng.random() < 0.6
            else "www." + words(rng, 6, 14, string.ascii_lowercase) + ".com"
        )
        picture = np.full((50, 24 * len(text), 3), ground, np.uint8)
        cv2.putText(picture, text, (8, 38), font, 1.1, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
    elif kind == 3:  # grille or louvre
        picture = np.full((int(rng.integers(30, 100)), int(rng.integers(100, 300)), 3), ground * 0.5, np.uint8)
        step = int(rng.integers(4, 16))
        upright = rng.random() < 0.5
        for at in range(0, picture.shape[1] if upright else picture.shape[0], step):
            ends = ((at, 0), (at, 999)) if upright else ((0, at), (999, at))
            cv2.line(picture, ends[0], ends[1], colour, max(step // 3, 1), cv2.LINE_AA)
    elif kind == 4:  # lamp or window: a bright shape with a soft middle
        picture = np.full((60, int(rng.integers(60, 200)), 3), ground * 0.6, np.uint8)
        cv2.ellipse(
            picture, (picture.shape[1] // 2, 30), (picture.shape[1] // 2 - 6, 24), 0, 0, 360, colour, -1, cv2.LINE_AA
        )
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1, 8))).astype(np.uint8)
    elif kind == 5:  # round or square road sign with one or two characters
        picture = np.full((100, 100, 3), ground, np.uint8)
        cv2.circle(picture, (50, 50), 46, colour, int(rng.integers(4, 12)), cv2.LINE_AA)
        cv2.putText(picture, words(rng, 1, 2, string.digits), (18, 66), font, 1.6, colour, 4, cv2.LINE_AA)
    elif kind == 6:  # one large word on a coloured field: a shop's sign
        text = words(rng, 4, 11, string.ascii_uppercase)
        picture = np.full((64, 40 * len(text) + 30, 3), ground, np.uint8)
        cv2.putText(picture, text, (14, 50), font, 1.7, colour, int(rng.integers(3, 7)), cv2.LINE_AA)
    else:  # maker's badge: few letters spread over a plain surface
        picture = np.full((40, int(rng.integers(120, 260)), 3), ground, np.uint8)
        text = words(rng, 3, 8, string.ascii_uppercase)
        for i, char in enumerate(text):
            x = int(8 + i * (picture.shape[1] - 20) / len(text))
            cv2.putText(picture, char, (x, 32), font, 0.9, colour, int(rng.integers(1, 3)), cv2.LINE_AA)
    return picture


def lettering(rng: np.random.Generator) -> tuple[str, int, float, int, tuple[float, float, float]]:
    """Words without a ground of their own, as cameras write the time and vans their owners: text, font, scale, stroke
    and BGR colour."""
    draw = rng.random()
    if draw < 0.5:
        digits = [int(v) for v in rng.integers(0, 60, 3)]
        text = f"20{digits[0] % 40:02d}-{digits[1] % 12 + 1:02d}-{digits[2] % 28 + 1:02d}" if rng.random() < 0.7 else ""
        text += f" {digits[2] % 24:02d}:{digits[0]:02d}:{digits[1]:02d}"
    elif draw < 0.75:
        text = words(rng, 3, 6, string.ascii_uppercase) + " " + words(rng, 2, 4, string.digits)
    else:
        text = words(rng, 3, 12, string.ascii_letters + string.digits + " ")
    level = 255.0 if rng.random() < 0.7 else 0.0
    colour = (level, level, level) if rng.random() < 0.7 else tuple(float(v) for v in rng.integers(0, 256, 3))
    scale = float(rng.uniform(0.3, 1.1))
    return (
        text.strip(),
        FONTS[int(rng.integers(0, len(FONTS) - 1))],
        scale,
        1 + int(scale > 0.6),
        (colour[0], colour[1], colour[2]),
    )
