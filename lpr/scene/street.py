"""The demo street: a camera's view of a small road, drawn by our own code, with what is true about every picture.

``Street.frame(index)`` is a pure function of the seed and the index: any frame can be asked for in any order and
gives the same pixels each time. Day turns to dusk and night and back. Imports ``lpr.scene``, ``lpr.plates.formats``,
``lpr.events`` (value types), numpy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import cos, exp, radians, sin
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners
from lpr.plates.formats import FORMATS, Format
from lpr.scene.backdrop import Backdrop
from lpr.scene.bodies import Body, Face, shadow
from lpr.scene.camera import NEAR, PinholeCamera
from lpr.scene.light import CYCLE, Light, light_at
from lpr.scene.plates import PlateSpec, random_text, render_plate, spec_for
from lpr.scene.raster import Floats, Image, Texture, glow, mix, paste
from lpr.scene.traffic import Direction, Place, Vehicle, places_at
from lpr.scene.vehicles import body

COUNTRIES = (("BR", 0.42), ("AR", 0.18), ("CL", 0.12), ("UY", 0.12), ("PY", 0.11), ("BO", 0.05))
"""Whose plates drive here, and how often."""
EXPOSURE = (1 / 700, 1 / 320)
"""Seconds of exposure by day and by night."""


@dataclass(frozen=True)
class Truth:
    """One vehicle with a plate in a frame.

    ``key``: the same in every frame of a street; ``plate``: upper case, no separators; ``country``: ISO alpha-2;
    ``layout``: key of a format in ``lpr.plates``; ``corners``: of the plate, pixels of the frame (may lie outside
    it); ``visible``: part of the plate inside the frame and not hidden by another vehicle, 0 to 1; ``lane`` counts
    from 1. ``box``: of the vehicle, its hull clipped to the frame, pixels; None when it reaches behind the lens.
    """

    key: int
    plate: str
    country: str
    layout: str
    corners: Corners
    visible: float
    vehicle: str
    colour: str
    lane: int
    direction: Direction
    box: Box | None = None

    @property
    def width(self) -> float:
        """Mean width of the plate, pixels."""
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.corners
        return (float(np.hypot(x2 - x1, y2 - y1)) + float(np.hypot(x3 - x4, y3 - y4))) / 2


@dataclass(frozen=True)
class Plate:
    """A vehicle's plate: its ``spec``, its country, its size in metres."""

    spec: PlateSpec
    country: str
    width: float
    height: float


def _formats(country: str, kind: str) -> list[Format]:
    own = [f for f in FORMATS if f.country == country and f.common]
    if kind == "motorcycle":
        return [f for f in own if f.vehicle == "motorcycle"] or [f for f in own if f.rows == 2] or own
    return [f for f in own if f.vehicle != "motorcycle" and f.rows == 1] or own


@lru_cache(maxsize=256)
def plate_of(seed: int, vehicle: Vehicle) -> Plate:
    """The plate of a vehicle, made up from the seed: nobody's."""
    rng = np.random.default_rng([seed, 23, vehicle.key])
    codes, odds = [code for code, _ in COUNTRIES], np.array([share for _, share in COUNTRIES])
    country = codes[int(rng.choice(len(codes), p=odds / odds.sum()))]
    formats = _formats(country, vehicle.kind)
    format_ = formats[int(rng.integers(min(len(formats), 3)))]
    variant = 0 if rng.random() < 0.8 else int(rng.integers(0, 8))
    spec = spec_for(random_text(rng, format_), format_.key, variant=variant)
    return Plate(spec, country, spec.size_mm[0] / 1000, spec.size_mm[1] / 1000)


@lru_cache(maxsize=64)
def _plate_texture(spec: PlateSpec) -> Texture:
    return Texture.of(render_plate(spec, 96 if spec.rows == 1 else 160))


