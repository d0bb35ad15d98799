"""What a server has to tell the log: joined and left clients at once, hostile input summed, all at a bounded rate.

While the log takes nothing the newest ``MAX_PENDING`` events wait in memory; nothing a client does grows that.
May import ``lpr.events`` and anyio.
"""

from __future__ import annotations

import anyio

from lpr.core.admission import SECOND, Tally
from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogUnavailable
from lpr.core.pipeline import Emit
from lpr.events import Event

MAX_PENDING = 1000
"""Events kept for a log that takes nothing; the oldest go first."""
PAUSE = 1.0
"""Seconds between two tries of a log that takes nothing."""
STOP_TIMEOUT = 2.0


class Chronicle:
    """``server``: the name in AbuseSeen. Give ``tell`` and ``offence`` what happens, and let ``run`` run beside."""

    def __init__(self, server: str, emit: Emit, clock: Clock) -> None:
        self._emit = emit
        self._clock = clock
        self._tally = Tally(server)
        self._pending: list[Event] = []
        self._something = anyio.Event()

    @property
    def waiting(self) -> int:
        """Events that are not written yet."""
        return len(self._pending)

    def tell(self, event: Event) -> None:
        """Have ``event`` written soon."""
        self._pending.append(event)
        del self._pending[:-MAX_PENDING]
        self._something.set()

    def offence(self, kind: str, remote: str) -> None:
        """Hostile or broken input of ``kind`` ("wrong log-in", …): told at once, then at most once a minute."""
        self._tally.note(kind, remote)
        self._something.set()

    async def run(self) -> None:
        """Write until cancelled; what is left then is written, too, if the log takes it."""
        try:
            while True:
                await self._something.wait()
                self._something = anyio.Event()
                if not await self.flush():
                    await self._clock.sleep(PAUSE)
                    self._something.set()
                elif (due := self._tally.due()) is not None:
                    await self._wait_for_tally(due)
        finally:
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await self.flush()

    async def flush(self) -> bool:
        """Write what waits and what of the tally is due; False when the log takes nothing: it waits on."""
        abuse = self._tally.take(self._clock.mono())
        if abuse is not None:
            self._pending.append(abuse)
        if not self._pending:
            return True
        events, self._pending = self._pending, []
        try:
            await self._emit(events)
        except (LogUnavailable, LogClosedError):
            self._pending = (events + self._pending)[-MAX_PENDING:]
            return False
        except BaseException:
            self._pending = (events + self._pending)[-MAX_PENDING:]
            raise
        return True

    async def _wait_for_tally(self, due: int) -> None:
        """Until the tally may be told again, or there is something else to tell."""
        wait = max(0, due - self._clock.mono()) / SECOND
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._wake_after, wait)
            await self._something.wait()
            tasks.cancel_scope.cancel()

    async def _wake_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._something.set()
