"""Where to connect, as whom, with what limits; and why it can't be. Pure.

May import the standard library only.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


class ListenFailure(Exception):
    """The conversation can't be had, or not be gone on with. ``status``: the exit code."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


BROKEN, UNREACHABLE, NOT_LET_IN = 1, 2, 3
"""Exit codes: the camera broke the protocol; can't be reached; does not let us in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``connect``: seconds to connect and to log in. ``message``: bytes of one message, pictures counted."""

    connect: float = 10.0
    message: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """``ca_file``: the authority's certificate, "" the system's. ``verify``: False asks for trouble, and is said."""

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """For a client. Raises ListenFailure for files that can't be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise ListenFailure(f"a certificate file can't be used: {error}", UNREACHABLE) from None
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class Target:
    """One end point. ``tls``: None for a connection in clear."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: Tls | None = None
    path: str = ""
    limits: Limits = Limits()

    @property
    def address(self) -> str:
        """For people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Target({self.address})"


def split(text: str, default_port: int, schemes: tuple[str, ...] = ()) -> tuple[str, str, int, str]:
    """``host``, ``host:port``, ``[::1]:port`` or a URL of one of ``schemes`` as (scheme, host, port, path and query).

    The scheme is "" when there was none. Raises ListenFailure; a password in a URL is refused.
    """
    url = text if "://" in text else f"//{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ListenFailure(f"{text}: not an address; write HOST:PORT", UNREACHABLE) from None
    if parts.scheme and parts.scheme not in schemes:
        raise ListenFailure(f"{text}: an address with {', '.join(schemes) or 'no scheme'} is needed", UNREACHABLE)
    if parts.username is not None:
        raise ListenFailure("credentials do not belong into the address: use --user and --password-file", UNREACHABLE)
    if not host:
        raise ListenFailure(f"{text}: not an address; write HOST:PORT", UNREACHABLE)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or default_port, path
