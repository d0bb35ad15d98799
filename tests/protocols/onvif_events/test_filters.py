"""Topic expressions and content filters: ONVIF's examples, what is refused and why, anything at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif_events import (
    CONCRETE,
    CONCRETE_SET,
    ITEM_FILTER,
    FilterError,
    Item,
    content_filter,
    topic_filter,
)
from lpr.protocols.onvif_events.filters import TOPICS_NAMESPACE, topic_of

PLATE = topic_of("tns1:RuleEngine/Recognition/LicensePlate")
VEHICLE = topic_of("tns1:RuleEngine/MyRuleDetector/VehicleDetect")
OFFERED = (PLATE, VEHICLE)
PREFIXES = {"tns1": TOPICS_NAMESPACE, "t": TOPICS_NAMESPACE}


@pytest.mark.parametrize(
    ("expression", "plate", "vehicle"),
    [
        ("tns1:RuleEngine//.", True, True),
        ("tns1:RuleEngine/Recognition//.", True, False),
        ("tns1:RuleEngine/Recognition/LicensePlate", True, False),
        ("tns1:RuleEngine/Recognition/LicensePlate//.", True, False),
        ("tns1:RuleEngine/MyRuleDetector/VehicleDetect|tns1:RuleEngine/Recognition/LicensePlate", True, True),
        ("\n  tns1:VideoSource//. |\n tns1:RuleEngine/MyRuleDetector//.\n", False, True),
        ("t:RuleEngine/t:Recognition/LicensePlate", True, False),
    ],
)
def test_topic_expressions(expression: str, plate: bool, vehicle: bool) -> None:
    found = topic_filter(expression, CONCRETE_SET, PREFIXES, OFFERED)
    assert (found.wants(PLATE, ()), found.wants(VEHICLE, ())) == (plate, vehicle)


def test_a_concrete_expression_names_one_topic() -> None:
    found = topic_filter("tns1:RuleEngine/Recognition/LicensePlate", CONCRETE, {}, OFFERED)
    assert found.wants(PLATE, ())
    assert not found.wants(VEHICLE, ())


@pytest.mark.parametrize(
    ("expression", "dialect", "reason"),
    [
        ("tns1:RuleEngine//.", "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Full", "dialect"),
        ("tns1:RuleEngine//.", CONCRETE, "malformed"),
        ("tns1:RuleEngine|tns1:Device", CONCRETE, "malformed"),
        ("", CONCRETE_SET, "malformed"),
        ("tns1:RuleEngine//", CONCRETE_SET, "malformed"),
        ("tns1:*/Recognition", CONCRETE_SET, "malformed"),
        ("foo:RuleEngine//.", CONCRETE_SET, "malformed"),
        ("tns1:Device//.", CONCRETE_SET, "not supported"),
        ("RuleEngine//.", CONCRETE_SET, "not supported"),
        ("tns1:RuleEngine", CONCRETE_SET, "not supported"),
        ("|".join(["tns1:RuleEngine//."] * 65), CONCRETE_SET, "malformed"),
        ("tns1:RuleEngine/" + "a" * 5000, CONCRETE_SET, "malformed"),
    ],
)
def test_what_is_wrong_with_a_topic_expression(expression: str, dialect: str, reason: str) -> None:
    with pytest.raises(FilterError) as error:
        topic_filter(expression, dialect, {"tns1": TOPICS_NAMESPACE}, OFFERED)
    assert error.value.reason == reason


def test_a_default_namespace_holds_for_topics_without_a_prefix() -> None:
    assert topic_filter("RuleEngine//.", CONCRETE_SET, {"": TOPICS_NAMESPACE}, OFFERED).wants(PLATE, ())


ITEMS = (
    Item("VideoSourceConfigurationToken", "1"),
    Item("VideoAnalyticsConfigurationToken", "2"),
    Item("IsInside", "true"),
    Item("Rule", "myImportantField"),
    Item("LicensePlateInfo", None),
)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('boolean(//tt:SimpleItem[@Name="VideoSourceConfigurationToken" and @Value="1"])', True),
        ("boolean(//tt:SimpleItem[@Name='VideoSourceConfigurationToken' and @Value='2'])", False),
        ('not( boolean(//tt:SimpleItem[@Name="VideoAnalyticsConfigurationToken"] ) )', False),
        (
            "boolean(//tt:SimpleItem[@Name=”VideoAnalyticsConfigurationToken” and @Value=”2”] )\n"
            "  and boolean(//tt:SimpleItem[@Name=”VideoSourceConfigurationToken” and @Value=”1”] )",
            True,
        ),
        (
            'boolean(//tt:SimpleItem[@Name="IsInside" and @Value="true"] ) and \n'
            '  boolean(//tt:SimpleItem[@Name="Rule" and @Value="other"] )',
            False,
        ),
        ('boolean(//SimpleItem[@Name="Rule"])', True),
        ('boolean(//tt:ElementItem[@Name="LicensePlateInfo"])', True),
        ('boolean(//tt:SimpleItem[@Name="LicensePlateInfo"])', False),
        ('boolean(//tt:SimpleItem[not(@Name="Rule") and @Value="myImportantField"])', False),
        ('boolean(//tt:SimpleItem[@Name="A" or @Name="Rule"])', True),
        ('boolean(//tt:SimpleItem[(@Name="A" or @Name="Rule") and @Value="x"])', False),
        ('boolean(//tt:SimpleItem[@Name="A" or @Name="Rule" and @Value="x"])', False),
        (
            'boolean(//tt:SimpleItem[@Name="Rule"]) or'
            ' boolean(//tt:SimpleItem[@Name="A"]) and boolean(//tt:SimpleItem[@Name="B"])',
            True,
        ),
        (
            '(boolean(//tt:SimpleItem[@Name="Rule"]) or boolean(//tt:SimpleItem[@Name="A"]))'
            ' and boolean(//tt:SimpleItem[@Name="B"])',
            False,
        ),
    ],
)
def test_content_filters(expression: str, wanted: bool) -> None:
    assert content_filter(expression, ITEM_FILTER).wants(PLATE, ITEMS) is wanted


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "'its end' where ("),
        ("true()", "not understood"),
        ("//tt:SimpleItem[@Name='A']", "where ( is expected"),
        ("boolean(//tt:SimpleItem)", "where [ is expected"),
        ("boolean(//tt:SimpleItem[@Name])", "needs tests like"),
        ("boolean(//tt:SimpleItem[@Name='A'", "where ] is expected"),
        ("boolean(//tt:SimpleItem[@Name='A']) boolean", "goes on with"),
        ("boolean(//tt:Message[@Name='A'])", "not understood"),
        ("(" * 40 + "boolean(//tt:SimpleItem[@Name='A'])" + ")" * 40, "nested more than"),
        ("not(" * 40 + "boolean(//tt:SimpleItem[@Name='A'])" + ")" * 40, "nested more than"),
        ("boolean(//tt:SimpleItem[" + " or ".join(["@Name='A'"] * 65) + "])", "more than 64 tests"),
        ("x" * 5000, "longer than"),
    ],
)
def test_what_is_wrong_with_a_content_filter(expression: str, problem: str) -> None:
    with pytest.raises(FilterError, match=re.escape(problem)):
        content_filter(expression, ITEM_FILTER)


def test_another_content_dialect_is_refused() -> None:
    with pytest.raises(FilterError, match="dialect"):
        content_filter("boolean(//a)", "http://www.w3.org/TR/1999/REC-xpath-19991116")


PIECES = st.sampled_from(
    (
        "boolean",
        "not",
        "and",
        "or",
        "(",
        ")",
        "[",
        "]",
        "//tt:SimpleItem",
        "@Name",
        "@Value",
        "=",
        '"A"',
        "'Rule'",
        " ",
        "x",
    )
)


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error(expression: str) -> None:
    for make in (
        lambda: content_filter(expression, ITEM_FILTER),
        lambda: topic_filter(expression, CONCRETE_SET, PREFIXES, OFFERED),
    ):
        try:
            assert make().wants(PLATE, ITEMS) in (True, False)
        except FilterError as error:
            assert str(error)
