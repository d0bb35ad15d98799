"""The SFTP server: pictures and records to read, for NVRs and scripts. See ``server``."""

from lpr.actors.sftp_server.server import SftpServer

__all__ = ["SftpServer"]
