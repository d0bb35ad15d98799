"""What a plate's colours say of its vehicle's use: private, commercial, official, diplomatic, special, ...

Rules by country, format and colours; a country without a rule gives None, and so does a colour that no rule names.
Sources: Brazil's Mercosul plates, white ground and a colour of characters for each use (Contran resolution 780/2019:
black private, red commercial, blue official, gold diplomatic, green special, silver collection); Brazil's old ones, a
colour of ground for each use (Contran resolution 231/2007: grey private, red hire, white official, blue diplomatic,
green trial, black collection). The other Mercosul countries share the colours of resolution GMC 33/14; there black
says nothing, since hire vehicles have it, too (inferred). Colombia: yellow private, white public service, blue
diplomatic. Germany: green characters tax exempt, red ones dealers'. Romania: red characters temporary. Pure; imports
nothing of ours.
"""

from __future__ import annotations

from typing import Final

CATEGORIES: Final = ("private", "commercial", "official", "diplomatic", "special", "collection", "temporary")
"""Every category there is."""

_MERCOSUL: Final = {
    "red": "commercial",
    "blue": "official",
    "orange": "diplomatic",
    "yellow": "diplomatic",
    "green": "special",
    "gray": "collection",
}
_OLD_BRAZIL: Final = {
    "gray": "private",
    "red": "commercial",
    "white": "official",
    "blue": "diplomatic",
    "green": "special",
    "black": "collection",
}
_COLOMBIA: Final = {"yellow": "private", "orange": "private", "white": "commercial", "blue": "diplomatic"}
_BY_INK: Final[dict[str, dict[str, str]]] = {
    "DE": {"green": "special", "red": "temporary"},
    "RO": {"red": "temporary"},
}


def category_of(country: str | None, layout: str | None, ground: str | None, ink: str | None) -> str | None:
    """The category of a plate, a name of ``CATEGORIES``, or None.

    ``country``: ISO 3166-1 alpha-2; ``layout``: key of a format; ``ground``, ``ink``: names of ``lpr.events.COLOURS``.
    """
    key = layout or ""
    if "-mercosul" in key:
        if ground not in (None, "white", "gray", "unknown"):
            return None
        if ink == "black":
            return "private" if country == "BR" else None
        return _MERCOSUL.get(ink or "")
    if key.startswith("br-old"):
        return _OLD_BRAZIL.get(ground or "")
    if country == "CO":
        return _COLOMBIA.get(ground or "")
    return _BY_INK.get(country or "", {}).get(ink or "")


def vehicle_of(layout: str | None) -> str | None:
    """What a format says of the vehicle: "motorcycle" for a two-row motorcycle format, else None."""
    return "motorcycle" if layout is not None and "-moto" in layout else None
