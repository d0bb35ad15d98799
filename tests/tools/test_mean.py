"""The mean of weights is one, of one network only, and a file that holds none is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

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
