"""Whatever a request says, an operation answers or refuses it: never another error, never a broken answer."""

from __future__ import annotations

import dataclasses
import random
from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.worlds import DEVICE, FINE, MAIN, SUB, Place

FREE = dataclasses.replace(MAIN, sizes=((1920, 1080), (640, 360)))
OPERATIONS = sorted(
    f"{service.prefix}:{operation.name}"
    for service in Place().table.services
    for operation in service.operations
    if operation.handler is not None
)
NAMES = (
    *("ProfileToken", "ConfigurationToken", "Token", "Type", "Configuration", "StreamSetup", "Stream", "Transport"),
    *("Protocol", "Category", "Scopes", "ScopeItem", "DiscoveryMode", "VideoSourceToken", "ImagingSettings", "Name"),
    *("Resolution", "Width", "Height", "Quality", "RateControl", "FrameRateLimit", "BitrateLimit", "H264", "GovLength"),
)
TEXTS = (
    *("", "main", "fine", "VSC0", "VS0", "VAC0", "main-video", "sub-video", "All", "VideoEncoder", "RTSP", "HTTP"),
    *(
        "-1",
        "0",
        "25",
        "1e999",
        "nan",
        "-inf",
        "640",
        "9" * 5000,
        "١٢",
        "a b",
        "\u202e",
        "\U0001f697",
        "onvif://x",
        "::",
    ),
)
TRIES = 8
"""Requests of each operation, and of each set of streams."""


def argument(chance: random.Random, prefix: str, depth: int) -> Element:
    made = Element(q(f"{chance.choice([prefix, 'tt'])}:{chance.choice(NAMES)}"))
    made.text = chance.choice(TEXTS)
    for name in ("token", "GovLength", "Profile"):
        if chance.random() < 0.3:
            made.set(name, chance.choice(TEXTS))
    if depth:
        made.extend(argument(chance, prefix, depth - 1) for _ in range(chance.randrange(4)))
    return made


@pytest.mark.parametrize("name", OPERATIONS)
def test_any_request_is_answered_or_refused(name: str) -> None:
    chance = random.Random(name)
    for streams in ((MAIN, SUB, FINE), (FREE,), ()):
        place = Place(DEVICE, streams)
        for _ in range(TRIES):
            request = element(name)
            request.extend(argument(chance, name.partition(":")[0], 3) for _ in range(chance.randrange(4)))
            try:
                answer = place.ask(request)
            except Fault as fault:
                assert fault.reason and fault.status in (400, 401, 500)
                continue
            assert answer.tag == q(name + "Response")
