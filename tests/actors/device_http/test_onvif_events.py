"""The events service's pull points: what clients ask in their order, and what is offered. The real client is in e2e."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from lpr.actors.device_http.onvif_events.service import TOLD
from lpr.config import OnvifEvents, OnvifNotify
from lpr.core.clock import ManualClock
from lpr.events import AbuseSeen, ClientLeft
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.tree import words
from lpr.protocols.onvif_events import write_duration
from lpr.protocols.onvif_metadata import vehicle_notification
from tests.actors.device_http.events_rig import plates, receiving, running, subscribe
from tests.protocols.onvif_metadata.samples import AT, TOKENS

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_pull_point_from_its_beginning_to_its_end() -> None:
    async with running() as device:
        answer = await device.create("<tev:InitialTerminationTime>PT1M</tev:InitialTerminationTime>")
        assert device.where.startswith("http://cam:8000/onvif/events/")
        assert words(answer.find(q("wsnt:CurrentTime"))).endswith("Z")
        first = await device.pull()
        assert [(one.operation, dict(one.data)["State"]) for one in first] == [("Initialized", "false")]
        device.feed.pass_by("ABC1234")
        device.feed.happen(vehicle_notification(AT, TOKENS, True))
        told = await device.pull("PT10S")
        assert plates(told) == ["ABC1234"]
        assert [one.operation for one in told] == [None, "Changed"]
        renewed = await device.ask("<wsnt:Renew><wsnt:TerminationTime>PT10M</wsnt:TerminationTime></wsnt:Renew>")
        assert words(renewed.find(q("wsnt:TerminationTime"))) > words(renewed.find(q("wsnt:CurrentTime")))
        await device.ask("<wsnt:Unsubscribe/>")
        assert device.events.subscribers == 0
        gone = await device.fault("<wsnt:Unsubscribe/>")
        assert gone.subcodes == ("wsrf-r:ResourceUnknownFault",)
        assert gone.status == 500


async def test_addresses_of_pictures_are_whole() -> None:
    async with running() as device:
        await device.create()
        device.feed.pass_by("ABC1234")
        told = await device.pull()
        assert dict(told[-1].data)["ImageUri"] == "http://cam:8000/LPR/1.jpg"


async def test_a_question_waits_for_the_next_event() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        told: list[str] = []

        async def ask() -> None:
            told.extend(plates(await device.pull("PT60S")))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert told == []
            device.feed.pass_by("ABC1234")
        assert told == ["ABC1234"]


async def test_a_question_without_an_event_is_answered_when_its_time_is_up() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        assert await device.pull("PT0.01S") == []


async def test_the_limit_leaves_the_rest_for_the_next_question() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        for number in range(5):
            device.feed.pass_by(f"ABC{number}")
        assert plates(await device.pull(limit=2)) == ["ABC0", "ABC1"]
        assert plates(await device.pull(limit=0)) == ["ABC2"]
        assert plates(await device.pull(limit=99)) == ["ABC3", "ABC4"]


async def test_a_later_question_takes_over() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        answers: list[tuple[str, list[str]]] = []

        async def ask(name: str) -> None:
            answers.append((name, plates(await device.pull("PT60S"))))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "first")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(ask, "second")
            await anyio.wait_all_tasks_blocked()
            assert answers == [("first", [])]
            device.feed.pass_by("ABC1234")
        assert answers[1] == ("second", ["ABC1234"])


async def test_a_client_that_is_gone_takes_no_events_with_it() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        device.feed.pass_by("ABC1234")
        assert await device.pull(gone=True) == []
        assert plates(await device.pull()) == ["ABC1234"]


async def test_the_end_of_a_subscription_answers_whoever_waits() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(device.pull, "PT60S")
            await anyio.wait_all_tasks_blocked()
            await device.ask("<wsnt:Unsubscribe/>")


async def test_a_synchronization_point_repeats_the_properties() -> None:
    async with running() as device:
        await device.create()
        await device.pull()
        device.feed.vehicle = True
        await device.ask("<tev:SetSynchronizationPoint/>")
        told = await device.pull()
        assert [(one.operation, dict(one.data)["State"]) for one in told] == [("Initialized", "true")]


async def test_a_client_that_wants_changes_only_gets_no_initial_state() -> None:
    async with running() as device:
        await device.create("<tev:SubscriptionPolicy><tev:ChangedOnly/></tev:SubscriptionPolicy>")
        assert await device.pull() == []


async def test_what_is_offered() -> None:
    async with running(OnvifEvents(vehicles=False)) as device:
        told = await device.ask("<tev:GetEventProperties/>", path="/onvif/events")
        names = [node.tag for node in told.find(q("wstop:TopicSet")).iter()]  # pyright: ignore[reportOptionalMemberAccess]
        assert "LicensePlate" in names
        assert "VehicleDetect" not in names
        await device.create()
        device.feed.happen(vehicle_notification(AT, TOKENS, True))
        assert await device.pull() == []
        capable = await device.ask("<tev:GetServiceCapabilities/>", path="/onvif/events")
        assert capable[0].get("MaxPullPoints") == "16"
        assert capable[0].get("MaxNotificationProducers") == "0"


async def test_subscribers_given_up_are_told_at_a_bounded_rate() -> None:
    notify = OnvifNotify(allow=("127.0.0.1",), attempts=1)
    async with receiving(404) as receiver, running(OnvifEvents(notify=notify), ManualClock()) as device:
        for count in range(TOLD + 5):
            await device.ask(subscribe(receiver.url), path="/onvif/events")
            with anyio.fail_after(20):
                while device.events.subscribers:
                    await anyio.lowlevel.checkpoint()
            await receiver.wait(count + 1)
        assert len(await device.told.of(ClientLeft, TOLD)) == TOLD
        (abuse,) = await device.told.of(AbuseSeen)
        assert isinstance(abuse, AbuseSeen) and "subscriber given up" in abuse.counts
        assert len(device.told.events) == TOLD + 1


def test_the_fault_of_a_long_question_names_the_limit() -> None:
    assert write_duration(OnvifEvents().max_timeout) == "PT300S"
