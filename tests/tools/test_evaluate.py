"""Measuring recognition: folders, the arithmetic, both levels, and the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Character, Corners
from lpr.scene.plates import render_plate, spec_for
from tools.evaluate.__main__ import main, settings_from
from tools.evaluate.levels import progress
from tools.evaluate.markdown import MarkError, placed
from tools.evaluate.samples import FolderError, angle_of, height_of, labelled_by, load, thinned, with_labels
from tools.evaluate.scores import Outcome, align, calibration_error, figures, folded, reliability

TEXTS = st.text("ABCI0O15", max_size=9)


def outcome(
    truth: str,
    read: str,
    confidence: float = 0.9,
    *,
    found: bool = True,
    height: float = 25.0,
    angle: float | None = 3.0,
) -> Outcome:
    return Outcome(
        picture="a.jpg",
        truth=truth,
        read=read,
        found=found,
        confidence=confidence,
        characters=tuple(Character(char=char, confidence=confidence) for char in read),
        height=height,
        angle=angle,
        box=(0.0, 0.0, 9.0, 9.0),
    )


def photo(path: Path, text: str, layout: str = "br-mercosul") -> tuple[int, int, int, int]:
    """A picture with one drawn plate on grey; the plate's box."""
    plate = render_plate(spec_for(text, layout), 60)
    height, width = plate.shape[:2]
    scene = np.full((360, 480, 3), 90, np.uint8)
    scene[150 : 150 + height, 120 : 120 + width] = plate
    cv2.imwrite(str(path), scene)
    return (120, 150, 120 + width, 150 + height)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two pictures with the plates' true texts, the second one wrong by one character."""
    folder = tmp_path / "set"
    folder.mkdir()
    lines: list[str] = []
    for name, text, label in (("a.png", "ABC1D23", "ABC1D23"), ("b.png", "RTV4H86", "RTV4H89")):
        box = photo(folder / name, text)
        plate = {"box": box, "corners": None, "text": label, "country": "BR"}
        lines.append(json.dumps({"image": name, "width": 480, "height": 360, "plates": [plate]}))
    (folder / "annotations.jsonl").write_text("\n".join(lines) + "\n")
    return folder


# --- folders ------------------------------------------------------------------------------------------------


def test_a_folder_is_labelled_without_plates_or_unknown(tmp_path: Path, labelled: Path) -> None:
    folder = load(labelled)
    assert (folder.kind, folder.texts, folder.crops) == ("labelled", 2, False)
    alone = tmp_path / "alone"
    alone.mkdir()
    photo(alone / "x.png", "ABC1D23")
    assert load(alone).kind == "unlabelled"
    assert load(alone).photos[0].plates is None
    (alone / "labels.csv").write_text("image,class\nx.png,background\n")
    assert load(alone).kind == "background"
    assert load(alone).photos[0].plates == ()
    assert len(thinned(folder, 1).photos) == 1 and thinned(folder, 0) is folder


def test_a_folder_that_cannot_be_measured_says_why(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"neither annotations\.jsonl nor pictures"):
        load(tmp_path)
    (tmp_path / "annotations.jsonl").write_text('{"image": "a.jpg", "plates": []}\n{"image": 3}\n')
    with pytest.raises(FolderError, match="line 2: no annotation"):
        load(tmp_path)


def test_crops_are_known_by_their_boxes(tmp_path: Path) -> None:
    plate = {"box": [0, 0, 100, 30], "corners": None, "text": "ABC1234"}
    record = {"image": "a.jpg", "width": 100, "height": 30, "plates": [plate]}
    (tmp_path / "annotations.jsonl").write_text(json.dumps(record))
    assert load(tmp_path).crops


def test_height_and_lean_of_corners() -> None:
    upright: Corners = ((0, 0), (100, 0), (100, 30), (0, 30))
    assert (height_of(upright), angle_of(upright)) == (30.0, 0.0)
    leaning: Corners = ((0, 0), (100, -100), (120, -80), (20, 20))
    assert angle_of(leaning) == pytest.approx(45.0)
    upside_down: Corners = ((100, 30), (0, 30), (0, 0), (100, 0))
    assert angle_of(upside_down) == pytest.approx(0.0)


# --- arithmetic ---------------------------------------------------------------------------------------------


