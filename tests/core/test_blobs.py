"""Pictures: named by their hash, durable, atomic, idempotent."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import NoReturn

import anyio
import pytest

from lpr.core.blobs import BlobDamagedError, BlobMissingError, BlobStore, BlobUnavailableError

pytestmark = pytest.mark.anyio


async def test_a_picture_is_named_by_its_hash(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    name = await store.put(b"jpeg")
    assert name == hashlib.sha256(b"jpeg").hexdigest()
    assert await store.get(name) == b"jpeg"
    assert store.path(name) == tmp_path / "blobs" / name[:2] / name
    assert store.has(name)


async def test_the_same_picture_twice_is_one_file(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(store.put, b"same")
    assert len(await store.listing()) == 1
    assert await store.total() == 4
    assert await store.clean() == 0


async def test_storing_again_makes_the_file_young(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = await store.put(b"old")
    os.utime(store.path(name), (1000, 1000))
    before = await store.now()
    await store.put(b"old")
    assert (await store.listing())[0].modified >= before - 1_000_000
    assert (await store.remove([name], unmodified_since=1_000_000_001)).files == 0
    assert store.has(name)


async def test_missing_and_damaged_pictures_are_told_apart(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = await store.put(b"whole")
    with pytest.raises(BlobMissingError, match="is missing"):
        await store.get("0" * 64)
    store.path(name).write_bytes(b"whale")
    with pytest.raises(BlobDamagedError, match="is damaged"):
        await store.get(name)
    assert await store.put(b"whole") == name
    assert await store.get(name) == b"whole"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
async def test_only_names_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a picture"):
        BlobStore(tmp_path).path(name)


async def test_removing_frees_and_forgives(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    names = [await store.put(bytes([n]) * 100) for n in range(3)]
    removed = await store.remove([*names[:2], "f" * 64])
    assert (removed.files, removed.bytes) == (2, 200)
    assert [stored.blob for stored in await store.listing()] == names[2:]


async def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BlobStore(tmp_path)
    await store.put(b"before")

    def full(handle: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BlobUnavailableError, match="No space left on device; make room"):
            await store.put(b"too much")
    assert len(await store.listing()) == 1
    assert list((tmp_path / "tmp").iterdir()) == []
    assert await store.put(b"too much")
    assert len(await store.listing()) == 2


async def test_a_folder_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = await store.put(b"x")
    store.path(name).unlink()
    store.path(name).parent.rmdir()
    assert await store.put(b"x") == name
    assert await store.get(name) == b"x"


async def test_what_a_crash_left_behind_is_cleaned(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    await store.put(b"x")
    (tmp_path / "tmp" / "99-1-abc").write_bytes(b"half")
    assert await store.clean() == 1
    assert len(await store.listing()) == 1
