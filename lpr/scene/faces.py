"""The faces of number plates, as skeletons of centre lines (see ``lpr.scene.glyphs`` for how to read them).

Drawn by hand after the published descriptions, not traced from any font: FE-Schrift (Germany 1995; Mercosul,
Resolution GMC 33/14), DIN 1451 Mittelschrift, the old Brazilian face (Contran Resolution 231/2007, annex: 63 mm
high, stroke about 10 mm, widths a letter as there), United States dies (narrow, round, sans serif), the United
Kingdom's 2001 face (79 mm x 50 mm, stroke 14 mm) and Argentina's face of 1995.

May import ``lpr.scene.glyphs`` alone.
"""

from __future__ import annotations

from typing import Final

from lpr.scene.glyphs import Face

__all__ = ["ALPHABET", "FACES"]

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_GOTHIC: Final[dict[str, str]] = {
    "A": "0,1 .5,0;1,1 .5,0;.15,.72! .85,.72!",
    "B": "0,0 .95,0:r .95,.48:r 0,.48;0,.48 1,.48:r 1,1:r 0,1;0,0 0,1",
    "C": "1,.3! 1,0:r 0,0:r 0,1:r 1,1:r 1,.7!",
    "D": "0,0 1,0:r 1,1:r 0,1 z",
    "E": "1,0 0,0 0,1 1,1;0,.48 .88,.48",
    "F": "1,0 0,0 0,1;0,.5 .86,.5",
    "G": "1,.28! 1,0:r 0,0:r 0,1:r 1,1:r 1,.54 .55,.54!",
    "H": "0,0 0,1;1,0 1,1;0,.49 1,.49",
    "I": ".5,0 .5,1",
    "J": "1,0 1,1:r 0,1:r 0,.68!",
    "K": "0,0 0,1;1,0 0,.66!;.3,.42! 1,1",
    "L": "0,0 0,1 1,1",
    "M": "0,1 0,0;1,1 1,0;0,0 .5,.7 1,0",
    "N": "0,1 0,0;1,1 1,0;0,0 1,1",
    "O": "0,0:r 1,0:r 1,1:r 0,1:r z",
    "P": "0,1 0,0 1,0:r 1,.54:r 0,.54",
    "Q": "0,0:r 1,0:r 1,1:r 0,1:r z;.55,.7! 1.08,1.08",
    "R": "0,1 0,0 1,0:r 1,.52:r 0,.52;.42,.52! 1,1",
    "S": "1,.28! 1,0:r 0,0:r 0,.46:r 1,.52:r 1,1:r 0,1:r 0,.72!",
    "T": "0,0 1,0;.5,0 .5,1",
    "U": "0,0 0,1:r 1,1:r 1,0",
    "V": "0,0 .5,1;1,0 .5,1",
    "W": "0,0 .25,1 .5,.26 .75,1 1,0",
    "X": "0,0 1,1;1,0 0,1",
    "Y": "0,0 .5,.54!;1,0 .5,.54!;.5,.48! .5,1",
    "Z": "0,0 1,0;1,0 0,1;0,1 1,1",
    "0": "0,0:r 1,0:r 1,1:r 0,1:r z",
    "1": "0,.2! .75,.0;1,0 1,1",
    "2": "0,.3! 0,0:r 1,0:r 1,.44:.4 0,1;0,1 1,1",
    "3": "0,.27! 0,0:r 1,0:r 1,.48:r .4,.48!;.4,.48! 1,.48:r 1,1:r 0,1:r 0,.73!",
    "4": ".74,1 .74,0;1,.75 0,.75 .74,0",
    "5": "1,0 .06,0 0,.47!;.03,.42! .3,.36:.2 1,.36:r 1,1:r 0,1:r 0,.74!",
    "6": "1,.26! 1,0:r 0,0:r 0,1:r 1,1:r 1,.43:r 0,.43!",
    "7": "0,0 1,0;1,0 .3,1",
    "8": ".04,0:r .96,0:r .96,.47:r .04,.47:r z;0,.47:r 1,.47:r 1,1:r 0,1:r z",
    "9": "0,.74! 0,1:r 1,1:r 1,0:r 0,0:r 0,.57:r 1,.57!",
}

