"""A day's files as receivers have them: a change of theirs is a change for everybody who reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lpr.core import tree
from tests.core.shelf_rig import BASE, HOUR, Seen, fill, shelves

GOLDEN = Path(__file__).parents[1] / "golden" / "transfer"
PASSAGES = (
    Seen(at=BASE + 1_250_999, make='Marca "X", antiga'),
    Seen(at=BASE + HOUR, plate="", lane="saída, norte", plated=False),
    Seen(at=BASE + 2 * HOUR, plate="京A12345", jpeg=None, plate_jpeg=None),
)


@pytest.mark.anyio
@pytest.mark.parametrize("form", tree.FORMS)
async def test_a_day(tmp_path: Path, form: tree.Form) -> None:
    fill(tmp_path, PASSAGES)
    file = await shelves(tmp_path, utc_offset=-180).open(tree.Report(date(2026, 11, 21), form))
    assert file is not None
    assert await file.read(0, 100_000) == (GOLDEN / f"records.{form}").read_bytes()
