"""Streams of live pictures, their plate events, and the RTSP server that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lpr.actors.rtsp_server import RtspServer
from lpr.http.listening import HttpServerError, tls_context
from lpr.media.plate_metadata import MetadataCamera, PlateMetadata
from lpr.media.room import MediaRoom
from lpr.preparing import StartError
from lpr.protocols.onvif_metadata import camera_tokens
from lpr.wiring.tools import Tools


class Live(NamedTuple):
    """What servers of live pictures share: ``room`` has the streams, ``plates`` the events for them."""

    room: MediaRoom
    plates: PlateMetadata


def live_room(tools: Tools) -> Live | tuple[()]:
    """The streams and their plate events, where a server shows them. Raises StartError."""
    config = tools.config
    if config.rtsp is None:
        return ()
    plates = plate_metadata(tools)
    try:
        room = MediaRoom(config.rtsp.streams, config.cameras, tools.views, tools.clock, metadata=plates.source)
    except ValueError as error:
        raise StartError(f"rtsp: {error}; correct streams") from None
    return Live(room, plates)


def rtsp_servers(tools: Tools, live: Live | tuple[()]) -> Sequence[RtspServer]:
    """The RTSP server. Raises StartError."""
    settings = tools.config.rtsp
    if settings is None or not live:
        return ()
    try:
        tls = None if settings.tls is None else tls_context(settings.tls, "rtsp")
        server = RtspServer(
            settings,
            presentations=live[0],
            accounts=tools.accounts,
            clock=tools.clock,
            device=tools.config.device,
            tls=tls,
        )
    except (HttpServerError, ValueError) as error:
        raise StartError(str(error)) from None
    return (server,)


def plate_metadata(tools: Tools) -> PlateMetadata:
    """Plate events and live boxes of every camera: one for the metadata tracks and the events service together."""
    config, http = tools.config, tools.config.device_http
    images = ""
    if http is not None and http.address is not None and http.port:
        host = f"[{http.address}]" if ":" in http.address else http.address
        images = f"{'http' if http.tls is None else 'https'}://{host}:{http.port}"
    cameras = {
        camera.name: MetadataCamera(tools.views[camera.name], camera_tokens(number))
        for number, camera in enumerate(config.cameras)
    }
    return PlateMetadata(cameras, tools.log, tools.clock, keep=config.onvif_events.keep, images=images)
