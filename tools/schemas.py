"""JSON Schemas of the events and of the configuration, written into ``schemas/`` from the code.

``python -m tools.schemas`` writes them, and a golden sample for each event version that has none yet;
``python -m tools.schemas --check`` says what is stale. Samples are never overwritten: they are the proof that a log
written by an older release is still read. May import ``lpr.events``, ``lpr.config`` and ``lpr.protocols``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from lpr.config import Config
from lpr.events import EVENTS, Event
from lpr.protocols.mqtt_messages import MESSAGES

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"
GOLDEN = ROOT / "tests" / "golden" / "events"

Json: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def events_schema() -> Json:
    """Every event: its version, and the schema of its body under ``$defs``."""
    references, definitions = msgspec.json.schema_components(EVENTS, ref_template="#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        "title": "Events of the lpr log",
        "description": "Bodies by type and version, as `lpr log export` writes them and the log stores them.",
        "events": {
            event.__name__: {"version": event.version, **reference}
            for event, reference in zip(EVENTS, references, strict=True)
        },
        "$defs": definitions,
    }


def config_schema() -> Json:
    """The configuration file (TOML, the same structure as JSON)."""
    return {"$schema": _DIALECT, "title": "lpr.toml", **msgspec.json.schema(Config)}


def mqtt_schema() -> Json:
    """What passages and states look like over MQTT."""
    references, definitions = msgspec.json.schema_components(MESSAGES, ref_template="#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        "title": "Messages over MQTT",
        "description": "Payloads of the topics <prefix>/<camera>/passage and <prefix>/<camera>/state.",
        "messages": {one.__name__: reference for one, reference in zip(MESSAGES, references, strict=True)},
        "$defs": definitions,
    }


def rendered() -> dict[Path, str]:
    """File -> what it should hold."""
    documents = {
        SCHEMAS / "events.json": events_schema(),
        SCHEMAS / "config.json": config_schema(),
        SCHEMAS / "mqtt.json": mqtt_schema(),
    }
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in documents.items()}


def golden_path(name: str, version: int) -> Path:
    """Where the sample of an event's version lies."""
    return GOLDEN / f"{name}.{version}.json"


def sample(event: type[Event]) -> str:
    """A body with every field set, the same each time."""
    value = _example(inspect.type_info(event), event.__name__)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _example(kind: inspect.Type, name: str) -> Any:
    """A JSON value of ``kind``; texts tell the field they stand in."""
    match kind:
        case inspect.StructType():
            return {field.encode_name: _example(field.type, field.encode_name) for field in kind.fields}
        case inspect.UnionType():
            return _example(next(one for one in kind.types if not isinstance(one, inspect.NoneType)), name)
        case inspect.TupleType():
            return [_example(one, name) for one in kind.item_types]
        case inspect.VarTupleType() | inspect.ListType():
            return [_example(kind.item_type, name)]
        case inspect.DictType():
            return {name: _example(kind.value_type, name)}
        case inspect.StrType():
            return name
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 1_750_000_000_000_000 if name in _TIMES else len(name)
        case inspect.FloatType():
            return len(name) / 8
        case inspect.RawType():
            return {"any": "JSON"}
        case _:
            raise TypeError(f"{name}: no sample for {kind}; teach tools.schemas this type")


_TIMES = {"at", "base", "due", "first_at", "last_at", "retry_at"}


def stale() -> list[str]:
    """What differs from the code, in words."""
    problems = [
        f"{path.relative_to(ROOT)} is stale"
        for path, text in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    problems += [
        f"{golden_path(event.__name__, event.version).relative_to(ROOT)} is missing"
        for event in EVENTS
        if not golden_path(event.__name__, event.version).exists()
    ]
    return problems


def write() -> list[Path]:
    """Write what is stale or missing; returns the files."""
    written: list[Path] = []
    for path, text in rendered().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    for event in EVENTS:
        path = golden_path(event.__name__, event.version)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sample(event), encoding="utf-8")
            written.append(path)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description="JSON Schemas of events and configuration")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    if parser.parse_args().check:
        problems = stale()
        for problem in problems:
            print(f"{problem}; run python -m tools.schemas", file=sys.stderr)
        return 1 if problems else 0
    for path in write():
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
