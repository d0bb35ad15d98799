"""Tracking and fusion measured on drives whose truth is known.

    python -m tools.evaluate_tracking --seeds 3
    python -m tools.evaluate_tracking --engine simulated --seeds 20 --drives fleet jam
    python -m tools.evaluate_tracking --json drives.json --cache /tmp/drives

Each drive of ``tools.drives.roads`` is drawn, read by the engine frame by frame, and its readings go through gate and
voter as in the service. ``--engine simulated`` reads from the truth with made-up faults (``tools.drives.noise``)
and draws nothing. Tracking (MOTA, IDF1, switches, fragmentations) is measured with every frame recorded, passages with
the gate before the log; the three ways of reading a vehicle (best single frame, vote of whole texts, fusion) get the
same recorded readings of the vehicle. ``--cache``: keep the readings there, by drive, models and picture size.
``--replay``: take them from there, whatever models made them, and start no engine: so a changed rule of ``lpr.plates``
is measured in seconds, and old and new rules on the very same readings. ``--why``: what became of each vehicle that
was missed, doubled or read wrongly.

    python -m tools.evaluate_tracking --drives blur --seeds 8 --cache /tmp/drives
    python -m tools.evaluate_tracking --drives blur --seeds 8 --replay /tmp/drives --why
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec

from lpr.config import Engine, Vote
from lpr.events import Reading
from lpr.scene.street import Truth
from lpr.vision.engine import OnnxEngine, open_engine
from tools.drives.accounts import accounts, key_of
from tools.drives.noise import SimulatedEngine
from tools.drives.pictures import DriveStreet
from tools.drives.roads import COUNTRIES, MAKERS, drive
from tools.drives.running import START, Run, place, run, shown
from tools.drives.scores import Passing, Tracking, add, as_counts, countable, key_at, passing, readable, tracking
from tools.drives.texts import Texts, compare
from tools.options import from_one, new_file

COLUMNS = (
    "drive",
    "vehicles", "once", "missed", "merged", "doubled", "false", "exact", "MOTA", "IDF1", "switches", "fragments",
    "single", "vote", "fusion",
)  # fmt: skip

RELIABILITIES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)
"""The bounds between which passages are counted together to see how often they are right."""


@dataclass
class Score:
    """All that is measured of some drives.

    ``told``: (confidence, whether the plate is right) of each passage, of vehicles that nobody could read, too.
    ``delays``: for each right passage the seconds from the last frame in which the plate was large and in plain view
    to its decision; as many as the drive still lasted where it was decided at its end. ``whys``: what became of the
    vehicles that did not pass once and right.
    """

    tracks: Tracking = field(default_factory=Tracking)
    passages: Passing = field(default_factory=Passing)
    texts: Texts = field(default_factory=Texts)
    told: list[tuple[float, bool]] = field(default_factory=list[tuple[float, bool]])
    delays: list[float] = field(default_factory=list[float])
    whys: list[str] = field(default_factory=list[str])
    frames: int = 0
    pictures: int = 0

    def add(self, other: Score) -> None:
        """Add the counts of ``other``."""
        add(self.tracks, other.tracks)
        add(self.passages, other.passages)
        self.texts.add(other.texts)
        self.told += other.told
        self.delays += other.delays
        self.whys += other.whys
        self.frames += other.frames
        self.pictures += other.pictures

    def as_counts(self) -> dict[str, object]:
        """For JSON."""
        return {
            "frames": self.frames,
            "pictures": self.pictures,
            "tracking": as_counts(self.tracks),
            "passages": as_counts(self.passages),
            "texts": self.texts.as_counts(),
            "told": [[confidence, int(right)] for confidence, right in self.told],
            "delays": [round(delay, 3) for delay in self.delays],
        }

    def delay(self, share: float) -> float:
        """Seconds that ``share`` of the right passages took no longer than; 0 without any."""
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def reliability(self) -> str:
        """How many of the passages are right, by their confidence."""
        parts: list[str] = []
        for low, high in pairwise(RELIABILITIES):
            inside = [each for each in self.told if low <= each[0] < high]
            if inside:
                mean = sum(confidence for confidence, _ in inside) / len(inside)
                parts.append(f"{mean:.3f}: {sum(right for _, right in inside)} of {len(inside)}")
        return "; ".join(parts)


def score(
    frames: Sequence[Sequence[Truth]], looks: Sequence[Sequence[Reading]], rate: float, vote: Vote | None = None
) -> Score:
    """Measure one drive: the truth and the readings of each of its frames."""
    seen = shown(looks, rate)
    every, gated = run(seen, vote, gated=False), run(seen, vote)
    told, delays = _told(frames, gated, rate)
    texts = Texts()
    for key, read in sorted(_by_vehicle(frames, gated).items()):
        texts.add(compare(readable(frames)[key], read, rate))
    return Score(
        tracks=tracking(frames, every.sights),
        passages=passing(frames, gated.sights, gated.passages, rate),
        texts=texts,
        told=told,
        delays=delays,
        whys=[account for _, account in accounts(frames, looks, gated, rate)],
        frames=len(looks),
        pictures=gated.pictures,
    )


def _told(frames: Sequence[Sequence[Truth]], gated: Run, rate: float) -> tuple[list[tuple[float, bool]], list[float]]:
    """(confidence, right) of each passage, and the delays of the right ones."""
    plates = {truth.key: truth.plate for truths in frames for truth in truths}
    plain = {truth.key: index for index, truths in enumerate(frames) for truth in truths if countable(truth)}
    told: list[tuple[float, bool]] = []
    delays: list[float] = []
    for passage, when in zip(gated.passages, gated.told, strict=True):
        key = key_of(frames, passage, rate)
        right = key is not None and passage.plate == plates[key]
        told.append((passage.confidence, right))
        if right and key in plain:
            until = (len(frames) - 1) / rate if when is None else (when - START) / 1e6
            delays.append(until - plain[key] / rate)
    return told, delays


def _by_vehicle(frames: Sequence[Sequence[Truth]], gated: Run) -> dict[int, list[tuple[int, Reading]]]:
    """The recorded readings of each vehicle that could be read."""
    wanted = readable(frames)
    found: dict[int, list[tuple[int, Reading]]] = defaultdict(list)
    for index, reading in gated.recorded:
        key = key_at(frames[index], place(reading))
        if key in wanted:
            found[key].append((index, reading))
    return found


def read_drive(
    street: DriveStreet, engine: OnnxEngine | SimulatedEngine, cache: Path | None, name: str
) -> list[tuple[Reading, ...]]:
    """What ``engine`` says of every frame; from ``cache`` when it is there. ``name``: of the engine."""
    kept = None if cache is None else cache / f"{_cached(street)}-{_digest(name)}.json"
    if kept is not None and kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=list[tuple[Reading, ...]])
    looks: list[tuple[Reading, ...]] = []
    for index in range(street.frames):
        looks.append(engine.read(index) if isinstance(engine, SimulatedEngine) else engine.read(street.frame(index)))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode(looks))
    return looks


def replayed(street: DriveStreet, cache: Path) -> list[tuple[Reading, ...]]:
    """What was read of a drive before. Raises SystemExit unless ``cache`` has the readings of just one engine."""
    name = f"{_cached(street)}-*.json"
    found = sorted(cache.glob(name))
    if len(found) != 1:
        raise SystemExit(f"{cache} has {len(found)} files {name}: read the drive with --cache, by one engine, first")
    return msgspec.json.decode(found[0].read_bytes(), type=list[tuple[Reading, ...]])


def _cached(street: DriveStreet) -> str:
    """The name by which the readings of a drive are kept, without the engine's part."""
    of = f"{street.drive}|{street.rate}|{street.width}x{street.height}"
    return f"{street.drive.name}-{street.drive.seed}-{_digest(of)}"


