"""What waits to be sent on one connection: answers first, then frames, of which a slow viewer loses some. No I/O.

Frames are shared by all viewers and only referred to here, so a viewer who takes nothing costs little more than his
place in the list. Over ``limit`` everything that has not begun is thrown away, and nothing more is taken until the
connection has drained; the viewer then goes on with a key frame.

May import ``lpr.events``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lpr.events import Micros

MAX_REPLIES = 16
"""Answers that may wait for a client who reads none."""


class Outgoing:
    """One connection. ``send``: what takes bytes, giving how many; ``limit``: bytes of frames that may wait.

    ``blocked``: called when something begins to wait; then ``flush`` is to be called when there is room again.
    """

    def __init__(
        self,
        send: Callable[[bytes | memoryview], int],
        *,
        limit: int,
        now: Callable[[], Micros],
        blocked: Callable[[], None],
    ) -> None:
        self._send = send
        self._limit = limit
        self._now = now
        self._blocked = blocked
        self._replies: deque[bytes] = deque()
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._current: memoryview | None = None
        self._held = False
        self.since: Micros | None = None
        """Since when the other side has been taking one and the same piece; None: nothing waits."""
        self.choked = False
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Bytes of frames that wait, not counting the one that has begun."""
        return self._waiting

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return self._current is None and not self._replies and not self._frames

    def hold(self) -> None:
        """Keep frames until ``release``; answers go on."""
        self._held = True

    def release(self) -> None:
        """Let the frames go."""
        self._held = False
        self.flush()

    def reply(self, data: bytes) -> bool:
        """Send an answer before all frames that have not begun. False when too many wait already."""
        if len(self._replies) >= MAX_REPLIES:
            return False
        self._replies.append(data)
        if self._current is None:
            self.flush()
        return True

    def frame(self, data: bytes) -> bool:
        """Send a frame after everything that waits. False when it is left out."""
        if self.idle and not self._held:
            self._current = memoryview(data)
            self.flush()
            return True
        if self.choked or self._waiting + len(data) > self._limit:
            self.dropped += len(self._frames) + 1
            self._frames.clear()
            self._waiting = 0
            self.choked = True
            return False
        self._frames.append(data)
        self._waiting += len(data)
        return True

    def flush(self) -> bool:
        """Send what the other side takes now. True when nothing is left that may go."""
        while (current := self._current or self._next()) is not None:
            taken = self._send(current)
            if taken < len(current):
                if self._current is None or self.since is None:
                    self.since = self._now()
                self._current = current[taken:]
                self._blocked()
                return False
            self._current = None
            self.since = None
        self.choked = False
        return True

    def _next(self) -> memoryview | None:
        if self._replies:
            return memoryview(self._replies.popleft())
        if self._frames and not self._held:
            data = self._frames.popleft()
            self._waiting -= len(data)
            return memoryview(data)
        return None
