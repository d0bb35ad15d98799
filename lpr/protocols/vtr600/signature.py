"""Signing a JPEG in the VTR600's way.

The manual says: SHA-256 of the picture, signed with RSA; ``Sign``, ``ExponentRSA``, ``ModuloRSA`` and ``Sha256`` are
put as texts into the comment; to verify, remove these texts and hash the rest. It does not say how the texts are
coded nor what exactly "remove" means. Ours: the four ``key=value;`` items stand at the comment's end and are removed
with their ``;``, the comment's length is rewritten, all bytes of the file are hashed; PKCS#1 v1.5 (RFC 8017);
lower-case hex, the exponent in decimal. (``verdict`` also knows other ways.)

Ours alone is the item ``LprDigests``, which is signed with the rest: a short digest of each segment and of each
item, so that a verifier can name what was changed. Imports only this folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from lpr.protocols.vtr600.comment import Item, write_items
from lpr.protocols.vtr600.keys import EXPONENT, SigningKey
from lpr.protocols.vtr600.segments import COM, Jpeg, JpegError, Part, comment_segment, insert_comment, split

SIGN: Final = b"Sign"
EXPONENT_RSA: Final = b"ExponentRSA"
MODULO_RSA: Final = b"ModuloRSA"
SHA256: Final = b"Sha256"
FOUR: Final = (SIGN, EXPONENT_RSA, MODULO_RSA, SHA256)
"""The keys of the signature's items."""
DIGESTS: Final = b"LprDigests"
"""Our own item: digests by which a change can be named."""
HERE: Final = "here"
"""Stands in LprDigests where the signed comment itself is."""
MAX_BITS: Final = 8192
"""Longest modulus that a verifier takes."""
MAX_LISTED: Final = 400
"""A picture of more segments is signed without LprDigests."""


class RawItem(NamedTuple):
    """An item as it stands in a comment: ``start`` to ``end`` with its ``;`` (if it has one)."""

    key: bytes
    value: bytes
    start: int
    end: int


class Digest(NamedTuple):
    """A short digest of a part or an item. ``name``: as in LprDigests; ``at``: its byte in the file or comment."""

    name: str
    digest: str
    at: int


def raw_items(comment: bytes) -> tuple[RawItem, ...]:
    """A comment's items, nothing decoded."""
    items: list[RawItem] = []
    start = 0
    while start < len(comment):
        stop = comment.find(b";", start)
        end = len(comment) if stop < 0 else stop + 1
        key, _, value = comment[start : len(comment) if stop < 0 else stop].partition(b"=")
        items.append(RawItem(key, value, start, end))
        start = end
    return tuple(items)


def short(data: bytes) -> str:
    """The first 8 bytes of the SHA-256, hex: enough to name a change (the signature is what protects)."""
    return hashlib.sha256(data).hexdigest()[:16]


def part_digests(jpeg: Jpeg, here: Part | None) -> tuple[Digest, ...]:
    """A digest for each part; ``here``, the signed comment, has none."""
    return tuple(
        Digest(HERE, "", part.start) if part is here else Digest(part.name, short(jpeg.raw(part)), part.start)
        for part in jpeg.parts
    )


def item_digests(comment: bytes) -> tuple[Digest, ...]:
    """A digest for each item but the signature's own and LprDigests."""
    return tuple(
        Digest("." + _plain(item.key), short(comment[item.start : item.end]), item.start)
        for item in raw_items(comment)
        if item.key not in FOUR and item.key != DIGESTS
    )


def _plain(key: bytes) -> str:
    return "".join(chr(b) if 32 < b < 127 and b not in b",:%=" else "?" for b in key[:40])


def digest_item(jpeg: Jpeg, here: Part, comment: bytes, key: str) -> bytes:
    """``LprDigests=…;`` of a file whose signed comment is ``here``, its text ``comment``; ``key``: its fingerprint."""
    entries = [f"{d.name}:{d.digest}" if d.digest else d.name for d in part_digests(jpeg, here)]
    entries += [f"{d.name}:{d.digest}" for d in item_digests(comment)]
    return DIGESTS + b"=1," + ",".join((*entries, f"key:{key[:16]}")).encode("ascii") + b";"


def add_comment(data: bytes, items: Sequence[Item]) -> bytes:
    """The JPEG ``data`` with a comment of ``items``, not signed. Raises JpegError, CommentError."""
    return insert_comment(data, write_items(items))


def sign(data: bytes, items: Sequence[Item], key: SigningKey) -> bytes:
    """The JPEG ``data`` with a comment of ``items`` and its signature.

    Other comments of ``data`` stay and are signed with it. The same input gives the same bytes. Raises JpegError (no
    JPEG, already signed, or a comment too long), CommentError.
    """
    if any(item.key in FOUR for part in split(data).comments() for item in raw_items(data[part.body : part.end])):
        raise JpegError("the picture is signed already: remove its comment first")
    comment = write_items(items)
    mine = [item.key for item in raw_items(comment) if item.key in FOUR or item.key == DIGESTS]
    if mine:
        raise JpegError(f"the item {mine[0].decode()} is written by the signature itself")
    unsigned = insert_comment(data, comment)
    jpeg = split(unsigned)
    here = jpeg.comments()[-1]
    if len(jpeg.parts) + len(items) <= MAX_LISTED:
        comment += digest_item(jpeg, here, comment, key.fingerprint)
    before, after = unsigned[: here.start], unsigned[here.end :]
    digest = hashlib.sha256(before + comment_segment(comment) + after).digest()
    signed = comment + signature_items(key.sign_digest(digest), key.modulus, digest)
    return before + comment_segment(signed) + after


def signature_items(signature: bytes, modulus: int, digest: bytes) -> bytes:
    """The signature's four items, as we write them."""
    texts = (
        (SIGN, signature.hex()),
        (EXPONENT_RSA, str(EXPONENT)),
        (MODULO_RSA, f"{modulus:x}"),
        (SHA256, digest.hex()),
    )
    return b"".join(name + b"=" + text.encode("ascii") + b";" for name, text in texts)


def cut(comment: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """``comment`` without these spans (start, end), which come in order and may overlap."""
    out: list[bytes] = []
    at = 0
    for start, end in spans:
        out.append(comment[at:start])
        at = max(end, at)
    return b"".join((*out, comment[at:]))


def signed_comment(jpeg: Jpeg) -> Part | None:
    """The last comment that has any of the signature's items."""
    for part in reversed(jpeg.parts):
        if part.marker == COM and any(item.key in FOUR for item in raw_items(jpeg.payload(part))):
            return part
    return None
