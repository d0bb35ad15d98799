"""What the web room is given. The service fills a ``WebContext``; nothing here reaches out for anything else.

May import ``lpr.core``, ``lpr.config``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lpr.config import Config
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.http.guard import Bounds
from lpr.web.status import ServiceStatus
from lpr.web.users import UserStore


@dataclass(frozen=True)
class WebContext:
    """``views``: camera name -> its LiveView; ``status``: asked at each call; ``catalogue``: path of passages.db;
    ``bounds``: limits that the configuration file doesn't name."""

    log: EventLog
    blobs: BlobStore
    clock: Clock
    config: Config
    users: UserStore
    views: Mapping[str, LiveView]
    status: Callable[[], Awaitable[ServiceStatus]]
    catalogue: Path
    bounds: Bounds = field(default_factory=Bounds)