@given(TEXTS, TEXTS)
def test_an_alignment_uses_each_character_once_and_in_order(truth: str, read: str) -> None:
    pairs = align(truth, read)
    assert [i for i, _ in pairs if i is not None] == list(range(len(truth)))
    assert [j for _, j in pairs if j is not None] == list(range(len(read)))
    edits = sum(i is None or j is None or folded(truth[i]) != folded(read[j]) for i, j in pairs)
    assert edits <= max(len(truth), len(read))
    if folded(truth) == folded(read):
        assert edits == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_the_diagram_holds_every_value_and_gives_the_error(values: list[tuple[float, bool]]) -> None:
    sure, right = [value for value, _ in values], [hit for _, hit in values]
    bins = reliability(sure, right)
    assert sum(each["count"] for each in bins) == len(values)
    error = calibration_error(sure, right)
    assert 0.0 <= error <= 1.0
    again = sum(abs(each["right"] - each["confidence"]) * each["count"] for each in bins) / max(len(values), 1)
    assert again == pytest.approx(error, abs=1e-3)


def test_the_figures_of_some_plates() -> None:
    found = figures(
        [
            outcome("ABC1234", "ABC1234"),
            outcome("ABO1234", "AB01234"),
            outcome("ABC1234", "ABC124", 0.4, height=50.0, angle=25.0),
            outcome("XYZ9999", "", 0.0, found=False, angle=None),
        ]
    )
    assert (found["plates"], found["exact"], found["folded"], found["found"]) == (4, 0.25, 0.5, 0.75)
    assert found["characters"] == round(20 / 28, 4)
    assert found["character_errors"] == round(8 / 28, 4)
    assert found["confusions"] == {"O>0": 1, "3>": 1}
    assert found["by_height"] == {"20-30": [2, 3], "45-": [0, 1]}
    assert found["by_angle"] == {"0-5": [2, 2], "20-30": [0, 1]}
    assert found["precision_and_coverage_above"]["0.7"] == [1.0, 0.5]


def test_no_plates_give_no_figures_of_them() -> None:
    assert figures([])["exact"] == 0.0


# --- the command --------------------------------------------------------------------------------------------


def test_both_levels_and_a_report_that_loads_nothing(
    tmp_path: Path, labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, figures_file, page = tmp_path / "r.html", tmp_path / "r.json", tmp_path / "page.md"
    page.write_text("before\n<!-- figures:validate -->\nold\n<!-- /figures:validate -->\nafter\n")
    main([str(labelled), "--country", "BR", "--json", str(figures_file), "--html", str(report), "--into", str(page)])
    folder = json.loads(figures_file.read_text())["folders"]["set"]
    for level in ("reader", "whole"):
        assert (folder[level]["plates"], folder[level]["exact"]) == (2, 0.5)
        assert folder[level]["confusions"] == {"9>6": 1}
        assert folder[level]["wrong"][0][:3] == ["b.png", "RTV4H89", "RTV4H86"]
    assert folder["whole"]["cpu_s_an_image"] > 0
    assert (folder["whole"]["right"], folder["whole"]["with_text"], folder["whole"]["unmatched"]) == (1, 2, 0)
    text = report.read_text()
    assert "RTV4H89" in text and "data:image/jpeg;base64," in text and "<svg" in text
    assert not re.search(r"(src|href)=[\"'](?!data:)", text) and "<script" not in text
    assert "old" not in page.read_text() and "| `set` | 2 |" in page.read_text()
    assert page.read_text().startswith("before") and page.read_text().endswith("after\n")
    assert capsys.readouterr().out.count("\n") == 2
    diagrams = tmp_path / "r.svg"
    main(["--from", str(figures_file), "--markdown", "--diagrams", str(diagrams)])
    assert "| `set` | 2 | 50.0 % (1) |" in capsys.readouterr().out
    drawn = ElementTree.fromstring(diagrams.read_text())
    assert [each.text for each in drawn.iter() if each.get("class") == "title"] == ["set, plates", "set, characters"]
    with pytest.raises(SystemExit, match="name the folders again"):
        main(["--from", str(figures_file), "--html", str(report)])


def test_texts_on_pictures_without_a_plate_are_false_reads(tmp_path: Path) -> None:
    photo(tmp_path / "x.png", "ABC1D23")
    (tmp_path / "labels.csv").write_text("image,class\nx.png,background\n")
    main([str(tmp_path), "--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html"), "--markdown"])
    found = json.loads((tmp_path / "r.json").read_text())["folders"][tmp_path.name]["whole"]
    assert (found["pictures"], found["false_reads"], found["reads"]) == (1, 1, 1)
    assert found["texts_without_plate"][0][1] == "ABC1D23"
    assert "1 texts where no plate is annotated" in (tmp_path / "r.html").read_text()


