"""FTP's commands over aioftp's server: what is served, and what aioftp leaves open made safe.

aioftp (0.28) gives the loop over a connection's commands, the replies in order, passive mode and the small commands.
Added here, because it has none of it: AUTH TLS and PROT (RFC 4217), SIZE, MDTM, FEAT, NLST and OPTS (RFC 3659, 2389),
commands one after the other (a pipelined USER must not change who a PASS is for), replies bounded by what the client
reads, a time for logging in, data connections of the client's own address only. No command that writes exists, and
paths are resolved by ``lpr.core.tree`` alone: aioftp's own path layer is never used.

May import ``lpr.core``. asyncio only, as aioftp is.
"""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, TypeAlias, cast

import aioftp
from aioftp.common import Connection, StreamIO
from aioftp.errors import NoAvailablePort

from lpr.actors.ftp_server.listing import facts_line, list_line, stamp, target_of
from lpr.actors.ftp_server.session import CURRENT, Session
from lpr.core import tree
from lpr.core.clock import SECOND, Clock
from lpr.core.shelves import Entry, Opened, Shelves, Unavailable
from lpr.core.visitors import Bandwidth, Visitors

BLOCK = 65_536
"""Bytes read and sent at once."""
DATA_TIMEOUT = 15.0
"""Seconds that a transfer waits for its data connection."""
TLS_HANDSHAKE = 10.0
FAILURES = 3
"""Failed log-ins before the connection is closed."""
LISTED = 256
"""Lines of a listing that are sent at once."""
END = " end"
"""A command that no client can send: its argument is the last reply."""
WRITING = ("stor", "stou", "appe", "dele", "mkd", "rmd", "rnfr", "rnto", "allo", "site")
FEATURES = ("EPSV", "MDTM", "MLST type*;size*;modify*;", "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8")
ENCRYPTION = ("AUTH TLS", "PBSZ", "PROT")

_OFFSET = re.compile("[0-9]{1,15}")

Handler: TypeAlias = Callable[[Connection, str], Awaitable[bool]]
Answer: TypeAlias = Callable[[str, str], None]


