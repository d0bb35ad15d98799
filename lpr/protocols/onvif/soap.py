"""SOAP 1.2 as ONVIF uses it: a request's bytes in, an answer's or a fault's bytes out. Sans-IO.

``parse`` gives a Request: its one body element, its headers, who asks (WS-Security, not yet checked) and what
WS-Addressing says. ``answer`` wraps a body element, ``Fault`` is raised by whoever can't answer, ``refuse`` writes it.
Source: SOAP 1.2 part 1, WS-Addressing 1.0, ONVIF Core 5 (faults, their HTTP status) and 9. May import this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.names import NAMESPACES, q, split
from lpr.protocols.onvif.tree import Document, Limits, XmlError, element, words, write
from lpr.protocols.onvif.tree import parse as parse_xml

CONTENT_TYPE = "application/soap+xml; charset=utf-8"
"""Of every answer."""

Side: TypeAlias = Literal["Sender", "Receiver", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown"]

_ENVELOPE = q("env:Envelope")
_UNDERSTOOD = frozenset({NAMESPACES["wsse"], NAMESPACES["wsa"], NAMESPACES["a"]})
_MAX_ID = 512


class Fault(Exception):
    """What a request is refused with. ``subcodes``: qualified names, outer first ("ter:InvalidArgVal",
    "ter:NoProfile"). ``reason``: for people. ``detail``: elements. ``action``: WS-Addressing's, where it isn't the
    usual one. ``status``: HTTP's; 400 for the sender's faults and 500 for ours unless said otherwise."""

    def __init__(
        self,
        side: Side,
        *subcodes: str,
        reason: str,
        detail: Sequence[Element] = (),
        action: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.side: Side = side
        self.subcodes = subcodes
        self.reason = reason
        self.detail = tuple(detail)
        self.action = action
        self.status = (500 if side == "Receiver" else 400) if status is None else status


@dataclass(frozen=True, slots=True)
class Token:
    """A WS-Security UsernameToken, as sent. ``kind``: the password's type, its part behind "#"."""

    user: str
    password: str = field(repr=False)
    kind: str
    nonce: str
    created: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``body``: the one element in the body, ``namespace`` and ``operation`` its name. ``headers``: the
    header's elements. ``token``: who asks, unchecked. ``message_id``, ``action``, ``to``: WS-Addressing's, "" where not
    given."""

    body: Element
    namespace: str
    operation: str
    document: Document = field(repr=False)
    headers: tuple[Element, ...] = ()
    token: Token | None = None
    message_id: str = ""
    action: str = ""
    to: str = ""

    def namespaces(self, element: Element) -> Mapping[str, str]:
        """The prefixes that hold at ``element``, one of this request."""
        return self.document.namespaces(element)

    def value(self, *names: str) -> str:
        """The text at a path of qualified names below the body element ("trt:StreamSetup", "tt:Stream"); "" where
        there is none."""
        return words(self.find(*names))

    def find(self, *names: str) -> Element | None:
        """The first element at a path below the body element. Where none is in the right namespace, one of the right
        name in another is taken: some NVRs are careless there."""
        found: Element | None = self.body
        for name in names:
            if found is None:
                return None
            right = found.find(q(name))
            if right is None:
                wanted = name.partition(":")[2]
                right = next((child for child in found if split(child.tag)[1] == wanted), None)
            found = right
        return found

    def all(self, name: str) -> list[Element]:
        """Every child of that name of the body element."""
        return self.body.findall(q(name))


def parse(data: bytes, limits: Limits | None = None) -> Request:
    """The request in ``data``. Raises Fault, which ``refuse`` can write without a request."""
    try:
        document = parse_xml(data, limits)
    except XmlError as error:
        raise Fault("Sender", "ter:WellFormed", reason=f"Not a request: {error}") from None
    root = document.root
    if root.tag != _ENVELOPE:
        if split(root.tag)[1] == "Envelope":
            raise Fault("VersionMismatch", reason="SOAP 1.2 is spoken here")
        raise Fault("Sender", "ter:WellFormed", reason="Not a SOAP envelope")
    body = root.find(q("env:Body"))
    if body is None or len(body) != 1:
        raise Fault("Sender", "ter:WellFormed", reason="A request has one element in its body")
    header = root.find(q("env:Header"))
    headers = () if header is None else tuple(header)
    for entry in headers:
        if entry.get(q("env:mustUnderstand"), "").strip() in ("1", "true") and split(entry.tag)[0] not in _UNDERSTOOD:
            raise Fault("MustUnderstand", reason=f"The header {split(entry.tag)[1][:64]} is not understood")
    namespace, operation = split(body[0].tag)
    found = dict.fromkeys(("MessageID", "Action", "To"), "")
    for name in found:
        for prefix in ("wsa", "a"):
            if header is not None and (entry := header.find(q(f"{prefix}:{name}"))) is not None:
                found[name] = words(entry)[:_MAX_ID]
    return Request(
        body=body[0],
        namespace=namespace,
        operation=operation,
        document=document,
        headers=headers,
        token=_token(header),
        message_id=found["MessageID"],
        action=found["Action"],
        to=found["To"],
    )


def _token(header: Element | None) -> Token | None:
    security = None if header is None else header.find(q("wsse:Security"))
    given = None if security is None else security.find(q("wsse:UsernameToken"))
    if given is None:
        return None
    password = given.find(q("wsse:Password"))
    kind = "" if password is None else password.get("Type", "PasswordText")
    return Token(
        user=words(given.find(q("wsse:Username"))),
        password=words(password),
        kind=kind.rpartition("#")[2],
        nonce=words(given.find(q("wsse:Nonce"))),
        created=words(given.find(q("wsu:Created"))),
    )


def answer(body: Element, request: Request | None = None, action: str | None = None) -> bytes:
    """The envelope around ``body``. ``action``: of WS-Addressing, the body element's name unless given; it is written
    when ``request`` (what is answered) speaks WS-Addressing, or when it is given."""
    namespace, name = split(body.tag)
    return _envelope(body, request, action, f"{namespace}/{name}")


def refuse(fault: Fault, request: Request | None = None) -> bytes:
    """The envelope with the fault."""
    code = element("env:Value", f"env:{fault.side}")
    inner: Element | None = None
    for name in reversed(fault.subcodes):
        inner = element("env:Subcode", element("env:Value", name), inner)
    body = element(
        "env:Fault",
        element("env:Code", code, inner),
        element("env:Reason", element("env:Text", fault.reason, xml__lang="en")),
        element("env:Detail", fault.detail) if fault.detail else None,
    )
    return _envelope(body, request, fault.action, f"{NAMESPACES['wsa']}/soap/fault")


def _envelope(body: Element, request: Request | None, action: str | None, usual: str) -> bytes:
    addressed = request is not None and bool(request.message_id or request.action)
    header = None
    if addressed or action is not None:
        relates = None
        if request is not None and request.message_id:
            relates = element("wsa:RelatesTo", request.message_id)
        header = element("env:Header", element("wsa:Action", action or usual), relates)
    return write(element("env:Envelope", header, element("env:Body", body)))
