"""What a camera does to a scene: light, colour, night, infrared, motion blur, noise, compression.

May import: numpy, OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def motion_kernel(length: float, angle: float) -> NDArray[np.float32]:
    """Kernel of a straight movement of ``length`` pixels at ``angle`` degrees, sum 1."""
    size = max(int(np.ceil(length)) | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    dx, dy = np.cos(np.deg2rad(angle)) * (length - 1) / 2, np.sin(np.deg2rad(angle)) * (length - 1) / 2
    start = (round((middle - dx) * 16), round((middle - dy) * 16))
    end = (round((middle + dx) * 16), round((middle + dy) * 16))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA, 4)
    total = float(kernel.sum())
    return kernel / total if total > 0 else np.full((1, 1), 1.0, np.float32)


def photograph(rng: np.random.Generator, image: Image) -> Image:
    """One scene as some camera would give it."""
    out = image
    draw = rng.random(10)
    if draw[0] < 0.22:
        length = float(rng.uniform(2, 9))
        out = cv2.filter2D(
            out, -1, motion_kernel(length, float(rng.uniform(-30, 30) if rng.random() < 0.7 else rng.uniform(0, 180)))
        )
    elif draw[0] < 0.40:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.6)))
    elif draw[0] < 0.50:
        soft = cv2.GaussianBlur(out, (0, 0), 1.0)
        out = cv2.addWeighted(out, 1.0 + float(rng.uniform(0.3, 1.5)), soft, -float(rng.uniform(0.3, 1.0)), 0)
    grey = draw[1] < 0.25
    if grey:
        weights = rng.dirichlet([2.0, 4.0, 3.0])
        one = (out.astype(np.float32) @ weights.astype(np.float32))[:, :, None]
        out = np.repeat(np.clip(one, 0, 255).astype(np.uint8), 3, 2)
    # One look-up table a channel carries exposure, gamma, contrast, tint and clipping.
    level = np.arange(256, dtype=np.float64) / 255
    gamma = float(np.exp(rng.normal(0, 0.28)))
    night = draw[2] < 0.12
    gain = float(rng.uniform(0.25, 0.6)) if night else float(np.exp(rng.normal(0, 0.16)))
    lift = float(rng.normal(0, 0.035))
    tint = np.zeros(3) if grey else rng.normal(0, 0.06, 3)
    table = np.stack([np.clip((level**gamma * gain + lift) * (1 + t), 0, 1) * 255 for t in tint], 1)
    out = cv2.LUT(out, table.astype(np.uint8).reshape(1, 256, 3))
    if not grey and draw[3] < 0.3:
        hsv = cv2.cvtColor(out.astype(np.uint8), cv2.COLOR_BGR2HSV)
        hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + int(rng.integers(-14, 15))) % 180
        hsv[:, :, 1] = np.clip(hsv[:, :, 1] * rng.uniform(0.3, 1.4), 0, 255).astype(np.uint8)
        out = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    h, w = out.shape[:2]
    if draw[4] < 0.2:  # a shadow's edge or a light's cone across the scene
        ramp = (
            np.linspace(-1, 1, w)[None, :] * rng.normal()
            + np.linspace(-1, 1, h)[:, None] * rng.normal()
            + rng.normal(0, 0.5)
        )
        soft = 1 / (1 + np.exp(-ramp * rng.uniform(2, 20)))
        out = np.clip(out * (1 - rng.uniform(0.2, 0.7) * soft)[:, :, None], 0, 255).astype(np.uint8)
    if draw[5] < 0.5:
        sigma = float(rng.uniform(8, 22)) if night and draw[6] < 0.5 else float(rng.exponential(4.0))
        noise = np.empty((h, w * (1 if grey else 3)), np.int16)
        cv2.setRNGSeed(int(rng.integers(0, 2**31)))
        cv2.randn(noise, np.zeros(1), np.full(1, min(sigma, 25.0)))
        out = np.clip(out.astype(np.int16) + noise.reshape(h, w, -1), 0, 255).astype(np.uint8)
    if draw[7] < 0.5:
        quality = int(rng.integers(20, 92))
        done, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
        out = out if decoded is None else decoded
    return out.astype(np.uint8, copy=False)
