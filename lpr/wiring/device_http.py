"""The device's HTTP server and what it answers as: pictures, Milesight's pull API, Pumatronix, ONVIF."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from lpr.actors.device_http import DeviceHttp, Part
from lpr.actors.device_http.milesight import Facts, MilesightPull
from lpr.actors.device_http.pictures import PictureRing
from lpr.actors.device_http.pumatronix import Pictures, PumatronixCamera, PumatronixPart, Triggers, shown_settings
from lpr.actors.discovery import Discovery
from lpr.actors.rtsp_server import RtspServer
from lpr.actors.signer import offset_minutes
from lpr.config import DeviceHttp as DeviceHttpSettings
from lpr.core.interfaces import NoInterfaceError
from lpr.media.live import LiveRoom
from lpr.preparing import StartError
from lpr.protocols.onvif.model import Ports
from lpr.wiring.live import Live
from lpr.wiring.onvif import onvif_parts
from lpr.wiring.tools import Tools, lane_numbers


def device_http(tools: Tools, live: Live | tuple[()], rtsp: Sequence[RtspServer]) -> Sequence[DeviceHttp | Discovery]:
    """The device's HTTP server with all its parts, and WS-Discovery, which tells where it is. Raises StartError."""
    settings, onvif = tools.config.device_http, tools.config.onvif
    if onvif is not None and (settings is None or not live):
        raise StartError("onvif: it needs [device_http] and [rtsp]; add them, or take [onvif] away")
    if settings is None:
        return ()
    ring = PictureRing(tools.log, tools.blobs)
    parts: list[Part] = [ring, *_milesight_pull(tools, ring), *_pumatronix(tools)]
    discovery: Sequence[Discovery] = ()
    servers: list[DeviceHttp] = []
    if onvif is not None and live:
        try:
            more, discovery = onvif_parts(tools, onvif, settings, live, lambda: _ports(settings, servers, rtsp))
        except NoInterfaceError as error:
            raise StartError(f"onvif.interfaces: {error}") from None
        parts += more
    servers.append(
        DeviceHttp(settings, parts, accounts=tools.accounts, logins=tools.logins, log=tools.log, clock=tools.clock)
    )
    return (*servers, *discovery)


def _milesight_pull(tools: Tools, ring: PictureRing) -> Sequence[MilesightPull]:
    """Milesight's pull API."""
    config = tools.config
    if not config.milesight_pull.enabled:
        return ()
    facts = Facts(config.device, "lpr", tools.log.log_id, metadata.version("lpr"))
    lanes = lane_numbers(config)
    part = MilesightPull(config.milesight_pull, ring, facts, lane_numbers=lanes, utc_offset=config.sign.utc_offset)
    return (part,)


def _pumatronix(tools: Tools) -> Sequence[PumatronixPart]:
    """Pumatronix's addresses."""
    config, settings = tools.config, tools.config.pumatronix
    if settings is None:
        return ()
    camera = next(one for one in config.cameras if settings.camera in (None, one.name))
    live = LiveRoom(
        tools.views,
        tools.clock,
        width=settings.stream_width,
        rate=settings.stream_rate,
        quality=settings.stream_quality,
    )
    pictures = Pictures(
        PumatronixCamera(tools.views[camera.name], tools.shutters[camera.name], offset_minutes(config.sign.utc_offset)),
        live,
        tools.blobs,
        tools.clock,
        exposures=settings.exposures,
        timeout=settings.snapshot_timeout,
        rate=settings.stream_rate,
    )
    shown = shown_settings(config, camera, settings, serial=tools.log.log_id, release=metadata.version("lpr"))
    triggers = Triggers(tools.log, camera.name, clients=settings.trigger_clients, queue=settings.trigger_queue)
    return (PumatronixPart(settings, shown, pictures, triggers, logins=tools.logins, clock=tools.clock),)


def _ports(settings: DeviceHttpSettings, servers: Sequence[DeviceHttp], rtsp: Sequence[RtspServer]) -> Ports:
    """Where the servers listen: the ports that they have taken, before that those configured."""
    http = next((server.place.port for server in servers if server.place is not None), settings.port)
    secure = settings.tls is not None
    plain = tls = None
    udp = False
    for server in rtsp:
        if server.settings.plain:
            plain = server.addresses[0][1] if server.addresses else server.settings.port
        if server.settings.tls is not None:
            tls = server.tls_addresses[0][1] if server.tls_addresses else server.settings.tls_port
        udp = server.settings.udp
    return Ports(None if secure else http, http if secure else None, plain, tls, udp)
