"""The FTP server: pictures and records to read, for NVRs and scripts. See ``server``."""

from lpr.actors.ftp_server.server import FtpServer

__all__ = ["FtpServer"]
