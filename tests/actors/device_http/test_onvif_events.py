"""The events service: what clients ask in their order, faults, bounds, base notification. The real client is in e2e."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import anyio
import anyio.lowlevel
import pytest
from aiohttp import web

from lpr.actors.device_http.onvif_events import EventsService
from lpr.actors.device_http.onvif_events.notify import NotAllowed, Notifier, NotifyError
from lpr.actors.device_http.onvif_events.service import TOLD
from lpr.config import OnvifEvents, OnvifNotify
from lpr.core.clock import Clock, ManualClock, SystemClock
from lpr.events import AbuseSeen, ClientLeft
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.operations import Call, Reply, Table
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import words
from lpr.protocols.onvif_events import write_duration
from lpr.protocols.onvif_metadata import (
    Notification,
    parse_notification,
    plate_notification,
    plate_of,
    vehicle_notification,
)
from tests.actors.transfer_rig import Told
from tests.protocols.onvif_metadata import schemas
from tests.protocols.onvif_metadata.samples import AT, TOKENS, passage

pytestmark = pytest.mark.anyio

NS = (
    'xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tev="http://www.onvif.org/ver10/events/wsdl"'
    ' xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics"'
    ' xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
CREATE = "<tev:CreatePullPointSubscription>{}</tev:CreatePullPointSubscription>"


def question(timeout: str, limit: str = "1") -> str:
    """A PullMessages."""
    inner = f"<tev:Timeout>{timeout}</tev:Timeout><tev:MessageLimit>{limit}</tev:MessageLimit>"
    return f"<tev:PullMessages>{inner}</tev:PullMessages>"


def topics(text: str, dialect: str = SET) -> str:
    """A filter by topics."""
    return f'<wsnt:TopicExpression Dialect="{dialect}">{text}</wsnt:TopicExpression>'


def subscribe(url: str, inner: str = "") -> str:
    """A Subscribe."""
    consumer = f"<wsnt:ConsumerReference><wsa:Address>{url}</wsa:Address></wsnt:ConsumerReference>"
    return f"<wsnt:Subscribe>{consumer}{inner}</wsnt:Subscribe>"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Feed:
    """Events as a test makes them."""

    vehicle: bool = False
    listeners: list[Callable[[str, Notification], None]] = field(default_factory=list[Any])

    def attach(self, listener: Callable[[str, Notification], None]) -> None:
        self.listeners.append(listener)

    def detach(self, listener: Callable[[str, Notification], None]) -> None:
        self.listeners.remove(listener)

    def properties(self) -> list[Notification]:
        return [vehicle_notification(AT, TOKENS, self.vehicle, "Initialized")]

    def happen(self, *notifications: Notification) -> None:
        for notification in notifications:
            for listener in self.listeners:
                listener("gate", notification)

    def pass_by(self, plate: str) -> None:
        self.happen(plate_notification(passage(plate), TOKENS, image="/LPR/1.jpg"))


class Device:
    """The service as ONVIF's part calls it. ``where``: the address of the subscription last made."""

    def __init__(self, settings: OnvifEvents | None = None, clock: Clock | None = None) -> None:
        self.feed = Feed()
        self.clock = clock or SystemClock()
        self.told = Told()
        self.events = EventsService(settings or OnvifEvents(), self.feed, self.clock, emit=self.told.emit)
        self.table = Table.of([self.events.service()])
        self.where = ""

    async def ask(
        self, body: str, *, path: str | None = None, user: str = "nvr", header: str = "", gone: bool = False
    ) -> Element:
        """One request; the answer's body element, checked against the public schema. Raises Fault."""
        text = f"<env:Envelope {NS}><env:Header>{header}</env:Header><env:Body>{body}</env:Body></env:Envelope>"
        request = soap.parse(text.encode())
        handler = self.table.find(request).handler
        assert handler is not None
        path = self.where.removeprefix("http://cam:8000") if path is None else path
        call = Call(
            request, "http://cam:8000", "cam", path, self.clock.wall(), "192.0.2.9", user=user, gone=lambda: gone
        )
        found = handler(call)
        if not isinstance(found, Element | Reply):
            found = await found
        reply = found if isinstance(found, Reply) else Reply(found)
        written = soap.answer(reply.body, request, reply.action)
        answer = soap.parse(written).body
        assert schemas.faults(schemas.events(), schemas.alone(written)) == []
        if (address := answer.find(f".//{q('wsa:Address')}")) is not None:
            self.where = words(address)
        return answer

    async def create(self, inner: str = "", **more: Any) -> Element:
        return await self.ask(CREATE.format(inner), path="/onvif/events", **more)

    async def pull(self, timeout: str = "PT0S", limit: int = 10, **more: Any) -> list[Notification]:
        answer = await self.ask(question(timeout, str(limit)), **more)
        return [parse_notification(node)[0] for node in answer.findall(q("wsnt:NotificationMessage"))]

    async def fault(self, body: str, **more: Any) -> Fault:
        with pytest.raises(Fault) as error:
            await self.ask(body, **more)
        assert soap.refuse(error.value)
        return error.value


