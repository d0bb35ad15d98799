"""Comparing with other programs: a made-up one in a process of its own, and what is said when it is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lpr.scene.plates import render_plate, spec_for
from tools.compare import Peer, PeerError, main, plain, texts_of

RAPIDOCR = '''
"""Says what is in the file beside the picture; "crash" ends it."""
import os, sys
from types import SimpleNamespace


class RapidOCR:
    def __init__(self, params):
        assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 1
        print("a greeting that must not come between the answers")

    def __call__(self, data):
        if len(data) < 10:
            sys.stderr.write("it crashed\\n" * 20000)
            os._exit(3)
        if data[:1] == b"?":
            raise ValueError("no picture")
        return SimpleNamespace(txts=("Brasil", "abc", "-1d23"))
'''


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "peer"
    package.mkdir()
    (package / "rapidocr.py").write_text(RAPIDOCR)
    monkeypatch.setenv("PYTHONPATH", str(package))
    return package


def test_texts_are_compared_plainly_and_lines_also_together() -> None:
    assert plain("abc-1d23 ·") == "ABC1D23"
    assert texts_of(["Brasil", "ABC", "1D23", "·"], joined=True) == ["BRASIL", "ABC", "1D23", "BRASILABC", "ABC1D23",
                                                                     "1D23"]  # fmt: skip
    assert texts_of(["abc", "1D23"], joined=False) == ["ABC", "1D23"]


def test_ours_and_another_on_the_same_pictures(tmp_path: Path, peer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    lines: list[str] = []
    for name, text in (("a.png", "ABC1D23"), ("b.png", "RTV4H86")):
        plate = render_plate(spec_for(text, "br-mercosul"), 60)
        scene = np.full((360, 480, 3), 90, np.uint8)
        scene[150 : 150 + plate.shape[0], 120 : 120 + plate.shape[1]] = plate
        cv2.imwrite(str(folder / name), scene)
        box = [120, 150, 120 + plate.shape[1], 150 + plate.shape[0]]
        lines.append(json.dumps({"image": name, "plates": [{"box": box, "corners": None, "text": text}]}))
    (folder / "annotations.jsonl").write_text("\n".join(lines))
    main([str(folder), "--rapidocr", sys.executable, "--json", str(tmp_path / "r.json"), "--country", "BR"])
    found = json.loads((tmp_path / "r.json").read_text())["set"]
    assert (found["lpr"]["pictures"], found["lpr"]["exact"]) == (2, 1.0)
    assert found["rapidocr"]["exact"] == 0.5
    assert found["rapidocr"]["wrong"] == [["b.png", "RTV4H86", "BRASIL ABC 1D23 BRASILABC ABC1D23"]]
    assert "| `set` | rapidocr | 2 | 50.0 % | 50.0 % |" in capsys.readouterr().out


def test_one_that_fails_at_a_picture_goes_on_and_one_that_ends_is_said(tmp_path: Path, peer: Path) -> None:
    bad, small = tmp_path / "bad.jpg", tmp_path / "small.jpg"
    bad.write_bytes(b"?" * 20)
    small.write_bytes(b"x")
    other = Peer("rapidocr", sys.executable)
    assert other.read(bad)[0] == []
    with pytest.raises(PeerError, match=r"rapidocr ended at .*small\.jpg \(it crashed\)"):
        other.read(small)
    other.close()


def test_one_that_is_not_installed_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rapidocr.py").write_text("raise ImportError('No module named onnxruntime')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PeerError, match=r"does not start .*No module named onnxruntime.*pip install rapidocr"):
        Peer("rapidocr", sys.executable)
    with pytest.raises(PeerError, match="cannot be run"):
        Peer("fast-alpr", str(tmp_path / "python"))
