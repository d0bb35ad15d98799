"""FTP's lines as bytes: commands as clients send them, replies as clients read them."""

from __future__ import annotations

import ftplib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.ftp_server.lines import command_of, reply_of


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"NOOP\r\n", ("noop", "")),
        (b"noop\n", ("noop", "")),
        (b"NOOP", ("noop", "")),
        (b"CWD  a b \r\n", ("cwd", " a b ")),
        ("RETR /é.jpg\r\n".encode(), ("retr", "/é.jpg")),
        (b"RETR \xe9.jpg\r\n", ("retr", "\ufffd.jpg")),
        (b"PASS a\rb\r\n", ("pass", "a\rb")),
        (b"\xff\xf4\xff\xf2ABOR\r\n", ("abor", "")),
        (b"\xff\xf4\xffABOR\r\n", ("abor", "")),
        (b"\xf2ABOR\r\n", None),
        (b"\xff\xf4\xff\xf2\r\n", None),
        ("NOOPÉ\r\n".encode(), None),
        (b"NO-OP\r\n", None),
        (b" NOOP\r\n", None),
        (b"12\r\n", None),
        (b"\r\n", None),
        (b"", None),
    ],
)
def test_commands(line: bytes, wanted: tuple[str, str] | None) -> None:
    assert command_of(line) == wanted


@given(st.binary())
def test_any_bytes_are_a_command_or_none(line: bytes) -> None:
    found = command_of(line)
    assert found is None or (found[0].isascii() and found[0].isalpha() and found[0] == found[0].lower())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("200", "Here"), b"200 Here\r\n"),
        (("200", ""), b"200 \r\n"),
        (("229", ["one"]), b"229 one\r\n"),
        (("214", ["a", "b", "c"]), b"214-a\r\n214-b\r\n214 c\r\n"),
        (("211", ["a", "b", "c"], True), b"211-a\r\n b\r\n211 c\r\n"),
        (("550", "\udcff"), b"550 ?\r\n"),
    ],
)
def test_replies(given: tuple[str, str], wanted: bytes) -> None:
    assert reply_of(*given) == wanted


@given(st.lists(st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=20), min_size=1), st.booleans())
def test_pythons_client_reads_replies(lines: list[str], block: bool) -> None:
    client = ftplib.FTP()
    client.file = io.TextIOWrapper(io.BytesIO(reply_of("211", lines, block)), encoding="utf-8")
    assert len(client.getmultiline().split("\n")) == len(lines)
    assert client.file.read() == ""
