"""Who drives through the demo street and where each vehicle is at a moment: pure functions of seed and time.

Time is cut into blocks; each block's vehicles come from a generator seeded with (seed, lane, block), so any moment
can be asked for in any order. A vehicle follows the one before it: its way is the smaller of its own free way and
the leader's way less a gap, which gives queues behind a stopped vehicle with no state. Imports numpy and the plates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

Direction = Literal["approach", "away"]

BLOCK = 60.0
"""Seconds of a block."""
FAR = 110.0
"""Metres: where approaching vehicles appear and departing ones vanish."""
BEHIND = -9.0
"""Metres: where departing vehicles start, behind the camera."""


@dataclass(frozen=True)
class Lane:
    """A lane. ``number`` counts from 1; ``x``: its middle, metres."""

    number: int
    x: float
    direction: Direction


LANES = (Lane(1, 1.55, "away"), Lane(2, -1.55, "approach"))

LENGTHS = {"car": 4.2, "suv": 4.5, "pickup": 5.1, "van": 5.0, "truck": 7.6, "motorcycle": 2.0}
KINDS = (("car", 0.52), ("suv", 0.13), ("pickup", 0.08), ("van", 0.09), ("truck", 0.08), ("motorcycle", 0.10))
PAINTS = (
    ("white", 0.26),
    ("gray", 0.24),
    ("black", 0.15),
    ("red", 0.12),
    ("blue", 0.11),
    ("green", 0.05),
    ("yellow", 0.04),
    ("orange", 0.03),
)
STOP_AT = {"away": 9.5, "approach": 21.5}
"""Where the near end of a stopping vehicle stands (before the crossing), metres."""


@dataclass(frozen=True)
class Vehicle:
    """One vehicle of the timeline.

    ``key``: unique in a street; ``start``: seconds; ``speed``: m/s; ``stop``: seconds it stands at the crossing;
    ``offset``: metres from the lane's middle; ``yaw``: degrees; ``style``: picks among the shapes of its kind.
    """

    key: int
    kind: str
    paint: str
    lane: Lane
    start: float
    speed: float
    stop: float
    offset: float
    yaw: float
    style: int

    @property
    def length(self) -> float:
        """Metres."""
        return LENGTHS[self.kind]


@dataclass(frozen=True)
class Place:
    """A vehicle at a moment. ``z``: metres from the camera to its near end; ``speed``: m/s, ``braking``: stop lamps."""

    vehicle: Vehicle
    z: float
    speed: float
    braking: bool


def _pick(rng: np.random.Generator, table: tuple[tuple[str, float], ...]) -> str:
    names = [name for name, _ in table]
    odds = np.array([weight for _, weight in table])
    return names[int(rng.choice(len(names), p=odds / odds.sum()))]


@lru_cache(maxsize=64)
def block_of(seed: int, lane: Lane, block: int) -> tuple[Vehicle, ...]:
    """The vehicles that start in a block, in order of their start."""
    if block < -1:
        return ()
    rng = np.random.default_rng([seed, lane.number, block + 1])
    vehicles: list[Vehicle] = []
    start = block * BLOCK + float(rng.uniform(0.0, 2.5))
    stops = 1 if rng.random() < 0.55 else 0
    while start < (block + 1) * BLOCK - 1.5:
        kind = _pick(rng, KINDS)
        paint = _pick(rng, PAINTS)
        speed = float(rng.uniform(5.5, 12.5)) * (0.8 if kind == "truck" else 1.0)
        stop = 0.0
        if stops and 12.0 < start - block * BLOCK < 30.0 and kind != "motorcycle":
            stop, stops = float(rng.uniform(2.5, 5.0)), 0
        vehicles.append(
            Vehicle(
                key=(block + 1) * 1000 + lane.number * 100 + len(vehicles),
                kind=kind,
                paint=paint,
                lane=lane,
                start=start,
                speed=speed,
                stop=stop,
                offset=float(rng.normal(0.0, 0.12)),
                yaw=float(rng.normal(0.0, 1.2)),
                style=int(rng.integers(0, 1 << 16)),
            )
        )
        start += 1.9 + float(rng.exponential(2.1))
    return tuple(vehicles)


def _stop_way(vehicle: Vehicle) -> float:
    """Metres driven when the vehicle stands at the crossing."""
    return STOP_AT["away"] - BEHIND if vehicle.lane.direction == "away" else FAR - STOP_AT["approach"]


def _free_way(vehicle: Vehicle, t: float) -> float:
    """Metres driven at time ``t`` on an empty road. Braking and starting take 1.6 times the way's length each."""
    run = max(t - vehicle.start, 0.0)
    if vehicle.stop <= 0.0:
        return vehicle.speed * run
    brake = min(12.0, _stop_way(vehicle))  # metres of the braking way, at even deceleration
    before = (_stop_way(vehicle) - brake) / vehicle.speed
    halting = 2.0 * brake / vehicle.speed
    if run <= before:
        return vehicle.speed * run
    u = run - before
    if u <= halting:
        return _stop_way(vehicle) - brake * (1.0 - u / halting) ** 2
    u -= halting + vehicle.stop
    if u <= 0.0:
        return _stop_way(vehicle)
    starting = vehicle.speed / 2.2  # seconds, at 2.2 m/s²
    if u <= starting:
        return _stop_way(vehicle) + 1.1 * u * u
    return _stop_way(vehicle) + 1.1 * starting * starting + vehicle.speed * (u - starting)


def _ways(vehicles: tuple[Vehicle, ...], t: float) -> list[float]:
    """Metres driven by each, followers kept behind their leaders."""
    ways: list[float] = []
    for i, vehicle in enumerate(vehicles):
        way = _free_way(vehicle, t)
        if i:
            leader = vehicles[i - 1]
            # the way counts to the near end: the rear of one driving away, the front of one approaching
            between = vehicle.length if leader.lane.direction == "away" else leader.length
            way = min(way, max(ways[i - 1] - between - 1.6 - 0.25 * vehicle.speed, 0.0))
        ways.append(way)
    return ways


def places_at(seed: int, t: float) -> tuple[Place, ...]:
    """Every vehicle on the road at ``t`` seconds (t >= 0), the farthest first."""
    now = int(t // BLOCK)
    found: list[Place] = []
    for lane in LANES:
        vehicles = tuple(v for block in (now - 2, now - 1, now) for v in block_of(seed, lane, block) if v.start <= t)
        ways, earlier = _ways(vehicles, t), _ways(vehicles, t - 0.1)
        for vehicle, way, was in zip(vehicles, ways, earlier, strict=True):
            z = BEHIND + way if lane.direction == "away" else FAR - way
            if (lane.direction == "away" and z < FAR) or (lane.direction == "approach" and z > -vehicle.length):
                speed = (way - was) / 0.1
                found.append(Place(vehicle, z, speed, speed < vehicle.speed - 1.0))
    return tuple(sorted(found, key=lambda p: -p.z))
