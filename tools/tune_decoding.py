"""Choose the values of ``lpr.plates.decode.DecodeSettings`` on labelled pictures that no gradient came from.

    python -m tools.tune_decoding DATA/validate/us_openalpr=US DATA/validate/br_crops_openalpr=BR [--step 3]

The network reads every plate once, where it is annotated; then each setting is tried above and below its present value
while the others stay, and what makes the true texts likelier is kept. Each folder is decoded twice: for its country,
and for the whole world. The loss is the mean of -ln p(true text), at most 6.9, and of the share of wrong texts.
Nothing is written: the values go into the code by hand, and few of them are worth a change (docs/decisions).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lpr.plates.decode import DecodeSettings, decode
from lpr.plates.formats import UnknownCountry, countries_of
from lpr.plates.grammar import Priors, grammar_for
from lpr.vision.manifest import ModelError
from lpr.vision.ocr import PlateReader, SlotProbabilities, style_prior
from lpr.vision.pictures import decode_image
from lpr.vision.rectify import RectifyError, corners_of_box, rectify
from tools.evaluate.samples import FolderError, load
from tools.evaluate.scores import folded
from tools.options import from_one

__all__ = ["Known", "figures_of", "main", "neighbours", "read_folder", "search"]

LEAST: Final = 1e-3
"""A true text that is not among the candidates counts as this likely."""


@dataclass(frozen=True, slots=True)
class Known:
    """Plates of one folder: what the network said and what they say. ``country``: its code."""

    name: str
    country: str
    plates: tuple[tuple[SlotProbabilities, str], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of texts wholly right, as labelled and with O = 0, I = 1; the mean of -ln p(true text)."""

    exact: float
    folded: float
    surprise: float

    @property
    def loss(self) -> float:
        """What the search makes small."""
        return self.surprise + 1 - (self.exact + self.folded) / 2


def read_folder(path: Path, country: str, reader: PlateReader, step: int = 1) -> Known:
    """Every ``step``-th labelled plate of a folder through the network. Raises FolderError, ImageError, ModelError."""
    size, margin = (reader.manifest.input.width, reader.manifest.input.height), reader.manifest.margin
    plates: list[tuple[SlotProbabilities, str]] = []
    for photo in load(path).photos[::step]:
        labelled = [plate for plate in photo.plates or () if plate.text]
        image = decode_image(photo.path) if labelled else None
        for plate in labelled:
            whole = plate.corners is None and plate.is_crop
            corners = plate.corners or corners_of_box(plate.box)
            try:
                patch = rectify(image, corners, size, (0.0, 0.0) if whole else margin) if image is not None else None
            except RectifyError:
                continue
            if patch is not None and plate.text:
                plates.append((reader.probabilities([patch])[0], plate.text))
    return Known(path.name, country, tuple(plates))


def figures_of(known: Known, countries: Sequence[str], settings: DecodeSettings) -> Figures:
    """How well these plates are read under ``settings``."""
    grammar = grammar_for(countries)
    exact = same = 0
    surprise = 0.0
    for seen, truth in known.plates:
        styles = style_prior(seen.layouts) if seen.layouts else None
        found = decode(seen.characters, grammar, styles, settings, ctc=seen.ctc)
        exact += found.text == truth
        same += folded(found.text) == folded(truth)
        surprise -= math.log(max(dict(found.candidates).get(truth, 0.0), LEAST))
    count = max(len(known.plates), 1)
    return Figures(exact / count, same / count, surprise / count)


def neighbours(settings: DecodeSettings) -> list[tuple[str, DecodeSettings]]:
    """Settings that differ from ``settings`` in one value, up or down by a fifth to a half of it."""
    out: list[tuple[str, DecodeSettings]] = []
    for factor in (0.8, 1.25):
        out.append((f"trust {settings.trust * factor:.3g}", replace(settings, trust=settings.trust * factor)))
    for factor in (0.5, 2.0):
        out.append((f"twins {settings.twins * factor:.3g}", replace(settings, twins=settings.twins * factor)))
        for name in ("free", "foreign", "style_power", "even"):
            value = min(float(getattr(settings.priors, name)) * (factor if name == "foreign" else factor**0.5), 1.0)
            changed: Priors = replace(settings.priors, **{name: value})
            out.append((f"{name} {value:.3g}", replace(settings, priors=changed)))
    return out


def search(folders: Sequence[Known], settings: DecodeSettings, rounds: int = 1) -> DecodeSettings:
    """The best settings found by changing one value at a time; every trial is printed."""
    best, least = settings, _trial("as they are", folders, settings)
    for _ in range(rounds):
        before = best
        for title, tried in neighbours(best):
            loss = _trial(title, folders, tried)
            if loss < least:
                best, least = tried, loss
        if best == before:
            break
    return best


def _trial(title: str, folders: Sequence[Known], settings: DecodeSettings) -> float:
    total = 0.0
    words: list[str] = []
    for known in folders:
        for countries in ((known.country,), ()):
            own = figures_of(known, countries, settings)
            total += own.loss
            words.append(f"{own.exact:.1%}/{own.folded:.1%}")
    print(f"{title:18} {total:8.4f}  {'  '.join(words)}", flush=True)
    return total


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="tools.tune_decoding", description="Choose the values of decoding.")
    parser.add_argument("folders", nargs="+", metavar="FOLDER=COUNTRY")
    parser.add_argument("--model", type=Path, help="manifest of another reader")
    parser.add_argument("--step", type=from_one, default=1, help="every so-manyth picture only")
    parser.add_argument("--rounds", type=from_one, default=1)
    given = parser.parse_args(words)
    folders: list[Known] = []
    try:
        reader = PlateReader(given.model)
        for word in given.folders:
            path, _, country = str(word).rpartition("=")
            if not path:
                raise SystemExit(f"{word}: write FOLDER=COUNTRY")
            countries_of([country])
            folders.append(read_folder(Path(path), country, reader, given.step))
    except (FolderError, ModelError, UnknownCountry) as error:
        raise SystemExit(str(error)) from None
    print(search(folders, DecodeSettings(), given.rounds))


if __name__ == "__main__":
    main()
