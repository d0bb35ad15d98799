"""What the services answer, and the faults that NVRs expect."""

from __future__ import annotations

import dataclasses
from typing import cast
from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif.model import Encoding, Once, Ports, Stream
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words
from tests.protocols.onvif.worlds import DEVICE, FINE, MAIN, SUB, Place, texts


def refused(place: Place, name: str, *children: Element) -> tuple[str, ...]:
    """The subcodes of the fault."""
    with pytest.raises(Fault) as caught:
        place.call(name, *children)
    return caught.value.subcodes


def setup(protocol: str, stream: str = "RTP-Unicast") -> Element:
    transport = element("tt:Transport", element("tt:Protocol", protocol))
    return element("trt:StreamSetup", element("tt:Stream", stream), transport)


# --- device ------------------------------------------------------------------------------------------------


def test_services_are_listed_with_addresses_that_the_caller_can_reach() -> None:
    place = Place()
    plain = place.call("tds:GetServices", element("tds:IncludeCapability", False))
    assert texts(plain, "tds:XAddr")[:3] == [
        "http://192.0.2.7:8000/onvif/device_service",
        "http://192.0.2.7:8000/onvif/media_service",
        "http://192.0.2.7:8000/onvif/media2_service",
    ]
    assert not list(plain.iter(q("tds:Capabilities")))
    full = place.call("tds:GetServices", element("tds:IncludeCapability", True))
    assert len(list(full.iter(q("trt:Capabilities")))) == 1


@pytest.mark.parametrize(
    ("categories", "found"),
    [
        ((), ["Analytics", "Device", "Imaging", "Media", "Extension"]),
        (("All",), ["Analytics", "Device", "Imaging", "Media", "Extension"]),
        (("Media",), ["Media"]),
        (("Media", "PTZ"), ["Media"]),
    ],
)
def test_capabilities(categories: tuple[str, ...], found: list[str]) -> None:
    answer = Place().call("tds:GetCapabilities", *(element("tds:Category", name) for name in categories))
    assert [child.tag.rpartition("}")[2] for child in answer[0]] == found


def test_capabilities_that_are_not_there() -> None:
    wanted = element("tds:Category", "PTZ")
    assert refused(Place(), "tds:GetCapabilities", wanted) == ("ter:ActionNotSupported", "ter:NoSuchService")
    assert refused(Place(), "tds:GetCapabilities", element("tds:Category", "Coffee"))[0] == "ter:InvalidArgVal"


def test_the_time_is_utc() -> None:
    found = Place().call("tds:GetSystemDateAndTime").find(f".//{q('tt:UTCDateTime')}")
    assert found is not None
    assert [words(node) for node in found.iter() if not len(node)] == ["15", "6", "40", "2025", "6", "15"]


def test_who_we_are() -> None:
    place = Place()
    assert texts(place.call("tds:GetEndpointReference"), "tds:GUID") == ["11111111-2222-4333-8444-555555555555"]
    assert texts(place.call("tds:GetNetworkInterfaces"), "tt:HwAddress") == ["02:00:5e:10:00:01"]
    assert texts(place.call("tds:GetNetworkProtocols"), "tt:Enabled") == ["true", "false", "true"]
    assert texts(place.call("tds:GetUsers"), "tt:UserLevel") == ["Operator", "Administrator"]
    assert not texts(place.call("tds:GetUsers"), "tt:Password")
    assert texts(place.call("tds:GetDNS"), "tt:IPv6Address") == ["2001:db8::1"]


def test_scopes_are_added_replaced_and_removed() -> None:
    place = Place()
    fixed = texts(place.call("tds:GetScopes"), "tt:ScopeItem")
    assert "onvif://www.onvif.org/Profile/Streaming" in fixed and "onvif://www.onvif.org/name/Gate%20camera" in fixed
    assert {"onvif://www.onvif.org/Profile/T", "onvif://www.onvif.org/Profile/M"} <= set(fixed)
    place.call("tds:AddScopes", element("tds:ScopeItem", "onvif://www.onvif.org/a"))
    place.call("tds:AddScopes", element("tds:ScopeItem", "onvif://www.onvif.org/b"))
    assert place.added.scopes == ("onvif://www.onvif.org/a", "onvif://www.onvif.org/b")
    assert texts(place.call("tds:GetScopes"), "tt:ScopeDef")[len(fixed) :] == ["Configurable"] * 2
    gone = place.call("tds:RemoveScopes", element("tds:ScopeItem", "onvif://www.onvif.org/a"))
    assert texts(gone, "tds:ScopeItem") == ["onvif://www.onvif.org/a"]
    place.call("tds:SetScopes", element("tds:Scopes", "onvif://www.onvif.org/c"), element("tds:Scopes", fixed[0]))
    assert place.added.scopes == ("onvif://www.onvif.org/c",)


