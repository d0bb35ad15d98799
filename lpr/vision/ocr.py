"""The plate reader: patches in, characters with their reliabilities out.

A network (any that a ``ReaderManifest`` describes) gives every slot a probability for each character; the grammar of
the configured countries (``lpr.plates.decode``) makes a text of them. Crops follow ``lpr.vision.rectify``. May import
``lpr.events``, ``lpr.plates`` and numeric libraries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Character, Corners
from lpr.plates.decode import ALPHABET, DecodeSettings, decode
from lpr.plates.formats import FORMATS, REGIONS
from lpr.plates.grammar import Grammar, grammar_for
from lpr.vision.manifest import (
    READER,
    ModelError,
    ReaderManifest,
    check_input,
    load_manifest,
    model_file,
    open_session,
    prepare,
)
from lpr.vision.rectify import RectifyError, rectify, sharpness_of, to_gray

__all__ = [
    "MOST_PATCHES",
    "PlateReader",
    "PlateText",
    "SlotProbabilities",
    "plate_colour",
    "style_prior",
    "style_shares",
]

MOST_PATCHES = 32
"""Patches in one run of the network; more are read in several runs, so memory stays bounded."""


@dataclass(frozen=True, slots=True)
class SlotProbabilities:
    """What the network says of one patch. ``characters``: (slots or CTC columns, 37) float32, rows sum to 1, columns
    as ``lpr.plates.decode.ALPHABET`` and the blank last. ``layouts``: style name to probability (empty: the model
    has no such output). ``two_rows``: probability of a second row, or None. ``ctc``: the rows are CTC columns."""

    characters: NDArray[np.float32]
    layouts: dict[str, float]
    two_rows: float | None
    ctc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateText:
    """One plate as it was read; the fields are those of ``lpr.events.Reading`` of the same name.

    ``candidates``: the likeliest texts with their probabilities, best first.
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    country: str | None
    layout: str | None
    rows: int
    plate_colour: str | None
    sharpness: float
    candidates: tuple[tuple[str, float], ...] = ()


