"""The answer to a client that waits for triggered pictures: each capture as it happens, on one connection.

Two forms (``lpr.protocols.pumatronix.cgi``): parts of ``multipart/x-mixed-replace``, or the maker's row of whole HTTP
answers. It ends with the service, with the client, and after so many seconds without a capture.
May import aiohttp, anyio, ``lpr.core``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import anyio
from aiohttp import web

from lpr.actors.device_http.pumatronix.pictures import NoPicture, Pictures
from lpr.actors.device_http.pumatronix.triggers import Waiting
from lpr.core.clock import SECOND, Clock
from lpr.protocols.pumatronix import cgi

Form: TypeAlias = Literal["multipart", "responses"]
LOOK = 2.0
"""Seconds after which is looked whether the client is there, while nothing is captured."""


class Row:
    """``idle``: seconds without a capture after which it ends."""

    def __init__(self, pictures: Pictures, clock: Clock, *, form: Form, idle: float) -> None:
        self._pictures = pictures
        self._clock = clock
        self._form: Form = form
        self._idle = idle

    async def send(self, http: web.Request, client: Waiting, asked: cgi.Snapshot) -> web.StreamResponse:
        """Everything until the end; 204 where whole answers are wanted and there was nothing to send.

        Raises ConnectionError when the client has gone.
        """
        response = _parts() if self._form == "multipart" else _Answers()
        if self._form == "multipart":
            await response.prepare(http)
            await response.write(b"\r\n")  # so that the header fields leave now
        lost, until = 0, self._until()
        while (left := (until - self._clock.mono()) / SECOND) > 0 and http.transport is not None:
            taken = None
            with anyio.move_on_after(min(left, LOOK)):
                taken = await client.next()
            if taken is None:
                if client.ended:
                    break
                continue
            lost, until = lost + taken.lost, self._until()
            try:
                pictures = await self._pictures.told(taken.shot, asked)
            except NoPicture:
                lost += 1
                continue
            for index, picture in enumerate(pictures):
                fields = {"X-Frame-Index": str(index), **({"X-Captures-Lost": str(lost)} if lost else {})}
                await self._write(http, response, picture, fields)
                lost = 0
        if not response.prepared:
            return web.Response(status=204)
        if self._form == "multipart":
            await response.write(f"--{cgi.TRIGGER_BOUNDARY}--\r\n".encode())
        return response

    async def _write(
        self, http: web.Request, response: web.StreamResponse, picture: bytes, fields: dict[str, str]
    ) -> None:
        if self._form == "multipart":
            await response.write(cgi.part(picture, cgi.TRIGGER_BOUNDARY, fields))
        elif response.prepared:
            await response.write(cgi.whole_answer(picture, fields))
        else:
            response.headers.update(cgi.picture_fields(picture, fields))
            await response.prepare(http)
            await response.write(picture)

    def _until(self) -> int:
        return self._clock.mono() + round(self._idle * SECOND)


class _Answers(web.StreamResponse):
    """The first of a row of answers: what is written does not end with its length."""

    _length_check = False

    def __init__(self) -> None:
        super().__init__()
        self.force_close()


def _parts() -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": cgi.TRIGGERED, "X-Accel-Buffering": "no"})


__all__ = ["Form", "Row"]
