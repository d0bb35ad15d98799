"""Our engine and others on the same pictures in the same run: ``python -m tools.compare FOLDER… [--rapidocr]``.

Each reads every whole picture that has a plate with a known text; a picture is right when any text equals one of its
plates' (upper case, letters and digits alone). CPU seconds of one thread a picture, from the file's bytes on. The
others are not part of this project: each runs in the Python that has it installed, as a process of its own.

``--rapidocr [PYTHON]``: RapidOCR (its lines, and each two that follow each other as one).
``--fast-alpr PYTHON --models FOLDER``: fast-alpr with detector.onnx, reader.onnx and reader.yaml of that folder.
docs/models.md says how to install them. May import ``lpr`` and ``tools.evaluate``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, cast

from lpr.library import ImageError, ModelError
from lpr.plates.formats import UnknownCountry
from tools.evaluate.__main__ import settings_from
from tools.evaluate.levels import open_reader, progress
from tools.evaluate.markdown import MarkError, write_into
from tools.evaluate.samples import Folder, FolderError, load, thinned, with_labels
from tools.evaluate.scores import folded
from tools.options import existing_file, existing_folder, from_zero, new_file

__all__ = ["PeerError", "candidates", "compare", "main", "plain", "table"]

Read = Callable[[Path], tuple[list[str], float]]
"""A picture's path in; the texts read on it and the CPU seconds that it took out."""

WORKER = Path(__file__).with_name("compare_worker.py")

INSTALL = {
    "rapidocr": "python3 -m venv /tmp/peers && /tmp/peers/bin/pip install rapidocr onnxruntime, "
    "then --rapidocr /tmp/peers/bin/python",
    "fast-alpr": "python3 -m venv /tmp/peers && /tmp/peers/bin/pip install 'fast-alpr[onnx]', "
    "then --fast-alpr /tmp/peers/bin/python --models FOLDER",
}


class PeerError(Exception):
    """Another program cannot be compared with. The text says why, and how it is installed."""


class Peer:
    """Another program in its process. ``python``: the interpreter that has it. Raises PeerError."""

    def __init__(self, name: str, python: str, models: Path | None = None) -> None:
        self.name = name
        words = [python, str(WORKER), name, *([str(models)] if models is not None else [])]
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        # A pipe that nobody empties would stop it; the file lives as long as the process, so no "with".
        self._errors = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
                env={**os.environ, **single},
            )  # fmt: skip
        except OSError as error:
            self._errors.close()
            raise PeerError(f"{name}: {python} cannot be run ({error.strerror}); install it: {INSTALL[name]}") from None
        if not self._answer():
            problem = self._said()
            self.close()
            raise PeerError(f"{name} does not start with {python} ({problem}); install it: {INSTALL[name]}")

    def read(self, path: Path) -> tuple[list[str], float]:
        """The texts on a picture and the CPU seconds. Raises PeerError when the program has ended."""
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(f"{path.resolve()}\n")
                stdin.flush()
            answer = cast("dict[str, Any]", self._answer())
        except OSError:
            answer = None
        if not answer:
            raise PeerError(f"{self.name} ended at {path} ({self._said()})")
        return texts_of(cast("list[str]", answer["texts"]), joined=self.name == "rapidocr"), float(answer["cpu"])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        return json.loads(line) if line.strip() else None

    def _said(self) -> str:
        """The last line of its errors."""
        self._process.kill()
        self._process.communicate()
        self._errors.seek(0)
        lines = [line for line in self._errors.read().splitlines() if line.strip()]
        return lines[-1].strip()[:300] if lines else "it said nothing"


def plain(text: str) -> str:
    """Upper case, letters and digits alone."""
    return "".join(char for char in text.upper() if char.isascii() and char.isalnum())


def texts_of(lines: Sequence[str], joined: bool) -> list[str]:
    """``lines`` plainly; ``joined``: and each two that follow each other as one (plates of two rows, or with a gap)."""
    own = [plain(line) for line in lines]
    pairs = [a + b for a, b in pairwise(own)] if joined else []
    return [text for text in (*own, *pairs) if text]


def candidates(given: argparse.Namespace, stack: ExitStack) -> dict[str, Read]:
    """Name to reader of all that are compared. Raises PeerError, ModelError."""
    settings = settings_from(given.setting, given.country)
    engine = open_reader(settings.countries, settings)

    def ours(path: Path) -> tuple[list[str], float]:
        began = time.process_time()
        try:
            texts = [plate.text for plate in engine.read(path) if plate.text]
        except ImageError:
            texts = []
        return texts, time.process_time() - began

    found: dict[str, Read] = {"lpr": ours}
    for name, python in (("rapidocr", given.rapidocr), ("fast-alpr", given.fast_alpr)):
        if python is not None:
            peer = Peer(name, python, given.models if name == "fast-alpr" else given.rapidocr_models)
            stack.callback(peer.close)
            found[name] = peer.read
    return found


