"""The voter: readings of a vehicle in, one passage out.

A decider over the log. Everything that it knows is in its state, a fold of what the engine and the sensors recorded;
the rules of a vehicle's life in view are in ``lpr.plates.passages``, the vote in ``lpr.plates.voting``. It goes by
the times of the frames alone and needs no timer: a source without frames says so (SourceStalled, SourceLost), and the
time of that record counts for live sources, whose frames bear the wall clock's time.
May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.plates``.
"""

from __future__ import annotations

import msgspec

from lpr.config import Vote
from lpr.core.record import Record
from lpr.events import (
    CaptureTaken,
    Event,
    FramesPassed,
    Micros,
    PassageDecided,
    PlateRead,
    ReadingsDiscarded,
    ServiceStarted,
    SourceEnded,
    SourceLost,
    SourceOpened,
    SourceStalled,
)
from lpr.plates.passages import Step, View, ended, passed, read, taken
from lpr.plates.voting import Rules

MAX_VIEWS = 64
"""Sources remembered; beyond that the one first heard of and now without a vehicle is forgotten."""

LIVE_KINDS = ("stream", "device", "demo")
"""Kinds of sources whose frames bear the wall clock's time."""


class VoterState(msgspec.Struct, frozen=True, kw_only=True):
    """``views``: what is in view of each source. ``passages``, ``discarded``: what the last record decided."""

    views: dict[str, View] = {}
    passages: tuple[PassageDecided, ...] = ()
    discarded: tuple[ReadingsDiscarded, ...] = ()


class Voter:
    """The decider. ``vote``: the configuration's section."""

    name = "voter"
    interests: tuple[type[Event], ...] = (
        ServiceStarted,
        SourceOpened,
        CaptureTaken,
        PlateRead,
        FramesPassed,
        SourceStalled,
        SourceLost,
        SourceEnded,
    )
    state_type = VoterState
    state_version = 1

    def __init__(self, vote: Vote | None = None) -> None:
        self.rules = rules_of(vote or Vote())

    def initial(self) -> VoterState:
        """Nothing in view."""
        return VoterState()

    def evolve(self, state: VoterState, record: Record) -> VoterState:
        """Total: an event that isn't understood leaves the views as they are."""
        event = record.event
        if isinstance(event, PlateRead):
            view = state.views.get(event.source)
            return state if view is None else _with(state, read(view, event))
        if isinstance(event, ServiceStarted):
            return self._started(state, record.wall)
        if isinstance(event, CaptureTaken | FramesPassed | SourceEnded | SourceOpened | SourceStalled | SourceLost):
            view = state.views.get(event.source) or View(source=event.source)
            view, outcomes = self._step(view, event, record.wall)
            return _with(state, view, outcomes)
        return _said(state.views, ())

    def decide(self, state: VoterState, record: Record) -> tuple[Event, ...]:
        """What the evolving record decided."""
        if isinstance(record.event, PlateRead):
            return ()
        return (*state.passages, *state.discarded)

    def due(self, state: VoterState) -> Micros | None:
        """No timers: the sources tell the time."""
        return None

    def _started(self, state: VoterState, wall: Micros) -> VoterState:
        """The service was away: what was in view of a live camera has passed, unless it comes at once again."""
        outcomes: list[PassageDecided | ReadingsDiscarded] = []
        views = dict(state.views)
        for source, view in state.views.items():
            if view.live and (view.tracks or view.capture):
                views[source], said = passed(view, wall, self.rules)
                outcomes.extend(said)
        return _said(views, tuple(outcomes))

    def _step(self, view: View, event: Event, wall: Micros) -> Step:
        rules = self.rules
        match event:
            case CaptureTaken():
                return taken(view, event, rules)
            case FramesPassed():
                return passed(view, event.at, rules)
            case SourceEnded():
                return ended(view, rules)
            case SourceOpened():
                return self._opened(view, event, wall)
            case _:
                return passed(view, wall, rules) if view.live else (view, ())

    def _opened(self, view: View, event: SourceOpened, wall: Micros) -> Step:
        """A camera is back, a file goes on where it was (same base), or another file begins."""
        live = event.kind in LIVE_KINDS
        if live and view.live:
            return passed(view, wall, self.rules) if view.at is not None else (view, ())
        if view.live == live and view.base == event.base:
            return view, ()
        view, outcomes = ended(view, self.rules)
        return msgspec.structs.replace(view, live=live, base=event.base, at=None), outcomes


def rules_of(vote: Vote) -> Rules:
    """The configuration's section as the rules of ``lpr.plates``, name by name."""
    return msgspec.convert(msgspec.to_builtins(vote), Rules)


def _with(state: VoterState, view: View, outcomes: tuple[PassageDecided | ReadingsDiscarded, ...] = ()) -> VoterState:
    views = {**state.views, view.source: view}
    if len(views) > MAX_VIEWS:
        idle = next((source for source, each in views.items() if not each.tracks), None)
        views.pop(idle or next(iter(views)))
    return _said(views, outcomes)


def _said(views: dict[str, View], outcomes: tuple[PassageDecided | ReadingsDiscarded, ...]) -> VoterState:
    return VoterState(
        views=views,
        passages=tuple(each for each in outcomes if isinstance(each, PassageDecided)),
        discarded=tuple(each for each in outcomes if isinstance(each, ReadingsDiscarded)),
    )
