"""Base notification: events posted to the addresses that subscribers named, each in its order, at its own pace.

A subscriber may name only what the configuration allows. What waits for one is bounded, its answer is read up to a few
kilobytes and no redirection is followed; TLS is verified. After so many failures in a row it is given up.

Source: WS-BaseNotification 1.3 (Notify), ONVIF Core 9.3. May import aiohttp, anyio, ``lpr.config``, ``lpr.core``,
``lpr.protocols`` and this room. asyncio only.
"""

from __future__ import annotations

import ipaddress
import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import anyio
from anyio.abc import TaskGroup

from lpr.actors.device_http.onvif_events import answers
from lpr.config import OnvifNotify as Settings
from lpr.core.clock import Clock
from lpr.protocols.onvif.soap import CONTENT_TYPE, answer
from lpr.protocols.onvif.tree import element
from lpr.protocols.onvif_events import Message
from lpr.protocols.onvif_metadata import Notification

WAITING = 200
"""Events that wait for one subscriber; the oldest go first."""
AT_ONCE = 20
"""Events in one Notify."""
ANSWER = 65_536
"""Bytes of an answer that are read."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CONSUMER = 256
"""Characters of a subscriber's address in the log."""
SUBSCRIBER = "subscriber"
LOGGER = logging.getLogger("lpr.onvif_events")


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A subscription whose address failed too often. ``consumer``: "http://host:port" of it; ``problem``: the last one;
    ``sent``: events that it took."""

    id: str
    consumer: str
    problem: str
    sent: int


class NotAllowed(ValueError):
    """Events may not be sent there. The text says why."""


class NotifyError(Exception):
    """The section onvif_events.notify can't be used. The text names the problem and the remedy."""


@dataclass(slots=True)
class _Subscriber:
    """``consumer``: where events go; ``manager``: the subscription's own address; ``base``: of pictures' addresses.
    ``sent``: events that it took."""

    id: str
    consumer: str
    manager: str
    base: str
    sent: int = 0
    waiting: deque[Notification] = field(default_factory=lambda: deque(maxlen=WAITING))
    filled: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Notifier:
    """``given_up``: called when a subscription's address failed too often. Raises NotifyError for authorities that
    can't be read and for an address in ``allow`` that is none."""

    def __init__(self, settings: Settings, clock: Clock, given_up: Callable[[GivenUp], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._given_up = given_up
        self._names, self._networks, self._same = _allowed(settings.allow)
        self._tls = _tls(settings.ca_file)
        self._subscribers: dict[str, _Subscriber] = {}
        self._tasks: TaskGroup | None = None
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Send, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
            anyio.create_task_group() as tasks,
        ):
            self._session, self._tasks = session, tasks
            try:
                for subscriber in self._subscribers.values():
                    tasks.start_soon(self._serve, subscriber)
                await anyio.sleep_forever()
            finally:
                self._session = self._tasks = None

    def check(self, consumer: str, remote: str) -> None:
        """Raises NotAllowed unless events may be sent to ``consumer``. ``remote``: the subscriber's own address."""
        try:
            parts = urlsplit(consumer)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host or len(consumer) > 2048:
            raise NotAllowed("The ConsumerReference needs an address with http or https")
        if parts.username is not None or parts.password is not None:
            raise NotAllowed("The ConsumerReference may not carry a password")
        if host.lower() in self._names:
            return
        address = _address(host)
        if address is not None:
            if self._same and address == _address(remote):
                return
            if any(address in network for network in self._networks):
                return
        raise NotAllowed(f"Events may not be sent to {host[:128]}; onvif_events.notify.allow says where to")

    def add(self, id: str, consumer: str, manager: str, base: str) -> None:
        """A subscriber, checked already."""
        made = self._subscribers[id] = _Subscriber(id, consumer, manager, base)
        if self._tasks is not None:
            self._tasks.start_soon(self._serve, made)

    def send(self, id: str, messages: Sequence[Message[Notification]]) -> None:
        """Have these sent to a subscriber."""
        found = self._subscribers.get(id)
        if found is not None and messages:
            found.waiting.extend(message.payload for message in messages)
            found.filled.set()

    def forget(self, id: str) -> None:
        """Nothing more is sent."""
        found = self._subscribers.pop(id, None)
        if found is not None:
            found.scope.cancel()

    async def _serve(self, subscriber: _Subscriber) -> None:
        failures, problem = 0, None
        subscriber.scope = anyio.CancelScope()  # a new one each time, since the server may be started again
        with subscriber.scope:
            while failures < self._settings.attempts:
                if not subscriber.waiting:
                    subscriber.filled = anyio.Event()
                    await subscriber.filled.wait()
                told = [subscriber.waiting.popleft() for _ in range(min(AT_ONCE, len(subscriber.waiting)))]
                problem = await self._post(subscriber, told)
                if problem is None:
                    failures = 0
                    subscriber.sent += len(told)
                    continue
                failures += 1
                LOGGER.info("%s took no events: %s", urlsplit(subscriber.consumer).hostname, problem)
                subscriber.waiting.extendleft(reversed(told[: WAITING - len(subscriber.waiting)]))
                if failures < self._settings.attempts:
                    await self._clock.sleep(min(FIRST_PAUSE * 2.0 ** (failures - 1), LONGEST_PAUSE))
            self._subscribers.pop(subscriber.id, None)
            parts = urlsplit(subscriber.consumer)
            where = f"{parts.scheme}://{parts.netloc}"[:CONSUMER]
            self._given_up(GivenUp(subscriber.id, where, problem or "", subscriber.sent))

    async def _post(self, subscriber: _Subscriber, told: Sequence[Notification]) -> str | None:
        """One Notify; None when it was taken, else what went wrong."""
        reference = element("wsnt:SubscriptionReference", element("wsa:Address", subscriber.manager))
        messages = [answers.notification(one, subscriber.base) for one in told]
        for message in messages:
            message.insert(0, reference)
        body = answer(element("wsnt:Notify", messages), action=f"{answers.BW}/NotificationConsumer/Notify")
        session = self._session
        assert session is not None
        try:
            async with session.post(
                subscriber.consumer,
                data=body,
                headers={"Content-Type": CONTENT_TYPE},
                ssl=self._tls,
                allow_redirects=False,
            ) as response:
                await response.content.read(ANSWER)
                return None if 200 <= response.status < 300 else f"status {response.status}"
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return str(error)[:200] or type(error).__name__


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _allowed(allow: Sequence[str]) -> tuple[frozenset[str], tuple[_Network, ...], bool]:
    """Names, networks, and whether a subscriber's own address is."""
    names: set[str] = set()
    networks: list[_Network] = []
    for one in allow:
        if one == SUBSCRIBER:
            continue
        try:
            networks.append(ipaddress.ip_network(one, strict=False))
        except ValueError:
            if "/" in one or ":" in one or " " in one:
                raise NotifyError(
                    f"onvif_events.notify.allow: {one!r} is no address, network or host name; write for example"
                    ' "192.0.2.0/24", "nvr.example" or "subscriber"'
                ) from None
            names.add(one.lower())
    return frozenset(names), tuple(networks), SUBSCRIBER in allow


def _address(text: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _tls(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is not None and not Path(ca_file).is_file():
        raise NotifyError(f"onvif_events.notify.ca_file: {ca_file} does not exist; give a PEM file of authorities")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as error:
        raise NotifyError(f"onvif_events.notify.ca_file: {ca_file} can't be used ({error}); it must be PEM") from None
