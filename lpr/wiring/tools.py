"""What the wiring of every protocol is given: log, pictures, cameras, who may log in, where passwords lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lpr.config import Config
from lpr.core.accounts import Account, Accounts, Level, LoginsBusy
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.shutter import Shutter
from lpr.folder import DataFolder
from lpr.preparing import StartError, read_secret, write_secret
from lpr.web.users import UserError, UserStore, one_time_password

NVR_ACCOUNT = "nvr"
"""The machines' account when none is configured."""


@dataclass(frozen=True)
class Tools:
    """What every server may need. ``secret``: the password in a file, or one made at the first start under a name."""

    config: Config
    log: EventLog
    blobs: BlobStore
    clock: Clock
    folder: DataFolder
    views: Mapping[str, LiveView]
    shutters: Mapping[str, Shutter]
    accounts: Accounts
    logins: EveryLogin
    secret: Callable[[str, str | None], str]


class EveryLogin:
    """Machines' accounts first, then people's users (``lpr.core.accounts.Logins``)."""

    def __init__(self, accounts: Accounts, users: UserStore) -> None:
        self._accounts = accounts
        self._users = users

    async def check(self, name: str, password: str) -> Level | None:
        """The level when the password is right. A temporary password opens nothing. Raises LoginsBusy."""
        level = self._accounts.check(name, password)
        if level is not None or self._accounts.find(name) is not None:
            return level
        try:
            user = await self._users.check(name, password)
        except UserError as error:
            raise LoginsBusy(str(error)) from None
        return None if user is None or user.temporary else user.role


def secrets_of(folder: DataFolder, clock: Clock) -> Callable[[str, str | None], str]:
    """A function (name, file) -> password: the file's, or one made at the first start and kept in the data folder."""

    def secret(name: str, file: str | None) -> str:
        if file is not None:
            return read_secret(file)
        path = folder.secret(name)
        if not path.exists():
            write_secret(path, one_time_password(clock.random_bytes(32)))
        return read_secret(str(path))

    return secret


def accounts_of(config: Config, secret: Callable[[str, str | None], str]) -> Accounts:
    """The machines' accounts; with none configured, one whose password is made. Raises StartError."""
    if not config.accounts and all(one is None for one in (config.device_http, config.rtsp, config.ftp, config.sftp)):
        return Accounts(())
    if not config.accounts:
        return Accounts([Account(NVR_ACCOUNT, "operator", secret(NVR_ACCOUNT, None))])
    found = [Account(one.name, one.level, read_secret(one.password_file)) for one in config.accounts]
    for account in found:
        if len(account.password) < SHORTEST_PASSWORD:
            raise StartError(
                f"accounts: the password of {account.name} has {len(account.password)} characters, at least"
                f" {SHORTEST_PASSWORD} are needed"
            )
    return Accounts(found)


SHORTEST_PASSWORD = 8
"""Characters of a machine's password."""


def lane_numbers(config: Config) -> dict[str, int]:
    return {camera.name: camera.lane_number for camera in config.cameras}
