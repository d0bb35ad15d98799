"""``lpr config check|show|schema``: is the file right, what is in force and where from, what may be written.

May import ``lpr.settings``, and, for what ``lpr.config`` can't know, ``lpr.plates.formats`` (which countries there are)
and ``lpr.vision`` (whether a model that the file names can be used).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lpr import settings
from lpr.cli.output import say, say_json, say_table, warn
from lpr.config import Vehicles
from lpr.plates.formats import UnknownCountry, countries_of

Commands = Any
"""argparse's sub-parsers: their class is private."""


def add(commands: Commands) -> None:
    """Add the command."""
    config = commands.add_parser("config", help="check, show or describe the configuration")
    kinds = config.add_subparsers(dest="kind", metavar="check|show|schema", required=True)
    check = kinds.add_parser("check", help="say whether the file can be used")
    show = kinds.add_parser("show", help="every value in force and where it comes from")
    schema = kinds.add_parser("schema", help="JSON Schema of the file")
    for command, run in ((check, _check), (show, _show)):
        add_options(command)
        command.add_argument("file", nargs="?", type=Path, help="instead of --config")
        command.add_argument("--json", action="store_true", help="as JSON")
        command.set_defaults(run=run)
    schema.set_defaults(run=_schema)


def add_options(command: argparse.ArgumentParser) -> None:
    """The options by which every command finds its configuration."""
    command.add_argument(
        "--config", type=Path, metavar="FILE", help=f"default: {settings.DEFAULT_FILE}, if it is there"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override a value, e.g. web.port=9000"
    )


def load(options: argparse.Namespace) -> settings.Settings:
    """The settings that the options name; warnings go to standard error. Raises ConfigError."""
    path: Path | None = getattr(options, "file", None) or options.config
    if path is None and Path(settings.DEFAULT_FILE).is_file():
        path = Path(settings.DEFAULT_FILE)
    loaded = checked(settings.load(path, options.set))
    for text in loaded.warnings:
        warn(text)
    return loaded


def checked(loaded: settings.Settings) -> settings.Settings:
    """The settings given, when there are formats of their countries. Raises ConfigError."""
    try:
        countries_of(loaded.config.engine.countries)
    except UnknownCountry as problem:
        key = "engine.countries"
        place = next(origin for name, origin in loaded.origins.items() if name.startswith(key))
        raise settings.ConfigError(f"{place}: {key}", str(problem)) from None
    return loaded


def _open_models(loaded: settings.Settings) -> None:
    """Try the models that the configuration names. Raises ConfigError for one that can't be used."""
    engine = loaded.config.engine
    of_vehicles = engine.vehicles if engine.vehicles.enabled else Vehicles()
    named = {
        "engine.detector": engine.detector, "engine.reader": engine.reader, "engine.vehicles.kinds": of_vehicles.kinds,
        "engine.vehicles.makes": of_vehicles.makes, "engine.vehicles.finder": of_vehicles.finder,
    }  # fmt: skip
    if not any(named.values()):
        return
    from lpr.vision.detect import PlateDetector
    from lpr.vision.manifest import ModelError
    from lpr.vision.ocr import PlateReader
    from lpr.vision.vehicle_finder import VehicleFinder
    from lpr.vision.vehicle_kind import CropClassifier

    tried: dict[str, Callable[[Path], object]] = {
        "engine.detector": PlateDetector,
        "engine.reader": PlateReader,
        "engine.vehicles.kinds": lambda path: CropClassifier(path, "vehicle-kind"),
        "engine.vehicles.makes": lambda path: CropClassifier(path, "vehicle-make"),
        "engine.vehicles.finder": VehicleFinder,
    }
    for key, path in named.items():
        if path is None:
            continue
        try:
            tried[key](Path(path))
        except ModelError as problem:
            raise settings.ConfigError(f"{loaded.origins.get(key, 'the configuration')}: {key}", str(problem)) from None


def _check(options: argparse.Namespace) -> int:
    try:
        loaded = load(options)
        _open_models(loaded)
    except settings.ConfigError as error:
        if not options.json:
            raise
        say_json({"ok": False, "place": error.place, "problem": error.problem, "remedy": error.remedy})
        return 2
    if options.json:
        say_json({"ok": True, "file": str(loaded.file) if loaded.file else None, "warnings": loaded.warnings})
    else:
        cameras = len(loaded.config.cameras)
        say(f"{loaded.file or 'defaults'}: good; {cameras} camera{'s' if cameras != 1 else ''}")
    return 0


def _show(options: argparse.Namespace) -> int:
    loaded = load(options)
    if options.json:
        say_json([{"key": key, "value": value, "from": origin} for key, value, origin in loaded.rows()])
    else:
        say_table(("key", "value", "from"), loaded.rows())
    return 0


def _schema(_options: argparse.Namespace) -> int:
    say_json(settings.schema())
    return 0