class PlateReader:
    """A reader network with its decoding. Not safe for two threads at once; cheap to make twice."""

    def __init__(
        self, manifest_path: Path | None = None, threads: int = 1, settings: DecodeSettings | None = None
    ) -> None:
        """``manifest_path``: None for the reader of the package. Raises ModelError."""
        self.path = manifest_path if manifest_path is not None else READER
        self.manifest = load_manifest(self.path, ReaderManifest)
        self.manifest.check(self.path)
        self.settings = settings or DecodeSettings()
        data = model_file(self.path, self.manifest.file, self.manifest.sha256)
        self._session = open_session(self.path.parent / self.manifest.file, data, threads)
        check_input(self.path, self._session, self.manifest.input)
        names = [value.name for value in self._session.get_outputs()]
        wanted = [self.manifest.characters]
        for extra in (self.manifest.layout_output, self.manifest.rows_output):
            if extra is not None:
                wanted.append(extra)
        missing = [name for name in wanted if name not in names]
        if missing:
            raise ModelError(f"{self.path}: the model has no output {missing[0]!r}; it has {', '.join(names)}")
        self._outputs = wanted
        self._columns = _columns(self.manifest)
        blank_patch = np.zeros((self.manifest.input.height, self.manifest.input.width), np.uint8)
        self._run([blank_patch])  # a wrong output shape shows now, not at the first vehicle

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.manifest.name

    def probabilities(self, patches: Sequence[NDArray[np.uint8]]) -> list[SlotProbabilities]:
        """Read patches of the model's input size, (h, w) gray or (h, w, 3) BGR uint8. Raises ModelError."""
        out: list[SlotProbabilities] = []
        for start in range(0, len(patches), MOST_PATCHES):
            out.extend(self._run(patches[start : start + MOST_PATCHES]))
        return out

    def read(
        self, image_bgr: NDArray[np.uint8], corners_list: Sequence[Corners], countries: Sequence[str] = ()
    ) -> list[PlateText]:
        """Read the plates at these corners of one picture ((H, W, 3) BGR or (H, W) gray, uint8), in their order.

        ``countries``: codes or regions of ``lpr.plates.formats``; none: of the whole world. Corners that enclose
        nothing give an empty text. Raises ModelError, UnknownCountry.
        """
        grammar = grammar_for(countries)
        size = (self.manifest.input.width, self.manifest.input.height)
        crops: list[NDArray[np.uint8] | None] = []
        for corners in corners_list:
            try:
                crops.append(rectify(image_bgr, corners, size, self.manifest.margin))
            except RectifyError:
                crops.append(None)
        found = iter(self.probabilities([crop for crop in crops if crop is not None]))
        return [_NOTHING if crop is None else self.decode(next(found), crop, grammar) for crop in crops]

    def decode(
        self, slots: SlotProbabilities, patch: NDArray[np.uint8] | None = None, grammar: Grammar | None = None
    ) -> PlateText:
        """One patch's probabilities to its text; ``patch`` gives colour and sharpness."""
        known = grammar or grammar_for()
        prior = style_shares(slots.layouts, known) if slots.layouts else None
        decoded = decode(slots.characters, known, prior, self.settings, ctc=slots.ctc)
        return PlateText(
            text=decoded.text,
            confidence=decoded.confidence,
            characters=decoded.characters,
            country=decoded.country,
            layout=decoded.layout,
            rows=2 if slots.two_rows is not None and slots.two_rows > 0.5 else 1,
            plate_colour=None if patch is None or patch.ndim != 3 else plate_colour(patch),
            sharpness=0.0 if patch is None else round(sharpness_of(patch), 3),
            candidates=decoded.candidates,
        )

    def _run(self, patches: Sequence[NDArray[np.uint8]]) -> list[SlotProbabilities]:
        manifest = self.manifest
        gray = manifest.input.colour == "gray"
        batch = prepare([to_gray(patch) if gray else _coloured(patch) for patch in patches], manifest.input)
        outputs = dict(zip(self._outputs, self._session.run(self._outputs, {manifest.input.name: batch}), strict=True))
        raw = np.asarray(outputs[manifest.characters], np.float32)
        classes = len(manifest.alphabet)
        if raw.size != len(patches) * manifest.slots * classes:
            raise ModelError(
                f"{self.path}: output {manifest.characters!r} has shape {raw.shape} for {len(patches)} pictures; the "
                f"manifest says {manifest.slots} slots of {classes} classes"
            )
        scores = _softmax(raw.reshape(len(patches), manifest.slots, classes), manifest)[:, :, self._columns]
        names: list[dict[str, float]] = [{} for _ in patches]
        if manifest.layout_output is not None:
            layouts = np.asarray(outputs[manifest.layout_output], np.float32)
            if layouts.shape != (len(patches), len(manifest.layouts)):
                raise ModelError(
                    f"{self.path}: output {manifest.layout_output!r} has shape {layouts.shape}; the manifest lists "
                    f"{len(manifest.layouts)} layouts"
                )
            names = [dict(zip(manifest.layouts, row, strict=True)) for row in _softmax(layouts, manifest).tolist()]
        rows = None if manifest.rows_output is None else np.asarray(outputs[manifest.rows_output], np.float32).ravel()
        ctc = manifest.decoding == "ctc"
        result: list[SlotProbabilities] = []
        for i, own in enumerate(names):
            second = None if rows is None else _probability(float(rows[i]), manifest)
            result.append(SlotProbabilities(scores[i], own, second, ctc=ctc))
        return result


_NOTHING = PlateText(
    text="", confidence=0.0, characters=(), country=None, layout=None, rows=1, plate_colour=None, sharpness=0.0
)


def _columns(manifest: ReaderManifest) -> NDArray[np.intp]:
    """Class index of each of ``ALPHABET`` and the blank. Raises ModelError when the model lacks a character."""
    order: list[int] = []
    for char in ALPHABET:
        at = [i for i, own in enumerate(manifest.alphabet) if own == char and i != manifest.blank]
        if not at:
            raise ModelError(f"{manifest.file}: the reader's alphabet lacks {char!r}; it must hold A-Z and 0-9")
        order.append(at[0])
    return np.array([*order, manifest.blank], np.intp)


