"""The figures of the status page: a fold that sees of the large events no more than it counts."""

from __future__ import annotations

from lpr.actors.figures import Figures, FiguresState
from lpr.core.inputs import Inputs
from lpr.core.record import make_record
from lpr.events import Event, ReadingsDiscarded
from tests.core.samples import AT, decided, delivered, signed


def folded(*events: Event) -> FiguresState:
    figures = Figures()
    inputs, state = Inputs(figures.name, figures.interests), figures.initial()
    for seq, event in enumerate(events, 1):
        state = figures.evolve(state, inputs.shown(make_record(seq, event, wall=AT + seq)))
    assert figures.latest == state
    return state


def test_passages_are_counted() -> None:
    state = folded(decided(5), signed("p" * 36), decided(9))
    assert (state.passages, state.signed, state.last_passage) == (2, 1, AT + 9)


def test_discarded_readings_are_counted() -> None:
    discarded = ReadingsDiscarded(
        source="camera", lane="", plate="A", confidence=0.1, reads=1, first_at=AT, last_at=AT, reason="low reliability"
    )
    assert folded(discarded, discarded).discarded == 2


def test_a_delivery_counts_for_its_sink() -> None:
    state = folded(decided(), delivered(1))
    assert state.sinks["push"].delivered == 1
    assert state.sinks["push"].last == AT + 2
