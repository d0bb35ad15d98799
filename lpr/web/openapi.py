"""The OpenAPI 3.1 document, made from the route table and the structs. Pure; ``python -m tools.openapi`` writes it.

May import this room.
"""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any

import msgspec

from lpr.web.api import ROUTES
from lpr.web.problems import MEDIA_TYPE, PROBLEMS, ProblemDocument
from lpr.web.routes import Route

REF = "#/components/schemas/{name}"
Json = dict[str, Any]

DESCRIPTION = """\
Search, pictures, events and the state of a licence plate recognition service. Log in with `POST /api/v1/login`, send
the token as `Authorization: Bearer …`. Errors are RFC 9457 problem documents whose `code` never changes its meaning.
Fields may be added within v1, so readers must ignore those they don't know. Every call is in the audit trail."""


def build() -> Json:
    """The document as JSON-able data."""
    structs = [kind for route in ROUTES for kind in (route.body, route.answer) if kind is not None]
    _, components = msgspec.json.schema_components([*structs, ProblemDocument], ref_template=REF)
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lpr", "version": "1.0.0", "description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _problem("Any other problem: see `code`.")},
        },
    }


@cache
def text() -> str:
    """The document as it lies in schemas/openapi.json."""
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


def operation(route: Route) -> Json:
    """One call."""
    name = f"{route.method.lower()}{re.sub(r'[^a-z0-9]+', '_', route.path.removeprefix('/api/v1').lower()).rstrip('_')}"
    made: Json = {"operationId": name, "summary": route.summary, "tags": [route.tag]}
    if route.access == "open":
        made["security"] = []
    if route.access == "administrator":
        made["description"] = "For administrators."
    parameters = [_variable(part, route) for part in re.findall(r"{(\w+)}", route.path)]
    if route.query is not None:
        parameters += _query(route.query)
    if "stream" in route.path:
        parameters.append(
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "pattern": "^\\d+$"},
            }
        )
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(route.body)}}}
    made["responses"] = {str(route.status): _success(route), **_failures(route)}
    return made


def _success(route: Route) -> Json:
    made: Json = {"description": route.summary}
    if route.answer is not None:
        made["content"] = {"application/json": {"schema": _ref(route.answer)}}
    elif route.status == 200:
        made["content"] = {route.media: {"schema": {"type": "string"}}}
    return made


def _failures(route: Route) -> Json:
    codes = list(route.problems)
    if route.access != "open":
        codes.append("not_logged_in")
    if route.access in ("user", "administrator"):
        codes.append("password_change_required")
    if route.access == "administrator":
        codes.append("not_allowed")
    if route.query is not None:
        codes.append("bad_parameter")
    if route.body is not None:
        codes += ["bad_json", "body_too_large", "unsupported_media"]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    made: Json = {
        str(status): _problem(" ".join(f"`{code}`: {PROBLEMS[code].title}." for code in found))
        for status, found in sorted(by_status.items())
    }
    return {**made, "default": {"$ref": "#/components/responses/Problem"}}


def _problem(description: str) -> Json:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _ref(ProblemDocument)}}}


def _ref(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": REF.format(name=kind.__name__)}


def _variable(name: str, route: Route) -> Json:
    schema: Json = {"type": "string"}
    described = {"description": route.variables[name]} if name in route.variables else {}
    return {"name": name, "in": "path", "required": True, "schema": schema, **described}


def _query(kind: type[msgspec.Struct]) -> list[Json]:
    """The fields of a query struct as parameters; what its docstring says of a field is its description."""
    _, components = msgspec.json.schema_components([kind], ref_template=REF)
    properties: dict[str, Json] = components[kind.__name__]["properties"]
    doc = " ".join((inspect.getdoc(kind) or "").split())
    said = dict(re.findall(r"``(\w+)``: (.*?)(?= ``\w+``:|$)", doc))
    made: list[Json] = []
    for name, schema in properties.items():
        plain = {key: value for key, value in schema.items() if key not in ("default", "description")}
        if "anyOf" in plain:
            kept = [one for one in plain["anyOf"] if one != {"type": "null"}]
            plain = kept[0] if len(kept) == 1 else {"anyOf": kept}
        nested = plain.pop("description", None)
        if schema.get("default") not in (None, ""):
            plain["default"] = schema["default"]
        description = schema.get("description") or nested or said.get(name)
        made.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": plain,
                **({"description": description} if description else {}),
            }
        )
    return made