class Street:
    """A street with traffic. ``rate``: frames a second; ``width``, ``height``: pixels; ``cycle``: seconds of a day.

    ``start``: seconds into the cycle at frame 0. Raises ValueError for a size or rate it cannot draw.
    """

    def __init__(
        self, seed: int = 1, width: int = 1280, height: int = 720, rate: float = 15.0, *, cycle: float = CYCLE,
        start: float = 0.0,
    ) -> None:  # fmt: skip
        if not (160 <= width <= 3840 and 90 <= height <= 2160):
            raise ValueError(f"a street of {width}×{height} pixels: 160×90 to 3840×2160 can be drawn")
        if not 0 < rate <= 240 or not cycle > 0:
            raise ValueError(f"a street of {rate} frames a second and {cycle} s a day: over 0, and 240 frames at most")
        self.seed, self.width, self.height, self.rate = abs(seed), width, height, rate
        self.cycle, self.start = cycle, start
        self.camera = PinholeCamera(width, height)

    @cached_property
    def _backdrop(self) -> Backdrop:
        return Backdrop(self.camera, self.seed)

    @cached_property
    def _noise(self) -> Image:
        rng = np.random.default_rng([self.seed, 29])
        noise = rng.normal(128, 34, (self.height + 64, self.width + 64, 3)).astype(np.float32)
        blurred = cv2.GaussianBlur(noise, (0, 0), 0.7)
        return np.clip(128 + (blurred - 128) * 1.5, 0, 255).astype(np.uint8)

    def time(self, index: int) -> float:
        """Seconds of the street's own time at a frame: traffic has been running for a while at frame 0."""
        return 40.0 + index / self.rate

    def light(self, index: int) -> Light:
        """The light in the picture number ``index``."""
        return light_at(index / self.rate + self.start, self.cycle)

    # A street with other traffic (``tools.drives``) says otherwise here.

    def places(self, index: int) -> tuple[Place, ...]:
        """Every vehicle in the picture number ``index``, the farthest first."""
        return places_at(self.seed, self.time(index))

    def plate(self, vehicle: Vehicle) -> Plate:
        """The plate that ``vehicle`` bears."""
        return plate_of(self.seed, vehicle)

    def shutter(self, light: Light) -> float:
        """Seconds of exposure."""
        return EXPOSURE[0] + (EXPOSURE[1] - EXPOSURE[0]) * light.lamps

    # --- the picture ------------------------------------------------------------------------------------

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture number ``index`` (from 0): (height, width, 3), BGR."""
        light = self.light(index)
        image = self._backdrop.at(light.darkness).copy()
        places = self.places(index)
        for place in places:
            self._pools(image, place, light)
        for place in places:
            self._draw(image, place, light)
        offset = np.random.default_rng([self.seed, 31, index]).integers(0, 64, 2)
        y, x = int(offset[0]), int(offset[1])
        strength = 0.07 + 0.16 * light.lamps
        noise = self._noise[y : y + self.height, x : x + self.width]
        return cast("Image", cv2.addWeighted(image, 1.0, noise, strength, -128 * strength))

    def _pools(self, image: Image, place: Place, light: Light) -> None:
        """The head lamps' light on the road."""
        vehicle = place.vehicle
        if light.lamps <= 0.05 or not -4 < place.z < 70:
            return
        x = vehicle.lane.x + vehicle.offset
        ahead = place.z + vehicle.length + 5.0 if vehicle.lane.direction == "away" else place.z - 4.0
        points, depth = self.camera.project(np.array([[x, 0.0, max(ahead, 2.5)], [x, 0.0, max(ahead, 2.5) + 4.0]]))
        if float(depth.min()) < NEAR:
            return
        size = self.camera.focal * self.width / float(depth[0])
        radius = min(2.2 * size, 0.3 * self.width)
        x, y = float(points[0, 0]), float(points[0, 1])
        glow(image, x, y, radius, (176, 214, 226), 0.26 * light.lamps, flat=0.55)

    def _draw(self, image: Image, place: Place, light: Light) -> None:
        vehicle = place.vehicle
        if place.z > 105:
            return
        shape = _body(vehicle)
        along = max(place.z, 1.0)
        own = 0.42 * light.lamps * exp(-(((along - 7.0) / 7.5) ** 2))  # the camera's own light
        street = 0.10 * light.lamps
        blue, green, red = light.ambient
        gain = (min(blue + own + 0.5 * street, 1.0), min(green + own + 0.8 * street, 1.0), min(red + own + street, 1.0))
        self._shade(image, place, shape, light)
        haze = min(along / 260, 0.4)
        spots = self._world(shape.corners, place)
        points, depths = self.camera.project(spots)
        for number, face in enumerate(shape.faces):
            if self._hidden(face, place):
                continue
            own_part = slice(4 * number, 4 * number + 4)
            sun = {"left": 0.80, "right": 1.0, "up": 1.05, "end": 1.0}[face.facing]
            sun = 1.0 - (1.0 - sun) * (1 - light.lamps)
            quad, texture = self._place(face, spots[own_part], points[own_part], depths[own_part])
            if quad is not None and texture is not None:
                paste(image, texture, quad, (gain[0] * sun, gain[1] * sun, gain[2] * sun))
        self._lamps(image, place, shape, light)
        if place.z < 70:
            corners = self._corners(place, shape)
            if corners is not None:
                retro = light.lamps * (0.80 * exp(-max(along - 9.0, 0.0) / 14.0) + 0.05)
                shine = [min(max(g, a + retro), 1.0) for g, a in zip(gain, light.ambient, strict=True)]
                shine = mix((shine[0], shine[1], shine[2]), (0.85, 0.85, 0.85), haze * 0.3)
                texture = _plate_texture(self.plate(vehicle).spec)
                paste(image, texture, corners, shine, self._blur(place, light))

    def _shade(self, image: Image, place: Place, shape: Body, light: Light) -> None:
        near, far = place.z - 0.35, place.z + shape.length + 0.3
        if place.vehicle.kind == "motorcycle":
            near, far = place.z - 0.1, place.z + 1.7
        half = shape.width / 2 + (0.28 if place.vehicle.kind != "motorcycle" else 0.06)
        points = np.array([[-half, 0.0, far], [half, 0.0, far], [half, 0.0, near], [-half, 0.0, near]])
        if near < 3.0:
            points[2:, 2] = max(near, 3.0)
        if far < 4.0:
            return
        points[:, 0] += place.vehicle.lane.x + place.vehicle.offset + 0.12 * (1 - light.lamps)
        quad, _ = self.camera.project(points)
        paste(image, shadow(), quad)

    def _hidden(self, face: Face, place: Place) -> bool:
        """Whether a side turns away from the camera."""
        if face.facing in ("end", "up"):
            return face.facing == "up" and face.quad[0][1] > self.camera.y
        turn = radians(place.vehicle.yaw)
        x = place.vehicle.lane.x + place.vehicle.offset - self.camera.x
        # the side's outward normal is (±cos, 0, sin); look from the camera to the side
        side_x = face.quad[0][0] * cos(turn)
        toward = x + side_x
        return toward < 0.05 if face.facing == "left" else toward > -0.05

    def _world(self, points: Floats, place: Place) -> Floats:
        """From vehicle to world coordinates, (N, 3) metres."""
        c, s = cos(radians(place.vehicle.yaw)), sin(radians(place.vehicle.yaw))
        turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
        return points @ turn + np.array([place.vehicle.lane.x + place.vehicle.offset, 0.0, place.z])

    def _place(self, face: Face, spots: Floats, quad: Floats, depth: Floats) -> tuple[Floats | None, Texture | None]:
        """A face's corners in the picture, and its texture, both cut off where it comes too near to the lens."""
        if float(depth.min()) >= NEAR:
            return quad, face.texture
        if float(depth.max()) <= NEAR * 1.2:
            return None, None
        return _cut(spots, depth, face.texture, self.camera.project)

    def _lamps(self, image: Image, place: Place, shape: Body, light: Light) -> None:
        if not shape.lamps:
            return
        spots = self._world(np.array([lamp.at for lamp in shape.lamps], np.float64), place)
        points, depth = self.camera.project(spots)
        for lamp, point, far in zip(shape.lamps, points, depth, strict=True):
            if float(far) < NEAR + 0.3:
                continue
            size = self.camera.focal * self.width / float(far)
            x, y = float(point[0]), float(point[1])
            if lamp.kind == "head":
                glow(image, x, y, 0.34 * size + 3, (236, 246, 255), 0.9 * light.lamps + 0.10)
                glow(image, x, y, min(0.85 * size, 0.1 * self.width) + 8, (190, 214, 236), 0.30 * light.lamps)
            elif lamp.kind == "tail":
                glow(image, x, y, 0.26 * size + 2, (40, 40, 255), 0.75 * light.lamps + (0.7 if place.braking else 0.0))
                glow(
                    image,
                    x,
                    y,
                    min(0.6 * size, 0.07 * self.width) + 4,
                    (24, 20, 190),
                    0.22 * light.lamps + (0.16 if place.braking else 0.0),
                )
            elif place.braking:
                glow(image, x, y, 0.20 * size + 1, (60, 60, 255), 0.8)

    def _blur(self, place: Place, light: Light) -> tuple[float, float]:
        """How far (pixels) the plate moves during the exposure."""
        seconds = self.shutter(light)
        way = place.speed * seconds
        x = place.vehicle.lane.x + place.vehicle.offset
        points, _ = self.camera.project(np.array([[x, 0.6, place.z], [x, 0.6, place.z + way]]))
        return float(points[1, 0] - points[0, 0]), float(points[1, 1] - points[0, 1])

    # --- the truth --------------------------------------------------------------------------------------

    def _corners(self, place: Place, shape: Body) -> Floats | None:
        plate = self.plate(place.vehicle)
        w, h = plate.width / 2, plate.height / 2
        y, z = shape.plate_y, shape.plate_z
        points = np.array([[-w, y + h, z], [w, y + h, z], [w, y - h, z], [-w, y - h, z]])
        quad, depth = self.camera.project(self._world(points, place))
        return quad if float(depth.min()) > NEAR else None

    def vehicles_at(self, index: int) -> tuple[Truth, ...]:
        """What is true in the picture number ``index``, the nearest vehicle first; none behind the camera."""
        found: list[Truth] = []
        hulls: list[NDArray[np.float32]] = []
        frame = np.array([[0, 0], [self.width, 0], [self.width, self.height], [0, self.height]], np.float32)
        for place in reversed(self.places(index)):
            vehicle = place.vehicle
            shape = _body(vehicle)
            corners = self._corners(place, shape)
            hull = self._hull(place, shape)
            if corners is not None and place.z < 70:
                quad = corners.astype(np.float32)
                area = float(cv2.contourArea(quad))
                part, inside = cv2.intersectConvexConvex(quad, frame)
                for nearer in hulls:
                    if part > 0:
                        part -= float(cv2.intersectConvexConvex(inside, nearer)[0])
                seen = round(min(max(part / area, 0.0), 1.0), 3) if area > 0 else 0.0
                found.append(_truth(vehicle, self.plate(vehicle), corners, seen, self._box(hull)))
            if hull is not None:
                hulls.append(hull)
        return tuple(found)

    def _box(self, hull: NDArray[np.float32] | None) -> Box | None:
        """The upright box round an outline, inside the frame."""
        if hull is None:
            return None
        low, high = (
            np.clip(hull.min(0), 0, [self.width, self.height]),
            np.clip(hull.max(0), 0, [self.width, self.height]),
        )
        if min(high - low) < 1.0:
            return None
        return (round(float(low[0]), 1), round(float(low[1]), 1), round(float(high[0]), 1), round(float(high[1]), 1))

    def _hull(self, place: Place, shape: Body) -> NDArray[np.float32] | None:
        """The outline of a vehicle in the picture, convex, or None when it is behind the lens."""
        half = shape.width / 2 * 0.96
        near, far = 0.0, shape.length
        if place.z < NEAR + 0.2:
            near = NEAR + 0.2 - place.z
        if near >= far:
            return None
        box = np.array([[x, y, z] for x in (-half, half) for y in (0.0, shape.height * 0.97) for z in (near, far)])
        points, depth = self.camera.project(self._world(box, place))
        if float(depth.min()) < NEAR * 0.5:
            return None
        return cast("NDArray[np.float32]", cv2.convexHull(points.astype(np.float32)).reshape(-1, 2))


