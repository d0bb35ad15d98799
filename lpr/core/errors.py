"""What can go wrong with the log and the blob store, as types. Imports nothing of ours.

The message of each names the place and the remedy, so that it can be shown to a person as it is.
"""

from __future__ import annotations


class LogUnavailable(Exception):
    """The log can't be written just now (disk full, locked, I/O error). Nothing was written; try again."""


class LogClosedError(Exception):
    """The log is closed or closing: the service is stopping."""


class LogLockedError(Exception):
    """Another process has the log open for writing."""


class LogDamagedError(Exception):
    """The log's file is damaged. Opening the log again salvages what can be read."""


class LogFormatError(Exception):
    """The file is no log, or one of a format that this release doesn't know."""


class RecordError(Exception):
    """A record of a known type and version has a body that doesn't fit it."""


class BlobMissingError(Exception):
    """No picture has this name. ``blob``: its name."""

    def __init__(self, blob: str, message: str) -> None:
        super().__init__(message)
        self.blob = blob


class BlobDamagedError(Exception):
    """A picture's bytes don't have the hash that is its name. ``blob``: its name."""

    def __init__(self, blob: str, message: str) -> None:
        super().__init__(message)
        self.blob = blob


class BlobUnavailableError(Exception):
    """A picture could not be stored (disk full, no permission). Nothing half written is left; try again."""
