"""Raw bytes and pictures into a folder, one file each, named by number so that no peer chooses a path.

May import this room and anyio.
"""

from __future__ import annotations

import re
from pathlib import Path

import anyio

from lpr.listen.report import Report
from lpr.listen.target import UNREACHABLE, ListenFailure


class Keeper:
    """``folder``: None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._number = 0

    async def keep(self, report: Report) -> tuple[dict[str, str], str | None]:
        """Where its pictures (by name) and its raw bytes lie now. Raises ListenFailure."""
        if self._folder is None:
            return {}, None
        self._number += 1
        stem = f"{self._number:06d}"
        files: dict[str, str] = {}
        try:
            await anyio.Path(self._folder).mkdir(parents=True, exist_ok=True)
            raw = await self._write(f"{stem}.{report.suffix}", report.raw) if report.raw else None
            for index, (name, data) in enumerate(report.pictures):
                label = re.sub(r"[^0-9A-Za-z_-]", "_", name)[:40] or str(index)
                files[name] = await self._write(f"{stem}-{index}-{label}.jpg", data)
        except OSError as error:
            raise ListenFailure(f"{self._folder}: {error.strerror}; name another folder", UNREACHABLE) from None
        return files, raw

    async def _write(self, name: str, data: bytes) -> str:
        assert self._folder is not None
        path = self._folder / name
        await anyio.Path(path).write_bytes(data)
        return str(path)
