"""Connections over TCP and TLS whose failures a person can act on. anyio. May import this room."""

from __future__ import annotations

import errno
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteStream

from lpr.listen.target import BROKEN, UNREACHABLE, ListenFailure, Target

PORTION = 65536


class Wire:
    """An open connection. ``sent`` and ``received``: bytes so far."""

    def __init__(self, stream: ByteStream, target: Target) -> None:
        self._stream = stream
        self._target = target
        self.received = 0

    async def send(self, data: bytes) -> None:
        """Raises ListenFailure when the connection is broken."""
        try:
            await self._stream.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            raise ListenFailure(f"{self._target.address} broke the connection off", BROKEN) from None

    async def receive(self) -> bytes:
        """The next bytes; b"" when the peer has closed. Raises ListenFailure when it broke off."""
        try:
            data = await self._stream.receive(PORTION)
        except anyio.EndOfStream:
            return b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            raise ListenFailure(f"{self._target.address} broke the connection off", BROKEN) from None
        self.received += len(data)
        return data


@asynccontextmanager
async def connected(target: Target) -> AsyncGenerator[Wire]:
    """A connection to ``target``, closed at the end. Raises ListenFailure."""
    stream = await _open(target)
    try:
        yield Wire(stream, target)
    finally:
        await anyio.aclose_forcefully(stream)


async def _open(target: Target) -> ByteStream:
    context = target.tls.context() if target.tls is not None else None
    try:
        with anyio.fail_after(target.limits.connect):
            if context is None:
                return await anyio.connect_tcp(target.host, target.port)
            return await anyio.connect_tcp(
                target.host,
                target.port,
                tls=True,
                ssl_context=context,
                tls_standard_compatible=False,
                tls_hostname=target.host,
            )
    except TimeoutError:
        reason = f"no answer within {target.limits.connect:g} s; is there a firewall in between?"
    except ssl.SSLCertVerificationError as error:
        reason = f"its certificate is not trusted ({error.verify_message}); name the authority's with --ca-file"
    except ssl.SSLError as error:
        reason = f"it speaks no TLS that we can use ({error.reason or error}); is that the right port?"
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        reason = "it closes the connection instead of speaking TLS; is that the right port?"
    except OSError as error:
        reason = why(error)
    raise ListenFailure(f"{target.address}: {reason}", UNREACHABLE)


def why(error: OSError) -> str:
    """Why a connection did not come about, and what to look at."""
    cause = error.__cause__
    inner: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
    first = inner[0] if inner else cause if isinstance(cause, OSError) else error
    number = getattr(first, "errno", None)
    if number == errno.ECONNREFUSED:
        return "connection refused: nothing listens there; check the port, and that the camera's function is on"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "unreachable: no way there; check the address and the network"
    text = getattr(first, "strerror", None) or str(first)
    return f"{text}; check the address" if text else "it can't be reached; check the address"
