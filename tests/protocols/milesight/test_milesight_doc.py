"""docs/protocols/milesight.md: its snippets run, and what it says of sizes and limits is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from lpr.actors.milesight_server import server
from lpr.protocols.milesight import REVISIONS, Metadata, encode_metadata
from lpr.protocols.milesight.passage import fields_of
from tests.protocols.milesight.samples import PASSAGE
from tests.protocols.milesight.test_milesight_passage import WORDING

PAGE = (Path(__file__).parents[3] / "docs" / "protocols" / "milesight.md").read_text(encoding="utf-8")


def test_the_snippets_run() -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "docs/protocols/milesight.md", "exec"), {})


def test_the_sizes() -> None:
    plate = "AB1234"
    sizes = [len(encode_metadata(Metadata(guid=bytes(16), time_ms=0, plate=plate), name)) for name in REVISIONS]
    (told,) = re.findall(r"So the chunk has (.*?) bytes by revision", PAGE)
    expected = [eval(size, {"N": len(plate)}) for size in re.split(r", | or ", told)]
    assert sizes == expected


def test_every_key_is_told() -> None:
    keys = fields_of(PASSAGE, WORDING, roi=1, plate_image=b"", full_image=b"")
    assert [key for key in keys if key.removeprefix("coordinate") not in PAGE] == []


def test_the_limits() -> None:
    assert f"{server.WRONG_LOGINS} a minute and address" in PAGE
    assert f"{server.LOGINS} a minute and address" in PAGE
    assert f"{server.SERVED_RATE:.0f} times a second" in PAGE
    assert f"{server.CACHE >> 20} MiB" in PAGE
