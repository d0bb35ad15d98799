"""Signatures: what is intact, what is authentic, what was changed; foreign ways; golden files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.protocols.vtr600.comment import read_items
from lpr.protocols.vtr600.keys import (
    KeyProblem,
    SigningKey,
    TrustedKey,
    fingerprint,
    generate,
    load,
    trusted_key,
)
from lpr.protocols.vtr600.segments import JpegError, insert_comment, last_comment, replace_comment, split
from lpr.protocols.vtr600.signature import add_comment, sign
from lpr.protocols.vtr600.verdict import Verdict, explain, verify

GOLDEN = Path(__file__).parents[1] / "golden" / "jpeg"
PLAIN = (GOLDEN / "plain.jpg").read_bytes()
ITEMS = (
    ("Placa", "BJE8187"),
    ("CoordPlaca", "84x144,21x7"),
    ("OCRCountryCode", "55"),
    ("PlateMV", "BJE8187"),
    ("Horario", "21/11/25 06:11:09"),
    ("TempoCaptura", "1763705469000000"),
    ("LprDevice", "golden; é=%"),
)
KEY = load((GOLDEN / "key-2048.pem").read_bytes())
OTHER = load((GOLDEN / "key-1024.pem").read_bytes())
SIGNED = sign(PLAIN, ITEMS, KEY)
TRUSTED = TrustedKey(KEY.fingerprint)


def named(verdict: Verdict) -> set[tuple[str, str, str]]:
    return {(change.what, change.name, change.how) for change in verdict.changes}


def with_text(data: bytes, key: bytes, value: bytes | None) -> bytes:
    """The file with a comment's item given another value, or without it; the segment's length fits."""
    comment = last_comment(data)
    assert comment is not None
    pieces = [piece for piece in comment.split(b";") if piece]
    changed = [
        piece if piece.partition(b"=")[0] != key else key + b"=" + (value or b"")
        for piece in pieces
        if value is not None or piece.partition(b"=")[0] != key
    ]
    return replace_comment(data, split(data).comments()[-1], b"".join(piece + b";" for piece in changed))


def text_of(data: bytes, key: bytes) -> bytes:
    comment = last_comment(data) or b""
    return next(piece.partition(b"=")[2] for piece in comment.split(b";") if piece.startswith(key + b"="))


def turned(text: bytes) -> bytes:
    """Hex with its middle digit changed."""
    at = len(text) // 2
    return text[:at] + (b"1" if text[at : at + 1] != b"1" else b"2") + text[at + 1 :]


# --- golden files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
def test_golden(bits: int) -> None:
    key = load((GOLDEN / f"key-{bits}.pem").read_bytes())
    golden = (GOLDEN / f"signed-{bits}.jpg").read_bytes()
    assert sign(PLAIN, ITEMS, key) == golden
    verdict = verify(golden, TrustedKey(key.fingerprint))
    assert (verdict.status, verdict.authentic, verdict.changes, verdict.bits) == ("intact", True, (), bits)
    assert verdict.variant is not None
    assert verdict.variant.ours
    items = dict(read_items(last_comment(golden) or b""))
    assert items["Placa"] == "BJE8187"
    assert items["LprDevice"] == "golden; é=%"
    assert items["ExponentRSA"] == "65537"


def test_the_manuals_procedure_by_hand() -> None:
    """Steps 1 to 4 of the manual, with nothing of ours but the comment's place."""
    at = SIGNED.rfind(b"\xff\xfe")
    length = int.from_bytes(SIGNED[at + 2 : at + 4], "big")
    comment = SIGNED[at + 4 : at + 2 + length]
    fields = dict(piece.split(b"=", 1) for piece in comment.split(b";") if piece)
    rest = comment
    for key in (b"Sign", b"ExponentRSA", b"ModuloRSA", b"Sha256"):
        rest = rest.replace(key + b"=" + fields[key] + b";", b"")
    image = SIGNED[: at + 2] + (len(rest) + 2).to_bytes(2, "big") + rest + SIGNED[at + 2 + length :]
    digest = hashlib.sha256(image).hexdigest()
    block = pow(int(fields[b"Sign"], 16), int(fields[b"ExponentRSA"]), int(fields[b"ModuloRSA"], 16))
    assert f"{block:x}"[-64:] == digest == fields[b"Sha256"].decode()


