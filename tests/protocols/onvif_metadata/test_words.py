"""Names of pictures, topics, the analytics service's content, events over MQTT."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif.tree import write
from lpr.protocols.onvif_metadata import (
    CONFIGURATION_TOPIC,
    MANUAL_TOKENS,
    MILESIGHT_TOPIC,
    MOTION_TOPIC,
    PLATE_TOPIC,
    VEHICLE_TOPIC,
    PictureNames,
    analytics_of,
    camera_tokens,
    configuration_notification,
    ej_payload,
    ej_topic,
    milesight_notification,
    plate_notification,
    vehicle_notification,
)
from lpr.protocols.onvif_metadata.markup import TNS1, TT, WSTOP
from lpr.protocols.onvif_metadata.passage import Tokens
from lpr.protocols.onvif_metadata.pictures import KEPT, is_name, stamp
from lpr.protocols.onvif_metadata.topics import TOPICS, topic_set
from tests.protocols.onvif_metadata import schemas
from tests.protocols.onvif_metadata.samples import AT, TOKENS, passage

# --- pictures --------------------------------------------------------------------------------------------


def test_a_picture_is_called_as_the_manual_calls_it() -> None:
    assert stamp(AT) == "2018051506193401"
    assert PictureNames().name(AT, 7) == "2018051506193401.jpg"


def test_names_that_would_collide_have_the_number_of_the_record() -> None:
    names = PictureNames()
    assert [names.name(AT + (record == 9) * 1_000_000, record) for record in (5, 7, 9, 11)] == [
        "2018051506193401.jpg",
        "2018051506193401-7.jpg",
        "2018051506193501.jpg",
        "2018051506193401-11.jpg",
    ]


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(0, 60))
def test_ten_in_a_row_never_share_a_name_and_everybody_gets_the_same_ones(times: list[int], later: int) -> None:
    passages = [(AT + time * 10_000, 3 * index + 1) for index, time in enumerate(times)]
    names = PictureNames()
    all_names = [names.name(at, record) for at, record in passages]
    for start in range(len(all_names)):
        window = all_names[start : start + KEPT]
        assert len(set(window)) == len(window)
        assert all(is_name(name) for name in window)
    started = PictureNames()
    begin = min(later, len(passages))
    for at, record in passages[max(0, begin - PictureNames.MEMORY) : begin]:
        started.name(at, record)
    assert [started.name(at, record) for at, record in passages[begin:]] == all_names[begin:]


@pytest.mark.parametrize(
    "name", ["", "../x.jpg", "2018051506193401", "2018051506193401.jpg/..", "１018051506193401.jpg", "x" * 999]
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_name(name)


# --- topics and analytics --------------------------------------------------------------------------------


def test_the_topic_set_describes_each_topic() -> None:
    found = topic_set((PLATE_TOPIC, VEHICLE_TOPIC, MILESIGHT_TOPIC))
    engine = found.find(f"{{{TNS1}}}RuleEngine")
    assert engine is not None
    for path in ("Recognition/LicensePlate", "MyRuleDetector/VehicleDetect", "LicensePlateDetector/LicensePlate"):
        topic = engine.find(path)
        assert topic is not None
        assert topic.get(f"{{{WSTOP}}}topic") == "true"
        assert topic.find(f"{{{TT}}}MessageDescription/{{{TT}}}Source") is not None
    assert topic_set((VEHICLE_TOPIC,)).find(f"{{{TNS1}}}RuleEngine/Recognition") is None


def test_the_descriptions_name_every_item_that_is_sent() -> None:
    decided = passage(speed=50.0)
    sent = {
        PLATE_TOPIC: plate_notification(decided, TOKENS, image="/LPR/1.jpg", object_id=1),
        VEHICLE_TOPIC: vehicle_notification(AT, TOKENS, True),
        MOTION_TOPIC: vehicle_notification(AT, TOKENS, True, topic=MOTION_TOPIC),
        MILESIGHT_TOPIC: milesight_notification(decided, MANUAL_TOKENS, image="/LPR/1.jpg"),
        CONFIGURATION_TOPIC: configuration_notification("main-video", "VideoEncoder", AT),
    }
    for topic in TOPICS:
        notification = sent[topic.name]
        for told, described in (
            (notification.source, topic.source),
            (notification.key, topic.key),
            (notification.data, topic.data),
            (notification.elements, topic.elements),
        ):
            assert [name for name, _ in told] == [name for name, _ in described]
        assert (notification.operation is not None) == topic.is_property


@pytest.mark.parametrize("region", [None, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.8), (0.1, 0.8)]])
def test_the_content_of_the_analytics_service_is_valid(region: list[tuple[float, float]] | None) -> None:
    schema = schemas.joined(
        "onvif.xsd",
        "metadatastream.xsd",
        more=(
            ("Rule", "Config"),
            ("AnalyticsModule", "Config"),
            ("RuleDescription", "ConfigDescription"),
            ("AnalyticsModuleDescription", "ConfigDescription"),
            ("Frame", "Frame"),
        ),
    )
    content = analytics_of(camera_tokens(0), region=region, topics=(PLATE_TOPIC, VEHICLE_TOPIC))
    samples = [sample for _, sample in content.samples]
    for node in (*content.rules, *content.modules, *content.rule_descriptions, *content.module_descriptions, *samples):
        assert schemas.faults(schema, write(node)) == []
    del content.rules[0].attrib["Name"]
    assert schemas.faults(schema, write(content.rules[0]))


# --- MQTT ------------------------------------------------------------------------------------------------


def test_an_event_over_mqtt() -> None:
    notification = plate_notification(passage(speed=36.0), Tokens("VS0", "VSC0", "VAC0", "LPR"), image="/LPR/1.jpg")
    assert ej_topic("lpr", notification) == "lpr/onvif-ej/RuleEngine/Recognition/LicensePlate/&VS0/LPR"
    assert json.loads(ej_payload(notification)) == {
        "UtcTime": "2018-05-15T06:19:34.010Z",
        "Source": {"VideoSource": "VS0", "Rule": "LPR"},
        "Data": {
            "Likelihood": 0.93,
            "ImageUri": "/LPR/1.jpg",
            "Speed": 10.0,
            "Direction": "Approaching",
            "LicensePlateInfo": {
                "PlateNumber": {"@Likelihood": 0.93, "#text": "43거6510"},
                "PlateType": "Normal",
                "CountryCode": "BR",
                "Color": {
                    "ColorCluster": [
                        {
                            "Color": {
                                "@X": 255,
                                "@Y": 255,
                                "@Z": 255,
                                "@Colorspace": "http://www.onvif.org/ver10/colorspace/RGB",
                            }
                        }
                    ]
                },
            },
            "BoundingBox": {"@left": -0.5, "@top": -0.5, "@right": -0.3, "@bottom": -0.6},
            "VehicleInfo": {
                "Type": "Car",
                "Brand": "Fiat",
                "Color": {
                    "ColorCluster": [
                        {
                            "Color": {
                                "@X": 255,
                                "@Y": 0,
                                "@Z": 0,
                                "@Colorspace": "http://www.onvif.org/ver10/colorspace/RGB",
                            }
                        }
                    ]
                },
            },
        },
    }


def test_a_property_over_mqtt() -> None:
    notification = vehicle_notification(AT, TOKENS, False)
    assert ej_topic("a/b/", notification) == "a/b/onvif-ej/RuleEngine/MyRuleDetector/VehicleDetect/&VS0"
    told = json.loads(ej_payload(notification))
    assert told["Data"] == {"State": False}
    assert told["PropertyOperation"] == "Changed"


@given(st.text(max_size=20))
def test_what_mqtt_forbids_never_gets_into_a_topic(value: str) -> None:
    notification = replace(vehicle_notification(AT, TOKENS, True), source=(("Source", value),))
    topic = ej_topic("lpr", notification)
    assert not set("#+\0") & set(topic)
    assert topic.startswith("lpr/onvif-ej/RuleEngine/MyRuleDetector/VehicleDetect")
    assert topic.count("/") <= 5
