"""Milesight's pull API: NVRs ask for the latest passages, and fetch their pictures from ``/LPR/``.

``GET /cgi-bin/operator/operator.cgi?action=get.lpr.lastdata`` with ``format=inf``, ``format=json`` or without; what can
be asked for are the passages whose pictures are in the ring, so every path that is named can be fetched. Also
``/cgi-bin/admin/admin.cgi?action=get.system.information``, by which one client recognises the camera.

May import aiohttp, ``lpr.config``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from aiohttp import web

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute
from lpr.actors.device_http.entrance import plain
from lpr.actors.device_http.pictures import PictureRing
from lpr.config import MilesightPull as Settings
from lpr.protocols.milesight.lastdata import CONTENT_TYPES, Form, form_of, last_record, render

OPERATOR = "/cgi-bin/operator/operator.cgi"
ADMIN = "/cgi-bin/admin/admin.cgi"
LAST_DATA = "get.lpr.lastdata"
INFORMATION = "get.system.information"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the device says of itself. ``serial``: unique, lasting."""

    name: str
    model: str
    serial: str
    firmware: str


class MilesightPull:
    """A part of the device's HTTP server. ``lane_numbers``: camera -> ROI id, 1 to 4. ``utc_offset``: "+02:00"."""

    def __init__(
        self,
        settings: Settings,
        ring: PictureRing,
        facts: Facts,
        *,
        lane_numbers: Mapping[str, int],
        utc_offset: str,
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._facts = facts
        self._lane_numbers = lane_numbers
        self._utc_offset = utc_offset

    def routes(self) -> Sequence[DeviceRoute]:
        """Two addresses."""
        return (
            DeviceRoute("GET", OPERATOR, self._operator),
            DeviceRoute("GET", ADMIN, self._admin),
        )

    async def run(self) -> None:
        """Nothing beside answering."""

    async def _operator(self, request: DeviceRequest) -> web.StreamResponse:
        query = request.http.query
        if query.get("action") != LAST_DATA:
            return plain(400, f"the action that is known here is {LAST_DATA}")
        form = form_of(query.get("format"))
        if form is None:
            return plain(400, "format is inf, json, or not given")
        await self._ring.filled.wait()
        settings = self._settings
        records = [
            last_record(
                one.shipment.decided,
                path=one.name,
                roi=self._lane_numbers.get(one.shipment.decided.source, 0),
                utc_offset=self._utc_offset,
                milliseconds=settings.milliseconds,
            )
            for one in self._ring.latest()
            if not settings.cameras or one.shipment.decided.source in settings.cameras
        ]
        return _answer(render(records[: settings.records], form), form)

    async def _admin(self, request: DeviceRequest) -> web.StreamResponse:
        query = request.http.query
        if query.get("action") != INFORMATION:
            return plain(400, f"the action that is known here is {INFORMATION}")
        form = form_of(query.get("format"))
        facts = self._facts
        values = {
            "deviceName": facts.name,
            "model": facts.model,
            "snCode": facts.serial,
            "firmwareVersion": facts.firmware,
        }
        if form == "json":
            return _answer(msgspec.json.encode(values), form)
        return plain(400, "format is json") if form is None else _answer(_lines(values, form), form)


def _lines(values: Mapping[str, str], form: Form) -> bytes:
    cleaned = {name: " ".join(value.replace("'", "").replace(";", "").split()) for name, value in values.items()}
    if form == "inf":
        return "".join(f"{name}={value}\n" for name, value in cleaned.items()).encode("utf-8", "replace")
    return "".join(f"{name}='{value}';" for name, value in cleaned.items()).encode("utf-8", "replace")


def _answer(body: bytes, form: Form) -> web.Response:
    return web.Response(body=body, content_type=CONTENT_TYPES[form], charset="utf-8")
