"""WS-Discovery's messages: answered when they ask for us, once, at a bounded rate."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.discovery import MAX_DATAGRAM, REMEMBERED, Responder, Shown, urn
from lpr.protocols.onvif.names import NAMESPACES
from tests.protocols.onvif.worlds import texts

ENDPOINT = "urn:uuid:11111111-2222-4333-8444-555555555555"
SCOPES = ("onvif://www.onvif.org/Profile/Streaming", "onvif://www.onvif.org/name/Gate")
RULES = NAMESPACES["d"] + "/"
SECOND = 1_000_000


class Rig:
    def __init__(self, rate: float = 20.0, shown: Shown | None = None) -> None:
        self.shown = shown or Shown(SCOPES, 3)
        numbers = itertools.count()
        self.responder = Responder(
            ENDPOINT,
            lambda: self.shown,
            lambda own: f"http://{own}:8000/onvif/device_service",
            instance=7,
            fresh=lambda: next(numbers).to_bytes(16, "big"),
            rate=rate,
        )

    def ask(self, data: bytes, now: int = 0) -> bytes | None:
        return self.responder.receive(data, "192.0.2.7", now)


def question(body: str, number: int | None = 1, action: str = "Probe") -> bytes:
    name = "" if number is None else f"<a:MessageID>urn:uuid:{number}</a:MessageID>"
    return (
        f'<s:Envelope xmlns:s="{NAMESPACES["env"]}" xmlns:a="{NAMESPACES["a"]}" xmlns:d="{NAMESPACES["d"]}"'
        f' xmlns:dn="{NAMESPACES["dn"]}" xmlns:tds="{NAMESPACES["tds"]}"><s:Header>{name}'
        f'<a:Action s:mustUnderstand="1">{NAMESPACES["d"]}/{action}</a:Action></s:Header><s:Body>{body}</s:Body>'
        "</s:Envelope>"
    ).encode()


def probe(types: str | None = None, scopes: str | None = None, rule: str | None = None, number: int = 1) -> bytes:
    matching = "" if rule is None else f' MatchBy="{rule}"'
    return question(
        "<d:Probe>"
        + ("" if types is None else f"<d:Types>{types}</d:Types>")
        + ("" if scopes is None else f"<d:Scopes{matching}>{scopes}</d:Scopes>")
        + "</d:Probe>",
        number,
    )


def test_a_probe_is_answered_with_all_that_is_needed() -> None:
    data = Rig().ask(probe("dn:NetworkVideoTransmitter"))
    assert data is not None
    answer = soap.parse(data)
    assert answer.operation == "ProbeMatches" and answer.action == f"{NAMESPACES['d']}/ProbeMatches"
    assert b"<a:RelatesTo>urn:uuid:1</a:RelatesTo>" in data and b'InstanceId="7" MessageNumber="1"' in data
    assert texts(answer.body, "a:Address") == [ENDPOINT]
    assert texts(answer.body, "d:XAddrs") == ["http://192.0.2.7:8000/onvif/device_service"]
    assert texts(answer.body, "d:Scopes") == [" ".join(SCOPES)] and texts(answer.body, "d:MetadataVersion") == ["3"]
    assert texts(answer.body, "d:Types") == ["dn:NetworkVideoTransmitter tds:Device"]
    assert f'xmlns:dn="{NAMESPACES["dn"]}"'.encode() in data


@pytest.mark.parametrize(
    ("types", "scopes", "rule", "answered"),
    [
        (None, None, None, True),
        ("", None, None, True),
        ("tds:Device dn:NetworkVideoTransmitter", None, None, True),
        ("unknown:NetworkVideoTransmitter", None, None, True),
        ("dn:NetworkVideoDisplay", None, None, False),
        ("d:NetworkVideoTransmitter", None, None, False),
        ("unknown:Printer", None, None, False),
        (None, "onvif://www.onvif.org/Profile", None, True),
        (None, "ONVIF://WWW.onvif.org/Profile/Streaming", None, True),
        (None, "onvif://www.onvif.org/Prof", None, False),
        (None, "onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/name/Gate", None, True),
        (None, "onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/name/Other", None, False),
        (None, "onvif://www.onvif.org/name/../Profile", None, False),
        (None, "onvif://[bad", None, False),
        (None, "onvif://www.onvif.org/Profile", RULES + "rfc3986", True),
        (None, "onvif://www.onvif.org/Profile", RULES + "strcmp0", False),
        (None, SCOPES[0], RULES + "strcmp0", True),
        (None, "", RULES + "none", True),
        (None, SCOPES[0], RULES + "none", False),
        (None, SCOPES[0], RULES + "ldap", False),
        (None, " ".join([SCOPES[0]] * 33), None, False),
    ],
)
def test_who_is_asked_for(types: str | None, scopes: str | None, rule: str | None, answered: bool) -> None:
    assert (Rig().ask(probe(types, scopes, rule)) is not None) == answered


def test_resolve_is_for_one() -> None:
    rig = Rig()
    ours = "<d:Resolve><a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference></d:Resolve>"
    data = rig.ask(question(ours.format(ENDPOINT), 1, "Resolve"))
    assert data is not None and soap.parse(data).operation == "ResolveMatches"
    assert rig.ask(question(ours.format("urn:uuid:other"), 2, "Resolve")) is None


def test_a_repeat_is_passed_over_and_memory_is_bounded() -> None:
    rig = Rig(rate=10_000)
    assert rig.ask(probe()) is not None and rig.ask(probe()) is None
    for number in range(2, REMEMBERED + 2):
        assert rig.ask(probe(number=number)) is not None
    assert rig.ask(probe()) is not None, "forgotten by now"


def test_the_rate_is_bounded_over_all() -> None:
    rig = Rig(rate=5)
    assert sum(rig.ask(probe(number=number)) is not None for number in range(100)) == 10
    assert sum(rig.ask(probe(number=200 + number), SECOND) is not None for number in range(100)) == 5
    assert rig.ask(probe(number=500), 0) is None, "a clock that goes back gives nothing"


def test_who_does_not_want_to_be_found_is_silent() -> None:
    assert Rig(shown=Shown(SCOPES, 1, discoverable=False)).ask(probe()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        probe() + b" " * MAX_DATAGRAM,
        question("<d:Probe/>", None),
        question("<d:Hello/>"),
        question("<d:ProbeMatches/>"),
        question("<tds:GetServices/>"),
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + probe(),
    ],
    ids=range(8),
)
def test_what_is_not_for_us_is_passed_over(data: bytes) -> None:
    assert Rig().ask(data) is None


@given(st.binary(max_size=50), st.integers(0, 700))
def test_damaged_questions_do_no_harm(noise: bytes, place: int) -> None:
    whole = probe("dn:NetworkVideoTransmitter", SCOPES[0])
    answer = Rig().ask(whole[:place] + noise + whole[place:])
    assert answer is None or soap.parse(answer).operation == "ProbeMatches"


def test_hello_and_bye() -> None:
    rig = Rig()
    hello, bye = soap.parse(rig.responder.hello("192.0.2.7")), soap.parse(rig.responder.bye())
    assert hello.operation == "Hello" and texts(hello.body, "d:MetadataVersion") == ["3"]
    assert bye.operation == "Bye" and texts(bye.body, "a:Address") == [ENDPOINT]
    assert hello.message_id != bye.message_id and hello.to == "urn:schemas-xmlsoap-org:ws:2005:04:discovery"


def test_made_names_are_of_version_4() -> None:
    assert urn(b"\xff" * 16) == "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff"
