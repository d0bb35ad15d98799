"""Where a file or folder is taken up again, from what the log says of it.

The same content (SourceOpened.content) of the same source goes on behind its last CaptureTaken or FramesPassed, with
the base it was first opened with, so that its frames have the same times as before. May import ``lpr.core``.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpr.core.reader import Readable
from lpr.events import CaptureTaken, Event, FramesPassed, Micros, SourceEnded, SourceOpened

PAGE = 200
_MARKS = frozenset({CaptureTaken.__name__, FramesPassed.__name__, SourceEnded.__name__})
_OPENED = frozenset({SourceOpened.__name__})


@dataclass(frozen=True, slots=True)
class Resume:
    """``position``: the first frame that was not looked at; ``base``: time of frame 0; ``ended_at``: time of the last
    frame of a source that was read to its end, else None."""

    base: Micros
    position: int
    ended_at: Micros | None = None


async def find_resume(log: Readable, source: str, content: str) -> Resume | None:
    """What the log knows of ``source`` with this ``content``; None when it was never opened before."""
    until: int | None = None
    before: int | None = None
    while page := await log.read_back(before, types=_OPENED, limit=PAGE):
        for record in page:
            event = record.event
            if not isinstance(event, SourceOpened) or event.source != source:
                continue
            if event.content == content:
                return await _since(log, event, record.seq, until)
            until = record.seq
        before = page[-1].seq
    return None


async def _since(log: Readable, opened: SourceOpened, seq: int, until: int | None) -> Resume:
    """The newest mark between an opening and the next one of something else."""
    before = until
    while page := await log.read_back(before, types=_MARKS, limit=PAGE):
        for record in page:
            if record.seq < seq:
                return Resume(opened.base, opened.position)
            event = record.event
            if isinstance(event, SourceEnded) and event.source == opened.source:
                return Resume(opened.base, opened.position, ended_at=event.at)
            position = _position(event, opened.source)
            if position is not None:
                return Resume(opened.base, max(opened.position, position + 1))
        before = page[-1].seq
    return Resume(opened.base, opened.position)


def _position(event: Event, source: str) -> int | None:
    """The last frame that a mark of ``source`` covers."""
    if isinstance(event, FramesPassed) and event.source == source:
        return event.position
    if isinstance(event, CaptureTaken) and event.source == source:
        return max(event.position, *(exposure.position for exposure in event.exposures), event.position)
    return None