def test_scopes_that_can_not_be() -> None:
    place = Place()
    name = "tds:ScopeItem"
    for wrong in ("no scheme", "onvif://" + "x" * 256, "", "onvif://[x"):
        assert refused(place, "tds:AddScopes", element(name, wrong)) == ("ter:InvalidArgVal",)
    assert refused(place, "tds:SetScopes") == ("ter:InvalidArgs",)
    assert refused(place, "tds:RemoveScopes", element(name, DEVICE.scopes[0]))[1] == "ter:FixedScope"
    assert refused(place, "tds:RemoveScopes", element(name, "onvif://x"))[1] == "ter:NoScope"
    many = [element(name, f"onvif://www.onvif.org/{number}") for number in range(33)]
    assert refused(place, "tds:AddScopes", *many) == ("ter:Action", "ter:TooManyScopes")
    assert place.added.scopes == ()


def test_discovery_is_switched_only_where_it_is_configured() -> None:
    place = Place()
    mode = "tds:DiscoveryMode"
    assert texts(place.call("tds:GetDiscoveryMode"), mode) == ["Discoverable"]
    place.call("tds:SetDiscoveryMode", element(mode, "NonDiscoverable"))
    assert texts(place.call("tds:GetDiscoveryMode"), mode) == ["NonDiscoverable"]
    assert refused(place, "tds:SetDiscoveryMode", element(mode, "Perhaps")) == ("ter:InvalidArgVal",)
    silent = Place(dataclasses.replace(DEVICE, discovery=False))
    assert texts(silent.call("tds:GetDiscoveryMode"), mode) == ["NonDiscoverable"]
    assert refused(silent, "tds:SetDiscoveryMode", element(mode, "Discoverable")) == ("ter:OperationProhibited",)


def test_what_a_computers_administrator_looks_after_is_refused() -> None:
    for name in ("tds:SystemReboot", "tds:SetSystemFactoryDefault"):
        assert refused(Place(), name) == ("ter:OperationProhibited",)


# --- media -------------------------------------------------------------------------------------------------


def test_profiles_are_the_streams_that_media_can_tell() -> None:
    answer = Place().call("trt:GetProfiles")
    assert [profile.get("token") for profile in answer] == ["main", "sub"]
    assert all(profile.get("fixed") == "true" for profile in answer)
    assert texts(answer, "tt:Encoding") == ["H264", "G711", "JPEG"]
    assert len(list(answer.iter(q("tt:MetadataConfiguration")))) == 2
    assert texts(answer, "tt:GovLength") == ["50"]


def test_media2_tells_all_streams_and_what_is_asked_of_them() -> None:
    place = Place()
    bare = place.call("tr2:GetProfiles")
    assert [profile.get("token") for profile in bare] == ["main", "sub", "fine"]
    assert not list(bare.iter(q("tr2:Configurations")))
    full = place.call("tr2:GetProfiles", element("tr2:Type", "All"))
    assert texts(full, "tt:Encoding") == ["H264", "PCMU", "JPEG", "H265"]
    assert len(list(full.iter(q("tr2:Metadata")))) == 2, "fine has none"
    part = place.call("tr2:GetProfiles", element("tr2:Token", "fine"), element("tr2:Type", "VideoEncoder"))
    assert [child.tag for child in part[0][1]] == [q("tr2:VideoEncoder")]
    assert refused(place, "tr2:GetProfiles", element("tr2:Token", "none"))[1] == "ter:NoProfile"
    assert refused(place, "tr2:GetProfiles", element("tr2:Type", "Coffee"))[0] == "ter:InvalidArgVal"


@pytest.mark.parametrize(
    ("protocol", "address"),
    [
        ("UDP", "rtsp://192.0.2.7:8554/main"),
        ("TCP", "rtsp://192.0.2.7:8554/main"),
        ("RTSP", "rtsp://192.0.2.7:8554/main"),
        ("rtsp", "rtsp://192.0.2.7:8554/main"),
        ("HTTP", "http://192.0.2.7:8554/main"),
    ],
)
def test_addresses_of_streams(protocol: str, address: str) -> None:
    answer = Place().call("trt:GetStreamUri", setup(protocol), element("trt:ProfileToken", "main"))
    assert texts(answer, "tt:Uri") == [address]


