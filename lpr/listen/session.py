"""One listening: reports as they come, printed and kept, until enough have come or the time is over.

anyio. May import this room and ``lpr.core``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

import anyio

from lpr.core.clock import SECOND, Clock
from lpr.listen.keep import Keeper
from lpr.listen.report import Report, line
from lpr.listen.target import NOT_LET_IN, ListenFailure

Source: TypeAlias = AsyncGenerator[tuple[str, Report], None]
"""(who sent it, what came), until the camera closes."""


@dataclass
class Tally:
    """What a listening came to. ``ended``: "count", "time", "closed" or why it failed."""

    reports: int = 0
    deviations: int = 0
    ended: str = ""
    by_field: dict[str, int] = field(default_factory=dict[str, int])

    def status(self, wanted: int) -> int:
        """The exit code: 1 when something deviates or fewer came than were wanted."""
        return 1 if self.deviations or (wanted and self.reports < wanted) else 0


async def again(
    make: Callable[[], Source], clock: Clock, seconds: float, tell: Callable[[str], None] = lambda text: None
) -> Source:
    """A new conversation ``seconds`` after each end, as an NVR does. ``tell``: is told why one ended.

    Raises ListenFailure only when we are not let in: another try would be the same.
    """
    while True:
        source = make()
        try:
            async for item in source:
                yield item
            tell("the other side closed")
        except ListenFailure as failure:
            if failure.status == NOT_LET_IN:
                raise
            tell(str(failure))
        finally:
            with anyio.CancelScope(shield=True):
                await source.aclose()
        await clock.sleep(seconds)


async def listen(
    kind: str,
    source: Source,
    *,
    clock: Clock,
    keeper: Keeper,
    say: Callable[[str], None],
    count: int = 0,
    seconds: float = 0.0,
    tally: Tally | None = None,
) -> Tally:
    """Until ``count`` reports have come (0: no limit), ``seconds`` have passed (0: no limit) or the camera closes.

    Reports that only accompany (a log-in) are printed and not counted. ``tally``: is counted in. Raises ListenFailure.
    """
    tally = Tally() if tally is None else tally
    try:
        with anyio.move_on_after(seconds if seconds else None) as scope:
            async for sender, report in source:
                files, raw = await keeper.keep(report)
                say(line(kind, sender, _iso(clock), report, files, raw))
                tally.deviations += len(report.deviations)
                for deviation in report.deviations:
                    tally.by_field[deviation.field] = tally.by_field.get(deviation.field, 0) + 1
                if report.counts:
                    tally.reports += 1
                    if count and tally.reports >= count:
                        tally.ended = "count"
                        return tally
            tally.ended = "closed"
        if scope.cancelled_caught:
            tally.ended = "time"
    finally:
        with anyio.CancelScope(shield=True):
            await source.aclose()
    return tally


def _iso(clock: Clock) -> str:
    at = datetime.fromtimestamp(clock.wall() / SECOND, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["ListenFailure", "Source", "Tally", "again", "listen"]
