"""Train what ships, one command each: from the pictures to the ONNX file and the manifest that an engine loads.

    python -m tools.train detector --data DATA/train --out build/detector --int8
    python -m tools.train corners --data DATA/train --out build/corners --int8
    python -m tools.train reader --data DATA/train --fonts FONTS --out build/reader
    python -m tools.train vehicle --data DATA/train --out build/vehicle
    python -m tools.train finder --data DATA/train --out build/vehicle
    python -m tools.train colour --data DATA/train --out build/vehicle

``python -m tools.train NAME --help`` lists the options of each. A training that was ended goes on from its checkpoint
when the same command is given again (detector, corners, vehicle: with ``--resume``). docs/training.md tells more.

May import ``lpr.vision.manifest`` (ModelError), ``tools.options`` and the other ``tools.train`` modules, each when its
training is asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from lpr.vision.manifest import ModelError
from tools.options import existing_file

__all__ = ["COURSES", "main"]

HELP: Final = frozenset({"-h", "--help"})
NEEDED: Final = frozenset({"torch", "onnx", "PIL"})
"""What the extra "train" installs."""


def _called(main: Callable[[], None], name: str, words: Sequence[str]) -> None:
    """Call ``main``, which reads the command line itself, as if ``words`` stood there."""
    before = sys.argv
    sys.argv = [f"tools.train {name}", *words]
    try:
        main()
    finally:
        sys.argv = before


def _split(own: argparse.ArgumentParser, words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What ``own`` knows of ``words``, and the rest; where help is wanted it prints its part and leaves the rest."""
    if HELP & set(words):
        own.print_help()
        print()
        return argparse.Namespace(), list(words)
    return own.parse_known_args(words)


def _export(name: str) -> argparse.ArgumentParser:
    title = f"tools.train {name}"
    return argparse.ArgumentParser(prog=title, description="Of the export:", add_help=False, allow_abbrev=False)


def _detector(words: Sequence[str]) -> None:
    from tools.train import detector, detector_export

    own = _export("detector")
    own.add_argument("--name", default="", help="the model's name; plates-STEPS if none is given")
    own.add_argument("--min-score", default="0.4", help="the threshold in the manifest")
    own.add_argument("--shift", default="0", help="added to the logit of every score")
    own.add_argument("--int8", action="store_true", help="quantize it, with ranges measured on the photographs")
    given, rest = _split(own, words)
    options = detector.arguments(rest)
    detector.train(options)
    detector_export.main(
        [
            "--checkpoint", str(options.out / "last.pt"), "--models", str(options.out), "--name", given.name,
            "--min-score", given.min_score, "--shift", given.shift, *_int8(given, options.data),
        ]
    )  # fmt: skip


def _corners(words: Sequence[str]) -> None:
    from tools.train import corners, corners_export

    own = _export("corners")
    own.add_argument("--weight", default="0.5", help="of its logit in the detector's score")
    own.add_argument("--bias", default="0", help="added to the logit of the detector's score")
    own.add_argument("--int8", action="store_true", help="quantize it, with ranges measured on the photographs")
    given, rest = _split(own, words)
    options = corners.arguments(rest)
    corners.train(options)
    corners_export.main(
        [
            "--checkpoint", str(options.out / "last.pt"), "--models", str(options.out), "--weight", given.weight,
            "--bias", given.bias, *_int8(given, options.data),
        ]
    )  # fmt: skip


def _int8(given: argparse.Namespace, data: Path) -> list[str]:
    return ["--int8", "--data", str(data)] if given.int8 else []


def _reader(words: Sequence[str]) -> None:
    from tools.train import export_reader, gather, reader

    own = _export("reader")
    own.add_argument(
        "--data", type=Path, help="folder of photographs: their plates are gathered into OUT/real.npz first"
    )
    own.add_argument("--name", default="reader-1", help="the model's name")
    own.add_argument("--temperature", default="1", help="in the manifest; tools.evaluate --calibrate finds it")
    own.add_argument("--int8", action="store_true", help="quantize it, with ranges measured on rendered plates")
    given, rest = _split(own, words)
    if HELP & set(rest):
        _called(reader.main, "reader", rest)
    place = _reader_place(rest)
    if given.data is not None and place.real is None:
        real = place.out / "real.npz"
        if not real.exists():
            place.out.mkdir(parents=True, exist_ok=True)
            _called(gather.main, "reader", ["--data", str(given.data), "--out", str(real)])
        rest += ["--real", str(real)]
    _called(reader.main, "reader", rest)
    export_reader.main(
        [
            "--weights", str(place.out / "reader.pt"), "--out", str(place.out), "--name", given.name,
            "--temperature", given.temperature, *(["--int8"] if given.int8 else []),
        ]
    )  # fmt: skip


def _reader_place(words: Sequence[str]) -> argparse.Namespace:
    """Where the training writes and what it takes. Raises SystemExit for words with which it would never end."""
    parser = argparse.ArgumentParser(prog="tools.train reader", usage="see --help", add_help=False, allow_abbrev=False)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--real", type=existing_file)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--capacity", type=int)
    parser.add_argument("--ready", type=int)
    given, _ = parser.parse_known_args(words)
    if given.steps < 1 and given.seconds <= 0:
        parser.error("--steps 0 needs --seconds, or the training never ends")
    if given.capacity is not None and given.ready is not None and given.ready > given.capacity:
        parser.error(f"--ready {given.ready} is more than --capacity {given.capacity} holds")
    return given


def _vehicle(words: Sequence[str]) -> None:
    from tools.train import vehicle

    vehicle.train(vehicle.arguments(list(words)))


def _finder(words: Sequence[str]) -> None:
    from tools.train import vehicle_finder

    vehicle_finder.train(vehicle_finder.arguments(list(words)))


def _colour(words: Sequence[str]) -> None:
    from tools.train import vehicle_colour

    vehicle_colour.main(list(words))


COURSES: Final[dict[str, tuple[str, Callable[[Sequence[str]], None]]]] = {
    "detector": ("finds plates in whole pictures", _detector),
    "corners": ("the closer look at each of them", _corners),
    "reader": ("reads their characters", _reader),
    "vehicle": ("the kind of a vehicle", _vehicle),
    "finder": ("finds vehicles", _finder),
    "colour": ("the colour of a vehicle", _colour),
}
"""What can be trained: name to what it does, and the function that takes its words."""


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    parser = argparse.ArgumentParser(
        prog="tools.train",
        description="Train what ships, one command each: from the pictures to the ONNX file and its manifest.",
        epilog="models:\n" + "".join(f"  {name:10}{what}\n" for name, (what, _) in COURSES.items())
        + "\ntools.train MODEL --help: its options",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("model", choices=COURSES, metavar="MODEL", help="which, see below")
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="of its training")
    given = parser.parse_args(words)
    try:
        COURSES[given.model][1](given.options)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in NEEDED:
            raise
        raise SystemExit(
            f"training needs {error.name}, which is not installed; install the extra: pip install -e '.[train]'"
        ) from None
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        raise SystemExit(f"tools.train {given.model}: {told}") from None
    except ModelError as error:
        raise SystemExit(f"tools.train {given.model}: {error}") from None


if __name__ == "__main__":
    main()
