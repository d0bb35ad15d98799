"""What a camera pushes over HTTP as reports: told by its content, not by its address. Pure.

Known are Milesight's POST and GET, ``infoplate`` documents, ONVIF metadata and notifications, and multipart bodies of
any of these with pictures. May import this room, msgspec and the codecs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from lpr.listen.metadata_report import document_report
from lpr.listen.milesight_report import get_report, is_milesight_post, post_report
from lpr.listen.neural_report import neural_report
from lpr.listen.onvif_report import notify_report
from lpr.listen.report import Checks, Report
from lpr.protocols.neural import decode_json, decode_xml

HTTP_SOURCE = "RFC 9110"
MAX_PARTS = 64
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Request:
    """``target``: path and query as sent; ``headers``: names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The body's media type, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def request_report(request: Request) -> Report:
    """A request, whoever sent it."""
    report = _told(request)
    about: dict[str, Any] = {"method": request.method, "target": request.target, "content_type": request.kind}
    if "idempotency-key" in request.headers:
        about["id"] = request.headers["idempotency-key"]
    report.fields = {"request": about, **report.fields}
    return report


def _told(request: Request) -> Report:
    body = request.body
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    if request.method in ("GET", "HEAD"):
        if "Caption" in query or "description" in query:
            return get_report(query, request.target.encode())
        return Report("message", {"query": query}, raw=request.target.encode(), suffix="txt")
    if request.kind.startswith("multipart/"):
        return _multipart(request)
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if body.startswith(b"\xff\xd8"):
        checks = Checks(HTTP_SOURCE)
        checks.jpeg("body", body)
        return Report("picture", {}, checks.found, [("body", body)], body, "jpg")
    if start == b"<":
        return _xml(request)
    if start in (b"{", b"["):
        return _json(request)
    return Report("message", {"text": body[:1000].decode("utf-8", "replace")}, raw=body, suffix="bin")


def _json(request: Request) -> Report:
    body = request.body
    checks = Checks(HTTP_SOURCE)
    try:
        content: object = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except _BAD as error:
        checks.add("body", str(error), "JSON")
        return Report("message", {"text": body[:1000].decode("utf-8", "replace")}, checks.found, raw=body, suffix="txt")
    if request.kind != "application/json":
        checks.add("Content-Type", request.kind or "missing", "application/json")
    if isinstance(content, dict):
        found = cast("dict[str, Any]", content)
        if any(name.casefold() == "infoplate" for name in found):
            report = neural_report(decode_json(body))
            report.raw, report.suffix = body, "json"
        elif is_milesight_post(found):
            report = post_report(body, found)
        else:
            report = Report("message", {"json": found}, raw=body, suffix="json")
    else:
        report = Report("message", {"json": content}, raw=body, suffix="json")
    report.deviations += checks.found
    return report


def _xml(request: Request) -> Report:
    body = request.body
    if b"infoplate" in body[:2000].lower():
        report = neural_report(decode_xml(body))
        report.raw, report.suffix = body, "xml"
        return report
    if b"MetadataStream" in body[:4000] or b"MetaDataStream" in body[:4000]:
        return document_report(body)
    if b"Envelope" in body[:4000] and (notified := notify_report(body)) is not None:
        return notified
    return Report("message", {"xml": body[:4000].decode("utf-8", "replace")}, raw=body, suffix="xml")


def _multipart(request: Request) -> Report:
    checks = Checks("RFC 2046, section 5.1")
    header = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(header + request.body)
    parts = list(message.iter_parts())
    if not parts:
        checks.add("body", "no parts", "parts between the boundaries that Content-Type names")
    report = Report("message", raw=request.body, suffix="bin")
    told: list[dict[str, Any]] = []
    pictures: list[tuple[str, bytes]] = []
    for index, part in enumerate(parts[:MAX_PARTS]):
        name = part.get_param("name", header="content-disposition") or part.get_filename() or str(index)
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        kind = part.get_content_type()
        told.append({"name": str(name), "content_type": kind, "bytes": len(data)})
        if data.startswith(b"\xff\xd8") or kind == "image/jpeg":
            pictures.append((str(name), data))
            checks.jpeg(str(name), data)
            continue
        inner = _told(Request("POST", request.target, {"content-type": kind}, data))
        if inner.what == "passage" or not report.fields:
            report.what, report.fields = inner.what, inner.fields
        checks.found += inner.deviations
        pictures += inner.pictures
    report.fields = {"parts": told, **report.fields}
    report.pictures, report.deviations = pictures, checks.found
    return report


def names(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Header fields by lower-case name; of a repeated one the first."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    return found
