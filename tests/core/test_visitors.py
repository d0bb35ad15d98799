"""Who may come in at a file server, what is told of it, and how fast bytes go out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lpr.core.accounts import Level, LoginsBusy
from lpr.core.chronicle import Chronicle
from lpr.core.clock import SECOND, ManualClock
from lpr.core.record import Record
from lpr.core.visitors import TOLD_FAILURES, Bandwidth, Visitor, Visitors
from lpr.events import AbuseSeen, Event, FileTransferred, LoggedIn, LoginFailed

pytestmark = pytest.mark.anyio


class Desk:
    """A server's visitors, with one account of each level whose password is its name."""

    def __init__(self, level: Level = "user", *, clients: int = 4, per_address: int = 3, attempts: int = 3) -> None:
        self.events: list[Event] = []
        self.clock = ManualClock()
        self.chronicle = Chronicle("ftp", self.emit, self.clock)
        self.asked = 0
        self.busy = False
        self.visitors = Visitors(
            "ftp", logins=self, level=level, chronicle=self.chronicle, clock=self.clock, max_clients=clients,
            max_per_address=per_address, attempts=attempts,
        )  # fmt: skip

    async def check(self, name: str, password: str) -> Level | None:
        self.asked += 1
        if self.busy:
            raise LoginsBusy("many")
        levels: dict[str, Level] = {"user": "user", "operator": "operator", "administrator": "administrator"}
        return levels.get(name) if name == password else None

    async def emit(self, events: Sequence[Event]) -> tuple[Record, ...]:
        self.events += events
        return ()

    def enter(self, address: str = "10.0.0.1") -> Visitor:
        visitor = self.visitors.enter(address)
        assert visitor is not None
        return visitor

    async def told(self) -> list[Event]:
        await self.chronicle.flush()
        return self.events


async def test_a_log_in_and_a_transfer_are_told() -> None:
    desk = Desk()
    visitor = desk.enter()
    assert await desk.visitors.log_in(visitor, "operator", "operator")
    desk.visitors.transferred(visitor, "/records/2026-11-21.csv", 5, "done")
    assert await desk.told() == [
        LoggedIn(user="operator", remote="10.0.0.1", server="ftp"),
        FileTransferred(
            server="ftp", user="operator", remote="10.0.0.1", path="/records/2026-11-21.csv", direction="out", bytes=5,
            outcome="done",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "name", "allowed"),
    [("user", "user", True), ("operator", "user", False), ("administrator", "administrator", True)],
)
async def test_the_level_counts(level: Level, name: str, allowed: bool) -> None:
    desk = Desk(level)
    assert await desk.visitors.log_in(desk.enter(), name, name) is allowed
    assert desk.visitors.log_in_by_key(desk.enter(), name, "user") is (level == "user")
    assert not desk.visitors.log_in_by_key(desk.enter(), "nobody", None)


async def test_wrong_passwords_are_told_and_then_not_even_looked_at() -> None:
    desk = Desk()
    for _ in range(5):
        assert not await desk.visitors.log_in(desk.enter(f"10.0.0.{1}"), "x\ny" * 40, "wrong")
    assert desk.asked == 3
    assert not await desk.visitors.log_in(desk.enter(), "operator", "operator")
    assert await desk.visitors.log_in(desk.enter("10.0.0.2"), "operator", "operator")
    failed = [event for event in await desk.told() if isinstance(event, LoginFailed)]
    assert len(failed) == 3 and failed[0].server == "ftp"
    assert len(failed[0].user) == 64 and "\n" not in failed[0].user
    assert any(isinstance(event, AbuseSeen) for event in desk.events)
    desk.clock.advance(61.0)
    assert await desk.visitors.log_in(desk.enter(), "operator", "operator")


async def test_right_passwords_do_not_use_up_the_attempts() -> None:
    desk = Desk()
    for _ in range(10):
        visitor = desk.enter()
        assert await desk.visitors.log_in(visitor, "user", "user")
        desk.visitors.leave(visitor)


async def test_failures_from_everywhere_do_not_flood_the_log() -> None:
    desk = Desk(clients=1000)
    for number in range(2 * TOLD_FAILURES):
        await desk.visitors.log_in(desk.enter(f"10.0.{number}.1"), "x", "wrong")
    assert sum(isinstance(event, LoginFailed) for event in await desk.told()) == TOLD_FAILURES


async def test_busy_checks_are_no_failure_of_the_client() -> None:
    desk = Desk()
    desk.busy = True
    assert not await desk.visitors.log_in(desk.enter(), "user", "user")
    assert not any(isinstance(event, LoginFailed) for event in await desk.told())


async def test_places_are_bounded_and_who_never_logged_in_makes_room() -> None:
    desk = Desk(clients=2, per_address=2)
    first, second = desk.enter(), desk.enter()
    dropped: list[int] = []
    first.drop = lambda: dropped.append(1)
    second.drop = lambda: dropped.append(2)
    assert await desk.visitors.log_in(second, "user", "user")
    third = desk.enter()
    assert dropped == [1] and len(desk.visitors) == 2
    assert await desk.visitors.log_in(third, "user", "user")
    assert desk.visitors.enter("10.0.0.9") is None
    desk.visitors.leave(second)
    desk.visitors.leave(second)
    desk.enter()


def test_bandwidth_is_shared() -> None:
    clock = ManualClock()
    clock.advance(10.0)
    bandwidth = Bandwidth(1000, clock)
    assert bandwidth.delay(500) == 0.0  # half a second's worth at once
    assert bandwidth.delay(1000) == pytest.approx(1.0)
    assert bandwidth.delay(1000) == pytest.approx(2.0)
    clock.advance(2.0)
    assert bandwidth.delay(100) == pytest.approx(0.1)
    assert Bandwidth(0, clock).delay(10**12) == 0.0
    assert SECOND == 1_000_000
