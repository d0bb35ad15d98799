"""``infoplate`` messages as reports. Pure.

Source: docs/protocols/neural.md. May import this room, msgspec and the codec.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from lpr.listen.report import Checks, Report
from lpr.protocols.neural import Broken, Message, Received

SOURCE: Final = "Neural Labs, NEURAL SERVER Data Integration 1.17"


def neural_report(message: Message) -> Report:
    """A message of the stream, read or broken."""
    checks = Checks(SOURCE)
    if isinstance(message, Broken):
        checks.add("infoplate", message.problem, "a document that can be read")
        return Report("passage", {"syntax": message.syntax, "size": message.size}, checks.found)
    return _received(message, checks)


def _received(message: Received, checks: Checks) -> Report:
    record = message.record
    fields: dict[str, Any] = {"syntax": message.syntax, "framed": message.framed, "size": message.size}
    fields |= {
        name: value
        for name, value in msgspec.structs.asdict(record).items()
        if name not in ("image", "evidences") and value not in (None, "", {})
    }
    pictures: list[tuple[str, bytes]] = []
    if record.image:
        pictures.append(("img", record.image))
    pictures += [(f"evidence {index}", one.image) for index, one in enumerate(record.evidences) if one.image]
    checks.sentences("infoplate", message.deviations)
    for name, data in pictures:
        checks.jpeg(name, data)
    return Report("passage", fields, checks.found, pictures)
