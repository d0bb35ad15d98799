"""Tracking and fusion measured on drives whose truth is known.

    python -m tools.evaluate_tracking --seeds 3
    python -m tools.evaluate_tracking --engine simulated --seeds 20 --drives fleet jam
    python -m tools.evaluate_tracking --json drives.json --cache /tmp/drives

Each drive of ``tools.drives.roads`` is drawn, read by the engine frame by frame, and its readings go through gate and
voter as in the service. ``--engine simulated`` reads from the truth with made-up faults (``tools.drives.noise``)
and draws nothing. Tracking (MOTA, IDF1, switches, fragmentations) is measured with every frame recorded, passages with
the gate before the log; the three ways of reading a vehicle (best single frame, vote of whole texts, fusion) get the
same recorded readings of the vehicle. ``--cache``: keep the readings there, by drive, models and picture size.
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
from pathlib import Path

import msgspec

from lpr.config import Engine, Vote
from lpr.events import Reading
from lpr.scene.street import Truth
from lpr.vision.engine import OnnxEngine, open_engine
from tools.drives.noise import SimulatedEngine
from tools.drives.pictures import DriveStreet
from tools.drives.roads import COUNTRIES, MAKERS, drive
from tools.drives.running import Run, place, run, shown
from tools.drives.scores import Passing, Tracking, add, as_counts, key_at, passing, readable, tracking
from tools.drives.texts import Texts, compare

COLUMNS = (
    "drive",
    "vehicles", "once", "missed", "merged", "doubled", "false", "exact", "MOTA", "IDF1", "switches", "fragments",
    "single", "vote", "fusion",
)  # fmt: skip


@dataclass
class Score:
    """All that is measured of some drives."""

    tracks: Tracking = field(default_factory=Tracking)
    passages: Passing = field(default_factory=Passing)
    texts: Texts = field(default_factory=Texts)
    frames: int = 0
    pictures: int = 0

    def add(self, other: Score) -> None:
        """Add the counts of ``other``."""
        add(self.tracks, other.tracks)
        add(self.passages, other.passages)
        self.texts.add(other.texts)
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
        }


def score(
    frames: Sequence[Sequence[Truth]], looks: Sequence[Sequence[Reading]], rate: float, vote: Vote | None = None
) -> Score:
    """Measure one drive: the truth and the readings of each of its frames."""
    seen = shown(looks, rate)
    every, gated = run(seen, vote, gated=False), run(seen, vote)
    texts = Texts()
    for key, read in sorted(_by_vehicle(frames, gated).items()):
        texts.add(compare(readable(frames)[key], read, rate))
    return Score(
        tracks=tracking(frames, every.sights),
        passages=passing(frames, gated.sights, gated.passages, rate),
        texts=texts,
        frames=len(looks),
        pictures=gated.pictures,
    )


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
    kept = None
    if cache is not None:
        of = f"{street.drive}|{street.rate}|{street.width}x{street.height}|{name}"
        kept = cache / f"{street.drive.name}-{street.drive.seed}-{hashlib.sha256(of.encode()).hexdigest()[:12]}.json"
        if kept.exists():
            return msgspec.json.decode(kept.read_bytes(), type=list[tuple[Reading, ...]])
    looks: list[tuple[Reading, ...]] = []
    for index in range(street.frames):
        looks.append(engine.read(index) if isinstance(engine, SimulatedEngine) else engine.read(street.frame(index)))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode(looks))
    return looks


def measure(options: argparse.Namespace, vote: Vote | None = None) -> Iterator[tuple[str, int, Score]]:
    """(drive, seed, score) one by one."""
    engine = None if options.engine == "simulated" else open_engine(Engine(countries=COUNTRIES))
    name = "simulated" if engine is None else engine.name + _models_hash()
    height = round(options.width * 9 / 32) * 2
    for drive_name in options.drives:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            street = DriveStreet(drive(drive_name, seed), options.rate, options.width, height)
            reader = SimulatedEngine(street, seed) if engine is None else engine
            looks = read_drive(street, reader, options.cache if engine is not None else None, name)
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
    parser.add_argument("--seeds", type=int, default=2, help="drives of each name")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second")
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--engine", choices=("real", "simulated"), default="real")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    scores: dict[str, Score] = {}
    each_seed: dict[str, dict[str, object]] = {}
    count, began = len(options.drives) * options.seeds, time.monotonic()
    for number, (name, seed, found) in enumerate(measure(options), start=1):
        scores.setdefault(name, Score()).add(found)
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