_FE: Final[dict[str, str]] = {
    **_GOTHIC,
    "A": "0,1 .36,0;1,1 .64,0;.36,0! .64,0!;.15,.72! .85,.72!",
    "C": "1,.22! 1,0:.14 0,0:r 0,1:r 1,1:.45 1,.76!",
    "D": "0,0 1,0:r 1,1:r 0,1;.16,0 .16,1",
    "E": "1,0 0,0 0,1 1,1;0,.42 .68,.42",
    "F": "1,0 0,0 0,1;0,.57 .84,.57",
    "G": "1,.22! 1,0:.14 0,0:r 0,1:r .72,1:.25 1,.84!;1,1 1,.54 .52,.54!",
    "H": "0,0 0,1;1,0 1,1;0,.43 1,.43",
    "I": ".5,0 .5,1;.05,1 .95,1;.2,0 .8,0",
    "J": ".35,0 1,0 1,1:r 0,1:r 0,.72!",
    "K": "0,0 0,1;1,0 .05,.58!;.28,.45! 1,1",
    "L": "0,0 0,1 1,1 1,.8!",
    "M": "0,1 0,0;1,1 1,0;0,0 .5,.58 1,0",
    "O": "@0,0 1,1",
    "P": "0,0 1,0:.5 1,.58:.5 .1,.58;.1,0 .1,1",
    "Q": "0,0:r 1,0:r 1,1:r 0,1:r z;.45,.62! 1,1",
    "R": "0,0 0,1;0,0 1,0:.1 1,.36:.15 .36,.52!;.4,.46! 1,1",
    "S": "1,.26! 1,0:.5 0,0:.5 0,.42:.4 1,.58:.4 1,1:.5 0,1:.5 0,.76!",
    "U": "0,0 0,1:.4 .7,1:.25 1,.84!;1,0 1,1",
    "W": "0,0 .22,1 .5,.38 .78,1 1,0",
    "Y": "0,0 .5,.6!;1,0 .5,.6!;.5,.54! .5,1",
    "0": "0,0:r 1,0:r 1,1:r 0,1:r z;- .62,.2 1.2,-.06",
    "1": "0,.26! .62,0:.05 .62,1;0,1 1,1",
    "2": "0,.26! 0,0:r 1,0:r 1,.36:.3 0,.84:.2 0,1 1,1",
    "3": "0,0 .95,0:.05 .48,.42!;.4,.42! 1,.42:.42 1,1:.45 0,1:.45 0,.76!",
    "4": ".62,0 0,.75 1,.75;.78,.5! .78,1",
    "5": "1,0 0,0 0,.46!;.03,.42! .3,.36:.2 1,.36:.5 1,1:.5 .0,1:.4 0,.8!",
    "6": ".72,0 0,.54:.5 0,1:.5 1,1:.5 1,.42:.5 .3,.42:.3 .1,.52!",
    "7": "0,.2! 0,0 1,0:.05 1,.16:.1 .32,.66:.2 .32,1",
    "8": ".06,0:.4 .94,0:.4 .94,.46:.4 .06,.46:.4 z;0,.46:.45 1,.46:.45 1,1:.45 0,1:.45 z",
    "9": ".28,1 1,.46:.5 1,0:.5 0,0:.5 0,.58:.5 .7,.58:.3 .9,.48!",
}

