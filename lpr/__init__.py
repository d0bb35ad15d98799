"""Licence plate recognition as a library and a service.

``lpr.read("car.jpg")`` gives the plates of one picture; ``async with lpr.open("lpr.toml") as service`` runs the whole
service inside your program. Names are loaded when first used, so importing a part does not load the models' runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpr.library import ImageError, ModelError, Plate, Reader, read
    from lpr.service import Service, open

__all__ = ["ImageError", "ModelError", "Plate", "Reader", "Service", "open", "read"]

_HOMES = {"Service": "lpr.service", "open": "lpr.service"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lpr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "lpr.library")), name)
