"""Diagrams as SVG text, drawn by hand so that a report needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["bars", "reliability_diagram", "together"]

SIDE = 220
EDGE = 30

_STYLE = (
    "svg { background: #fff } text { font: 11px system-ui, sans-serif; fill: #1c2126 } .title { font-size: 13px } "
    ".frame { fill: none; stroke: #888 } .ideal { stroke: #aaa; stroke-dasharray: 4 3 } "
    ".line { fill: none; stroke: #1d5fbf } .dot { fill: #1d5fbf }"
)
"""What a report's page says for the diagrams in it, for a file that stands alone."""


def reliability_diagram(bins: Sequence[Mapping[str, float]], title: str) -> str:
    """Share right against reliability, one dot a bin (its area: how many), over the diagonal of a perfect one.

    ``bins``: as ``tools.evaluate.scores.reliability`` gives them.
    """
    most = max((each["count"] for each in bins), default=1)
    parts = [_frame(title), f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" class="ideal"/>']
    points = " ".join(f"{_x(each['confidence']):.1f},{_y(each['right']):.1f}" for each in bins)
    parts.append(f'<polyline points="{points}" class="line"/>')
    for each in bins:
        radius = 2 + 6 * (each["count"] / most) ** 0.5
        words = f"{each['count']:.0f} at {each['confidence']:.2f}: {each['right']:.2f} right"
        parts.append(
            f'<circle cx="{_x(each["confidence"]):.1f}" cy="{_y(each["right"]):.1f}" r="{radius:.1f}" class="dot">'
            f"<title>{words}</title></circle>"
        )
    return _svg(parts, SIDE + 2 * EDGE, SIDE + 2 * EDGE)


def together(diagrams: Sequence[str], columns: int = 4) -> str:
    """Diagrams of this module's as one SVG file, row by row."""
    wide = high = SIDE + 2 * EDGE
    rows = -(-len(diagrams) // columns)
    across = min(columns, max(len(diagrams), 1))
    placed = [
        each.replace("<svg ", f'<svg x="{number % columns * wide}" y="{number // columns * high}" ', 1)
        for number, each in enumerate(diagrams)
    ]
    return _svg([f"<style>{_STYLE}</style>", *placed], across * wide, rows * high) + "\n"


def bars(classes: Mapping[str, Sequence[int]], title: str, unit: str) -> str:
    """Shares right of classes: ``classes`` maps a name to (right, all)."""
    step = 26
    height = EDGE + step * len(classes) + 10
    parts = [f'<text x="4" y="18" class="title">{title}</text>']
    for row, (name, (right, count)) in enumerate(classes.items()):
        top = EDGE + row * step
        share = right / count if count else 0.0
        parts.append(f'<text x="4" y="{top + 15}">{name} {unit}</text>')
        parts.append(f'<rect x="80" y="{top + 3}" width="150" height="16" class="ground"/>')
        parts.append(f'<rect x="80" y="{top + 3}" width="{150 * share:.1f}" height="16" class="dot"/>')
        parts.append(f'<text x="236" y="{top + 15}">{100 * share:.1f} % of {count}</text>')
    return _svg(parts, 340, height)


def _x(value: float) -> float:
    return EDGE + SIDE * value


def _y(value: float) -> float:
    return EDGE + SIDE * (1 - value)


def _frame(title: str) -> str:
    marks = "".join(
        f'<text x="{_x(v) - 8:.0f}" y="{_y(0) + 16:.0f}">{v:.1f}</text><text x="4" y="{_y(v) + 4:.0f}">{v:.1f}</text>'
        for v in (0.0, 0.5, 1.0)
    )
    return (
        f'<text x="{EDGE}" y="18" class="title">{title}</text>{marks}'
        f'<rect x="{EDGE}" y="{EDGE}" width="{SIDE}" height="{SIDE}" class="frame"/>'
    )


def _svg(parts: Sequence[str], width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img">{"".join(parts)}</svg>'
    )
