"""Tracks and passages against the truth.

Tracking by CLEAR MOT (Bernardin and Stiefelhagen, 2008: MOTA, switches, fragmentations) and IDF1 (Ristani et al.,
2016), over plates: a plate of the truth counts in a frame when it is large enough and in plain view; one that isn't is
neither missed nor, when it is found, false. Passages: each vehicle that could be read is to pass once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from lpr.events import PassageDecided, Reading
from lpr.plates.formats import by_key
from lpr.plates.ways import Place
from lpr.scene.street import Truth
from tools.drives.running import START, Sight, place

WIDE = 30.0
"""Pixels: a narrower plate needn't be found."""

READABLE = 40.0
"""Pixels: a vehicle whose plate was never as wide in plain view needn't pass (half as wide with two rows)."""

READABLE_FRAMES = 3

PLAIN = 0.75
"""The part of a plate that is in view when it is in plain view."""


@dataclass
class Tracking:
    """Counts over frames. ``truths``: plates to be found; ``found``: those that were; ``false``: tracked places that
    are nothing; ``switches``, ``fragments``: of identity, of the way; ``shared``: sightings that belong to the same
    vehicle and track in the best pairing of the two; ``sights``: sightings that count."""

    truths: int = 0
    found: int = 0
    false: int = 0
    switches: int = 0
    fragments: int = 0
    shared: int = 0
    sights: int = 0

    @property
    def mota(self) -> float:
        """1 less misses, false ones and switches, over the truth."""
        return 1.0 - (self.truths - self.found + self.false + self.switches) / max(1, self.truths)

    @property
    def idf1(self) -> float:
        """The F1 score of identity."""
        return 2.0 * self.shared / max(1, self.truths + self.sights)


@dataclass
class Passing:
    """Vehicles and their passages. ``vehicles``: that could be read; ``once``: passed exactly once; ``missed``: not at
    all, of which ``merged``: their readings went to another's passage; ``doubled``: passages too many; ``false``: of
    no vehicle; ``exact``: passed once with the right plate."""

    vehicles: int = 0
    once: int = 0
    missed: int = 0
    merged: int = 0
    doubled: int = 0
    false: int = 0
    exact: int = 0


def add(total: Tracking | Passing, part: Tracking | Passing) -> None:
    """Add the counts of ``part``, of the same kind, to ``total``."""
    for each in fields(total):
        setattr(total, each.name, getattr(total, each.name) + getattr(part, each.name))


def as_counts(counts: Tracking | Passing) -> dict[str, float]:
    """For JSON."""
    counted: dict[str, float] = dict(asdict(counts))
    if isinstance(counts, Tracking):
        counted |= {"mota": round(counts.mota, 4), "idf1": round(counts.idf1, 4)}
    return counted


def key_at(truths: Iterable[Truth], seen: Place) -> int | None:
    """The vehicle whose plate is at ``seen``: the nearest, within half a plate's width and of like size.

    One that is in view goes before one that is said to be hidden (outlines are convex, and hide a little too much).
    """
    best: tuple[bool, float, int] | None = None
    for truth in truths:
        x, y = (sum(corner[axis] for corner in truth.corners) / 4.0 for axis in (0, 1))
        away = max(abs(x - seen.x), 2.0 * abs(y - seen.y)) / max(1.0, truth.width)
        fits = (truth.visible <= 0.2, away, truth.key)
        if away < 0.5 and 0.4 < seen.width / max(1.0, truth.width) < 2.5 and (best is None or fits < best):
            best = fits
    return best[2] if best else None


def countable(truth: Truth) -> bool:
    """Whether a plate is to be found."""
    return truth.width >= WIDE and truth.visible >= PLAIN


def readable(frames: Sequence[Sequence[Truth]]) -> dict[int, str]:
    """The vehicles that could be read: key to plate."""
    wide = Counter(t.key for truths in frames for t in truths if t.visible >= 0.98 and t.width >= _wanted(t))
    plates = {truth.key: truth.plate for truths in frames for truth in truths}
    return {key: plates[key] for key in sorted(plates) if wide[key] >= READABLE_FRAMES}


def _wanted(truth: Truth) -> float:
    return READABLE / by_key(truth.layout).rows


