"""Namespaces of ONVIF's messages and the prefixes that we write. ``q("tt:Name")`` is the name as ElementTree has it.

Source: ONVIF Core (table of prefixes) and the WSDL files' target namespaces. Imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "env": "http://www.w3.org/2003/05/soap-envelope",
        "xml": "http://www.w3.org/XML/1998/namespace",
        "xs": "http://www.w3.org/2001/XMLSchema",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "wsa": "http://www.w3.org/2005/08/addressing",
        "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
        "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
        "wsnt": "http://docs.oasis-open.org/wsn/b-2",
        "wsrf-bf": "http://docs.oasis-open.org/wsrf/bf-2",
        "wsrf-rw": "http://docs.oasis-open.org/wsrf/rw-2",
        "wsrf-r": "http://docs.oasis-open.org/wsrf/r-2",
        "wstop": "http://docs.oasis-open.org/wsn/t-1",
        "ter": "http://www.onvif.org/ver10/error",
        "tt": "http://www.onvif.org/ver10/schema",
        "tns1": "http://www.onvif.org/ver10/topics",
        "tds": "http://www.onvif.org/ver10/device/wsdl",
        "trt": "http://www.onvif.org/ver10/media/wsdl",
        "tr2": "http://www.onvif.org/ver20/media/wsdl",
        "tev": "http://www.onvif.org/ver10/events/wsdl",
        "tan": "http://www.onvif.org/ver20/analytics/wsdl",
        "timg": "http://www.onvif.org/ver20/imaging/wsdl",
        "tmd": "http://www.onvif.org/ver10/deviceIO/wsdl",
        "dn": "http://www.onvif.org/ver10/network/wsdl",
        "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
        "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    }
)
"""Prefix -> namespace. ``a`` and ``d`` are WS-Discovery's (its own, older addressing)."""

PREFIXES: Mapping[str, str] = MappingProxyType({uri: prefix for prefix, uri in NAMESPACES.items()})
"""Namespace -> prefix."""


def q(name: str) -> str:
    """``tt:Name`` as ``{http://www.onvif.org/ver10/schema}Name``; a name without prefix stays. Raises KeyError."""
    prefix, colon, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else name


def split(tag: str) -> tuple[str, str]:
    """(namespace, local name) of ``{namespace}local``; the namespace is "" where there is none."""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def local(tag: str) -> str:
    """The name without its namespace."""
    return split(tag)[1]
