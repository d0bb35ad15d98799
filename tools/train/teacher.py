"""A reader that teaches another: what it says of each column of a picture, not only the text, is what to learn.

Hinton et al. 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531. The teacher is a reader as it
is shipped (``reader.onnx``), so that a network of another shape can learn from it; what it misreads teaches nothing.

May import torch, onnxruntime by ``lpr.vision.manifest``.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lpr.vision.manifest import open_session
from tools.train.reader_net import CLASSES, STEPS

__all__ = ["Lesson", "Teacher", "lesson_loss"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a teacher says of a batch: logits (N, STEPS, CLASSES) of the columns, (N, styles) of the style."""

    chars: Tensor
    style: Tensor


class Teacher:
    """A reader's ONNX file with the outputs of ``tools.train.export_reader``."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Raises OSError, lpr.vision.manifest.ModelError, and ValueError for a network with other columns."""
        self._session = open_session(path, path.read_bytes(), threads)
        shapes = {value.name: list(value.shape) for value in self._session.get_outputs()}
        if shapes.get("characters", [])[1:] != [STEPS, CLASSES] or "style" not in shapes:
            raise ValueError(f"{path}: its outputs are {shapes}; a teacher has characters (batch, {STEPS}, {CLASSES})")

        self._beside = ThreadPoolExecutor(1, "teacher")

    def asked(self, pixels: Tensor) -> Future[Lesson]:
        """``of``, beside what the caller does next."""
        return self._beside.submit(self.of, pixels)

    def of(self, pixels: Tensor) -> Lesson:
        """What it says of ``pixels`` (N, 1, HEIGHT, WIDTH), 0 to 255."""
        given: Any = np.ascontiguousarray(pixels.detach().cpu().numpy())
        chars, style = self._session.run(["characters", "style"], {"pixels": given})
        return Lesson(_tensor(chars).to(pixels.device), _tensor(style).to(pixels.device))


def _tensor(values: object) -> Tensor:
    maker: Any = torch
    return maker.from_numpy(np.asarray(values, np.float32))


def lesson_loss(lesson: Lesson, right: Tensor, chars: Tensor, styles: Tensor, lengths: Tensor) -> Tensor:
    """How far a network's logits are from the lesson: the divergence of its columns over the text's length, and, with
    the weight that the style has in the loss of the labels, of its styles.

    ``right`` (N,): whether the teacher read it right; what it did not counts for nothing.
    """
    counts = right.float()
    total = counts.sum().clamp(min=1)
    columns = _divergence(lesson.chars, chars).sum(1) / lengths.clamp(min=1)
    return ((columns + 0.08 * _divergence(lesson.style, styles)) * counts).sum() / total


def _divergence(teacher: Tensor, pupil: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the last axis."""
    known = functional.log_softmax(teacher.float(), -1)
    own = functional.log_softmax(pupil.float(), -1)
    return functional.kl_div(own, known, reduction="none", log_target=True).sum(-1)
