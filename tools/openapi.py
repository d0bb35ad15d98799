"""Write schemas/openapi.json from the route table, or check that it is fresh: ``python -m tools.openapi [--check]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lpr.web.openapi import text

FILE = Path(__file__).parent.parent / "schemas" / "openapi.json"


def main() -> int:
    """0: written or fresh; 1: stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say whether the file is fresh")
    options = parser.parse_args()
    if options.check:
        if FILE.is_file() and FILE.read_text(encoding="utf-8") == text():
            return 0
        print(f"{FILE.name} is stale; run `python -m tools.openapi`", file=sys.stderr)
        return 1
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
