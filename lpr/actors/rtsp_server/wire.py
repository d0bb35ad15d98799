"""A viewer's socket, plain or TLS, non-blocking: what it takes now, what it gives now, and waiting for either.

May import the standard library and anyio.
"""

from __future__ import annotations

import socket
import ssl

import anyio
import anyio.lowlevel

_LATER = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """``sock``: non-blocking. ``tls``: to be the server of; see ``handshake``. What a call can't do raises OSError."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self._tls: ssl.SSLSocket | None = None
        if tls is not None:
            sock = self._tls = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._sock = sock

    @property
    def secure(self) -> bool:
        """Whether it is TLS."""
        return self._tls is not None

    @property
    def local(self) -> str:
        """The address here, without an interface's name."""
        return str(self._sock.getsockname()[0]).partition("%")[0]

    async def handshake(self) -> None:
        """Agree on TLS, where it is TLS. Raises OSError (ssl.SSLError)."""
        await anyio.lowlevel.checkpoint()
        while self._tls is not None:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                await anyio.wait_readable(self._sock)
            except ssl.SSLWantWriteError:
                await anyio.wait_writable(self._sock)

    def send(self, data: bytes | memoryview) -> int:
        """How much of ``data`` was taken; after less than all of it, what comes next must begin with the rest."""
        try:
            return self._sock.send(data)
        except _LATER:
            return 0

    async def receive(self, size: int) -> bytes:
        """The next bytes, ``size`` at most; b"" at the end."""
        await anyio.lowlevel.checkpoint()
        while True:
            try:
                return self._sock.recv(size)
            except _LATER:
                await anyio.wait_readable(self._sock)

    async def writable(self) -> None:
        """Until something may be taken again."""
        await anyio.wait_writable(self._sock)

    def end(self) -> None:
        """Nothing more is sent; what was, arrives."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """For good."""
        self._sock.close()
