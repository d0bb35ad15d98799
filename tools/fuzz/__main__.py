"""The command of ``tools.fuzz``. Exit code 0: nothing was found in the time; libFuzzer's own otherwise."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WITH_CODE = (
    "lpr.protocols",
    "lpr.actors.ftp_server",
    "lpr.core.tree",
    "aioftp.server",
    "tools.fuzz.targets",
    "tools.fuzz.ftp",
    "tools.fuzz.rtp",
    "tools.fuzz.neural",
)
"""Modules whose branches guide the fuzzer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz one target."""
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=list(WITH_CODE)):
        targets = importlib.import_module("tools.fuzz.targets").TARGETS
    parser = argparse.ArgumentParser(description="Fuzz one parser.")
    parser.add_argument("name", choices=sorted(targets))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--corpus", type=Path, help="kept between runs; none: forgotten at the end")
    given = parser.parse_args(arguments)
    target = targets[given.name]
    with tempfile.TemporaryDirectory() as forgotten:
        corpus = given.corpus or Path(forgotten)
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(target.seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={given.seconds}", "-timeout=5", "-rss_limit_mb=1024", "-max_len=8192"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
