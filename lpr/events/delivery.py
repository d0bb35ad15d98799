"""Deliveries: one passage to one sink, with its attempts.

Imports ``base``.
"""

from __future__ import annotations

from lpr.events.base import Event, Micros


class Delivered(Event, frozen=True, kw_only=True):
    """``sink`` has the passage. ``record``: sequence number of its PassageSigned record."""

    sink: str
    passage: str
    record: int
    attempt: int
    answer: str = ""


class DeliveryFailed(Event, frozen=True, kw_only=True):
    """The sink is unavailable; the whole sink waits until ``retry_at``."""

    sink: str
    passage: str
    record: int
    attempt: int
    reason: str
    retry_at: Micros


class DeliveryParked(Event, frozen=True, kw_only=True):
    """The sink refused this passage for good; others go on. It can be sent again on request."""

    sink: str
    passage: str
    record: int
    attempt: int
    reason: str


class DeliveryRequested(Event, frozen=True, kw_only=True):
    """Somebody asked to send a parked (or any) passage to ``sink`` again."""

    sink: str
    passage: str
    record: int
    by: str


EVENTS: tuple[type[Event], ...] = (
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
)
