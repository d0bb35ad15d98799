"""The table of protocols is complete, names tests that exist, and the page says the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lpr.protocols.catalogue import FACTS, ProtocolFact
from tools import protocols

ROOT = Path(__file__).resolve().parents[2]
NO_PROTOCOL = {"cameras", "engine", "vote", "sign", "web", "accounts", "retention", "log"}
"""Sections that are no way in or out for machines; the pages and the REST API of ``web`` have docs/api.md."""


def name_of(fact: ProtocolFact) -> str:
    return fact.name


def test_the_page_is_what_the_code_says() -> None:
    assert protocols.PAGE.read_text(encoding="utf-8") == protocols.rendered(), "run python -m tools.protocols"


def test_every_section_of_the_configuration_is_in_the_table() -> None:
    missing = set(protocols.sections()) - NO_PROTOCOL - {fact.section for fact in FACTS}
    assert not missing, f"{sorted(missing)}: add a row in lpr/protocols/catalogue"


@pytest.mark.parametrize("fact", FACTS, ids=name_of)
def test_a_row_names_what_there_is(fact: ProtocolFact) -> None:
    assert protocols.port_of(fact)
    assert fact.verified or fact.unverified
    if fact.page:
        assert (ROOT / "docs" / "protocols" / fact.page).is_file(), f"docs/protocols/{fact.page}"
    for proof in fact.verified:
        file, _, name = proof.test.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in tests, f"{proof.test} is no test (any more)"


def test_names_are_told_apart() -> None:
    assert len({fact.name for fact in FACTS}) == len(FACTS)


def test_a_port_that_is_not_there_is_an_error() -> None:
    wrong = ProtocolFact("x", "server", "rtsp", "no_port", "TCP", "", "", "", "", (), ("all",))
    with pytest.raises(KeyError):
        protocols.port_of(wrong)
