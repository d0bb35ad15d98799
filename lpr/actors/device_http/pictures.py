"""The pictures of the ten latest passages, and no more, as Milesight's manual has them: ``/LPR/2018051506193401.jpg``.

Metadata documents and the pull API name them; what has left the ring answers 404. The names come from the log alone
(``lpr.protocols.onvif_metadata.pictures``), so everybody who names them says the same. A picture is the passage's whole
one, signed; the pull API tells where in it the plate is.
May import aiohttp, ``lpr.core``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
from aiohttp import web

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute
from lpr.actors.device_http.entrance import plain
from lpr.core import passed
from lpr.core.blobs import BlobStore
from lpr.core.delivery import Shipment
from lpr.core.errors import BlobDamagedError, BlobMissingError, LogUnavailable
from lpr.core.log import EventLog
from lpr.protocols.onvif_metadata import FOLDER, KEPT, PictureNames
from lpr.protocols.onvif_metadata.pictures import is_name

RETRY = 1.0
"""Seconds until the log is asked again when it can't be read."""


@dataclass(frozen=True, slots=True)
class RingPicture:
    """``name``: of the file, without the folder."""

    name: str
    shipment: Shipment


class PictureRing:
    """A part of the device's HTTP server. ``filled``: set once the pictures from before the start are there;
    ``grown``: set, and replaced by a new one, with each further picture."""

    def __init__(self, log: EventLog, blobs: BlobStore) -> None:
        self._log = log
        self._blobs = blobs
        self._ring: deque[RingPicture] = deque(maxlen=KEPT)
        self._names = PictureNames()
        self.filled = anyio.Event()
        self.grown = anyio.Event()

    def routes(self) -> Sequence[DeviceRoute]:
        """One address."""
        return (DeviceRoute("GET", FOLDER + "{name}", self._get),)

    def latest(self) -> list[RingPicture]:
        """What can be fetched now, newest first."""
        return list(reversed(self._ring))

    async def run(self) -> None:
        """Keeps the ring up to date, until cancelled."""
        position: int | None = None
        while True:
            try:
                position = await self._fill() if position is None else position
                async for shipment in passed.follow(self._log, position):
                    position = shipment.record
                    self._add(shipment)
            except LogUnavailable:
                await anyio.sleep(RETRY)

    async def _fill(self) -> int:
        """The latest pictures; gives the number of the record behind which it goes on."""
        head = self._log.head
        recent = await passed.latest(self._log, KEPT + PictureNames.MEMORY, head + 1)
        self._names = PictureNames()
        self._ring.clear()
        for shipment in reversed(recent):
            self._add(shipment)
        self.filled.set()
        return head

    def _add(self, shipment: Shipment) -> None:
        name = self._names.name(shipment.decided.at, shipment.record)
        self._ring.append(RingPicture(name, shipment))
        self.grown.set()
        self.grown = anyio.Event()

    async def _get(self, request: DeviceRequest) -> web.StreamResponse:
        name = request.http.match_info["name"]
        found = next((one for one in self._ring if one.name == name), None) if is_name(name) else None
        if found is None:
            return plain(404, f"there is no such picture; the {KEPT} latest ones are here")
        try:
            picture = await self._blobs.get(found.shipment.signed.picture.blob)
        except (BlobMissingError, BlobDamagedError):
            return plain(404, "the picture is gone from the store")
        return web.Response(body=picture, content_type="image/jpeg")
