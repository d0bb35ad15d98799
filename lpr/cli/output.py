"""What every command prints with: errors, JSON lines, tables and progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


class CommandError(Exception):
    """The command can't go on: ``str(error)`` is for the user, ``status`` the exit code."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def say(text: str) -> None:
    """One line on standard output, at once."""
    print(text, flush=True)


def warn(text: str) -> None:
    """One line on standard error."""
    print(f"lpr: {text}", file=sys.stderr, flush=True)


def say_json(value: Any) -> None:
    """``value`` as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def say_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their longest cell."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """A counter on standard error, only when that is a terminal and standard output is not in its way."""

    def __init__(self, what: str, total: int | None = None, *, quiet: bool = False) -> None:
        self._what = what
        self._total = total
        self._shown = sys.stderr.isatty() and not quiet
        self._done = 0

    def step(self, count: int = 1) -> None:
        """``count`` more are done."""
        self._done += count
        if self._shown:
            of = f" of {self._total}" if self._total else ""
            sys.stderr.write(f"\r{self._what}: {self._done}{of} \x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, before something else is printed and at the end."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
