"""Messages as the configuration wants them: the settings turned into the protocol's words, pictures chosen.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lpr.config import NeuralMessages, NeuralPassages
from lpr.core.delivery import Shipment
from lpr.core.feed import Pictures
from lpr.protocols.neural import Style, Wording, encode_as, record_of_passage
from lpr.protocols.neural.record import SHORT

ENDS = {"none": b"", "lf": b"\n", "crlf": b"\r\n", "nul": b"\0"}


class Writer:
    """``lane_numbers``: camera -> LaneID, 0 none. ``utc_offset``: of ``DateHour``, "+02:00"."""

    def __init__(self, settings: NeuralPassages, *, lane_numbers: Mapping[str, int], utc_offset: str) -> None:
        self._settings = settings
        self._cameras = frozenset(settings.cameras)
        self._wording = wording_of(settings, lane_numbers, utc_offset)
        self._style = style_of(settings)

    @property
    def images(self) -> str:
        """Which pictures ``message`` needs, in the words of ``lpr.core.feed``."""
        if not self._settings.format.endswith("_IMG"):
            return "none"
        if self._settings.picture == "plate":
            return "plate"
        return "all" if self._settings.plate_evidence else "full"

    def message(self, shipment: Shipment, pictures: Pictures) -> bytes | None:
        """The bytes of one passage; None: not of these cameras."""
        if self._cameras and shipment.decided.source not in self._cameras:
            return None
        settings = self._settings
        record = record_of_passage(
            shipment.decided,
            self._wording,
            id=shipment.passage,
            image=pictures.plate if settings.picture == "plate" else pictures.full,
            evidences=[pictures.plate] if settings.plate_evidence and pictures.plate is not None else [],
        )
        return encode_as(record, settings.format, self._style)


def wording_of(settings: NeuralMessages, lane_numbers: Mapping[str, int], utc_offset: str) -> Wording:
    """What a receiver is told besides the passage."""
    return Wording(
        computer_id=settings.computer_id,
        location_id=settings.location_id,
        camera_ids=settings.camera_ids,
        lane_ids={camera: str(number) for camera, number in lane_numbers.items() if number},
        country_names=settings.country_names,
        country_ids=settings.country_ids,
        utc_offset=utc_offset,
        columns=settings.columns,
    )


def style_of(settings: NeuralMessages) -> Style:
    """How a message is written."""
    return Style(
        form=settings.form,
        short=settings.short_fields or SHORT,
        framed=settings.framed,
        declaration=settings.declaration,
        size_of=settings.picture_size,
        numbers=settings.json_numbers,
        end=ENDS[settings.end],
    )
