"""What NVRs may write back to the media services, and what they may change."""

from __future__ import annotations

import dataclasses
from typing import cast
from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif.model import Encoding
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.worlds import MAIN, Place, refused, texts


@pytest.mark.parametrize("name", ["VideoSource", "VideoEncoder", "AudioSource", "AudioEncoder", "Metadata"])
@pytest.mark.parametrize("prefix", ["trt", "tr2"])
def test_what_was_read_may_be_written_back(prefix: str, name: str) -> None:
    place = Place()
    found = place.call(f"{prefix}:Get{name}Configurations")
    assert len(found)
    for configuration in found:
        wanted = element(f"{prefix}:Configuration")
        wanted.attrib.update(configuration.attrib)
        wanted.extend(configuration)
        place.call(f"{prefix}:Set{name}Configuration", wanted)
    assert refused(place, f"{prefix}:Set{name}Configuration")[1] == "ter:NoConfig"


@pytest.mark.parametrize("prefix", ["trt", "tr2"])
def test_changes_are_refused_with_what_can_not_be_changed(prefix: str) -> None:
    place = Place()
    found = place.call(f"{prefix}:GetVideoEncoderConfigurations")[0]
    width = cast("Element", found.find(f".//{q('tt:Width')}"))
    width.text = "320"
    found.tag = q(f"{prefix}:Configuration")
    with pytest.raises(Fault, match="Width") as caught:
        place.call(f"{prefix}:SetVideoEncoderConfiguration", found)
    assert caught.value.subcodes == ("ter:InvalidArgVal", "ter:ConfigModify")


FREE = dataclasses.replace(MAIN, sizes=((1920, 1080), (640, 360)))


def configuration(place: Place, prefix: str, changes: dict[str, str]) -> Element:
    """A Set…'s Configuration: what is there, with other texts and attributes."""
    found = place.call(f"{prefix}:GetVideoEncoderConfigurations")[0]
    found.tag = q(f"{prefix}:Configuration")
    for name, value in changes.items():
        if name in found.attrib:
            found.set(name, value)
            continue
        node = found.find(f".//{q(f'tt:{name}')}")
        assert node is not None, name
        node.text = value
    return found


@pytest.mark.parametrize("prefix", ["trt", "tr2"])
def test_a_stream_may_be_set_within_its_ranges(prefix: str) -> None:
    place = Place(streams=(FREE,))
    length = {"trt": "GovLength", "tr2": "GovLength"}[prefix]
    changes = {"Width": "640", "Height": "360", "FrameRateLimit": "10", "BitrateLimit": "999999", length: "20"}
    place.call(f"{prefix}:SetVideoEncoderConfiguration", configuration(place, prefix, changes))
    (change,) = place.changes
    assert change == Encoding("main", 640, 360, 10, 20_000, 75, 20), "the nearest number inside is taken"
    place.call(f"{prefix}:SetVideoEncoderConfiguration", configuration(place, prefix, {}))
    assert len(place.changes) == 1, "nothing to change"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"Width": "641"}, "641x1080"),
        ({"BitrateLimit": "much"}, "BitrateLimit"),
        ({"Encoding": "JPEG"}, "Encoding"),
        ({"H264Profile": "High"}, "H264Profile"),
    ],
)
def test_what_a_stream_can_not_be_is_refused(changes: dict[str, str], part: str) -> None:
    place = Place(streams=(FREE,))
    with pytest.raises(Fault, match=part) as caught:
        place.call("trt:SetVideoEncoderConfiguration", configuration(place, "trt", changes))
    assert caught.value.subcodes == ("ter:InvalidArgVal", "ter:ConfigModify") and not place.changes


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "-5", "0"])
def test_odd_numbers_end_in_the_range(value: str) -> None:
    place = Place(streams=(FREE,))
    wanted = configuration(place, "trt", {"BitrateLimit": value, "FrameRateLimit": value, "Quality": value})
    place.call("trt:SetVideoEncoderConfiguration", wanted)
    for change in place.changes:
        assert isinstance(change, Encoding)
        assert 64 <= change.bitrate <= 20_000 and 1 <= change.rate <= 25 and 1 <= change.quality <= 100


@pytest.mark.parametrize("name", ["BitrateLimit", "FrameRateLimit", "Quality", "GovLength"])
def test_a_fixed_stream_stays_as_the_file_says(name: str) -> None:
    place = Place(streams=(MAIN,))
    with pytest.raises(Fault, match="configuration file"):
        place.call("trt:SetVideoEncoderConfiguration", configuration(place, "trt", {name: "7"}))


def test_a_free_streams_options_are_its_ranges() -> None:
    place = Place(streams=(FREE,))
    options = place.call("trt:GetVideoEncoderConfigurationOptions")
    assert texts(options, "tt:Width")[:2] == ["1920", "640"]
    assert texts(options, "tt:Max") == ["100", "250", "25", "1", "250", "25", "1", "20000"]
    (second,) = place.call("tr2:GetVideoEncoderConfigurationOptions")
    assert second.get("FrameRatesSupported") == "1 2 5 10 12 15 20 25"
