"""Milesight's TCP type: the server that NVRs connect to. See ``server``."""

from lpr.actors.milesight_server.server import MilesightServer
from lpr.core.sockets import ListenError

__all__ = ["ListenError", "MilesightServer"]
