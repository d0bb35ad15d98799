"""The slot between a giver of frames and their taker."""

from __future__ import annotations

import anyio
import pytest

from lpr.core.frames import Slot, SlotClosed

pytestmark = pytest.mark.anyio


async def test_a_lossy_slot_keeps_the_latest_and_counts_the_others() -> None:
    slot: Slot[int] = Slot()
    for number in range(5):
        await slot.put(number)
    assert await slot.get() == 4
    assert slot.dropped == 4


async def test_a_lossless_slot_loses_nothing() -> None:
    slot: Slot[int] = Slot(lossy=False)
    taken: list[int] = []

    async def give() -> None:
        for number in range(50):
            await slot.put(number)
        slot.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give)
        with pytest.raises(SlotClosed):
            while True:
                taken.append(await slot.get())
    assert taken == list(range(50))
    assert slot.dropped == 0


async def test_a_slot_with_room_lets_the_giver_go_ahead_so_far() -> None:
    slot: Slot[int] = Slot(lossy=False, room=3)
    given: list[int] = []
    rest: list[int] = []

    async def give() -> None:
        for number in range(8):
            await slot.put(number)
            given.append(number)
        slot.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give)
        await anyio.wait_all_tasks_blocked()
        assert given == [0, 1, 2]
        assert await slot.get() == 0
        await anyio.wait_all_tasks_blocked()
        assert await slot.get_all() == [1, 2, 3]
        slot.room = 1
        await anyio.wait_all_tasks_blocked()
        assert await slot.get_all() == [4]
        with pytest.raises(SlotClosed):
            while True:
                rest += await slot.get_all()
    assert rest == [5, 6, 7]


async def test_a_lossy_slot_holds_one_item_whatever_its_room() -> None:
    slot: Slot[int] = Slot(room=5)
    await slot.put(1)
    await slot.put(2)
    assert await slot.get_all() == [2]
    assert slot.dropped == 1


async def test_what_is_in_a_closed_slot_can_still_be_taken() -> None:
    slot: Slot[str] = Slot()
    await slot.put("last")
    slot.close()
    assert await slot.get() == "last"
    with pytest.raises(SlotClosed):
        await slot.get()
    with pytest.raises(SlotClosed):
        await slot.put("too late")


async def test_closing_wakes_who_waits() -> None:
    full: Slot[int] = Slot(lossy=False)
    empty: Slot[int] = Slot()
    await full.put(1)
    ended: list[str] = []

    async def giver() -> None:
        with pytest.raises(SlotClosed):
            await full.put(2)
        ended.append("giver")

    async def taker() -> None:
        with pytest.raises(SlotClosed):
            await empty.get()
        ended.append("taker")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(giver)
        tasks.start_soon(taker)
        await anyio.wait_all_tasks_blocked()
        full.close()
        empty.close()
    assert sorted(ended) == ["giver", "taker"]


async def test_a_cancelled_taker_leaves_the_item() -> None:
    slot: Slot[int] = Slot()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await slot.get()
    await slot.put(7)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await slot.get()
    assert await slot.get() == 7
