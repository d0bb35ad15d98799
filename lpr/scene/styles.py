"""What the plates of each format look like: sizes, faces, colours, bands and captions, as data.

Millimetres are those of the published rules where they are known (Contran 231/2007 and 780/2019; GMC 33/14; EU
regulation 2411/98 for the blue strip; 305 mm x 152 mm in the United States and Mexico) and near them elsewhere.
Colours are BGR, 0 to 255. May import nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["BGR", "SIGNS", "STYLES", "Style", "style_of"]

BGR = tuple[int, int, int]

WHITE: Final[BGR] = (235, 238, 238)
BLACK: Final[BGR] = (28, 26, 26)
GRAY: Final[BGR] = (176, 172, 168)
RED: Final[BGR] = (45, 35, 170)
BLUE: Final[BGR] = (150, 70, 20)
MERCOSUL_BLUE: Final[BGR] = (160, 60, 10)
GREEN: Final[BGR] = (70, 120, 30)
YELLOW: Final[BGR] = (40, 190, 240)
GOLD: Final[BGR] = (60, 130, 170)
ORANGE: Final[BGR] = (30, 120, 230)
PALE_BLUE: Final[BGR] = (235, 215, 190)
PALE_YELLOW: Final[BGR] = (200, 235, 245)
NAVY: Final[BGR] = (90, 40, 15)


@dataclass(frozen=True, slots=True)
class Style:
    """The look of a family of plates.

    ``size``: width and height in mm of the one-row plate, ``size2`` of the two-row plate. ``glyph``, ``glyph2``:
    height of the characters in mm. ``faces``: the faces that occur, usual first. ``colours``: (ground, ink)
    pairs, usual first. ``band``: where a coloured strip lies ("top", "left", "both" or ""), ``band_mm`` its width,
    ``band_colour``. ``separators``: signs between groups ("." a dot, "-" a bar, " " a gap, "*" a small seal).
    ``captions``: small texts; ``caption_at``: "top", "bottom", "band" or "" . ``text_drop``: how far the middle of
    the text lies below the middle of the free field, in mm.
    """

    name: str
    size: tuple[float, float]
    glyph: float
    faces: tuple[str, ...]
    colours: tuple[tuple[BGR, BGR], ...]
    size2: tuple[float, float] = (200, 170)
    glyph2: float = 58
    band: str = ""
    band_mm: float = 0
    band_colour: BGR = MERCOSUL_BLUE
    separators: str = " "
    captions: tuple[str, ...] = ()
    caption_at: str = ""
    caption_mm: float = 14
    text_drop: float = 0
    border: bool = True


_CITIES: Final = (
    "SP SAO PAULO", "RJ NITEROI", "MG BELO HORIZONTE", "PR CURITIBA", "RS PORTO ALEGRE", "SP CAMPINAS",
    "SC JOINVILLE", "BA SALVADOR", "PE RECIFE", "DF BRASILIA", "GO GOIANIA", "SP SAO CARLOS", "MG JUIZ DE FORA",
    "ES VITORIA", "CE FORTALEZA", "AM MANAUS", "SP BAURU", "PR MARINGA", "RS CAXIAS DO SUL", "PB JOAO PESSOA",
)  # fmt: skip
_US_NAMES: Final = (
    "CALIFORNIA", "TEXAS", "FLORIDA", "NEW YORK", "ILLINOIS", "NEVADA", "OREGON", "UTAH", "ARIZONA", "OHIO",
    "GEORGIA", "VIRGINIA", "WASHINGTON", "KANSAS", "MAINE", "ALASKA", "IDAHO", "IOWA", "INDIANA", "MARYLAND",
    "GARDEN STATE", "SUNSHINE STATE", "FIRST IN FLIGHT", "THE NATURAL STATE", "GREAT LAKES", "VACATIONLAND",
)  # fmt: skip
_MX_NAMES: Final = ("JALISCO", "MEXICO", "PUEBLA", "NUEVO LEON", "SONORA", "OAXACA", "YUCATAN", "TRASERA", "DELANTERA")
_CO_NAMES: Final = ("BOGOTA DC", "MEDELLIN", "CALI", "ENVIGADO", "CHIA", "BARRANQUILLA")
_MERCOSUL_INKS: Final = ((WHITE, BLACK), (WHITE, RED), (WHITE, BLUE), (WHITE, GREEN), (WHITE, GOLD), (BLACK, GRAY))


def _mercosul(name: str, caption: str) -> Style:
    return Style(
        name, (400, 130), 65, ("fe", "fe-round"), _MERCOSUL_INKS, size2=(200, 170), glyph2=53, band="top", band_mm=30,
        separators=" ", captions=(caption,), caption_at="band", caption_mm=14, text_drop=0,
    )  # fmt: skip


_STYLES: Final[tuple[Style, ...]] = (
    Style(
        "br-old", (400, 130), 63, ("brazil",),
        ((GRAY, BLACK), (WHITE, BLACK), (RED, WHITE), (WHITE, RED), (BLACK, GRAY), (BLUE, WHITE)),
        size2=(187, 136), glyph2=42, separators=".-", captions=_CITIES, caption_at="top", caption_mm=12, text_drop=10,
    ),
    _mercosul("br-mercosul", "BRASIL"),
    _mercosul("ar-mercosul", "REPUBLICA ARGENTINA"),
    _mercosul("py-mercosul", "REPUBLICA DEL PARAGUAY"),
    _mercosul("uy-mercosul", "URUGUAY"),
    Style(
        "ar-old", (294, 129), 68, ("argentina", "gothic", "din-narrow"), ((BLACK, WHITE),), size2=(190, 140),
        glyph2=48, separators=" ", captions=("ARGENTINA",), caption_at="top", caption_mm=10, text_drop=7,
    ),
    Style(
        "cl", (360, 130), 70, ("fe", "din-narrow", "gothic"), ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, GREEN)),
        size2=(200, 140), glyph2=48, separators=".* ", captions=("CHILE",), caption_at="bottom", caption_mm=13,
        text_drop=-5,
    ),
    Style(
        "py-old", (400, 130), 70, ("din", "gothic"), ((WHITE, RED), (WHITE, BLACK), (RED, WHITE)),
        separators=" ", captions=("PARAGUAY",), caption_at="top", text_drop=9,
    ),
    Style(
        "bo", (300, 150), 70, ("gothic", "us"), ((WHITE, BLUE), (WHITE, BLACK)), separators=" ",
        captions=("BOLIVIA",), caption_at="top", text_drop=8,
    ),
    Style(
        "pe", (300, 150), 70, ("gothic", "uk", "square"), ((WHITE, BLACK), (YELLOW, BLACK)), separators="-",
        captions=("PERU",), caption_at="top", text_drop=9,
    ),
    Style(
        "co", (330, 160), 80, ("gothic", "din", "uk"), ((YELLOW, BLACK), (WHITE, BLACK), (WHITE, BLUE)),
        separators=" *", captions=_CO_NAMES, caption_at="bottom", text_drop=-9,
    ),
    Style(
        "ec", (404, 154), 80, ("gothic", "din"), ((WHITE, BLACK), (ORANGE, BLACK), (YELLOW, BLACK)), separators="-",
        captions=("ECUADOR",), caption_at="top", text_drop=10,
    ),
    Style(
        "ve", (300, 150), 70, ("gothic", "us"), ((WHITE, BLUE), (WHITE, BLACK)), separators=" ",
        captions=("REPUBLICA BOLIVARIANA DE VENEZUELA",), caption_at="top", caption_mm=10, text_drop=8,
    ),
    Style(
        "mx", (300, 150), 62, ("us", "us-west", "us-foot", "gothic", "din-narrow"),
        ((WHITE, BLACK), (PALE_YELLOW, BLACK), (PALE_BLUE, NAVY), (WHITE, GREEN), (WHITE, RED)),
        separators="-", captions=_MX_NAMES, caption_at="both", caption_mm=15,
    ),
    Style(
        "eu", (520, 110), 75,
        ("din", "fe", "gothic", "din-narrow", "fe-narrow", "square", "flat", "flat-narrow", "bare"),
        ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, RED), (WHITE, GREEN), (BLACK, WHITE)),
        size2=(280, 200), glyph2=75, band="left", band_mm=42, separators=" -.*",
    ),
    Style(
        "gb", (520, 111), 79, ("uk", "uk-flag", "gothic"), ((YELLOW, BLACK), (WHITE, BLACK), (BLACK, WHITE)),
        size2=(285, 203), glyph2=79, band="", separators=" ", border=False,
    ),
    Style(
        "us", (305, 152), 70, ("us", "us-west", "us-foot", "us-flat", "din-narrow", "us-coast"),
        ((WHITE, NAVY), (WHITE, BLACK), (PALE_BLUE, NAVY), (YELLOW, BLACK), (PALE_YELLOW, GREEN), (WHITE, RED),
         (BLUE, WHITE), (GREEN, WHITE), (PALE_BLUE, RED), (ORANGE, NAVY)),
        size2=(180, 105), glyph2=34, separators=" -.*", captions=_US_NAMES, caption_at="both", caption_mm=17,
    ),
    Style(
        "other", (430, 120), 72, ("din", "gothic", "uk", "din-narrow", "square", "us"),
        ((WHITE, BLACK), (BLACK, WHITE), (YELLOW, BLACK), (GREEN, WHITE), (BLUE, WHITE), (WHITE, BLUE), (WHITE, RED),
         (RED, WHITE)),
        size2=(280, 190), glyph2=70, separators=" -.",
    ),
)  # fmt: skip

STYLES: Final[dict[str, Style]] = {style.name: style for style in _STYLES}
"""Every style by its name; also the classes of the reader's layout head, in this order."""