@pytest.mark.parametrize(
    ("protocol", "address"),
    [
        ("RtspUnicast", "rtsp://192.0.2.7:8554/fine"),
        ("RTSP", "rtsp://192.0.2.7:8554/fine"),
        ("RtspOverHttp", "http://192.0.2.7:8554/fine"),
    ],
)
def test_addresses_of_streams_in_media2(protocol: str, address: str) -> None:
    place = Place()
    token = element("tr2:ProfileToken", "fine")
    assert texts(place.call("tr2:GetStreamUri", element("tr2:Protocol", protocol), token), "tr2:Uri") == [address]
    assert texts(place.call("tr2:GetSnapshotUri", token), "tr2:Uri") == ["http://192.0.2.7:8000/onvif/snapshot/fine"]


def test_streams_by_tls_alone() -> None:
    place = Place(dataclasses.replace(DEVICE, ports=lambda: Ports(None, 8443, None, 8322)))
    token = element("trt:ProfileToken", "main")
    assert texts(place.call("trt:GetStreamUri", setup("RTSP"), token), "tt:Uri") == ["rtsps://192.0.2.7:8322/main"]
    assert texts(place.call("trt:GetStreamUri", setup("HTTP"), token), "tt:Uri") == ["https://192.0.2.7:8322/main"]
    assert refused(place, "trt:GetStreamUri", setup("UDP"), token)[1] == "ter:InvalidStreamSetup"
    secure = place.call(
        "tr2:GetStreamUri", element("tr2:Protocol", "RtspsUnicast"), element("tr2:ProfileToken", "main")
    )
    assert texts(secure, "tr2:Uri") == ["rtsps://192.0.2.7:8322/main"]


@pytest.mark.parametrize("wrong", [setup("RTSP", "RTP-Multicast"), setup("Carrier pigeon")])
def test_setups_that_are_not_offered(wrong: Element) -> None:
    found = refused(Place(), "trt:GetStreamUri", wrong, element("trt:ProfileToken", "main"))
    assert found == ("ter:InvalidArgVal", "ter:InvalidStreamSetup")


def test_no_streams_without_rtsp() -> None:
    place = Place(dataclasses.replace(DEVICE, ports=lambda: Ports(8000, None, None, None)))
    token = element("trt:ProfileToken", "main")
    assert refused(place, "trt:GetStreamUri", setup("RTSP"), token)[1] == "ter:InvalidStreamSetup"


def test_synologys_test_profile_is_refused_as_it_expects() -> None:
    """It asks without credentials, and reads ter:MaxNVTProfiles as "this camera has profiles enough"."""
    with pytest.raises(Fault) as caught:
        Place().call("trt:CreateProfile", element("trt:Name", "SynoTestProfile"), level=None)
    assert caught.value.side == "Receiver" and caught.value.subcodes == ("ter:Action", "ter:MaxNVTProfiles")
    assert refused(Place(), "tr2:CreateProfile", element("tr2:Name", "x")) == ("ter:Action", "ter:MaxNVTProfiles")


def test_profiles_stay_as_they_are() -> None:
    place = Place()
    main, other = element("trt:ProfileToken", "main"), element("trt:ConfigurationToken", "sub-video")
    assert refused(place, "trt:DeleteProfile", main) == ("ter:Action", "ter:DeletionOfFixedProfile")
    assert refused(place, "trt:DeleteProfile", element("trt:ProfileToken", "x"))[1] == "ter:NoProfile"
    assert refused(place, "trt:AddVideoEncoderConfiguration", main, other)[1] == "ter:ConfigurationConflict"
    assert refused(place, "trt:RemoveVideoEncoderConfiguration", main)[1] == "ter:ConfigurationConflict"
    nothing = element("trt:ConfigurationToken", "x")
    assert refused(place, "trt:AddVideoEncoderConfiguration", main, nothing)[1] == "ter:NoConfig"
    assert refused(place, "tr2:DeleteProfile", element("tr2:Token", "main"))[1] == "ter:DeletionOfFixedProfile"
    assert refused(place, "tr2:RemoveConfiguration", element("tr2:ProfileToken", "main"))[1] == (
        "ter:ConfigurationConflict"
    )


def reference(kind: str, token: str) -> Element:
    return element("tr2:Configuration", element("tr2:Type", kind), element("tr2:Token", token))


def test_adding_what_is_there_to_a_profile_of_media2() -> None:
    place = Place()
    main = element("tr2:ProfileToken", "main")
    place.call("tr2:AddConfiguration", main, reference("VideoEncoder", "main-video"))
    for kind, token, code in (
        ("VideoEncoder", "sub-video", "ter:ConfigurationConflict"),
        ("VideoEncoder", "none", "ter:NoConfig"),
        ("PTZ", "main", "ter:NoConfig"),
    ):
        assert refused(place, "tr2:AddConfiguration", main, reference(kind, token))[1] == code


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


