"""Training data repeats from its seed, and a short training learns, resumes and exports to a reader that loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.evaluate import calibration_error, folded
from tools.train.plates_data import HEIGHT, SLOTS, STYLE_NAMES, WIDTH, encode
from tools.train.stream import BLOCK, ROW, Recipe, make_block, make_factory, unpack


def test_blocks_repeat_and_are_sound() -> None:
    recipe = Recipe(5, variants=1)
    first, second = np.zeros((24, ROW), np.uint8), np.zeros((24, ROW), np.uint8)
    make_block(make_factory(recipe), recipe, 0, 3, first)
    make_block(make_factory(recipe), recipe, 0, 3, second)
    assert np.array_equal(first, second)
    patches, labels, styles, rows = unpack(first)
    assert patches.shape == (24, HEIGHT, WIDTH) and labels.shape == (24, SLOTS)
    assert ((styles >= 0) & (styles < len(STYLE_NAMES))).all() and set(rows.tolist()) <= {0, 1}
    blank = labels == 36
    assert not (blank[:, :-1] & ~blank[:, 1:]).any(), "blanks only at the end"
    assert patches.reshape(24, -1).std(1).mean() > 8
    other = np.zeros((24, ROW), np.uint8)
    make_block(make_factory(recipe), recipe, 1, 3, other)
    assert not np.array_equal(first, other)


def test_labels_and_measures() -> None:
    assert encode("A1").tolist() == [10, 1] + [36] * 8
    with pytest.raises(ValueError, match="longer"):
        encode("A" * 11)
    assert folded("OI01") == "0101"
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error([0.9] * 10, [False] * 10) == pytest.approx(0.9)
    assert calibration_error([], []) == 0.0


def test_a_short_training_learns_resumes_and_exports(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from lpr.vision.ocr import PlateReader
    from tools.train.export_reader import export, write_manifest
    from tools.train.reader import Schedule, train

    recipe = Recipe(3, variants=0, ramp=10_000)
    short = Schedule(steps=8, batch=8, warm=2, capacity=BLOCK, ready=BLOCK, report=0.0)
    train(tmp_path, recipe, short, 0, 1, "cpu")
    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines]
    assert losses[-1] < losses[0]
    again = Schedule(steps=10, batch=8, warm=2, capacity=BLOCK, ready=BLOCK, report=0.0)
    weights = train(tmp_path, recipe, again, 0, 1, "cpu")
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["step"] == 10
    export(weights, tmp_path / "reader.onnx")
    write_manifest(tmp_path, "tiny", 1.0)
    reader = PlateReader(tmp_path / "reader.json")
    slots = reader.probabilities([np.zeros((HEIGHT, WIDTH), np.uint8)])[0]
    assert slots.characters.shape[1] == 37
    assert np.allclose(slots.characters.sum(1), 1, atol=1e-4)
    assert set(slots.layouts) == set(STYLE_NAMES)


def test_the_temperature_is_found() -> None:
    from lpr.vision.ocr import SlotProbabilities
    from tools.evaluate import fit_temperature

    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (200, 10, 37)).astype(np.float32)
    fair = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    columns = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    texts: list[str] = []
    slots: list[SlotProbabilities] = []
    for probabilities in fair:
        drawn = [int(rng.choice(37, p=row / row.sum())) for row in probabilities.astype(np.float64)]
        if 36 in drawn:
            continue
        texts.append("".join(columns[i] for i in drawn))
        sharp = probabilities**2
        slots.append(SlotProbabilities((sharp / sharp.sum(1, keepdims=True)).astype(np.float32), {}, None))
    assert fit_temperature(slots, texts) == pytest.approx(2.0, rel=0.15)
    assert fit_temperature([], []) == 1.0