def _truth(vehicle: Vehicle, plate: Plate, corners: Floats, visible: float, box: Box | None) -> Truth:
    points = [(round(float(x), 2), round(float(y), 2)) for x, y in corners]
    return Truth(
        key=vehicle.key,
        plate=plate.spec.text,
        country=plate.country,
        layout=plate.spec.layout,
        corners=(points[0], points[1], points[2], points[3]),
        visible=visible,
        vehicle=vehicle.kind,
        colour=vehicle.paint,
        lane=vehicle.lane.number,
        direction=vehicle.lane.direction,
        box=box,
    )


def _body(vehicle: Vehicle) -> Body:
    return body(vehicle.kind, vehicle.paint, vehicle.lane.direction == "approach", vehicle.style % 16)


def _cut(
    spots: Floats, depth: Floats, texture: Texture, project: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats | None, Texture | None]:
    """Cut a face off at the near plane, along whichever of its directions runs in depth."""
    first, second, third, fourth = (float(d) for d in depth)
    along = abs(second + third - first - fourth) > abs(third + fourth - first - second)
    # corners as (near, far) pairs of two edges, and the share of the edges that is cut
    pairs = ((0, 1), (3, 2)) if along else ((0, 3), (1, 2))
    shares: list[tuple[float, bool]] = []
    for a, b in pairs:
        da, db = float(depth[a]), float(depth[b])
        if da >= NEAR and db >= NEAR:
            continue
        if da < NEAR and db < NEAR:
            return None, None
        low = min(da, db)
        shares.append(((NEAR - low) / (max(da, db) - low) + 0.002, da < db))
    if not shares or len({side for _, side in shares}) != 1:
        return None, None
    share, starts = max(share for share, _ in shares), shares[0][1]
    if share >= 0.98:
        return None, None
    moved = spots.copy()
    for a, b in pairs:
        near, far = (a, b) if starts else (b, a)
        moved[near] = spots[near] + (spots[far] - spots[near]) * share
    image = texture.levels[0]
    h, w = image.shape[:2]
    if along:
        cut = round(w * share)
        image = image[:, cut:] if starts else image[:, : w - cut]
    else:
        cut = round(h * share)
        image = image[cut:] if starts else image[: h - cut]
    if min(image.shape[:2]) < 2:
        return None, None
    return project(moved)[0], Texture((np.ascontiguousarray(image),))  # so near, smaller copies are of no use
