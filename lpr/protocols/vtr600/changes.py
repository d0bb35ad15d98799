"""Naming what was changed in a signed JPEG, by its list of digests (``LprDigests``).

Imports only this folder, msgspec.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lpr.protocols.vtr600.keys import fingerprint
from lpr.protocols.vtr600.segments import Jpeg, Part
from lpr.protocols.vtr600.signature import (
    DIGESTS,
    FOUR,
    MAX_BITS,
    MODULO_RSA,
    Digest,
    cut,
    digest_item,
    item_digests,
    part_digests,
    raw_items,
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was signed.

    ``what``: "picture data", "segment", "comment item", "signature" (one of the four texts), "key", "file".
    ``name``: which one ("DQT", "Placa", "Sha256"). ``how``: "altered", "added", "removed", "moved", "missing",
    "repeated", "unreadable", "other key". ``at``: byte of the file where it stands now, None if it is gone.
    """

    what: str
    name: str
    how: str
    at: int | None = None


class Listed(NamedTuple):
    """LprDigests: (name, digest) of parts and items, and the key's short fingerprint."""

    parts: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]
    key: str


def listed_in(comment: bytes) -> Listed | None:
    """LprDigests, taken apart; None where there is none (or one that we can't read)."""
    found = [item.value for item in raw_items(comment) if item.key == DIGESTS]
    if len(found) != 1 or not re.fullmatch(rb"1(,[!-+\--~]{1,60})+", found[0]):
        return None
    pairs = [entry.partition(":") for entry in found[0].decode("ascii").split(",")[1:]]
    parts = tuple((name, value) for name, _, value in pairs if not name.startswith(".") and name != "key")
    items = tuple((name, value) for name, _, value in pairs if name.startswith("."))
    return Listed(parts, items, next((value for name, _, value in pairs if name == "key"), ""))


def named(jpeg: Jpeg, part: Part, listed: Listed | None, recovered: Sequence[bytes]) -> list[Change]:
    """Compare the file with its list of digests."""
    if _only_list_changed(jpeg, part, recovered):
        how = "altered" if any(item.key == DIGESTS for item in raw_items(jpeg.payload(part))) else "removed"
        return [Change(what="comment item", name=DIGESTS.decode(), how=how)]
    if listed is None:
        return []
    parts, items = part_digests(jpeg, part), item_digests(jpeg.payload(part))
    changes = _differences(listed.parts, parts, 0)
    changes += _differences(listed.items, items, part.body)
    if not changes:
        if [name for name, _ in listed.parts] != [d.name for d in parts]:
            changes.append(Change(what="segment", name="order", how="moved"))
        elif [name for name, _ in listed.items] != [d.name for d in items]:
            changes.append(Change(what="comment item", name="order", how="moved"))
    return changes


def _only_list_changed(jpeg: Jpeg, part: Part, recovered: Sequence[bytes]) -> bool:
    """Whether the signature fits again once LprDigests is made anew: then it alone was changed."""
    comment = jpeg.payload(part)
    items = raw_items(comment)
    key = next((item.value for item in items if item.key == MODULO_RSA), b"")
    if not recovered or len(key) > 2 * MAX_BITS or not re.fullmatch(rb"[0-9a-f]+", key):
        return False
    rest = cut(comment, [(item.start, item.end) for item in items if item.key in FOUR or item.key == DIGESTS])
    text = rest + digest_item(jpeg, part, rest, fingerprint(int(key, 16)))
    if len(text) + 2 > 0xFFFF:
        return False
    content = jpeg.data[: part.body - 2] + (len(text) + 2).to_bytes(2, "big") + text + jpeg.data[part.end :]
    return hashlib.sha256(content).digest() in recovered


def _differences(wanted: Sequence[tuple[str, str]], found: Sequence[Digest], base: int) -> list[Change]:
    """By name: what is in both is settled, of the rest the first wanted goes with the first found, and so on."""
    names = list(dict.fromkeys([name for name, _ in wanted] + [d.name for d in found]))
    expected: dict[str, list[str]] = defaultdict(list)
    present: dict[str, list[Digest]] = defaultdict(list)
    for name, value in wanted:
        expected[name].append(value)
    for one in found:
        present[one.name].append(one)
    changes: list[Change] = []
    for name in names:
        both = Counter(expected[name]) & Counter(d.digest for d in present[name])
        left = _left(expected[name], both)
        there = _left_digests(present[name], both)
        what, plain = _what(name)
        for index in range(max(len(left), len(there))):
            how = "removed" if index >= len(there) else ("added" if index >= len(left) else "altered")
            at = base + there[index].at if index < len(there) else None
            changes.append(Change(what=what, name=plain, how=how, at=at))
    return changes


def _left(values: Sequence[str], both: Counter[str]) -> list[str]:
    budget = both.copy()
    left: list[str] = []
    for value in values:
        if budget[value] > 0:
            budget[value] -= 1
        else:
            left.append(value)
    return left


def _left_digests(values: Sequence[Digest], both: Counter[str]) -> list[Digest]:
    budget = both.copy()
    left: list[Digest] = []
    for value in values:
        if budget[value.digest] > 0:
            budget[value.digest] -= 1
        else:
            left.append(value)
    return left


def _what(name: str) -> tuple[str, str]:
    if name.startswith("."):
        return "comment item", name[1:]
    if name == "scan":
        return "picture data", "scan"
    return "segment", name
