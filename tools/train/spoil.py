"""What wear, light and the camera do to a plate, on gray float pictures (0 to 255). Randomness comes from ``rng``."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["shade", "spoil", "wear"]

Picture = NDArray[np.float32]


def _cloud(rng: np.random.Generator, height: int, width: int, cells: int) -> Picture:
    """Smooth noise from -1 to 1 with about ``cells`` patches across."""
    small = rng.uniform(-1, 1, (max(2, cells * height // max(width, 1) + 1), max(2, cells)))
    small = np.asarray(small, np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def wear(rng: np.random.Generator, ground: Picture, ink: Picture, level: float) -> Picture:
    """Paint the characters (``ink`` 0..1, grey ``level``) on the ground: worn, dirty, embossed. A new picture."""
    height, width = int(ground.shape[0]), int(ground.shape[1])
    if rng.random() < 0.25:
        gone = np.maximum(_cloud(rng, height, width, 14), 0) * np.float32(rng.uniform(0.2, 0.8))
        ink = ink * np.clip(1 - gone, 0, 1)
    if rng.random() < 0.3:
        ink = ink * np.float32(rng.uniform(0.55, 1.0))
    flat = ground * (1 - ink) + np.float32(level) * ink
    if rng.random() < 0.45:  # embossed: a lit and a shaded edge
        step = max(1, round(height / 40))
        shift = np.roll(ink, (step, int(rng.integers(-step, step + 1))), (0, 1))
        flat = flat + (shift - ink) * np.float32(rng.uniform(-60, 60))
    if rng.random() < 0.3:
        flat = flat + _cloud(rng, height, width, int(rng.integers(3, 20))) * np.float32(rng.uniform(5, 35))
    if rng.random() < 0.1:
        for _ in range(int(rng.integers(1, 6))):
            at = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(flat, at, max(1, int(height * rng.uniform(0.01, 0.05))), (float(rng.uniform(0, 255)),), -1)
    return np.asarray(flat, np.float32)


def _grid(height: int, width: int) -> tuple[Picture, Picture]:
    """x and y of every pixel, to be broadcast."""
    return np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]


def shade(rng: np.random.Generator, picture: Picture, strength: float = 1.0) -> Picture:
    """Shadows with an edge, light that falls off, glare. Returns a new picture."""
    height, width = int(picture.shape[0]), int(picture.shape[1])
    if rng.random() < 0.28 * strength:
        x, y = _grid(height, width)
        angle = float(rng.uniform(0, 2 * math.pi))
        middle = width * float(rng.uniform(0.2, 0.8)), height * float(rng.uniform(0.2, 0.8))
        side = (x - middle[0]) * math.cos(angle) + (y - middle[1]) * math.sin(angle)
        edge = float(rng.uniform(0.5, 0.25 * height))
        dark = 1 / (1 + np.exp(np.clip(-side / edge, -30, 30)))
        picture = np.asarray(picture * (1 - dark * float(rng.uniform(0.2, 0.75))), np.float32)
    if rng.random() < 0.3 * strength:
        fall = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(rng.uniform(-0.4, 0.4))
        picture = np.asarray(picture * (1 + fall), np.float32)
    if rng.random() < 0.1 * strength:
        x, y = _grid(height, width)
        radius = height * float(rng.uniform(0.15, 0.6))
        at = width * float(rng.uniform(0.1, 0.9)), height * float(rng.uniform(0.1, 0.9))
        far = ((x - at[0]) ** 2 + (y - at[1]) ** 2) / radius**2
        picture = np.asarray(picture + np.exp(-far) * float(rng.uniform(40, 200)), np.float32)
    return np.asarray(picture, np.float32)


@lru_cache(maxsize=512)
def _streak(length: int, degrees: int) -> Picture:
    """The kernel of a motion of ``length`` pixels."""
    size = length | 1
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    matrix = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), degrees, 1)
    turned = np.asarray(cv2.warpAffine(kernel, matrix, (size, size)), np.float32)
    return turned / np.float32(max(float(turned.sum()), 1e-6))


def _coarse(rng: np.random.Generator, picture: Picture, plate: float) -> Picture:
    """What a video coder short of bits leaves: blocks with little in them keep a few cosines. A new picture.

    ``plate``: height of the plate in pixels; a block is 8 pixels, or 4 on small plates."""
    height, width = int(picture.shape[0]), int(picture.shape[1])
    block = 8 if plate >= 28 and rng.random() < 0.8 else 4
    across, down = width // block + 2, height // block + 2
    kept = [(1, 1), (1, block // 2), (block // 2, 1), (2, 2), (block // 2, block // 2)]
    kx, ky = kept[int(rng.integers(len(kept)))]
    x, y = (int(v) for v in rng.integers(0, block, 2))
    edges = ((y, down * block - height - y), (x, across * block - width - x))
    padded = np.pad(picture, edges, mode="edge")
    small = cv2.resize(padded, (across * kx, down * ky), interpolation=cv2.INTER_AREA)
    low = cv2.resize(small, (across * block, down * block), interpolation=cv2.INTER_NEAREST)
    if kx > 1 or ky > 1:
        low = cv2.blur(low, (max(1, block // kx - 1) | 1, max(1, block // ky - 1) | 1))
    told = cv2.resize((padded - low) ** 2, (across, down), interpolation=cv2.INTER_AREA)
    lost = (told <= np.quantile(told, rng.uniform(0.3, 0.9))).astype(np.float32)
    lost *= rng.random((down, across)) < 0.9
    mask = np.asarray(cv2.resize(lost, (across * block, down * block), interpolation=cv2.INTER_NEAREST), np.float32)
    mask *= np.float32(rng.uniform(0.6, 1.0))
    mixed = padded + (low - padded) * mask
    return np.ascontiguousarray(mixed[y : y + height, x : x + width], np.float32)


def spoil(rng: np.random.Generator, picture: Picture, plate: float, hardness: float = 1.0) -> NDArray[np.uint8]:
    """The camera: blur, exposure, noise, sharpening, JPEG. ``plate``: height of the plate in pixels (blur goes by it).

    ``hardness`` from 0 to 1 scales how bad it can get. How bad a picture gets is drawn once for all of it, so that
    some are clean and some are bad in every way.
    """
    bad = float(rng.beta(1.1, 3.0)) * hardness
    if rng.random() < 0.6:
        sigma = bad * plate * 0.047 * rng.random() + 0.2
        if sigma > 0.35:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    if rng.random() < 0.22:
        length = int(1 + bad * plate * 0.2 * rng.random())
        if length >= 3:
            along = int(rng.integers(180)) if rng.random() < 0.4 else int(rng.normal(0, 12)) % 180
            picture = np.asarray(cv2.filter2D(picture, -1, _streak(min(length, 25), along // 5 * 5)), np.float32)
    low, high = (float(v) for v in np.percentile(picture[::2, ::2], (2, 98)))
    if rng.random() < 0.3 + 0.5 * hardness:
        span = float(np.clip(rng.normal(150, 60), 30, 255))
        start = float(rng.uniform(0, max(1.0, 255 - span)))
        picture = np.asarray((picture - low) * (span / max(high - low, 8)) + start, np.float32)
    if rng.random() < 0.3:
        gamma = float(np.exp(rng.uniform(-0.6, 0.6)))
        picture = np.asarray(np.power(np.clip(picture, 0, 255) / 255, gamma) * 255, np.float32)
    if rng.random() < 0.7:
        contrast = float(np.clip(picture.std(), 5, 60)) / 50
        amount = rng.gamma(1.4, 5.0) * (0.3 + bad) * contrast
        picture = np.asarray(picture + rng.standard_normal(picture.shape, np.float32) * np.float32(amount), np.float32)
        if rng.random() < 0.4:
            picture = np.asarray(cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), 0.6), np.float32)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), 1.2)
        picture = np.asarray(picture + (picture - soft) * float(rng.uniform(0.5, 2.2)), np.float32)
    if rng.random() < 0.16 * hardness:
        picture = _coarse(rng, picture, plate)
    camera = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.55:
        quality = int(rng.uniform(12, 80) if bad > 0.3 else rng.uniform(35, 95))
        done, data = cv2.imencode(".jpg", camera, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            camera = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return camera
