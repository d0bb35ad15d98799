"""Every error of the REST API and the pages, as RFC 9457 problem documents. Pure; imports aiohttp only.

``PROBLEMS`` is the one table: the API answers from it, the OpenAPI document and docs/api.md list it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web

from lpr.http.audit import printable

MEDIA_TYPE = "application/problem+json"
"""RFC 9457, section 3."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status, its title and what the caller can do."""

    status: int
    title: str
    remedy: str


PROBLEMS: Mapping[str, Kind] = {
    "malformed_request": Kind(400, "This is not HTTP", "Send a well-formed HTTP/1.1 request."),
    "bad_parameter": Kind(400, "A parameter is not valid", "Correct the named parameter; see /api/v1/openapi.json."),
    "bad_cursor": Kind(400, "This is not a cursor", "Take `next` of the page before, unchanged."),
    "bad_json": Kind(400, "The body is not valid", "Send the JSON document that /api/v1/openapi.json describes."),
    "not_logged_in": Kind(401, "Not logged in", "POST /api/v1/login, then send `Authorization: Bearer <token>`."),
    "wrong_password": Kind(401, "User or password is wrong", "Check both; an administrator can set a new password."),
    "password_change_required": Kind(
        403, "The password is temporary", "PUT /api/v1/me/password with a password of your own."
    ),
    "not_allowed": Kind(403, "Your role may not do this", "Ask an administrator."),
    "cross_site": Kind(403, "The request came from another site", "Use the page itself, and reload it first."),
    "unknown_path": Kind(404, "There is nothing here", "See /api/v1/openapi.json for what there is."),
    "unknown_passage": Kind(404, "No such passage", "It may have been removed by retention; search for it again."),
    "unknown_camera": Kind(404, "No such camera", "GET /api/v1/cameras lists them."),
    "unknown_user": Kind(404, "No such user", "GET /api/v1/users lists them."),
    "unknown_sink": Kind(404, "No such sink", "GET /api/v1/status lists them."),
    "picture_not_ready": Kind(404, "The picture is not signed yet", "Ask again in a moment."),
    "method_not_allowed": Kind(405, "This method is not possible here", "See the Allow header."),
    "request_timeout": Kind(408, "The request took too long", "Send the whole request at once."),
    "user_exists": Kind(409, "This user exists already", "Choose another name, or change the existing user."),
    "last_administrator": Kind(
        409, "This is the last administrator", "Make another user an administrator first, then try again."
    ),
    "picture_missing": Kind(410, "The picture is gone", "It was removed or is damaged; the passage's data remain."),
    "body_too_large": Kind(413, "The body is too large", "Send less; `web.max_body` is the limit."),
    "unsupported_media": Kind(415, "The body must be JSON", "Send `Content-Type: application/json`, uncompressed."),
    "bad_user_name": Kind(
        422, "The user name is not possible", "Use 1 to 64 of A-Z a-z 0-9 . _ @ + -, a letter or digit first."
    ),
    "weak_password": Kind(422, "The password is too weak", "Use 10 to 256 characters, not the user's name."),
    "too_many_attempts": Kind(429, "Too many failed log-ins", "Wait as long as Retry-After says."),
    "internal": Kind(500, "The service made an error", "It is in the service's output; please report it."),
    "too_many_streams": Kind(503, "Too many live streams", "Close another live view or raise `web.max_clients`."),
    "busy": Kind(503, "Too busy at the moment", "Try again in a few seconds."),
    "log_unavailable": Kind(
        503, "The event log cannot be written", "Free disk space or see what locks the log; nothing is lost."
    ),
    "credentials_unavailable": Kind(
        503,
        "The credentials file cannot be written",
        "Free disk space or correct its permissions; nothing was changed.",
    ),
    "no_live_picture": Kind(503, "No picture yet", "The camera has delivered no frame; see /api/v1/status."),
    "search_unavailable": Kind(503, "The search table is not ready", "It is being built; try again in a few seconds."),
    "stopping": Kind(503, "The service is stopping", "Try again after its restart."),
}
"""Code -> kind. A code never changes its meaning."""


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. ``code``: stable, for programs; ``detail``: what is wrong here; ``remedy``: what to do about it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str


class Problem(Exception):
    """A call can't be answered. ``code``: a key of ``PROBLEMS``; ``detail``: what was found in this case."""

    def __init__(self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.kind = PROBLEMS[code]
        self.detail = printable(detail) or self.kind.title
        self.headers = dict(headers or {})

    def document(self) -> ProblemDocument:
        """As it goes over the wire."""
        return ProblemDocument(
            type=f"urn:lpr:problem:{self.code}",
            title=self.kind.title,
            status=self.kind.status,
            code=self.code,
            detail=self.detail,
            remedy=self.kind.remedy,
        )

    def response(self) -> web.Response:
        """The HTTP response."""
        return web.Response(
            status=self.kind.status,
            body=msgspec.json.encode(self.document()),
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )
