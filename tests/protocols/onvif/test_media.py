"""Profiles, addresses and options of both media services."""

from __future__ import annotations

import dataclasses
from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif.model import Once, Ports, Stream
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words
from tests.protocols.onvif.worlds import DEVICE, FINE, MAIN, SUB, Place, refused, texts


def setup(protocol: str, stream: str = "RTP-Unicast") -> Element:
    transport = element("tt:Transport", element("tt:Protocol", protocol))
    return element("trt:StreamSetup", element("tt:Stream", stream), transport)


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


def test_streams_are_looked_up_once_a_request() -> None:
    asked: list[int] = []

    def look() -> tuple[Stream, ...]:
        asked.append(1)
        return (MAIN,)

    once = Once(look)
    assert once() == once() == (MAIN,) and len(asked) == 1
    once.forget()
    assert once() == (MAIN,) and len(asked) == 2
