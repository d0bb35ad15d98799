"""What an actor takes from the log, and how it is shown: the types that it reads, the views that it asked for.

The one place that folds rows of the file; ``lpr.core.reader`` fetches them. May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

import msgspec

from lpr.core.record import CODEC, Record, misfit, unknown
from lpr.core.view import View, event_of
from lpr.events import Event, Micros, TimerFired

S = TypeVar("S")

Evolve: TypeAlias = Callable[[S, Record], S]

Row: TypeAlias = tuple[int, bytes, int, Micros, bytes]
"""What the file holds of a record that is to be folded: seq, type, version, wall, body; its texts as UTF-8."""

_TIMER = TimerFired.__name__


class Inputs:
    """The inputs of the actor ``name``: its ``interests`` and its own TimerFired.

    ``types``: the names of what is to be read. Raises TypeError for a view that doesn't fit its event, ValueError
    for one that is asked for twice.
    """

    def __init__(self, name: str, interests: Iterable[type[Event]]) -> None:
        self.name = name
        kinds = dict.fromkeys((*interests, TimerFired))
        self.types = frozenset(event_of(kind).__name__ for kind in kinds)
        self._decoders = CODEC.decoders(kinds)
        self._of_rows = {(name.encode(), version): (name, decode) for (name, version), decode in self._decoders.items()}
        self._views = frozenset(event_of(kind).__name__ for kind in kinds if issubclass(kind, View))

    def has(self, record: Record) -> bool:
        """Whether it is of the types read, and not the timer of another actor."""
        return record.type in self.types and (record.type != _TIMER or self._is_own(record.event))

    def _is_own(self, event: Event) -> bool:
        return isinstance(event, TimerFired) and event.actor == self.name

    def shown(self, record: Record) -> Record:
        """The record as the actor is to see it: itself, or with a view in the place of the event.

        Raises RecordError when a body doesn't fit the view.
        """
        if record.type not in self._views:
            return record
        r = record
        return Record(r.seq, r.type, r.version, r.wall, r.body, r.tag, self._decode(r))

    def _decode(self, record: Record) -> Event:
        decode = self._decoders.get((record.type, record.version))
        if decode is None:
            return unknown(record.type, record.version, record.body)
        try:
            return decode(record.body)
        except (msgspec.MsgspecError, LookupError) as error:
            raise misfit(record.seq, record.type, record.version, error) from error

    def fold(self, rows: Sequence[Row], tag: int, evolve: Evolve[S], state: S) -> S:
        """``state`` after the inputs among ``rows``. ``tag``: of the log, for the ids.

        Raises RecordError, naming the record, and what ``evolve`` raises.
        """
        of_rows = self._of_rows
        for seq, name, version, wall, body in rows:
            try:
                kind, decode = of_rows[name, version]
            except KeyError:
                kind = name.decode()
                event: Event = unknown(kind, version, body)
            else:
                try:
                    event = decode(body)
                except (msgspec.MsgspecError, LookupError) as error:
                    raise misfit(seq, kind, version, error) from error
            if kind != _TIMER or self._is_own(event):
                state = evolve(state, Record(seq, kind, version, wall, body, tag, event))
        return state
