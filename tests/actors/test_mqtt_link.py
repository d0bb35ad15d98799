"""One connection to a broker, on asyncio and trio: brokers that are silent, hostile, or gone, and one that is none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import msgspec
import pytest

from lpr.actors.mqtt import LinkError
from lpr.actors.mqtt.link import Link
from lpr.config import Mqtt
from lpr.protocols.mqtt import Answer, Identity, TooLargeError
from tests.protocols.mqtt import broker

pytestmark = pytest.mark.anyio
Broker = Callable[[anyio.abc.SocketStream], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def link_to(handle: Broker, **settings: Any) -> AsyncGenerator[Link]:
    """A link to a broker of ``handle``; not open."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        section = msgspec.convert({"host": "127.0.0.1", "port": port, "tls": False, **settings}, Mqtt)
        link = Link(section, Identity("gate", keep_alive=10), None)
        with anyio.fail_after(30):
            yield link
        await link.drop()
        tasks.cancel_scope.cancel()


def saying(*answers: bytes, then: bytes = b"") -> Broker:
    """A broker that answers each portion with the next of ``answers``, and all later ones with ``then``."""

    async def handle(stream: anyio.abc.SocketStream) -> None:
        left = list(answers)
        async with stream:
            async for _ in stream:
                await stream.send(left.pop(0) if left else then)

    return handle


async def test_a_message_is_published_and_leave_is_taken() -> None:
    heard, gone = bytearray(), anyio.Event()

    async def handle(stream: anyio.abc.SocketStream) -> None:
        answers = [broker.CONNACK, broker.packet(0x40, b"\x00\x01"), broker.puback(2, 0x87, "no")]
        async with stream:
            async for data in stream:
                heard.extend(data)
                if answers:
                    await stream.send(answers.pop(0))
        gone.set()

    async with link_to(handle) as link:
        assert not link.is_open
        await link.open()
        assert await link.publish("a", b"1", retain=False) == Answer(0, "Success")
        assert await link.publish("a", b"2", retain=False) == Answer(0x87, "Not authorized (no)")
        await link.close()
        assert not link.is_open
        await gone.wait()
    assert heard.startswith(b"\x10") and heard.endswith(b"\xe0\x00")


async def test_other_messages_may_come_before_an_acknowledgement() -> None:
    stray = broker.message("$SYS/uptime", b"1", number=3)
    answer = stray + broker.puback(9, 0, "") + broker.packet(0x40, b"\x00\x01")
    async with link_to(saying(broker.CONNACK, answer, broker.packet(0x40, b"\x00\x02"))) as link:
        await link.open()
        assert not (await link.publish("a", b"1", retain=False)).refused


async def test_a_broker_that_is_silent_costs_no_more_than_the_callers_time() -> None:
    async with link_to(saying()) as link:
        with anyio.move_on_after(0.05) as scope:
            await link.open()
        assert scope.cancelled_caught
    async with link_to(saying(broker.CONNACK)) as link:
        await link.open()
        with anyio.move_on_after(0.05) as scope:
            await link.publish("a", b"1", retain=False)
        assert scope.cancelled_caught


async def test_a_broker_that_hangs_up_ends_the_wait_at_once() -> None:
    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(broker.CONNACK)
            await stream.receive()

    async with link_to(handle) as link:
        await link.open()
        with pytest.raises(LinkError, match=r"closed the connection|broke the connection off"):
            await link.publish("a", b"1", retain=False)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (broker.packet(0xE0, b"\x8d\x00"), "Keep alive timeout"),
        (b"\x30\xff\xff\xff\x7f", "at most 65536 are taken"),
        (b"\x30\xff\xff\xff\xff\xff", "more than four bytes"),
        (broker.CONNACK, "0x20"),
        (broker.message("a", b"", qos=2), "QoS 2"),
        (broker.packet(0x40, b"\x00\x01\x0b\x00"), "malformed"),
        (broker.packet(0x30, broker.text("a") + broker.properties(b"\x0b\x01" * 5000)), "10000 bytes of properties"),
    ],
)
async def test_a_hostile_broker_is_left(said: bytes, part: str) -> None:
    async with link_to(saying(broker.CONNACK, said)) as link:
        await link.open()
        with pytest.raises(LinkError, match=part):
            await link.publish("a", b"1", retain=False)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02F", b"SSH-2.0-x\r\n"])
async def test_what_is_no_broker_is_told_at_once(said: bytes) -> None:
    async with link_to(saying(said)) as link:
        with pytest.raises(LinkError, match="begins with 0x"):
            await link.open()


@pytest.mark.parametrize(
    ("version", "said", "part"),
    [
        ("5", b"\x00\x84\x00", 'version = "3.1.1"'),
        ("5", b"\x00\x86\x00", "password_file"),
        ("3.1.1", b"\x00\x05", "password_file"),
        ("3.1.1", b"\x00\x01", 'Unsupported protocol version; set version = "5"'),
        ("5", b"\x00\x89\x0b\x1f\x00\x08tomorrow", r"Server busy \(tomorrow\)"),
    ],
)
async def test_a_broker_that_says_no_is_quoted(version: str, said: bytes, part: str) -> None:
    async with link_to(saying(broker.packet(0x20, said)), version=version) as link:
        with pytest.raises(LinkError, match=part):
            await link.open()


async def test_what_the_broker_does_not_take_leaves_the_connection_as_it_is() -> None:
    connack = broker.packet(0x20, b"\x00\x00" + broker.properties(b"\x27\x00\x00\x00\x20"))
    async with link_to(saying(connack, broker.packet(0x40, b"\x00\x02"))) as link:
        await link.open()
        with pytest.raises(TooLargeError):
            await link.publish("a", b"x" * 100, retain=False)
        assert not (await link.publish("a", b"x", retain=False)).refused


async def test_a_sign_of_life_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("paho.mqtt.client.time_func", lambda: now)
    async with link_to(saying(broker.CONNACK, broker.PONG)) as link:
        await link.open()
        await link.look()
        now += 10
        await link.look()
        now += 10
        with anyio.move_on_after(0.05) as scope:
            await link.look()
        assert scope.cancelled_caught


async def test_a_broker_that_went_is_noticed_between_messages() -> None:
    gone = anyio.Event()

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(broker.CONNACK)
        gone.set()

    async with link_to(handle) as link:
        await link.open()
        await gone.wait()
        with pytest.raises(LinkError, match="has closed the connection"):
            while True:
                await link.look()
