"""Views: what a fold names of an event is what it sees, live, on recovery and in replays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.actor import recover, run_decider
from lpr.core.clock import ManualClock
from lpr.core.errors import RecordError
from lpr.core.inputs import Inputs, Row
from lpr.core.log import EventLog, LogReader
from lpr.core.offload import inline
from lpr.core.reader import FOLDED, PAGES
from lpr.core.record import CODEC, Codec, Record, UnknownEvent, make_record
from lpr.core.replay import fold, shadow
from lpr.core.upcast import Body
from lpr.core.view import View, event_of
from lpr.events import (
    CaptureTaken,
    Event,
    FramesPassed,
    Micros,
    PassageDecided,
    PlateRead,
    SourceStalled,
    TimerFired,
    Value,
)
from tests.core.samples import AT, delivered, passed


class Text(Value, frozen=True, kw_only=True):
    """A reading's text alone."""

    text: str
    rows: int = 1


class TextRead(View, frozen=True, kw_only=True):
    of = PlateRead
    source: str
    reading: Text


class Passed(View, frozen=True, kw_only=True):
    of = FramesPassed
    position: int


class Happened(View, frozen=True, kw_only=True):
    of = PassageDecided


class Seen(msgspec.Struct, frozen=True):
    total: int = 0
    kinds: tuple[str, ...] = ()


class Watcher:
    """Adds up the positions of a view and says the sum at each multiple of ten."""

    name = "watcher"
    interests: tuple[type[Event], ...] = (Passed,)
    state_type = Seen
    state_version = 1

    def initial(self) -> Seen:
        return Seen()

    def evolve(self, state: Seen, record: Record) -> Seen:
        event = record.event
        kinds = tuple(sorted({*state.kinds, type(event).__name__}))
        return Seen(state.total + (event.position if isinstance(event, Passed) else 0), kinds)

    def decide(self, state: Seen, record: Record) -> tuple[Event, ...]:
        said = isinstance(record.event, Passed) and record.event.position % 10 == 9
        return (SourceStalled(source=f"sum {state.total}", silent_s=0.0),) if said else ()

    def due(self, state: Seen) -> Micros | None:
        return None


# --- what fits -----------------------------------------------------------------------------------------


@given(st.from_type(PlateRead))
def test_a_view_is_the_event_with_fewer_fields(event: PlateRead) -> None:
    shown = Inputs("x", (TextRead,)).shown(make_record(7, event, wall=5))
    narrow = Text(text=event.reading.text, rows=event.reading.rows)
    assert shown.event == TextRead(source=event.source, reading=narrow)
    assert (shown.seq, shown.wall, shown.type) == (7, 5, "PlateRead")


def test_a_record_without_a_view_is_shown_as_it_is() -> None:
    record = make_record(1, passed(1))
    assert Inputs("x", (FramesPassed, Happened)).shown(record) is record


def test_an_event_is_no_view() -> None:
    assert event_of(PlateRead) is PlateRead and event_of(TextRead) is PlateRead


def test_a_field_that_the_event_has_not_is_refused() -> None:
    class Wrong(View, frozen=True, kw_only=True):
        of = FramesPassed
        place: int

    with pytest.raises(TypeError, match=r"Wrong\.place: FramesPassed has no such field"):
        Inputs("x", (Wrong,))


def test_a_field_of_another_type_is_refused() -> None:
    class Wrong(View, frozen=True, kw_only=True):
        of = FramesPassed
        position: str

    with pytest.raises(TypeError, match=r"Wrong\.position: the view has Str, the event Int"):
        Inputs("x", (Wrong,))


def test_another_default_is_refused() -> None:
    class Wrong(View, frozen=True, kw_only=True):
        of = CaptureTaken
        still: bool = True

    with pytest.raises(TypeError, match=r"Wrong\.still: another default than in CaptureTaken"):
        Inputs("x", (Wrong,))


def test_two_ways_to_see_one_event_are_refused() -> None:
    with pytest.raises(ValueError, match="FramesPassed is asked for twice"):
        Inputs("x", (FramesPassed, Passed))


def test_a_view_of_an_event_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="FramesPassed is not an event of this log"):
        Codec((TimerFired,)).decoders((Passed,))


def test_older_versions_are_brought_up_before_they_are_narrowed() -> None:
    class Way(Event, frozen=True, kw_only=True):
        version = 2
        pixels: int
        name: str

    class Pixels(View, frozen=True, kw_only=True):
        of = Way
        pixels: int

    def from_inches(body: Body) -> Body:
        return {"pixels": body["inches"] * 96, "name": ""}

    decoders = Codec([Way], {("Way", 1): from_inches}).decoders((Pixels,))
    assert decoders["Way", 1](b'{"inches":2}') == decoders["Way", 2](b'{"pixels":192,"name":"x"}') == Pixels(pixels=192)


