"""A disk that is full when a test wants it: a small tmpfs, or where none may be mounted, no room for growing files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

BALLAST = ".ballast"


class Disk:
    """``folder``: on the disk. Without a mount (``mounted`` is False) no file of this process can grow while full."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """No room any more."""
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limits[1]))
            return
        with (self.folder / BALLAST).open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        """Room again."""
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        elif (self.folder / BALLAST).exists():
            (self.folder / BALLAST).unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int = 16) -> Generator[Disk]:
    """``folder`` as a disk of its own (root in a machine that allows it) or under a limit on the size of files."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and _mount(folder, megabytes)
    disk = Disk(folder, mounted)
    try:
        yield disk
    finally:
        disk.make_room()
        if mounted:
            subprocess.run(("umount", "--lazy", str(folder)), check=True)


def _mount(folder: Path, megabytes: int) -> bool:
    command = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
