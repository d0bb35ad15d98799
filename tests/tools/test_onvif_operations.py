"""The page's tables of operations and profiles are the code's, and what they call done answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lpr.protocols.onvif.names import NAMESPACES, split
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif import test_schema, test_schema_today
from tests.protocols.onvif.worlds import Place
from tools import onvif_operations
from tools.onvif_operations import PAGE, demand, fulfilled, named, rendered, services, state
from tools.onvif_profiles import FEATURES, SOURCES, Feature

STATES = {named(service, operation): state(operation) for service in services() for operation in service.operations}


def rows() -> Iterator[tuple[str, str]]:
    """(operation with prefix, what the page says of it), from the page."""
    prefix = ""
    page = PAGE.read_text(encoding="utf-8")
    for line in page[page.index(onvif_operations.BEGIN) : page.index(onvif_operations.END)].splitlines():
        if found := re.match(r"### .*: `(\w+)`, ", line):
            prefix = found[1]
        elif (cells := line.strip("| ").split(" | ")) and len(cells) >= 4 and cells[0] not in ("operation", "---"):
            yield cells[0] if ":" in cells[0] else f"{prefix}:{cells[0]}", line.rstrip("| ").rpartition(" | ")[2]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run python -m tools.onvif_operations"


def test_what_profiles_demand_is_known_by_name() -> None:
    assert FEATURES.keys() == SOURCES.keys() == {"S", "T", "M"}
    for profile, features in FEATURES.items():
        for feature in features:
            assert set(feature.named) <= STATES.keys(), (profile, feature.title)
            assert feature.named or feature.beside or feature.lacking, (profile, feature.title)
            assert feature.level == "C" or not feature.lacking, "what is mandatory applies"


def test_states_are_done_in_part_or_no() -> None:
    assert STATES["tds:GetServices"] == "done" and STATES["tev:PullMessages"] == "done"
    assert STATES["tr2:SetVideoEncoderConfiguration"].startswith("in part: ")
    assert STATES["trt:CreateProfile"].startswith("**no**, refused with ter:MaxNVTProfiles")
    assert STATES["tds:SetDNS"].startswith("**no**: ")


@pytest.mark.parametrize(
    ("profile", "name", "said"),
    [
        ("T", "tmd:GetVideoSources", "M"),
        ("T", "wsnt:Renew", ""),
        ("S", "wsnt:Renew", "M"),
        ("S", "tds:GetServices", ""),
        ("M", "tds:GetScopes", "M?"),
        ("M", "tds:SetDNS", ""),
        ("M", "tan:GetSupportedRules", "C"),
        ("T", "tr2:GetProfiles", "M"),
    ],
)
def test_the_strongest_demand_counts(profile: str, name: str, said: str) -> None:
    assert demand(profile, name) == said


def test_how_much_of_a_feature_is_done() -> None:
    states = {"a:Done": "done", "a:Part": "in part: only so far", "a:No": "**no**: never"}
    assert fulfilled(Feature("1", "All", "M", ("a:Done",), {"more": ""}), states) == "done"
    assert fulfilled(Feature("1", "Some", "M", ("a:Done", "a:Part?", "a:No"), {"more": "too much"}), states) == (
        "not `a:No`; in part `a:Part`; **no** more: too much"
    )
    assert fulfilled(Feature("1", "None", "C", ("a:No",), lacking="not here"), states) == "does not apply: not here"


def test_the_page_has_each_table_once() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for line in ("BEGIN", "END", "FEATURES_BEGIN", "FEATURES_END"):
        assert page.count(getattr(onvif_operations, line)) == 1
    assert "| GetServices | anybody |  | M | M | done |" in page
    assert dict(rows()) == STATES


DONE = sorted(name for name, said in rows() if said == "done")


@pytest.mark.parametrize("name", [name for name in DONE if name.partition(":")[0] not in ("tev", "wsnt")])
def test_what_the_page_calls_done_answers(name: str) -> None:
    """The events' operations, which need a subscription, have tests of their own."""
    prefix, _, operation = name.partition(":")
    if name == "tds:RemoveScopes":
        place = Place()
        scope = element("tds:ScopeItem", "onvif://www.onvif.org/added")
        place.call("tds:AddScopes", scope)
        answer = place.call(name, scope)
    elif prefix == "tr2":
        given = test_schema_today.ARGUMENTS.get(operation, ())
        answer = Place().call(name, *(element(f"tr2:{key}", value) for key, value in given))
    else:
        answer = test_schema.ask(prefix, name)
    assert split(answer.tag) == (NAMESPACES[prefix], f"{operation}Response")


def test_much_is_done() -> None:
    assert len(DONE) > 100
