"""The servers from which pictures and records are fetched: FTP, FTPS, SFTP."""

from __future__ import annotations

from collections.abc import Sequence

from lpr.actors.ftp_server import FtpServer
from lpr.actors.sftp_server import SftpServer
from lpr.actors.signer import offset_minutes
from lpr.core.shelves import Shelves
from lpr.wiring.tools import Tools


def file_servers(tools: Tools) -> Sequence[FtpServer | SftpServer]:
    """The servers from which pictures and records are fetched."""
    config, clock = tools.config, tools.clock
    if config.ftp is None and config.sftp is None:
        return ()
    offset = offset_minutes(config.sign.utc_offset)
    shelves = Shelves(tools.folder.catalogue, tools.blobs, utc_offset=offset)
    servers: list[FtpServer | SftpServer] = []
    if config.ftp is not None:
        servers.append(FtpServer(config.ftp, shelves=shelves, logins=tools.logins, clock=clock))
    if config.sftp is not None:
        sftp = SftpServer(
            config.sftp,
            shelves=shelves,
            logins=tools.logins,
            accounts=tools.accounts,
            keys_folder=tools.folder.root / "keys",
            clock=clock,
        )
        servers.append(sftp)
    return servers
