"""Keys of the SFTP server: its own, made at the first start, and those with which machines may log in.

May import ``lpr.config``. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lpr.config import SftpKey
from lpr.core.sockets import ListenError

RSA_BITS = 3072


def host_keys(folder: Path) -> list[asyncssh.SSHKey]:
    """The server's own keys in ``folder``, readable by their owner alone, made when missing: one of a modern kind, and
    one that old clients know. Raises ListenError."""
    return [
        _host_key(folder / "sftp-ed25519.key", Ed25519PrivateKey.generate),
        _host_key(folder / "sftp-rsa.key", lambda: generate_private_key(65537, RSA_BITS)),
    ]


def _host_key(path: Path, make: Callable[[], Ed25519PrivateKey | RSAPrivateKey]) -> asyncssh.SSHKey:
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = make().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            temporary = path.with_suffix(".new")
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as target:
                target.write(made)
                target.flush()
                os.fsync(target.fileno())
            temporary.replace(path)
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise ListenError(
            f"sftp: the host key {path} can't be used: {error}; correct the rights of its folder, or remove the file"
            " and a new key is made (clients will ask whether to trust it)"
        ) from None


def client_keys(settings: Iterable[SftpKey]) -> dict[str, frozenset[bytes]]:
    """Account -> its public keys in SSH's binary form. Raises ListenError."""
    found: dict[str, frozenset[bytes]] = {}
    for entry in settings:
        try:
            keys = asyncssh.read_public_key_list(entry.public_key_file)
            if not keys:
                raise ValueError("there is no key in it")
        except (OSError, ValueError, asyncssh.KeyImportError) as error:
            raise ListenError(
                f"sftp.keys: {entry.public_key_file} can't be used: {error}; name a file of OpenSSH public keys"
            ) from None
        found[entry.account] = found.get(entry.account, frozenset()) | {key.public_data for key in keys}
    return found
