"""One plate out of several readings of a vehicle, in three ways, against the truth.

``single``: the surest reading stands for the vehicle; ``vote``: whole texts are counted, by confidence;
``fusion``: the probabilities of all readings together (``lpr.plates.voting.elect``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb

from lpr.events import Picture, Reading
from lpr.plates.voting import Ballot, Rules, elect
from tools.drives.running import START

WAYS = ("single", "vote", "fusion")
BINS = 10


@dataclass
class Texts:
    """Vehicles read at all, and how many of them exactly, by way. ``told``: (confidence, right) of each."""

    vehicles: int = 0
    exact: Counter[str] = field(default_factory=Counter[str])
    told: dict[str, list[tuple[float, bool]]] = field(default_factory=dict[str, list[tuple[float, bool]]])

    def add(self, other: Texts) -> None:
        """Add the counts of ``other``."""
        self.vehicles += other.vehicles
        self.exact += other.exact
        for way, told in other.told.items():
            self.told.setdefault(way, []).extend(told)

    def calibration(self, way: str) -> float:
        """Expected calibration error of the plates' confidences, in ``BINS`` bins of even width."""
        bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
        told = self.told.get(way, [])
        for confidence, right in told:
            bins[min(BINS - 1, int(confidence * BINS))].append((confidence, right))
        gaps = (abs(sum(c for c, _ in each) - sum(r for _, r in each)) for each in bins)
        return sum(gaps) / max(1, len(told))

    def against(self, way: str, other: str) -> tuple[int, int, float]:
        """(vehicles that ``way`` alone of the two has right, that ``other`` alone has right, how likely so uneven a
        split is if the two are as good as each other). The last: exact sign test, both sides (McNemar 1947,
        "Note on the sampling error of the difference between correlated proportions")."""
        pairs = list(zip(self.told.get(way, ()), self.told.get(other, ()), strict=True))
        ours = sum(one and not two for (_, one), (_, two) in pairs)
        theirs = sum(two and not one for (_, one), (_, two) in pairs)
        tail = sum(comb(ours + theirs, k) for k in range(min(ours, theirs) + 1)) / 2 ** (ours + theirs)
        return ours, theirs, min(1.0, 2 * tail)

    def as_counts(self) -> dict[str, float]:
        """For JSON."""
        counts: dict[str, float] = {"vehicles": self.vehicles}
        for way in WAYS:
            counts |= {way: self.exact[way], f"{way} ece": round(self.calibration(way), 4)}
        for other in ("single", "vote"):
            ours, theirs, chance = self.against("fusion", other)
            counts |= {f"fusion not {other}": ours, f"{other} not fusion": theirs, f"fusion or {other} p": chance}
        return counts


def ballots(readings: Sequence[tuple[int, Reading]], rate: float) -> list[Ballot]:
    """Readings of one vehicle, (frame, reading) each, as the vote takes them."""
    found: list[Ballot] = []
    for index, reading in readings:
        at = START + round(index / rate * 1e6)
        picture = Picture(blob=f"{index:064x}", width=960, height=540, bytes=1)
        found.append(Ballot(capture=f"drive@{at}", exposure=0, at=at, trigger="", picture=picture, reading=reading))
    return found


def compare(plate: str, readings: Sequence[tuple[int, Reading]], rate: float, rules: Rules | None = None) -> Texts:
    """Read one vehicle in each way."""
    cast, rules = ballots(readings, rate), rules or Rules()
    result = Texts(vehicles=1)
    single = max((reading for _, reading in readings), key=lambda each: (each.confidence, each.sharpness))
    counted: Counter[str] = Counter()
    for _, reading in readings:
        if reading.text:
            counted[reading.text] += round(1e6 * reading.confidence) + 1
    most = max(counted, key=lambda text: (counted[text], text), default="")
    fused = elect(cast, rules)
    share = counted[most] / max(1, sum(counted.values()))
    for way, text, confidence in (
        ("single", single.text, single.confidence),
        ("vote", most, share),
        ("fusion", fused.plate if fused else "", fused.confidence if fused else 0.0),
    ):
        result.exact[way] += text == plate
        result.told.setdefault(way, []).append((confidence, text == plate))
    return result
