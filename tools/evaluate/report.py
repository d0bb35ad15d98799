"""The report as one HTML file: figures, diagrams, and a picture of every failure, all inside it.

Nothing is loaded from elsewhere and no script runs, so the file can be kept and sent. The pictures in it are those
of the data measured: what their licence forbids to publish, the report must not carry either.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box
from lpr.vision.pictures import ImageError, decode_image
from tools.evaluate.levels import Measured
from tools.evaluate.svg import bars, reliability_diagram

__all__ = ["make_report"]

CROP_WIDTH = 240
"""Width of a failure's picture in the report, pixels."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #1c2126; background: #fff }
h1, h2, h3 { line-height: 1.2 } h2 { border-top: 1px solid #ccc; padding-top: 1rem; margin-top: 2.5rem }
table { border-collapse: collapse } td, th { padding: .2rem .7rem .2rem 0; text-align: right }
td:first-child, th:first-child, td:has(code) { text-align: left } .small { color: #5a6570; font-size: 13px }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem } figure { margin: 0; width: 240px }
figure img { max-width: 240px; display: block; background: #ddd } figcaption { font-size: 13px }
code { font: 13px ui-monospace, monospace } del { color: #b3261e; text-decoration: none } svg text { font-size: 11px;
  fill: #1c2126 } .title { font-size: 13px } .frame { fill: none; stroke: #888 } .ideal { stroke: #aaa;
  stroke-dasharray: 4 3 } .line { fill: none; stroke: #1d5fbf } .dot { fill: #1d5fbf } .ground { fill: #e4e8ec }
@media (prefers-color-scheme: dark) { body, svg text { color: #e6e9ec; fill: #e6e9ec; background: #15181b }
  .ground { fill: #2c3238 } .small { color: #9aa5b0 } }
"""


def make_report(summary: Mapping[str, Any], measured: Sequence[Measured], failures: int = 200) -> str:
    """The HTML text. ``summary``: what ``tools.evaluate`` writes as JSON; ``failures``: pictures a folder at most."""
    body = "".join(_section(one, failures) for one in measured)
    about = "".join(
        f"<tr><td>{html.escape(key)}</td><td><code>{html.escape(_plain(value))}</code></td></tr>"
        for key, value in summary.items()
        if key != "folders"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>Recognition measured</title><style>{_STYLE}</style></head><body><h1>Recognition measured</h1>"
        f"<table>{_overview(measured)}</table><h3>With</h3><table>{about}</table>{body}</body></html>\n"
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _percent(value: Any) -> str:
    return "" if value is None else f"{100 * float(value):.1f} %"


def _overview(measured: Sequence[Measured]) -> str:
    rows = ["<tr><th>folder</th><th>level</th><th>plates</th><th>exact</th><th>O=0, I=1</th><th>characters</th>"
            "<th>calibration error</th><th>false reads</th><th>CPU</th></tr>"]  # fmt: skip
    for one in measured:
        f = one.figures
        cpu = f"{f['cpu_s_an_image']:.3f} s an image" if "cpu_s_an_image" in f else ""
        if "cpu_ms_a_plate" in f:
            cpu = f"{f['cpu_ms_a_plate']:.2f} ms a plate"
        false = f"{f['false_reads']} of {f['pictures']}" if f.get("kind") == "background" else ""
        cells = [
            f"{html.escape(one.folder.name)}", one.level, str(f.get("plates", "")), _percent(f.get("exact")),
            _percent(f.get("folded")), _percent(f.get("characters")), _percent(f.get("calibration_error_plates")),
            false, cpu,
        ]  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "".join(rows)


def _section(one: Measured, failures: int) -> str:
    f = one.figures
    parts = [f"<h2>{html.escape(one.folder.name)}, {one.level}</h2>"]
    if one.outcomes:
        parts.append('<div class="row">')
        parts.append(reliability_diagram(f["reliability_plates"], "Plates: right against reliability"))
        parts.append(reliability_diagram(f["reliability_characters"], "Characters"))
        parts.append(bars(f["by_height"], "Right by height of the plate", "px"))
        if f["by_angle"]:
            parts.append(bars(f["by_angle"], "Right by lean", "°"))
        for kind in ("country", "rows"):
            if f.get(f"by_{kind}"):
                parts.append(bars(f[f"by_{kind}"], f"Right by {kind}", ""))
        parts.append("</div>")
        confusions = ", ".join(f"{html.escape(pair)} {count}" for pair, count in f["confusions"].items())
        parts.append(f'<p class="small">Taken for each other (truth&gt;read): {confusions or "nothing"}</p>')
        wrong = [outcome for outcome in one.outcomes if not outcome.exact]
        parts.append(f"<h3>{len(wrong)} not exact</h3>" + '<div class="row">')
        for outcome in wrong[:failures]:
            read = html.escape(outcome.read) or ("unread" if outcome.found else "not found")
            words = (
                f"<b>{html.escape(outcome.truth)}</b>, <del>{read}</del> {outcome.confidence:.2f}, "
                f'{outcome.height:.0f} px<br><span class="small">{html.escape(outcome.picture)}</span>'
            )
            parts.append(_figure(one, outcome.picture, outcome.box, words))
        parts.append("</div>")
    if one.false_reads:
        parts.append(f"<h3>{len(one.false_reads)} texts where no plate is annotated</h3>" + '<div class="row">')
        for false in one.false_reads[:failures]:
            reading = false.reading
            words = (
                f"<del>{html.escape(reading.text)}</del> {reading.confidence:.2f}, detection {reading.detection:.2f}"
                f'<br><span class="small">{html.escape(false.picture)}</span>'
            )
            parts.append(_figure(one, false.picture, reading.box, words))
        parts.append("</div>")
    return "".join(parts)


def _figure(one: Measured, picture: str, box: Box, words: str) -> str:
    """The plate with some of what is round it, inline."""
    try:
        data = _jpeg(_crop(decode_image(one.folder.path / picture), box))
    except ImageError as error:
        return f"<figure><figcaption>{words}<br>{html.escape(str(error))}</figcaption></figure>"
    source = base64.b64encode(data).decode("ascii")
    return f'<figure><img alt="" src="data:image/jpeg;base64,{source}"><figcaption>{words}</figcaption></figure>'


def _crop(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The box with half its width round it, CROP_WIDTH pixels wide at most (small ones enlarged threefold at most)."""
    height, width = image.shape[:2]
    round_it = max((box[2] - box[0]) * 0.3, 4.0)
    x1, x2 = (int(np.clip(v, 0, width)) for v in (box[0] - round_it, box[2] + round_it))
    y1, y2 = (int(np.clip(v, 0, height)) for v in (box[1] - round_it, box[3] + round_it))
    cut = image[y1:y2, x1:x2] if x2 > x1 and y2 > y1 else image
    times = min(CROP_WIDTH / cut.shape[1], 3.0)
    size = (max(round(cut.shape[1] * times), 1), max(round(cut.shape[0] * times), 1))
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, size, interpolation=how), np.uint8)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise ImageError("this cut cannot be made a JPEG")
    return data.tobytes()
