"""Train the reader: ``python -m tools.train.reader --out DIR [--steps N | --seconds S] [--real FILE] [--fonts DIR]``.

Plates are rendered by worker processes into a buffer from which batches are drawn, so a fast GPU is not held up by
the rendering (each picture is then seen a few times, each time with other light and noise). It resumes from
``DIR/checkpoint.pt``; progress is a JSON line now and then on standard output and in ``DIR/progress.jsonl``. A GPU is
used when there is one. ``python -m tools.train.export_reader`` makes the ONNX file of the result.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lpr.vision.manifest import ModelError
from tools.train.mean import weights_of
from tools.train.normalizations import MEASURED, pictures
from tools.train.plates_data import HEIGHT, SLOTS, WIDTH
from tools.train.reader_net import CLASSES, FULL, LARGE, LIGHT, STEPS, ReaderNet, Shape, adopt
from tools.train.restore import restore
from tools.train.stream import BLOCK, ROW, Recipe, blocks
from tools.train.teacher import Lesson, Teacher, lesson_loss

__all__ = ["Schedule", "collapse", "loss_of", "main", "rate_at", "train"]

BLANK = CLASSES - 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """``steps`` or ``seconds`` end the training (0: not by that). ``rate``: peak learning rate; ``warm``: steps of
    warm-up; ``ema``: decay of the averaged weights; ``capacity``: samples in the buffer; ``ready``: samples that must
    be there before the first step; ``reuse``: how often each is seen at least, so that rendering leaves time."""

    steps: int = 2000
    seconds: float = 0.0
    batch: int = 128
    rate: float = 2e-3
    warm: int = 200
    ema: float = 0.998
    capacity: int = 200_000
    ready: int = 2048
    reuse: float = 3.0
    report: float = 15.0


def rate_at(schedule: Schedule, step: int, progress: float) -> float:
    """Learning rate: linear warm-up, then a cosine to a hundredth over ``progress`` from 0 to 1."""
    warm = min(1.0, (step + 1) / max(1, schedule.warm))
    return schedule.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def loss_of(
    net: ReaderNet, pixels: Tensor, label: Tensor, style: Tensor, rows: Tensor, lesson: Lesson | None = None
) -> tuple[Tensor, Tensor]:
    """(loss, share of texts wholly right). ``style`` and ``rows`` are -1 where unknown; ``lesson``: a teacher's."""
    chars, styles, two = net(pixels)
    lengths = (label != BLANK).sum(1)
    steps = torch.full_like(lengths, STEPS)
    shares = functional.log_softmax(chars.float(), -1).transpose(0, 1)
    loss = functional.ctc_loss(shares, label, steps, lengths, blank=BLANK, zero_infinity=True)
    loss = loss + 0.08 * functional.cross_entropy(styles.float(), style, ignore_index=-1)
    known = (rows >= 0).float()
    row_loss = functional.binary_cross_entropy_with_logits(two.float(), rows.clamp(min=0).float(), reduction="none")
    loss = loss + 0.05 * (row_loss * known).sum() / known.sum().clamp(min=1)
    if lesson is not None:
        right = (collapse(lesson.chars) == label).all(1)
        loss = loss + lesson_loss(lesson, right, chars, styles, lengths)
    exact = (collapse(chars) == label).all(1).float().mean()
    return loss, exact


@torch.no_grad()
def collapse(chars: Tensor) -> Tensor:
    """The greedy text of CTC outputs (N, STEPS, 37): (N, SLOTS), padded with the blank; the rest is cut off."""
    best = chars.argmax(-1)
    before = functional.pad(best[:, :-1], (1, 0), value=BLANK)
    keep = (best != BLANK) & (best != before)
    place = torch.where(keep, keep.long().cumsum(1) - 1, SLOTS).clamp(max=SLOTS)
    out = torch.full((len(best), SLOTS + 1), BLANK, dtype=best.dtype, device=best.device)
    out.scatter_(1, place, torch.where(keep, best, BLANK))
    return out[:, :SLOTS]