# --- intact and authentic -------------------------------------------------------------------------------


def test_intact_and_authentic_are_told_apart() -> None:
    assert verify(SIGNED).authentic is None
    assert verify(SIGNED, TRUSTED).authentic is True
    forged = sign(PLAIN, ITEMS, OTHER)
    verdict = verify(forged, TRUSTED)
    assert (verdict.status, verdict.authentic) == ("intact", False)
    assert named(verdict) == {("key", "ModuloRSA", "other key")}
    assert "NOT AUTHENTIC" in explain(verdict)[0]
    assert "only a trusted key" in explain(verify(SIGNED))[0]
    assert explain(verify(SIGNED, TRUSTED))[0].startswith("INTACT and AUTHENTIC")


def test_the_same_input_gives_the_same_bytes() -> None:
    assert sign(PLAIN, ITEMS, KEY) == SIGNED


def test_unsigned_and_unreadable() -> None:
    assert verify(PLAIN).status == "unsigned"
    assert verify(add_comment(PLAIN, ITEMS), TRUSTED).authentic is False
    verdict = verify(b"nonsense", TRUSTED)
    assert (verdict.status, verdict.authentic) == ("unreadable", False)
    assert "no JPEG" in explain(verdict)[0]
    assert explain(verify(PLAIN))[0].startswith("UNSIGNED")


def test_an_exponent_of_one_fits_nothing() -> None:
    """With e = 1 the padded hash itself would be a "signature" under any modulus, the trusted one's too."""
    bare = last_comment(SIGNED) or b""
    head = bare[: bare.index(b"Sign=")].replace(b"BJE8187", b"AAA0A00")
    part = split(SIGNED).comments()[-1]
    digest = hashlib.sha256(replace_comment(SIGNED, part, head)).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    block = b"\x00\x01" + b"\xff" * (256 - 3 - len(info)) + b"\x00" + info
    forged = replace_comment(
        SIGNED, part,
        head + b"Sign=" + block.hex().encode() + b";ExponentRSA=1;ModuloRSA=" + f"{KEY.modulus:x}".encode()
        + b";Sha256=" + digest.hex().encode() + b";",
    )  # fmt: skip
    verdict = verify(forged, TRUSTED)
    assert (verdict.status, verdict.authentic) == ("altered", False)
    assert ("signature", "ExponentRSA", "altered") in named(verdict)


# --- what was changed -----------------------------------------------------------------------------------


def test_pixels() -> None:
    jpeg = split(SIGNED)
    scan = next(part for part in jpeg.parts if part.name == "scan")
    at = next(i for i in range(scan.start + 50, scan.end) if 0xFF not in SIGNED[i - 1 : i + 2] and SIGNED[i] != 0xFE)
    verdict = verify(SIGNED[:at] + bytes([SIGNED[at] ^ 1]) + SIGNED[at + 1 :], TRUSTED)
    assert verdict.status == "altered"
    assert verdict.authentic is False
    assert named(verdict) == {("picture data", "scan", "altered")}
    assert any("picture data: altered" in line for line in explain(verdict))


def test_a_segment() -> None:
    table = next(part for part in split(SIGNED).parts if part.name == "DQT")
    at = table.end - 1
    verdict = verify(SIGNED[:at] + bytes([SIGNED[at] ^ 1]) + SIGNED[at + 1 :])
    assert [(c.what, c.name, c.how, c.at) for c in verdict.changes] == [("segment", "DQT", "altered", table.start)]


