"""Answers are what they were."""

from __future__ import annotations

import pytest

from tests.protocols.onvif.golden import FOLDER, MADE, path, spread


@pytest.mark.parametrize("name", MADE)
def test_answers_are_what_they_were(name: str) -> None:
    assert spread(MADE[name]()) == path(name).read_text(encoding="utf-8")


def test_every_file_is_made() -> None:
    assert {file.stem for file in FOLDER.glob("*.xml")} == set(MADE)