# --- folds ---------------------------------------------------------------------------------------------


def row_of(record: Record) -> Row:
    return record.seq, record.type.encode(), record.version, record.wall, record.body


events = st.one_of(st.from_type(FramesPassed), st.from_type(TimerFired), st.just(TimerFired(actor="x", due=1)))


@given(st.lists(events, max_size=8))
def test_a_fold_of_rows_takes_the_inputs_in_order(given_events: list[Event]) -> None:
    inputs = Inputs("x", (FramesPassed,))
    records = [make_record(seq, event, wall=seq) for seq, event in enumerate(given_events, 1)]
    wanted = [record for record in records if inputs.has(record)]
    found = inputs.fold(
        [row_of(record) for record in records], 3, lambda state, record: [*state, record], list[Record]()
    )
    assert found == wanted
    assert [record.event for record in found] == [record.event for record in wanted]
    assert all(record.tag == 3 for record in found)


def test_a_body_that_does_not_fit_is_named_in_a_fold() -> None:
    def never(state: int, record: Record) -> int:
        raise AssertionError("nothing to see")

    with pytest.raises(RecordError, match="record 7: FramesPassed version 1 doesn't fit its body"):
        Inputs("x", (Passed,)).fold([(7, b"FramesPassed", 1, 0, b'{"position":"far"}')], 0, never, 0)
    with pytest.raises(RecordError, match="record 7: FramesPassed version 1 doesn't fit its body"):
        Inputs("x", (Passed,)).shown(Record(7, "FramesPassed", 1, 0, b'{"position":"far"}'))


def test_a_newer_version_is_shown_as_unknown() -> None:
    inputs = Inputs("x", (Passed,))
    body = b'{"position":1,"why":"?"}'
    found = inputs.fold(
        [(7, b"FramesPassed", 2, 0, body)], 0, lambda state, record: [*state, record.event], list[Event]()
    )
    assert found == [UnknownEvent(type="FramesPassed", of_version=2, body=msgspec.Raw(body))]
    assert inputs.shown(Record(7, "FramesPassed", 2, 0, body)).event == found[0]


async def recorded(path: Path, count: int) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock, offload=inline) as log, anyio.create_task_group() as tasks:
        tasks.start_soon(run_decider, Watcher(), log, clock)
        await log.append([event for n in range(count) for event in (passed(n), delivered(n))], actor="source")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_views_are_seen_live_and_in_replays(tmp_path: Path) -> None:
    await recorded(tmp_path / "log.db", 20)
    async with LogReader.open(tmp_path / "log.db", ManualClock()) as log:
        said = [r.event for r in await log.read(0, types={"SourceStalled"})]
        assert said == [SourceStalled(source=f"sum {n}", silent_s=0.0) for n in (45, 190)]
        assert await fold(log, Watcher()) == Seen(190, ("Passed",))
        assert (await recover(Watcher(), log, await log.head())).state == Seen(190, ("Passed",))
        assert [d async for d in shadow(log, Watcher())] == []


@pytest.mark.anyio
async def test_a_long_fold_misses_nothing_at_the_seams(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    count = FOLDED * PAGES // 2 + 3
    async with EventLog.open(path, ManualClock()) as log:
        await log.append([event for n in range(count) for event in (passed(n), passed(0))], actor="source")
        assert (await fold(log, Watcher())).total == count * (count - 1) // 2
        assert (await fold(log, Watcher(), after=2 * count - 4, upto=2 * count - 2)).total == count - 2


@pytest.mark.anyio
async def test_what_a_fold_raises_is_passed_on(tmp_path: Path) -> None:
    class Clumsy(Watcher):
        def evolve(self, state: Seen, record: Record) -> Seen:
            raise sqlite3.OperationalError("not the log's")

    async with EventLog.open(tmp_path / "log.db", ManualClock()) as log:
        await log.append([passed(1)], actor="source")
        with pytest.raises(sqlite3.OperationalError, match="not the log's"):
            await fold(log, Clumsy())


@pytest.mark.anyio
async def test_an_altered_body_ends_a_fold_by_name(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with EventLog.open(path, ManualClock()) as log:
        await log.append([passed(n) for n in range(5)], actor="source")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE records SET body = '{\"position\":' WHERE seq = 3")
    async with LogReader.open(path, ManualClock()) as log:
        with pytest.raises(RecordError, match="record 3: FramesPassed version 1"):
            await fold(log, Watcher())


def test_the_vocabulary_decodes_through_the_same_decoders() -> None:
    made = CODEC.encode(passed(4))
    assert CODEC.decoders((FramesPassed,))[made.type, made.version](made.body) == FramesPassed(
        source="camera", at=AT + 4, position=4
    )
