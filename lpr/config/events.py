"""Events for ONVIF's clients: pull points, and base notification where that is allowed. May import this room."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lpr.config.base import Count, Positive, Section


class OnvifNotify(Section, frozen=True, kw_only=True):
    """Base notification: events are posted to an address that the subscriber names. ``allow``: which addresses may be
    named: host names, addresses and networks ("192.0.2.0/24"), and "subscriber" for the subscriber's own address; any
    other is refused, since a device that posts wherever it is told to is of use to attackers.

    ``ca_file``: PEM, for receivers with https; none: the system's authorities. ``attempts``: failed deliveries in a row
    after which a subscription ends.
    """

    allow: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...], Meta(min_length=1, max_length=64)]
    ca_file: str | None = None
    max_subscriptions: Annotated[int, Meta(ge=1, le=64)] = 8
    timeout: Positive = 5.0
    attempts: Annotated[int, Meta(ge=1, le=100)] = 5


class OnvifEvents(Section, frozen=True, kw_only=True):
    """The events service of ONVIF. ``queue``: events that wait for one subscriber; the oldest go first. ``idle``: a
    pull point that nobody asks for so long gives way when all are taken. ``life``, ``longest_life``: of a subscription
    unless it asks for one, and at most. ``max_timeout``: how long one question for events may wait for them.

    ``vehicles``: "a vehicle is in view" is told as the property that Home Assistant knows, ``motion``: also as the
    motion alarm by which NVRs record; ``keep``: seconds without a vehicle after which there is none. ``notify``: base
    notification, off without this section.
    """

    max_pull_points: Annotated[int, Meta(ge=2, le=256)] = 16
    queue: Count = 200
    idle: Positive = 60.0
    life: Annotated[float, Meta(ge=10)] = 60.0
    longest_life: Annotated[float, Meta(ge=60)] = 86_400.0
    max_timeout: Annotated[float, Meta(ge=60, le=3600)] = 300.0
    max_messages: Count = 100
    vehicles: bool = True
    motion: bool = True
    keep: Positive = 2.0
    notify: OnvifNotify | None = None
