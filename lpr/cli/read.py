"""``lpr read IMAGES…``: the plates on photographs, best first.

Reads as delivered unless ``--config`` or ``--set`` says otherwise: a lpr.toml that happens to lie here is a service's.
May import ``lpr.settings`` and ``lpr.plates.formats`` (countries).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import lpr
from lpr import settings
from lpr.cli.config import checked
from lpr.cli.output import CommandError, Progress, say, say_json, warn
from lpr.plates.formats import UnknownCountry, countries_of

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""The files that are taken from a folder."""


UNSURE = 0.3
"""Plates less sure than this are not shown to people unless they ask for them."""


def add(commands: Any) -> None:
    """Add the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "read", help="read the plates on photographs", description="Read the plates on photographs, best plate first."
    )
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="files, or folders of them")
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.add_argument(
        "--country",
        action="append",
        default=[],
        metavar="XX",
        help="expected countries (BR,AR,…) or regions (southern-cone, andes, latin-america, europe, us); repeatable",
    )
    command.add_argument(
        "--min-confidence",
        type=_fraction,
        metavar="C",
        help=f"leave out plates under it (0-1; {UNSURE} for people, 0 with --json)",
    )
    command.add_argument("--config", type=Path, metavar="FILE", help="the section engine of this file; default: none")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. engine.mode=thorough; repeatable"
    )
    command.set_defaults(run=_read)


def _read(options: argparse.Namespace) -> int:
    try:
        countries = countries_of(code.strip() for given in options.country for code in given.split(",") if code.strip())
    except UnknownCountry as problem:
        raise CommandError(f"--country: {problem}") from None
    paths, failed = _files(options.images)
    least = options.min_confidence if options.min_confidence is not None else 0.0 if options.json else UNSURE
    config = checked(settings.load(options.config, options.set)).config.engine
    try:
        reader = lpr.Reader(countries=countries, config=config)
    except lpr.ModelError as problem:
        raise CommandError(str(problem)) from None
    progress = Progress("read", len(paths), quiet=len(paths) < 2)
    progress.step(0)
    for path in paths:
        try:
            plates, elapsed = reader.timed(path)
            error = None
        except lpr.ImageError as problem:
            plates, elapsed, error = (), 0.0, str(problem)
            failed += 1
        kept = [plate for plate in plates if plate.confidence >= least]
        progress.clear()
        if error is not None:
            warn(error)
        if options.json:
            line: dict[str, Any] = {"image": str(path), "plates": [as_json(plate) for plate in kept]}
            line["elapsed_ms"] = round(elapsed, 2)
            if error is not None:
                line["error"] = error
            say_json(line)
        elif error is None:
            say(f"{path}: " + (", ".join(_short(plate) for plate in kept) or "no plate"))
        progress.step()
    progress.clear()
    return 1 if failed else 0


def _fraction(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text}: not between 0 and 1")
    return value


def _files(given: list[Path]) -> tuple[list[Path], int]:
    """The files to read, and how many of the folders have none."""
    found: list[Path] = []
    empty = 0
    for path in given:
        if path.is_dir():
            inside = sorted(child for child in path.rglob("*") if child.suffix.lower() in SUFFIXES)
            if not inside:
                warn(f"{path}: no image in this folder")
                empty += 1
            found += inside
        else:
            found.append(path)
    return found, empty


def _short(plate: lpr.Plate) -> str:
    place = plate.layout or "unknown format"
    return f"{plate.text or '(unread)'} {plate.confidence:.0%} ({place})"


def as_json(plate: lpr.Plate) -> dict[str, Any]:
    """A plate as the command prints it: pixels rounded to tenths, probabilities to ten thousandths."""
    return {
        "text": plate.text,
        "confidence": round(plate.confidence, 4),
        "characters": [{"char": c.char, "confidence": round(c.confidence, 4)} for c in plate.characters],
        "box": [round(value, 1) for value in plate.box],
        "corners": [[round(x, 1), round(y, 1)] for x, y in plate.corners],
        "country": plate.country,
        "layout": plate.layout,
        "candidates": [{"text": text, "probability": round(share, 4)} for text, share in plate.candidates],
    }