_BRAZIL: Final[dict[str, str]] = {
    **_GOTHIC,
    "A": "0,1 .42,0;1,1 .58,0;.42,0! .58,0!;.2,.74! .8,.74!",
    "B": "0,0 .94,0:r .94,.47:r 0,.47;0,.47 1,.47:r 1,1:r 0,1;.1,0 .1,1",
    "C": "1,.22! 1,0:r 0,0:r 0,1:r 1,1:r 1,.78!",
    "D": "0,0 1,0:r 1,1:r 0,1;.1,0 .1,1",
    "E": "1,0 0,0 0,1 1,1;0,.48 .72,.48",
    "F": "1,0 0,0 0,1;0,.5 .68,.5",
    "G": "1,.22! 1,0:r 0,0:r 0,1:r 1,1:r 1,.56 .6,.56!",
    "J": "1,0 1,1:r 0,1:r 0,.8!",
    "S": "1,.2! 1,0:r 0,0:r 0,.42:r 1,.54:r 1,1:r 0,1:r 0,.8!",
    "2": "0,.24! 0,0:r 1,0:r 1,.34:.2 0,.84 0,1;0,1 1,1",
    "1": ".5,0 .5,1",
    "3": "0,.2! 0,0:r 1,0:r 1,.48:r .5,.48!;.5,.48! 1,.48:r 1,1:r 0,1:r 0,.8!",
    "4": ".72,1 .72,0;1,.72 0,.72 .72,0!",
    "5": "1,0 .08,0 .03,.44!;.03,.46! .2,.43 1,.43:r 1,1:r 0,1:r 0,.8!",
    "6": "1,.2! 1,0:r 0,0:r 0,1:r 1,1:r 1,.48:r 0,.48!",
    "9": "0,.8! 0,1:r 1,1:r 1,0:r 0,0:r 0,.52:r 1,.52!",
}

_SERIF_I: Final = "0,0 1,0;0,1 1,1;.5,0 .5,1"
_FOOT_1: Final = "0,.22! .5,0;.5,0 .5,1;0,1 1,1"
_FLAT_3: Final = "0,0 1,0;1,0 .4,.42!;.3,.42! 1,.42:r 1,1:r 0,1:r 0,.75!"
_OPEN_4: Final = ".5,0 0,.72 1,.72;.78,.42! .78,1"
_STEEP_4: Final = ".42,0 0,.74 1,.74;.68,.46! .68,1"
_STRAIGHT_6: Final = ".8,0 0,.5:.5 0,1:r 1,1:r 1,.44:r .1,.44!"
_STRAIGHT_9: Final = ".2,1 1,.5:.5 1,0:r 0,0:r 0,.56:r .9,.56!"

_US: Final[dict[str, str]] = {
    **_GOTHIC,
    "I": _SERIF_I,
    "M": "0,1 0,0;1,1 1,0;0,0 .5,.56 1,0",
    "W": "0,0 .18,1 .5,.36 .82,1 1,0",
}
_US_B: Final[dict[str, str]] = {**_US, "1": _FOOT_1, "4": _OPEN_4, "W": "0,0 0,1;1,0 1,1;0,1 .5,.42 1,1"}
_US_D: Final[dict[str, str]] = {**_US, "1": _FOOT_1, "4": _OPEN_4}
_US_E: Final[dict[str, str]] = {**_US, "4": _STEEP_4, "6": _STRAIGHT_6, "9": _STRAIGHT_9}
_US_C: Final[dict[str, str]] = {**_GOTHIC, "3": _FLAT_3, "6": _STRAIGHT_6, "9": _STRAIGHT_9}
_FLAT: Final[dict[str, str]] = {**_GOTHIC, "3": _FLAT_3, "4": _OPEN_4}
_BARE: Final[dict[str, str]] = {**_GOTHIC, "1": ".5,0 .5,1"}
"""A one that is a bar like the I (United Kingdom, Finland, Norway)."""
_DIN: Final[dict[str, str]] = {**_GOTHIC, "4": _OPEN_4, "6": _STRAIGHT_6, "9": _STRAIGHT_9}


