"""What is signed, kept and how: signatures, retention, the event log. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lpr.config.base import NotNegative, Positive, Section


class Sign(Section, frozen=True, kw_only=True):
    """Signed JPEGs (VTR600 manual: Digital signature). ``key_file``: PEM or P12; without it a key is made."""

    enabled: bool = True
    key_file: str | None = None
    key_password_file: str | None = None
    key_bits: Literal[1024, 2048, 4096] = 2048
    device: Annotated[str, Meta(max_length=64, description="name of the equipment in the comment")] = "lpr"
    utc_offset: Annotated[str, Meta(pattern=r"^[+-]\d{2}:\d{2}$", description="local time in comments and pushes")] = (
        "+00:00"
    )
    country_codes: dict[str, int] = msgspec.field(default_factory=lambda: {"BR": 55})
    plate_colour_codes: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class Retention(Section, frozen=True, kw_only=True):
    """What is kept. 0 days: for ever."""

    days: NotNegative = 30.0
    max_pictures_mb: Annotated[int, Meta(ge=0, description="0: no limit")] = 0
    every: Positive = 3600.0
    audit_days: NotNegative = 365.0


class Log(Section, frozen=True, kw_only=True):
    """The event log. ``checkpoint_every``: seconds between signed checkpoints of the chain."""

    batch: Annotated[int, Meta(ge=1, le=10000, description="events in one transaction at most")] = 256
    queue: Annotated[int, Meta(ge=1, description="events waiting to be written before sources wait")] = 4096
    ring: Annotated[int, Meta(ge=0, description="recent records kept in memory")] = 2048
    busy_timeout: NotNegative = 5.0
    checkpoint_every: Positive = 3600.0
    baseline_every: Annotated[int, Meta(ge=100, description="input records between two baselines of an actor")] = 5000
    min_free_mb: Annotated[int, Meta(ge=0, description="below this free space captures stop, with a message")] = 100
