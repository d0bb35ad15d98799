"""The OpenAPI document: fresh, valid, and about exactly what is served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from lpr.web import openapi
from lpr.web.api import ROUTES
from lpr.web.problems import PROBLEMS

ROOT = Path(__file__).parent.parent.parent


def test_the_file_is_fresh() -> None:
    assert (ROOT / "schemas" / "openapi.json").read_text(encoding="utf-8") == openapi.text(), (
        "run `python -m tools.openapi`"
    )


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(json.loads(openapi.text())).validate()


def test_every_call_is_in_it_once() -> None:
    paths: dict[str, Any] = json.loads(openapi.text())["paths"]
    found = sorted((method.upper(), path) for path, methods in paths.items() for method in methods)
    assert found == sorted((route.method, route.path) for route in ROUTES)
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_the_documentation_names_every_call_and_problem() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for route in ROUTES:
        assert f"`{route.method} {route.path.removeprefix('/api/v1')}`" in text, route.path
    for code in PROBLEMS:
        assert f"`{code}`" in text, code


def test_problem_codes_are_stable_names() -> None:
    assert all(re.fullmatch(r"[a-z_]+", code) and 400 <= kind.status < 600 for code, kind in PROBLEMS.items())
    used = {code for route in ROUTES for code in route.problems}
    assert used <= set(PROBLEMS)
