"""A search table and a picture store with some passages, for the tests of what FTP and SFTP clients see."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lpr.core import search
from lpr.core.blobs import BlobStore, name_of
from lpr.core.shelves import Shelves
from lpr.events import Micros

HOUR: Micros = 3_600_000_000
BASE: Micros = 1_795_269_600_000_000
"""2026-11-21 14:00:00 UTC."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A passage of the rig. ``jpeg``, ``plate_jpeg``: its pictures; None: it is not signed."""

    at: Micros
    plate: str = "ABC1D23"
    jpeg: bytes | None = b"\xff\xd8signed\xff\xd9"
    plate_jpeg: bytes | None = b"\xff\xd8plate\xff\xd9"
    lane: str = "1"
    make: str | None = None
    plated: bool = True
    keep: bool = True


def fill(folder: Path, passages: Sequence[Seen]) -> None:
    """Make the search table and the store; record numbers count from 1. ``keep`` False: its pictures are not stored."""
    blobs = BlobStore(folder / "blobs")
    path = folder / search.FILE_NAME
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(search.SCHEMA)
    stored: set[bytes] = set()
    for number, seen in enumerate(passages, 1):
        names: list[str | None] = []
        for data in (seen.jpeg, seen.plate_jpeg):
            if data is not None and seen.keep and data not in stored:
                blobs.store(data)
                stored.add(data)
            names.append(None if data is None else name_of(data))
        values: dict[str, object] = {
            "seq": number, "id": f"id-{number}", "plate": seen.plate, "twin": "", "confidence": 0.875,
            "characters": "[]", "country": "BR", "layout": None, "source": 'gate "a"', "lane": seen.lane,
            "direction": "approach", "at": seen.at, "first_at": seen.at, "last_at": seen.at, "reads": 3,
            "capture": "c", "box": "[]", "corners": "[]", "make": seen.make, "plated": int(seen.plated), "decided": 0,
            "picture": "0" * 64, "picture_width": 1, "picture_height": 1,
            "signed_seq": None if seen.jpeg is None else number, "signed_picture": names[0], "plate_picture": names[1],
        }  # fmt: skip
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO passages ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    connection.commit()
    connection.close()


def shelves(folder: Path, utc_offset: int = 0) -> Shelves:
    return Shelves(folder / search.FILE_NAME, BlobStore(folder / "blobs"), utc_offset=utc_offset)
