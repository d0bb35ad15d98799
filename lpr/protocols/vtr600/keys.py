"""RSA keys of the signature: made, read from PEM or P12, named by their fingerprint. Pure functions on bytes.

A key's fingerprint is the lower-case hex SHA-256 of its modulus, big-endian and as short as it goes. Imports
``cryptography``; nothing of ours.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import pkcs12

EXPONENT: Final = 65537
"""The one public exponent (VTR600 manual, "Digital signature")."""
BITS: Final = (1024, 2048, 4096)
"""Key lengths that are made or taken for signing."""
MAX_KEY_FILE: Final = 1 << 20


class KeyProblem(ValueError):
    """A key that cannot be used; the text says why and what to do."""


def fingerprint(modulus: int) -> str:
    """Lower-case hex SHA-256 of the modulus, big-endian, without leading zero bytes."""
    return hashlib.sha256(modulus.to_bytes(max((modulus.bit_length() + 7) // 8, 1), "big")).hexdigest()


class SigningKey:
    """A private RSA key. ``bits``: its length; ``modulus``, ``exponent``, ``fingerprint``: its public part."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        numbers = key.public_key().public_numbers()
        if key.key_size not in BITS:
            raise KeyProblem(f"the signing key has {key.key_size} bits: 1024, 2048 or 4096 are taken")
        if numbers.e != EXPONENT:
            raise KeyProblem(f"the signing key's exponent is {numbers.e}: it must be {EXPONENT}")
        self._key = key
        self.bits = key.key_size
        self.modulus = numbers.n
        self.exponent = numbers.e

    @cached_property
    def fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the modulus."""
        return fingerprint(self.modulus)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``: PKCS#1 v1.5 over its SHA-256 (RFC 8017, 8.2), as long as the modulus."""
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def sign_digest(self, digest: bytes) -> bytes:
        """As ``sign``, of a message whose SHA-256 (32 bytes) is ``digest``."""
        return self._key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))

    def pem(self) -> bytes:
        """The private key, PKCS#8 in PEM, not encrypted."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_pem(self) -> bytes:
        """The public key in PEM: what a verifier needs to tell authentic from merely intact."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def generate(bits: int = 2048) -> SigningKey:
    """A new key. Raises KeyProblem for a length other than ``BITS``."""
    if bits not in BITS:
        raise KeyProblem(f"a key of {bits} bits: 1024, 2048 or 4096 can be made")
    return SigningKey(rsa.generate_private_key(EXPONENT, bits))


def load(data: bytes, password: bytes | None = None) -> SigningKey:
    """The private key in a PEM or P12 (PKCS#12) file's bytes. Raises KeyProblem."""
    if len(data) > MAX_KEY_FILE:
        raise KeyProblem(f"a key file of {len(data)} bytes: {MAX_KEY_FILE} are read at most")
    pem = b"-----BEGIN" in data
    kind = "PEM" if pem else "P12"
    try:
        if pem:
            key: object = serialization.load_pem_private_key(data, password if b"ENCRYPTED" in data else None)
        else:
            key = pkcs12.load_key_and_certificates(data, password)[0]
    except TypeError:
        raise KeyProblem(f"the {kind} key is locked with a password: give the file that holds it") from None
    except (ValueError, InvalidKey, UnsupportedAlgorithm) as error:
        hint = "the password may be wrong" if password else "it may need a password"
        raise KeyProblem(f"no key could be read as {kind} ({hint}): {error}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyProblem(f"the {kind} file holds no private RSA key")
    return SigningKey(key)


@dataclass(frozen=True)
class TrustedKey:
    """Whom a verifier trusts: a modulus' fingerprint. The exponent is always ``EXPONENT``."""

    fingerprint: str


def trusted_key(source: bytes | str) -> TrustedKey:
    """From a fingerprint (64 hex digits, colons allowed), a modulus in hex, or a PEM public key, certificate or
    unlocked private key. Raises KeyProblem.
    """
    data = source.encode("utf-8", "replace") if isinstance(source, str) else source
    if len(data) > MAX_KEY_FILE:
        raise KeyProblem(f"a key of {len(data)} bytes: {MAX_KEY_FILE} are read at most")
    if b"-----BEGIN" in data:
        return _from_pem(data)
    text = re.sub(r"[\s:]", "", data.decode("latin-1")).lower().removeprefix("0x")
    if not re.fullmatch("[0-9a-f]+", text):
        raise KeyProblem("the trusted key is neither a fingerprint, nor a modulus in hex, nor PEM")
    if len(text) == 64:
        return TrustedKey(text)
    modulus = int(text, 16)
    if modulus.bit_length() < 1000:
        raise KeyProblem(f"{len(text)} hex digits: a fingerprint has 64, a modulus 256 or more")
    return TrustedKey(fingerprint(modulus))


def _from_pem(data: bytes) -> TrustedKey:
    try:
        if b"CERTIFICATE" in data:
            key: object = x509.load_pem_x509_certificate(data).public_key()
        elif b"PRIVATE" in data:
            return TrustedKey(load(data).fingerprint)
        else:
            key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblem(f"the trusted key's PEM could not be read: {error}") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyProblem("the trusted key is no RSA key")
    numbers = key.public_numbers()
    if numbers.e != EXPONENT:
        raise KeyProblem(f"the trusted key's exponent is {numbers.e}: it must be {EXPONENT}")
    return TrustedKey(fingerprint(numbers.n))
