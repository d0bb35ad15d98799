"""What every section of the configuration is made of: the base class and the checked kinds of values.

Imports msgspec only.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

Name: TypeAlias = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="a-z, 0-9, - and _; at most 32")
]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535, description="0: any free port")]
Fraction: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive: TypeAlias = Annotated[float, Meta(gt=0.0)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0.0)]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Region: TypeAlias = tuple[
    tuple[Fraction, Fraction], tuple[Fraction, Fraction], tuple[Fraction, Fraction], tuple[Fraction, Fraction]
]
"""Four corners of a polygon, fractions of the picture's width and height, in order round it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section: an unknown key is an error."""


class Tls(Section, frozen=True, kw_only=True):
    """``certificate_file`` and ``key_file``: PEM."""

    certificate_file: str
    key_file: str
