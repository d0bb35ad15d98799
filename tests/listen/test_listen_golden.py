"""Whole lines as they are printed, of messages whose bytes are golden: programs read them, so they must stay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lpr.listen.http_report import Request, request_report
from lpr.listen.milesight_report import frame_report
from lpr.listen.mqtt_report import message_report
from lpr.listen.report import Report, line
from lpr.protocols.milesight.framing import FrameParser
from lpr.protocols.mqtt import Message

GOLDEN = Path(__file__).parents[1] / "golden"


def milesight() -> Report:
    parser = FrameParser(1 << 20)
    parser.feed(bytes.fromhex(re.sub("#.*", "", (GOLDEN / "milesight" / "recognition-1.6.hex").read_text())))
    frame = parser.next_frame()
    assert frame is not None
    return frame_report(frame)


def pushed() -> Report:
    body = b'{"plate": "AMW212", "time": "2024-02-01 06:00:05", "confidence": 70, "direction": "In"}'
    return request_report(Request("POST", "/lpr", {"content-type": "text/plain"}, body))


REPORTS: dict[str, Callable[[], Report]] = {
    "milesight": milesight,
    "http": pushed,
    "mqtt": lambda: message_report(Message("lpr/gate/passage", b'{"plate": "AMW212"}', 1, False)),
}


def told(kind: str) -> object:
    return json.loads(line(kind, "192.0.2.1:1", "2026-01-31T12:00:00.000Z", REPORTS[kind](), {}, None))


@pytest.mark.parametrize("kind", REPORTS)
def test_a_line_stays_as_it_is(kind: str) -> None:
    assert told(kind) == json.loads((GOLDEN / "listen" / f"{kind}.json").read_text(encoding="utf-8"))