def _digest(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:12]


def measure(options: argparse.Namespace, vote: Vote | None = None) -> Iterator[tuple[str, int, Score]]:
    """(drive, seed, score) one by one."""
    replay: Path | None = options.replay
    pretended = options.engine == "simulated"
    engine = None if pretended or replay is not None else open_engine(Engine(countries=COUNTRIES))
    name = "simulated" if engine is None else engine.name + _models_hash()
    height = round(options.width * 9 / 32) * 2
    for drive_name in options.drives:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            try:
                street = DriveStreet(drive(drive_name, seed), options.rate, options.width, height)
            except ValueError as error:
                raise SystemExit(str(error)) from None
            if replay is not None:
                looks = replayed(street, replay)
            else:
                reader = SimulatedEngine(street, seed) if engine is None else engine
                looks = read_drive(street, reader, None if engine is None else options.cache, name)
            frames = [street.vehicles_at(index) for index in range(street.frames)]
            yield drive_name, seed, score(frames, looks, options.rate, vote)


def _models_hash() -> str:
    folder = Path(__file__).resolve().parent.parent / "lpr" / "vision" / "models"
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.onnx")):
        digest.update(path.read_bytes())
    return " " + digest.hexdigest()[:16]


def row(name: str, score: Score) -> tuple[str, ...]:
    """A line of the table."""
    passages, tracks, texts = score.passages, score.tracks, score.texts

    def share(way: str) -> str:
        return f"{100 * texts.exact[way] / max(1, texts.vehicles):.1f} %"

    return (
        name, *(str(value) for value in (passages.vehicles, passages.once, passages.missed, passages.merged,
        passages.doubled, passages.false, passages.exact)), f"{100 * tracks.mota:.1f}", f"{100 * tracks.idf1:.1f}",
        str(tracks.switches), str(tracks.fragments), share("single"), share("vote"), share("fusion"),
    )  # fmt: skip