def test_settings_are_those_of_the_configuration() -> None:
    settings = settings_from(["engine.detector_size=768", "min_detection=0.3"], ["BR"])
    assert (settings.detector_size, settings.min_detection, settings.countries) == (768, 0.3, ("BR",))
    with pytest.raises(SystemExit, match=r"write engine\.KEY=VALUE"):
        settings_from(["engine.size=3"])
    with pytest.raises(SystemExit, match="detector_size"):
        settings_from(["engine.detector_size=9"])


def test_what_is_wrong_with_the_command_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="neither annotations"):
        main([str(tmp_path)])
    with pytest.raises(SystemExit, match="name at least one folder"):
        main([])


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(MarkError, match="<!-- figures:x -->"):
        placed("a page", "x", "text")


def test_progress_shows_on_a_terminal_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress([1, 2], "set", show=True)) == [1, 2]
    assert "set: 2 of 2" in capsys.readouterr().err
    assert list(progress([1, 2], "set", show=False)) == [1, 2]
    assert capsys.readouterr().err == ""


def test_labels_give_texts_to_pictures_without(tmp_path: Path) -> None:
    lines = [
        {"image": f"{name}.png", "width": 60, "height": 20, "plates": [{"box": [0, 0, 60, 20], "text": None}]}
        for name in "abc"
    ]
    (tmp_path / "annotations.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        '{"image": "c.png", "text": "ABC123", "rows": 2, "country": "SE"}\n\n{"image": "a.png", "text": "W1"}\n',
        encoding="utf-8",
    )
    found = labelled_by(load(tmp_path), labels)
    assert [photo.name for photo in found.photos] == ["c.png", "a.png"]
    first, second = (photo.plates[0] for photo in found.photos if photo.plates)
    assert (first.text, first.rows, first.country) == ("ABC123", 2, "SE") and first.is_crop
    assert (second.text, second.rows, second.country) == ("W1", None, None)
    assert found.texts == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: no label"),
        ('{"image": "a.png"}', "line 1: no label"),
        ('{"image": "x.png", "text": "A"}', "x.png is no picture"),
        ('{"image": "b.png", "text": "A"}', "b.png has 2 plates"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, line: str, said: str) -> None:
    plate = {"box": [0, 0, 60, 20], "text": None}
    lines = [{"image": "a.png", "plates": [plate]}, {"image": "b.png", "plates": [plate, plate]}]
    (tmp_path / "annotations.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    labels = tmp_path / "labels.jsonl"
    labels.write_text(line, encoding="utf-8")
    with pytest.raises(FolderError, match=said):
        labelled_by(load(tmp_path), labels)
    with pytest.raises(FolderError, match="cannot be read"):
        labelled_by(load(tmp_path), tmp_path / "none.jsonl")


def test_our_own_labels_are_plain_texts_each_once() -> None:
    folder = Path(__file__).parents[2] / "tools" / "evaluate" / "labels"
    files = [(folder / name).read_text(encoding="utf-8") for name in ("eu_crops.jsonl", "eu_crops_fresh.jsonl")]
    assert [len(text.splitlines()) for text in files] == [379, 112]
    labels = [json.loads(line) for text in files for line in text.splitlines()]
    assert len({label["image"] for label in labels}) == len(labels)
    assert all(re.fullmatch("[A-Z0-9]{1,10}", label["text"]) and label["rows"] in (1, 2) for label in labels)


def test_kinds_are_counted_where_they_are_known() -> None:
    seen = [replace(outcome("A1", "A1"), country="DE"), replace(outcome("A1", "A2"), country="FR", rows=1)]
    assert figures(seen)["by_country"] == {"DE": [1, 1], "FR": [0, 1]}
    assert "by_rows" not in figures(seen)


def test_labels_belong_to_one_folder(tmp_path: Path, labelled: Path) -> None:
    (tmp_path / "x.jsonl").write_text("")
    with pytest.raises(SystemExit, match="one folder"):
        main([str(labelled), "--labels", str(tmp_path / "x.jsonl")])
    lines = [{"image": "a.png", "plates": [{"box": [0, 0, 60, 20], "text": None}]}]
    (tmp_path / "annotations.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"image": "a.png", "text": "ABC123"}', encoding="utf-8")
    folders = [load(labelled), load(tmp_path)]
    assert [folder.texts for folder in with_labels(folders, labels)] == [folders[0].texts, 1]
    assert with_labels(folders, None) == folders
