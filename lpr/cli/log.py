"""``lpr log tail|filter|export``: look into the event log, also beside a running service."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import msgspec

from lpr.cli.output import CommandError, Progress, say
from lpr.cli.places import add_place, folder, open_reader, run_async
from lpr.core.clock import SECOND
from lpr.core.log import LogReader
from lpr.core.record import Link
from lpr.events import EVENTS, Micros

PAGE = 1000
LINE = 160
"""Characters of an event's body on a line of ``tail`` and ``filter``."""


def add(commands: Any) -> None:
    """Add the command."""
    log = commands.add_parser("log", help="look into the event log")
    kinds = log.add_subparsers(dest="kind", metavar="tail|filter|export", required=True)
    tail = kinds.add_parser("tail", help="the last records, and with -f those that come")
    tail.add_argument("-n", "--number", type=int, default=20, metavar="N", help="how many (20)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    tail.set_defaults(run=_tail)
    choose = kinds.add_parser("filter", help="the records that fit")
    choose.set_defaults(run=_filter)
    export = kinds.add_parser("export", help="write records as JSON lines or CSV")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(run=_export)
    for command in (tail, choose, export):
        add_place(command)
        command.add_argument(
            "--type", action="append", default=[], metavar="EVENT", help="e.g. PassageDecided; repeatable"
        )
        command.add_argument("--actor", action="append", default=[], metavar="NAME", help="written by; repeatable")
        command.add_argument(
            "--contains", default="", metavar="TEXT", help="the event's JSON contains it: a plate, an id"
        )
        command.add_argument("--since", metavar="TIME", help="ISO 8601 (UTC) or a span back from now: 90s, 15m, 2h, 3d")
        command.add_argument("--until", metavar="TIME", help="likewise")
        if command is not export:
            command.add_argument("--json", action="store_true", help="one JSON object a line")


Match = Callable[[Link], bool]


def _tail(options: argparse.Namespace) -> int:
    match, types = _match(options), _types(options)
    show = as_json_line if options.json else as_line

    async def tail() -> None:
        async with open_reader(folder(options)) as log:
            found: list[Link] = []
            before: int | None = None
            while len(found) < options.number:
                page = await log.read_back(before, types=types, limit=PAGE)
                found += [record for record in page if match(record)]
                if len(page) < PAGE:
                    break
                before = page[-1].seq
            for record in reversed(found[: options.number]):
                say(show(record))
            after = await log.head()
            while options.follow:
                await log.wait(after)
                page = await log.read(after, limit=PAGE)
                for record in page:
                    if (types is None or record.type in types) and match(record):
                        say(show(record))
                after = page[-1].seq if page else after

    run_async(tail)
    return 0


def _filter(options: argparse.Namespace) -> int:
    show = as_json_line if options.json else as_line

    async def find() -> None:
        async with open_reader(folder(options)) as log:
            async for record in _chosen(log, options):
                say(show(record))

    run_async(find)
    return 0


def _export(options: argparse.Namespace) -> int:
    progress = Progress("exported")

    async def export(target: TextIO) -> None:
        rows = csv.writer(target)
        if options.format == "csv":
            rows.writerow(("seq", "id", "wall", "type", "version", "actor", "cause", "body"))
        async with open_reader(folder(options)) as log:
            async for record in _chosen(log, options):
                if options.format == "csv":
                    wall = iso(record.wall)
                    rows.writerow(
                        (
                            record.seq,
                            record.id,
                            wall,
                            record.type,
                            record.version,
                            record.actor,
                            record.cause,
                            record.body.decode(),
                        )
                    )
                else:
                    target.write(as_json_line(record) + "\n")
                progress.step()

    try:
        if options.output is None:
            run_async(lambda: export(sys.stdout))
            sys.stdout.flush()
        else:
            with options.output.open("w", encoding="utf-8", newline="") as target:
                run_async(lambda: export(target))
    except BrokenPipeError:
        raise  # nobody reads on (`| head`), which is no error: main knows
    except OSError as error:
        raise CommandError(f"{options.output or 'standard output'}: {error.strerror}") from None
    finally:
        progress.clear()
    return 0


async def _chosen(log: LogReader, options: argparse.Namespace) -> AsyncIterator[Link]:
    match, types, after = _match(options), _types(options), 0
    while page := await log.read(after, types=types, limit=PAGE):
        for record in page:
            if match(record):
                yield record
        after = page[-1].seq


def _types(options: argparse.Namespace) -> frozenset[str] | None:
    known = {event.__name__ for event in EVENTS}
    unknown = [name for name in options.type if name not in known]
    if unknown:
        raise CommandError(f"--type {unknown[0]}: no such event; there are {', '.join(sorted(known))}")
    return frozenset(options.type) or None


def _match(options: argparse.Namespace) -> Match:
    since = parse_time(options.since) if options.since else None
    until = parse_time(options.until) if options.until else None
    actors = frozenset(options.actor)
    contains = options.contains.encode()

    def match(record: Link) -> bool:
        return (
            (not actors or record.actor in actors)
            and (since is None or record.wall >= since)
            and (until is None or record.wall <= until)
            and (contains in record.body or options.contains == record.id)
        )

    return match


_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_time(text: str, now: datetime | None = None) -> Micros:
    """A time of the command line. Raises CommandError."""
    span = text.strip().lower()
    if span[:-1].isdigit() and span[-1] in _SPANS:
        moment = (now or datetime.now(UTC)) - timedelta(seconds=int(span[:-1]) * _SPANS[span[-1]])
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{text}: not a time; write 2026-01-31T12:00, 2026-01-31 or 15m, 2h, 3d") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * SECOND)


def iso(at: Micros) -> str:
    """A time as people and programs read it: UTC with milliseconds."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_line(record: Link) -> str:
    """A record on one line for a person."""
    body = record.body.decode()
    short = body if len(body) <= LINE else body[: LINE - 1] + "…"
    return f"{record.seq:>8}  {iso(record.wall)}  {record.actor:<16}  {record.type:<18}  {short}"


def as_json_line(record: Link) -> str:
    """A record as a JSON object; ``event`` is the body exactly as stored."""
    line = {
        "seq": record.seq,
        "id": record.id,
        "type": record.type,
        "version": record.version,
        "actor": record.actor,
        "cause": record.cause,
        "wall": iso(record.wall),
        "hash": record.hash.hex(),
        "event": msgspec.Raw(record.body),
    }
    return msgspec.json.encode(line).decode()


__all__ = ["add", "as_json_line", "as_line", "iso", "parse_time"]