CHANGES: dict[str, tuple[Callable[[bytes], bytes], tuple[str, str, str]]] = {
    "item": (lambda d: with_text(d, b"Placa", b"BJE8188"), ("comment item", "Placa", "altered")),
    "item removed": (lambda d: with_text(d, b"Horario", None), ("comment item", "Horario", "removed")),
    "Sha256": (lambda d: with_text(d, b"Sha256", turned(text_of(d, b"Sha256"))), ("signature", "Sha256", "altered")),
    "Sign": (lambda d: with_text(d, b"Sign", turned(text_of(d, b"Sign"))), ("signature", "Sign", "altered")),
    "ModuloRSA": (
        lambda d: with_text(d, b"ModuloRSA", turned(text_of(d, b"ModuloRSA"))),
        ("signature", "ModuloRSA", "altered"),
    ),
    "ExponentRSA": (lambda d: with_text(d, b"ExponentRSA", b"3"), ("signature", "ExponentRSA", "altered")),
    "Sign missing": (lambda d: with_text(d, b"Sign", None), ("signature", "Sign", "missing")),
    "Sha256 unreadable": (lambda d: with_text(d, b"Sha256", b"xyz!"), ("signature", "Sha256", "unreadable")),
    "ModuloRSA unreadable": (lambda d: with_text(d, b"ModuloRSA", b"00"), ("signature", "ModuloRSA", "unreadable")),
    "LprDigests": (lambda d: with_text(d, b"LprDigests", b"1,SOI:00"), ("comment item", "LprDigests", "altered")),
    "LprDigests removed": (lambda d: with_text(d, b"LprDigests", None), ("comment item", "LprDigests", "removed")),
    "comment added": (lambda d: insert_comment(d, b"hello"), ("segment", "COM", "added")),
    "trailer": (lambda d: d + b"tail", ("segment", "trailer", "added")),
}


@pytest.mark.parametrize("case", list(CHANGES))
def test_the_change_is_named(case: str) -> None:
    change, expected = CHANGES[case]
    verdict = verify(change(SIGNED))
    assert verdict.status == "altered"
    assert named(verdict) == {expected}
    assert expected[1] in "\n".join(explain(verdict))


def test_an_item_put_in() -> None:
    comment = last_comment(SIGNED) or b""
    part = split(SIGNED).comments()[-1]
    assert named(verify(replace_comment(SIGNED, part, b"Extra=1;" + comment))) == {("comment item", "Extra", "added")}


def test_items_in_another_order() -> None:
    comment = last_comment(SIGNED) or b""
    first, second, rest = comment.split(b";", 2)
    swapped = replace_comment(SIGNED, split(SIGNED).comments()[-1], b";".join((second, first, rest)))
    assert named(verify(swapped)) == {("comment item", "order", "moved")}


def test_another_signature_of_the_same_key_put_in() -> None:
    """Somebody takes the four texts of another picture of the same device."""
    another = sign(PLAIN, (("Placa", "XYZ9999"),), KEY)
    mixed = SIGNED
    for key in (b"Sign", b"Sha256"):
        mixed = with_text(mixed, key, text_of(another, key))
    verdict = verify(mixed, TRUSTED)
    assert (verdict.status, verdict.authentic) == ("altered", False)


def test_everything_rewritten_but_the_signature() -> None:
    forged = sign(PLAIN, (("Placa", "XYZ9999"),), KEY)
    forged = with_text(forged, b"Sign", text_of(SIGNED, b"Sign"))
    verdict = verify(forged, TRUSTED)
    assert (verdict.status, verdict.authentic) == ("altered", False)


def test_a_text_twice() -> None:
    comment = last_comment(SIGNED) or b""
    twice = replace_comment(SIGNED, split(SIGNED).comments()[-1], comment + b"Sha256=" + b"0" * 64 + b";")
    assert ("signature", "Sha256", "repeated") in named(verify(twice))


@settings(max_examples=300)
@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_changed_byte_passes_as_ours(at: int, flip: int) -> None:
    verdict = verify(SIGNED[:at] + bytes([SIGNED[at] ^ flip]) + SIGNED[at + 1 :], TRUSTED)
    assert verdict.status != "intact" or (verdict.variant is not None and not verdict.variant.ours)
    if verdict.status != "intact":
        assert verdict.authentic is False
        assert verdict.changes or verdict.status == "unsigned"


