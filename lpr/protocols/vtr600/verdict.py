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
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from lpr.protocols.vtr600.changes import Change, listed_in, named
from lpr.protocols.vtr600.keys import EXPONENT, TrustedKey, fingerprint
from lpr.protocols.vtr600.segments import Jpeg, JpegError, Part, split
from lpr.protocols.vtr600.signature import (
    EXPONENT_RSA,
    FOUR,
    MAX_BITS,
    MODULO_RSA,
    SHA256,
    SIGN,
    RawItem,
    cut,
    raw_items,
    signature_items,
    signed_comment,
)

MIN_BITS: Final = 1000
"""A shorter modulus is refused."""
MAX_NAMED: Final = 64
"""Most changes named in one verdict."""

Status = Literal["intact", "altered", "unsigned", "unreadable"]


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
                ours = removal == _OURS and padding == _PKCS1 and _in_our_words(comment, items, texts, digest)
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


def _in_our_words(comment: bytes, items: Sequence[RawItem], texts: _Texts, digest: bytes) -> bool:
    """Whether the four texts stand at the comment's end exactly as we write them."""
    if texts.key is None or texts.sign is None:
        return False
    rest = cut(comment, [(item.start, item.end) for item in items if item.key in FOUR])
    return comment == rest + signature_items(texts.sign, texts.key.modulus, digest)


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
    ours = cut(comment, [(start, end) for start, _, _, end in four])
    kept = cut(comment, [(start, stop) for start, _, stop, _ in four])
    before = cut(comment, [(max(start - 1, 0), stop) for start, _, stop, _ in four])
    empty = cut(comment, [(value, stop) for _, value, stop, _ in four])
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


# --- what was changed -----------------------------------------------------------------------------------


def _explain_changes(
    jpeg: Jpeg, part: Part, texts: _Texts, recovered: Sequence[tuple[str, bytes]], digest: bytes
) -> tuple[list[Change], str]:
    """The changes as exactly as they can be told, and what else is to be said."""
    comment = jpeg.payload(part)
    listed = listed_in(comment)
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
    found = named(jpeg, part, listed, [value for _, value in recovered])
    changes.extend(found)
    if said or not recovered:
        reason = "" if found else _UNNAMED
    else:
        blame(SHA256)
        reason = "Sha256 and the signature contradict each other" if found else _UNNAMED
    if not changes:
        changes.append(Change(what="file", name="picture or comment", how="altered"))
    return changes, reason


_UNNAMED: Final = "no more can be told: the file has no list of digests, or that was rewritten too"


# --- for people -----------------------------------------------------------------------------------------


def explain(verdict: Verdict) -> list[str]:
    """The verdict in sentences, a line each; the first one says it all."""
    if verdict.status == "unreadable":
        return [f"UNREADABLE: {verdict.reason}"]
    if verdict.status == "unsigned":
        return ["UNSIGNED: the picture has no signature"]
    lines: list[str] = []
    if verdict.status == "intact":
        if verdict.authentic:
            lines.append("INTACT and AUTHENTIC: as it was signed, with the trusted key")
        elif verdict.authentic is None:
            lines.append("INTACT: as it was signed; whether it is authentic only a trusted key can tell (--key)")
        else:
            lines.append("INTACT but NOT AUTHENTIC: signed with another key than the trusted one")
        if verdict.variant is not None and not verdict.variant.ours:
            v = verdict.variant
            lines.append(f"  signed in a foreign way: {v.text}; {v.padding}; removed before hashing: {v.removal}")
    else:
        lines.append("ALTERED: not as it was signed")
    for change in verdict.changes:
        where = f" (byte {change.at})" if change.at is not None else ""
        name = change.what if change.what == "picture data" else f"{change.what} {change.name}"
        lines.append(f"  {name}: {change.how}{where}")
    if verdict.reason:
        lines.append(f"  {verdict.reason}")
    if verdict.key:
        lines.append(f"  key in the file: {verdict.bits} bits, fingerprint {verdict.key}")
    if verdict.trusted is not None and verdict.trusted != verdict.key:
        lines.append(f"  trusted key: fingerprint {verdict.trusted}")
    return lines