def _softmax(values: NDArray[np.float32], manifest: ReaderManifest) -> NDArray[np.float32]:
    raw = np.log(np.maximum(values, 1e-9)) if manifest.activation == "softmax" else values
    shares = np.asarray(raw / manifest.temperature, np.float32)
    shares -= shares.max(-1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(-1, keepdims=True)
    return shares


def _probability(value: float, manifest: ReaderManifest) -> float:
    return value if manifest.activation == "softmax" else float(1 / (1 + np.exp(-value)))


def _coloured(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(patch[..., None], 3, axis=2) if patch.ndim == 2 else patch


def style_prior(layouts: Mapping[str, float]) -> dict[str, float]:
    """The layout head's probabilities of styles as a prior for format keys ("eu" covers each European country's)."""
    return {key: layouts[name] for key, name in _style_names(tuple(layouts))}


def style_shares(layouts: Mapping[str, float], grammar: Grammar) -> NDArray[np.float64]:
    """``style_prior`` for each of the grammar's formats."""
    shares = np.zeros(len(layouts) + 1)
    shares[:-1] = list(layouts.values())
    return shares[_style_places(tuple(layouts), grammar)]


@lru_cache(maxsize=64)
def _style_places(layouts: tuple[str, ...], grammar: Grammar) -> NDArray[np.intp]:
    """For each of the grammar's formats the place of its style; behind the last where the model knows none."""
    names = dict(_style_names(layouts))
    place = {name: i for i, name in enumerate(layouts)}
    return np.array([place[names[one.key]] if one.key in names else len(layouts) for one in grammar.formats], np.intp)


@lru_cache(maxsize=16)
def _style_names(layouts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(format key, its style) of every format whose style the model knows."""
    found: list[tuple[str, str]] = []
    for format_ in FORMATS:
        base = format_.key.removesuffix("-moto")
        kin = tuple(name for name in layouts if name.startswith(f"{format_.key[:2]}-"))
        last = ("eu",) if format_.country in REGIONS["europe"] else ()
        name = next((name for name in (format_.key, base, format_.key[:2], *kin, *last) if name in layouts), None)
        if name is not None:
            found.append((format_.key, name))
    return tuple(found)


def plate_colour(patch: NDArray[np.uint8]) -> str:
    """The ground's colour, a name of ``lpr.events.COLOURS``, from a rectified (h, w, 3) BGR patch.

    The ground is the commoner of the light and the dark half of the patch's middle (Otsu's threshold); a patch of
    one grey level is "unknown". Every second row and column of pixels is enough.
    """
    height, width = patch.shape[:2]
    middle = np.ascontiguousarray(patch[height // 4 : height - height // 6 : 2, width // 8 : width - width // 8 : 2])
    gray = to_gray(middle)
    threshold, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = gray > threshold
    count = int(np.count_nonzero(light))
    if count in (0, light.size):
        return "unknown"
    bright = 2 * count >= light.size
    dark = ~light
    ground = middle.reshape(-1, 3)[np.flatnonzero(light if bright else dark)]
    ink_level = float(gray[dark if bright else light].mean())
    half = len(ground) // 2
    blue, green, red = (float(v) for v in np.partition(ground, half, axis=0)[half])  # the median
    high, low = max(blue, green, red), min(blue, green, red)
    if high < 1 or (high - low) / high < 0.28:
        if not bright:
            return "black"
        return "gray" if high < 185 and high - ink_level < 120 else "white"
    span = high - low
    if high == red:
        hue = 60 * ((green - blue) / span % 6)
    elif high == green:
        hue = 60 * ((blue - red) / span + 2)
    else:
        hue = 60 * ((red - green) / span + 4)
    for limit, name in ((18, "red"), (40, "orange"), (70, "yellow"), (165, "green"), (195, "cyan"), (260, "blue")):
        if hue < limit:
            return name
    return "violet" if hue < 310 else "red"
