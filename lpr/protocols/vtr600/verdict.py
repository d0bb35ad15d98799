"""Verifying a signed JPEG: is it *intact* (as signed), is it *authentic* (signed by whom we trust), what changed.

The key travels in the file, so anybody can change a picture and sign it anew with a key of their own: intact alone
proves little, and authentic needs a trusted key from elsewhere. Where our own reading of the manual does not fit, the
other plausible readings are tried, and the verdict says which one did. RSA's public operation is done here in
plain integers, so foreign keys of any length from 1024 bits are taken. Imports only this folder, msgspec.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from lpr.protocols.vtr600.keys import EXPONENT, TrustedKey, fingerprint
from lpr.protocols.vtr600.segments import Jpeg, JpegError, Part, split
from lpr.protocols.vtr600.signature import (
    DIGESTS,
    EXPONENT_RSA,
    FOUR,
    MODULO_RSA,
    SHA256,
    SIGN,
    Digest,
    RawItem,
    digest_item,
    item_digests,
    part_digests,
    raw_items,
    signed_comment,
)

MIN_BITS: Final = 1000
MAX_BITS: Final = 8192
"""Lengths of a modulus that a verifier takes."""
MAX_NAMED: Final = 64
"""Most changes named in one verdict."""

Status = Literal["intact", "altered", "unsigned", "unreadable"]


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


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """How a signature was made. ``removal``: what is taken out before hashing; ``text``: "hex" or "base64";
    ``padding``: how the hash stands in the signature. ``ours``: whether it is our own way in every respect."""

    removal: str
    text: str
    padding: str
    ours: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found.

    ``status``: "intact", "altered", "unsigned" (no signature in it) or "unreadable" (no JPEG, or cut short).
    ``authentic``: whether it is intact and signed with the trusted key; None when no trusted key was given.
    ``changes``: what was changed; empty when intact. ``key``: fingerprint of the key in the file, "" if there is
    none; ``bits``: its length. ``trusted``: fingerprint of the trusted key. ``sha256``: the hash as found now, hex.
    ``reason``: why it is unreadable, or what else is to be said.
    """

    status: Status
    authentic: bool | None = None
    changes: tuple[Change, ...] = ()
    variant: Variant | None = None
    key: str = ""
    bits: int = 0
    trusted: str | None = None
    sha256: str = ""
    reason: str = ""


class _Key(NamedTuple):
    modulus: int
    exponent: int


class _Texts(NamedTuple):
    """The four texts, decoded; None where one is missing or unreadable."""

    sign: bytes | None
    key: _Key | None
    sha256: bytes | None
    coding: str
    changes: tuple[Change, ...]


def verify(data: bytes, trusted: TrustedKey | None = None) -> Verdict:
    """Verify a JPEG. Never raises for any bytes."""
    distrust = None if trusted is None else False
    pinned = trusted.fingerprint if trusted is not None else None
    try:
        jpeg = split(data)
    except JpegError as error:
        return Verdict(
            status="unreadable", authentic=distrust, trusted=pinned, reason=str(error),
            changes=(Change(what="file", name="file", how="unreadable"),),
        )  # fmt: skip
    part = signed_comment(jpeg)
    if part is None:
        return Verdict(status="unsigned", authentic=distrust, trusted=pinned, reason="no signature in any comment")
    verdict = _judge(jpeg, part)
    if trusted is None:
        return verdict
    changes = verdict.changes
    if verdict.key and verdict.key != trusted.fingerprint:
        changes += (Change(what="key", name="ModuloRSA", how="other key"),)
    authentic = verdict.status == "intact" and verdict.key == trusted.fingerprint
    return msgspec.structs.replace(verdict, authentic=authentic, trusted=pinned, changes=changes)


def _judge(jpeg: Jpeg, part: Part) -> Verdict:
    comment = jpeg.payload(part)
    items = raw_items(comment)
    texts = _texts(items, part.body)
    key = fingerprint(texts.key.modulus) if texts.key is not None else ""
    bits = texts.key.modulus.bit_length() if texts.key is not None else 0
    recovered = _recover(texts)
    first = b""
    if not texts.changes:
        for removal, content in _without_signature(jpeg, part, items):
            digest = hashlib.sha256(content).digest()
            first = first or digest
            padding = next((name for name, value in recovered for f in (_wrap(name, digest),) if value in f), None)
            if padding is not None and texts.sha256 == digest:
                ours = removal == _OURS and texts.coding == "hex" and padding == _PKCS1
                variant = Variant(removal=removal, text=texts.coding, padding=padding, ours=ours)
                return Verdict(status="intact", variant=variant, key=key, bits=bits, sha256=digest.hex())
    content = next(iter(_without_signature(jpeg, part, items)))[1]
    first = first or hashlib.sha256(content).digest()
    changes, reason = _explain_changes(jpeg, part, texts, recovered, first)
    return Verdict(
        status="altered", changes=tuple(changes[:MAX_NAMED]), key=key, bits=bits, sha256=first.hex(), reason=reason
    )


