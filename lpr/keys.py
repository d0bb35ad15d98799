"""The signing key's file: read it, or make one at the first start. May import ``lpr.protocols.vtr600.keys``.

The commands and the service use it; what a key is and does is in ``lpr.protocols.vtr600.keys``.
"""

from __future__ import annotations

import os
from pathlib import Path

from lpr.protocols.vtr600.keys import MAX_KEY_FILE, KeyProblem, SigningKey, TrustedKey, generate, load, trusted_key

__all__ = ["KeyProblem", "SigningKey", "TrustedKey", "load_key", "load_or_create", "load_trusted"]


def load_key(path: Path, password_file: Path | None = None) -> SigningKey:
    """The private key in a PEM or P12 file; ``password_file``: its first line is the password. Raises KeyProblem."""
    password: bytes | None = None
    if password_file is not None:
        lines = _read(password_file, "the key's password").splitlines()
        password = lines[0] if lines else b""
    data = _read(path, "the signing key")
    try:
        return load(data, password)
    except KeyProblem as problem:
        raise KeyProblem(f"{path}: {problem}") from None


def load_or_create(
    path: Path, bits: int = 2048, password_file: Path | None = None, *, create: bool = True
) -> SigningKey:
    """The key in ``path`` (PEM or P12); where there is none, a new one of ``bits`` is made and kept there, mode 0600.

    Whoever starts at the same time gets the same key. ``create=False``: a missing file is a KeyProblem.
    Raises KeyProblem.
    """
    if not create or path.exists():
        return load_key(path, password_file)
    key = generate(bits)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(key.pem())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)  # unlike a rename, never over another's key
            except FileExistsError:
                return load_key(path, password_file)
        finally:
            temporary.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyProblem(f"the signing key could not be kept in {path}: {error.strerror or error}") from None
    return key


def load_trusted(text: str) -> TrustedKey:
    """From what a person gives to ``--key``: a file (PEM, or a text with fingerprint or modulus), or the text itself.

    Raises KeyProblem.
    """
    path = Path(text)
    try:
        is_file = len(text) < 4096 and path.is_file()
    except (OSError, ValueError):
        is_file = False
    return trusted_key(_read(path, "the trusted key") if is_file else text)


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE + 1)
    except OSError as error:
        raise KeyProblem(f"{what} could not be read from {path}: {error.strerror or error}") from None
