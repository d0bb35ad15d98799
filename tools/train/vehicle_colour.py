"""Fit the numbers of the paint's colour: ``python -m tools.train.vehicle_colour --data ../shared/data/train``.

``vehicle_colours.csv`` beside this file names the colour of some two hundred vehicles in photographs of train/, each by
its plate's box; the names were given by eye, doubtful ones (silver or white, dark blue or black) were left out where
nobody could say. Fitted with L-BFGS and a little weight decay; measured by seven-fold cross-validation, so every
figure is of photographs that gave no gradients. Also measures on the rendered street, whose colours are known.

May import torch, numpy, OpenCV, msgspec, ``lpr.vision``, ``lpr.scene`` and ``tools.train.vehicle_data``.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lpr.scene.street import Street
from lpr.vision.colour import FEATURES, HUES, SHADES, UNKNOWN, PaintModel, measured, probabilities
from lpr.vision.rectify import corners_of_box
from tools.train.vehicle_data import load

_torch: Any = torch  # for the functions of torch that carry no types
LABELS: Final = Path(__file__).parent / "vehicle_colours.csv"
NAMES: Final = (*(hue[0] for hue in HUES), *SHADES)
FOLDS: Final = 7
DECAY: Final = 0.001
SOURCES: Final = (
    "openimages_lp: Open Images photographs (CC BY 2.0, their Flickr authors), by the Roboflow export "
    '"Google Licence Plates" (CC BY 4.0); colours named by eye',
    "ro_robertlucian: github.com/RobertLucian/license-plate-dataset (MIT); colours named by eye",
)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """``measurement``: None where the colour can't be told. ``colour``: as named by eye."""

    measurement: Floats | None
    colour: str


def examples(data: Path) -> list[Example]:
    """The labelled photographs."""
    found: list[Example] = []
    with LABELS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            image = load(data / row["folder"] / "images" / row["image"])
            box = (float(row["x1"]), float(row["y1"]), float(row["x2"]), float(row["y2"]))
            found.append(Example(measured(image, corners_of_box(box)), row["colour"]))
    return found


def rendered(seeds: range) -> dict[str, list[Example]]:
    """Vehicles of the rendered street with plates of 40 pixels at least, by light: "day", "dusk", "night"."""
    found: dict[str, list[Example]] = {"day": [], "dusk": [], "night": []}
    for seed in seeds:
        street = Street(seed, 1280, 720, rate=0.5, start=75.0 * seed)
        for index in range(16):
            truths = [one for one in street.vehicles_at(index) if one.visible >= 0.95 and one.width >= 40]
            if not truths:
                continue
            darkness = street.light(index).darkness
            light = "day" if darkness < 0.2 else "night" if darkness > 0.8 else "dusk"
            frame = street.frame(index)
            found[light].extend(Example(measured(frame, one.corners, one.box), one.colour) for one in truths)
    return found


def scores(x: Tensor, p: dict[str, Tensor]) -> Tensor:
    """As ``lpr.vision.colour.probabilities``, before the softmax; [n, 10]."""
    hues = p["gain"] * x[:, : len(HUES)] + p["offset"]
    hues = torch.cat([hues[:, :1] + p["red"] - p["offset"], hues[:, 1:]], 1)
    levels = torch.cat([x[:, len(HUES) :], torch.ones(len(x), 1)], 1)
    return torch.cat([hues, levels @ p["shades"]], 1)


def fitted(x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """The parameters that fit best."""
    p = {
        "gain": torch.tensor(8.0, requires_grad=True),
        "offset": torch.tensor(0.0, requires_grad=True),
        "red": torch.tensor(0.0, requires_grad=True),
        "shades": torch.zeros(FEATURES - len(HUES) + 1, len(SHADES), requires_grad=True),
    }
    optimiser: Any = torch.optim.LBFGS(list(p.values()), max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(scores(x, p), y) + DECAY * p["shades"].square().sum()
        cast("Any", loss).backward()
        return loss

    optimiser.step(closure)
    return {name: value.detach() for name, value in p.items()}


def model_of(p: dict[str, Tensor], count: int) -> PaintModel:
    """The parameters as they ship."""
    return PaintModel(
        kind="vehicle-colour",
        name=f"lpr-paint-{count}",
        hue_gain=round(float(p["gain"]), 4),
        hue_offset=round(float(p["offset"]), 4),
        red_offset=round(float(p["red"]), 4),
        shades={
            shade: tuple(
                round(float(value), 4) for value in cast("list[float]", cast("Any", p["shades"])[:, i].tolist())
            )
            for i, shade in enumerate(SHADES)
        },
        sources=SOURCES,
    )


def told(one: Example, model: PaintModel) -> tuple[str, float]:
    """(colour, its probability)."""
    if one.measurement is None:
        return UNKNOWN, 0.0
    chances = probabilities(one.measurement, model)
    best = max(chances, key=lambda name: chances[name])
    return (best, chances[best]) if chances[best] >= model.min_confidence else (UNKNOWN, 0.0)


def summary(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``pairs``: (truth, told)."""
    said = [(truth, name) for truth, name in pairs if name != UNKNOWN]
    known = [pair for pair in said if pair[0] != UNKNOWN]
    wrong = Counter(f"{truth} as {name}" for truth, name in said if truth != name)
    return {
        "vehicles": len(pairs),
        "told": len(said),
        "right of those told": round(sum(a == b for a, b in known) / max(len(said), 1), 3),
        "unknowable, and said so": f"{sum(a == b == UNKNOWN for a, b in pairs)}/{sum(a == UNKNOWN for a, _ in pairs)}",
        "most wrong": dict(wrong.most_common(6)),
    }


def run(args: argparse.Namespace) -> None:
    """Fit, measure, write."""
    torch.set_num_threads(1)
    found = examples(args.data)
    usable = [one for one in found if one.measurement is not None and one.colour != UNKNOWN]
    x = _torch.from_numpy(np.stack([one.measurement for one in usable if one.measurement is not None]))
    y = torch.tensor([NAMES.index(one.colour) for one in usable])
    fold = np.random.default_rng(args.seed).permutation(len(usable)) % FOLDS
    pairs = [(one.colour, UNKNOWN) for one in found if one.measurement is None]
    for part in range(FOLDS):
        held = _torch.from_numpy(fold == part)
        model = model_of(fitted(x[~held], y[~held]), len(usable))
        pairs += [(one.colour, told(one, model)[0]) for one, own in zip(usable, held.tolist(), strict=True) if own]
    model = model_of(fitted(x, y), len(usable))
    pairs += [
        (one.colour, told(one, model)[0]) for one in found if one.measurement is not None and one.colour == UNKNOWN
    ]
    report: dict[str, Any] = {"photographs, cross-validated": summary(pairs)}
    for light, group in rendered(range(1, 1 + args.streets)).items():
        report[f"rendered, {light}"] = summary([(one.colour, told(one, model)[0]) for one in group])
    print(json.dumps(report, indent=1))
    args.out.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(model), indent=2).decode()
    (args.out / "vehicle_colour.json").write_text(text + "\n", encoding="utf-8")


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.vehicle_colour", description="Fit the colour of paints.")
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the shared data")
    parser.add_argument("--out", type=Path, default=Path("build/vehicle"))
    parser.add_argument("--streets", type=int, default=6, help="rendered streets to measure on")
    parser.add_argument("--seed", type=int, default=0)
    run(parser.parse_args(words))


if __name__ == "__main__":
    main()
