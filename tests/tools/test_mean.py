"""The mean of weights is one, of one network only, and a file that holds none is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tools.train.plates_data import HEIGHT, WIDTH

torch = pytest.importorskip("torch")


def test_a_mean_is_weighed_and_keeps_what_is_counted() -> None:
    from tools.train.mean import mean

    one = {"weight": torch.tensor([1.0, 2.0]), "batches": torch.tensor(3)}
    other = {"weight": torch.tensor([3.0, 6.0]), "batches": torch.tensor(5)}
    found = mean([(one, 0.75), (other, 0.25)])
    assert torch.equal(found["weight"], torch.tensor([1.5, 3.0])) and found["weight"].dtype == torch.float32
    assert found["batches"].item() == 3
    with pytest.raises(ValueError, match="add up to 1"):
        mean([(one, 0.75), (other, 0.75)])
    with pytest.raises(ValueError, match="different networks"):
        mean([(one, 0.5), ({"weight": torch.zeros(3), "batches": torch.tensor(1)}, 0.5)])


def test_the_command_takes_weights_and_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.train import mean

    torch.save({"weight": torch.tensor([2.0])}, tmp_path / "reader.pt")
    torch.save({"average": {"weight": torch.tensor([4.0])}, "step": 7}, tmp_path / "checkpoint.pt")
    out = tmp_path / "out.pt"
    words = [f"{tmp_path / 'reader.pt'}=0.5", f"{tmp_path / 'checkpoint.pt'}=0.5"]
    monkeypatch.setattr(sys, "argv", ["mean", str(out), *words])
    mean.main()
    assert torch.load(out, weights_only=True)["weight"].tolist() == [3.0]


def test_a_mean_of_readers_is_normalized_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.train import mean
    from tools.train.normalizations import settled
    from tools.train.reader_net import FULL, ReaderNet

    torch.manual_seed(4)
    weights = ReaderNet(FULL).state_dict()
    weights["body.0.1.running_mean"] += 5.0  # as no picture gives it
    torch.save(weights, tmp_path / "reader.pt")
    out = tmp_path / "out.pt"
    monkeypatch.setattr(sys, "argv", ["mean", str(out), f"{tmp_path / 'reader.pt'}=1", "--measure", "4"])
    mean.main()
    found = torch.load(out, weights_only=True)
    assert found["body.0.1.running_mean"].abs().max() < 2.0 < weights["body.0.1.running_mean"].min()
    same = [name for name in weights if "running" not in name and "batches" not in name]
    assert all(torch.equal(found[name], weights[name]) for name in same)
    # A picture without a contrast gives every channel the same value, whatever it weighs.
    flat = settled(weights, np.full((3, HEIGHT, WIDTH), 90, np.uint8))
    assert flat["body.0.1.running_mean"].abs().max() < 1e-4 and flat["body.0.1.running_var"].abs().max() < 1e-6


@pytest.mark.parametrize("words", [["{0}/none.pt=1", "--measure", "1"], ["{0}/some.pt=1", "--measure", "2"]])
def test_what_cannot_be_measured_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from tools.train import mean

    torch.save({"weight": torch.tensor([2.0])}, tmp_path / "some.pt")
    monkeypatch.setattr(sys, "argv", ["mean", str(tmp_path / "out.pt"), *(word.format(tmp_path) for word in words)])
    with pytest.raises(SystemExit):
        mean.main()
    assert "--measure" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["{0}/none.pt=1"], ["{0}/odd.pt=1"], ["{0}/odd.pt=much"]])
def test_what_is_no_file_of_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from tools.train import mean

    torch.save({"step": 7}, tmp_path / "odd.pt")
    monkeypatch.setattr(sys, "argv", ["mean", str(tmp_path / "out.pt"), *(word.format(tmp_path) for word in words)])
    with pytest.raises(SystemExit):
        mean.main()
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "out.pt").exists()
