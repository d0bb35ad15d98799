"""Where a service keeps its things, and opening its log beside it. One place names every file of the data folder."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio

from lpr.cli.config import add_options, load
from lpr.cli.output import CommandError
from lpr.core.clock import SystemClock
from lpr.core.errors import LogDamagedError, LogFormatError, LogLockedError, LogUnavailable, RecordError
from lpr.core.log import LogReader
from lpr.folder import DataFolder

T = TypeVar("T")


def add_place(command: argparse.ArgumentParser) -> None:
    """The options that say whose log is meant."""
    add_options(command)
    command.add_argument(
        "--data", type=Path, metavar="FOLDER", help="the service's data folder, instead of the configured"
    )


def folder(options: argparse.Namespace) -> DataFolder:
    """The data folder that the options name."""
    given: Path | None = options.data
    return DataFolder(given if given is not None else Path(load(options).config.data))


@asynccontextmanager
async def open_reader(place: DataFolder) -> AsyncGenerator[LogReader, None]:
    """The log of ``place``, read only. Raises CommandError."""
    try:
        async with LogReader.open(place.log, SystemClock()) as reader:
            yield reader
    except FileNotFoundError:
        raise CommandError(f"{place.log}: there is no log; name the data folder of the service with --data") from None


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on an event loop; the log's errors become the command's."""
    try:
        return anyio.run(work)
    except (LogLockedError, LogFormatError, LogUnavailable, LogDamagedError, RecordError) as error:
        raise CommandError(str(error)) from None
