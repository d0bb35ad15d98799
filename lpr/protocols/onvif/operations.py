"""What an operation is, who may call it, and what a call brings along. A service is a table of operations.

A handler is given a Call and returns the element of its answer, or a Reply when something changed, or raises a Fault.
Handlers of this room are plain functions; a handler that has to wait (events) may be a coroutine function.
Source: ONVIF Core 5.12.1 (access classes, default access policy), each service specification (class of each operation).
May import this room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.names import NAMESPACES, PREFIXES
from lpr.protocols.onvif.soap import Fault, Request

Access: TypeAlias = Literal[
    "PRE_AUTH",
    "READ_SYSTEM",
    "READ_SYSTEM_SENSITIVE",
    "READ_SYSTEM_SECRET",
    "WRITE_SYSTEM",
    "UNRECOVERABLE",
    "READ_MEDIA",
    "ACTUATE",
]
Level: TypeAlias = Literal["user", "operator", "administrator"]

NEEDED: Mapping[Access, Level | None] = {
    "PRE_AUTH": None,
    "READ_SYSTEM": "user",
    "READ_MEDIA": "user",
    "READ_SYSTEM_SENSITIVE": "operator",
    "ACTUATE": "operator",
    "READ_SYSTEM_SECRET": "administrator",
    "WRITE_SYSTEM": "administrator",
    "UNRECOVERABLE": "administrator",
}
"""The level that a class of access needs; None: nobody has to log in."""

_ORDER: tuple[Level, ...] = ("user", "operator", "administrator")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``base``: scheme, host and port under which the caller reached us ("http://192.0.2.7:8000"), for the
    addresses in answers; ``host``: its host alone. ``path``: of the request. ``now``: wall time in µs. ``user``: who
    has logged in, None before; ``level``: what he may do. ``gone``: whether the caller has closed the connection, for
    handlers that have waited."""

    request: Request
    base: str
    host: str
    path: str
    now: int
    remote: str = ""
    user: str | None = None
    level: Level | None = None
    gone: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with more to it. ``action``: WS-Addressing's, where it isn't the usual. ``change``: what is to be kept
    for good before the answer goes out; what it is, is between the handler and the one who wires it."""

    body: Element
    action: str | None = None
    change: object | None = None


Handler: TypeAlias = "Callable[[Call], Element[str] | Reply | Awaitable[Element[str] | Reply]]"


@dataclass(frozen=True, slots=True)
class Operation:
    """``name``: of the request's element. ``handler``: None for one that is known and not there: it is refused with
    ter:ActionNotSupported, and ``why`` says why, in the answer and in the docs. With a handler, ``why`` says what it
    does not do; it begins with "refused" where that is everything."""

    name: str
    access: Access
    handler: Handler | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """``prefix``: of its namespace; ``path``: where it is mounted; ``version``: major, minor. ``capabilities``: its
    capabilities element, which GetServices includes. ``also``: prefixes of further namespaces whose operations it
    answers (wsnt for base notification); an operation of those is named with its prefix: "wsnt:Renew"."""

    prefix: str
    path: str
    operations: tuple[Operation, ...]
    version: tuple[int, int] = (2, 60)
    capabilities: Callable[[], Element] | None = None
    also: tuple[str, ...] = ()
    announced: bool = True

    @property
    def namespace(self) -> str:
        return NAMESPACES[self.prefix]


@dataclass(frozen=True, slots=True)
class Table:
    """Every service of a device, by namespace and operation. Operations are found wherever they are sent to, since NVRs
    send everything to the device service's address."""

    services: tuple[Service, ...]
    _found: Mapping[tuple[str, str], Operation] = field(repr=False)
    _namespaces: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, services: Iterable[Service]) -> Table:
        """Raises ValueError for an operation that two services have."""
        kept = tuple(services)
        found: dict[tuple[str, str], Operation] = {}
        namespaces: set[str] = set()
        for service in kept:
            namespaces |= {service.namespace, *(NAMESPACES[prefix] for prefix in service.also)}
            for operation in service.operations:
                prefix, colon, name = operation.name.rpartition(":")
                key = (NAMESPACES[prefix] if colon else service.namespace, name)
                if key in found:
                    raise ValueError(f"the operation {operation.name} is there twice")
                found[key] = operation
        return cls(kept, found, frozenset(namespaces))

    def find(self, request: Request) -> Operation:
        """The operation that a request names. Raises Fault for one that is not known here."""
        found = self._found.get((request.namespace, request.operation))
        if found is not None:
            return found
        if request.namespace in self._namespaces:
            raise not_supported(f"The operation {request.operation[:64]} is not known here")
        what = PREFIXES.get(request.namespace, request.namespace[:128] or "none")
        raise not_supported(f"There is no service of the namespace {what} here")


def permit(operation: Operation, level: Level | None) -> None:
    """Raises Fault (ter:NotAuthorized) when ``level`` (None: not logged in) may not call ``operation``."""
    needed = NEEDED[operation.access]
    if needed is None:
        return
    if level is None:
        raise not_authorized("Log in", status=401)
    if _ORDER.index(level) < _ORDER.index(needed):
        raise not_authorized(f"This needs an account of the level {needed}")


def not_authorized(reason: str, status: int = 400) -> Fault:
    """ONVIF's refusal of a caller. ``status``: 401 when he may try again with HTTP Digest."""
    return Fault("Sender", "ter:NotAuthorized", reason=reason, status=status)


def not_supported(reason: str) -> Fault:
    """The operation is not there."""
    return Fault("Receiver", "ter:ActionNotSupported", reason=reason)


def invalid(subcode: str, reason: str) -> Fault:
    """An argument that can't be: ``subcode`` such as "ter:NoProfile"."""
    return Fault("Sender", "ter:InvalidArgVal", subcode, reason=reason)
