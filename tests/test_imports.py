"""Who may import whom: read from the imports of every file, against the table of docs/architecture.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lpr"
FILES = sorted(PACKAGE.rglob("*.py"))

MAY: dict[str, frozenset[str]] = {
    "events": frozenset(),
    "config": frozenset({"events"}),
    "settings": frozenset({"config"}),
    "folder": frozenset(),
    "core": frozenset({"events"}),
    "plates": frozenset({"events"}),
    "scene": frozenset({"events", "plates"}),
    "vision": frozenset({"events", "plates"}),
    "protocols": frozenset({"events"}),
    "http": frozenset({"events", "config", "core"}),
    "media": frozenset({"events", "config", "core", "vision", "protocols"}),
    "actors": frozenset({"events", "config", "core", "plates", "scene", "vision", "protocols", "http", "media"}),
    "web": frozenset({"events", "config", "core", "protocols", "plates", "vision", "http", "media"}),
    "keys": frozenset({"protocols"}),
    "library": frozenset({"events", "config", "core", "vision"}),
    "preparing": frozenset({"config", "folder", "keys"}),
    "status": frozenset({"events", "core", "actors", "web"}),
    "listen": frozenset({"events", "core", "protocols"}),
}
MAY["wiring"] = frozenset(MAY)
MAY["service"] = frozenset(MAY)
MAY["cli"] = frozenset(MAY) - {"actors"}
"""Room -> rooms that it may import, besides itself. ``lpr/__init__.py`` and ``__main__.py`` may import all."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "time": ("core/clock.py",),
    "random": ("core/clock.py",),
    "secrets": ("core/clock.py",),
    "uuid": ("core/clock.py",),
    "sqlite3": ("core/", "actors/catalogue.py", "web/"),
    "aiosqlite": ("actors/catalogue.py", "web/"),
    "aiohttp": ("web/", "http/", "actors/http_push.py", "actors/device_http/", "listen/"),
    "aioftp": ("actors/ftp_server/",),
    "asyncssh": ("actors/sftp_server/",),
    "paho": ("protocols/mqtt/",),
    "trio": ("core/wake_trio.py",),
    "asyncio": (
        "core/wake.py",
        "web/",
        "http/",
        "actors/http_push.py",
        "actors/device_http/",
        "actors/ftp_server/",
        "service.py",
        "cli/",
        "__init__.py",
    ),
}
"""Module -> the files and folders (of ``lpr``) that may import it."""

NEVER: dict[str, frozenset[str]] = {
    room: frozenset({"anyio", "trio", "asyncio", "socket", "aiohttp"})
    for room in ("events", "config", "plates", "scene", "protocols")
} | {"vision": frozenset({"anyio", "trio", "asyncio", "aiohttp"})}


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, ``from a import b`` as both ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield node.lineno, node.module or ""
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def rooms(name: str) -> str | None:
    """The room that a dotted name of ours is in."""
    parts = name.split(".")
    if parts[0] != "lpr" or len(parts) < 2:
        return None
    return parts[1] if (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists() else None


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def violations(path: Path, source: str) -> list[str]:
    """What is wrong with the imports of one file."""
    found: list[str] = []
    room, where = room_of(path), place(path)
    for line, name in imported(ast.parse(source)):
        top = name.split(".")[0]
        allowed_in = ONLY_IN.get(top)
        if allowed_in is not None and not where.startswith(allowed_in):
            found.append(f"lpr/{where}:{line} imports {top}, which only {', '.join(allowed_in)} may")
        if top in NEVER.get(room, frozenset()):
            found.append(f"lpr/{where}:{line}: {room} is pure and never imports {top}")
        other = rooms(name)
        if other is not None and room in MAY and other != room and other not in MAY[room]:
            found.append(f"lpr/{where}:{line}: {room} may not import {other}")
        if other == room in ("actors", "protocols") and sibling(path, name):
            found.append(f"lpr/{where}:{line}: {room} never import each other ({name})")
    return sorted(set(found))


def sibling(path: Path, name: str) -> bool:
    """Whether ``name`` is another actor or protocol than the one that ``path`` belongs to."""
    parts = name.split(".")
    if len(parts) < 3:
        return False
    target = PACKAGE / parts[1] / parts[2]
    if not target.is_dir() and not target.with_suffix(".py").exists():
        return False
    own = path.relative_to(PACKAGE).parts[1].removesuffix(".py")
    return parts[2] != own


@pytest.mark.parametrize("path", FILES, ids=place)
def test_the_rules_of_the_house(path: Path) -> None:
    assert violations(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("where", "source", "part"),
    [
        ("core/x.py", "import time", "imports time"),
        ("core/x.py", "from lpr.config import Log", "core may not import config"),
        ("actors/x.py", "import sqlite3", "imports sqlite3"),
        ("vision/x.py", "import anyio", "never imports anyio"),
        ("web/x.py", "from lpr import actors", "web may not import actors"),
        ("cli/x.py", "import lpr.actors.voter", "cli may not import actors"),
        ("events/x.py", "from lpr.core.record import Record", "events may not import core"),
        ("actors/x.py", "from lpr.actors.voter import Voter", "never import each other"),
    ],
)
def test_a_broken_rule_is_found(where: str, source: str, part: str) -> None:
    found = violations(PACKAGE / where, source)
    assert found and part in found[0]


@pytest.mark.parametrize("where", ["core/clock.py", "core/store.py"])
def test_what_is_allowed_is_allowed(where: str) -> None:
    source = {"core/clock.py": "import time\nimport random", "core/store.py": "import sqlite3"}[where]
    assert violations(PACKAGE / where, source) == []


def test_the_table_of_the_architecture_page_says_the_same() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `lpr/")
    ]
    table = {row[0].strip("`").removeprefix("lpr/").rstrip("/").removesuffix(".py"): row[2] for row in rows}
    assert set(table) == set(MAY)
    for room, text in table.items():
        named = {word.strip("`") for word in text.replace(",", " ").split() if word.startswith("`")}
        if named and not text.startswith(("all", "nothing")):
            assert named == MAY[room], f"{room}: the page says {sorted(named)}"
