"""XML as text: elements, names and times of ONVIF's documents. Pure.

What is written is built as text, since a document goes out for every picture that the engine has read; what comes in
is read with defusedxml (no DTD, no entities) in ``reading``. Times are xs:dateTime in UTC with the "Z" that ONVIF Core
asks for (9.1), to the millisecond.

May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from lpr.events import Micros

TT = "http://www.onvif.org/ver10/schema"
WSNT = "http://docs.oasis-open.org/wsn/b-2"
TNS1 = "http://www.onvif.org/ver10/topics"
WSTOP = "http://docs.oasis-open.org/wsn/t-1"
XS = "http://www.w3.org/2001/XMLSchema"
CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"

NAMESPACES: Mapping[str, str] = {"tt": TT, "wsnt": WSNT, "tns1": TNS1, "wstop": WSTOP, "xs": XS}
"""Prefixes as the documents here use them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIME = re.compile(
    r"(-?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)


def escaped(text: str) -> str:
    """``text`` as content or in double quotes; what XML 1.0 can't carry becomes U+FFFD."""
    text = _ILLEGAL.sub("\ufffd", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")


def element(name: str, attributes: Mapping[str, str] | None = None, content: Iterable[str] | str = ()) -> str:
    """An element. ``attributes``: not yet escaped, in order; ``content``: markup, or one text that is escaped."""
    head = name + "".join(f' {key}="{escaped(value)}"' for key, value in (attributes or {}).items())
    inner = escaped(content) if isinstance(content, str) else "".join(content)
    return f"<{head}>{inner}</{name}>" if inner else f"<{head}/>"


def declarations(*prefixes: str) -> dict[str, str]:
    """``xmlns:…`` attributes for these prefixes of ``NAMESPACES``."""
    return {f"xmlns:{prefix}": NAMESPACES[prefix] for prefix in prefixes}


def number(value: float) -> str:
    """An xs:float with at most four places, never in scientific notation."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def utc(at: Micros) -> str:
    """``2018-05-15T06:19:34.000Z``, cut to milliseconds."""
    moment = _EPOCH + timedelta(microseconds=at // 1000 * 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def utc_seconds(at: Micros) -> str:
    """``2018-05-15T06:19:34Z``: the manual's form, cut to seconds."""
    return f"{_EPOCH + timedelta(seconds=at // 1_000_000):%Y-%m-%dT%H:%M:%SZ}"


def parse_time(text: str) -> Micros | None:
    """Microseconds of an xs:dateTime; one without a zone is taken for UTC; None when it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = 0
    if zone and zone not in ("Z", "z"):
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
    micros = int((fraction or "0").ljust(6, "0")[:6])
    return (moment - _EPOCH) // timedelta(microseconds=1) + micros - offset * 60_000_000