SIGNS: Final[dict[str, str]] = {
    "de": "D", "fr": "F", "it": "I", "es": "E", "be": "B", "se": "S", "fi": "FIN", "no": "N", "hu": "H", "at": "A",
    "ee": "EST", "si": "SLO", "ie": "IRL", "lu": "L", "pt": "P", "mt": "M",
}  # fmt: skip
"""Country's code (lower case) to its distinguishing sign (Vienna Convention on Road Traffic) where it is another."""

_BY_LAYOUT: Final[dict[str, str]] = {
    "br-old-moto": "br-old", "br-mercosul-moto": "br-mercosul", "ar-old-moto": "ar-old",
    "ar-mercosul-moto": "ar-mercosul", "py-old-moto": "py-old", "py-mercosul-moto": "py-mercosul",
    "uy-moto": "uy-mercosul", "gb-prefix": "gb",
}  # fmt: skip
_BY_COUNTRY: Final[dict[str, str]] = {name: name for name in ("cl", "bo", "pe", "co", "ec", "ve", "mx", "gb", "us")}


def style_of(layout: str) -> Style:
    """The style of a format's key ("br-old", "de-33", ...); European ones share "eu", unknown ones "other"."""
    name = _BY_LAYOUT.get(layout, layout)
    if name not in STYLES:
        name = _BY_COUNTRY.get(layout[:2], "eu" if "-" in layout or len(layout) == 2 else "other")
    return STYLES[name]
