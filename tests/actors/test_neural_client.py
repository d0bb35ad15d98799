"""The socket client beyond the sinks' contract: what confirms a delivery, which passages go out, repetitions' waits."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc
import msgspec
import pytest

from lpr.actors.neural import NeuralClientSink
from lpr.config import NeuralClient
from lpr.core.blobs import BlobStore
from lpr.core.delivery import Delivered, Unavailable
from lpr.core.offload import inline
from lpr.protocols.neural import MessageReader, Received
from tests.contracts.sinks import shipment

pytestmark = pytest.mark.anyio
Handler = Callable[[anyio.abc.SocketStream], Awaitable[None]]


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", inline)


@asynccontextmanager
async def receiver(handler: Handler) -> AsyncGenerator[int]:
    """A listening port whose connections ``handler`` serves."""
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handler)
        yield int(listener.extra(anyio.abc.SocketAttribute.local_port))
        tasks.cancel_scope.cancel()


def sink(port: int, blobs: BlobStore, **settings: object) -> NeuralClientSink:
    given = {"host": "127.0.0.1", "port": port, "linger": 0.1, "timeout": 5.0, **settings}
    return NeuralClientSink(msgspec.convert(given, NeuralClient), blobs=blobs, lane_numbers={"gate": 3})


async def everything(stream: anyio.abc.SocketStream) -> bytes:
    data = b""
    async for portion in stream:
        data += portion
    return data


async def test_a_receiver_that_reads_to_the_end_and_closes_confirms(blobs: BlobStore) -> None:
    got: list[bytes] = []

    async def handler(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            got.append(await everything(stream))

    async with receiver(handler) as port:
        outcome = await sink(port, blobs, confirm="closed", plate_evidence=True).deliver(await shipment(blobs, "AB1"))
        assert isinstance(outcome, Delivered)
        assert outcome.answer.endswith("closed by the receiver")
    reader = MessageReader()
    reader.feed(got[0])
    [message] = reader.messages()
    assert isinstance(message, Received)
    assert (message.record.plate, message.record.lane_id) == ("AB1", "3")
    assert message.record.image == b"\xff\xd8full\xff\xd9"
    assert [evidence.image for evidence in message.record.evidences] == [b"\xff\xd8plate\xff\xd9"]
    assert message.deviations == ()


@pytest.mark.parametrize(("confirm", "outcome"), [("received", Delivered), ("closed", Unavailable)])
async def test_a_receiver_that_keeps_its_connection_open(blobs: BlobStore, confirm: str, outcome: type) -> None:
    async def handler(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await everything(stream)
            await anyio.sleep_forever()

    async with receiver(handler) as port:
        found = await sink(port, blobs, confirm=confirm).deliver(await shipment(blobs))
        assert isinstance(found, outcome)
        if isinstance(found, Unavailable):
            assert 'set confirm = "received"' in found.reason


@pytest.mark.parametrize("confirm", ["received", "closed"])
async def test_a_receiver_that_resets_the_connection_has_not_read(blobs: BlobStore, confirm: str) -> None:
    async def handler(stream: anyio.abc.SocketStream) -> None:
        sock = stream.extra(anyio.abc.SocketAttribute.raw_socket)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await stream.receive(1)
        await anyio.aclose_forcefully(stream)

    async with receiver(handler) as port:
        found = await sink(port, blobs, confirm=confirm, linger=3).deliver(await shipment(blobs))
        assert isinstance(found, Unavailable)
        assert f"127.0.0.1:{port}" in found.reason


async def test_passages_of_other_cameras_are_not_sent(blobs: BlobStore) -> None:
    outcome = await sink(1, blobs, cameras=["yard"]).deliver(await shipment(blobs))
    assert outcome == Delivered("not of these cameras")


async def test_a_host_that_is_not_there(blobs: BlobStore) -> None:
    outcome = await sink(1, blobs, host="host.invalid").deliver(await shipment(blobs))
    assert isinstance(outcome, Unavailable)
    assert outcome.reason.startswith("host.invalid:1: ")


def test_how_deliveries_are_repeated(blobs: BlobStore) -> None:
    policy = sink(1, blobs, retry_first=2.0, retry_max=60.0, max_attempts=7).policy
    assert (policy.first, policy.longest, policy.max_attempts) == (2.0, 60.0, 7)
