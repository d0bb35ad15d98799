"""Training pictures of plates for the reader: rendered ones and real crops, as the reader will meet them.

``PlateFactory.sample`` makes one: a plate is drawn flat, worn, lit, put into a scene at the camera's resolution,
blurred, made noisy, compressed, and cut out through ``lpr.vision.rectify`` with corners as wrong as a detector's.
Everything random comes from the generator that is handed in, so a block of pictures is a function of its seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.plates.decode import ALPHABET
from lpr.plates.formats import FORMATS, Format
from lpr.plates.grammar import VEHICLES
from lpr.scene.plates import PlateSpec, draw_layers, random_text, spec_for
from lpr.scene.styles import STYLES, style_of
from tools.train.adorn import dealer, emblem, fittings, frame
from tools.train.european import EUROPEAN_FREE, european, furnish
from tools.train.framing import aim, cut, jittered
from tools.train.lettering import Lettering
from tools.train.spoil import shade, spoil, wear

__all__ = ["HEIGHT", "SLOTS", "STYLE_NAMES", "WIDTH", "PlateFactory", "RealCrop", "Sample", "doubled", "encode"]

HEIGHT: Final = 48
WIDTH: Final = 144
SLOTS: Final = 10
STYLE_NAMES: Final = tuple(STYLES)

Gray = NDArray[np.uint8]

_MIX: Final[tuple[tuple[str, float], ...]] = (
    ("BR", 0.22), ("AR", 0.08), ("CL", 0.06), ("PY", 0.02), ("UY", 0.02), ("BO", 0.01), ("PE", 0.02), ("CO", 0.02),
    ("EC", 0.015), ("VE", 0.01), ("MX", 0.035), ("EU", 0.19), ("GB", 0.04), ("US", 0.3), ("other", 0.03),
)  # fmt: skip
_OFTENER: Final = {"us-ca": 2.5, "us-0aa000": 2.0, "us-12": 1.5}
"""Series of the USA that begin with a character which others lack there: drawn oftener than their share, since a
reader that expects the others takes 4 for A or L and 7 for Z."""

_US_FREE: Final = (
    "000000", "00000A", "AAA00A", "00A000", "A0000A", "AAAA", "AAAAA", "AAAAAA", "AAAAAAA", "AAAA00", "00AAA0",
    "0AA000", "000A0A", "AA0000", "0000AA", "AAAAAA0", "AA00AA", "AA0AAA", "000", "0000", "00000", "AAA00", "00AAA",
    "AAA0", "0AAAA", "AA000", "AAAAA0", "A00000", "0000A", "AAA0A", "00AA00", "000AA", "A0A0A0", "000A00",
)  # fmt: skip
"""Personal, dealers', old and special plates of the USA; the usual series are formats."""


_BY_EYE: Final = 2.0
"""How much oftener than others a crop is taken whose text was read off by eye: those are the harder ones."""


@dataclass(frozen=True, slots=True)
class RealCrop:
    """A photographed plate: ``image`` (H, W) gray; in it, (4, 2) pixels from the upper left one clockwise, ``box``, the
    corners of its annotated box, and ``corners`` as a detector sees them (the box's where it does not). ``text`` as
    labelled; ``rows`` 1 or 2, None where not known."""

    image: Gray
    box: NDArray[np.float32]
    corners: NDArray[np.float32]
    text: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """``patch`` (HEIGHT, WIDTH) gray; ``label`` SLOTS columns of the alphabet, blank-padded; ``style`` index of
    STYLE_NAMES and ``two_rows`` 0 or 1, both -1 where not known."""

    patch: Gray
    label: NDArray[np.int8]
    style: int
    two_rows: int


def encode(text: str) -> NDArray[np.int8]:
    """A text as SLOTS columns, padded with the blank. Raises ValueError for one that is too long."""
    if len(text) > SLOTS:
        raise ValueError(f"{text!r} is longer than {SLOTS} characters")
    label = np.full(SLOTS, len(ALPHABET), np.int8)
    label[: len(text)] = [ALPHABET.index(char) for char in text]
    return label