def test_options_are_what_the_streams_are() -> None:
    place = Place()
    both = place.call("trt:GetVideoEncoderConfigurationOptions")
    assert texts(both, "tt:H264ProfilesSupported") == ["Baseline", "Baseline"]
    assert texts(both, "tt:Width") == ["640", "1920", "640", "1920"]
    one = place.call("trt:GetVideoEncoderConfigurationOptions", element("trt:ConfigurationToken", "sub-video"))
    assert texts(one, "tt:Width") == ["640", "640"] and not texts(one, "tt:GovLengthRange")
    second = place.call("tr2:GetVideoEncoderConfigurationOptions")
    assert texts(second, "tt:Encoding") == ["H265", "H264", "JPEG"]
    assert [found.get("GovLengthRange") for found in second] == ["50 50", "50 50", None]
    of = element("tr2:ProfileToken", "fine")
    assert texts(place.call("tr2:GetVideoEncoderConfigurationOptions", of), "tt:Encoding") == ["H265"]
    assert refused(place, "trt:GetVideoEncoderConfigurationOptions", element("trt:ProfileToken", "x"))[1] == (
        "ter:NoProfile"
    )


def test_how_many_encoders_run_at_once() -> None:
    place = Place()
    name = "trt:GetGuaranteedNumberOfVideoEncoderInstances"
    answer = place.call(name, element("trt:ConfigurationToken", "VSC0"))
    assert [words(child) for child in answer] == ["2", "1", "1"]
    second = place.call("tr2:GetVideoEncoderInstances", element("tr2:ConfigurationToken", "VSC0"))
    assert texts(second, "tr2:Encoding") == ["H264", "JPEG", "H265"] and texts(second, "tr2:Total") == ["3"]
    assert refused(place, name, element("trt:ConfigurationToken", "x"))[1] == "ter:NoConfig"


def test_a_synchronization_point_asks_for_a_key_frame() -> None:
    place = Place()
    place.call("trt:SetSynchronizationPoint", element("trt:ProfileToken", "main"))
    place.call("tr2:SetSynchronizationPoint", element("tr2:ProfileToken", "fine"))
    assert place.key_frames == ["main", "fine"]


def test_osd_options_say_that_none_can_be_made() -> None:
    for prefix in ("trt", "tr2"):
        answer = Place().call(f"{prefix}:GetOSDOptions", element(f"{prefix}:ConfigurationToken", "VSC0"))
        found = answer.find(f".//{q('tt:MaximumNumberOfOSDs')}")
        assert found is not None and found.get("Total") == "0"
        assert refused(Place(), f"{prefix}:CreateOSD")[1] == "ter:MaxOSDs"
        assert refused(Place(), f"{prefix}:DeleteOSD", element(f"{prefix}:OSDToken", "x"))[1] == "ter:NoConfig"


def test_a_silent_device_has_no_sound_anywhere() -> None:
    place = Place(streams=(SUB, FINE))
    assert not len(place.call("trt:GetAudioSources")) and not len(place.call("trt:GetAudioEncoderConfigurations"))
    for prefix in ("trt", "tr2"):
        assert refused(place, f"{prefix}:GetAudioSourceConfigurationOptions")[1] == "ter:NoConfig"
        assert not texts(place.call(f"{prefix}:GetAudioEncoderConfigurationOptions"), "tt:Encoding")


def test_without_streams_lists_are_empty_and_nothing_fails() -> None:
    place = Place(streams=())
    assert not len(place.call("trt:GetProfiles")) and not len(place.call("tr2:GetProfiles"))
    assert not len(place.call("trt:GetVideoSources"))
    place.call("trt:GetVideoEncoderConfigurationOptions")
    assert refused(place, "trt:GetVideoSourceConfigurationOptions")[1] == "ter:NoConfig"


def test_a_source_that_two_streams_show_is_told_once() -> None:
    answer = Place(streams=(MAIN, SUB)).call("trt:GetVideoSourceConfigurations")
    assert [found.get("token") for found in answer] == ["VSC0"] and texts(answer, "tt:UseCount") == ["2"]


# --- the others --------------------------------------------------------------------------------------------


def test_device_io_has_video_sources_and_nothing_else() -> None:
    place = Place()
    found = place.call("tmd:GetServiceCapabilities")[0]
    assert (found.get("VideoSources"), found.get("AudioSources"), found.get("RelayOutputs")) == ("1", "1", "0")
    for name in ("GetDigitalInputs", "GetVideoOutputs", "GetSerialPorts", "GetRelayOutputOptions"):
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


def test_streams_are_looked_up_once_a_request() -> None:
    asked: list[int] = []

    def look() -> tuple[Stream, ...]:
        asked.append(1)
        return (MAIN,)

    once = Once(look)
    assert once() == once() == (MAIN,) and len(asked) == 1
    once.forget()
    assert once() == (MAIN,) and len(asked) == 2
