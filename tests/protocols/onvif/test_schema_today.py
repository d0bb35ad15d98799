"""Media2's answers, and those of analytics and Device I/O that older schemas lack, validate against today's schemas."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lpr.protocols.onvif.names import NAMESPACES, split
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.test_schema import NEWER
from tests.protocols.onvif.worlds import Place
from tests.protocols.onvif_metadata import schemas

MEDIA2, ANALYTICS = "ver20/media/wsdl/media.wsdl", "ver20/analytics/wsdl/analytics.wsdl"
DEVICE_IO = "ver10/deviceio.wsdl"
PROFILE = ("ProfileToken", "main")
ARGUMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "GetProfiles": (("Type", "All"),),
    "GetStreamUri": (("Protocol", "RtspUnicast"), PROFILE),
    "GetSnapshotUri": (PROFILE,),
    "SetSynchronizationPoint": (PROFILE,),
    "GetVideoEncoderInstances": (("ConfigurationToken", "VSC0"),),
}
REFUSED = {
    "CreateProfile",
    "DeleteProfile",
    "AddConfiguration",
    "RemoveConfiguration",
    "SetOSD",
    "CreateOSD",
    "DeleteOSD",
}
"""Always, or unless they ask for what is there; the tests of the services say which."""
OPERATIONS = [
    operation.name
    for service in Place().table.services
    if service.prefix == "tr2"
    for operation in service.operations
    if operation.handler is not None and operation.name not in REFUSED
    if not (operation.name.startswith("Set") and operation.name.endswith("Configuration"))
]


def faults(found: ElementTree.Element, place: str) -> list[str]:
    """What today's schema finds wrong with an answer. Its texts may use the prefixes that we write."""
    schema = schemas.messages(place)
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(found, namespaces=dict(NAMESPACES))]


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_of_media2_validate(name: str) -> None:
    given = ARGUMENTS.get(name, ())
    answer = Place().call(f"tr2:{name}", *(element(f"tr2:{key}", value) for key, value in given))
    assert split(answer.tag) == (NAMESPACES["tr2"], f"{name}Response")
    assert faults(answer, MEDIA2) == []


@pytest.mark.parametrize("name", ["GetRuleOptions", "GetAnalyticsModuleOptions", "GetSupportedMetadata"])
def test_newer_answers_of_the_analytics_service_validate(name: str) -> None:
    given = () if name == "GetSupportedMetadata" else (element("tan:ConfigurationToken", "VAC0"),)
    assert faults(Place().call(f"tan:{name}", *given), ANALYTICS) == []


@pytest.mark.parametrize("name", sorted(NEWER))
def test_newer_answers_of_device_io_validate(name: str) -> None:
    answer = Place().call(name)
    assert split(answer.tag) == (NAMESPACES["tmd"], f"{name.partition(':')[2]}Response")
    assert faults(answer, DEVICE_IO) == []


def test_a_wrong_answer_is_noticed() -> None:
    answer = Place().call("tr2:GetProfiles", element("tr2:Type", "All"))
    answer[0].remove(answer[0][0])
    assert faults(answer, MEDIA2)