class PlateFactory:
    """Makes samples. ``backgrounds``: (N, h, w) gray surroundings (may be empty); ``real``: crops to mix in."""

    def __init__(
        self,
        lettering: Lettering,
        backgrounds: Gray,
        real: tuple[RealCrop, ...],
        real_share: float = 0.08,
        symbols: Sequence[NDArray[np.float32]] = (),
    ) -> None:
        self._lettering = lettering
        self._backgrounds = backgrounds
        self._real = real
        self._real_share = real_share if real else 0.0
        odds = np.array([_BY_EYE if crop.rows is not None else 1.0 for crop in real])
        self._real_odds = odds / max(float(odds.sum()), 1.0)
        self._symbols = tuple(symbols)
        own = {code: [f for f in FORMATS if f.country == code] for code, _ in _MIX}
        own["EU"] = [f for f in FORMATS if style_of(f.key).name == "eu"]
        self._formats = {code: (formats, _shares(formats)) for code, formats in own.items()}
        weights = np.array([weight for _, weight in _MIX])
        self._weights = weights / weights.sum()
        self._hardness = 1.0

    def sample(self, rng: np.random.Generator, hardness: float = 1.0) -> Sample:
        """One sample. ``hardness`` from 0 (large and clean) to 1 (all that there is)."""
        self._hardness = hardness
        if rng.random() < self._real_share:
            return self._real_sample(rng)
        spec = self.spec(rng)
        return Sample(
            self.picture(rng, spec), encode(spec.text), STYLE_NAMES.index(style_of(spec.layout).name), spec.rows - 1
        )

    # --- what to draw ----------------------------------------------------------------------------------

    def spec(self, rng: np.random.Generator) -> PlateSpec:
        """A plate to draw, with the variety of its country."""
        code = _MIX[int(rng.choice(len(_MIX), p=self._weights))][0]
        formats, weights = self._formats[code]
        if code == "other" or (code == "US" and rng.random() < 0.25) or not formats:
            return self._free(rng, code)
        if code in ("EU", "GB") and rng.random() < 0.1:
            return self._european_free(rng, code)
        chosen = formats[int(rng.choice(len(formats), p=weights))]
        if code == "BR":
            chosen = formats[int(rng.choice(len(formats), p=[0.43, 0.33, 0.10, 0.14]))]
        text = random_text(rng, chosen)
        if code == "US":
            text = doubled(rng, text)
        if code == "US" and rng.random() < 0.88:
            text = _unmistakable(rng, text)
        spec = spec_for(text, chosen.key)
        if code in ("EU", "GB"):
            if spec.rows == 1 and rng.random() < 0.22:
                spec = replace(spec, rows=2)
            return european(rng, self._varied(rng, spec))
        return self._varied(rng, spec)

    def _european_free(self, rng: np.random.Generator, code: str) -> PlateSpec:
        """A personal plate, or one of a series that no format lists, on a European plate."""
        template = EUROPEAN_FREE[int(rng.integers(len(EUROPEAN_FREE)))]
        text = random_text(rng, Format("eu-free", "EU", template, (len(template),)))
        if "AAA" not in template:
            text = _unmistakable(rng, text)
        spec = spec_for(text, "gb-free" if code == "GB" else "eu-free")
        if len(text) > 3 and rng.random() < 0.6:
            cut_at = int(rng.integers(1, len(text) - 1))
            spec = replace(spec, groups=(cut_at, len(text) - cut_at))
        if len(text) > 3 and rng.random() < 0.2:
            spec = replace(spec, rows=2)
        return european(rng, self._varied(rng, spec))

    def _free(self, rng: np.random.Generator, code: str) -> PlateSpec:
        """A text of no national format: a US series, a wish plate, or anything."""
        if code == "US" or rng.random() < 0.3:
            template = _US_FREE[int(rng.integers(len(_US_FREE)))]
        else:
            template = "".join("A0"[int(rng.integers(2))] for _ in range(int(rng.integers(3, SLOTS + 1))))
        chosen = Format("us-free" if code == "US" else "other", "US", template, (len(template),))
        text = doubled(rng, random_text(rng, chosen))
        # Where O and 0, I and 1 look the same only the place could tell; a free text has no places.
        if "AAA" not in template or "0" in template:
            text = _unmistakable(rng, text)
        spec = spec_for(text, chosen.key)
        if len(text) > 3 and rng.random() < 0.75:
            cut = int(rng.integers(2, len(text) - 1)) if len(text) > 4 else 2
            spec = replace(spec, groups=(cut, len(text) - cut))
        if code == "US" and rng.random() < 0.5:
            # Personal texts stand as one group, on the whole plate.
            spec = replace(spec, groups=(len(text),))
        if code != "US" and len(text) > 3 and rng.random() < 0.3:
            spec = replace(spec, rows=2, size_mm=style_of("other").size2, glyph_mm=style_of("other").glyph2)
        return self._varied(rng, spec)

    def _varied(self, rng: np.random.Generator, spec: PlateSpec) -> PlateSpec:
        style = style_of(spec.layout)
        ground, ink = style.colours[0 if rng.random() < 0.5 else int(rng.integers(len(style.colours)))]
        wide = style.name in ("us", "mx", "other")
        usual = 0.1 if wide else 0.45
        caption = ""
        if style.captions and rng.random() < 0.85:
            caption = style.captions[int(rng.integers(len(style.captions)))]
        width, height = spec.size_mm
        inset = (0.0, 0.0)
        if style.name in ("us", "mx") and rng.random() < 0.35:
            free = float(rng.uniform(0.1, 0.32))
            inset = (free, 0.0) if rng.random() < 0.75 else (0.0, free)
        return replace(
            spec,
            ground=ground,
            ink=ink,
            face=style.faces[0] if rng.random() < usual else style.faces[int(rng.integers(len(style.faces)))],
            separator=style.separators[int(rng.integers(len(style.separators)))],
            caption=caption,
            size_mm=(width * float(rng.uniform(0.95, 1.05)), height * float(rng.uniform(0.97, 1.03))),
            glyph_mm=spec.glyph_mm * float(rng.uniform(0.88, 1.06)),
            spacing=float(rng.uniform(0.06, 0.26)) if wide else float(rng.normal(0.15, 0.02)),
            group_gap=float(rng.uniform(0.3, 1.5)) if wide and rng.random() < 0.6 else 0.0,
            border=style.border and rng.random() < 0.85,
            band=rng.random() < 0.85 or style.name not in ("eu", "gb"),
            inset=inset,
        )

    # --- drawing ---------------------------------------------------------------------------------------

    def picture(self, rng: np.random.Generator, spec: PlateSpec) -> Gray:
        """The patch that the reader would get of this plate."""
        style = style_of(spec.layout)
        font_share = {"br-old": 0.12, "us": 0.38, "eu": 0.4, "gb": 0.35, "other": 0.6, "mx": 0.4}.get(style.name, 0.25)
        if style.name.endswith("mercosul"):
            font_share = 0.15
        stretch = float(rng.uniform(0.88, 1.12))
        if self._lettering.has_fonts and rng.random() < font_share:
            glyphs = self._lettering.font(rng, (0.42, 0.58) if style.name == "us" else (0.46, 0.7))
        else:
            glyphs = self._lettering.own(spec.face, rng, stretch)
        # Height of the plate as the camera sees it: mostly small, since small is hard.
        least = 15 + 12 * (1 - self._hardness)
        seen = float(np.exp(rng.uniform(math.log(least), math.log(72)))) * (1.55 if spec.rows == 2 else 1.0)
        flat_height = int(np.clip(seen * 1.3, 30, 84))
        layers = draw_layers(spec, flat_height, glyphs)
        mix = rng.dirichlet((1.5, 3.0, 2.0)).astype(np.float32)
        ground = np.asarray(layers.ground.astype(np.float32) @ mix, np.float32)
        level = float(np.array(spec.ink, np.float32) @ mix)
        ground, level = _contrast(rng, ground, level)
        ground = self._texture(rng, ground, 0.35 if style.name in ("us", "mx") else 0.08)
        flat = wear(rng, ground, layers.ink, level)
        european_one = style.name in ("eu", "gb")
        if european_one and rng.random() < 0.75:
            furnish(rng, flat, spec, layers.boxes, level, glyphs)
        if style.name in ("us", "mx", "other", "eu", "cl", "co") and rng.random() < (0.25 if european_one else 0.7):
            emblem(rng, flat, layers.boxes, level, glyphs, self._backgrounds, self._symbols)
        fittings(rng, flat, style.name, level, layers.boxes, glyphs)
        text = np.array(layers.boxes, np.float64)
        band = (float(text[:, 0].min()), float(text[:, 1].min()), float(text[:, 2].max()), float(text[:, 3].max()))
        size = (flat.shape[1], flat.shape[0])
        at = (0, 0)
        if rng.random() < (0.42 if style.name == "us" else 0.15):
            flat, at = frame(rng, flat, glyphs, band)
        return self._scene(rng, flat, size, at, seen, band)

    def _texture(self, rng: np.random.Generator, ground: NDArray[np.float32], share: float) -> NDArray[np.float32]:
        """Some plates carry a landscape: a faint picture under the characters."""
        if rng.random() >= share or not len(self._backgrounds):
            return ground
        picture = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
        size = (ground.shape[1], ground.shape[0])
        layer = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        return np.asarray(ground + (layer - float(layer.mean())) * float(rng.uniform(0.08, 0.32)), np.float32)

    def _scene(
        self,
        rng: np.random.Generator,
        flat: NDArray[np.float32],
        size: tuple[int, int],
        at: tuple[int, int],
        seen: float,
        band: tuple[float, float, float, float],
    ) -> Gray:
        """Put the flat plate into surroundings at the camera's resolution and cut it out as the detector would.

        ``size``: (width, height) of the plate, whose corner lies at ``at`` in ``flat`` (more than the plate: a frame).
        """
        width, height = size
        scale = seen / height
        plate_w, plate_h = width * scale, seen
        room_x, room_y = plate_w * 0.42 + 4, plate_h * 0.55 + 4
        upright = rng.random()
        turn = float(np.radians(rng.normal(0, 3) if upright < 0.72 else rng.uniform(-22, 22)))
        if abs(turn) > np.radians(6):
            room_y += plate_w * abs(np.sin(turn)) * 0.6
        canvas_w, canvas_h = int(plate_w + 2 * room_x), int(plate_h + 2 * room_y)
        middle = np.array([canvas_w / 2, canvas_h / 2])
        base = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        unit = (base / (width, height) - 0.5) * (plate_w, plate_h)
        unit[:, 0] *= float(rng.uniform(0.72, 1.1))  # seen from the side
        unit[:, 0] += unit[:, 1] * float(rng.normal(0, 0.1))
        unit[:, 1] += unit[:, 0] * float(rng.normal(0, 0.03))
        unit *= 1 + (rng.random((4, 1)) - 0.5) * 0.07
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        quad = unit @ rotation.T + middle
        canvas = self._surroundings(rng, canvas_w, canvas_h, quad)
        matrix = cv2.getPerspectiveTransform((base - 0.5).astype(np.float32), (quad - 0.5).astype(np.float32))
        if scale < 0.8:
            flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), 0.42 / scale), np.float32)
        shifted = matrix @ np.array([[1, 0, -at[0]], [0, 1, -at[1]], [0, 0, 1]], np.float64)
        canvas_size = (canvas_w, canvas_h)
        drawn = cv2.warpPerspective(flat, shifted, canvas_size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        whole = np.ones_like(flat)
        if rng.random() < 0.5:
            whole = _rounded(flat.shape[0], flat.shape[1], int(height * rng.uniform(0.03, 0.12)))
        mask = cv2.warpPerspective(whole, shifted, canvas_size, flags=cv2.INTER_LINEAR)
        picture = np.asarray(canvas * (1 - mask) + drawn * mask, np.float32)
        picture = shade(rng, picture)
        camera = spoil(rng, picture, plate_h, self._hardness)
        return cut(rng, camera, aim(rng, quad, np.asarray(matrix, np.float64), band), (WIDTH, HEIGHT))

    def _surroundings(
        self, rng: np.random.Generator, width: int, height: int, quad: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """What lies round the plate: a piece of a real picture or plain paint, sometimes a frame with small text."""
        if len(self._backgrounds) and rng.random() < 0.6:
            picture = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
            part = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)
            canvas = part * np.float32(rng.uniform(0.5, 1.1))
        else:
            canvas = np.full((height, width), rng.uniform(5, 230), np.float32)
            canvas += np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(rng.uniform(-30, 30))
            for _ in range(int(rng.integers(0, 4))):
                y = int(rng.integers(0, height))
                cv2.line(canvas, (0, y), (width, y + int(rng.integers(-6, 7))), (float(rng.uniform(0, 255)),),
                         int(rng.integers(1, 5)))  # fmt: skip
        if rng.random() < 0.35:
            middle = quad.mean(0)
            grow = np.array([rng.uniform(1.03, 1.1), rng.uniform(1.08, 1.4)])
            frame = (quad - middle) * grow + middle + (0, rng.uniform(-0.08, 0.12) * abs(quad[3, 1] - quad[0, 1]))
            level = float(rng.uniform(5, 70) if rng.random() < 0.75 else rng.uniform(120, 240))
            cv2.fillConvexPoly(canvas, frame.astype(np.int32), (level,))
            if rng.random() < 0.6:
                dealer(rng, canvas, frame, quad, 255 - level)
        return canvas

    def _real_sample(self, rng: np.random.Generator) -> Sample:
        crop = self._real[int(rng.choice(len(self._real), p=self._real_odds))]
        quad = np.asarray(crop.corners if rng.random() < 0.7 else crop.box, np.float64)
        height = float(np.hypot(*(quad[3] - quad[0])))
        picture = shade(rng, crop.image.astype(np.float32), 0.5)
        if rng.random() < 0.05:
            picture = 255 - picture
        camera = spoil(rng, picture, height, 0.6 * self._hardness)
        turn = float(np.radians(rng.normal(0, 4)))
        middle = quad.mean(0)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        quad = (quad - middle) @ rotation.T + middle
        rows = -1 if crop.rows is None else crop.rows - 1
        return Sample(cut(rng, camera, jittered(rng, quad, 0.05), (WIDTH, HEIGHT)), encode(crop.text), -1, rows)


def _rounded(height: int, width: int, radius: int) -> NDArray[np.float32]:
    """A mask (height, width) of ones with corners of ``radius`` pixels cut round."""
    mask = np.zeros((height, width), np.float32)
    cv2.rectangle(mask, (radius, 0), (width - 1 - radius, height - 1), (1.0,), -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - 1 - radius), (1.0,), -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(mask, (x, y), radius, (1.0,), -1)
    return mask


def doubled(rng: np.random.Generator, text: str) -> str:
    """At times with neighbours alike ("CHEESE", "7700"), which a reader by CTC easily takes for one character."""
    if rng.random() >= 0.25:
        return text
    out = list(text)
    for i in range(1, len(out)):
        if out[i].isdigit() == out[i - 1].isdigit() and rng.random() < 0.35:
            out[i] = out[i - 1]
    return "".join(out)


def _unmistakable(rng: np.random.Generator, text: str) -> str:
    """Without O, I and Q: in series with digits hardly any state of the USA issues them."""
    others = "ABCDEFGHJKLMNPRSTUVWXYZ"
    return "".join(others[int(rng.integers(len(others)))] if char in "OIQ" else char for char in text)


def _shares(formats: Sequence[Format]) -> NDArray[np.float64]:
    """How often each format is drawn: the usual ones more, the rare ones still often enough to be learned; of several
    countries the larger ones more, by the square root of their vehicles, however many formats they have."""
    weights = np.sqrt(np.array([format_.weight for format_ in formats], np.float64))
    weights *= np.array([_OFTENER.get(format_.key, 1.0) for format_ in formats])
    for country in {format_.country for format_ in formats}:
        own = np.array([format_.country == country for format_ in formats])
        weights[own] *= math.sqrt(VEHICLES[country]) / weights[own].sum()
    return weights / max(float(weights.sum()), 1e-9)


def _contrast(rng: np.random.Generator, ground: NDArray[np.float32], level: float) -> tuple[NDArray[np.float32], float]:
    """Stretch or squeeze the plate's grey levels; rarely turn them round (infra-red, negative)."""
    middle = float(np.median(ground))
    if abs(middle - level) < 40:
        level = middle - 90 if middle > 120 else middle + 90
    if rng.random() < 0.06:
        ground, level = 255 - ground, 255 - level
    return ground, float(np.clip(level, 0, 255))
