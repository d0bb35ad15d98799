"""Device I/O, imaging and analytics."""

from __future__ import annotations

import pytest

from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.worlds import SUB, Place, refused, texts


def test_device_io_has_sources_and_nothing_else() -> None:
    place = Place()
    found = place.call("tmd:GetServiceCapabilities")[0]
    assert (found.get("VideoSources"), found.get("AudioSources"), found.get("RelayOutputs")) == ("1", "1", "0")
    assert texts(place.call("tmd:GetVideoSources"), "tmd:Token") == ["VS0"]
    assert texts(place.call("tmd:GetAudioSources"), "tmd:Token") == ["AS0"]
    assert texts(Place(streams=(SUB,)).call("tmd:GetAudioSources"), "tmd:Token") == []
    for name in ("GetAudioOutputs", "GetDigitalInputs", "GetVideoOutputs", "GetSerialPorts", "GetRelayOutputOptions"):
        assert not len(place.call(f"tmd:{name}"))
    assert not len(place.call("tds:GetRelayOutputs"))
    assert refused(place, "tmd:SetRelayOutputSettings")[1] == "ter:RelayToken"
    assert refused(place, "tds:SetRelayOutputState")[1] == "ter:RelayToken"


def test_imaging_has_no_settings() -> None:
    place = Place()
    here, settings = element("timg:VideoSourceToken", "VS0"), element("timg:ImagingSettings")
    assert not len(place.call("timg:GetImagingSettings", here)[0])
    place.call("timg:SetImagingSettings", here, settings)
    settings.append(element("tt:Brightness", 50))
    assert refused(place, "timg:SetImagingSettings", here, settings)[1] == "ter:SettingsInvalid"
    assert refused(place, "timg:GetOptions", element("timg:VideoSourceToken", "x"))[1] == "ter:NoSource"
    assert refused(place, "timg:Move", here)[1] == "ter:NoImagingForSource"


def test_analytics_shows_what_runs() -> None:
    place = Place()
    here = element("tan:ConfigurationToken", "VAC0")
    assert [rule.get("Name") for rule in place.call("tan:GetRules", here)] == ["LPR"]
    assert [module.get("Name") for module in place.call("tan:GetAnalyticsModules", here)] == ["gate module"]
    assert place.call("tan:GetSupportedRules", here)[0][0].tag == q("tt:RuleDescription")
    assert refused(place, "tan:GetRules", element("tan:ConfigurationToken", "x"))[1] == "ter:NoConfig"


@pytest.mark.parametrize(("kind", "count"), [(None, 1), ("tt:LicensePlateRecognition", 1), ("tt:Other", 0)])
def test_supported_metadata(kind: str | None, count: int) -> None:
    asked = () if kind is None else (element("tan:Type", kind),)
    answer = Place().call("tan:GetSupportedMetadata", *asked)
    assert len(answer) == count
    if count:
        assert answer[0].get("Type") == "tt:LicensePlateRecognition" and answer[0][0].tag == q("tan:SampleFrame")
