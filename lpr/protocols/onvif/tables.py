"""All services of the device together. May import this room."""

from __future__ import annotations

from collections.abc import Sequence

from lpr.protocols.onvif.analytics import analytics_service
from lpr.protocols.onvif.device import device_service
from lpr.protocols.onvif.device_io import device_io_service
from lpr.protocols.onvif.imaging import imaging_service
from lpr.protocols.onvif.media import media_service
from lpr.protocols.onvif.media2 import media2_service
from lpr.protocols.onvif.model import World
from lpr.protocols.onvif.operations import Service


def services_of(world: World, further: Sequence[Service] = ()) -> tuple[Service, ...]:
    """Every service, the device service first. ``further``: those that others make (events)."""
    found: list[Service] = []
    found.append(device_service(world, lambda: tuple(found)))
    found += [media_service(world), media2_service(world), *further]
    found += [analytics_service(world), imaging_service(world), device_io_service(world)]
    return tuple(found)
