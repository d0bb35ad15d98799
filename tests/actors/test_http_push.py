"""The HTTP push beyond the contract of all sinks: the request itself, challenges, redirections, TLS, settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from msgspec.structs import replace

from lpr.actors.http_push import HttpPushSink, PushError
from lpr.config import HttpPush
from lpr.core.blobs import BlobStore
from lpr.core.clock import SIMULATED_START, ManualClock
from lpr.core.delivery import Delivered, Refused, Shipment, Unavailable
from tests.contracts.sinks import shipment
from tools.fake_receiver import Receiver, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def push(url: str, blobs: BlobStore, password: str = "", **settings: Any) -> HttpPushSink:
    return HttpPushSink(
        HttpPush(url=url, **settings),
        blobs=blobs,
        clock=ManualClock(),
        password=password,
        utc_offset="+01:00",
        lane_numbers={"gate": 3},
    )


def fields(receiver: Receiver, index: int = -1) -> dict[str, Any]:
    return receiver.got[index].fields


async def deliver(sink: HttpPushSink, sent: Shipment) -> object:
    async with sink:
        return await sink.deliver(sent)


async def test_a_post_has_all_keys(blobs: BlobStore) -> None:
    receiver = Receiver(body=b"thanks\r\n\x07a lot")
    async with serving(receiver) as address:
        outcome = await deliver(push(f"{address}/post", blobs, device="Gate 1"), await shipment(blobs, "AB1"))
    assert outcome == Delivered("200 thanks a lot")
    got = fields(receiver)
    assert got["device"] == "Gate 1"
    assert got["time"] == got["time_msec"] == "2024-02-01 07:00:05.509"
    assert (got["plate"], got["detection_region"], got["type"]) == ("AB1", "3", "Visitor")
    assert (got["plate_image"]["bytes"], got["full_image"]["bytes"]) == (9, 8)
    assert receiver.got[0].id == "01970000-0000-8000-8000-000000000002"


@pytest.mark.parametrize(
    ("images", "keys"), [("none", set[str]()), ("plate", {"plate_image"}), ("full", {"full_image"})]
)
async def test_images_by_configuration(blobs: BlobStore, images: str, keys: set[str]) -> None:
    receiver = Receiver()
    async with serving(receiver) as address:
        await deliver(push(address, blobs, images=images, milliseconds=False), await shipment(blobs))
    assert {"plate_image", "full_image"} & fields(receiver).keys() == keys
    assert fields(receiver)["time"] == "2024-02-01 07:00:05"


async def test_a_get_joins_the_query(blobs: BlobStore) -> None:
    receiver = Receiver()
    async with serving(receiver) as address:
        url = f"{address}/api/lpr?key=a%2Fb"
        assert isinstance(await deliver(push(url, blobs, method="get"), await shipment(blobs, "부산1")), Delivered)
    assert receiver.seen == [("GET", "/api/lpr?key=a%2Fb&Caption=LPR&description=%EB%B6%80%EC%82%B01", 200)]


@pytest.mark.parametrize(
    ("auth", "algorithm"), [("basic", ""), ("digest", "MD5"), ("digest", "SHA-256"), ("both", "MD5")]
)
async def test_a_challenge_costs_one_request_once(blobs: BlobStore, auth: str, algorithm: str) -> None:
    receiver = Receiver(auth=auth, user="lpr", password="pässword", algorithm=algorithm or "MD5")
    async with serving(receiver) as address, push(address, blobs, "pässword", user="lpr") as sink:
        for number in (2, 4, 6):
            assert isinstance(await sink.deliver(await shipment(blobs, "AB1", number)), Delivered)
    assert [status for _, _, status in receiver.seen] == [401, 200, 200, 200]


async def test_credentials_in_the_address_are_used_and_not_shown(blobs: BlobStore) -> None:
    receiver = Receiver(auth="digest", user="lpr", password="p@ss")
    async with serving(receiver) as address:
        url = address.replace("http://", "http://lpr:p%40ss@")
        async with push(f"{url}/x", blobs) as sink:
            assert isinstance(await sink.deliver(await shipment(blobs)), Delivered)
            receiver.answer = 503
            outcome = await sink.deliver(await shipment(blobs))
    assert outcome == Unavailable(f"{address}/x answered 503 ok")


async def test_a_challenge_without_credentials_says_so(blobs: BlobStore) -> None:
    async with serving(Receiver(auth="basic")) as address:
        outcome = await deliver(push(address, blobs), await shipment(blobs))
    assert isinstance(outcome, Unavailable)
    assert "it wants a user and a password_file" in outcome.reason


async def test_the_receivers_wish_to_wait_is_kept(blobs: BlobStore) -> None:
    receiver = Receiver(answer=429, headers={"Retry-After": "17"})
    async with serving(receiver) as address, push(address, blobs) as sink:
        assert await sink.deliver(await shipment(blobs)) == Unavailable(f"{address} answered 429 ok", 17.0)
        receiver.headers = {"Retry-After": "Sun, 15 Jun 2025 15:07:40 GMT"}
        outcome = await sink.deliver(await shipment(blobs))
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == 60.0
    assert SIMULATED_START == 1_750_000_000_000_000


async def test_redirections_stay_with_the_receiver(blobs: BlobStore) -> None:
    elsewhere = Receiver()
    receiver = Receiver(answer=307)
    async with serving(elsewhere) as other, serving(receiver) as address, push(f"{address}/a", blobs) as sink:
        receiver.headers = {"Location": f"{other}/b"}
        outcome = await sink.deliver(await shipment(blobs))
        assert isinstance(outcome, Unavailable)
        assert f"it points to {other}/b, which is not followed" in outcome.reason
        receiver.headers = {"Location": "/b"}
        assert isinstance(await sink.deliver(await shipment(blobs)), Unavailable)
    assert elsewhere.seen == []
    assert [path for _, path, _ in receiver.seen] == ["/a", "/a", "/b", "/b", "/b"]


async def test_a_long_answer_is_cut(blobs: BlobStore) -> None:
    receiver = Receiver(answer=400, body=b"x" * 1_000_000)
    async with serving(receiver) as address, push(address, blobs, max_answer=1000) as sink:
        outcome = await sink.deliver(await shipment(blobs))
        assert isinstance(outcome, Refused)
        assert len(outcome.reason) < 300
        receiver.answer = 200
        assert isinstance(await sink.deliver(await shipment(blobs)), Delivered)


async def test_a_lost_picture_leaves_an_empty_value(blobs: BlobStore) -> None:
    receiver = Receiver()
    sent = await shipment(blobs)
    await blobs.remove([sent.signed.plate_picture.blob])
    async with serving(receiver) as address:
        assert isinstance(await deliver(push(address, blobs), sent), Delivered)
    assert fields(receiver)["plate_image"]["bytes"] == 0


async def test_tls_is_verified(blobs: BlobStore, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    context.load_cert_chain(tmp_path / "server.pem")
    receiver = Receiver()
    application = web.Application(client_max_size=1 << 20)
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        outcome = await deliver(push(url, blobs), await shipment(blobs))
        assert isinstance(outcome, Unavailable)
        assert "not trusted" in outcome.reason
        assert "ca_file" in outcome.reason
        assert receiver.seen == []
        trusting = push(url, blobs, ca_file=str(tmp_path / "ca.pem"))
        assert isinstance(await deliver(trusting, await shipment(blobs)), Delivered)
    finally:
        await runner.cleanup()


async def test_settings_that_cannot_work_are_named(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(PushError, match="push: a user without a password"):
        push("http://h", blobs, user="lpr")
    with pytest.raises(PushError, match=r"push: ca_file .*no\.pem"):
        push("http://h", blobs, ca_file=str(tmp_path / "no.pem"))


async def test_a_plate_nobody_could_read(blobs: BlobStore) -> None:
    receiver = Receiver()
    sent = await shipment(blobs)
    unread = Shipment(sent.record, sent.passage, replace(sent.decided, plate="", characters=()), sent.signed)
    async with serving(receiver) as address:
        assert isinstance(await deliver(push(address, blobs), unread), Delivered)
    assert fields(receiver)["plate"] == "-"
