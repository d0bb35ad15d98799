"""FTP's connections over aioftp's server: commands one after the other, replies, data connections, all bounded.

aioftp (0.28) gives the loop over a connection's commands and passive mode. What it leaves open is made safe here:
commands are dealt with one after the other (a pipelined USER must not change who a PASS is for), replies are bounded by
what the client reads, there is a time for logging in, and data connections come from the client's own address only.
Nothing goes out through aioftp's streams: their ``wait_for`` may lose a cancellation (Python 3.11).

May import ``lpr.config`` and ``lpr.core``. asyncio only, as aioftp is.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

import aioftp
from aioftp.common import Connection, StreamIO
from aioftp.errors import NoAvailablePort

from lpr.actors.ftp_server.lines import command_of, reply_of
from lpr.actors.ftp_server.session import CURRENT, Session
from lpr.config import FtpServer as Settings
from lpr.core.clock import SECOND, Clock
from lpr.core.shelves import Unavailable
from lpr.core.visitors import Bandwidth, Visitors

DATA_TIMEOUT = 15.0
"""Seconds that a transfer waits for its data connection."""
TLS_HANDSHAKE = 10.0
END = " end"
"""A command that no client can send: its argument is the last reply."""

Handler: TypeAlias = Callable[[Connection, str], Awaitable[bool]]
"""A command: whether the connection goes on."""


class Link(aioftp.Server):
    """Connections without commands; ``commands_mapping`` is for who adds them. ``context``: for TLS, None without."""

    def __init__(
        self,
        settings: Settings,
        *,
        visitors: Visitors,
        clock: Clock,
        bandwidth: Bandwidth,
        context: ssl.SSLContext | None,
    ) -> None:
        ports = settings.passive_ports
        super().__init__(
            socket_timeout=settings.send_timeout,
            data_ports=None if ports is None else range(ports[0], ports[1] + 1),
            ipv4_pasv_forced_response_address=settings.address,
            welcome_message="lpr",
        )
        self.connections = {}
        self.server_port = 0
        self.commands_mapping = {}
        self._visitors = visitors
        self._clock = clock
        self._bandwidth = bandwidth
        self._context = context
        self._plain = settings.plain
        self._implicit = settings.implicit
        self._login_timeout = settings.login_timeout
        self._idle_seconds = settings.idle_timeout
        self._send_timeout = settings.send_timeout
        self._tasks: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """End every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # --- a connection's life ---------------------------------------------------------------------------

    async def dispatcher(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection, from its acceptance to its end."""
        peer = writer.get_extra_info("peername") or ("",)
        visitor = self._visitors.enter(str(peer[0]))
        task = asyncio.current_task()
        if visitor is None or task is None:
            writer.close()
            return
        visitor.drop = task.cancel
        self._tasks.add(task)
        session = Session(visitor, reader, writer, self._clock.mono() + round(self._login_timeout * SECOND))
        CURRENT.set(session)
        try:
            if self._implicit:
                await self._encrypt(session)
                session.protected = True
            await super().dispatcher(reader, writer)
        except (OSError, EOFError, TimeoutError):
            self._visitors.offence("failed TLS handshake", visitor)
        except asyncio.CancelledError:
            return  # this task is the connection, and asyncio's streams take its cancellation for an error
        finally:
            writer.close()
            self._tasks.discard(task)
            self._visitors.leave(visitor)

    async def _encrypt(self, session: Session) -> None:
        """TLS on the control connection from here on. Raises OSError, EOFError, TimeoutError.

        Nothing has been read since the client may have begun with it: no await may come before this.
        """
        assert self._context is not None
        await session.writer.start_tls(self._context, ssl_handshake_timeout=TLS_HANDSHAKE)
        session.encrypted = True

    async def parse_command(self, stream: StreamIO, censor_commands: tuple[str] = ("pass",)) -> tuple[str, str]:
        """The next command, once the one before it is answered and the answer was taken."""
        session = CURRENT.get()
        await session.free.wait()
        await session.answers.join()
        line = b""
        try:
            while not line:
                line = await self._line(session)
        except _Over as over:
            return self._busy(session, END, over.reply)
        command = command_of(line)
        if command is None:
            self._visitors.offence("malformed command", session.visitor)
            return "?", ""
        return self._busy(session, *command)

    async def _line(self, session: Session) -> bytes:
        """A line of the client; empty: go on waiting, since a transfer is under way. Raises _Over."""
        wait = self._idle_seconds
        if not session.logged_in:
            wait = (session.deadline - self._clock.mono()) / SECOND
        try:
            async with asyncio.timeout(max(0.0, wait)):
                line = await session.reader.readline()
        except TimeoutError:
            if session.sending:
                return b""
            if not session.logged_in:
                self._visitors.offence("no log-in", session.visitor)
            raise _Over("421 Nothing was asked for too long") from None
        except ValueError:
            self._visitors.offence("overlong command", session.visitor)
            raise _Over("500 This line is too long") from None
        except OSError:
            raise _Over("") from None
        if not line.endswith(b"\n"):
            raise _Over("")
        return line

    def _busy(self, session: Session, command: str, rest: str) -> tuple[str, str]:
        if command in self.commands_mapping:
            session.free.clear()
        return command, rest

    async def response_writer(self, stream: StreamIO, response_queue: asyncio.Queue[Any]) -> None:
        """Send the replies; a client that does not read them is dropped."""
        session = CURRENT.get()
        session.answers = response_queue
        try:
            while True:
                answer = await response_queue.get()
                try:
                    await self._write(session.writer, reply_of(*answer))
                finally:
                    response_queue.task_done()
        except (OSError, TimeoutError):
            session.visitor.drop()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Not by aioftp's streams: their ``wait_for`` may lose a cancellation (Python 3.11), and its task never ends.

        Raises OSError, TimeoutError.
        """
        writer.write(data)
        async with asyncio.timeout(self._send_timeout):
            await writer.drain()

    def _one_by_one(self, handler: Handler) -> Handler:
        """The next command is read when this one is dealt with, and never when it ends the connection."""

        async def run(connection: Connection, rest: str) -> bool:
            try:
                goes_on = await handler(connection, rest)
            except Unavailable as error:
                connection.response("451", str(error))
                goes_on = True
            if goes_on:
                CURRENT.get().free.set()
            return goes_on

        return run

    async def end(self, connection: Connection, rest: str) -> bool:
        """The connection is over; ``rest`` is the last reply, if any."""
        if rest:
            code, _, text = rest.partition(" ")
            connection.response(code, text)
        return False

    # --- data connections ------------------------------------------------------------------------------

    async def _start_passive_server(
        self,
        connection: Connection,
        handler_callback: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> asyncio.Server:
        """A port for data connections; the client's own address alone may use it. Raises NoAvailablePort, OSError."""
        session = CURRENT.get()

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = writer.get_extra_info("peername") or ("",)
            if str(peer[0]) != session.visitor.address or connection.future.data_connection.done():
                self._visitors.offence("stranger at a data port", session.visitor)
                writer.close()
                return
            if session.protected:
                assert self._context is not None
                try:
                    await writer.start_tls(self._context, ssl_handshake_timeout=TLS_HANDSHAKE)
                except (OSError, EOFError, TimeoutError):
                    writer.close()
                    return
            await handler_callback(reader, writer)

        host: str = connection.server_host
        ports = self.available_data_ports
        if ports is None:
            return await asyncio.start_server(accepted, host, 0, backlog=2)
        for _ in range(ports.qsize()):
            priority, port = ports.get_nowait()
            try:
                server = await asyncio.start_server(accepted, host, port, backlog=2)
            except OSError as error:
                ports.put_nowait((priority + 1, port))
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            connection.passive_server_port = port
            return server
        raise NoAvailablePort

    def _may_send(self, connection: Connection) -> bool:
        """Whether something may be sent now; if not, the client is told why."""
        session = CURRENT.get()
        if session.sending:
            connection.response("450", "Another transfer is under way")
        elif not session.protected and not self._plain:
            connection.response("521", "PROT P is needed here")
        elif not connection.future.passive_server.done():
            connection.response("425", "PASV or EPSV first")
        else:
            return True
        return False

    def _start(self, connection: Connection, pieces: AsyncGenerator[bytes, None], path: str = "") -> bool:
        """Send ``pieces`` in a task of its own. ``path``: of the file, for the audit trail."""
        CURRENT.get().sending = True
        connection.response("150", "Here it comes")
        connection.extra_workers.add(asyncio.create_task(self._send(connection, pieces, path)))
        return True

    async def _send(self, connection: Connection, pieces: AsyncGenerator[bytes, None], path: str) -> bool:
        session = CURRENT.get()
        sent, outcome, stream = 0, "aborted", None
        try:
            async with asyncio.timeout(DATA_TIMEOUT):
                stream = await asyncio.shield(connection.future.data_connection)
            del connection.data_connection
            async for piece in pieces:
                await self._bandwidth.take(len(piece))
                await self._write(stream.writer, piece)
                sent += len(piece)
            outcome = "done"
            connection.response("226", "Done")
        except asyncio.CancelledError:
            connection.response("426", "Aborted")
            connection.response("226", "Done")
        except Unavailable as error:
            outcome = str(error)
            connection.response("451", outcome)
        except (OSError, TimeoutError) as error:
            outcome = "too slow" if isinstance(error, TimeoutError) else "connection lost"
            outcome = "no data connection" if stream is None else outcome
            connection.response("425" if stream is None else "426", outcome)
        finally:
            session.sending = False
            if stream is not None and outcome == "done":
                stream.close()
            elif stream is not None:
                stream.writer.transport.abort()  # a part must not look like the whole
            with suppress(RuntimeError):
                await pieces.aclose()
            if path:
                self._visitors.transferred(session.visitor, path, sent, outcome)
        return True


class _Over(Exception):
    """The connection ends. ``reply``: the last one, "" when nobody is there to read it."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply
