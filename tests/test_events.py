"""The vocabulary: schemas are up to date, every version ever written can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from lpr import events
from lpr.core.record import CODEC, UnknownEvent
from lpr.events import EVENTS, Event, delivery, passage, servers, service, source, users
from tools import schemas

FILES = (service, users, source, passage, delivery, servers)
"""The files of ``lpr.events`` that have events, in the order of a passage's life."""
SAMPLES = sorted(schemas.GOLDEN.glob("*.json"))


def test_schemas_and_samples_are_up_to_date() -> None:
    assert schemas.stale() == [], "run python -m tools.schemas"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_version_ever_written_is_read(path: Path) -> None:
    name, version = path.stem.rsplit(".", 1)
    event = CODEC.decode(name, int(version), path.read_bytes())
    assert not isinstance(event, UnknownEvent)
    if int(version) == type(event).version:
        written = json.loads(CODEC.encode(event).body)
        assert keeps(written, json.loads(path.read_bytes())), "what an older release wrote was lost"


def keeps(written: Any, old: Any) -> bool:
    """Whether ``written`` holds everything of ``old``; fields that came later, with their defaults, don't matter."""
    if isinstance(written, dict) and isinstance(old, dict):
        new = cast("dict[str, Any]", written)
        return all(key in new and keeps(new[key], value) for key, value in cast("dict[str, Any]", old).items())
    if isinstance(written, list) and isinstance(old, list):
        pairs = zip(cast("list[Any]", written), cast("list[Any]", old), strict=False)
        return len(cast("list[Any]", written)) == len(cast("list[Any]", old)) and all(keeps(a, b) for a, b in pairs)
    return written == old


def test_a_lost_value_is_noticed() -> None:
    assert keeps({"a": [{"b": 1, "new": None}], "c": 2}, {"a": [{"b": 1}]})
    assert not keeps({"a": [{"b": 2}]}, {"a": [{"b": 1}]})
    assert not keeps({"a": []}, {"a": [{"b": 1}]})
    assert not keeps({}, {"a": None})


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_version_has_its_sample(event: type[Event]) -> None:
    for version in range(1, event.version + 1):
        assert schemas.golden_path(event.__name__, version).exists()


def test_every_event_is_in_the_list_and_documented() -> None:
    for file in FILES:
        found = [
            value
            for value in vars(file).values()
            if isinstance(value, type) and issubclass(value, Event) and value is not Event
        ]
        assert found == list(file.EVENTS), f"{file.__name__}.EVENTS lists every event in the order of the file"
    assert tuple(event for file in FILES for event in file.EVENTS) == EVENTS
    for event in EVENTS:
        assert getattr(events, event.__name__) is event, "everybody imports from lpr.events"
        assert event.__doc__ and len(event.__doc__) > 20, event.__name__
        assert event.__struct_config__.frozen


def test_the_schemas_know_every_event_and_setting() -> None:
    document = json.loads((schemas.SCHEMAS / "events.json").read_text(encoding="utf-8"))
    assert set(document["events"]) == {event.__name__ for event in EVENTS}
    for entry in document["events"].values():
        assert entry["$ref"].removeprefix("#/$defs/") in document["$defs"]
    config = json.loads((schemas.SCHEMAS / "config.json").read_text(encoding="utf-8"))
    assert config["$ref"] == "#/$defs/Config" and "Retention" in config["$defs"]


def test_stale_schemas_are_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(schemas, "ROOT", tmp_path)
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(schemas, "GOLDEN", tmp_path / "golden")
    assert len(schemas.stale()) == 3 + len(EVENTS)
    assert len(schemas.write()) == 3 + len(EVENTS)
    assert schemas.stale() == []
    (tmp_path / "schemas" / "events.json").write_text("{}", encoding="utf-8")
    assert schemas.stale() == [f"{Path('schemas') / 'events.json'} is stale"]


def test_golden_samples_set_every_field() -> None:
    for event in EVENTS:
        body = json.loads(schemas.sample(event))
        assert set(body) == {field.encode_name for field in msgspec.structs.fields(event)}
