"""Base notification: who is notified, when it is given up, and where events may be sent."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from lpr.actors.device_http.onvif_events.notify import NotAllowed, Notifier, NotifyError
from lpr.config import OnvifEvents, OnvifNotify
from lpr.core.clock import ManualClock, SystemClock
from lpr.events import ClientLeft
from tests.actors.device_http.events_rig import Device, question, receiving, running, subscribe, topics
from tests.protocols.onvif_metadata import schemas

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
