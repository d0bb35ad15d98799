"""Older versions of events brought to today's meaning, on the raw dict, one version at a time.

History is never edited: a record keeps the body it was written with for ever, and is brought up to date each
time it is read. An upcaster takes the body of version n as a dict (JSON types) and returns that of version n + 1.
It must be pure and total over every body that version n could write. Golden samples of every version lie in
``tests/golden/events``. Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Body], Body]
Steps: TypeAlias = Mapping[tuple[str, int], Upcaster]

UPCASTERS: Steps = {}
"""(type, from version) -> the step to the next version. Empty: every event is still in its first version."""


def upcast(type_name: str, version: int, to_version: int, body: Body, steps: Steps) -> Body:
    """Bring ``body`` from ``version`` to ``to_version``. Raises LookupError when a step is missing."""
    while version < to_version:
        step = steps.get((type_name, version))
        if step is None:
            raise LookupError(f"no upcaster for {type_name} from version {version} to {version + 1}")
        body = step(body)
        version += 1
    return body
