"""Training data repeats from its seed, and a short training learns, resumes and exports to a reader that loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lpr.events import Corners
from tools.evaluate import calibration_error, folded
from tools.train.gather import LABELS, Box, gather, load, read_labels, save
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


def _photographs(folder: Path, plates: list[dict[str, object]]) -> None:
    """Both sets with one picture of 240 x 160 pixels each that has ``plates``."""
    for name in ("openimages_lp", "ro_robertlucian"):
        (folder / name / "images").mkdir(parents=True)
        picture = np.random.default_rng(1).integers(0, 255, (160, 240, 3), np.uint8)
        assert cv2.imwrite(str(folder / name / "images" / "a.png"), picture)
        record = {"image": "images/a.png", "width": 240, "height": 160, "plates": plates}
        (folder / name / "annotations.jsonl").write_text(json.dumps(record) + "\n")


def test_what_was_read_by_eye_counts_more_than_what_the_set_says(tmp_path: Path) -> None:
    _photographs(
        tmp_path,
        [
            {"box": [20.0, 30.0, 90.0, 50.0], "text": "KNOWN1"},
            {"box": [100.0, 30.0, 170.0, 50.0], "text": None},
            {"box": [20.0, 80.0, 60.0, 95.0], "text": "WRONG3"},
            {"box": [80.0, 80.0, 120.0, 95.0], "text": None},
        ],
    )
    seen: Corners = ((101.0, 31.0), (170.0, 30.0), (169.0, 50.0), (100.0, 52.0))

    def aim(image: NDArray[np.uint8], boxes: Sequence[Box]) -> list[Corners | None]:
        assert image.shape == (160, 240, 3)
        return [seen if box[0] == 100 else None for box in boxes]

    (tmp_path / "labels.jsonl").write_text(
        '{"image": "images/a.png", "plate": 1, "text": "BYEYE2", "rows": 2}\n'
        '{"image": "images/a.png", "plate": 2, "text": ""}\n'
    )
    labels = read_labels(tmp_path / "labels.jsonl")
    backgrounds, crops = gather(tmp_path, 4, 1, {"openimages_lp": labels}, aim)
    assert [(crop.text, crop.rows) for crop in crops] == [
        ("KNOWN1", None), ("BYEYE2", 2), ("KNOWN1", None), ("WRONG3", None)
    ]  # fmt: skip
    own = crops[1]
    assert np.allclose(own.box[2] - own.box[0], (70, 20)) and own.box.min() >= 0
    assert own.box[2, 0] <= own.image.shape[1] and own.box[2, 1] <= own.image.shape[0]
    assert np.allclose(own.corners - own.box[0], np.array(seen) - (100, 30), atol=1e-4)
    assert np.array_equal(crops[0].corners, crops[0].box)

    save(tmp_path / "real.npz", backgrounds, crops)
    again = load(tmp_path / "real.npz")[1]
    assert [(crop.text, crop.rows) for crop in again] == [(crop.text, crop.rows) for crop in crops]
    for one, other in zip(again, crops, strict=True):
        assert np.array_equal(one.image, other.image) and np.array_equal(one.corners, other.corners)


def test_the_texts_read_by_eye_are_sound() -> None:
    """A reader learns from nothing but what it can write."""
    for name in ("openimages_lp", "ro_robertlucian"):
        labels = read_labels(LABELS / f"{name}.jsonl")
        texts = [label for label in labels.values() if label.text]
        assert len(texts) > 40
        assert all(
            len(label.text) <= SLOTS and encode(label.text) is not None and label.rows in (1, 2) for label in texts
        )
    assert read_labels(LABELS / "none.jsonl") == {}


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


def test_a_light_reader_learns_from_one_that_is_full(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from tools.train.export_reader import export
    from tools.train.reader import Schedule, train
    from tools.train.reader_net import FULL, LIGHT, ReaderNet, adopt, net_for
    from tools.train.teacher import Teacher

    torch.manual_seed(5)
    full = ReaderNet(FULL).eval()
    torch.save(full.state_dict(), tmp_path / "full.pt")
    export(tmp_path / "full.pt", tmp_path / "full.onnx")
    teacher = Teacher(tmp_path / "full.onnx")
    pixels = torch.rand((3, 1, HEIGHT, WIDTH)) * 255
    lesson = teacher.of(pixels)
    assert torch.allclose(lesson.chars, full(pixels)[0], atol=1e-3)
    assert torch.allclose(teacher.asked(pixels).result().style, full(pixels)[1], atol=1e-3)

    recipe = Recipe(3, variants=0, ramp=10_000)
    schedule = Schedule(steps=3, batch=8, warm=2, capacity=BLOCK, ready=BLOCK, report=0.0)
    weights = train(tmp_path / "light", recipe, schedule, 0, 1, "cpu", full.state_dict(), shape=LIGHT, teacher=teacher)
    light = net_for(torch.load(weights, weights_only=True))
    assert light.shape == LIGHT and net_for(full.state_dict()).shape == FULL
    other = ReaderNet(LIGHT)
    adopt(other, light.state_dict())
    assert all(torch.equal(value, light.state_dict()[name]) for name, value in other.state_dict().items())


def test_a_light_reader_keeps_what_it_can_of_a_full_one() -> None:
    torch = pytest.importorskip("torch")
    from tools.train.reader_net import FULL, LIGHT, ReaderNet, adopt

    torch.manual_seed(6)
    full, light = ReaderNet(FULL).eval(), ReaderNet(LIGHT).eval()
    # Eight channels that tell something, and patterns that are the same for each channel that comes out.
    weights = full.state_dict()
    weights["body.0.0.weight"][8:] = 0
    weights["body.1.0.weight"][:, 8:] = 0
    weights["body.3.norm.weight"].zero_()
    weights["body.4.norm.weight"].zero_()
    weights["body.5.0.weight"].copy_(torch.randn(1, 56, 3, 3) * torch.randn(104, 56, 1, 1))
    full.load_state_dict(weights)
    adopt(light, weights)
    pixels = torch.rand((2, 1, HEIGHT, WIDTH)) * 255
    for ours, theirs in zip(light(pixels), full(pixels), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3)


def test_a_large_reader_begins_as_the_one_it_grew_from() -> None:
    torch = pytest.importorskip("torch")
    from tools.train.reader_net import FULL, LARGE, ReaderNet, adopt, net_for

    torch.manual_seed(8)
    full = ReaderNet(FULL).eval()
    large: Any = ReaderNet(LARGE).eval()
    adopt(large, full.state_dict())
    pixels = torch.rand((2, 1, HEIGHT, WIDTH)) * 255
    for ours, theirs in zip(large(pixels), full(pixels), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3)
    # What it has more of is not nothing for ever: it can learn.
    large.train()(pixels)[0].square().mean().backward()
    assert float(large.body[1][3].norm.weight.grad.abs().max()) > 0
    assert float(large.body[2][0].weight.grad[:, 24:].abs().max()) > 0
    assert net_for(large.state_dict()).shape == LARGE
    # A smaller one takes of a larger what fits.
    adopt(ReaderNet(FULL), large.state_dict())


@pytest.mark.parametrize("name", ["FULL", "LARGE", "LIGHT"])
def test_a_shipped_reader_can_be_trained_further(tmp_path: Path, name: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from tools.train import reader_net, restore
    from tools.train.export_reader import export
    from tools.train.normalizations import pictures
    from tools.train.reader import beginning

    torch.manual_seed(9)
    net = reader_net.ReaderNet(getattr(reader_net, name)).eval()
    # As after a training: no two parts are the same as they are in a fresh network (and one in its file).
    with torch.no_grad():
        for value in net.parameters():
            value.add_(torch.randn_like(value), alpha=0.01)
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for values in (part.weight, part.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
            for values in (part.bias, part.running_mean):
                torch.nn.init.uniform_(values, -0.3, 0.3)
    torch.save(net.state_dict(), tmp_path / "trained.pt")
    export(tmp_path / "trained.pt", tmp_path / "reader.onnx")
    recipe = Recipe(3, variants=0, ramp=10_000)
    seen = pictures(recipe, 32)
    again: Any = reader_net.net_for(restore.restore(tmp_path / "reader.onnx", seen)).eval()
    pixels = torch.tensor(seen[:8, None].astype(np.float32))
    for ours, theirs in zip(again(pixels), net(pixels), strict=True):
        assert torch.allclose(ours, theirs, atol=2e-3)
    # Its normalizations are those of the pictures, so that a training goes on from there.
    pixels = torch.tensor(seen[:, None].astype(np.float32))
    shade = pixels / 255 - (pixels / 255).mean((2, 3), keepdim=True)
    first = again.body[0][0](shade / (shade.square().mean((2, 3), keepdim=True).sqrt() + 0.02)).detach()
    assert torch.allclose(first.mean((0, 2, 3)), again.body[0][1].running_mean, atol=1e-3)
    assert torch.allclose(first.var((0, 2, 3)), again.body[0][1].running_var, rtol=1e-2)
    assert beginning(tmp_path / "trained.pt", recipe).keys() == net.state_dict().keys()


def test_what_is_no_reader_of_ours_cannot_be_trained_further(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from lpr.vision.detector_manifest import DETECTOR
    from tools.train import reader_net, restore

    seen = np.zeros((1, HEIGHT, WIDTH), np.uint8)
    with pytest.raises(ValueError, match="no reader of"):
        restore.restore(DETECTOR.with_suffix(".onnx"), seen)
    with pytest.raises(SystemExit):
        restore.main([str(tmp_path / "out.pt"), "--count", "0"])
    assert "--count has to be 1 or more" in capsys.readouterr().err
    (tmp_path / "none.onnx").write_bytes(b"no model")
    with pytest.raises(SystemExit):
        restore.main([str(tmp_path / "out.pt"), "--count", "1", "--model", str(tmp_path / "none.onnx")])
    assert "cannot be read" in capsys.readouterr().err
    restore.main([str(tmp_path / "out.pt"), "--count", "1", "--large"])
    assert reader_net.net_for(torch.load(tmp_path / "out.pt", weights_only=True)).shape == reader_net.LARGE


def test_a_teacher_teaches_only_what_it_reads_right(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from lpr.vision.detector_manifest import DETECTOR
    from lpr.vision.manifest import ModelError
    from tools.train.reader_net import CLASSES, STEPS
    from tools.train.teacher import Lesson, Teacher, lesson_loss

    torch.manual_seed(7)
    lesson = Lesson(torch.randn(2, STEPS, CLASSES), torch.randn(2, 5))
    chars, styles, lengths = lesson.chars.clone(), lesson.style.clone(), torch.tensor([4, 6])
    chars[1] += torch.randn(STEPS, CLASSES)
    assert float(lesson_loss(lesson, torch.tensor([True, False]), chars, styles, lengths)) == pytest.approx(0, abs=1e-5)
    assert float(lesson_loss(lesson, torch.tensor([False, False]), chars, styles, lengths)) == 0
    both = float(lesson_loss(lesson, torch.tensor([True, True]), chars, styles, lengths))
    assert float(lesson_loss(lesson, torch.tensor([False, True]), chars, styles, lengths)) == pytest.approx(2 * both)
    assert both > 0.1
    (tmp_path / "none.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot load"):
        Teacher(tmp_path / "none.onnx")
    with pytest.raises(ValueError, match="a teacher has"):
        Teacher(DETECTOR.with_suffix(".onnx"))


@pytest.mark.parametrize("schedule", [{"steps": 0}, {"steps": 1, "capacity": 100, "ready": 200}])
def test_a_training_that_would_never_end_is_refused(tmp_path: Path, schedule: dict[str, int]) -> None:
    pytest.importorskip("torch")
    from tools.train.reader import Schedule, train

    with pytest.raises(ValueError, match="give"):
        train(tmp_path, Recipe(3, variants=0), Schedule(**schedule), 0, 1, "cpu")


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
