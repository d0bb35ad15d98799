"""FTP's commands: who comes in, encryption, and the tree that is served.

Added to what aioftp has: AUTH TLS and PROT (RFC 4217), SIZE, MDTM, FEAT, NLST and OPTS (RFC 3659, 2389). No command
that writes exists, and paths are resolved by ``lpr.core.tree`` alone: aioftp's own path layer is never used.

May import ``lpr.config`` and ``lpr.core``. asyncio only, as aioftp is.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import cast

from aioftp.common import Connection

from lpr.actors.ftp_server.link import END, Handler, Link
from lpr.actors.ftp_server.listing import facts_line, list_line, stamp, target_of
from lpr.actors.ftp_server.session import CURRENT
from lpr.config import FtpServer as Settings
from lpr.core import tree
from lpr.core.clock import Clock
from lpr.core.shelves import Entry, Opened, Shelves
from lpr.core.visitors import Bandwidth, Visitors

BLOCK = 65_536
"""Bytes read and sent at once."""
FAILURES = 3
"""Failed log-ins before the connection is closed."""
LISTED = 256
"""Lines of a listing that are sent at once."""
WRITING = ("stor", "stou", "appe", "dele", "mkd", "rmd", "rnfr", "rnto", "allo", "site")
FEATURES = ("EPSV", "MDTM", "MLST type*;size*;modify*;", "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8")
ENCRYPTION = ("AUTH TLS", "PBSZ", "PROT")

_OFFSET = re.compile("[0-9]{1,15}")


class Commands(Link):
    """``shelves``: what is served."""

    def __init__(
        self,
        settings: Settings,
        *,
        shelves: Shelves,
        visitors: Visitors,
        clock: Clock,
        bandwidth: Bandwidth,
        context: ssl.SSLContext | None,
    ) -> None:
        super().__init__(settings, visitors=visitors, clock=clock, bandwidth=bandwidth, context=context)
        self._shelves = shelves
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

    def _for_users(self, handler: Handler) -> Handler:
        async def run(connection: Connection, rest: str) -> bool:
            if not CURRENT.get().logged_in:
                connection.response("530", "Log in first")
                return True
            return await handler(connection, rest)

        return run

    # --- log-in and encryption -------------------------------------------------------------------------

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

    # --- the tree --------------------------------------------------------------------------------------

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


async def _blocks(file: Opened, start: int) -> AsyncGenerator[bytes, None]:
    try:
        while block := await file.read(start, BLOCK):
            start += len(block)
            yield block
    finally:
        await file.close()
