"""The ONVIF services with their events, and WS-Discovery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib import metadata

from lpr.actors.device_http import Part
from lpr.actors.device_http.onvif import Memory, OnvifPart, StreamEncoders, device_of, interfaces_of, streams_of
from lpr.actors.device_http.onvif_events import EventsService, NotifyError, brokers_of
from lpr.actors.discovery import Discovery
from lpr.config import DeviceHttp as DeviceHttpSettings
from lpr.config import Onvif
from lpr.preparing import StartError
from lpr.protocols.onvif.device import PATH as DEVICE_PATH
from lpr.protocols.onvif.device_scopes import all_scopes
from lpr.protocols.onvif.discovery import Shown
from lpr.protocols.onvif.model import Analytics, Once, Ports, Stream, World
from lpr.protocols.onvif.model import Source as CameraSource
from lpr.protocols.onvif_metadata import analytics_of, camera_tokens
from lpr.wiring.live import Live
from lpr.wiring.tools import Tools


def onvif_parts(
    tools: Tools, settings: Onvif, http: DeviceHttpSettings, live: Live, ports: Callable[[], Ports]
) -> tuple[Sequence[Part], Sequence[Discovery]]:
    """The ONVIF services with their events, and WS-Discovery where it is asked for. Raises NoInterfaceError."""
    config, clock, log = tools.config, tools.clock, tools.log
    device = device_of(
        settings,
        config,
        log_id=log.log_id,
        version=metadata.version("lpr"),
        accounts=tools.accounts,
        ports=ports,
    )
    memory = Memory(log)

    streams = Once(lambda: streams_of(config, live.room, tools.views, changeable=settings.change_streams))

    @lru_cache(maxsize=32)
    def shown_analytics(source: CameraSource) -> Analytics:
        camera = config.cameras[source.number]
        told = analytics_of(camera_tokens(source.number), region=camera.trigger.region)
        return Analytics(told.modules, told.rules, told.module_descriptions, told.rule_descriptions, told.samples)

    def key_frame(stream: Stream) -> None:
        shown = live.room.presentation(stream.name)
        for track in () if shown is None else shown.streams:
            track.request_key_frame()

    async def snapshot(stream: Stream) -> bytes:
        return await live.room.snapshot(stream.source.name, stream.width)

    world = World(device, streams, lambda: memory.added, shown_analytics, key_frame, streams.forget)
    try:
        emit = partial(log.append, actor="onvif_events")
        events = EventsService(config.onvif_events, live.plates, clock, brokers=brokers_of(config.mqtt), emit=emit)
    except NotifyError as error:
        raise StartError(str(error)) from None
    part = OnvifPart(
        settings,
        world,
        memory,
        clock=clock,
        snapshot=snapshot,
        further=(events.service(),),
        encoders=StreamEncoders(live.room, config.rtsp.streams) if settings.change_streams and config.rtsp else None,
        configured=events.configured,
        max_body=http.max_body,
        read_timeout=http.request_timeout,
    )
    parts: Sequence[Part] = (part, events)
    if not settings.discovery:
        return parts, ()

    def address(own: str) -> str:
        now = ports()
        scheme, port = ("http", now.http) if now.http is not None else ("https", now.https)
        return f"{scheme}://{http.address or own}:{port}{DEVICE_PATH}"

    discovery = Discovery(
        interfaces_of(settings, http),
        endpoint=device.endpoint,
        shown=lambda: Shown(tuple(all_scopes(world)), memory.version, memory.added.discoverable),
        address=address,
        changes=memory,
        clock=clock,
        rate=settings.answers,
    )
    return parts, (discovery,)
