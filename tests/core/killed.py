"""A process to be killed: stores pictures and names them in the log, and says what is durable.

``python -m tests.core.killed FOLDER``: a line for each record that ``append`` has returned: its sequence number.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import Picture
from tests.core.samples import taken


async def main(folder: Path) -> None:
    blobs = BlobStore(folder / "blobs")
    clock = SystemClock()
    async with EventLog.open(folder / "log.db", clock) as log:

        async def produce(name: str) -> None:
            number = 0
            while True:
                number += 1
                data = f"{name} {number} {log.head}".encode() * 50
                blob = await blobs.put(data)
                shown = Picture(blob=blob, width=1, height=1, bytes=len(data))
                (record,) = await log.append([taken(number, shown, name)], actor=name, cursor=number)
                sys.stdout.write(f"{record.seq}\n")
                sys.stdout.flush()

        async with anyio.create_task_group() as tasks:
            for name in "abc":
                tasks.start_soon(produce, name)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
