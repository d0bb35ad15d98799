"""WS-Discovery, the device's side: Hello, Bye, and the answers to Probe and Resolve. Sans-IO.

``Responder.receive`` takes a datagram and gives the answer to send, if any; it is bounded in size, in rate over all who
ask, and answers one message once. Whoever has the socket waits a moment by chance before he sends, as the specification
wants. What is malformed, not for us, or not understood is passed over in silence.
Source: WS-Discovery (April 2005; SOAP over UDP, addressing of August 2004), ONVIF Core chapter 7. May import this room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.names import NAMESPACES, q
from lpr.protocols.onvif.soap import Fault, Request
from lpr.protocols.onvif.tree import Limits, element, words, write

GROUP = "239.255.255.250"
PORT = 3702
MAX_DATAGRAM = 16_384
"""Bytes of a datagram that is looked at."""
MAX_DELAY = 0.5
"""Seconds by which an answer to a multicast question is delayed at most, by chance."""
REMEMBERED = 256
"""Message ids whose repeats are passed over."""
MAX_SCOPES = 32
"""Scopes of a Probe that are looked at."""

ANYBODY = f"{NAMESPACES['a']}/role/anonymous"
EVERYBODY = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
_MATCHING = f"{NAMESPACES['d']}/"
_TYPES = ("dn:NetworkVideoTransmitter", "tds:Device")
_LIMITS = Limits(size=MAX_DATAGRAM, elements=200, depth=16, attributes=32)
_SECOND = 1_000_000
_NUMBERS = 2**32
"""Numbers of the wire are of 32 bits; greater ones begin anew at 0."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What discovery shows of the device now. ``version``: grows when scopes change."""

    scopes: tuple[str, ...]
    version: int
    discoverable: bool = True


class Responder:
    """``endpoint``: "urn:uuid:…", the same for good. ``shown``: what holds now. ``address``: of the device service as
    reached at one of our own addresses. ``instance``: grows with each start. ``fresh``: 16 unpredictable bytes.
    ``rate``: answers a second, over all; twice that many may come at once after a silence."""

    def __init__(
        self,
        endpoint: str,
        shown: Callable[[], Shown],
        address: Callable[[str], str],
        *,
        instance: int,
        fresh: Callable[[], bytes],
        rate: float = 20.0,
    ) -> None:
        self._endpoint = endpoint
        self._shown = shown
        self._address = address
        self._instance = instance
        self._fresh = fresh
        self._rate = rate
        self._number = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._left = rate * 2
        self._counted_at = 0

    def hello(self, own: str) -> bytes:
        """We are here. ``own``: the address of ours that the network's clients reach."""
        return self._message("Hello", element("d:Hello", self._about(own)), to=EVERYBODY)

    def bye(self) -> bytes:
        """We go."""
        return self._message("Bye", element("d:Bye", self._reference()), to=EVERYBODY)

    def receive(self, data: bytes, own: str, now: int) -> bytes | None:
        """The answer to a datagram that came in at ``own``, an address of ours. ``now``: monotonic µs."""
        shown = self._shown()
        if not shown.discoverable or len(data) > MAX_DATAGRAM:
            return None
        try:
            request = soap.parse(data, _LIMITS)
        except Fault:
            return None
        if request.namespace != NAMESPACES["d"] or not request.message_id or request.message_id in self._seen:
            return None
        match request.operation:
            case "Probe":
                if not matches(request, shown.scopes):
                    return None
                body = element("d:ProbeMatches", element("d:ProbeMatch", self._about(own)))
            case "Resolve":
                if request.value("a:EndpointReference", "a:Address") != self._endpoint:
                    return None
                body = element("d:ResolveMatches", element("d:ResolveMatch", self._about(own)))
            case _:
                return None
        if not self._may(now):
            return None
        self._seen[request.message_id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        name = request.operation + "Matches"
        return self._message(name, body, to=ANYBODY, relates=request.message_id)

    def _may(self, now: int) -> bool:
        """Whether the rate allows one more answer."""
        passed = max(0, now - self._counted_at) / _SECOND
        self._left = min(self._rate * 2, self._left + passed * self._rate)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _reference(self) -> Element:
        return element("a:EndpointReference", element("a:Address", self._endpoint))

    def _about(self, own: str) -> list[Element]:
        shown = self._shown()
        return [
            self._reference(),
            element("d:Types", " ".join(_TYPES)),
            element("d:Scopes", " ".join(shown.scopes)),
            element("d:XAddrs", self._address(own)),
            element("d:MetadataVersion", shown.version % _NUMBERS),
        ]

    def _message(self, action: str, body: Element, *, to: str, relates: str = "") -> bytes:
        self._number += 1
        header = element(
            "env:Header",
            element("a:MessageID", urn(self._fresh())),
            element("a:RelatesTo", relates) if relates else None,
            element("a:To", to),
            element("a:Action", f"{NAMESPACES['d']}/{action}"),
            element("d:AppSequence", InstanceId=self._instance % _NUMBERS, MessageNumber=self._number % _NUMBERS),
        )
        return write(element("env:Envelope", header, element("env:Body", body)))


def urn(chance: bytes) -> str:
    """16 bytes as "urn:uuid:…", of version 4."""
    made = bytearray(chance[:16])
    made[6] = made[6] & 0x0F | 0x40
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def matches(request: Request, scopes: Sequence[str]) -> bool:
    """Whether a Probe asks for a device of our types and of ``scopes``."""
    types = request.find("d:Types")
    if types is not None and not _types_match(words(types).split(), request, types):
        return False
    wanted = request.find("d:Scopes")
    if wanted is None:
        return True
    rule = wanted.get("MatchBy", _MATCHING + "rfc3986").rpartition("/")[2]
    asked = words(wanted).split()
    if rule == "none":
        return not asked
    if rule not in ("rfc3986", "strcmp0") or len(asked) > MAX_SCOPES:
        return False
    same = _within if rule == "rfc3986" else str.__eq__
    return all(any(same(scope, own) for own in scopes) for scope in asked)


def _types_match(asked: Sequence[str], request: Request, where: Element) -> bool:
    """Every type that is asked for is one of ours; an undeclared prefix is forgiven, the name alone counts then."""
    known = request.namespaces(where)
    own = {q(name) for name in _TYPES}
    local = {name.partition(":")[2] for name in _TYPES}
    for name in asked:
        prefix, colon, last = name.rpartition(":")
        namespace = known.get(prefix if colon else "")
        if namespace is None:
            if last not in local:
                return False
        elif f"{{{namespace}}}{last}" not in own:
            return False
    return True


def _within(asked: str, own: str) -> bool:
    """RFC 3986 matching: scheme and authority alike without regard to case, and the path's segments begin alike."""
    try:
        one, other = urlsplit(asked), urlsplit(own)
    except ValueError:
        return False
    if (one.scheme.lower(), one.netloc.lower()) != (other.scheme.lower(), other.netloc.lower()):
        return False
    first = [part for part in one.path.split("/") if part]
    second = [part for part in other.path.split("/") if part]
    return not {".", ".."} & {*first, *second} and second[: len(first)] == first
