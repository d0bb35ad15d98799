"""Training data repeats from its seed, and a short training learns, resumes and exports to a reader that loads."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.evaluate import calibration_error, folded
from tools.train.gather import Box, gather
from tools.train.plates_data import HEIGHT, SLOTS, STYLE_NAMES, WIDTH, doubled, encode
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


def test_some_texts_get_neighbours_alike_and_keep_their_pattern() -> None:
    rng = np.random.default_rng(4)
    texts = [doubled(rng, "AB12CD") for _ in range(400)]
    assert {"".join("0" if char.isdigit() else "A" for char in text) for text in texts} == {"AA00AA"}
    changed = [text for text in texts if text != "AB12CD"]
    assert 20 < len(changed) < 120
    assert all(any(a == b for a, b in pairwise(text)) for text in changed)


def test_plates_without_a_text_are_gathered_when_the_labeller_is_sure(tmp_path: Path) -> None:
    plates = [
        {"box": [20.0, 30.0, 90.0, 50.0], "text": "KNOWN1"},
        {"box": [100.0, 30.0, 170.0, 50.0], "text": None},
        {"box": [20.0, 80.0, 60.0, 95.0], "text": None},
    ]
    for name in ("openimages_lp", "ro_robertlucian"):
        (tmp_path / name / "images").mkdir(parents=True)
        picture = np.random.default_rng(1).integers(0, 255, (160, 240, 3), np.uint8)
        assert cv2.imwrite(str(tmp_path / name / "images" / "a.png"), picture)
        record = {"image": "images/a.png", "width": 240, "height": 160, "plates": plates}
        (tmp_path / name / "annotations.jsonl").write_text(json.dumps(record) + "\n")
    asked: list[Box] = []

    def label(image: NDArray[np.uint8], box: Box) -> str:
        assert image.shape == (160, 240, 3)
        asked.append(box)
        return "SURE22" if box[0] == 100 else ""

    assert [crop.text for crop in gather(tmp_path, 4, 1)[1]] == ["KNOWN1"] * 2
    crops = gather(tmp_path, 4, 1, label)[1]
    assert [crop.text for crop in crops] == ["KNOWN1", "SURE22"] * 2
    assert asked == [(100.0, 30.0, 170.0, 50.0), (20.0, 80.0, 60.0, 95.0)] * 2
    x1, y1, x2, y2 = crops[1].box
    assert (x2 - x1, y2 - y1) == (70, 20) and x1 >= 0 and y2 <= crops[1].image.shape[0]


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