# --- the four texts -------------------------------------------------------------------------------------


def _texts(items: Sequence[RawItem], base: int) -> _Texts:
    changes: list[Change] = []
    values: dict[bytes, RawItem] = {}
    for name in FOUR:
        found = [item for item in items if item.key == name]
        if not found:
            changes.append(Change(what="signature", name=name.decode(), how="missing"))
        elif len(found) > 1:
            changes.append(Change(what="signature", name=name.decode(), how="repeated", at=base + found[1].start))
        else:
            values[name] = found[0]

    def unreadable(name: bytes) -> None:
        changes.append(Change(what="signature", name=name.decode(), how="unreadable", at=base + values[name].start))

    codings: set[str] = set()
    decoded: dict[bytes, bytes] = {}
    for name in (SIGN, MODULO_RSA, SHA256):
        if name in values:
            result = _decode(values[name].value)
            if result is None or (name == SHA256 and len(result[1]) != 32):
                unreadable(name)
            else:
                codings.add(result[0])
                decoded[name] = result[1]
    modulus = int.from_bytes(decoded[MODULO_RSA], "big") if MODULO_RSA in decoded else 0
    if MODULO_RSA in decoded and not (MIN_BITS <= modulus.bit_length() <= MAX_BITS and modulus % 2):
        unreadable(MODULO_RSA)
        modulus = 0
    if EXPONENT_RSA in values and not _is_exponent(values[EXPONENT_RSA].value):
        # The exponent is always 65537. With another one (1, say) any signature could be made to fit a trusted modulus.
        at = base + values[EXPONENT_RSA].start
        changes.append(Change(what="signature", name=EXPONENT_RSA.decode(), how="altered", at=at))
    coding = "hex" if codings <= {"hex"} else ("base64" if codings == {"base64"} else "mixed")
    key = _Key(modulus, EXPONENT) if modulus else None
    return _Texts(decoded.get(SIGN), key, decoded.get(SHA256), coding, tuple(changes))


def _decode(text: bytes) -> tuple[str, bytes] | None:
    """Hex, if it can be, or base64."""
    if not text or len(text) > 4 * MAX_BITS:
        return None
    if re.fullmatch(rb"[0-9a-fA-F]+", text):
        return "hex", bytes.fromhex(("0" if len(text) % 2 else "") + text.decode())
    try:
        return "base64", base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_exponent(text: bytes) -> bool:
    return text.lower() in (b"65537", b"10001", b"010001", b"00010001", b"0x10001", b"0x010001") or text == b"AQAB"


# --- the signature --------------------------------------------------------------------------------------

_PKCS1: Final = "PKCS#1 v1.5, SHA-256"
_PKCS1_BARE: Final = "PKCS#1 v1.5 without the hash's name"
_TEXTBOOK: Final = "textbook RSA"
_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo for SHA-256 (RFC 8017, 9.2, note 1)."""


def _recover(texts: _Texts) -> list[tuple[str, bytes]]:
    """What the signature holds, by each padding that fits. The block is compared whole, never searched."""
    if texts.sign is None or texts.key is None:
        return []
    size = (texts.key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(texts.sign, "big")
    if len(texts.sign) > size or number >= texts.key.modulus:
        return []
    block = pow(number, texts.key.exponent, texts.key.modulus).to_bytes(size, "big")
    found: list[tuple[str, bytes]] = []
    for length in (32, 64):
        held = block[-length:]
        for name, head in ((_PKCS1, _DIGEST_INFO), (_PKCS1_BARE, b"")):
            lead = b"\x00\x01" + b"\xff" * (size - 3 - len(head) - length) + b"\x00" + head
            if block == lead + held and not (head and length == 64):
                found.append((name, held))
        if block == bytes(size - length) + held and any(held[:8]):
            found.append((_TEXTBOOK, held))
    return found


def _wrap(padding: str, digest: bytes) -> tuple[bytes, ...]:
    """What a signature of ``digest`` may hold: it, its hex text, and (where libraries hash once more) their hashes."""
    plain = (digest, digest.hex().encode(), digest.hex().upper().encode())
    if padding != _PKCS1:
        return plain
    return (digest, *(hashlib.sha256(form).digest() for form in plain))


_OURS: Final = "items with their separators, length rewritten"


def _without_signature(jpeg: Jpeg, part: Part, items: Sequence[RawItem]) -> Iterator[tuple[str, bytes]]:
    """The file without the signature's texts, in every way that "remove" can be read; ours first."""
    comment = jpeg.payload(part)
    head, tail = jpeg.data[: part.body - 4], jpeg.data[part.end :]
    # of each of the four: where it starts, where its value starts, where that ends, where its separator ends
    mine = [(item, item.start + len(item.key) + 1) for item in items if item.key in FOUR]
    four = [(item.start, value, value + len(item.value), item.end) for item, value in mine]
    ours = _cut(comment, [(start, end) for start, _, _, end in four])
    kept = _cut(comment, [(start, stop) for start, _, stop, _ in four])
    before = _cut(comment, [(max(start - 1, 0), stop) for start, _, stop, _ in four])
    empty = _cut(comment, [(value, stop) for _, value, stop, _ in four])
    seen: set[bytes] = set()
    for name, text in (
        ("items with their separators", ours),
        ("items, separators kept", kept),
        ("items with the separator before them", before),
        ("values only", empty),
    ):
        for how, length in (("length rewritten", len(text) + 2), ("length kept", len(comment) + 2)):
            content = head + b"\xff\xfe" + length.to_bytes(2, "big") + text + tail
            if content not in seen:
                seen.add(content)
                yield f"{name}, {how}", content
    yield "the whole comment segment", jpeg.data[: part.start] + tail


