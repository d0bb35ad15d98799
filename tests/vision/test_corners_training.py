"""Training of the closer look: samples say where the plate is, the network learns them and leaves as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("torch")

import torch as untyped

from lpr.vision.corners import CornerFinder, CornersManifest
from lpr.vision.manifest import load_manifest
from tests.vision.corner_models import write_closer
from tools.train import corners_export
from tools.train.corners import placed
from tools.train.corners_data import (
    Finding,
    disturbed,
    finding_sample,
    flat_samples,
    load_findings,
    sampled,
    save_findings,
    scene_samples,
)
from tools.train.corners_net import SIZE, CornerNet, loss
from tools.train.detector_scenes import plate_bank
from tools.train.mean import mean, weights_of
from tools.train.scenes_data import Photo, box_corners

torch: Any = untyped
QUAD = np.array([[200.0, 150.0], [300.0, 160.0], [298.0, 210.0], [198.0, 200.0]])


def photo() -> Photo:
    """A grey picture with one white plate at QUAD."""
    image = np.full((400, 500, 3), 60, np.uint8)
    cv2.fillConvexPoly(image, np.asarray(np.round(QUAD), np.int32), (255, 255, 255))
    half = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    return Photo("p", (image, half), QUAD[None], np.ones(1), np.zeros((0, 4)), np.zeros(0, bool))


def filled(patch: NDArray[np.uint8], corners: NDArray[np.float32]) -> float:
    """Share of overlap between what is bright in ``patch`` and the quadrilateral of ``corners``."""
    mask = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.asarray(np.round(corners.reshape(4, 2) * SIZE - 0.5), np.int32), 1)
    grey = patch.mean(2)
    bright = grey > (float(grey.min()) + float(grey.max())) / 2
    return float((bright & (mask > 0)).sum() / (bright | (mask > 0)).sum())


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_sample_s_corners_lie_on_its_plate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = sampled(photo().levels[0], disturbed(rng, QUAD), QUAD, 1.0)
    assert one.patch.shape == (SIZE[1], SIZE[0], 3)
    assert one.plate == 1.0
    if one.weight:
        assert filled(one.patch, one.corners) > 0.8


def test_a_finding_seen_by_another_camera_keeps_its_corners() -> None:
    rng = np.random.default_rng(0)
    samples = [finding_sample(rng, photo(), Finding(0, QUAD + 3, QUAD, 0.5)) for _ in range(60)]
    assert all(one.plate == 1.0 for one in samples)
    shares = [filled(one.patch, one.corners) for one in samples if one.weight]
    assert len(shares) > 50
    # Some cameras are dark and noisy, but nine in ten show the plate where its corners are, the mirrored ones too.
    assert np.quantile(shares, 0.1) > 0.6
    none = finding_sample(rng, photo(), Finding(0, QUAD + 90, None, 0.0))
    assert (none.plate, none.weight) == (0.0, 0.0)


def test_scenes_give_plates_and_what_is_none() -> None:
    bank = plate_bank(1, 4, 1.0)
    rng = np.random.default_rng(3)
    samples = [one for _ in range(6) for one in scene_samples(rng, [photo()], bank)]
    assert {one.plate for one in samples} == {0.0, 1.0}
    assert all(np.isfinite(one.corners).all() for one in samples)
    assert all(one.weight == 0 for one in samples if one.plate == 0)


def test_plates_on_surfaces_without_texture() -> None:
    bank = plate_bank(1, 4, 1.0)
    rng = np.random.default_rng(5)
    samples = [one for _ in range(12) for one in flat_samples(rng, bank)]
    plates = [one for one in samples if one.plate]
    assert len(plates) == 24 and 0 < len(samples) - len(plates) <= 12
    assert sum(one.weight for one in plates) > 20 and all(one.weight == 0 for one in samples if not one.plate)


def test_findings_are_kept_as_they_are(tmp_path: Path) -> None:
    findings = [Finding(3, QUAD, None, 0.0), Finding(0, QUAD, QUAD + 1, 0.25)]
    save_findings(tmp_path / "f", findings)
    one, two = load_findings(tmp_path / "f")
    assert (one.photo, one.quad, one.weight, two.weight) == (3, None, 0.0, 0.25)
    assert two.quad is not None
    assert two.quad.tolist() == (QUAD + 1).tolist()


def test_only_corners_that_agree_with_the_box_are_placed(tmp_path: Path) -> None:
    box = box_corners((200.0, 150.0, 300.0, 210.0))
    found = [Finding(0, QUAD, box, 0.25), Finding(0, QUAD, None, 0.0)]
    # 100 x 60 pixels count as 132 wide: the patch shows 224 x 150.
    level = [0.277, 0.3, 0.723, 0.3, 0.723, 0.7, 0.277, 0.7]
    agreed = placed(CornerFinder(write_closer(tmp_path, level, 1.0)), [photo()], found)
    assert [one.weight for one in agreed] == [0.5, 0.0]
    assert agreed[0].quad == pytest.approx(box, abs=0.01)
    middle = placed(CornerFinder(write_closer(tmp_path, [0.5, 0.5] * 4, 1.0)), [photo()], found)
    assert [one.weight for one in middle] == [0.0, 0.0]
    assert middle[0].quad == pytest.approx(box)


def test_the_network_learns_and_ships(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    samples = [sampled(photo().levels[0], disturbed(rng, QUAD), QUAD, 1.0) for _ in range(12)]
    samples += [sampled(photo().levels[0], disturbed(rng, QUAD + 120), None, 0.0) for _ in range(4)]
    x = torch.from_numpy(np.stack([s.patch for s in samples]).transpose(0, 3, 1, 2) / np.float32(255))
    corners = torch.from_numpy(np.stack([s.corners for s in samples]))
    weight, plate = torch.tensor([s.weight for s in samples]), torch.tensor([s.plate for s in samples])
    net = CornerNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses: list[float] = []
    for _ in range(20):
        parts: Any = loss(net(x), corners, weight, plate, net.place)
        total = parts[0] + parts[1]
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(float(total.detach()))
    assert losses[-1] < 0.6 * losses[0]
    torch.save({"shadow": net.state_dict(), "step": 20}, tmp_path / "c.pt")
    corners_export.main(["--checkpoint", str(tmp_path / "c.pt"), "--models", str(tmp_path)])
    found, logits = CornerFinder(tmp_path / "corners.json").look(
        photo().levels[0], [((200, 150), (300, 160), (298, 210), (198, 200))] * 2
    )
    assert found.shape == (2, 4, 2)
    assert found[0] == pytest.approx(found[1], abs=1e-3)
    assert logits.shape == (2,)


def test_a_mean_of_two_ships_under_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(1)
    nets = [CornerNet(), CornerNet()]
    for net, name in zip(nets, ("a.pt", "b.pt"), strict=True):
        torch.save({"shadow": net.state_dict(), "step": 3}, tmp_path / name)
    torch.save(mean([(weights_of(tmp_path / name), 0.5) for name in ("a.pt", "b.pt")]), tmp_path / "mean.pt")
    words = ["--checkpoint", str(tmp_path / "mean.pt"), "--models", str(tmp_path)]
    with pytest.raises(SystemExit):
        corners_export.main(words)
    assert "give it a --name" in capsys.readouterr().err
    corners_export.main([*words, "--name", "corners-6"])
    assert load_manifest(tmp_path / "corners.json", CornersManifest).name == "corners-6"
