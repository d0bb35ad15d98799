"""The parsers under fuzz: a function that takes bytes and raises nothing but what its parser may, and samples to begin
with. Only what a parser documents may be raised; anything else, a hang or a lot of memory is a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lpr.protocols.milesight import (
    ClientConnection,
    ProtocolError,
    ServerConnection,
    encode_login_reply,
    encode_login_request,
)
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.discovery import Responder, Shown
from lpr.protocols.onvif.security import Tokens
from lpr.protocols.onvif_events import (
    CONCRETE_SET,
    ITEM_FILTER,
    FilterError,
    Item,
    TimeError,
    content_filter,
    lifetime,
    topic_filter,
)
from lpr.protocols.onvif_events.filters import topic_of
from lpr.protocols.onvif_metadata import MetadataError, document, parse_document, plate_of
from lpr.protocols.onvif_metadata.analytics import sample_frame
from tools.fuzz import files, ftp, neural, rtp

PLATE = topic_of("tns1:RuleEngine/Recognition/LicensePlate")
ITEMS = (Item("VideoSource", "VS0"), Item("Rule", "LPR"), Item("LicensePlateInfo", None))


@dataclass(frozen=True)
class Target:
    """``run``: one try. ``seeds``: samples of what the parser understands."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def metadata(data: bytes) -> None:
    """Documents of other cameras."""
    try:
        read = parse_document(data)
    except MetadataError:
        return
    for notification in read.notifications:
        plate_of(notification)


def filters(data: bytes) -> None:
    """Topic expressions, content filters and times of subscribers."""
    text = data.decode("utf-8", "replace")
    with suppress(FilterError):
        topic_filter(text, CONCRETE_SET, {}, (PLATE,)).wants(PLATE, ITEMS)
    with suppress(FilterError):
        content_filter(text, ITEM_FILTER).wants(PLATE, ITEMS)
    with suppress(TimeError):
        lifetime(text, 0, usual=60, longest=600)


def envelopes(data: bytes) -> None:
    """SOAP requests."""
    try:
        request = soap.parse(data)
    except soap.Fault as fault:
        soap.refuse(fault)
        return
    soap.refuse(soap.Fault("Sender", reason=request.operation), request)


def discovery(data: bytes) -> None:
    """WS-Discovery's questions."""
    responder = Responder(
        "urn:uuid:1",
        lambda: Shown(("onvif://www.onvif.org/Profile/Streaming",), 1),
        str,
        instance=1,
        fresh=lambda: bytes(16),
    )
    answer = responder.receive(data, "192.0.2.7", 0)
    if answer is not None:
        soap.parse(answer)


def tokens(data: bytes) -> None:
    """A UsernameToken's fields."""
    user, nonce, created, word, *_ = (*data.decode("utf-8", "replace").split("|"), "", "", "", "")
    Tokens().check(soap.Token(user, word, "PasswordDigest", nonce, created), {"nvr": "secret"}.get, 0)


def milesight_server(data: bytes) -> None:
    """What an NVR sends."""
    end = ServerConnection()
    try:
        for start in range(0, len(data), 7):
            end.receive(data[start : start + 7])
            while end.next_message() is not None:
                if end.state.name == "CHECKING":
                    end.accept()
    except ProtocolError:
        return


def milesight_client(data: bytes) -> None:
    """What a camera sends."""
    end = ClientConnection(max_message=100_000)
    end.log_in("a", "b")
    try:
        end.receive(data)
        for _ in end.messages():
            pass
    except ProtocolError:
        return


ENVELOPE = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header/><e:Body>'
    b'<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"><Timeout>PT5S</Timeout></PullMessages>'
    b"</e:Body></e:Envelope>"
)

PROBE = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    b' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    b' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    b"<s:Header><a:MessageID>urn:uuid:1</a:MessageID></s:Header><s:Body><d:Probe>"
    b"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/Profile</d:Scopes></d:Probe>"
    b"</s:Body></s:Envelope>"
)

TARGETS: dict[str, Target] = {
    "metadata": Target(metadata, (document("onvif", frames=[sample_frame()]),)),
    "filters": Target(
        filters,
        (
            b"tns1:RuleEngine//.|tns1:Device/Trigger",
            b'boolean(//tt:SimpleItem[@Name="Rule" and not(@Value="x")]) or not(boolean(//tt:ElementItem[@Name="a"]))',
            b"P1Y2M3DT4H5M6.7S",
            b"2026-01-01T00:00:00.5+01:00",
        ),
    ),
    "envelopes": Target(envelopes, (ENVELOPE,)),
    "discovery": Target(discovery, (PROBE,)),
    "tokens": Target(tokens, (b"nvr|b25l|2025-06-15T15:06:40.000Z|tuOSpGlFlIXsozq4HFNeeGeFLEI=",)),
    "milesight-server": Target(milesight_server, (encode_login_request("admin", "secret"),)),
    "milesight-client": Target(milesight_client, (encode_login_reply("200"),)),
    "neural-messages": Target(neural.messages, neural.MESSAGES),
    "neural-trigger": Target(neural.triggers, neural.TRIGGERS),
    "ftp-commands": Target(ftp.commands, ftp.COMMANDS),
    "ftp-connections": Target(ftp.connections, ftp.CONNECTIONS),
    "file-paths": Target(files.paths, files.PATHS),
    "pumatronix": Target(files.parameters, files.PARAMETERS),
    "authorization": Target(files.fields, files.FIELDS),
    "rtp-packets": Target(rtp.packets, rtp.PACKETS),
    "rtcp": Target(rtp.reports, rtp.REPORTS),
    "rtp-jpeg": Target(rtp.pictures, rtp.PICTURES),
}
"""By the name on the command line."""
