"""Choose how doubtful plates are looked at again: ``SECOND_LOOKS`` and the doubt of the modes (``lpr.vision.engine``).

    python -m tools.tune_looks DATA/validate/us_openalpr DATA/validate/br_old_souzardg [--model MANIFEST]
        [--look 0.2,0.25 --look 0.06,0.25] [--doubt 0.8 --doubt 0.95]

Plates are found once; then each set of looks (none, each ``--look`` alone, all of them) is tried with each doubt. A
picture is right when any plate read on it is one of its texts; how many plates got further looks is what it costs.
Differences of a few pictures are chance: a look that pays does so under several doubts. Nothing is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.vision.looks import SECOND_LOOKS, CarefulReader, Framing
from lpr.vision.manifest import ModelError
from lpr.vision.ocr import PlateReader
from lpr.vision.pictures import ImageError, decode_image
from lpr.vision.scales import Finder
from tools.evaluate.__main__ import settings_from
from tools.evaluate.levels import open_finder
from tools.evaluate.samples import FolderError, load, thinned

__all__ = ["Seen", "found_in", "framing_of", "main", "tried", "variants"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture with the corners of what was found on it and the texts that are there."""

    image: NDArray[np.uint8]
    corners: tuple[Corners, ...]
    texts: frozenset[str]


def framing_of(words: str) -> Framing:
    """ "0.2,0.25" (wider, higher) or "0,0.08,2.5" (turned besides, degrees) as a framing. Raises SystemExit."""
    try:
        values = [float(word) for word in words.split(",")]
    except ValueError:
        values = []
    if len(values) not in (2, 3):
        raise SystemExit(f"--look {words}: write WIDER,HIGHER or WIDER,HIGHER,DEGREES as numbers")
    return Framing(*values)


def found_in(path: Path, finder: Finder, most: int = 0) -> list[Seen]:
    """The labelled pictures of a folder with what ``finder`` found. Raises FolderError, ImageError, ModelError."""
    seen: list[Seen] = []
    for photo in thinned(load(path), most).photos:
        texts = frozenset(plate.text for plate in photo.plates or () if plate.text)
        if texts:
            image = decode_image(photo.path)
            seen.append(Seen(image, tuple(one.corners for one in finder.detect(image)), texts))
    return seen


def variants(looks: Sequence[Framing], doubts: Sequence[float]) -> list[tuple[tuple[Framing, ...], float]]:
    """What is tried: no further look, each of ``looks`` alone, all of them; each with every doubt."""
    sets: list[tuple[Framing, ...]] = [(look,) for look in looks]
    if len(looks) > 1:
        sets.append(tuple(looks))
    return [((), 0.0), *((own, doubt) for own in sets for doubt in doubts)]


def tried(
    seen: Sequence[Seen], reader: PlateReader, looks: Sequence[Framing], doubt: float, countries: Sequence[str] = ()
) -> tuple[int, int]:
    """Pictures that are read right, and plates that were looked at again."""
    careful, plain = CarefulReader(reader, looks, doubt), CarefulReader(reader, (), 0.0)
    right = again = 0
    for one in seen:
        texts = careful.read(one.image, one.corners, countries)
        right += any(text.text in one.texts for text in texts)
        if looks:
            again += sum(text.confidence < doubt for text in plain.read(one.image, one.corners, countries))
    return right, again


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    parser = argparse.ArgumentParser(prog="tools.tune_looks", description="Try further looks at doubtful plates.")
    parser.add_argument("folders", type=Path, nargs="+", help="folders with annotations.jsonl")
    parser.add_argument("--model", type=Path, help="manifest of another reader")
    parser.add_argument("--country", action="append", default=[], help="configured country (repeatable)")
    parser.add_argument("--setting", action="append", default=[], metavar="engine.KEY=VALUE", help="repeatable")
    parser.add_argument("--look", action="append", default=[], metavar="WIDER,HIGHER[,DEGREES]", help="repeatable")
    parser.add_argument("--doubt", action="append", type=float, default=[], help="repeatable")
    parser.add_argument("--limit", type=int, default=0, help="at most so many pictures of a folder, evenly picked")
    given = parser.parse_args(words)
    looks = [framing_of(word) for word in given.look] or list(SECOND_LOOKS)
    settings = settings_from(given.setting, given.country, given.model)
    try:
        reader = PlateReader(given.model, settings.threads)
        finder = open_finder(settings)
        folders = {path.name: found_in(path, finder, given.limit) for path in cast("list[Path]", given.folders)}
    except (FolderError, ImageError, ModelError) as error:
        raise SystemExit(str(error)) from None
    for own, doubt in variants(looks, given.doubt or [0.6, 0.8, 0.95]):
        named = " + ".join(f"{one.wider:g},{one.higher:g},{one.turn:g}" for one in own) or "no further look"
        results = {name: tried(seen, reader, own, doubt, settings.countries) for name, seen in folders.items()}
        parts = [f"{name} {right} of {len(folders[name])} ({again} again)" for name, (right, again) in results.items()]
        print(f"{named}, doubt {doubt:g}: " + ", ".join(parts), flush=True)


if __name__ == "__main__":
    main()
