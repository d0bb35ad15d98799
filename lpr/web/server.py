"""The web server: the application at its address, with the connections under a guard's control. asyncio only.

May import this room, ``lpr.http``, ``lpr.core``, ``lpr.events``.
"""

from __future__ import annotations

import asyncio

from lpr.events import ServerListening
from lpr.http.listening import listen
from lpr.web.app import build_app
from lpr.web.context import WebContext
from lpr.web.services import SERVICES


class WebServer:
    """``run`` serves until it is cancelled. ``url``: where, once ``listening`` is set."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self.url = ""
        self.port = 0
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Bind, append ServerListening, serve. Raises PortTakenError or HttpServerError."""
        config = self._context.config.web
        app = build_app(self._context)
        try:
            async with listen("web", app, app[SERVICES].guard, config.host, config.port, config.tls) as place:
                self.port, self.url = place.port, place.url
                await self._context.log.append((ServerListening(server="web", address=place.address),), actor="web")
                self.listening.set()
                await asyncio.get_running_loop().create_future()
        finally:
            self.listening.clear()
