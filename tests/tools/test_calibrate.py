"""Calibration of a CTC reader: the forward algorithm against all paths, and a known temperature found again."""

from __future__ import annotations

import math
from itertools import groupby, product

import numpy as np
import pytest

from lpr.plates.decode import ALPHABET
from lpr.vision.ocr import SlotProbabilities
from tools.evaluate.scores import ctc_log_probability, fit_temperature

BLANK = len(ALPHABET)


@pytest.mark.parametrize("codes", [(), (0,), (0, 0), (0, 1), (1, 0, 1), (0, 0, 0)])
def test_the_forward_algorithm_counts_every_path(codes: tuple[int, ...]) -> None:
    p = np.zeros((4, BLANK + 1))
    p[:, [0, 1, BLANK]] = np.random.default_rng(1).dirichlet((1, 1, 1), 4)
    whole = sum(
        math.prod(float(p[i, code]) for i, code in enumerate(path))
        for path in product((0, 1, BLANK), repeat=4)
        if tuple(code for code, _ in groupby(path) if code != BLANK) == codes
    )
    found = math.exp(ctc_log_probability(np.log(p + 1e-300), codes))
    assert found == pytest.approx(whole, rel=1e-6, abs=1e-12)


def test_the_temperature_of_a_reader_that_is_too_sure() -> None:
    """Texts drawn from the columns' probabilities; the reader then says everything with logits times two."""
    rng = np.random.default_rng(2)
    slots: list[SlotProbabilities] = []
    texts: list[str] = []
    for _ in range(250):
        logits = rng.normal(0, 1.6, (6, BLANK + 1))
        logits[::2, BLANK] += 12
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        path = [int(rng.choice(BLANK + 1, p=row)) for row in p]
        texts.append("".join(ALPHABET[code] for code, _ in groupby(path) if code != BLANK))
        sure = np.exp(2 * logits) / np.exp(2 * logits).sum(1, keepdims=True)
        slots.append(SlotProbabilities(sure.astype(np.float32), {}, None, ctc=True))
    assert fit_temperature(slots, texts) == pytest.approx(2.0, rel=0.15)