@given(st.binary(max_size=200), st.integers(0, len(SIGNED)), st.integers(0, 60))
def test_any_bytes_get_a_verdict(junk: bytes, at: int, cut: int) -> None:
    for data in (junk, SIGNED[:at] + junk + SIGNED[at + cut :]):
        verdict = verify(data, TRUSTED)
        assert explain(verdict)
        assert msgspec.convert(msgspec.to_builtins(verdict), Verdict) == verdict


@given(st.binary(max_size=120))
def test_any_comment_gets_a_verdict(junk: bytes) -> None:
    for comment in (b"Sign=" + junk, junk + b";Sign=1;ModuloRSA=ff;Sha256=;", b"LprDigests=" + junk + b";Sign=" + junk):
        assert verify(insert_comment(PLAIN, comment)).status in ("altered", "unsigned")


# --- foreign ways ---------------------------------------------------------------------------------------


def raw_power(key: SigningKey, block: bytes) -> bytes:
    """The private operation on a block: what textbook signers do. (From the key's own PEM.)"""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(key.pem(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    d = private.private_numbers().d
    return pow(int.from_bytes(block, "big"), d, key.modulus).to_bytes((key.bits + 7) // 8, "big")


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    "base64": base64.b64encode,
}
PADDINGS: dict[str, Callable[[SigningKey, bytes], bytes]] = {
    "PKCS#1 v1.5, SHA-256": lambda key, digest: key.sign_digest(digest),
    "textbook RSA": raw_power,
    "PKCS#1 v1.5 without the hash's name": lambda key, digest: raw_power(
        key, b"\x00\x01" + b"\xff" * (key.bits // 8 - 35) + b"\x00" + digest
    ),
}
BASE = b"Placa=ABC1234;Horario=01/02/24 03:04:05;"


def foreign(removal: str, coding: str, padding: str, key: SigningKey) -> bytes:
    """A picture signed in another reading of the manual."""
    code = CODINGS[coding]
    if removal == "items, separators kept, length rewritten":
        content = insert_comment(PLAIN, BASE + b";;;;")
    elif removal == "the whole comment segment":
        content = PLAIN
    elif removal == "values only, length rewritten":
        content = insert_comment(PLAIN, BASE + b"Sign=;ExponentRSA=;ModuloRSA=;Sha256=;")
    else:
        content = insert_comment(PLAIN, BASE)
    if removal.endswith("length kept"):
        probe = foreign("items with their separators, length rewritten", coding, padding, key)
        part = split(content).comments()[-1]
        length = len(last_comment(probe) or b"") + 2
        content = content[: part.body - 2] + length.to_bytes(2, "big") + content[part.body :]
    digest = hashlib.sha256(content).digest()
    size = (key.bits + 7) // 8
    comment = (
        BASE
        + b"Sign="
        + code(PADDINGS[padding](key, digest))
        + b";ExponentRSA="
        + (b"AQAB" if coding == "base64" else b"65537")
        + b";ModuloRSA="
        + code(key.modulus.to_bytes(size, "big"))
        + b";Sha256="
        + code(digest)
        + b";"
    )
    return insert_comment(PLAIN, comment)


@pytest.mark.parametrize("padding", list(PADDINGS))
@pytest.mark.parametrize("coding", list(CODINGS))
@pytest.mark.parametrize(
    "removal",
    [
        "items with their separators, length rewritten",
        "items with their separators, length kept",
        "items, separators kept, length rewritten",
        "values only, length rewritten",
        "the whole comment segment",
    ],
)
def test_foreign_ways_are_recognised(removal: str, coding: str, padding: str) -> None:
    data = foreign(removal, coding, padding, OTHER)
    verdict = verify(data, TrustedKey(OTHER.fingerprint))
    assert verdict.variant is not None
    assert verdict.variant.removal == removal
    assert verdict.variant.text == coding.lower()
    assert verdict.variant.padding == padding
    assert verdict.authentic is True
    assert verify(data.replace(b"ABC1234", b"ABC1235")).status == (
        "altered" if removal != "the whole comment segment" else "intact"
    )


def test_a_hash_hashed_once_more() -> None:
    content = insert_comment(PLAIN, BASE)
    digest = hashlib.sha256(content).hexdigest()
    comment = (
        BASE
        + f"Sign={KEY.sign(digest.encode()).hex()};ExponentRSA=65537;".encode()
        + f"ModuloRSA={KEY.modulus:X};Sha256={digest};".encode()
    )
    assert verify(insert_comment(PLAIN, comment), TRUSTED).authentic is True


def test_a_foreign_picture_changed() -> None:
    data = foreign("items, separators kept, length rewritten", "hex", "textbook RSA", OTHER)
    verdict = verify(data.replace(b"ABC1234", b"ABC1235"))
    assert verdict.changes
    assert "no list of digests" in "\n".join(explain(verdict))


# --- signing --------------------------------------------------------------------------------------------


def test_other_comments_are_signed_with_it() -> None:
    data = sign(insert_comment(PLAIN, b"from the camera"), ITEMS, KEY)
    assert verify(data).status == "intact"
    assert named(verify(data.replace(b"from the camera", b"from the kamera"))) == {("segment", "COM", "altered")}


def test_a_picture_of_very_many_segments_is_signed_without_the_list() -> None:
    data = PLAIN[:2] + b"\xff\xfe\x00\x02" * 500 + PLAIN[2:]
    signed = sign(data, ITEMS, KEY)
    assert b"LprDigests" not in signed
    assert verify(signed, TRUSTED).authentic is True


def test_what_cannot_be_signed() -> None:
    with pytest.raises(JpegError, match="signed already"):
        sign(SIGNED, ITEMS, KEY)
    with pytest.raises(JpegError, match="written by the signature itself"):
        sign(PLAIN, (("Sign", "1"),), KEY)
    with pytest.raises(JpegError, match="65533 at most"):
        sign(PLAIN, (("Note", "x" * 65500),), KEY)


# --- keys -----------------------------------------------------------------------------------------------


def test_keys_from_files() -> None:
    password = b"golden password"
    for name, secret in (("key-2048.p12", password), ("key-2048.locked.pem", password), ("key-2048.pem", None)):
        assert load((GOLDEN / name).read_bytes(), secret).fingerprint == KEY.fingerprint
    for name, secret in (("key-2048.p12", b"wrong"), ("key-2048.locked.pem", b"wrong")):
        with pytest.raises(KeyProblem, match="password may be wrong"):
            load((GOLDEN / name).read_bytes(), secret)
    with pytest.raises(KeyProblem, match="password"):
        load((GOLDEN / "key-2048.p12").read_bytes())
    with pytest.raises(KeyProblem, match="locked with a password"):
        load((GOLDEN / "key-2048.locked.pem").read_bytes())
    with pytest.raises(KeyProblem, match="no key could be read"):
        load(b"-----BEGIN nothing")
    with pytest.raises(KeyProblem):
        load((GOLDEN / "public-2048.pem").read_bytes())


@given(st.binary(max_size=200))
def test_any_bytes_as_a_key(data: bytes) -> None:
    for source in (data, b"-----BEGIN PRIVATE KEY-----\n" + data, b"-----BEGIN CERTIFICATE-----" + data):
        with pytest.raises(KeyProblem):
            load(source, b"x")
        try:
            trusted_key(source)
        except KeyProblem as problem:
            assert str(problem)


def test_new_keys() -> None:
    key = generate(1024)
    assert (key.bits, key.exponent) == (1024, 65537)
    assert load(key.pem()).fingerprint == key.fingerprint == fingerprint(key.modulus)
    with pytest.raises(KeyProblem, match="1024, 2048 or 4096"):
        generate(1536)


def test_trusted_keys() -> None:
    colons = ":".join(KEY.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    for source in (
        KEY.fingerprint, colons, f"{KEY.modulus:X}", f"0x{KEY.modulus:x}\n", KEY.public_pem(), KEY.pem(),
        (GOLDEN / "public-2048.pem").read_bytes(),
    ):  # fmt: skip
        assert trusted_key(source) == TRUSTED
    for wrong in ("", "zz", "abcdef", "-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(KeyProblem):
            trusted_key(wrong)
