"""The pull API's answer: the latest passages as lines, as quoted values, or as JSON. Pure.

Sources: two public clients of real cameras. evercam/ex_nvr asks for ``format=inf`` and reads ten lines a record, each
``key_N=value``; a camera bridge asks without a format and reads ``time='…';plate='…';path='…'`` of the newest passage,
with the picture's path from the server's root. JSON is what the same cameras give for other actions with
``format=json``; its keys here are inferred. See docs/protocols/milesight.md.

May import ``lpr.events``, ``msgspec`` and the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from lpr.events import PassageDecided
from lpr.protocols.milesight.countries import region_of
from lpr.protocols.milesight.passage import DIRECTIONS, local_time, plate_pixels

Form: TypeAlias = Literal["inf", "quoted", "json"]
CONTENT_TYPES: dict[Form, str] = {"inf": "text/plain", "quoted": "text/plain", "json": "application/json"}


class LastRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One passage; the fields in the order of the ten lines.

    ``time``: local, to the second or millisecond. ``path``: name of its picture in ``/LPR/``. ``direction``: 0 unknown,
    1 in, 2 away. ``roi_id``: 1 to 4, 0 unknown. ``plate_left`` ... ``plate_bottom``: pixels of the picture.
    """

    time: str
    plate: str
    path: str
    region: str
    direction: int
    roi_id: int
    plate_left: int
    plate_top: int
    plate_right: int
    plate_bottom: int


def last_record(
    passage: PassageDecided, *, path: str, roi: int, utc_offset: str, milliseconds: bool = False
) -> LastRecord:
    """``path``: the picture's name, without a folder; ``roi``: 0 to 4; ``utc_offset``: "+02:00"."""
    left, top, right, bottom = plate_pixels(passage)
    return LastRecord(
        time=local_time(passage.at, utc_offset, milliseconds=milliseconds),
        plate=passage.plate,
        path=path,
        region=region_of(passage.country),
        direction=DIRECTIONS.get(passage.direction, 0),
        roi_id=roi,
        plate_left=left,
        plate_top=top,
        plate_right=right,
        plate_bottom=bottom,
    )


def render(records: Sequence[LastRecord], form: Form, folder: str = "LPR/") -> bytes:
    """The answer's body, UTF-8. ``folder``: put before the path in the quoted form."""
    match form:
        case "inf":
            return "".join(
                f"{name}_{index}={_line(getattr(record, name))}\n"
                for index, record in enumerate(records)
                for name in LastRecord.__struct_fields__
            ).encode("utf-8", "replace")
        case "quoted":
            values = [
                f"{name}='{folder if name == 'path' else ''}{_quoted(getattr(record, name))}';"
                for record in records[:1]
                for name in LastRecord.__struct_fields__
            ]
            return "".join(values).encode("utf-8", "replace")
        case "json":
            return msgspec.json.encode({"count": len(records), "lastdata": records})


def form_of(wanted: str | None) -> Form | None:
    """The form that a request's ``format`` means; None: not known. Without one it is the quoted form."""
    match (wanted or "").lower():
        case "":
            return "quoted"
        case "inf":
            return "inf"
        case "json":
            return "json"
        case _:
            return None


def _line(value: object) -> str:
    """A value that stays on its line."""
    return " ".join(str(value).split())


def _quoted(value: object) -> str:
    """A value that stays within its quotes."""
    return _line(value).replace("'", "").replace(";", "")