def compare(folder: Folder, readers: dict[str, Read], show: bool | None = None) -> dict[str, dict[str, Any]]:
    """Figures of each of ``readers`` on one folder: pictures, right, folded, CPU seconds, wrong ones."""
    photos = [photo for photo in folder.photos if any(plate.text for plate in photo.plates or ())]
    out: dict[str, dict[str, Any]] = {}
    for name, read in readers.items():
        for photo in photos[:1]:
            read(photo.path)  # the first picture pays for what is loaded late
        exact = same = 0
        spent = 0.0
        wrong: list[list[str]] = []
        for photo in progress(photos, f"{folder.name} ({name})", show):
            truths = {plain(plate.text) for plate in photo.plates or () if plate.text}
            texts, cpu = read(photo.path)
            spent += cpu
            right = bool(truths & set(texts))
            exact += right
            same += bool({folded(text) for text in truths} & {folded(text) for text in texts})
            if not right:
                wrong.append([photo.name, " ".join(sorted(truths)), " ".join(texts)])
        count = max(len(photos), 1)
        out[name] = {
            "pictures": len(photos),
            "exact": round(exact / count, 4),
            "folded": round(same / count, 4),
            "cpu_s_an_image": round(spent / count, 4),
            "wrong": wrong,
        }
    return out


def table(figures: dict[str, dict[str, dict[str, Any]]]) -> str:
    """The figures of all folders as Markdown."""
    lines = [
        "| folder | | pictures | exact | O = 0, I = 1 | CPU s a picture |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for folder, each in figures.items():
        for name, f in each.items():
            lines.append(
                f"| `{folder}` | {name} | {f['pictures']} | {100 * f['exact']:.1f} % | {100 * f['folded']:.1f} % | "
                f"{f['cpu_s_an_image']:.3f} |"
            )
    return "\n".join(lines) + "\n"


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    parser = argparse.ArgumentParser(prog="tools.compare", description="Our engine and others on the same pictures.")
    parser.add_argument("folders", type=Path, nargs="+", help="folders with annotations.jsonl")
    parser.add_argument("--country", action="append", default=[], help="for ours: configured country (repeatable)")
    parser.add_argument("--setting", action="append", default=[], metavar="engine.KEY=VALUE", help="for ours")
    parser.add_argument(
        "--limit", type=from_zero, default=0, help="at most so many pictures of a folder, evenly picked; 0: all"
    )
    parser.add_argument("--rapidocr", nargs="?", const=sys.executable, metavar="PYTHON", help="the Python that has it")
    parser.add_argument(
        "--rapidocr-models", type=existing_folder, metavar="FOLDER", help="its models, if it may not fetch them"
    )
    parser.add_argument("--fast-alpr", nargs="?", const=sys.executable, metavar="PYTHON", help="the Python that has it")
    parser.add_argument("--models", type=existing_folder, metavar="FOLDER", help="of fast-alpr")
    parser.add_argument("--labels", type=existing_file, metavar="FILE", help="texts for the folder that has none")
    parser.add_argument("--into", type=existing_file, metavar="PAGE", help="put the table between the marks of a page")
    parser.add_argument("--mark", default="compare", metavar="NAME", help="the marks' name (default: compare)")
    parser.add_argument("--json", type=new_file, metavar="FILE", help="write the figures with the wrong ones")
    given = parser.parse_args(words)
    with ExitStack() as stack:
        try:
            folders = with_labels([load(path) for path in cast("list[Path]", given.folders)], given.labels)
            for one in folders:
                if not one.texts:
                    raise FolderError(f"{one.path}: no plate with a known text; there is nothing to compare")
            readers = candidates(given, stack)
            figures: dict[str, dict[str, dict[str, Any]]] = {}
            for folder in [thinned(one, given.limit) for one in folders]:
                figures[folder.name] = compare(folder, readers)
                print(table({folder.name: figures[folder.name]}), flush=True)
        except (PeerError, ModelError, FolderError, UnknownCountry) as error:
            raise SystemExit(str(error)) from None
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if given.into is not None:
        try:
            write_into(given.into, given.mark, table(figures))
        except (MarkError, OSError) as error:
            raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
