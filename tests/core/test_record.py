"""The envelope, the codec, upcasters, unknown events and ids."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.errors import RecordError
from lpr.core.record import (
    CODEC,
    Codec,
    Record,
    UnknownEvent,
    chain_hash,
    content_of,
    make_id,
    make_record,
    seq_of,
    tag_of,
)
from lpr.core.upcast import Body, Steps
from lpr.events import EVENTS, Event, Picture, TimerFired
from tests.core.samples import delivered

_finite = st.floats(allow_nan=False, allow_infinity=False)
_text = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)


class Moved(Event, frozen=True, kw_only=True):
    """An event in its third version: inches became pixels, then the name changed."""

    version = 3
    pixels: int


def from_inches(body: Body) -> Body:
    return {"way": body["inches"] * 96}


def from_way(body: Body) -> Body:
    return {"pixels": body["way"]}


STEPS: Steps = {("Moved", 1): from_inches, ("Moved", 2): from_way}


def strategy(event: type[Event]) -> st.SearchStrategy[Event]:
    """Any value of an event type, from its annotations."""
    return st.from_type(event)


st.register_type_strategy(float, _finite)
st.register_type_strategy(str, _text)
st.register_type_strategy(int, st.integers(-(2**53), 2**53))
st.register_type_strategy(msgspec.Raw, st.integers().map(lambda n: msgspec.Raw(msgspec.json.encode(n % 2**31))))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_survives_its_stored_form(event: type[Event]) -> None:
    @given(strategy(event))
    def survives(value: Event) -> None:
        made = CODEC.encode(value)
        back = CODEC.decode(made.type, made.version, made.body)
        assert type(back) is event
        assert CODEC.encode(back) == made

    survives()


def test_an_unknown_type_is_kept_as_it_is() -> None:
    event = CODEC.decode("Levitated", 1, b'{"height": 3}')
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.of_version, bytes(event.body)) == ("Levitated", 1, b'{"height": 3}')


def test_a_newer_version_is_kept_as_it_is() -> None:
    event = CODEC.decode("TimerFired", 2, b'{"actor":"x","due":1,"why":"?"}')
    assert isinstance(event, UnknownEvent) and event.of_version == 2


def test_a_new_field_needs_no_version() -> None:
    event = CODEC.decode("TimerFired", 1, b'{"actor":"x","due":1,"added_later":true}')
    assert event == TimerFired(actor="x", due=1)


@pytest.mark.parametrize(("version", "body"), [(1, b'{"inches":2}'), (2, b'{"way":192}'), (3, b'{"pixels":192}')])
def test_older_versions_are_brought_to_todays_meaning(version: int, body: bytes) -> None:
    assert Codec([Moved], STEPS).decode("Moved", version, body) == Moved(pixels=192)


def test_a_missing_upcaster_is_named() -> None:
    with pytest.raises(RecordError, match="no upcaster for Moved from version 1 to 2"):
        Codec([Moved], {}).decode("Moved", 1, b'{"inches":2}')


def test_a_body_that_does_not_fit_is_named_with_its_record() -> None:
    record = Record(7, "TimerFired", 1, 0, b'{"actor":3}')
    with pytest.raises(RecordError, match="record 7: TimerFired version 1"):
        _ = record.event


def test_events_outside_the_vocabulary_are_refused() -> None:
    with pytest.raises(ValueError, match="Moved is not an event of this log"):
        CODEC.encode(Moved(pixels=1))


def test_the_event_is_decoded_once() -> None:
    record = make_record(1, delivered())
    assert record.event is record.event
    assert record.event == delivered()


def test_events_are_no_work_for_the_garbage_collector() -> None:
    assert not Picture.__struct_config__.gc
    assert not any(event.__struct_config__.gc for event in EVENTS)


@given(st.integers(0, 2**62), st.integers(0, 2**26 - 1), st.integers(1, 2**48 - 1))
def test_an_id_is_a_uuid_8_that_carries_the_number(wall: int, tag: int, seq: int) -> None:
    text = make_id(wall, tag, seq)
    assert seq_of(text) == seq_of(text.upper()) == seq
    assert [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]
    assert text[14] == "8" and text[19] in "89ab"


@given(
    st.tuples(st.integers(0, 2**26 - 1), st.integers(1, 2**48 - 1)),
    st.tuples(st.integers(0, 2**26 - 1), st.integers(1, 2**48 - 1)),
)
def test_ids_differ_by_log_and_number_alone(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (make_id(5, *one) == make_id(5, *other)) == (one == other)


@given(st.one_of(st.text(max_size=40), st.uuids(version=4).map(str)))
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an id of this log"):
        seq_of(text)


def test_the_tag_of_a_log_fits_its_place() -> None:
    assert tag_of("f" * 32) == 2**26 - 1
    assert tag_of("0" * 32) == 0


@given(st.lists(st.tuples(_text, _text, _text, st.binary(max_size=9)), min_size=2, max_size=2))
def test_what_the_hash_covers_is_unambiguous(two: list[tuple[str, str, str, bytes]]) -> None:
    one, other = ((content_of(1, kind, 1, actor, 0, 0, 0, boot, body)) for kind, actor, boot, body in two)
    assert (one == other) == (two[0] == two[1])
    assert (chain_hash(bytes(32), one) == chain_hash(bytes(32), other)) == (two[0] == two[1])