@asynccontextmanager
async def running(settings: OnvifEvents | None = None, clock: Clock | None = None) -> AsyncGenerator[Device, None]:
    device = Device(settings, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(device.events.run)
        await anyio.wait_all_tasks_blocked()
        yield device
        tasks.cancel_scope.cancel()
    assert device.feed.listeners == []


def plates(notifications: list[Notification]) -> list[str]:
    return [seen.plate for one in notifications if (seen := plate_of(one)) is not None]


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


# --- base notification -----------------------------------------------------------------------------------


class Receiver:
    """A notification consumer. ``answers``: statuses in turn, the last one for good."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers) or [200]
        self.got: list[bytes] = []
        self.came = anyio.Event()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(await request.read())
        self.came.set()
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def wait(self, count: int) -> None:
        with anyio.fail_after(20):
            while len(self.got) < count:
                await self.came.wait()
                self.came = anyio.Event()

    def plates(self) -> list[str]:
        nodes = [node for body in self.got for node in soap.parse(body).body.findall(q("wsnt:NotificationMessage"))]
        return plates([parse_notification(node)[0] for node in nodes])


@asynccontextmanager
async def receiving(*answers: int) -> AsyncGenerator[Receiver, None]:
    receiver = Receiver(*answers)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def test_a_subscriber_is_notified() -> None:
    notify = OnvifNotify(allow=("127.0.0.0/8",))
    only_plates = f"<wsnt:Filter>{topics('tns1:RuleEngine/Recognition//.')}</wsnt:Filter>"
    async with receiving() as receiver, running(OnvifEvents(notify=notify)) as device:
        await device.ask(subscribe(receiver.url, only_plates), path="/onvif/events")
        device.feed.pass_by("ABC1234")
        await receiver.wait(1)
        device.feed.pass_by("ABC1235")
        await receiver.wait(2)
        assert receiver.plates() == ["ABC1234", "ABC1235"]
        assert schemas.faults(schemas.events(), schemas.alone(receiver.got[0])) == []
        assert device.where.encode() in receiver.got[0]
        assert b"http://cam:8000/LPR/1.jpg" in receiver.got[0]
        fault = await device.fault(question("PT1S"))
        assert fault.subcodes == ("wsnt:UnableToGetMessagesFault",)
        await device.ask("<wsnt:Unsubscribe/>")
        device.feed.pass_by("ABC1236")
        await anyio.wait_all_tasks_blocked()
        assert len(receiver.got) == 2


async def test_subscriptions_outlive_a_server_that_is_started_again() -> None:
    device = Device(OnvifEvents(notify=OnvifNotify(allow=("127.0.0.1",))))
    async with receiving() as receiver:
        for count in (1, 2):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(device.events.run)
                await anyio.wait_all_tasks_blocked()
                if count == 1:
                    await device.ask(subscribe(receiver.url), path="/onvif/events")
                else:
                    device.feed.pass_by("ABC1234")
                await receiver.wait(count)
                tasks.cancel_scope.cancel()
        assert receiver.plates() == ["ABC1234"]


async def test_a_failed_notification_is_sent_again_and_redirections_are_not_followed() -> None:
    clock = ManualClock()
    notify = OnvifNotify(allow=("subscriber", "127.0.0.1"))
    async with receiving(500, 307, 200) as receiver, running(OnvifEvents(notify=notify, life=3600.0), clock) as device:
        await device.ask(subscribe(receiver.url), path="/onvif/events")
        for count in (1, 2, 3):
            await receiver.wait(count)
            await anyio.wait_all_tasks_blocked()
            while len(receiver.got) == count and count < 3:
                clock.advance(1)
                await anyio.lowlevel.checkpoint()
        assert receiver.got[0] == receiver.got[2]


async def test_a_subscriber_that_takes_nothing_is_given_up() -> None:
    notify = OnvifNotify(allow=("127.0.0.1",), attempts=1)
    async with receiving(200, 404) as receiver, running(OnvifEvents(notify=notify)) as device:
        await device.ask(subscribe(f"{receiver.url}?token=secret"), path="/onvif/events")
        await receiver.wait(1)
        device.feed.pass_by("ABC1234")
        (left,) = await device.told.of(ClientLeft)
        assert device.events.subscribers == 0
        assert isinstance(left, ClientLeft) and (left.server, left.reason) == ("onvif_events", "given up: status 404")
        assert left.client == receiver.url.removesuffix("/events") and left.sent >= 1


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


@pytest.mark.parametrize(
    ("consumer", "allowed"),
    [
        ("http://192.0.2.9:9000/x", True),
        ("http://[::ffff:192.0.2.9]/x", True),
        ("https://NVR.example/x", True),
        ("http://10.1.2.3/", True),
        ("http://192.0.2.10/", False),
        ("http://localhost/", False),
        ("http://169.254.169.254/latest", False),
        ("http://nvr.example.evil/", False),
        ("http://user:secret@10.1.2.3/", False),
        ("ftp://10.1.2.3/", False),
        ("file:///etc/passwd", False),
        ("http://", False),
        ("http://[::1", False),
        ("http://10.1.2.3:99999/", False),
        ("", False),
    ],
)
async def test_events_are_sent_where_it_is_allowed_alone(consumer: str, allowed: bool) -> None:
    notifier = Notifier(OnvifNotify(allow=("subscriber", "nvr.example", "10.0.0.0/8")), SystemClock(), lambda id: None)
    if allowed:
        notifier.check(consumer, "192.0.2.9")
        return
    with pytest.raises(NotAllowed):
        notifier.check(consumer, "192.0.2.9")
    async with running(OnvifEvents(notify=OnvifNotify(allow=("10.0.0.0/8",)))) as device:
        fault = await device.fault(subscribe(consumer.replace("&", "")), path="/onvif/events")
        assert fault.subcodes == ("wsnt:SubscribeCreationFailedFault",)


@pytest.mark.parametrize(
    "settings", [OnvifNotify(allow=("10.0.0.0/99",)), OnvifNotify(allow=("subscriber",), ca_file="/nowhere.pem")]
)
def test_a_section_that_cannot_be_used_is_refused(settings: OnvifNotify) -> None:
    with pytest.raises(NotifyError, match=r"onvif_events\.notify"):
        Notifier(settings, SystemClock(), lambda id: None)


def test_the_fault_of_a_long_question_names_the_limit() -> None:
    assert write_duration(OnvifEvents().max_timeout) == "PT300S"
