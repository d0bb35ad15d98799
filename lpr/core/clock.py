"""Time and chance, handed in: the only module that imports ``time`` and ``random``.

Wall time is for people and for deadlines that outlive the process; monotonic time is for durations. Both are
integer microseconds. ``SystemClock`` is the real one. ``SimulatedClock`` follows anyio's own time, so on trio's
``MockClock`` hours pass in milliseconds. ``ManualClock`` stands still until a test moves it, on any backend.
May import ``lpr.events`` only.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Protocol

import anyio
import anyio.lowlevel

from lpr.events import Micros

SECOND: Micros = 1_000_000
"""One second in microseconds."""

STEP_CHECK = 5.0
"""``sleep_until`` looks at the wall clock at least this often (seconds), so that it notices steps."""

SIMULATED_START: Micros = 1_750_000_000 * SECOND
"""The wall time at which simulated clocks begin: 2025-06-15 15:06:40 UTC."""

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Where time and chance come from. ``boot``: names the boot whose monotonic time this is, 16 hex digits.

    ``wall`` and ``mono`` may be asked from any thread.
    """

    @property
    def boot(self) -> str: ...

    def wall(self) -> Micros:
        """Microseconds since the Unix epoch, UTC. May step."""
        ...

    def mono(self) -> Micros:
        """Microseconds of a clock that never steps; comparable within one ``boot`` only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a duration."""
        ...

    async def sleep_until(self, at: Micros) -> None:
        """Wait until the wall clock shows ``at`` or later; a step of the wall clock is noticed."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """Unpredictable bytes (repeatable ones in a simulated clock)."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1)."""
        ...


class SystemClock:
    """The machine's clocks. Monotonic time counts on while the machine is suspended, where the system can do that."""

    def __init__(self) -> None:
        self._boot = _boot_id()
        self._source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    @property
    def boot(self) -> str:
        return self._boot

    def wall(self) -> Micros:
        return time.time_ns() // 1000

    def mono(self) -> Micros:
        return time.clock_gettime_ns(self._source) // 1000

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def sleep_until(self, at: Micros) -> None:
        await _until(self, at)

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def jitter(self) -> float:
        return random.random()


class SimulatedClock:
    """Follows anyio's time: under trio's ``MockClock`` nothing ever really sleeps. Chance comes from ``seed``.

    ``start``: wall time when anyio's time is 0. To be used inside a running event loop; in another thread it stands at
    the time that it was last asked for there.
    """

    def __init__(self, start: Micros = SIMULATED_START, seed: int = 0, boot: str = "51b0071e00000000") -> None:
        self._start = start
        self._chance = random.Random(seed)
        self._boot = boot
        self._asked: Micros = 0

    @property
    def boot(self) -> str:
        return self._boot

    def wall(self) -> Micros:
        return self._start + self.mono()

    def mono(self) -> Micros:
        try:
            self._asked = round(anyio.current_time() * SECOND)
        except RuntimeError:  # a worker thread
            return self._asked
        return self._asked

    def step(self, seconds: float) -> None:
        """Move the wall clock (negative: back)."""
        self._start += round(seconds * SECOND)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def sleep_until(self, at: Micros) -> None:
        await _until(self, at)

    def random_bytes(self, count: int) -> bytes:
        return self._chance.randbytes(count)

    def jitter(self) -> float:
        return self._chance.random()


class ManualClock:
    """Stands still until ``advance`` or ``step`` is called; sleepers wake then. Works on asyncio and trio."""

    def __init__(self, start: Micros = SIMULATED_START, seed: int = 0, boot: str = "3a90a1c10c000000") -> None:
        self._offset = start
        self._mono: Micros = 0
        self._chance = random.Random(seed)
        self._boot = boot
        self._moved: anyio.Event | None = None

    @property
    def boot(self) -> str:
        return self._boot

    def wall(self) -> Micros:
        return self._offset + self._mono

    def mono(self) -> Micros:
        return self._mono

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move on."""
        self._mono += round(seconds * SECOND)
        self._wake()

    def step(self, seconds: float) -> None:
        """Move the wall clock alone (negative: back)."""
        self._offset += round(seconds * SECOND)
        self._wake()

    def _wake(self) -> None:
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    async def _movement(self) -> None:
        if self._moved is None:
            self._moved = anyio.Event()
        await self._moved.wait()

    async def sleep(self, seconds: float) -> None:
        until = self._mono + round(seconds * SECOND)
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
        while self._mono < until:
            await self._movement()

    async def sleep_until(self, at: Micros) -> None:
        while self.wall() < at:
            await self._movement()

    def random_bytes(self, count: int) -> bytes:
        return self._chance.randbytes(count)

    def jitter(self) -> float:
        return self._chance.random()


async def _until(clock: Clock, at: Micros) -> None:
    remaining = at - clock.wall()
    while remaining > 0:
        await anyio.sleep(min(remaining / SECOND, STEP_CHECK))
        remaining = at - clock.wall()


def _boot_id() -> str:
    """The kernel's boot id; where there is none, a random one: monotonic times are then never compared."""
    try:
        return _BOOT_ID_FILE.read_text(encoding="ascii").strip().replace("-", "")[:16]
    except OSError:
        return os.urandom(8).hex()
