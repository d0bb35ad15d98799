"""Who has subscribed, what waits for whom, and when a subscription ends. Pure: the time and new ids are handed in.

A subscription lives until its termination time; pulling from it, renewing it and having it notified moves that on.
Nothing grows without bound: the number of subscriptions, what waits for each (the oldest goes first and is counted).
When all pull points are taken, one that nobody has pulled from for ``idle`` gives way, since NVRs that were switched
off don't unsubscribe.

Source: ONVIF Core 9.1 (pull points and their life), 9.5.2 (properties), WS-BaseNotification 1.3. Times are
microseconds of a clock that never steps. May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from lpr.events import Micros
from lpr.protocols.onvif_events.filters import Filter, Item, Topic

T = TypeVar("T")
SECOND: Micros = 1_000_000

Kind: TypeAlias = Literal["pull", "push"]
"""A pull point, or base notification: messages are sent to an address."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``pulls``, ``pushes``: subscriptions of each kind at once; ``queue``: messages waiting for one of them; ``idle``:
    seconds after which a pull point that nobody pulls from may give way."""

    pulls: int = 16
    pushes: int = 8
    queue: int = 200
    idle: float = 60.0


@dataclass(frozen=True, slots=True)
class Message(Generic[T]):
    """``items``: what content filters look at; ``payload``: whatever is sent."""

    topic: Topic
    items: tuple[Item, ...]
    payload: T


@dataclass(slots=True)
class Subscription(Generic[T]):
    """``owner``: the account that made it. ``ends``: when it is over. ``lost``: messages that the queue had no room
    for. ``touched``: when somebody last asked something of it."""

    id: str
    kind: Kind
    owner: str
    filter: Filter
    ends: Micros
    touched: Micros
    lost: int = 0
    waiting: deque[Message[T]] = field(default_factory=deque[Message[T]])
    pulling: int = 0


class UnknownSubscription(LookupError):
    """There is no such subscription (any more)."""


class TooManySubscriptions(Exception):
    """No further one can be made now. The text says how many there may be."""


class Subscriptions(Generic[T]):
    """All subscriptions of a device."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: dict[str, Subscription[T]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def create(
        self,
        now: Micros,
        id: str,
        kind: Kind,
        owner: str,
        wanted: Filter,
        seconds: float,
        present: Iterable[Message[T]],
    ) -> Subscription[T]:
        """A new one that lives ``seconds``. ``present``: the properties as they are, which it is told first.

        Raises TooManySubscriptions and ValueError for an id that there is already.
        """
        if id in self._all:
            raise ValueError(f"there is already a subscription {id}")
        self.expire(now)
        most = self._limits.pulls if kind == "pull" else self._limits.pushes
        if sum(one.kind == kind for one in self._all.values()) >= most and not self._make_room(now, kind):
            raise TooManySubscriptions(f"there are {most} subscriptions of this kind already")
        made = Subscription[T](id, kind, owner, wanted, now + round(seconds * SECOND), now)
        self._all[id] = made
        self.tell(made, present)
        return made

    def find(self, now: Micros, id: str, owner: str) -> Subscription[T]:
        """The subscription of that owner. Raises UnknownSubscription."""
        found = self._all.get(id)
        if found is None or found.owner != owner or (found.ends <= now and not found.pulling):
            raise UnknownSubscription(id)
        found.touched = now
        return found

    def get(self, id: str) -> Subscription[T] | None:
        """The subscription, whoever owns it."""
        return self._all.get(id)

    def publish(self, message: Message[T]) -> list[Subscription[T]]:
        """A message for everybody who wants it; gives those."""
        told = [one for one in self._all.values() if one.filter.wants(message.topic, message.items)]
        for one in told:
            self._append(one, message)
        return told

    def tell(self, subscription: Subscription[T], messages: Iterable[Message[T]]) -> None:
        """Messages for one alone, as far as it wants them (properties, at a synchronization point)."""
        for message in messages:
            if subscription.filter.wants(message.topic, message.items):
                self._append(subscription, message)

    def take(self, subscription: Subscription[T], most: int) -> list[Message[T]]:
        """What waits, oldest first."""
        count = min(max(most, 0), len(subscription.waiting))
        return [subscription.waiting.popleft() for _ in range(count)]

    def prolong(self, now: Micros, subscription: Subscription[T], seconds: float, *, shorten: bool = False) -> None:
        """It lives at least (``shorten``: exactly) ``seconds`` more."""
        ends = now + round(seconds * SECOND)
        subscription.ends = ends if shorten else max(ends, subscription.ends)
        subscription.touched = now

    def remove(self, subscription: Subscription[T]) -> None:
        """It is over."""
        self._all.pop(subscription.id, None)

    def expire(self, now: Micros) -> list[Subscription[T]]:
        """Those whose time is over; they are gone then. One that somebody waits at stays until he has his answer."""
        over = [one for one in self._all.values() if one.ends <= now and not one.pulling]
        for one in over:
            del self._all[one.id]
        return over

    @property
    def due(self) -> Micros | None:
        """When the next one is over."""
        return min((one.ends for one in self._all.values() if not one.pulling), default=None)

    def _append(self, subscription: Subscription[T], message: Message[T]) -> None:
        if len(subscription.waiting) >= self._limits.queue:
            subscription.waiting.popleft()
            subscription.lost += 1
        subscription.waiting.append(message)

    def _make_room(self, now: Micros, kind: Kind) -> bool:
        idle = [
            one
            for one in self._all.values()
            if one.kind == kind == "pull" and not one.pulling and now - one.touched >= self._limits.idle * SECOND
        ]
        if not idle:
            return False
        del self._all[min(idle, key=lambda one: one.touched).id]
        return True
