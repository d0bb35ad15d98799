"""Values of command-line options, checked before a tool begins hours of work.

Each function is a ``type`` of argparse: a text in, the value out; raises ArgumentTypeError, which argparse turns into
one line that names the option. May import nothing of ours.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

__all__ = ["existing_file", "existing_folder", "from_one", "from_zero", "new_file"]


def new_file(text: str) -> Path:
    """A file that is to be written: its folder must be there."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def existing_file(text: str) -> Path:
    """A file that must be there."""
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{path}: there is no such file")
    return path


def existing_folder(text: str) -> Path:
    """A folder that must be there."""
    path = Path(text)
    if not path.is_dir():
        raise ArgumentTypeError(f"{path}: there is no such folder")
    return path


def from_zero(text: str) -> int:
    """A whole number, 0 or more."""
    return _whole(text, 0)


def from_one(text: str) -> int:
    """A whole number, 1 or more."""
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < least:
        raise ArgumentTypeError(f"{number} is too few; {least} or more")
    return number
