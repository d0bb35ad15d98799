"""A subscriber: connects to a broker, acknowledges and reports what its topics bring. anyio.

May import this room and the codec.
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
    Client,
    Connack,
    FromBroker,
    Goodbye,
    Identity,
    Message,
    MqttError,
    Suback,
    Version,
    is_access,
    is_version,
    meaning,
    pingreq,
)

KEEP_ALIVE = 30


async def mqtt(target: Target, filters: Sequence[str], *, version: Version = "5", client: str) -> Source:
    """Subscribe with QoS 1. Raises ListenFailure: not reached, not let in, no right to a filter, or not MQTT."""
    identity = Identity(client, target.user or None, target.password if target.user else None, None, KEEP_ALIVE)
    end = Client(identity, version=version, max_packet=target.limits.message)
    async with connected(target) as wire:
        await wire.send(end.connect())
        subscribed = False
        while True:
            events, failed = await _next(wire, end, target, subscribed)
            for event in events:
                if isinstance(event, Connack):
                    _let_in(event, target)
                    await wire.send(end.subscribe([(one, 1) for one in filters])[0])
                elif isinstance(event, Suback):
                    _granted(event, filters, target)
                    subscribed = True
                elif isinstance(event, Message):
                    await wire.send(end.acknowledge(event))
                    yield target.address, message_report(event)
                elif isinstance(event, Goodbye):
                    raise ListenFailure(f"{target.address} has closed: {meaning(event.code)} {event.reason}", BROKEN)
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
        try:
            found.extend(end.events())
        except MqttError as error:
            return found, error
        if found:
            return found, None
        wait = end.keep_alive / 2 if subscribed and end.keep_alive else target.limits.connect
        with anyio.move_on_after(wait) as scope:
            data = await wire.receive()
            if not data:
                return [], None
            end.receive(data)
        if scope.cancelled_caught:
            if not subscribed:
                raise ListenFailure(f"{target.address} does not answer within {wait:g} s; is that a broker?", BROKEN)
            await wire.send(pingreq())


def _let_in(answer: Connack, target: Target) -> None:
    if not answer.code:
        return
    text = f"{target.address}: {meaning(answer.code)}"
    if is_access(answer.code):
        raise ListenFailure(f"{text}; correct --user and --password-file", NOT_LET_IN)
    if is_version(answer.code):
        raise ListenFailure(f"{text}; try --mqtt-version 3.1.1", UNREACHABLE)
    raise ListenFailure(text, BROKEN)


def _granted(answer: Suback, filters: Sequence[str], target: Target) -> None:
    for wanted, code in zip(filters, answer.codes, strict=False):
        if code >= 0x80:
            raise ListenFailure(f"{target.address} does not let us read {wanted}: {meaning(code)}", NOT_LET_IN)
