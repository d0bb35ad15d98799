"""The table of protocols, docs/protocols/README.md, made from ``lpr.protocols.catalogue`` and the configuration.

``python -m tools.protocols`` writes it, ``--check`` says whether it is stale. May import ``lpr.config`` and
``lpr.protocols``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from lpr.config import Config, Section
from lpr.protocols.catalogue import FACTS, ProtocolFact

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocols" / "README.md"
_ROLES = {"server": "we listen", "client": "we connect", "both": "both ends", "format": "a format"}

_HEAD = """# Protocols

<!-- Made by `python -m tools.protocols` from lpr/protocols/catalogue. Change it there. -->

Every way in and out, who may use it, and what of it was seen working with a program that we did not write. "Not
verified" is what nobody here has tried: it may work. `lpr listen` is the other side of these protocols, for any camera:
[listen.md](listen.md).

| protocol | role | configuration, port | authentication | encryption | verified with | not verified |
|---|---|---|---|---|---|---|
"""


def sections() -> dict[str, type[Section]]:
    """Name in the file -> the struct, of every section of the configuration."""
    found: dict[str, type[Section]] = {}
    for field in msgspec.structs.fields(Config):
        for kind in _structs(field.type):
            found[field.encode_name] = kind
    return found


def _structs(kind: Any) -> Iterator[type[Section]]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    for inner in get_args(kind):
        yield from _structs(inner)


def port_of(fact: ProtocolFact) -> str:
    """The section and the port as delivered. Raises KeyError for a section or field that there is not."""
    if not fact.section:
        return fact.transport
    known = sections()[fact.section]
    text = f"`[{fact.section}]` {fact.transport}"
    if not fact.port:
        return text
    fields = {field.name: field for field in msgspec.structs.fields(known)}
    default = fields[fact.port].default
    return f"{text} {default}" if isinstance(default, int) and default else text


def rendered() -> str:
    """The whole page."""
    return _HEAD + "".join(f"| {' | '.join(_row(fact))} |\n" for fact in FACTS)


def _row(fact: ProtocolFact) -> Iterator[str]:
    yield f"[{fact.name}]({fact.page})" if fact.page else fact.name
    yield _ROLES[fact.role]
    yield port_of(fact)
    yield fact.authentication
    yield fact.encryption
    proofs = [f"[{proof.client}](../../{proof.test.partition('::')[0]})" for proof in fact.verified]
    yield "; ".join(proofs) or "—"
    yield "; ".join(fact.unverified) or "—"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="docs/protocols/README.md")
    parser.add_argument("--check", action="store_true", help="write nothing, say whether it is stale")
    check = parser.parse_args().check
    text = rendered()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"{PAGE.relative_to(ROOT)} is stale; run python -m tools.protocols", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
