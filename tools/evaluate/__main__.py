"""The command ``python -m tools.evaluate``; docs/models.md shows how it is used."""

from __future__ import annotations

import argparse
import html
import json
import os
import platform
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import msgspec

from lpr.config import Engine as EngineConfig
from lpr.library import ModelError
from lpr.plates.formats import UnknownCountry
from lpr.vision.detect import PlateDetector
from lpr.vision.ocr import PlateReader
from tools.evaluate.levels import Measured, open_reader, peak_memory, reader_level, whole_level
from tools.evaluate.markdown import MarkError, table, write_into
from tools.evaluate.report import make_report
from tools.evaluate.samples import FolderError, load, thinned, with_labels
from tools.evaluate.svg import reliability_diagram, together
from tools.options import existing_file, from_zero, new_file

__all__ = ["main", "settings_from"]


def settings_from(words: Sequence[str], countries: Sequence[str] = (), model: Path | None = None) -> EngineConfig:
    """The engine's settings from ``engine.key=value`` (value as in TOML, or a bare word). Raises SystemExit."""
    values = cast("dict[str, Any]", msgspec.to_builtins(EngineConfig()))
    values["countries"] = list(countries)
    if model is not None:
        values["reader"] = str(model)
    for word in words:
        key, equals, value = word.partition("=")
        name = key.removeprefix("engine.")
        if not equals or name not in values:
            raise SystemExit(f"--setting {word}: write engine.KEY=VALUE; the keys are {', '.join(sorted(values))}")
        try:
            values[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[name] = value
    try:
        return msgspec.convert(values, EngineConfig)
    except msgspec.ValidationError as error:
        raise SystemExit(f"--setting: {error}; `lpr config schema` says what may be written") from None


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="tools.evaluate", description="Measure recognition on folders of pictures.")
    parser.add_argument("folders", type=Path, nargs="*", help="folders with annotations.jsonl, or with pictures alone")
    parser.add_argument("--level", choices=("reader", "whole", "both"), default="both")
    parser.add_argument("--country", action="append", default=[], help="configured country (repeatable)")
    parser.add_argument("--setting", action="append", default=[], metavar="engine.KEY=VALUE", help="repeatable")
    parser.add_argument("--model", type=existing_file, help="manifest of another reader")
    parser.add_argument("--mode", choices=("auto", "crop", "box"), default="auto", help="reader: are boxes whole crops")
    parser.add_argument(
        "--limit", type=from_zero, default=0, help="at most so many pictures of a folder, evenly picked; 0: all"
    )
    parser.add_argument("--labels", type=existing_file, metavar="FILE", help="texts for the folder that has none")
    parser.add_argument("--calibrate", action="store_true", help="reader: report the best temperature")
    parser.add_argument("--json", type=new_file, metavar="FILE", help="write the figures")
    parser.add_argument("--html", type=new_file, metavar="FILE", help="write a report with the failures' pictures")
    parser.add_argument(
        "--diagrams", type=new_file, metavar="FILE", help="write the reader's reliability diagrams (.svg)"
    )
    parser.add_argument("--failures", type=from_zero, default=200, help="pictures of failures a folder in the report")
    parser.add_argument("--markdown", action="store_true", help="print the figures as tables for docs/models.md")
    parser.add_argument("--into", type=existing_file, metavar="PAGE", help="put the tables between the marks of a page")
    parser.add_argument("--mark", default="validate", metavar="NAME", help="the marks' name (default: validate)")
    parser.add_argument(
        "--from", type=existing_file, dest="given", metavar="FILE", help="measure nothing: figures of a --json"
    )
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    given = arguments().parse_args(words)
    if given.given is not None:
        if given.html is not None:
            raise SystemExit("--html shows the failures' pictures, which --from has not: name the folders again")
        summary, measured = _kept(given.given), []
    elif given.folders:
        summary, measured = _measure(given)
    else:
        raise SystemExit("name at least one folder (or figures with --from)")
    if given.json is not None:
        given.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    if given.html is not None:
        given.html.write_text(make_report(summary, measured, given.failures), encoding="utf-8")
    if given.diagrams is not None:
        given.diagrams.write_text(_diagrams(summary), encoding="utf-8")
    if given.markdown:
        print(table(summary))
    if given.into is not None:
        try:
            write_into(given.into, given.mark, table(summary))
        except (MarkError, OSError) as error:
            raise SystemExit(str(error)) from None


def _diagrams(summary: dict[str, Any]) -> str:
    """The reliability diagrams of plates and characters of each folder that was read by the reader alone."""
    found: list[str] = []
    for name, levels in cast("dict[str, dict[str, dict[str, Any]]]", summary["folders"]).items():
        figures = levels.get("reader", {})
        for kind in ("plates", "characters"):
            if bins := figures.get(f"reliability_{kind}"):
                found.append(reliability_diagram(bins, html.escape(f"{name}, {kind}")))
    return together(found)


def _kept(path: Path) -> dict[str, Any]:
    """The figures of an earlier run. Raises SystemExit."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise SystemExit(f"{path}: not the figures of a --json ({error})") from None
    if not isinstance(found, dict) or "folders" not in found:
        raise SystemExit(f"{path}: not the figures of a --json: it has no folders")
    return cast("dict[str, Any]", found)


def _measure(given: argparse.Namespace) -> tuple[dict[str, Any], list[Measured]]:
    settings = settings_from(given.setting, given.country, given.model)
    crop = {"auto": None, "crop": True, "box": False}[given.mode]
    measured: list[Measured] = []
    try:
        folders = with_labels([load(path) for path in cast("list[Path]", given.folders)], given.labels)
        folders = [thinned(folder, given.limit) for folder in folders]
        engine = open_reader(settings.countries, settings)
        reader = PlateReader(None if settings.reader is None else Path(settings.reader), settings.threads)
        detector = PlateDetector(None if settings.detector is None else Path(settings.detector), settings.threads)
        for folder in folders:
            if given.level != "whole" and folder.texts:
                measured.append(reader_level(folder, reader, settings.countries, crop=crop, calibrate=given.calibrate))
            if given.level == "whole" or (given.level == "both" and not folder.crops):
                measured.append(whole_level(folder, engine))
            for one in measured:
                if one.folder is folder:
                    print(json.dumps({folder.name: _short(one.figures)}), flush=True, file=_out(given))
    except (FolderError, ModelError, UnknownCountry) as error:
        raise SystemExit(str(error)) from None
    figures: dict[str, dict[str, Any]] = {}
    for one in measured:
        figures.setdefault(one.folder.name, {})[one.level] = one.figures
    models = {"detector": detector, "reader": reader}
    summary = {
        "release": metadata.version("lpr"),
        "models": {kind: {"name": one.name, "sha256": one.manifest.sha256} for kind, one in models.items()},
        "countries": list(settings.countries),
        "settings": msgspec.to_builtins(settings),
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
        f"onnxruntime {metadata.version('onnxruntime')}",
        "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1),
        "peak_memory_mib": peak_memory(),
        "folders": figures,
    }
    return summary, measured


def _out(given: argparse.Namespace) -> Any:
    """Where the figures go as they come: not between the Markdown."""
    return sys.stderr if given.markdown else sys.stdout


def _short(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures for a line: without the lists of pictures."""
    return {key: value for key, value in figures.items() if not isinstance(value, list)}


if __name__ == "__main__":
    main()
