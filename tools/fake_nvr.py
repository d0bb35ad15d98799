"""A small NVR for Milesight's TCP type: connects, logs in, prints and keeps every passage, connects again.

For people who write NVRs (this is what the other side looks like) and for tests that need a real client:

    python -m tools.fake_nvr HOST PORT --user admin --password-file nvr.txt --save pictures --record passages.jsonl

One line a passage on standard output; with --record one JSON object a line, flushed to the disk before the next
passage is read, so that a killed NVR has what it says it has. Exit code: 0 after --count passages or on Ctrl-C,
1 when the camera refuses the log-in or breaks the protocol, 2 when it cannot be reached and --once is set.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from lpr.events import COLOURS
from lpr.protocols.milesight import ClientConnection, LoginReply, ProtocolError, Recognition

DIRECTIONS = ("unknown", "in", "out")


class Refused(Exception):
    """The camera did not accept the log-in; the text is its result."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where and as whom. ``portion``: bytes read at a time; ``pause``: seconds between two portions (a slow NVR)."""

    host: str
    port: int
    user: str
    password: str
    register: bool = False
    portion: int = 65536
    pause: float = 0.0
    max_message: int = 64 * 1024 * 1024


async def visit(where: Visit, on_passage: Callable[[Recognition], bool]) -> bool:
    """One connection until the camera closes it or ``on_passage`` returns False; True when the camera closed.

    Raises OSError (not reached, broken off), Refused, ProtocolError.
    """
    reader, writer = await asyncio.open_connection(where.host, where.port)
    connection = ClientConnection(max_message=where.max_message)
    try:
        writer.write(connection.log_in(where.user, where.password))
        while True:
            data = await reader.read(where.portion)
            connection.receive(data)
            for message in connection.messages():
                if isinstance(message, LoginReply):
                    if message.result != "200":
                        raise Refused(message.result)
                    if where.register:
                        writer.write(connection.register())
                elif isinstance(message, Recognition) and not on_passage(message):
                    return False
            if not data:
                return True
            if where.pause:
                await asyncio.sleep(where.pause)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def summary(passage: Recognition) -> dict[str, object]:
    """A passage as JSON values. ``device``: hex GUID; ``time_ms``: since the epoch; ``images``: size and SHA-256."""
    m = passage.metadata
    return {
        "device": m.guid.hex(),
        "time_ms": m.time_ms,
        "plate": m.plate,
        "region": m.region,
        "roi": m.roi,
        "direction": DIRECTIONS[m.direction] if m.direction < len(DIRECTIONS) else m.direction,
        "confidence": round(m.confidence, 4),
        "speed": m.speed,
        "plate_colour": COLOURS[m.plate_colour] if m.plate_colour < len(COLOURS) else m.plate_colour,
        "vehicle": m.vehicle,
        "box": [m.x1, m.y1, m.x2, m.y2],
        "picture": [m.width, m.height],
        "images": [{"bytes": len(i), "sha256": hashlib.sha256(i).hexdigest()} for i in passage.images],
    }


class Keeper:
    """Prints passages, saves their pictures, records them. ``count``: stop after so many, 0 never."""

    def __init__(self, save: Path | None, record: IO[str] | None, count: int, quiet: bool) -> None:
        self._save = save
        self._record = record
        self._count = count
        self._quiet = quiet
        self.seen = 0

    def __call__(self, passage: Recognition) -> bool:
        """Keep one; False when enough have come."""
        self.seen += 1
        told = summary(passage)
        if self._save is not None:
            plate = re.sub(r"[^0-9A-Za-z]", "_", passage.metadata.plate) or "none"
            for index, image in enumerate(passage.images):
                (self._save / f"{passage.metadata.time_ms}-{plate}-{index}.jpg").write_bytes(image)
        if self._record is not None:
            self._record.write(json.dumps(told, ensure_ascii=False) + "\n")
            self._record.flush()
            os.fsync(self._record.fileno())
        if not self._quiet:
            at = datetime.fromtimestamp(passage.metadata.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            sizes = " + ".join(str(len(image)) for image in passage.images) or "no pictures"
            print(f"{at}  {passage.metadata.plate or '-':<12} {passage.metadata.confidence:.2f}  {sizes}", flush=True)
        return not self._count or self.seen < self._count


async def stay(where: Visit, keeper: Keeper, *, once: bool, retry: float) -> int:
    """Visit again and again; the exit code."""
    while True:
        try:
            if not await visit(where, keeper):
                return 0
            print("the camera closed the connection", file=sys.stderr)
        except Refused as error:
            print(f"log-in refused: {error}", file=sys.stderr)
            return 1
        except ProtocolError as error:
            if error.offence == "cut off":
                print("the camera broke off inside a message", file=sys.stderr)
                if not once:
                    await asyncio.sleep(retry)
                    continue
                return 0
            print(f"not Milesight's protocol: {error}", file=sys.stderr)
            return 1
        except OSError as error:
            print(f"{where.host}:{where.port}: {error}", file=sys.stderr)
            if once:
                return 2
        if once:
            return 0
        await asyncio.sleep(retry)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fake_nvr", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password-file", type=Path, help="a file with the password; without it LPR_NVR_PASSWORD")
    parser.add_argument("--save", type=Path, help="folder for the pictures")
    parser.add_argument("--record", type=Path, help="file that gets one JSON object a passage")
    parser.add_argument("--count", type=int, default=0, help="stop after so many passages")
    parser.add_argument("--once", action="store_true", help="do not connect again")
    parser.add_argument("--retry", type=float, default=1.0, help="seconds between two connections")
    parser.add_argument("--register", action="store_true", help="send the registration of later firmwares")
    parser.add_argument("--slow", type=int, metavar="BYTES", help="read only so many bytes a second")
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args(arguments)
    password = (
        given.password_file.read_text().strip() if given.password_file else os.environ.get("LPR_NVR_PASSWORD", "")
    )
    if not password:
        parser.error("no password: give --password-file or set LPR_NVR_PASSWORD")
    if given.save:
        given.save.mkdir(parents=True, exist_ok=True)
    where = Visit(
        given.host,
        given.port,
        given.user,
        password,
        register=given.register,
        portion=max(1, given.slow) if given.slow else 65536,
        pause=1.0 if given.slow else 0.0,
    )
    with contextlib.ExitStack() as files, contextlib.suppress(KeyboardInterrupt):
        record = files.enter_context(given.record.open("a", encoding="utf-8")) if given.record else None
        keeper = Keeper(given.save, record, given.count, given.quiet)
        return asyncio.run(stay(where, keeper, once=given.once, retry=given.retry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
