"""Passages, states and discovery documents: golden, and as Home Assistant wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lpr.events import PassageSigned, Picture
from lpr.protocols.mqtt_messages import (
    Device,
    PassageMessage,
    Topics,
    configurations,
    encode,
    level,
    passage_message,
    state_message,
)
from tests.protocols.milesight.samples import PASSAGE

GOLDEN = Path(__file__).parents[2] / "golden" / "mqtt"
TOPICS = Topics("lpr/north")
DEVICE = Device("lpr_12ab", "Network Camera", "0.1.0", "http://192.0.2.1:8080/")
SIGNED = PassageSigned(
    passage="01970000-0000-8000-8000-000000000002",
    plate="AMW212",
    at=PASSAGE.at,
    picture=Picture(blob="a" * 64, width=1280, height=720, bytes=1000),
    plate_picture=Picture(blob="b" * 64, width=128, height=32, bytes=90),
    key="",
)


def golden(name: str, found: bytes) -> None:
    """Compare as JSON, so that the file can be read."""
    assert json.loads(found) == json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def test_a_passage_is_the_golden_one() -> None:
    message = passage_message(
        SIGNED.passage,
        PASSAGE,
        SIGNED,
        device="Network Camera",
        topics={"full": TOPICS.picture("gate")},
        images={"plate": b"\xff\xd8plate\xff\xd9"},
    )
    data = encode(message)
    golden("passage", data)
    assert msgspec.json.decode(data, type=PassageMessage) == message


def test_a_passage_without_a_plate_says_so() -> None:
    bare = replace(PASSAGE, plate="", plated=False, characters=(), confidence=0.0, direction="unknown")
    nothing = replace(SIGNED, plate_picture=Picture(blob="", width=0, height=0, bytes=0))
    message = passage_message("1", bare, nothing, device="d", topics={}, images={})
    assert (message.plate, message.plated, message.plate_picture) == ("", False, None)
    state = state_message("1", bare, 3)
    assert (state.plate, state.direction, state.passages) == (None, None, 3)


def test_a_state_is_the_golden_one() -> None:
    golden("state", encode(state_message(SIGNED.passage, PASSAGE, 17)))


def test_discovery_of_a_device_is_the_golden_one() -> None:
    found = configurations(DEVICE, ("gate",), TOPICS, plate_picture=True)
    assert list(found) == ["homeassistant/device/lpr_12ab_gate/config"]
    golden("discovery", found["homeassistant/device/lpr_12ab_gate/config"])


def test_every_component_has_what_home_assistant_demands() -> None:
    """Documentation, "Device discovery payload": platform and unique_id of each, device and origin once."""
    found = configurations(DEVICE, ("gate", "yard"), TOPICS)
    ids: list[str] = []
    for document in map(json.loads, found.values()):
        assert document["device"]["identifiers"] and document["origin"]["name"]
        assert document["availability"][0]["topic"] == "lpr/north/status"
        for component in document["components"].values():
            ids.append(component["unique_id"])
            assert {"camera": "topic"}.get(component["platform"], "state_topic") in component
    assert len(ids) == len(set(ids)) == 2 * 8


def test_components_alone_are_the_same_entities() -> None:
    whole = json.loads(next(iter(configurations(DEVICE, ("gate",), TOPICS).values())))
    alone = configurations(DEVICE, ("gate",), TOPICS, form="components", prefix="ha")
    assert len(alone) == len(whole["components"])
    for name, component in whole["components"].items():
        single: dict[str, Any] = json.loads(alone[f"ha/{component['platform']}/lpr_12ab_gate/{name}/config"])
        assert single["unique_id"] == component["unique_id"]
        assert "platform" not in single and single["device"] == whole["device"]


def test_pictures_that_are_not_published_have_no_camera() -> None:
    (document,) = configurations(DEVICE, ("gate",), TOPICS, picture=False).values()
    assert b'"camera"' not in document


@pytest.mark.parametrize(("name", "found"), [("gate", "gate"), ("a b/ü#+", "a_b____"), ("", "_")])
def test_a_name_is_one_level(name: str, found: str) -> None:
    assert level(name) == found
