"""What must be in place before the first actor runs: the data folder, free ports, keys and passwords.

Everything here either succeeds or raises StartError with the place and the remedy. May import ``lpr.config``,
``lpr.folder`` and ``lpr.keys``.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lpr.config import Config
from lpr.folder import DataFolder
from lpr.keys import KeyProblem, SigningKey, load_key, load_or_create

MAX_SECRET = 4096
"""Bytes of a password file."""


class StartError(Exception):
    """The service can't start. ``str(error)`` names what is wrong and the remedy."""


def make_folder(root: Path) -> None:
    """The data folder, readable by its owner alone. Raises StartError."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = root / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"{root}: the data folder can't be used: {error.strerror}; correct its rights, free disk space,"
            " or name another as `data`"
        ) from None


def check_ports(config: Config) -> None:
    """Every address that a server is to listen at can be had now. Raises StartError."""
    for key, host, port in _listeners(config):
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except socket.gaierror as error:
            raise StartError(f"{key.replace('port', 'host')}: {host!r} is no address: {error.strerror}") from None
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise StartError(_refusal(key, host, port, error)) from None


def _refusal(key: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{key}: port {port} of {host} is taken by another program; stop it or choose another: --set {key}=PORT"
    if error.errno == errno.EACCES:
        return f"{key}: port {port} needs rights that this user does not have; choose one over 1023"
    return f"{key}: nothing can listen at {host}:{port}: {error.strerror}"


def _listeners(config: Config) -> Iterator[tuple[str, str, int]]:
    if config.web.enabled:
        yield "web.port", config.web.host, config.web.port
    for index, server in enumerate(config.milesight):
        yield f"milesight.{index}.port", server.host, server.port
    if config.device_http is not None:
        yield "device_http.port", config.device_http.host, config.device_http.port
    if config.rtsp is not None and config.rtsp.plain:
        yield "rtsp.port", config.rtsp.host, config.rtsp.port
    if config.rtsp is not None and config.rtsp.tls is not None:
        yield "rtsp.tls_port", config.rtsp.host, config.rtsp.tls_port
    for section, servers in (("neural_server", config.neural_server), ("neural_trigger", config.neural_trigger)):
        for index, server in enumerate(servers):
            yield f"{section}.{index}.port", server.host, server.port
    if config.ftp is not None:
        yield "ftp.port", config.ftp.host, config.ftp.port
    if config.sftp is not None:
        yield "sftp.port", config.sftp.host, config.sftp.port


def prepare_key(config: Config, place: DataFolder) -> SigningKey:
    """The signing key, made at the first start unless one is configured; its public half lies beside it.

    Raises StartError.
    """
    sign = config.sign
    try:
        if sign.key_file is not None:
            password_file = Path(sign.key_password_file) if sign.key_password_file is not None else None
            key = load_key(Path(sign.key_file), password_file)
        else:
            key = load_or_create(place.signing_key, sign.key_bits)
        public = key.public_pem()
        if not place.public_key.is_file() or place.public_key.read_bytes() != public:
            place.public_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.public_key.write_bytes(public)
    except KeyProblem as problem:
        raise StartError(f"sign: {problem}") from None
    except OSError as error:
        raise StartError(f"{place.public_key}: can't be written: {error.strerror}") from None
    return key


def read_secret(file: str | None) -> str:
    """The first line of a password file; "" without one. Raises StartError."""
    if file is None:
        return ""
    try:
        with Path(file).open("rb") as source:
            text = source.read(MAX_SECRET + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file}: the password can't be read: {error}") from None
    secret = text.splitlines()[0] if text else ""
    if not secret or len(text) > MAX_SECRET:
        raise StartError(f"{file}: the password is to stand in the first line, in at most {MAX_SECRET} bytes")
    return secret


def write_secret(path: Path, secret: str) -> None:
    """A password file that its owner alone can read. Raises StartError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(secret + "\n")
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise StartError(f"{path}: the password can't be kept there: {error.strerror}") from None


def digest(config: Config) -> str:
    """SHA-256 of the configuration in force, hex. It holds no secret: those lie in files that it names."""
    return hashlib.sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()
