"""Fit the colour of paints: ``python -m tools.train.vehicle_colour --data ../shared/data/train``.

``vehicle_colours.csv`` beside this file names the colours of vehicles in photographs of train/, each by its plate's
box, by eye, from contact sheets. Two names with a stroke between them ("gray/white"): nobody could say which; such
vehicles help to fit (either is right) and are not measured. "unknown": the picture shows no colour.

The model is kernel least squares (a Gaussian kernel on the measurements, one target a colour), solved at once, so the
same data give the same numbers. Cyan and violet, of which the photographs have two, are fitted on vehicles painted anew
in the picture, too (``repainted``). A softmax makes probabilities of the scores; its gain is the one that fits best on
scores of vehicles that were not fitted on. Measured by seven-fold cross-validation over photographs: none is in both
parts. Also measures on the rendered street, whose colours are known.

May import numpy, OpenCV, onnx, msgspec, ``lpr.vision``, ``lpr.scene``, ``lpr.events`` and ``tools.train.vehicle_data``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import cv2
import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lpr.events import Corners
from lpr.scene.street import Street
from lpr.vision.colour import UNKNOWN, PaintManifest
from lpr.vision.colour_measure import FEATURES, HUES, MIRROR, measured
from lpr.vision.rectify import corners_of_box
from lpr.vision.vehicle_region import plate_region
from tools.train.vehicle_data import load

LABELS: Final = Path(__file__).parent / "vehicle_colours.csv"
NAMES: Final = (*(hue[0] for hue in HUES), "white", "gray", "black")
FOLDS: Final = 7
REACH: Final = 0.3
"""The kernel is exp(-REACH times the mean squared difference of the normed numbers)."""
DECAY: Final = 0.2
CLIP: Final = 4.0
"""Normed numbers are cut off here."""
MIDDLE: Final = 0.1
"""What a colour scores far from every example."""
RARE: Final = ("cyan", "violet")
"""Colours that hardly any vehicle of the photographs has."""
EVERY: Final = 5
"""One in so many vehicles of a hue is painted anew."""
ANEW: Final = 0.5
"""Weight of a vehicle painted anew."""
PRIOR: Final = 3.0
"""Added to the count of each colour before its weight is taken."""
SOURCES: Final = (
    "openimages_lp: Open Images photographs (CC BY 2.0, their Flickr authors), by the Roboflow export "
    '"Google Licence Plates" (CC BY 4.0); colours named by eye',
    "ro_robertlucian: github.com/RobertLucian/license-plate-dataset (MIT); colours named by eye",
)

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """``measurement``: None where the colour can't be told. ``colour``: as named by eye. ``photograph``: its name.
    ``weight``: how much it counts in the fit; 0.5 and less was painted anew and is not measured."""

    measurement: Floats | None
    colour: str
    photograph: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A kernel machine: normed examples (n, FEATURES), what each says (n, colours), how to norm; softmax's gain."""

    examples: Doubles
    says: Doubles
    mean: Doubles
    width: Doubles
    gain: float = 8.0

    def scores(self, measurements: Doubles) -> Doubles:
        """(m, colours) of (m, FEATURES)."""
        both = (kernel(self.normed(one), self.examples) @ self.says for one in (measurements, measurements[:, MIRROR]))
        return np.asarray(sum(both) + MIDDLE, np.float64)

    def normed(self, measurements: Doubles) -> Doubles:
        """Mean 0, width 1, cut off."""
        return np.clip((measurements - self.mean) / self.width, -CLIP, CLIP)


def kernel(a: Doubles, b: Doubles) -> Doubles:
    """(n, m) of (n, FEATURES) and (m, FEATURES)."""
    far = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2.0 * a @ b.T
    return np.exp(-REACH / FEATURES * far)


def repainted(image: Image, corners: Corners, old: str, new: str) -> Image | None:
    """``image`` with the hues round a plate turned from one colour to another; None where there are none."""
    x1, y1, x2, y2 = (max(0, int(side)) for side in plate_region(corners))
    part = image[y1:y2, x1:x2]
    if part.size == 0:
        return None
    lab = cv2.cvtColor(part.astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)
    coloured = np.hypot(lab[..., 1], lab[..., 2]) > 15
    if coloured.mean() < 0.03:
        return None
    middles = {name: middle for name, middle, _ in HUES}
    turn = np.radians(middles[new] - middles[old])
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1], lab[..., 2] = a * np.cos(turn) - b * np.sin(turn), a * np.sin(turn) + b * np.cos(turn)
    done = image.copy()
    done[y1:y2, x1:x2] = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * 255.0, 0, 255).astype(np.uint8)
    return done


