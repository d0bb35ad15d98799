"""The macros that stand in texts which the user writes: ``{PLT}`` and the others. Pure.

Source: a ZKTeco help text for Neural Labs' LED panels; that VIVOTEK's templates (HTTP, e-mail, FTP) know the same
macros is inferred. Values are put in once: braces in a plate or a list's name are not looked at again.

May import ``msgspec`` and the standard library.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias
from urllib.parse import quote

import msgspec

from lpr.protocols.neural.names import xml_text
from lpr.protocols.neural.record import NOT_IN_A_LIST, Infoplate

MACROS: dict[str, str] = {
    "PLT": "the plate",
    "DTE": "date and time, as DateHour has it",
    "IDCOMP": "ComputerID",
    "IDCAM": "CamID",
    "CNF": "confidence in percent, two places",
    "IDLIST": "number of the list, -1 for none",
    "IDNAME": "the list's name",
    "IDLAN": "LaneID",
}
"""Macro without its braces -> what it stands for."""

Escape: TypeAlias = Literal["none", "url", "xml", "json", "file"]
_MACRO = re.compile(r"\{([A-Z]{1,16})\}")
_NOT_IN_A_FILE_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*\x7f]')


def fill(template: str, record: Infoplate, escape: Escape = "none") -> str:
    """``template`` with its macros replaced; what is no macro stays as it is.

    ``escape``: how a value is made safe where the text goes: "url" percent-encodes it, "xml" and "json" write it as
    content of an element or of a string, "file" takes out what a file's name may not have, "none" leaves it.
    """
    values = values_of(record)

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        return match[0] if found is None else escaped(found, escape)

    return _MACRO.sub(value, template)


def values_of(record: Infoplate) -> dict[str, str]:
    """What each macro stands for in this record."""
    return {
        "PLT": record.plate,
        "DTE": record.time,
        "IDCOMP": record.computer_id,
        "IDCAM": record.camera_id,
        "CNF": f"{record.confidence:.2f}",
        "IDLIST": str(NOT_IN_A_LIST if record.list is None else record.list),
        "IDNAME": record.list_name or "",
        "IDLAN": record.lane_id,
    }


def unknown_macros(template: str) -> tuple[str, ...]:
    """What looks like a macro and is none, in order, without braces: for the check of a configuration."""
    return tuple(dict.fromkeys(name for name in _MACRO.findall(template) if name not in MACROS))


def escaped(value: str, escape: Escape) -> str:
    """See ``fill``. A file's name is never empty, "." or ".."."""
    match escape:
        case "none":
            return value
        case "url":
            return quote(value, safe="", errors="replace")
        case "xml":
            return xml_text(value)
        case "json":
            return msgspec.json.encode(value.encode("utf-8", "replace").decode()).decode()[1:-1]
        case "file":
            name = _NOT_IN_A_FILE_NAME.sub("_", value).strip(" .")
            return name or "_"