class Commands(aioftp.Server):
    """``context``: for TLS, None without. ``plain``: it may also go without. ``implicit``: TLS from the start."""

    def __init__(
        self,
        *,
        shelves: Shelves,
        visitors: Visitors,
        clock: Clock,
        bandwidth: Bandwidth,
        context: ssl.SSLContext | None,
        plain: bool,
        implicit: bool,
        login_timeout: float,
        idle_seconds: float,
        send_timeout: float,
        passive_ports: range | None,
        address: str | None,
    ) -> None:
        super().__init__(
            socket_timeout=send_timeout,
            data_ports=passive_ports,
            ipv4_pasv_forced_response_address=address,
            welcome_message="lpr",
        )
        self.connections = {}
        self.server_port = 0
        self._shelves = shelves
        self._visitors = visitors
        self._clock = clock
        self._bandwidth = bandwidth
        self._context = context
        self._plain = plain
        self._implicit = implicit
        self._login_timeout = login_timeout
        self._idle_seconds = idle_seconds
        self._send_timeout = send_timeout
        self._tasks: set[asyncio.Task[Any]] = set()
        open_to_all: dict[str, Handler] = {
            END: self.end,
            "auth": self.auth,
            "feat": self.feat,
            "noop": self.noop,
            "opts": self.opts,
            "pass": self.pass_,
            "pbsz": self.pbsz,
            "prot": self.prot,
            "quit": self.quit,
            "syst": self.syst,
            "user": self.user,
        }
        for_users: dict[str, Handler] = {
            "abor": self.abor,
            "cdup": self.cdup,
            "cwd": self.cwd,
            "epsv": self.epsv,
            "list": self.list,
            "mdtm": self.mdtm,
            "mlsd": self.mlsd,
            "mlst": self.mlst,
            "nlst": self.nlst,
            "pasv": self.pasv,
            "pwd": self.pwd,
            "rest": self.rest,
            "retr": self.retr,
            "size": self.size,
            "type": self.type,
            **dict.fromkeys(WRITING, self.refuse),
        }
        self.commands_mapping = {
            **{name: self._one_by_one(handler) for name, handler in open_to_all.items()},
            **{name: self._one_by_one(self._for_users(handler)) for name, handler in for_users.items()},
        }

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
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        command, _, rest = text.partition(" ")
        if "\ufffd" in command or not command.isascii() or not command.isalpha():
            self._visitors.offence("malformed command", session.visitor)
            return "?", ""
        return self._busy(session, command.lower(), rest)

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
                    await self._write(session.writer, _reply(*answer))
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

    def _for_users(self, handler: Handler) -> Handler:
        async def run(connection: Connection, rest: str) -> bool:
            if not CURRENT.get().logged_in:
                connection.response("530", "Log in first")
                return True
            return await handler(connection, rest)

        return run

    # --- log-in and encryption -------------------------------------------------------------------------

    async def end(self, connection: Connection, rest: str) -> bool:
        """The connection is over; ``rest`` is the last reply, if any."""
        if rest:
            code, _, text = rest.partition(" ")
            connection.response(code, text)
        return False

    async def auth(self, connection: Connection, rest: str) -> bool:
        session = CURRENT.get()
        if self._context is None or session.encrypted:
            connection.response("503" if session.encrypted else "502", "There is no more encryption to be had")
            return True
        if rest.upper() not in ("TLS", "TLS-C", "SSL"):
            connection.response("504", "AUTH TLS is what there is")
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                early = await session.reader.read(1)
            if early:  # commands that a stranger put before the encryption must not be taken for the client's
                self._visitors.offence("data before TLS", session.visitor)
            return False
        cast("asyncio.Transport", session.writer.transport).pause_reading()  # what comes after the reply is for TLS
        connection.response("234", "Go on with TLS")
        await session.answers.join()
        try:
            await self._encrypt(session)
        except (OSError, EOFError, TimeoutError):
            self._visitors.offence("failed TLS handshake", session.visitor)
            return False
        return True

    async def pbsz(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        secure = CURRENT.get().encrypted
        connection.response("200" if secure else "503", "PBSZ=0" if secure else "AUTH TLS first")
        return True

    async def prot(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        session, level = CURRENT.get(), str(rest).upper()
        if not session.encrypted:
            connection.response("503", "AUTH TLS first")
        elif level == "P" or (level == "C" and self._plain):
            session.protected = level == "P"
            connection.response("200", "As you wish")
        else:
            connection.response("534", "PROT P is needed here")
        return True

    async def user(self, connection: Connection, rest: str) -> bool:
        session = CURRENT.get()
        if session.logged_in:
            connection.response("503", "You are logged in")
        elif not session.encrypted and not self._plain:
            connection.response("530", "AUTH TLS first")
        else:
            session.name = rest
            connection.response("331", "Password?")
        return True

    async def pass_(self, connection: Connection, rest: str) -> bool:
        session = CURRENT.get()
        if session.logged_in or not session.name:
            connection.response("503", "You are logged in" if session.logged_in else "USER first")
            return True
        if await self._visitors.log_in(session.visitor, session.name, rest):
            connection.logged = True
            connection.current_directory = PurePosixPath("/")
            connection.response("230", "Welcome")
            return True
        session.failures += 1
        connection.response("530", "Wrong name or password, or too many attempts")
        return session.failures < FAILURES

    # --- small ones ------------------------------------------------------------------------------------

    async def feat(self, connection: Connection, rest: str) -> bool:
        names = sorted((*FEATURES, *(ENCRYPTION if self._context is not None else ())))
        connection.response("211", ["Features", *names, "End"], True)
        return True

    async def noop(self, connection: Connection, rest: str) -> bool:
        connection.response("200", "Here")
        return True

    async def opts(self, connection: Connection, rest: str) -> bool:
        known = rest.upper().startswith(("UTF8 ON", "UTF-8 ON", "MLST"))
        connection.response("200" if known else "501", "As you wish" if known else "No such option")
        return True

    async def refuse(self, connection: Connection, rest: str) -> bool:
        connection.response("550", "This server is read-only")
        return True

    async def rest(self, connection: Connection, rest: str) -> bool:
        if _OFFSET.fullmatch(rest):
            CURRENT.get().start = int(rest)
            connection.response("350", f"Starting at {int(rest)}")
        else:
            connection.response("501", "A number of bytes is needed")
        return True

    async def epsv(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        session = CURRENT.get()
        if str(rest).upper() == "ALL":
            connection.response("200", "As you wish")
            return True
        family = "2" if ":" in session.visitor.address else "1"
        if str(rest) not in ("", family):
            connection.response("522", f"({family})")
            return True
        return await super().epsv(connection, "")

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

    # --- the tree --------------------------------------------------------------------------------------

    def _path(self, connection: Connection, rest: str) -> str:
        return tree.absolute(rest, str(connection.current_directory)) if rest else str(connection.current_directory)

    async def _entry(self, connection: Connection, rest: str) -> tuple[tree.Node, Entry] | None:
        """The node of a path and its entry; None, and the client is told, when there is none. Raises Unavailable."""
        node = tree.resolve(rest, str(connection.current_directory))
        entry = None if node is None else await self._shelves.find(node)
        if node is None or entry is None:
            connection.response("550", "There is no such file or folder")
            return None
        return node, entry

    async def cwd(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        found = await self._entry(connection, str(rest))
        if found is not None:
            if found[1].folder:
                connection.current_directory = PurePosixPath(tree.path_of(found[0]))
            connection.response("250" if found[1].folder else "550", "As you wish" if found[1].folder else "A file")
        return True

    async def cdup(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        return await self.cwd(connection, "..")

    async def size(self, connection: Connection, rest: str) -> bool:
        found = await self._entry(connection, rest)
        if found is not None:
            connection.response(
                "550" if found[1].folder else "213", "A folder" if found[1].folder else str(found[1].size)
            )
        return True

    async def mdtm(self, connection: Connection, rest: str) -> bool:
        found = await self._entry(connection, rest)
        if found is not None:
            connection.response("213", stamp(found[1].modified))
        return True

    async def mlst(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        found = await self._entry(connection, str(rest))
        if found is not None:
            line = facts_line(found[1]._replace(name=tree.path_of(found[0])))
            connection.response("250", ["Facts", line, "End"], True)
        return True

    async def list(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        now = self._clock.wall()
        return await self._list(connection, target_of(str(rest)), lambda entry: list_line(entry, now))

    async def nlst(self, connection: Connection, rest: str) -> bool:
        return await self._list(connection, target_of(rest), lambda entry: entry.name)

    async def mlsd(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        return await self._list(connection, str(rest), facts_line, folders_only=True)

    async def _list(
        self, connection: Connection, rest: str, line: Callable[[Entry], str], *, folders_only: bool = False
    ) -> bool:
        found = await self._entry(connection, rest)
        if found is None or not self._may_send(connection):
            return True
        node, entry = found
        if folders_only and not entry.folder:
            connection.response("501", "MLSD is for folders")
            return True
        return self._start(connection, self._lines(node, entry, line))

    async def _lines(self, node: tree.Node, entry: Entry, line: Callable[[Entry], str]) -> AsyncGenerator[bytes, None]:
        if isinstance(node, tree.Image | tree.Report):
            yield (line(entry) + "\r\n").encode()
            return
        waiting: list[str] = []
        async for one in self._shelves.list(node):
            waiting.append(line(one) + "\r\n")
            if len(waiting) == LISTED:
                yield "".join(waiting).encode()
                waiting.clear()
        yield "".join(waiting).encode()

    async def retr(self, connection: Connection, rest: str | PurePosixPath) -> bool:
        session = CURRENT.get()
        start, session.start = session.start, 0
        found = await self._entry(connection, str(rest))
        if found is None:
            return True
        node, _ = found
        if not isinstance(node, tree.Image | tree.Report):
            connection.response("550", "A folder")
            return True
        if not self._may_send(connection):
            return True
        file = await self._shelves.open(node)
        if file is None:
            connection.response("550", "There is no such file")
            return True
        return self._start(connection, _blocks(file, start), path=tree.path_of(node))

    # --- data connections ------------------------------------------------------------------------------

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


def _reply(code: str, text: str | list[str] = "", block: bool = False) -> bytes:
    """A reply's bytes. ``block``: the lines between the first and the last stand without the code (RFC 959, 4.2)."""
    lines = [text] if isinstance(text, str) else text
    between = [f" {line}" if block else f"{code}-{line}" for line in lines[1:-1]]
    first = [f"{code}-{lines[0]}"] if len(lines) > 1 else []
    return "".join(f"{line}\r\n" for line in (*first, *between, f"{code} {lines[-1]}")).encode("utf-8", "replace")


async def _blocks(file: Opened, start: int) -> AsyncGenerator[bytes, None]:
    try:
        while block := await file.read(start, BLOCK):
            start += len(block)
            yield block
    finally:
        await file.close()
