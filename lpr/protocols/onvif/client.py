"""A client's side of ONVIF's events: requests with a signed token, answers and faults read. Sans-IO and pure.

Time, nonces and message ids are handed in. Sources: ONVIF Core Specification (event handling, "Real-time Pull-Point
Notification Interface"; authentication), OASIS WS-UsernameToken Profile 1.0, WS-Addressing 1.0 (reference parameters).
May import this room.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.names import NAMESPACES, local, q, split
from lpr.protocols.onvif.security import digest
from lpr.protocols.onvif.tree import Limits, XmlError, element, parse, words, write

TEV = NAMESPACES["tev"]
BW = "http://docs.oasis-open.org/wsn/bw-2"
ACTIONS = {
    "CreatePullPointSubscription": f"{TEV}/EventPortType/CreatePullPointSubscriptionRequest",
    "PullMessages": f"{TEV}/PullPointSubscription/PullMessagesRequest",
    "SetSynchronizationPoint": f"{TEV}/PullPointSubscription/SetSynchronizationPointRequest",
    "Renew": f"{BW}/SubscriptionManager/RenewRequest",
    "Unsubscribe": f"{BW}/SubscriptionManager/UnsubscribeRequest",
}
"""WS-Addressing's action of each operation of a subscription."""
DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
MAX_ANSWER = 4 * 1024 * 1024


class AnswerError(Exception):
    """What came is no answer in SOAP. The text says what it is."""


