"""All benchmarks, one after the other: a table of targets and figures, and with ``--json FILE`` everything measured.

``python -m tools.bench [--quick] [--json FILE] [--only NAME] [--film FILE]``. Each runs in a process of its own, so
that none sees another's memory or threads. ``--quick``: smaller numbers, to see that they work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

NAMES = ("log", "replay", "tcp", "rtsp", "media", "events", "engine", "service")
QUICK: dict[str, tuple[str, ...]] = {
    "log": ("--rows", "1200", "--rounds", "2"),
    "replay": ("--events", "100000"),
    "tcp": ("--clients", "50", "--passages", "4", "--rounds", "1"),
    "rtsp": ("--viewers", "50", "--seconds", "5"),
    "media": ("--seconds", "2", "--rounds", "1"),
    "events": ("--viewers", "10", "--passages", "10"),
    "engine": ("--pictures", "10"),
    "service": ("--seconds", "8", "--idle", "5", "--events", "100000"),
}

TCP_RATIO, TCP_STALLED = 0.7, 1.05
"""Targets of ``tools.bench.tcp``."""


class Figure(NamedTuple):
    """One line of the table. ``least``: the target is a lower bound, else an upper one."""

    name: str
    figure: float
    target: float
    least: bool

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.figure >= self.target if self.least else self.figure <= self.target


def measure(name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """What one benchmark prints."""
    command = (sys.executable, "-m", f"tools.bench.{name}", *arguments)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return msgspec.json.decode(done.stdout, type=dict[str, Any])


def figures(name: str, found: dict[str, Any]) -> Iterator[Figure]:
    """What of a benchmark's result has a target."""
    if name == "log":
        for one in found["results"]:
            label = f"log: rows/s over bare sqlite3, {one['backend']}, {one['batch']} rows"
            yield Figure(label, one["ratio"], found["target_ratio"], True)
    elif name == "replay":
        for fold, one in found["folds"].items():
            events = one["log_events_per_s"]
            yield Figure(f"replay: events/s, {fold}", events, found["target_events_per_s"], True)
        yield Figure("replay: opening the log, s", found["open_s"], found["target_open_s"], False)
    elif name == "tcp":
        yield from _tcp(found)
    elif name == "rtsp":
        label = f"rtsp: {found['viewers']} viewers of {found['mbit']} Mbit/s, of a core"
        yield Figure(label, found["share"], found["target_share"], False)
    elif name == "events":
        for client in ("rtsp", "pullpoint", "tcp"):
            label = f"events: from commit to the {client} client, median, ms"
            yield Figure(label, found[client]["median_ms"], found["target_ms"], False)
    elif name == "engine":
        for mode, one in found["modes"].items():
            yield Figure(f"engine: memory, {mode}, MiB", one["peak_mib"], found["target_mib"], False)
        start = found["modes"]["normal"]
        label = "engine: from opening to the first reading, s"
        yield Figure(label, start["open_s"] + start["first_s"], found["target_start_s"], False)
        yield Figure("engine: CPU of its threads while it waits, of a core", found["spinning"], 0.05, False)
    elif name == "media":
        for codec, one in found["delay"].items():
            label = f"media: delay beside the encoder's, {codec}, frames"
            yield Figure(label, one["added_frames"], found["target_frames"], False)
        beside = found["recognition"]
        label = "media: recognition's loss over the encoder's share"
        yield Figure(label, beside["over_share"], beside["target_over_share"], False)
        label = "media: the same without waiting for cores"
        yield Figure(label, beside["own_over_share"], beside["target_over_share"], False)
    else:
        if "run" in found:
            run = found["run"]
            yield Figure(
                "service: CPU beside decoding and inference", run["else_share"], run["target_else_share"], False
            )
            yield Figure("service: steady memory, MiB", run["steady_mib"], run["target_mib"], False)
        if "idle" in found:
            idle = found["idle"]
            yield Figure("service: idle, of a core", idle["alone"], idle["target"], False)
            yield Figure("service: idle with two clients, of a core", idle["watched"], idle["target"], False)
        if "open" in found:
            opened = found["open"]
            label = f"service: opening on {opened['events']} events, s"
            yield Figure(label, opened["served_s"], opened["target_s"], False)


def _tcp(found: dict[str, Any]) -> Iterator[Figure]:
    yield Figure("tcp: throughput over bare asyncio", found["throughput"]["ratio"], TCP_RATIO, True)
    yield Figure("tcp: delay of the others with one stalled, ratio", found["stalled"]["ratio"], TCP_STALLED, False)


def table(found: Sequence[Figure]) -> str:
    """The figures as columns."""
    width = max((len(one.name) for one in found), default=0)
    lines = [
        f"{one.name:<{width}}  {one.figure:>12g}  {'at least' if one.least else 'at most':>8} {one.target:<8g}"
        f"  {'yes' if one.met else 'NO'}"
        for one in found
    ]
    return "\n".join((f"{'':<{width}}  {'measured':>12}  {'target':>17}  met", *lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller numbers")
    parser.add_argument("--only", choices=NAMES, action="append", help="these alone")
    parser.add_argument("--film", type=Path, help="for the service's run, instead of the rendered street")
    parser.add_argument("--json", type=Path, help="everything measured goes there")
    given = parser.parse_args(arguments)
    results: dict[str, dict[str, Any]] = {}
    found: list[Figure] = []
    for name in given.only or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        options = QUICK[name] if given.quick else ()
        if name == "service" and given.film is not None:
            options = (*options, "--film", str(given.film))
        results[name] = measure(name, options)
        found += figures(name, results[name])
    print(table(found))
    print(f"load of the machine over the last 1, 5 and 15 minutes: {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.met for one in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