def examples(data: Path, labels: Path = LABELS) -> list[Example]:
    """The labelled vehicles, and some of those of a hue in the rare colours."""
    found: list[Example] = []
    hues, count = {hue[0] for hue in HUES}, 0
    with labels.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            image = load(data / row["folder"] / "images" / row["image"])
            corners = corners_of_box((float(row["x1"]), float(row["y1"]), float(row["x2"]), float(row["y2"])))
            one = Example(measured(image, corners), row["colour"], row["image"])
            found.append(one)
            count += one.colour in hues
            if one.colour in hues and one.measurement is not None and count % EVERY == 0:
                new = RARE[count // EVERY % len(RARE)]
                other = repainted(image, corners, one.colour, new)
                measurement = None if other is None else measured(other, corners)
                if measurement is not None:
                    found.append(Example(measurement, new, one.photograph, ANEW))
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
            found[light].extend(Example(measured(frame, one.corners, one.box), one.colour, str(seed)) for one in truths)
    return found


def table(group: list[Example]) -> Doubles:
    """Their measurements, (n, FEATURES)."""
    return np.array([one.measurement for one in group if one.measurement is not None], np.float64)


def targets(group: list[Example]) -> Doubles:
    """(n, colours), each row summing to 1."""
    rows = np.array([[float(name in one.colour.split("/")) for name in NAMES] for one in group])
    return rows / rows.sum(1, keepdims=True)


def fit(group: list[Example]) -> Fitted:
    """The machine of examples that have a measurement and a colour."""
    x, y = table(group), targets(group)
    real = np.array([one.weight == 1.0 for one in group])
    shell = Fitted(np.zeros((0, FEATURES)), np.zeros((0, len(NAMES))), x[real].mean(0), x[real].std(0) + 0.02)
    normed = shell.normed(x)
    weight = np.array([one.weight for one in group]) / np.sqrt(y[real].sum(0) + PRIOR)[y.argmax(1)]
    weight = weight / weight.mean()
    # A picture and its mirror image count as one: the kernel is the sum of both.
    own = kernel(normed, normed) + kernel(normed[:, MIRROR], normed)
    says = np.linalg.solve(own + DECAY * np.diag(1.0 / weight), y - MIDDLE)
    half = np.asarray(says, np.float16).astype(np.float64)  # as they ship
    stored = np.asarray(normed, np.float16).astype(np.float64)
    return Fitted(stored, half, shell.mean, shell.width)


def softmax(scores: Doubles, gain: float) -> Doubles:
    """Probabilities, (n, colours)."""
    values = np.exp(gain * (scores - scores.max(1, keepdims=True)))
    return values / values.sum(1, keepdims=True)


def fold_of(photograph: str) -> int:
    """The part that measures this photograph."""
    return hashlib.sha256(photograph.encode()).digest()[1] % FOLDS


def fitting(found: list[Example]) -> list[Example]:
    """Those that can be fitted on."""
    return [one for one in found if one.measurement is not None and one.colour != UNKNOWN]


def crossed(found: list[Example], asked: list[Example]) -> Doubles:
    """Scores of ``asked`` by machines that were not fitted on their photographs, (n, colours)."""
    usable, scores = fitting(found), np.zeros((len(asked), len(NAMES)))
    for part in range(FOLDS):
        own = [i for i, one in enumerate(asked) if fold_of(one.photograph) == part]
        if own:
            machine = fit([one for one in usable if fold_of(one.photograph) != part])
            scores[own] = machine.scores(table([asked[i] for i in own]))
    return scores


def gain_of(scores: Doubles, truth: list[str]) -> float:
    """The gain whose probabilities fit best."""
    right = np.array([NAMES.index(name) for name in truth])
    rows = np.arange(len(right))
    return float(min(np.arange(2.0, 16.0, 0.25), key=lambda gain: -np.log(softmax(scores, gain)[rows, right]).sum()))


def told(chances: Doubles, least: float) -> str:
    """The colour that is said."""
    best = int(chances.argmax())
    return NAMES[best] if chances[best] >= least else UNKNOWN


def summary(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``pairs``: (truth, told)."""
    said = [(truth, name) for truth, name in pairs if name != UNKNOWN]
    wrong = Counter(f"{truth} as {name}" for truth, name in said if truth != name)
    colours = {
        name: f"{sum(a == name for a, _ in pairs)} of it, {sum(b == name for _, b in said)} told so, "
        f"{sum(a == b == name for a, b in said)} right"
        for name in NAMES
    }
    return {
        "vehicles": len(pairs),
        "told": len(said),
        "right of those told": round(sum(a == b for a, b in said) / max(len(said), 1), 3),
        "unknowable, and said so": f"{sum(a == b == UNKNOWN for a, b in pairs)}/{sum(a == UNKNOWN for a, _ in pairs)}",
        "most wrong": dict(wrong.most_common(10)),
        "colours": colours,
    }


def graph(machine: Fitted) -> onnx.ModelProto:
    """The machine as ONNX: "measurements" float32 [N, FEATURES] to "colours" float32 [N, 10]."""
    constants = {
        "mirror": MIRROR.astype(np.int64),
        "mean": machine.mean.astype(np.float32),
        "width": machine.width.astype(np.float32),
        "low": np.float32(-CLIP),
        "high": np.float32(CLIP),
        "examples16": machine.examples.T.astype(np.float16),
        "says16": machine.says.astype(np.float16),
        "squares": np.square(machine.examples).sum(1)[None].astype(np.float32),
        "double": np.float32(2.0),
        "reach": np.float32(-REACH / FEATURES),
        "middle": np.float32(MIDDLE),
        "gain": np.float32(machine.gain),
        "axis": np.array([1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["examples16"], ["examples"], to=TensorProto.FLOAT),
        node("Cast", ["says16"], ["says"], to=TensorProto.FLOAT),
        node("Gather", ["measurements", "mirror"], ["mirrored"], axis=1),
    ]
    for side, source in (("a", "measurements"), ("b", "mirrored")):
        nodes += [
            node("Sub", [source, "mean"], [f"{side}0"]),
            node("Div", [f"{side}0", "width"], [f"{side}1"]),
            node("Clip", [f"{side}1", "low", "high"], [f"{side}2"]),
            node("Mul", [f"{side}2", f"{side}2"], [f"{side}3"]),
            node("ReduceSum", [f"{side}3", "axis"], [f"{side}4"], keepdims=1),
            node("MatMul", [f"{side}2", "examples"], [f"{side}5"]),
            node("Mul", [f"{side}5", "double"], [f"{side}6"]),
            node("Sub", [f"{side}4", f"{side}6"], [f"{side}7"]),
            node("Add", [f"{side}7", "squares"], [f"{side}8"]),
            node("Mul", [f"{side}8", "reach"], [f"{side}9"]),
            node("Exp", [f"{side}9"], [f"{side}10"]),
        ]
    nodes += [
        node("Add", ["a10", "b10"], ["near"]),
        node("MatMul", ["near", "says"], ["sums"]),
        node("Add", ["sums", "middle"], ["scores"]),
        node("Mul", ["scores", "gain"], ["scaled"]),
        node("Softmax", ["scaled"], ["colours"], axis=1),
    ]
    body = helper.make_graph(
        nodes,
        "vehicle-colour",
        [helper.make_tensor_value_info("measurements", TensorProto.FLOAT, ["N", FEATURES])],
        [helper.make_tensor_value_info("colours", TensorProto.FLOAT, ["N", len(NAMES)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], producer_name="lpr")
    model.ir_version = 8
    cast("Any", onnx).checker.check_model(model)
    return model


def run(args: argparse.Namespace) -> None:
    """Fit, measure, write."""
    found = examples(args.data)
    seen = [one for one in found if one.weight == 1.0 and "/" not in one.colour]
    asked = [one for one in seen if one.measurement is not None]
    scores = crossed(found, asked)
    known = [i for i, one in enumerate(asked) if one.colour != UNKNOWN]
    gain = gain_of(scores[known], [asked[i].colour for i in known])
    chances = softmax(scores, gain)
    blind = [(one.colour, UNKNOWN) for one in seen if one.measurement is None]
    report: dict[str, Any] = {"gain": gain}
    for least in sorted({0.0, 0.5, 0.6, 0.7, args.least}):
        pairs = [(one.colour, told(row, least)) for one, row in zip(asked, chances, strict=True)]
        line = summary(blind + pairs)
        report[f"cross-validated, {least}"] = (
            line if least == args.least else f"{line['told']}: {line['right of those told']}"
        )
    machine = fit(fitting(found))
    final = Fitted(machine.examples, machine.says, machine.mean, machine.width, gain)
    for light, group in rendered(range(1, 1 + args.streets)).items():
        pairs = [(one.colour, UNKNOWN) for one in group if one.measurement is None]
        rest = [one for one in group if one.measurement is not None]
        if rest:
            rows = softmax(final.scores(table(rest)), gain)
            pairs += [(one.colour, told(row, args.least)) for one, row in zip(rest, rows, strict=True)]
        line = summary(pairs)
        line.pop("colours")
        report[f"rendered, {light}"] = line
    print(json.dumps(report, indent=1))
    args.out.mkdir(parents=True, exist_ok=True)
    data = graph(final).SerializeToString()
    (args.out / "vehicle_colour.onnx").write_bytes(data)
    manifest = PaintManifest(
        kind="vehicle-colour",
        name=f"lpr-paint-{len(known)}",
        file="vehicle_colour.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        input="measurements",
        features=FEATURES,
        output="colours",
        classes=NAMES,
        min_confidence=args.least,
        licence="Apache-2.0",
        sources=SOURCES,
    )
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    (args.out / "vehicle_colour.json").write_text(text + "\n", encoding="utf-8")


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.vehicle_colour", description="Fit the colour of paints.")
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the shared data")
    parser.add_argument("--out", type=Path, default=Path("build/vehicle"))
    parser.add_argument("--least", type=float, default=0.52, help="probability below which nothing is told")
    parser.add_argument("--streets", type=int, default=6, help="rendered streets to measure on")
    run(parser.parse_args(words))


if __name__ == "__main__":
    main()
