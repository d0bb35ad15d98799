"""Every answer validates against the public schemas; a wrong one would be noticed."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif.model import Analytics, World
from lpr.protocols.onvif.names import NAMESPACES, split
from lpr.protocols.onvif.operations import Operation
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element
from lpr.protocols.onvif_metadata import analytics_of, camera_tokens
from tests.protocols.onvif import schemas
from tests.protocols.onvif.worlds import Place

PROFILE = ("ProfileToken", "main")
ARGUMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "trt:GetProfile": (PROFILE,),
    "trt:GetSnapshotUri": (PROFILE,),
    "trt:SetSynchronizationPoint": (PROFILE,),
    "trt:GetGuaranteedNumberOfVideoEncoderInstances": (("ConfigurationToken", "VSC0"),),
    "trt:GetStreamUri": (PROFILE,),
    "trt:GetVideoSourceConfiguration": (("ConfigurationToken", "VSC0"),),
    "trt:GetVideoEncoderConfiguration": (("ConfigurationToken", "sub-video"),),
    "trt:GetAudioSourceConfiguration": (("ConfigurationToken", "ASC0"),),
    "trt:GetAudioEncoderConfiguration": (("ConfigurationToken", "main-audio"),),
    "trt:GetVideoAnalyticsConfiguration": (("ConfigurationToken", "VAC0"),),
    "trt:GetMetadataConfiguration": (("ConfigurationToken", "main-metadata"),),
    "trt:AddVideoSourceConfiguration": (PROFILE, ("ConfigurationToken", "VSC0")),
    "trt:AddVideoEncoderConfiguration": (PROFILE, ("ConfigurationToken", "main-video")),
    "trt:AddAudioSourceConfiguration": (PROFILE, ("ConfigurationToken", "ASC0")),
    "trt:AddAudioEncoderConfiguration": (PROFILE, ("ConfigurationToken", "main-audio")),
    "trt:AddVideoAnalyticsConfiguration": (PROFILE, ("ConfigurationToken", "VAC0")),
    "trt:AddMetadataConfiguration": (PROFILE, ("ConfigurationToken", "main-metadata")),
    "tds:SetScopes": (("Scopes", "onvif://www.onvif.org/added"),),
    "tds:AddScopes": (("ScopeItem", "onvif://www.onvif.org/added"),),
    "tds:SetDiscoveryMode": (("DiscoveryMode", "NonDiscoverable"),),
    "tds:GetServices": (("IncludeCapability", "true"),),
    "timg": (("VideoSourceToken", "VS0"),),
    "tan": (("ConfigurationToken", "VAC0"),),
}
"""What an operation (or a service) needs to be told, where it needs it."""
REFUSED = {
    "tds:SystemReboot",
    "tds:SetSystemFactoryDefault",
    "tds:RemoveScopes",
    "tds:SetRelayOutputSettings",
    "tds:SetRelayOutputState",
    "trt:CreateProfile",
    "trt:DeleteProfile",
    "trt:GetOSD",
    "trt:SetOSD",
    "trt:CreateOSD",
    "trt:DeleteOSD",
    "trt:GetAudioOutputConfiguration",
    "trt:GetAudioDecoderConfiguration",
    "timg:Move",
    "timg:Stop",
    "tmd:SetRelayOutputSettings",
}
"""Known and always answered with a fault (the tests of the services say which), Set…Configuration without one too."""
NEWER = {"tmd:GetVideoSources", "tmd:GetAudioSources", "tmd:GetAudioOutputs"}
"""Not in this package's older schemas; held against today's in ``test_schema_today``."""


def operations() -> list[tuple[str, str, Operation]]:
    """(prefix, name with prefix, operation) of all that have a handler and a public schema."""
    return [
        (service.prefix, f"{service.prefix}:{operation.name}", operation)
        for service in Place().table.services
        for operation in service.operations
        if operation.handler is not None and service.prefix != "tr2"
        if f"{service.prefix}:{operation.name}" not in NEWER
    ]


def ask(prefix: str, name: str) -> Element:
    given = ARGUMENTS.get(name, ARGUMENTS.get(prefix, ()))
    if name.startswith("trt:GetCompatible"):
        given = (PROFILE,)
    if name == "tan:GetServiceCapabilities" or name == "timg:GetServiceCapabilities":
        given = ()
    return Place().call(name, *(element(f"{prefix}:{key}", value) for key, value in given))


CASES = [
    pytest.param(prefix, name, id=name)
    for prefix, name, _ in operations()
    if name not in REFUSED
    and not (name.startswith("trt:Set") and name.endswith("Configuration"))
    and not (name.startswith("trt:Remove"))
]


@pytest.mark.parametrize(("prefix", "name"), CASES)
def test_answers_validate(prefix: str, name: str) -> None:
    answer = ask(prefix, name)
    assert split(answer.tag) == (NAMESPACES[prefix], name.partition(":")[2] + "Response")
    known = {"RuleOptions", "AnalyticsModuleOptions", "SupportedMetadata"}
    if prefix == "tan" and any(part in name for part in known):
        assert schemas.faults(answer), "the package's older schema doesn't know it; if it does now, test it"
        return
    assert schemas.faults(answer) == []


@pytest.mark.parametrize("prefix", ["tds", "trt", "tan", "timg", "tmd"])
def test_capabilities_validate(prefix: str) -> None:
    service = next(one for one in Place().table.services if one.prefix == prefix)
    assert service.capabilities is not None
    assert schemas.faults(service.capabilities()) == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_always_refused_is(name: str) -> None:
    prefix = name.partition(":")[0]
    given = {"timg": "VideoSourceToken", "trt": "ProfileToken"}.get(prefix, "Nothing")
    value = {"timg": "VS0", "trt": "main"}.get(prefix, "")
    with pytest.raises(Fault):
        Place().call(name, element(f"{prefix}:{given}", value))


def test_what_is_refused_says_so_in_the_table() -> None:
    said = {name for _, name, operation in operations() if operation.why.startswith("refused")}
    assert said == (REFUSED - {"tds:RemoveScopes"}) | {name for name in said if name.startswith("trt:Remove")}


def test_a_wrong_answer_is_noticed() -> None:
    answer = ask("trt", "trt:GetProfiles")
    answer[0].remove(answer[0][0])
    assert schemas.faults(answer)


def test_media2_is_made_of_types_that_validate() -> None:
    """Its messages have no schema here; the configurations that both media services have, do."""
    place = Place()
    found = place.call("tr2:GetProfiles", element("tr2:Type", "All"))
    seen: set[str] = set()
    for kind, name in (
        ("VideoSource", "VideoSourceConfiguration"),
        ("AudioSource", "AudioSourceConfiguration"),
        ("Analytics", "VideoAnalyticsConfiguration"),
        ("Metadata", "MetadataConfiguration"),
    ):
        for node in found.iter(f"{{{NAMESPACES['tr2']}}}{kind}"):
            wrapped = element("tt:Profile", element("tt:Name", "x"), token="x")
            node.tag = f"{{{NAMESPACES['tt']}}}{name}"
            wrapped.append(node)
            holder = element("trt:GetProfileResponse", wrapped)
            wrapped.tag = f"{{{NAMESPACES['trt']}}}Profile"
            assert schemas.faults(holder) == []
            seen.add(kind)
    assert len(seen) == 4


@pytest.mark.parametrize(
    "name",
    [
        *("trt:GetProfiles", "trt:GetVideoAnalyticsConfigurations", "tan:GetRules", "tan:GetAnalyticsModules"),
        *("tan:GetSupportedRules", "tan:GetSupportedAnalyticsModules"),
    ],
)
def test_what_the_service_says_of_its_analytics_validates(name: str) -> None:
    told = analytics_of(camera_tokens(0), region=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))
    content = Analytics(told.modules, told.rules, told.module_descriptions, told.rule_descriptions, told.samples)
    place = Place(analytics=lambda source: content)
    given = [element("tan:ConfigurationToken", "VAC0")] if name.startswith("tan:") else []
    answer = place.call(name, *given)
    assert len(answer) and schemas.faults(answer) == []


def test_the_worlds_default_is_valid_too() -> None:
    place = Place()
    bare = World(place.world.device, lambda: place.streams)
    assert bare.added().scopes == () and bare.analytics(place.streams[0].source).rules == ()