class RemoteFault(Exception):
    """The camera refused. ``codes``: its code and subcodes, local names; ``reason``: its words."""

    def __init__(self, codes: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{' / '.join(codes)}: {reason}" if reason else " / ".join(codes))
        self.codes = codes
        self.reason = reason

    @property
    def is_access(self) -> bool:
        """Whether it is about who asks."""
        return any(code in ("NotAuthorized", "FailedAuthentication", "InvalidSecurity") for code in self.codes)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who asks. ``offset``: seconds that the camera's clock is ahead of ours, for the token's time."""

    user: str
    password: str
    offset: float = 0.0

    def __repr__(self) -> str:
        return f"Signer({self.user!r})"

    def token(self, nonce: bytes, wall: int) -> Element:
        """wsse:Security for one request. ``wall``: our time, µs."""
        at = datetime.fromtimestamp(wall / 1_000_000 + self.offset, UTC)
        created = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        made = element(
            "wsse:UsernameToken",
            element("wsse:Username", self.user),
            element("wsse:Password", digest(nonce, created, self.password), Type=DIGEST),
            element("wsse:Nonce", base64.b64encode(nonce).decode(), EncodingType=BASE64),
            element("wsu:Created", created),
        )
        return element("wsse:Security", made, env__mustUnderstand="true")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A pull point. ``address``: where it is asked; ``parameters``: elements that every request has to carry."""

    address: str
    parameters: tuple[Element, ...]
    current: str
    termination: str


def request(
    body: Element,
    *,
    security: Element | None = None,
    action: str = "",
    to: str = "",
    message_id: str = "",
    parameters: Iterable[Element] = (),
) -> bytes:
    """The envelope. With ``action`` it speaks WS-Addressing, ``parameters`` are those of the subscription."""
    headers: list[Element] = []
    if action:
        headers.append(element("wsa:Action", action))
        if message_id:
            headers.append(element("wsa:MessageID", message_id))
        headers.append(element("wsa:ReplyTo", element("wsa:Address", f"{NAMESPACES['wsa']}/anonymous")))
        if to:
            headers.append(element("wsa:To", to))
        headers += parameters
    if security is not None:
        headers.append(security)
    head = element("env:Header", headers) if headers else None
    return write(element("env:Envelope", head, element("env:Body", body)))


def read_answer(data: bytes) -> Element:
    """The body's element. Raises AnswerError, and RemoteFault for a fault."""
    try:
        root = parse(data, Limits(size=MAX_ANSWER, elements=100_000)).root
    except XmlError as error:
        raise AnswerError(f"no XML that can be read: {error}") from None
    if local(root.tag) != "Envelope":
        raise AnswerError(f"{local(root.tag)} instead of a SOAP envelope")
    body = next((child for child in root if local(child.tag) == "Body"), None)
    if body is None or len(body) == 0:
        raise AnswerError("an envelope with nothing in its body")
    if local(body[0].tag) == "Fault":
        raise _fault(body[0])
    return body[0]


def _fault(fault: Element) -> RemoteFault:
    codes = [words(one).rpartition(":")[2] for one in fault.iter() if local(one.tag) in ("Value", "faultcode")]
    reasons = [words(one) for one in fault.iter() if local(one.tag) in ("Text", "faultstring")]
    return RemoteFault(tuple(codes[:8]) or ("Fault",), (reasons[0] if reasons else "")[:300])


def get_system_date_and_time() -> Element:
    """tds:GetSystemDateAndTime: nobody has to say who asks."""
    return element("tds:GetSystemDateAndTime")


def get_services() -> Element:
    """tds:GetServices."""
    return element("tds:GetServices", element("tds:IncludeCapability", False))


def get_capabilities() -> Element:
    """tds:GetCapabilities of events, for devices without GetServices."""
    return element("tds:GetCapabilities", element("tds:Category", "All"))


def create_pull_point(seconds: int) -> Element:
    """tev:CreatePullPointSubscription without a filter, for so long."""
    return element("tev:CreatePullPointSubscription", element("tev:InitialTerminationTime", f"PT{seconds}S"))


def pull_messages(seconds: int, limit: int) -> Element:
    """tev:PullMessages."""
    return element("tev:PullMessages", element("tev:Timeout", f"PT{seconds}S"), element("tev:MessageLimit", limit))


def set_synchronization_point() -> Element:
    """tev:SetSynchronizationPoint: the state of every property, please."""
    return element("tev:SetSynchronizationPoint")


def renew(seconds: int) -> Element:
    """wsnt:Renew."""
    return element("wsnt:Renew", element("wsnt:TerminationTime", f"PT{seconds}S"))


def unsubscribe() -> Element:
    """wsnt:Unsubscribe."""
    return element("wsnt:Unsubscribe")


def device_time(answer: Element) -> int | None:
    """The camera's UTC in µs since 1970; None when it does not say it."""
    found = next((one for one in answer.iter() if local(one.tag) == "UTCDateTime"), None)
    if found is None:
        return None
    values = {local(one.tag): words(one) for one in found.iter()}
    try:
        year, month, day, hour, minute, second = (
            int(values[name]) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
        )
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (KeyError, ValueError, OverflowError):
        return None
    return round(at.timestamp() * 1_000_000)


def event_address(answer: Element) -> str:
    """The events service's address in the answer to GetServices or GetCapabilities; "" when there is none."""
    for service in answer.iter():
        values = {local(one.tag): words(one) for one in service}
        if local(service.tag) == "Service" and values.get("Namespace") == TEV:
            return values.get("XAddr", "")
        if local(service.tag) == "Events" and "XAddr" in values:
            return values["XAddr"]
    return ""


def subscription(answer: Element) -> Subscription:
    """What CreatePullPointSubscription gave. Raises AnswerError without an address."""
    found = next((one for one in answer if local(one.tag) == "SubscriptionReference"), None)
    address = next((words(one) for one in found.iter() if local(one.tag) == "Address"), "") if found is not None else ""
    if found is None or not address:
        raise AnswerError("a subscription without an address (SubscriptionReference/Address)")
    held = next((one for one in found if local(one.tag) == "ReferenceParameters"), None)
    parameters = tuple(held) if held is not None else ()
    for parameter in parameters:
        parameter.set(q("wsa:IsReferenceParameter"), "true")
    return Subscription(address, parameters, _child(answer, "CurrentTime"), _child(answer, "TerminationTime"))


def messages(answer: Element) -> tuple[str, str, list[Element]]:
    """(CurrentTime, TerminationTime, the notifications) of an answer to PullMessages."""
    found = [one for one in answer if local(one.tag) == "NotificationMessage"]
    return _child(answer, "CurrentTime"), _child(answer, "TerminationTime"), found


def _child(node: Element, name: str) -> str:
    return next((words(one) for one in node if local(one.tag) == name), "")


def operation_of(body: Element) -> tuple[str, str]:
    """(namespace, name) of an answer's element."""
    return split(body.tag)
