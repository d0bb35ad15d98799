"""A device's HTTP server on a free port of loopback, over a log in a temporary folder, for the tests of its parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import anyio

from lpr.actors.device_http import DeviceHttp, Part
from lpr.config import DeviceHttp as Settings
from lpr.core.accounts import Account, Accounts, Level, Logins
from lpr.core.actor import run_source
from lpr.core.clock import Clock, SystemClock
from lpr.core.log import EventLog
from lpr.protocols.http_auth import Authenticator

ACCOUNTS = Accounts(
    [
        Account("viewer", "user", "viewer-secret"),
        Account("nvr", "operator", "nvr-secret"),
        Account("boss", "administrator", "boss-secret"),
    ]
)


class Users:
    """People's users: one administrator, maria."""

    async def check(self, name: str, password: str) -> Level | None:
        return "administrator" if (name, password) == ("maria", "correct horse battery") else None


@dataclass
class Rig:
    """``url``: of the server, with a slash at its end."""

    url: str
    log: EventLog
    server: DeviceHttp
    session: aiohttp.ClientSession

    async def call(
        self,
        path: str,
        account: str | None = "nvr",
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        ask: str | None = None,
    ) -> tuple[int, bytes, aiohttp.ClientResponse]:
        """A call with Digest. ``ask``: where the challenge comes from, if not from there. (status, body, response)."""
        given = dict(headers or {})
        url = self.url + path.lstrip("/")
        if account is not None:
            asking = Authenticator(account, ACCOUNTS.password_of(account) or "?")
            asked = url if ask is None else self.url + ask.lstrip("/")
            async with self.session.request(method, asked, data=body, headers=given) as first:
                asking.challenged(first.headers.getall("WWW-Authenticate", []))
            answer = asking.answer(method, "/" + path.lstrip("/"), "abc")
            if answer is not None:
                given["Authorization"] = answer
        async with self.session.request(method, url, data=body, headers=given) as response:
            return response.status, await response.read(), response


@asynccontextmanager
async def serving(
    folder: Path,
    parts: Sequence[Part],
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    log: EventLog | None = None,
    logins: Logins | None = None,
) -> AsyncGenerator[Rig, None]:
    """``settings``: port 0 of loopback where not given."""
    clock = clock or SystemClock()
    if log is None:
        async with (
            EventLog.open(folder / "events.db", clock) as opened,
            serving(folder, parts, settings, clock=clock, log=opened, logins=logins) as rig,
        ):
            yield rig
        return
    server = DeviceHttp(
        settings or Settings(port=0), parts, accounts=ACCOUNTS, logins=logins or Users(), log=log, clock=clock
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_source, server, log)
        with anyio.fail_after(20):
            await server.listening.wait()
        assert server.place is not None
        try:
            async with aiohttp.ClientSession() as session:
                yield Rig(server.place.url, log, server, session)
        finally:
            tasks.cancel_scope.cancel()
