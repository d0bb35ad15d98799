"""The file servers that NVRs and scripts fetch pictures and records from: FTP, FTPS and SFTP. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Count, Port, Positive, Section, Tls


class FtpServer(Section, frozen=True, kw_only=True):
    """The FTP server: read-only. With ``tls`` clients must encrypt (AUTH TLS, or from the first byte with
    ``implicit``); without encryption it serves only where ``plain`` says so.

    ``passive_ports``: first and last port of the data connections, for firewalls; none: any free port. ``address``: the
    IPv4 address that clients are told for them, when it is not that of the machine (NAT). ``level``: the least account
    that may log in. ``bandwidth``: bytes a second for all clients together, 0: no limit.
    """

    host: str = "127.0.0.1"
    port: Port = 2121
    tls: Tls | None = None
    implicit: Annotated[bool, Meta(description="TLS from the first byte (port 990 by custom); needs tls")] = False
    plain: Annotated[bool, Meta(description="also without encryption: passwords cross the network readable")] = False
    passive_ports: tuple[Annotated[int, Meta(ge=1024, le=65535)], Annotated[int, Meta(ge=1024, le=65535)]] | None = None
    address: Annotated[str, Meta(pattern=r"^\d{1,3}(\.\d{1,3}){3}$")] | None = None
    level: Literal["user", "operator", "administrator"] = "user"
    max_clients: Count = 64
    max_clients_per_address: Count = 16
    login_timeout: Positive = 30.0
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 10
    idle_timeout: Annotated[float, Meta(gt=0, description="seconds without a command or a transfer")] = 300.0
    send_timeout: Annotated[float, Meta(gt=0, description="a client that takes nothing for so long is dropped")] = 30.0
    bandwidth: Annotated[int, Meta(ge=0)] = 0


class SftpKey(Section, frozen=True, kw_only=True):
    """A key with which a machine's account may log in without a password. ``public_key_file``: an OpenSSH public key,
    or several, one a line, as in ``authorized_keys`` (without options)."""

    account: str
    public_key_file: str


class SftpServer(Section, frozen=True, kw_only=True):
    """The SFTP server: read-only, no shell, no forwarding. Its host keys are made at the first start.

    ``keys``: for machines' accounts; everybody may use a password. ``level``: the least account that may log in.
    ``bandwidth``: bytes a second for all clients together, 0: no limit.
    """

    host: str = "127.0.0.1"
    port: Port = 2022
    keys: Annotated[tuple[SftpKey, ...], Meta(max_length=64)] = ()
    level: Literal["user", "operator", "administrator"] = "user"
    max_clients: Count = 64
    max_clients_per_address: Count = 16
    login_timeout: Positive = 30.0
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 10
    idle_timeout: Annotated[float, Meta(gt=0, description="seconds without a request")] = 300.0
    send_timeout: Annotated[float, Meta(gt=0, description="a client that takes nothing for so long is dropped")] = 30.0
    max_open: Annotated[int, Meta(ge=1, description="files and folders open at once a connection")] = 64
    bandwidth: Annotated[int, Meta(ge=0)] = 0
