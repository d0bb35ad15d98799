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
from lpr.core.errors import (
    BlobDamagedError,
    BlobMissingError,
    LogClosedError,
    LogDamagedError,
    LogFormatError,
    LogLockedError,
    LogUnavailable,
    RecordError,
)
from lpr.core.log import LogReader
from lpr.folder import DataFolder
from lpr.web.credentials import CredentialsError
from lpr.web.users import UserError

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


EXPECTED = (
    BlobMissingError,
    BlobDamagedError,
    CredentialsError,
    LogClosedError,
    LogDamagedError,
    LogFormatError,
    LogLockedError,
    LogUnavailable,
    RecordError,
    UserError,
)
"""Errors whose message is meant for a person."""


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on an event loop; expected errors, alone or in a group, become the command's. Others are raised."""
    try:
        return anyio.run(work)
    except EXPECTED as error:
        raise CommandError(str(error)) from None
    except BaseExceptionGroup as group:
        error = alone(group)
        if isinstance(error, CommandError):
            raise error from None
        if isinstance(error, EXPECTED):
            raise CommandError(str(error)) from None
        raise


def alone(error: BaseException) -> BaseException:
    """The one error inside nested groups; the group itself when there are several."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return alone(inner[0]) if len(inner) == 1 else error
