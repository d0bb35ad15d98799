"""The light of the demo street: day, dusk, night and dawn in turn. Pure. Imports ``lpr.scene``."""

from __future__ import annotations

from dataclasses import dataclass

from lpr.scene.raster import Colour, mix

CYCLE = 240.0
"""Seconds from one noon to the next."""


@dataclass(frozen=True)
class Light:
    """The light of a moment. ``darkness``: 0 day, 0.5 dusk, 1 night; ``ambient``: gain by channel."""

    darkness: float
    ambient: Colour

    @property
    def lamps(self) -> float:
        """How much the lamps show, 0 to 1."""
        return min(max((self.darkness - 0.25) / 0.35, 0.0), 1.0)


_AMBIENT: tuple[Colour, Colour, Colour] = ((1.0, 1.0, 1.0), (0.50, 0.46, 0.48), (0.21, 0.19, 0.18))


def light_at(t: float, cycle: float = CYCLE) -> Light:
    """The light at ``t`` seconds: 45 % day, 12.5 % dusk, 30 % night, 12.5 % dawn of a cycle."""
    phase = (t / cycle) % 1.0
    if phase < 0.45:
        darkness = 0.0
    elif phase < 0.575:
        darkness = (phase - 0.45) / 0.125
    elif phase < 0.875:
        darkness = 1.0
    else:
        darkness = 1.0 - (phase - 0.875) / 0.125
    step = round(darkness * 128) / 128
    day, dusk, night = _AMBIENT
    return Light(step, mix(day, dusk, step * 2) if step <= 0.5 else mix(dusk, night, step * 2 - 1))
