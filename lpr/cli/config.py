"""``lpr config check|show|schema``: is the file right, what is in force and where from, what may be written.

May import ``lpr.settings`` and ``lpr.plates.formats`` (which countries there are, what ``lpr.config`` can't know).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lpr import settings
from lpr.cli.output import say, say_json, say_table, warn
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
    loaded = settings.load(path, options.set)
    try:
        countries_of(loaded.config.engine.countries)
    except UnknownCountry as problem:
        key = "engine.countries"
        place = next(origin for name, origin in loaded.origins.items() if name.startswith(key))
        raise settings.ConfigError(f"{place}: {key}", str(problem)) from None
    for text in loaded.warnings:
        warn(text)
    return loaded


def _check(options: argparse.Namespace) -> int:
    try:
        loaded = load(options)
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
