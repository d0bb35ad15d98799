"""Subscriptions of the events service: filters, what is wrong with one, whose they are, how many, how long."""

from __future__ import annotations

import anyio
import pytest

from lpr.config import OnvifEvents
from lpr.core.clock import ManualClock
from lpr.protocols.onvif.names import q
from tests.actors.device_http.events_rig import CREATE, SET, plates, question, running, subscribe, topics

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        (topics("tns1:RuleEngine/Recognition//."), ["ABC1234"]),
        (topics("tns1:RuleEngine/MyRuleDetector//."), []),
        (
            '<wsnt:MessageContent Dialect="http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter">'
            'boolean(//tt:SimpleItem[@Name="VideoSource" and @Value="VS0"])</wsnt:MessageContent>',
            ["ABC1234"],
        ),
        (
            '<wsnt:MessageContent Dialect="http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter">'
            'boolean(//tt:SimpleItem[@Name="VideoSource" and @Value="VS1"])</wsnt:MessageContent>',
            [],
        ),
    ],
)
async def test_filters(inner: str, wanted: list[str]) -> None:
    async with running() as device:
        await device.create(f"<tev:Filter>{inner}</tev:Filter>")
        device.feed.pass_by("ABC1234")
        assert plates(await device.pull()) == wanted


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        (
            '<tev:Filter><wsnt:TopicExpression Dialect="x">tns1:RuleEngine</wsnt:TopicExpression></tev:Filter>',
            "TopicExpressionDialectUnknownFault",
        ),
        (
            f'<tev:Filter><wsnt:TopicExpression Dialect="{SET}">tns1:</wsnt:TopicExpression></tev:Filter>',
            "InvalidTopicExpressionFault",
        ),
        (
            f'<tev:Filter><wsnt:TopicExpression Dialect="{SET}">tns1:Device//.</wsnt:TopicExpression></tev:Filter>',
            "TopicNotSupportedFault",
        ),
        (
            '<tev:Filter><wsnt:MessageContent Dialect="x">y</wsnt:MessageContent></tev:Filter>',
            "InvalidMessageContentExpressionFault",
        ),
        (
            '<tev:Filter><wsnt:ProducerProperties Dialect="x">y</wsnt:ProducerProperties></tev:Filter>',
            "InvalidProducerPropertiesExpressionFault",
        ),
        ("<tev:Filter><wsnt:Whatever/></tev:Filter>", "InvalidFilterFault"),
        (
            "<tev:InitialTerminationTime>yesterday</tev:InitialTerminationTime>",
            "UnacceptableInitialTerminationTimeFault",
        ),
        (
            "<tev:InitialTerminationTime>2001-01-01T00:00:00Z</tev:InitialTerminationTime>",
            "UnacceptableInitialTerminationTimeFault",
        ),
    ],
)
async def test_what_is_wrong_with_a_subscription(inner: str, fault: str) -> None:
    async with running() as device:
        found = await device.fault(CREATE.format(inner), path="/onvif/events")
        assert found.subcodes == (f"wsnt:{fault}",)
        assert found.detail[0].find(q("wsrf-bf:Timestamp")) is not None
        assert device.events.subscribers == 0


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        (
            question("PT1H", "1"),
            "ter:InvalidArgVal",
        ),
        (
            question("soon", "1"),
            "ter:InvalidArgVal",
        ),
        (
            question("PT1S", "many"),
            "ter:InvalidArgVal",
        ),
        (
            "<wsnt:Renew><wsnt:TerminationTime>never</wsnt:TerminationTime></wsnt:Renew>",
            "wsnt:UnacceptableTerminationTimeFault",
        ),
        (
            subscribe("http://192.0.2.9/"),
            "ter:ActionNotSupported",
        ),
    ],
)
async def test_what_is_refused(body: str, subcode: str) -> None:
    async with running() as device:
        await device.create()
        assert (await device.fault(body)).subcodes[0] == subcode


async def test_another_account_and_another_address_find_nothing() -> None:
    async with running() as device:
        await device.create()
        assert (await device.fault("<wsnt:Unsubscribe/>", user="other")).subcodes == ("wsrf-r:ResourceUnknownFault",)
        for path in (
            "/onvif/events/" + "0" * 24,
            "/onvif/device_service",
            "/onvif/events/",
            "/onvif/events/" + "0" * 999,
        ):
            assert (await device.fault("<wsnt:Unsubscribe/>", path=path)).subcodes == ("wsrf-r:ResourceUnknownFault",)


async def test_a_subscription_is_found_by_the_addressing_of_the_message() -> None:
    async with running() as device:
        await device.create()
        await device.ask("<wsnt:Unsubscribe/>", path="/onvif/device_service", header=f"<wsa:To>{device.where}</wsa:To>")
        assert device.events.subscribers == 0


async def test_pull_points_are_bounded_and_idle_ones_give_way() -> None:
    clock = ManualClock()
    async with running(OnvifEvents(max_pull_points=2, idle=30.0), clock) as device:
        await device.create("<tev:InitialTerminationTime>PT1H</tev:InitialTerminationTime>")
        await device.create("<tev:InitialTerminationTime>PT1H</tev:InitialTerminationTime>")
        full = await device.fault(CREATE.format(""), path="/onvif/events")
        assert full.subcodes == ("wsnt:SubscribeCreationFailedFault",)
        clock.advance(31)
        await device.create()
        assert device.events.subscribers == 2


async def test_subscriptions_end_by_themselves() -> None:
    clock = ManualClock()
    async with running(clock=clock) as device:
        await device.create("<tev:InitialTerminationTime>PT20S</tev:InitialTerminationTime>")
        await device.create('<tev:InitialTerminationTime xsi:nil="true"/>')
        for _ in range(5):
            clock.advance(4.5)
            await anyio.wait_all_tasks_blocked()
        assert device.events.subscribers == 1
