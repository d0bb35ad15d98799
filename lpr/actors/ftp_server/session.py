"""What the FTP server knows of one control connection, beside what aioftp keeps of it.

May import ``lpr.core``.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from lpr.core.visitors import Visitor
from lpr.events import Micros


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(eq=False, slots=True)
class Session:
    """``deadline``: monotonic µs by which it has to be logged in. ``name``: what USER said. ``encrypted``: the control
    connection; ``protected``: the data connections to come. ``free``: set while no command is being dealt with.
    ``answers``: replies on their way. ``sending``: a transfer or a listing is under way. ``failures``: of log-ins.
    ``start``: where the next file is to begin, bytes.
    """

    visitor: Visitor
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    deadline: Micros
    name: str = ""
    encrypted: bool = False
    protected: bool = False
    sending: bool = False
    failures: int = 0
    start: int = 0
    free: asyncio.Event = field(default_factory=_set_event)
    answers: asyncio.Queue[Any] = field(default_factory=asyncio.Queue[Any])

    @property
    def logged_in(self) -> bool:
        return self.visitor.user != ""


CURRENT: ContextVar[Session] = ContextVar("ftp_session")
"""The session of the connection that the running task belongs to: aioftp starts a task for every command."""
