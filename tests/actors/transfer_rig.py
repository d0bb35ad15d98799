"""File servers over a small tree, for their tests: who may log in, what they told the log, certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio
import trustme

from lpr.config import Tls
from lpr.core.accounts import Account, Accounts, Level, LoginsBusy
from lpr.core.actor import Emit
from lpr.core.log import EventLog
from lpr.core.record import Record
from lpr.events import Event, FileTransferred

PICTURE = b"\xff\xd8" + bytes(range(256)) * 1200 + b"\xff\xd9"
"""A picture of 300 kB, which no socket takes at once."""
NVR, PASSWORD = "nvr", "open sesame 1"


class TestLogins:
    """Machines' accounts; ``busy``: as when too many wait."""

    __test__ = False

    def __init__(self) -> None:
        self.accounts = Accounts(
            [
                Account(NVR, "operator", PASSWORD),
                Account("viewer", "user", "only looking 1"),
            ]
        )
        self.busy = False
        self.asked = 0

    async def check(self, name: str, password: str) -> Level | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.busy:
            raise LoginsBusy("many wait")
        return self.accounts.check(name, password)


class Server(Protocol):
    """What ``running`` can run."""

    started: anyio.Event

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]: ...

    async def run(self, emit: Emit) -> None: ...


@dataclass
class Told:
    """What a server told the log."""

    events: list[Event] = field(default_factory=list[Event])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def emit(self, events: Sequence[Event]) -> tuple[Record, ...]:
        self.events += events
        self.news.set()
        return ()

    async def of(self, kind: type[Event], count: int = 1) -> list[Event]:
        """The first ``count`` events of a kind, as soon as they are there."""
        with anyio.fail_after(20):
            while len(found := [event for event in self.events if isinstance(event, kind)]) < count:
                self.news.clear()
                await self.news.wait()
        return found

    async def transfers(self, count: int = 1) -> list[tuple[str, str, int, str]]:
        """(user, path, bytes, outcome) of the first ``count`` transfers."""
        found = [event for event in await self.of(FileTransferred, count) if isinstance(event, FileTransferred)]
        return [(event.user, event.path, event.bytes, event.outcome) for event in found]


@asynccontextmanager
async def running(server: Server) -> AsyncGenerator[tuple[int, Told], None]:
    """Its port, and what it tells."""
    told = Told()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, told.emit)
        with anyio.fail_after(20):
            await server.started.wait()
        yield server.addresses[0][1], told
        tasks.cancel_scope.cancel()


def certificate(folder: Path) -> tuple[Tls, Path]:
    """A certificate for 127.0.0.1 and localhost, and the file of its authority."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return Tls(certificate_file=str(folder / "cert.pem"), key_file=str(folder / "key.pem")), folder / "ca.pem"


__all__ = ["NVR", "PASSWORD", "PICTURE", "EventLog", "Server", "TestLogins", "Told", "certificate", "running"]
