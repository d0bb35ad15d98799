"""Samples from many processes at once, through shared memory, without copies in queues.

Each worker fills blocks of ``BLOCK`` samples; a block is a function of (seed, worker, number of the block), only the
order in which blocks of several workers arrive is not. With no workers the blocks are made in place (for tests).
"""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing import shared_memory
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.gather import load
from tools.train.lettering import Lettering, find_fonts, find_symbols
from tools.train.plates_data import HEIGHT, SLOTS, WIDTH, PlateFactory

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

__all__ = ["BLOCK", "ROW", "Recipe", "blocks", "make_block", "make_factory", "unpack"]

BLOCK: Final = 256
ROW: Final = HEIGHT * WIDTH + SLOTS + 2
"""Bytes of one sample: patch, label, style, two_rows (the last ones int8)."""

Block = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make. ``fonts``: folder or None; ``real``: file of ``tools.train.gather`` or None. ``ramp``: over so
    many samples of a worker the pictures get from easy to as hard as they come (0: hard from the start)."""

    seed: int
    fonts: Path | None = None
    real: Path | None = None
    variants: int = 6
    real_share: float = 0.1
    ramp: int = 0


def make_factory(recipe: Recipe) -> PlateFactory:
    """The factory of a recipe; the variants of the faces depend on the seed alone."""
    cv2.setNumThreads(1)
    lettering = Lettering(find_fonts(recipe.fonts), recipe.variants, np.random.default_rng(recipe.seed))
    symbols = find_symbols(recipe.fonts)
    if recipe.real is None:
        return PlateFactory(lettering, np.zeros((0, 2, 2), np.uint8), (), symbols=symbols)
    return PlateFactory(lettering, *load(recipe.real), real_share=recipe.real_share, symbols=symbols)


def make_block(factory: PlateFactory, recipe: Recipe, worker: int, number: int, out: Block) -> None:
    """Fill ``out`` (n, ROW) with the samples of block ``number`` of ``worker``."""
    rng = np.random.default_rng((recipe.seed, worker, number))
    hardness = min(1.0, 0.25 + 0.75 * number * BLOCK / recipe.ramp) if recipe.ramp else 1.0
    size = HEIGHT * WIDTH
    for row in out:
        sample = factory.sample(rng, hardness)
        row[:size] = sample.patch.ravel()
        row[size : size + SLOTS] = sample.label.view(np.uint8)
        row[size + SLOTS :] = np.array([sample.style, sample.two_rows], np.int8).view(np.uint8)


def unpack(rows: Block) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """(patches (n, HEIGHT, WIDTH), labels (n, SLOTS), styles (n,), two_rows (n,)) of rows (n, ROW)."""
    size = HEIGHT * WIDTH
    tail = rows[:, size:].copy().view(np.int8)
    return rows[:, :size].reshape(-1, HEIGHT, WIDTH), tail[:, :SLOTS], tail[:, SLOTS], tail[:, SLOTS + 1]


def _work(recipe: Recipe, worker: int, name: str, count: int, free: Queue[int], full: Queue[int]) -> None:
    memory = shared_memory.SharedMemory(name=name)
    ring = np.ndarray((count, BLOCK, ROW), np.uint8, buffer=memory.buf)
    factory = make_factory(recipe)
    number = 0
    while True:
        index = free.get()
        if index < 0:
            break
        make_block(factory, recipe, worker, number, ring[index])
        number += 1
        full.put(index)
    del ring
    memory.close()


def blocks(recipe: Recipe, workers: int) -> Generator[Block | None, None, None]:
    """Blocks for ever, each valid until the next is asked for; None when no block is ready at the moment."""
    if workers == 0:
        factory = make_factory(recipe)
        own = np.empty((BLOCK, ROW), np.uint8)
        number = 0
        while True:
            make_block(factory, recipe, 0, number, own)
            number += 1
            yield own
    yield from _shared(recipe, workers)


def _shared(recipe: Recipe, workers: int) -> Generator[Block | None, None, None]:
    context = multiprocessing.get_context("spawn")
    count = workers * 4
    memory = shared_memory.SharedMemory(create=True, size=count * BLOCK * ROW)
    free: Queue[int] = context.Queue()
    full: Queue[int] = context.Queue()
    ring = np.ndarray((count, BLOCK, ROW), np.uint8, buffer=memory.buf)
    for index in range(count):
        free.put(index)
    processes = [
        context.Process(target=_work, args=(recipe, worker, memory.name, count, free, full), daemon=True)
        for worker in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        while True:
            if not any(process.is_alive() for process in processes):
                raise RuntimeError("every worker that renders plates has stopped; its error is printed above")
            try:
                index = full.get_nowait()
            except queue.Empty:
                yield None
                continue
            yield ring[index]
            free.put(index)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        del ring
        memory.close()
        memory.unlink()