def table(scores: dict[str, Score]) -> str:
    """All drives as a Markdown table, the sum last."""
    total = Score()
    for each in scores.values():
        total.add(each)
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(row(*each) for each in scores.items()), row("all", total)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drives", nargs="+", choices=tuple(MAKERS), default=tuple(MAKERS), metavar="NAME")
    parser.add_argument("--seeds", type=from_one, default=2, help="drives of each name")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second")
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--engine", choices=("real", "simulated"), default="real")
    parser.add_argument("--cache", type=Path, help="folder in which the readings are kept")
    parser.add_argument("--replay", type=Path, help="folder of kept readings: no engine is started")
    parser.add_argument("--why", action="store_true", help="tell of each vehicle that did not pass once and right")
    parser.add_argument("--json", type=new_file, help="write all figures there")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    scores: dict[str, Score] = {}
    each_seed: dict[str, dict[str, object]] = {}
    count, began = len(options.drives) * options.seeds, time.monotonic()
    for number, (name, seed, found) in enumerate(measure(options), start=1):
        scores.setdefault(name, Score()).add(found)
        if options.why:
            print("".join(f"## {name} {seed}: {why}\n" for why in found.whys), end="")
        each_seed[f"{name}-{seed}"] = found.as_counts()
        if not options.quiet:
            left = (time.monotonic() - began) / number * (count - number)
            print(f"{number}/{count} {name} {seed}: {found.passages} (about {left:.0f} s left)", file=sys.stderr)
    print(table(scores))
    total = Score()
    for each in scores.values():
        total.add(each)
    texts = total.texts
    print("calibration error: " + ", ".join(f"{way} {texts.calibration(way):.3f}" for way in ("single", "fusion")))
    for other in ("single", "vote"):
        ours, theirs, chance = texts.against("fusion", other)
        print(
            f"right by fusion and not by {other}: {ours}; the other way round: {theirs} (by chance: p = {chance:.2g})"
        )
    right = sum(right for _, right in total.told)
    print(f"passages: {len(total.told)}, {right} right; by confidence: {total.reliability()}")
    print(
        f"seconds from the last plain view to the passage: median {total.delay(0.5):.1f}, 90 % {total.delay(0.9):.1f}"
    )
    print(f"pictures: {total.pictures}")
    if options.json is not None:
        result = {
            "drives": {name: each.as_counts() for name, each in scores.items()},
            "seeds": each_seed,
            "all": total.as_counts(),
            "options": {key: str(value) for key, value in vars(options).items()},
        }
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
