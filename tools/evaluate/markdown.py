"""The figures as a table for docs/models.md, from the JSON that ``tools.evaluate`` writes. Pure but for ``write_into``.

A page marks the place with two comments, ``<!-- figures:NAME -->`` and ``<!-- /figures:NAME -->``; what is between
them is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["TARGETS", "MarkError", "placed", "table", "write_into"]

TARGETS: dict[str, tuple[float | None, float | None]] = {
    "br_old_souzardg": (0.99, 0.020),
    "us_openalpr": (0.88, 0.013),
    "br_mercosul_lot": (0.95, None),
}
"""Folder -> what is to be reached: share of pictures read exactly, CPU seconds a picture."""

FALSE_READS = 1 / 500
"""Pictures without a plate on which a text may be read."""


class MarkError(Exception):
    """A page has no place for the figures."""


def table(summary: Mapping[str, Any]) -> str:
    """The figures of every folder as Markdown, a table for whole pictures and one for the reader alone."""
    folders: Mapping[str, Mapping[str, Any]] = summary["folders"]
    whole = [_whole(name, each["whole"]) for name, each in folders.items() if "with_text" in each.get("whole", {})
             and each["whole"]["with_text"]]  # fmt: skip
    empty = [_empty(name, each["whole"]) for name, each in folders.items() if "with_text" in each.get("whole", {})
             and not each["whole"]["with_text"]]  # fmt: skip
    reader = [_reader(name, each["reader"]) for name, each in folders.items() if each.get("reader", {}).get("plates")]
    parts: list[str] = []
    if whole:
        parts.append(
            "| whole pictures | pictures | exact | to reach | O = 0, I = 1 | characters | calibration error: plates, "
            "characters | CPU s a picture | to reach |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            + "\n".join(whole)
        )
    if empty:
        parts.append(
            "| pictures without a known plate | pictures | with a text | to reach | CPU s a picture |\n"
            "| --- | --- | --- | --- | --- |\n" + "\n".join(empty)
        )
    if reader:
        parts.append(
            "| the reader alone | plates | exact | O = 0, I = 1 | characters | calibration error: plates, characters | "
            "right of those over 0.7 (their share) | ms a plate |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
            + "\n".join(reader)
        )
    models = ", ".join(f"{each['name']} ({each['sha256'][:12]})" for each in summary["models"].values())
    countries = ", ".join(summary["countries"]) or "none configured"
    parts.append(f"Models: {models}. Countries: {countries}. Mode: {summary['settings'].get('mode', 'normal')}. "
                 f"Most memory of the process: {summary['peak_memory_mib']:.0f} MiB. "
                 f"Load a core, which lengthens CPU times: {summary.get('load', 'unknown')}.")  # fmt: skip
    return "\n\n".join(parts) + "\n"


def placed(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the marks ``name``. Raises MarkError when they are not there."""
    start, end = f"<!-- figures:{name} -->", f"<!-- /figures:{name} -->"
    pattern = re.compile(re.escape(start) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise MarkError(f"no place for figures named {name!r}; put the lines {start} and {end} where they belong")
    return pattern.sub(lambda _: f"{start}\n\n{text}\n{end}", page, count=1)


def write_into(page: Path, name: str, text: str) -> None:
    """``placed``, in a file. Raises MarkError."""
    try:
        page.write_text(placed(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
    except MarkError as error:
        raise MarkError(f"{page}: {error}") from None


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _errors(f: Mapping[str, Any]) -> str:
    return f"{_percent(f['calibration_error_plates'])}, {_percent(f['calibration_error_characters'])}"


def _whole(name: str, f: Mapping[str, Any]) -> str:
    exact, cpu = TARGETS.get(name, (None, None))
    cells = [
        f"`{name}`", str(f["with_text"]), f"{_percent(f['exact_pictures'])} ({f['right']})",
        "" if exact is None else _percent(exact), _percent(f["folded_pictures"]), _percent(f["characters"]), _errors(f),
        f"{f['cpu_s_an_image']:.3f}", "" if cpu is None else f"{cpu:.3f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _empty(name: str, f: Mapping[str, Any]) -> str:
    background = f["kind"] == "background"
    wanted = f"under {f['pictures'] * FALSE_READS:.1f}" if background else ""
    count = f["false_reads"] if background else f["reads"]
    return f"| `{name}` | {f['pictures']} | {count} | {wanted} | {f['cpu_s_an_image']:.3f} |"


def _reader(name: str, f: Mapping[str, Any]) -> str:
    right, share = f["precision_and_coverage_above"]["0.7"]
    cells = [
        f"`{name}`", str(f["plates"]), _percent(f["exact"]), _percent(f["folded"]), _percent(f["characters"]),
        _errors(f), f"{_percent(right)} ({_percent(share)})", f"{f['cpu_ms_a_plate']:.2f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"
