"""What the documentation shows works: configurations load, commands parse, Python compiles, links and files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lpr import settings
from lpr.cli.main import parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every block in ``language``."""
    return [
        (str(page.relative_to(ROOT)), match[2])
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if match[1] == language
    ]


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_configurations_load(page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r'_file = "([^"]+)"', text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret\n")
    path = tmp_path / "lpr.toml"
    path.write_text(text, encoding="utf-8")
    settings.load(path)


def commands() -> list[tuple[str, str]]:
    """Every command line with ``lpr`` in the shell blocks."""
    found: list[tuple[str, str]] = []
    for page, text in blocks("sh"):
        for line in text.splitlines():
            words = line.split("#")[0].strip().removeprefix("./dev ")
            if words.startswith(("lpr ", "run ", "demo")):
                found.append((page, words.removeprefix("lpr ")))
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_parse(page: str, line: str) -> None:
    assert parser().parse_args(shlex.split(line))


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_compiles(page: str, text: str) -> None:
    import ast

    assert compile(text, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def links() -> list[tuple[str, str]]:
    """(page, target) of every link to a file of ours."""
    return [
        (str(page.relative_to(ROOT)), target.split("#")[0])
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("#")
    ]


@pytest.mark.parametrize(("page", "target"), links())
def test_links_lead_somewhere(page: str, target: str) -> None:
    assert (ROOT / page).parent.joinpath(target).exists()


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    for record in (ROOT / "docs/decisions").glob("0*.md"):
        assert record.name in listed
