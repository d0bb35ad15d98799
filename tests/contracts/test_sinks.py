"""One suite for all sinks. See ``sinks.py``; a new sink adds its cases to ``CASES``."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from lpr.core.blobs import BlobStore
from lpr.core.clock import ManualClock
from lpr.core.delivery import Delivered, Refused, Unavailable
from lpr.core.errors import BlobDamagedError, BlobMissingError
from tests.contracts.http_push_case import HTTP_CASES
from tests.contracts.mqtt_case import MQTT_CASES
from tests.contracts.neural_case import NEURAL_CASES
from tests.contracts.sinks import SECRET, Behaviour, SinkCase, shipment

CASES = [*HTTP_CASES, *MQTT_CASES, *NEURAL_CASES]
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def needs(case: SinkCase, behaviour: Behaviour) -> None:
    """Skip what a receiver of this protocol cannot do."""
    if behaviour not in case.behaviours:
        pytest.skip(f"{case.name}: a receiver cannot express {behaviour!r}")


async def test_what_is_accepted_is_delivered(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        first, second = await shipment(blobs, "AB1", 2), await shipment(blobs, "AB2", 4)
        assert isinstance(await bench.sink.deliver(first), Delivered)
        assert isinstance(await bench.sink.deliver(second), Delivered)
        assert [got.plate for got in bench.got] == ["AB1", "AB2"]


async def test_a_repetition_has_the_same_id(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        for number in (2, 2, 4):
            await bench.sink.deliver(await shipment(blobs, "AB1", number))
        ids = [got.id for got in bench.got]
        assert ids[0] == ids[1] != ids[2]


async def test_what_the_receiver_does_not_want_is_refused(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    needs(case, "refuse")
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        await bench.behave("refuse")
        assert isinstance(await bench.sink.deliver(await shipment(blobs)), Refused)
        await bench.behave("accept")
        assert isinstance(await bench.sink.deliver(await shipment(blobs)), Delivered)


@pytest.mark.parametrize("behaviour", ["busy", "hang", "nonsense", "absent"])
async def test_a_receiver_that_cannot_take_anything_is_unavailable(
    case: SinkCase, tmp_path: Path, blobs: BlobStore, behaviour: Behaviour
) -> None:
    needs(case, behaviour)
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        await bench.sink.deliver(await shipment(blobs))
        await bench.behave(behaviour)
        with anyio.fail_after(20):
            outcome = await bench.sink.deliver(await shipment(blobs))
        assert isinstance(outcome, Unavailable)
        assert 0 < len(outcome.reason) < 600
        assert SECRET not in outcome.reason


async def test_after_an_outage_it_goes_on(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        for behaviour in ("busy", "hang"):
            await bench.behave(behaviour)
            assert isinstance(await bench.sink.deliver(await shipment(blobs)), Unavailable)
        await bench.behave("accept")
        assert isinstance(await bench.sink.deliver(await shipment(blobs)), Delivered)


async def test_a_wrong_password_waits_for_somebody(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    if case.name.endswith("none"):
        pytest.skip("no password")
    needs(case, "wrong password")
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        await bench.behave("wrong password")
        for _ in range(2):
            outcome = await bench.sink.deliver(await shipment(blobs))
            assert isinstance(outcome, Unavailable)
            assert SECRET not in outcome.reason
        await bench.behave("accept")
        assert isinstance(await bench.sink.deliver(await shipment(blobs)), Delivered)


async def test_an_answer_without_end_is_not_read_to_its_end(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        await bench.behave("endless")
        with anyio.fail_after(20):
            assert isinstance(await bench.sink.deliver(await shipment(blobs)), Delivered | Unavailable)


async def test_a_cancelled_delivery_leaves_the_sink_usable(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        await bench.behave("hang")
        sent = await shipment(blobs)
        with anyio.move_on_after(0.05) as scope:
            await bench.sink.deliver(sent)
        assert scope.cancelled_caught
        await bench.behave("accept")
        assert isinstance(await bench.sink.deliver(sent), Delivered)


async def test_a_lost_picture_is_sent_without_or_named(case: SinkCase, tmp_path: Path, blobs: BlobStore) -> None:
    async with case.open(tmp_path, blobs, ManualClock()) as bench:
        sent = await shipment(blobs)
        await blobs.remove([sent.signed.picture.blob])
        try:
            assert isinstance(await bench.sink.deliver(sent), Delivered)
        except (BlobMissingError, BlobDamagedError) as error:
            assert error.blob == sent.signed.picture.blob
