"""What an ``infoplate`` message says: its fields, in the order in which they stand on the wire. Pure.

Source: Neural Labs' "NEURAL SERVER Data Integration" 1.17 in a third party's transcription; that VIVOTEK's cameras,
whose application Neural Labs made, send the same is inferred (docs/protocols/neural.md). The struct is the table: a
field's wire name, kind and place are read from it. What comes behind ``Evidences`` is known by name, not by place.

May import ``msgspec`` and the standard library.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import field

from lpr.protocols.neural.names import clean

ENGINE = "LPR"
NOT_IN_A_LIST = -1


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One further picture. ``camera``: of which camera. ``image``: JPEG."""

    camera: str = field(name="IdCamEv", default="")
    image: bytes = field(name="imgEV", default=b"")


class Infoplate(msgspec.Struct, frozen=True, kw_only=True):
    """One recognised plate. Fields up to ``evidences`` always stand in the full form; a later one only with a value.

    ``time``: "2014-09-27 11:15:40.000", local time without a zone. ``confidence``: percent. ``process_time``: ms, 0 not
    known. ``character_height``: pixels, 0 not known. ``left`` ... ``height``: the plate in the picture, pixels.
    ``direction``: 1 approaching, -1 going away, 0 not known. ``image``: JPEG, None in a message without pictures.
    ``list``: number of the list that the plate is in, -1 none. ``character_confidence``: percent. ``speed``: km/h.
    ``others``: elements of other names, texts, in the order sent.
    """

    time: str = field(name="DateHour", default="")
    engine: str = field(name="Engine", default=ENGINE)
    plate: str = field(name="Plate", default="")
    confidence: float = field(name="Confidence", default=0.0)
    country: str = field(name="Country", default="")
    country_id: int = field(name="CountryID", default=0)
    process_time: int = field(name="ProcTime", default=0)
    character_height: int = field(name="CharHeight", default=0)
    camera_id: str = field(name="CamID", default="")
    camera_name: str = field(name="CamName", default="")
    left: int = field(name="ImageLeft", default=0)
    top: int = field(name="ImageTop", default=0)
    width: int = field(name="ImageWidth", default=0)
    height: int = field(name="ImageHeight", default=0)
    path: str = field(name="Path", default="")
    direction: int = field(name="DirectionVector", default=0)
    image: bytes | None = field(name="img", default=None)
    computer_id: str = field(name="ComputerID", default="")
    feedback: str = field(name="Feedback", default="")
    incidence_id: str = field(name="IncidenceID", default="")
    location_id: str = field(name="LocationID", default="")
    lane_name: str = field(name="LaneName", default="")
    lane_id: str = field(name="LaneID", default="")
    evidences: tuple[Evidence, ...] = field(name="Evidences", default=())
    country_iso2: str | None = field(name="CountryISO2", default=None)
    country_iso3: str | None = field(name="CountryISO3", default=None)
    event_id: str | None = field(name="EventID", default=None)
    speed: float | None = field(name="Speed", default=None)
    latitude: float | None = field(name="GPSLat", default=None)
    longitude: float | None = field(name="GPSLon", default=None)
    list: int | None = field(name="List", default=None)
    list_name: str | None = field(name="ListName", default=None)
    character_confidence: tuple[float, ...] | None = field(name="CharConfidence", default=None)
    make: str | None = field(name="VehicleMake", default=None)
    vehicle_class: str | None = field(name="VehicleClass", default=None)
    colour: str | None = field(name="VehicleColor", default=None)
    vehicle: str | None = field(name="VehicleType", default=None)
    guid: str | None = field(name="GUID", default=None)
    others: dict[str, str] = field(default_factory=dict[str, str])


IMAGE, IMAGE_SIZE = "img", "imgSize"
EVIDENCES, EVIDENCE = "Evidences", "Evidence"
EVIDENCE_CAMERA, EVIDENCE_IMAGE, EVIDENCE_SIZE = "IdCamEv", "imgEV", "imgEVSize"

FIELDS: dict[str, msgspec.structs.FieldInfo] = {
    info.encode_name: info for info in msgspec.structs.fields(Infoplate) if info.name != "others"
}
"""Wire name -> field, in the order of the wire. ``imgSize``, which stands before ``img``, is not a field of its own."""

BY_FOLDED: dict[str, str] = {name.casefold(): name for name in (*FIELDS, IMAGE_SIZE)}
"""Wire name without its case -> wire name."""

ALWAYS: tuple[str, ...] = tuple(FIELDS)[: tuple(FIELDS).index(EVIDENCES) + 1]
"""The fields of the documented order, which the full form always has."""

SHORT: tuple[str, ...] = ("DateHour", "Plate", "Confidence", "CamID", "CamName", "LaneID", "DirectionVector", "GUID")
"""Our short form unless it is configured otherwise: which fields the original has is not known."""

_SIX_PLACES = frozenset({"GPSLat", "GPSLon"})


def text_of(name: str, value: Any) -> str:
    """A field's value as the wire has it in XML: text. Numbers with two places ("99.99"), positions with six."""
    if isinstance(value, float):
        return f"{value:.6f}" if name in _SIX_PLACES else f"{value:.2f}"
    if isinstance(value, tuple):
        return ";".join(f"{part:.2f}" for part in cast("tuple[float, ...]", value))
    return clean(str(value))


def value_of(record: Infoplate, name: str) -> Any:
    """The value of the field with this wire name; None: it is not said. Raises KeyError for an unknown name."""
    return getattr(record, FIELDS[name].name)