def _vary(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Other light and a little noise for a picture that is seen again."""
    count = len(pixels)
    device = pixels.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand((count, 1, 1, 1), generator=generator, device=device) * (high - low) + low

    noise = torch.randn(pixels.shape, generator=generator, device=device)
    quiet = (uniform(0, 1) < 0.5).float()
    out = pixels * uniform(0.75, 1.25) + uniform(-25, 25) + noise * uniform(0, 6) * quiet
    return out.clamp(0, 255)


class _Average:
    """Exponential moving average of the weights."""

    def __init__(self, net: ReaderNet, decay: float) -> None:
        self.decay = decay
        self.state = {key: value.detach().clone() for key, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: ReaderNet, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 10))
        state = net.state_dict()
        own = [self.state[key] for key in state if self.state[key].is_floating_point()]
        new = [value for value in state.values() if value.is_floating_point()]
        for mine, other in zip(own, new, strict=True):
            mine.lerp_(other, 1 - decay)


def train(
    out: Path,
    recipe: Recipe,
    schedule: Schedule,
    workers: int,
    threads: int,
    device: str,
    init: Mapping[str, Tensor] | None = None,
    shape: Shape = FULL,
    teacher: Teacher | None = None,
    bf16: bool = False,
) -> Path:
    """Train until the schedule ends; returns the path of the averaged weights (``DIR/reader.pt``). ``bf16``: multiply
    in bfloat16 on a CPU, too; a GPU always does.

    Raises ValueError for a schedule that would never end or begin.
    """
    _check(schedule)
    out.mkdir(parents=True, exist_ok=True)
    cast("Any", torch).manual_seed(recipe.seed)
    torch.set_num_threads(threads)
    where = torch.device(device)
    gpu = where.type == "cuda"
    net = cast("ReaderNet", cast("Any", ReaderNet(shape).to(where)).to(memory_format=torch.channels_last))
    average = _Average(net, schedule.ema)
    gentle = [p for p in net.parameters() if p.ndim < 2]
    strong = [p for p in net.parameters() if p.ndim >= 2]
    groups: list[dict[str, Any]] = [{"params": strong, "weight_decay": 0.02}, {"params": gentle, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=schedule.rate, betas=(0.9, 0.98), fused=gpu)
    step, spent = 0, 0.0
    if init is not None:
        adopt(net, init)
        average = _Average(net, schedule.ema)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        kept = cast("dict[str, Any]", torch.load(checkpoint, map_location=where, weights_only=True))
        net.load_state_dict(kept["net"])
        average.state = kept["average"]
        optimizer.load_state_dict(kept["optimizer"])
        step, spent = int(kept["step"]), float(kept["spent"])
    buffer = torch.empty((schedule.capacity, ROW), dtype=torch.uint8, device=where)
    filled, cursor, rendered = 0, 0, 0
    generator = torch.Generator(device=where).manual_seed(recipe.seed + step)
    started = time.monotonic() - spent
    told = saved = time.monotonic()
    seen_loss = torch.zeros((), device=where)
    seen_exact = torch.zeros((), device=where)
    since = fresh = 0
    ramp = 0 if step else recipe.ramp
    source = blocks(
        Recipe(recipe.seed + step, recipe.fonts, recipe.real, recipe.variants, recipe.real_share, ramp), workers
    )
    log = (out / "progress.jsonl").open("a")
    following: _Batch | None = None
    try:
        while True:
            elapsed = time.monotonic() - started
            progress = max(
                step / schedule.steps if schedule.steps else 0.0,
                elapsed / schedule.seconds if schedule.seconds else 0.0,
            )
            if progress >= 1:
                break
            block = next(source) if filled < schedule.ready or rendered * schedule.reuse <= fresh else None
            while block is not None:
                rows = cast("Tensor", cast("Any", torch).from_numpy(np.array(block))).to(where)
                end = min(cursor + BLOCK, schedule.capacity)
                buffer[cursor:end] = rows[: end - cursor]
                cursor = end % schedule.capacity
                filled = max(filled, end)
                rendered += BLOCK
                if filled >= schedule.ready and rendered * schedule.reuse > fresh:
                    break
                block = next(source)
            if filled < schedule.ready:
                time.sleep(0.02)
                continue
            batch, following = following, _drawn(buffer[:filled], schedule.batch, generator, teacher)
            if batch is None:
                continue
            pixels, tail = batch.pixels, batch.tail
            for group in optimizer.param_groups:
                group["lr"] = rate_at(schedule, step, progress)
            lesson = None if batch.lesson is None else batch.lesson.result()
            with torch.autocast(where.type, torch.bfloat16, enabled=gpu or bf16):
                loss, exact = loss_of(net, pixels, tail[:, :SLOTS], tail[:, SLOTS], tail[:, SLOTS + 1], lesson)
            optimizer.zero_grad(set_to_none=True)
            cast("Any", loss).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            cast("Any", optimizer).step()
            average.update(net, step)
            step += 1
            since += 1
            fresh += schedule.batch
            seen_loss += loss.detach()
            seen_exact += exact
            now = time.monotonic()
            if now - told >= schedule.report:
                line = {
                    "step": step, "seconds": round(now - started, 1), "rendered": rendered,
                    "images_per_s": round(since * schedule.batch / (now - told)),
                    "loss": round(float(seen_loss) / since, 4), "exact": round(float(seen_exact) / since, 4),
                }  # fmt: skip
                print(json.dumps(line), flush=True)
                log.write(json.dumps(line) + "\n")
                log.flush()
                seen_loss.zero_()
                seen_exact.zero_()
                told, since = now, 0
            if now - saved >= 60:
                _save(checkpoint, net, average, optimizer, step, now - started)
                saved = now
    finally:
        source.close()
        log.close()
    _save(checkpoint, net, average, optimizer, step, time.monotonic() - started)
    result = out / "reader.pt"
    torch.save({key: value.cpu() for key, value in average.state.items()}, result)
    summary = {"steps": step, "rendered": rendered, "seen": step * schedule.batch, "device": device}
    print(json.dumps(summary), flush=True)
    (out / "summary.json").write_text(json.dumps(summary) + "\n")
    return result


def beginning(init: Path, recipe: Recipe) -> dict[str, Tensor]:
    """The weights in ``init``: what a training wrote, or a reader as it ships (``.onnx``).

    Raises OSError; ValueError where it is neither.
    """
    if init.suffix == ".onnx":
        return restore(init, pictures(recipe, MEASURED))
    try:
        return weights_of(init)
    except (RuntimeError, UnpicklingError):
        raise ValueError(f"{init}: cannot be read; give what a training wrote, reader.pt or checkpoint.pt") from None


@dataclass(frozen=True, slots=True)
class _Batch:
    """``pixels`` (N, 1, HEIGHT, WIDTH); ``tail`` (N, SLOTS + 2): label, style, rows; ``lesson``: a teacher's."""

    pixels: Tensor
    tail: Tensor
    lesson: Future[Lesson] | None


def _drawn(held: Tensor, count: int, generator: torch.Generator, teacher: Teacher | None) -> _Batch:
    """``count`` samples of ``held`` (n, ROW), varied. The teacher begins with them at once."""
    drawn = held[torch.randint(len(held), (count,), generator=generator, device=held.device)]
    size = HEIGHT * WIDTH
    pixels = _vary(drawn[:, :size].reshape(-1, 1, HEIGHT, WIDTH).float(), generator)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    lesson = None if teacher is None else teacher.asked(pixels)
    return _Batch(pixels, drawn[:, size:].view(torch.int8).long(), lesson)


def _check(schedule: Schedule) -> None:
    if schedule.steps <= 0 and schedule.seconds <= 0:
        raise ValueError("neither steps nor seconds end the training; give one of them")
    if schedule.ready > schedule.capacity:
        raise ValueError(
            f"ready is {schedule.ready}, but capacity holds {schedule.capacity} samples; give a smaller one"
        )


def _save(
    path: Path, net: ReaderNet, average: _Average, optimizer: torch.optim.Optimizer, step: int, spent: float
) -> None:
    torch.save(
        {
            "net": net.state_dict(), "average": average.state, "optimizer": optimizer.state_dict(), "step": step,
            "spent": spent,
        },
        path.with_suffix(".new"),
    )  # fmt: skip
    path.with_suffix(".new").replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the plate reader.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, progress and weights")
    parser.add_argument("--steps", type=int, default=2000, help="0: until --seconds are over")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--capacity", type=int, default=60_000, help="samples kept in the buffer (10 kB each)")
    parser.add_argument("--ready", type=int, default=2048)
    parser.add_argument("--reuse", type=float, default=3.0, help="how often each rendered picture is used")
    parser.add_argument("--ramp", type=int, default=0, help="samples over which the pictures get harder")
    parser.add_argument("--workers", type=int, default=1, help="processes that render; 0: in this one")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (one was fastest on two cores)")
    parser.add_argument("--fonts", type=Path, help="folder of freely licensed fonts to mix in")
    parser.add_argument("--real", type=Path, help="file made by tools.train.gather")
    parser.add_argument("--real-share", type=float, default=0.1, help="share of the samples that are real crops")
    parser.add_argument("--init", type=Path, help="weights to start from, as far as they fit, or reader.onnx")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--light", action="store_true", help="the shape that takes two thirds of the time")
    size.add_argument("--large", action="store_true", help="the shape that takes 1.4 times the time")
    parser.add_argument("--teacher", type=Path, help="reader.onnx whose every column is learned from besides the text")
    parser.add_argument("--bf16", action="store_true", help="on a CPU: bfloat16, quicker on one with AMX, else slower")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    schedule = Schedule(
        steps=given.steps, seconds=given.seconds, batch=given.batch, rate=given.rate, ema=given.ema,
        capacity=given.capacity, ready=given.ready, reuse=given.reuse,
    )  # fmt: skip
    try:
        _check(schedule)
    except ValueError as error:
        parser.error(str(error))
    recipe = Recipe(given.seed, given.fonts, given.real, real_share=given.real_share, ramp=given.ramp)
    try:
        teacher = None if given.teacher is None else Teacher(given.teacher, given.threads)
    except (OSError, ValueError, ModelError) as error:
        parser.error(f"--teacher: {error}")
    try:
        init = None if given.init is None else beginning(given.init, recipe)
    except (OSError, ValueError) as error:
        parser.error(f"--init: {error}")
    train(
        given.out, recipe, schedule, given.workers, given.threads, given.device, init,
        LIGHT if given.light else LARGE if given.large else FULL, teacher, given.bf16,
    )  # fmt: skip


if __name__ == "__main__":
    main()
