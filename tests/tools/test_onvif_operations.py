"""The page's table of operations is the code's."""

from __future__ import annotations

from tools import onvif_operations
from tools.onvif_operations import DEMANDS, PAGE, named, rendered, services, state


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run python -m tools.onvif_operations"


def test_what_profiles_demand_is_known_by_name() -> None:
    names = {named(service, operation) for service in services() for operation in service.operations}
    for profile, marks in DEMANDS.items():
        for mark, demanded in marks.items():
            assert demanded <= names, (profile, mark)
        assert not marks["M"] & marks["C"], profile


def test_states_are_done_in_part_or_no() -> None:
    found = {named(service, operation): state(operation) for service in services() for operation in service.operations}
    assert found["tds:GetServices"] == "done" and found["tev:PullMessages"] == "done"
    assert found["tr2:SetVideoEncoderConfiguration"].startswith("in part: ")
    assert found["trt:CreateProfile"].startswith("**no**, refused with ter:MaxNVTProfiles")
    assert found["tds:SetDNS"].startswith("**no**: ")


def test_the_page_has_one_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(onvif_operations.BEGIN) == 1 and page.count(onvif_operations.END) == 1
    assert "| GetServices | anybody | M | M | M | done |" in page
