"""FTP's lines as bytes: a command as a client sends it, a reply as it goes out.

Source: RFC 959, 4 and 5.3 (commands, replies, Telnet's signs before ABOR), RFC 2640 (UTF-8). Pure; imports nothing of
ours.
"""

from __future__ import annotations

import re

_TELNET = re.compile(rb"(?:\xff[\xf1-\xf9]?)+")
"""Signs of Telnet that clients put before ABOR (IAC IP, IAC DM); of the last the second byte may have gone ahead as
urgent data."""


def command_of(line: bytes) -> tuple[str, str] | None:
    """(command in lower case, argument) of a line with or without its end; None for what is no command.

    Bytes of an argument that are no UTF-8 become U+FFFD, which no name has.
    """
    telnet = _TELNET.match(line)
    text = line[0 if telnet is None else telnet.end() :].decode("utf-8", "replace").rstrip("\r\n")
    command, _, rest = text.partition(" ")
    if not command.isascii() or not command.isalpha():
        return None
    return command.lower(), rest


def reply_of(code: str, text: str | list[str] = "", block: bool = False) -> bytes:
    """A reply's bytes. ``block``: the lines between the first and the last stand without the code (RFC 959, 4.2)."""
    lines = [text] if isinstance(text, str) else text
    between = [f" {line}" if block else f"{code}-{line}" for line in lines[1:-1]]
    first = [f"{code}-{lines[0]}"] if len(lines) > 1 else []
    return "".join(f"{line}\r\n" for line in (*first, *between, f"{code} {lines[-1]}")).encode("utf-8", "replace")
