"""The engine alone: how quickly it starts, how much memory it takes, what a picture costs in each mode.

``python -m tools.bench.engine [--pictures N]`` prints one JSON object. Each mode is measured in a fresh process with
one thread, on rendered pictures of 1280 x 720 with one plate: ``import_s`` (of ``lpr.library`` with numpy, OpenCV and
onnxruntime), ``open_s`` (both models loaded and tried), ``first_s`` (the first picture), ``ms`` (CPU a picture,
JPEG decoding included), ``peak_mib``. ``spinning``: CPU seconds that onnxruntime's threads use in a second of waiting
with two threads; over 0.05 they spin.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from lpr.scene.plates import render_plate, spec_for
from tools.options import from_one

MODES = ("fast", "normal", "thorough")

TARGET_START_S = 0.3
"""Of opening the engine and reading the first picture."""

TARGET_MIB = 200

_CHILD = """
import json, resource, sys, time
began = time.perf_counter()
import lpr.library
from lpr.config import Engine
imported = time.perf_counter()
import cv2, msgspec
cv2.setNumThreads(1)
mode, threads, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
config = msgspec.convert({"mode": mode, "threads": threads}, Engine)
start = time.perf_counter()
reader = lpr.library.Reader(("BR",), config)
opened = time.perf_counter()
reader.read(files[0])
first = time.perf_counter()
cpu = time.process_time()
right = 0
for file in files:
    right += any(plate.text in file for plate in reader.read(file) if plate.text)
cpu = time.process_time() - cpu
still = time.process_time()
time.sleep(1.0)
still = time.process_time() - still
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
print(json.dumps({
    "import_s": round(imported - began, 3), "open_s": round(opened - start, 3), "first_s": round(first - opened, 3),
    "ms": round(cpu / len(files) * 1000, 2), "read_right": right, "pictures": len(files),
    "waiting": round(still, 4), "peak_mib": round(peak, 1),
}))
"""


def pictures(folder: Path, count: int) -> list[Path]:
    """Rendered pictures of one plate each, named by its text."""
    rng = np.random.default_rng(3)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    paths: list[Path] = []
    for _ in range(count):
        a = "".join(letters[int(rng.integers(len(letters)))] for _ in range(4))
        d = [int(rng.integers(10)) for _ in range(3)]
        text = f"{a[:3]}{d[0]}{a[3]}{d[1]}{d[2]}"
        plate = render_plate(spec_for(text, "br-mercosul"), int(rng.integers(24, 60)))
        scene = np.asarray(cv2.resize(rng.integers(40, 160, (45, 80, 3), np.uint8), (1280, 720)), np.uint8)
        height, width = int(plate.shape[0]), int(plate.shape[1])
        x, y = int(rng.integers(1280 - width)), int(rng.integers(720 - height))
        scene[y : y + height, x : x + width] = plate
        path = folder / f"{text}.jpg"
        cv2.imwrite(str(path), scene, [cv2.IMWRITE_JPEG_QUALITY, 90])
        paths.append(path)
    return paths


def measured(mode: str, threads: int, files: list[Path]) -> dict[str, Any]:
    """One mode in a process of its own."""
    words = [sys.executable, "-c", _CHILD, mode, str(threads), *map(str, files)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return cast("dict[str, Any]", json.loads(done.stdout))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=from_one, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = pictures(Path(folder), given.pictures)
        measured("normal", 1, files[:1])  # what is read from the disk once is then in its cache
        modes = {mode: measured(mode, 1, files) for mode in MODES}
        spinning = measured("normal", 2, files)["waiting"]
    result = {"modes": modes, "spinning": spinning, "target_start_s": TARGET_START_S, "target_mib": TARGET_MIB}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