def tracking(frames: Sequence[Sequence[Truth]], sights: Sequence[Sight]) -> Tracking:
    """Score the tracks of one drive; ``frames``: the truth of each."""
    score = Tracking()
    by_frame: dict[int, list[Sight]] = defaultdict(list)
    for sight in sights:
        by_frame[sight.index].append(sight)
    last: dict[int, int] = {}
    seen_before: dict[int, bool] = {}
    pairs: Counter[tuple[int, int]] = Counter()
    for index, truths in enumerate(frames):
        wanted = {truth.key for truth in truths if countable(truth)}
        score.truths += len(wanted)
        got: dict[int, int] = {}
        for sight in by_frame[index]:
            key = key_at(truths, sight.place)
            if key is None or (key in wanted and key in got):
                score.false += 1
                score.sights += 1
            elif key in wanted:
                got[key] = sight.number
                score.sights += 1
        score.found += len(got)
        for key in wanted:
            number = got.get(key)
            if number is None:
                seen_before[key] = False
                continue
            pairs[key, number] += 1
            score.switches += key in last and last[key] != number
            score.fragments += seen_before.get(key) is False and key in last
            last[key], seen_before[key] = number, True
    score.shared = _paired(pairs)
    return score


def passing(
    frames: Sequence[Sequence[Truth]], sights: Sequence[Sight], passages: Sequence[PassageDecided], rate: float
) -> Passing:
    """Score the passages of one drive."""
    vehicles = readable(frames)
    score = Passing(vehicles=len(vehicles))
    passed: dict[int | None, list[PassageDecided]] = defaultdict(list)
    for passage in passages:
        index = round((passage.at - START) / 1e6 * rate)
        best = Reading(text="", confidence=0.0, characters=(), box=passage.box, corners=passage.corners)
        passed[key_at(frames[index], place(best))].append(passage)
    score.false = len(passed.pop(None, []))
    owners: dict[int, Counter[int | None]] = defaultdict(Counter)
    for sight in sights:
        owners[sight.number][key_at(frames[sight.index], sight.place)] += 1
    for key, plate in vehicles.items():
        own = passed.get(key, [])
        score.once += len(own) == 1
        score.exact += len(own) == 1 and own[0].plate == plate
        score.missed += not own
        score.doubled += max(0, len(own) - 1)
        tracks: list[tuple[int, int]] = sorted(((count[key], number) for number, count in owners.items()), reverse=True)
        if not own and tracks and tracks[0][0]:
            score.merged += owners[tracks[0][1]].most_common(1)[0][0] != key
    score.doubled += sum(max(0, len(own) - 1) for key, own in passed.items() if key not in vehicles)
    return score


def _paired(pairs: Counter[tuple[int, int]]) -> int:
    """The most sightings that a one-to-one pairing of vehicles and tracks shares (Hungarian method, O(n³))."""
    keys, numbers = sorted({key for key, _ in pairs}), sorted({number for _, number in pairs})
    size = max(len(keys), len(numbers))
    if not size:
        return 0
    cost = np.zeros((size + 1, size + 1))
    for (key, number), count in pairs.items():
        cost[keys.index(key) + 1, numbers.index(number) + 1] = -count
    u, v, owner, way = np.zeros(size + 1), np.zeros(size + 1), [0] * (size + 1), [0] * (size + 1)
    for row in range(1, size + 1):
        owner[0], column = row, 0
        least, used = np.full(size + 1, np.inf), np.zeros(size + 1, bool)
        while owner[column]:
            used[column] = True
            here = owner[column]
            now = cost[here, 1:] - u[here] - v[1:]
            for other in range(1, size + 1):
                if not used[other] and now[other - 1] < least[other]:
                    least[other], way[other] = now[other - 1], column
            free = np.where(used, np.inf, least)
            free[0] = np.inf
            following = int(free.argmin())
            step = float(free[following])
            for other in range(size + 1):
                if used[other]:
                    u[owner[other]] += step
                    v[other] -= step
                else:
                    least[other] -= step
            column = following
        while column:
            before = way[column]
            owner[column] = owner[before]
            column = before
    return round(-sum(float(cost[owner[column], column]) for column in range(1, size + 1)))
