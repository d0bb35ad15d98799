"""A subscriber: connects to a broker and reports what its topics bring. anyio.

May import this room and ``lpr.protocols.mqtt``.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from lpr.listen.mqtt_report import message_report
from lpr.listen.report import Checks, Report
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, NOT_LET_IN, UNREACHABLE, ListenFailure, Target
from lpr.listen.wire import Wire, connected
from lpr.protocols.mqtt import (
    Answer,
    Client,
    Connack,
    FromBroker,
    Goodbye,
    Identity,
    Message,
    MqttError,
    Suback,
    Version,
)

KEEP_ALIVE = 30
LOOKS = 0.2
"""Looks for a sign of life that is due, in a keep alive."""


async def mqtt(target: Target, filters: Sequence[str], *, version: Version = "5", client: str) -> Source:
    """Subscribe with QoS 1. Raises ListenFailure: not reached, not let in, no right to a filter, or not MQTT."""
    identity = Identity(client, target.user or None, target.password if target.user else None, None, KEEP_ALIVE)
    end = Client(identity, version=version, max_packet=target.limits.message)
    async with connected(target) as wire:
        end.connect()
        subscribed = False
        while True:
            events, failed = await _next(wire, end, target, subscribed)
            for event in events:
                if isinstance(event, Connack):
                    _let_in(event.answer, target, "3.1.1" if version == "5" else "5")
                    _subscribe(end, filters)
                elif isinstance(event, Suback):
                    _granted(event, filters, target)
                    subscribed = True
                elif isinstance(event, Message):
                    yield target.address, message_report(event)
                elif isinstance(event, Goodbye):
                    raise ListenFailure(f"{target.address} has closed: {event.answer.text}", BROKEN)
            if failed is not None:
                checks = Checks("OASIS MQTT")
                checks.add("packet", str(failed), "a packet as the standard says")
                yield target.address, Report("broken", {}, checks.found, counts=False)
                raise ListenFailure(f"{target.address} does not speak MQTT as it should: {failed}", BROKEN)
            if not events:
                return


async def _next(wire: Wire, end: Client, target: Target, subscribed: bool) -> tuple[list[FromBroker], MqttError | None]:
    """The next packets; an empty list when the broker closed."""
    found: list[FromBroker] = []
    while True:
        end.tick()
        answer = end.outgoing()
        if answer:
            await wire.send(answer)
        try:
            found.extend(end.events())
        except MqttError as error:
            return found, error
        if found:
            return found, None
        wait = (end.keep_alive or KEEP_ALIVE) * LOOKS if subscribed else target.limits.connect
        with anyio.move_on_after(wait) as scope:
            data = await wire.receive()
            if not data:
                return [], None
            end.receive(data)
        if scope.cancelled_caught and not subscribed:
            raise ListenFailure(f"{target.address} does not answer within {wait:g} s; is that a broker?", BROKEN)


def _subscribe(end: Client, filters: Sequence[str]) -> None:
    try:
        end.subscribe(filters)
    except ValueError:
        text = f"{', '.join(filters)}: not a filter of topics; # stands at the end, + alone between slashes"
        raise ListenFailure(text, UNREACHABLE) from None


def _let_in(answer: Answer, target: Target, other: Version) -> None:
    if not answer.refused:
        return
    text = f"{target.address}: {answer.text}"
    if answer.is_access:
        raise ListenFailure(f"{text}; correct --user and --password-file", NOT_LET_IN)
    if answer.is_version:
        raise ListenFailure(f"{text}; try --mqtt-version {other}", UNREACHABLE)
    raise ListenFailure(text, BROKEN)


def _granted(found: Suback, filters: Sequence[str], target: Target) -> None:
    for wanted, answer in zip(filters, found.answers, strict=False):
        if answer.refused:
            raise ListenFailure(f"{target.address} does not let us read {wanted}: {answer.text}", NOT_LET_IN)
