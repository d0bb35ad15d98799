"""Write the demo street as a video file with what is true about it.

    python -m tools.render_street OUT.avi --seconds 20 --seed 3 --rate 15 --width 960

OUT.avi (Motion JPEG; .mp4: MPEG-4) and, beside it, OUT.truth.jsonl: one JSON object a frame,
``{"frame", "t", "vehicles": [{"key", "plate", "country", "layout", "corners", "visible", "vehicle", "colour", "lane",
"direction"}]}``, ``t`` in seconds from the first frame.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import cv2

from lpr.scene.street import Street

CODECS = {".avi": "MJPG", ".mp4": "mp4v"}


class RenderError(Exception):
    """The film can't be written; the text says why."""


def render(street: Street, out: Path, frames: int, *, first: int = 0) -> Path:
    """Write ``frames`` frames from number ``first``; returns the truth's path. Raises RenderError."""
    codec = CODECS.get(out.suffix.lower())
    if codec is None:
        raise RenderError(f"{out}: the name must end in {' or '.join(CODECS)}")
    size = (street.width, street.height)
    film = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*codec), street.rate, size)
    if not film.isOpened():
        raise RenderError(f"{out}: can't be written (folder missing, or this OpenCV has no {codec})")
    truth = out.with_suffix(".truth.jsonl")
    try:
        with truth.open("w", encoding="utf-8") as lines:
            for number in range(frames):
                film.write(street.frame(first + number))
                vehicles = [asdict(one) for one in street.vehicles_at(first + number)]
                line = {"frame": number, "t": round(number / street.rate, 6), "vehicles": vehicles}
                lines.write(json.dumps(line) + "\n")
    finally:
        film.release()
    return truth


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=15.0, help="frames a second")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, help="default: 9/16 of the width")
    parser.add_argument("--first", type=int, default=0, help="number of the first frame")
    parser.add_argument("--start", type=float, default=0.0, help="seconds into the day's cycle (240 s) at frame 0")
    options = parser.parse_args(arguments)
    height = options.height if options.height is not None else round(options.width * 9 / 32) * 2
    try:
        street = Street(options.seed, options.width, height, options.rate, start=options.start)
        truth = render(street, options.out, round(options.seconds * options.rate), first=options.first)
    except (RenderError, ValueError, OSError) as error:
        print(f"render_street: {error}", file=sys.stderr)
        return 1
    print(f"{options.out} and {truth}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