def _cut(comment: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    out: list[bytes] = []
    at = 0
    for start, end in spans:
        out.append(comment[at:start])
        at = max(end, at)
    return b"".join((*out, comment[at:]))


# --- what was changed -----------------------------------------------------------------------------------


def _explain_changes(
    jpeg: Jpeg, part: Part, texts: _Texts, recovered: Sequence[tuple[str, bytes]], digest: bytes
) -> tuple[list[Change], str]:
    """The changes as exactly as they can be told, and what else is to be said."""
    comment = jpeg.payload(part)
    listed = _listed(comment)
    changes = list(texts.changes)
    at = {item.key: part.body + item.start for item in raw_items(comment)}
    signed = any(value in _wrap(name, digest) for name, value in recovered)
    said = texts.sha256 is not None and any(value in _wrap(name, texts.sha256) for name, value in recovered)

    def blame(name: bytes) -> None:
        if not any(change.name == name.decode() for change in changes):
            changes.append(Change(what="signature", name=name.decode(), how="altered", at=at.get(name)))

    if signed:
        if texts.sha256 is not None and texts.sha256 != digest:
            blame(SHA256)
        return changes, "the picture and the comment's other items are as they were signed"
    if texts.key is not None and listed is not None and listed.key:
        own = fingerprint(texts.key.modulus)[:16] == listed.key
        if not own:
            blame(MODULO_RSA)
        elif not recovered and texts.sign is not None:
            blame(SIGN)
    elif not recovered and texts.sign is not None and texts.key is not None:
        changes.append(Change(what="signature", name="Sign or ModuloRSA", how="altered", at=at.get(SIGN)))
    if texts.sha256 == digest:
        if not changes:
            blame(SIGN)
        return changes, "the picture and the comment's other items fit Sha256, but the signature does not"
    named = _named(jpeg, part, listed, [value for _, value in recovered])
    changes.extend(named)
    if said or not recovered:
        reason = "" if named else _UNNAMED
    else:
        blame(SHA256)
        reason = "Sha256 and the signature contradict each other" if named else _UNNAMED
    if not changes:
        changes.append(Change(what="file", name="picture or comment", how="altered"))
    return changes, reason


_UNNAMED: Final = "no more can be told: the file has no list of digests, or that was rewritten too"


class _Listed(NamedTuple):
    parts: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]
    key: str


def _listed(comment: bytes) -> _Listed | None:
    """LprDigests, taken apart; None where there is none (or one that we can't read)."""
    found = [item.value for item in raw_items(comment) if item.key == DIGESTS]
    if len(found) != 1 or not re.fullmatch(rb"1(,[!-+\--~]{1,60})+", found[0]):
        return None
    pairs = [entry.partition(":") for entry in found[0].decode("ascii").split(",")[1:]]
    parts = tuple((name, value) for name, _, value in pairs if not name.startswith(".") and name != "key")
    items = tuple((name, value) for name, _, value in pairs if name.startswith("."))
    return _Listed(parts, items, next((value for name, _, value in pairs if name == "key"), ""))


def _named(jpeg: Jpeg, part: Part, listed: _Listed | None, recovered: Sequence[bytes]) -> list[Change]:
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
    rest = _cut(comment, [(item.start, item.end) for item in items if item.key in FOUR or item.key == DIGESTS])
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
