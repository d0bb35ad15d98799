"""Bytes that nobody would think of, for every stream protocol of ``protocols.CASES``: a coverage-guided fuzzer.

``python -m tests.contracts.fuzz NAME [SECONDS]``; without NAME it lists the cases. It begins with streams that the
suite draws, and holds each end against the suite's contract: nothing is raised but the protocol's own error, after
which nothing more is given; what is held of an unfinished message is bounded; the same bytes in other portions give the
same messages. Needs PyPI's ``atheris``; a finding ends it and is written as ``crash-…`` in the working folder: make a
test of it.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # at run time it is imported only when the fuzzer can watch what it imports
    from tests.contracts.protocols import StreamCase

SEEDS = 50
"""Whole streams to begin with."""


def held_to_the_contract(case: StreamCase, data: bytes) -> None:
    """``data``: its first byte says how the rest is cut into portions. Raises AssertionError, or what was raised."""
    if not data:
        return
    size, stream = data[0] or 1, data[1:]
    whole, _ = _fed(case, [stream])
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    found, broken = _fed(case, parts)
    if not broken:
        assert found == whole, "portions change what is understood"


def _fed(case: StreamCase, parts: list[bytes]) -> tuple[list[object], bool]:
    end = case.open()
    found: list[object] = []
    broken = False
    for part in parts:
        try:
            messages = end.feed(part)
            assert not (broken and messages), "messages after the error"
            found += messages
        except case.error:
            broken = True
        assert end.held() <= case.most + len(part), f"{end.held()} bytes are held"
    return found, broken


def main(arguments: Sequence[str]) -> int:
    """The command."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["lpr.protocols", "paho"]):
        table: Any = import_module("tests.contracts.protocols")
    cases: dict[str, StreamCase] = {case.name: case for case in table.CASES}
    if not arguments or arguments[0] not in cases:
        print("\n".join(cases), file=sys.stderr)
        return 2
    case = cases[arguments[0]]
    seconds = arguments[1] if len(arguments) > 1 else "60"

    def run(data: bytes) -> None:
        held_to_the_contract(case, data)

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(SEEDS):
            Path(folder, str(number)).write_bytes(b"\xff" + case.valid.example())
        atheris.Setup([sys.argv[0], folder, f"-max_total_time={seconds}", "-max_len=4096"], run)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