def _face(
    name: str,
    skeletons: dict[str, str],
    *,
    width: float,
    stroke: float,
    round_: float,
    wide: float = 1.15,
    narrow: float | None = None,
    one: float = 0.6,
    widths: dict[str, float] | None = None,
    soft: float = 0.012,
) -> Face:
    """A face whose M and W are ``wide`` times, whose I and 1 are narrower than the other glyphs."""
    own = {"M": width * wide, "W": width * wide, "I": narrow if narrow is not None else stroke, "1": width * one}
    return Face(name, width, stroke, round_, tuple(skeletons.items()), tuple({**own, **(widths or {})}.items()), soft)


_BRAZIL_MM: Final[dict[str, float]] = {
    "A": 54, "B": 44, "C": 44, "D": 43, "E": 40, "F": 36, "G": 45, "H": 45, "I": 11, "J": 36, "K": 49, "L": 40,
    "M": 54, "N": 47, "O": 45, "P": 44, "Q": 51, "R": 46, "S": 46, "T": 44, "U": 45, "V": 49, "W": 54, "X": 49,
    "Y": 47, "Z": 40, "0": 45, "1": 11, "2": 44, "3": 44, "4": 49, "5": 44, "6": 44, "7": 41, "8": 45, "9": 44,
}  # fmt: skip

_ALL: Final[tuple[Face, ...]] = (
    _face("fe", _FE, width=0.61, stroke=0.155, round_=0.36, wide=1.08, narrow=0.5, one=0.72),
    _face("fe-round", _FE, width=0.64, stroke=0.14, round_=0.4, wide=1.05, narrow=0.48, one=0.7),
    _face("fe-narrow", _FE, width=0.5, stroke=0.15, round_=0.38, wide=1.1, narrow=0.42, one=0.75),
    _face(
        "brazil", _BRAZIL, width=0.71, stroke=0.185, round_=0.27,
        widths={c: mm / 63 for c, mm in _BRAZIL_MM.items()},
    ),
    _face("din", _DIN, width=0.6, stroke=0.15, round_=0.5, one=0.6),
    _face("din-narrow", _GOTHIC, width=0.48, stroke=0.14, round_=0.5, wide=1.2, one=0.65),
    _face("gothic", _GOTHIC, width=0.62, stroke=0.16, round_=0.42, one=0.5),
    _face("us", _US, width=0.47, stroke=0.14, round_=0.5, wide=1.2, narrow=0.36, one=0.62),
    _face("us-foot", _US_B, width=0.49, stroke=0.15, round_=0.46, wide=1.15, narrow=0.38, one=0.85),
    _face("us-west", _US_D, width=0.46, stroke=0.13, round_=0.5, wide=1.2, narrow=0.38, one=0.75),
    _face("us-coast", _US_E, width=0.45, stroke=0.125, round_=0.5, wide=1.15, narrow=0.34, one=0.6),
    _face("us-flat", _US_C, width=0.45, stroke=0.145, round_=0.5, wide=1.25, one=0.6),
    _face("uk", _BARE, width=0.63, stroke=0.177, round_=0.4, wide=1.0, one=0.28),
    _face("uk-flag", _GOTHIC, width=0.63, stroke=0.177, round_=0.4, wide=1.0, one=0.45),
    _face("bare", _BARE, width=0.58, stroke=0.14, round_=0.46, one=0.24),
    _face("flat", _FLAT, width=0.6, stroke=0.15, round_=0.48, one=0.55),
    _face("flat-narrow", _FLAT, width=0.47, stroke=0.13, round_=0.5, wide=1.2, one=0.65),
    _face("argentina", _GOTHIC, width=0.55, stroke=0.16, round_=0.45, wide=1.15, one=0.6),
    _face("square", _GOTHIC, width=0.6, stroke=0.17, round_=0.22, wide=1.1, one=0.45),
)  # fmt: skip

FACES: Final[dict[str, Face]] = {face.name: face for face in _ALL}
"""Every face by its name. Each draws A-Z and 0-9."""
