"""The passages for a server's clients: order by pages and from memory, bytes built once, bounded, the same again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from lpr.core.delivery import Shipment
from lpr.core.feed import PAGE, RECENT, Feed, Pictures
from lpr.events import BlobMissing
from tests.actors.milesight_rig import Rig, rig

pytestmark = pytest.mark.anyio


@dataclass
class Fed:
    """A feed that writes ``<plate> <plate picture> <full picture>`` and leaves out plates that begin with X."""

    r: Rig
    images: str = "all"
    cache: int = 1000
    built: list[str] = field(default_factory=list[str])
    missing: list[BlobMissing] = field(default_factory=list[BlobMissing])
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(
            self.r.log,
            self.r.blobs,
            encode=self.encode,
            images=self.images,
            cache=self.cache,
            server="test",
            noticed=self.missing.append,
        )

    def encode(self, shipment: Shipment, pictures: Pictures) -> bytes | None:
        self.built.append(shipment.decided.plate)
        if shipment.decided.plate.startswith("X"):
            return None
        return f"{shipment.decided.plate} {pictures.plate} {pictures.full}".encode()


@asynccontextmanager
async def fed(folder: Path, images: str = "all", cache: int = 1000) -> AsyncGenerator[Fed]:
    async with rig(folder) as r:
        yield Fed(r, images, cache)


@pytest.mark.parametrize(
    ("images", "text"),
    [
        ("all", "AA11 b'plate' b'full'"),
        ("plate", "AA11 b'plate' None"),
        ("full", "AA11 None b'full'"),
        ("none", "AA11 None None"),
    ],
)
async def test_only_the_pictures_that_are_wanted_are_read(tmp_path: Path, images: str, text: str) -> None:
    async with fed(tmp_path, images) as f:
        number = await f.r.passage("AA11")
        assert await f.feed.message(number) == text.encode()
        assert f.r.blobs.reads == {"all": 2, "none": 0}.get(images, 1)


async def test_many_who_ask_at_once_have_it_built_once(tmp_path: Path) -> None:
    async with fed(tmp_path) as f:
        number = await f.r.passage("AA11")
        got: list[bytes | None] = []

        async def ask() -> None:
            got.append(await f.feed.message(number))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
        assert f.built == ["AA11"]
        assert all(message is got[0] for message in got)
        assert f.feed.ready(number) is got[0]


async def test_what_the_server_does_not_send_is_nothing_and_not_asked_again(tmp_path: Path) -> None:
    async with fed(tmp_path) as f:
        number = await f.r.passage("X1")
        assert await f.feed.message(number) is None
        assert await f.feed.message(number) is None
        assert f.built == ["X1"]
        assert await f.feed.message(number + 1) is None
        assert await f.feed.message(number - 1) is None, "PassageDecided is no signed passage"


async def test_the_cache_is_bounded_and_what_fell_out_is_built_with_the_same_bytes(tmp_path: Path) -> None:
    async with fed(tmp_path, cache=60) as f:
        numbers = [await f.r.passage(f"AA{number}") for number in range(10)]
        first = [await f.feed.message(number) for number in numbers]
        assert 0 < f.feed.cached <= 60
        assert [await f.feed.message(number) for number in numbers] == first
        assert len(f.built) == 20


async def test_a_lost_picture_is_told_once(tmp_path: Path) -> None:
    async with fed(tmp_path, cache=1) as f:
        numbers = [await f.r.passage(plate, full=b"the same") for plate in ("AA11", "BB22")]
        await f.r.blobs.remove([await f.r.blobs.put(b"the same")])
        for number in numbers:
            assert (await f.feed.message(number) or b"").endswith(b"None")
        assert [event.noticed_by for event in f.missing] == ["test"]


async def test_the_order_is_the_same_from_memory_and_from_the_log(tmp_path: Path) -> None:
    async with fed(tmp_path) as f:
        old = [await f.r.passage(f"AA{number}") for number in range(3)]
        late = Fed(f.r)
        woken = 0

        def wake() -> None:
            nonlocal woken
            woken += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(late.feed.follow, wake)
            new = [await f.r.passage(f"BB{number}") for number in range(PAGE)]
            await f.r.until(lambda: woken > 0)
            await f.r.settle()
            assert await late.feed.after(0) == [*old, *new][:PAGE]
            assert await late.feed.after(old[-1]) == new
            assert await late.feed.after(new[5]) == new[6:]
            assert await late.feed.after(new[-1]) == []
            tasks.cancel_scope.cancel()


async def test_the_last_few(tmp_path: Path) -> None:
    async with fed(tmp_path) as f:
        assert await f.feed.start_of_last(3) == 0
        numbers = [await f.r.passage(f"AA{number}") for number in range(5)]
        start = await f.feed.start_of_last(3)
        assert await Fed(f.r).feed.after(start) == numbers[-3:]
        assert await f.feed.start_of_last(0) == f.r.log.head
        assert await f.feed.start_of_last(RECENT) == 0
