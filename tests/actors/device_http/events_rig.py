"""The events service as ONVIF's part calls it, events as a test makes them, and a receiver of notifications."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import anyio
import pytest
from aiohttp import web

from lpr.actors.device_http.onvif_events import EventsService
from lpr.config import OnvifEvents
from lpr.core.clock import Clock, SystemClock
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.operations import Call, Reply, Table
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import words
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
