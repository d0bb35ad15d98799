"""The bodies as clients have them: a change of theirs is a change for every client."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lpr.protocols.pumatronix import cgi, documents
from tests.protocols.pumatronix.test_documents import FIELDS, SHOWN

GOLDEN = Path(__file__).parents[2] / "golden" / "pumatronix"


def bodies() -> dict[str, bytes]:
    """File -> what it should hold."""
    every = {path: documents.document(fields) for path, fields in FIELDS.items()} | {
        "/equipment/misc/readonly/volatile": documents.volatile(12.5),
        "/equipment/dateAndTime": documents.date_and_time(SHOWN, "2026-11-21T14:00:00Z"),
        "/image/profiles": documents.profiles(SHOWN),
        "/system/licenses": documents.licenses(SHOWN),
        "/system/firmware": documents.firmware(SHOWN),
        "/auth": documents.logged_in(7, "nvr", False, None, "a.b.c"),
    }
    return {
        "documents.json": msgspec.json.format(msgspec.json.encode(every), indent=2) + b"\n",
        "snapshot.multipart": cgi.multipart([b"\xff\xd8one\xff\xd9", b"\xff\xd8two\xff\xd9"]),
    }


@pytest.mark.parametrize("name", sorted(bodies()))
def test_as_it_was(name: str) -> None:
    assert bodies()[name] == (GOLDEN / name).read_bytes()
