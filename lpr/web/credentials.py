"""Passwords: scrypt (RFC 7914) hashes in one file of mode 0600, replaced atomically, never in the log.

Blocking functions; ``users.UserStore`` calls them in a worker thread. Imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from pathlib import Path

import msgspec

MIN_PASSWORD = 10
MAX_PASSWORD = 256
MAX_FILE_BYTES = 1_048_576


class CredentialsError(Exception):
    """The credentials file can't be used; ``str(error)`` names the file, the problem and the remedy."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """scrypt's N, r, p. The default needs 32 MiB and is one of those OWASP's password storage sheet gives as equal."""

    n: int = 32768
    r: int = 8
    p: int = 3


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One user's hash with the cost it was made with, so that a new cost leaves old ones valid."""

    salt: bytes
    hash: bytes
    cost: Cost


class CredentialsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content."""

    version: int = 1
    users: dict[str, Credential] = msgspec.field(default_factory=dict[str, Credential])


def derive(password: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes. The password is normalised (NFKC) so that the same keys on another keyboard give the same bytes."""
    text = unicodedata.normalize("NFKC", password).encode()
    memory = 128 * cost.r * (cost.n + cost.p + 2) + 65536
    return hashlib.scrypt(text, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=32)


def seal(password: str, salt: bytes, cost: Cost) -> Credential:
    """The credential that goes into the file."""
    return Credential(salt=salt, hash=derive(password, salt, cost), cost=cost)


def matches(password: str, credential: Credential) -> bool:
    """Whether ``password`` is the one; the comparison takes the same time either way."""
    return hmac.compare_digest(derive(password, credential.salt, credential.cost), credential.hash)


def weakness(user: str, password: str) -> str | None:
    """Why ``password`` may not be used, or None."""
    if len(password) < MIN_PASSWORD:
        return f"the password has {len(password)} characters, at least {MIN_PASSWORD} are needed"
    if len(password) > MAX_PASSWORD:
        return f"the password has {len(password)} characters, at most {MAX_PASSWORD} are possible"
    if user and user.casefold() in password.casefold() and len(password) < len(user) + 6:
        return "the password is hardly more than the user's name"
    if len(set(password)) < 5:
        return "the password has fewer than five different characters"
    if any(unicodedata.category(char) == "Cc" for char in password):
        return "the password contains control characters"
    return None


def load(path: Path) -> CredentialsFile:
    """The file at ``path``; an absent one is empty. Raises CredentialsError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CredentialsError(f"{path}: larger than {MAX_FILE_BYTES} bytes; {REMEDY}")
        return msgspec.json.decode(path.read_bytes(), type=CredentialsFile)
    except FileNotFoundError:
        return CredentialsFile()
    except OSError as error:
        raise CredentialsError(
            f"{path}: can't be read ({error.strerror}); give this user the right to read it"
        ) from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{path}: damaged ({error}); {REMEDY}") from None


REMEDY = "bring it back from a copy, or remove it and give the users new passwords with `lpr user password`"


def save(path: Path, content: CredentialsFile) -> None:
    """Replace the file: written beside it (mode 0600), synced, renamed, the folder synced. Raises CredentialsError."""
    beside = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(msgspec.json.format(msgspec.json.encode(content), indent=1))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CredentialsError(
            f"{path}: can't be written ({error.strerror}); free disk space or give this user the right to write there"
        ) from None
