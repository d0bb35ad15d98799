"""The RTSP server: video, sound and plate events as an IP camera's stream. See ``server``."""

from lpr.actors.rtsp_server.server import RtspServer
from lpr.core.sockets import ListenError

__all__ = ["ListenError", "RtspServer"]
