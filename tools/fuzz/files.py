"""Paths of file clients, Pumatronix's parameters and tokens, Authorization fields: what they make of any bytes.

May import ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from lpr.core.tree import path_of, resolve
from lpr.protocols.http_auth.challenge import Challenger, parse
from lpr.protocols.pumatronix.cgi import CgiError, snapshot_of
from lpr.protocols.pumatronix.tokens import check

PATHS = (b"/pictures/2026-11-21/15/150000_ABC1D23_42.jpg", b"../../etc/passwd", b"/records/2026-11-21.csv")
PARAMETERS = (b"n=3&q=80", b"m=1&s=2&g=5")
FIELDS = (b'Digest username="a", realm="lpr", nonce="1-0", uri="/", response="0", qop=auth, nc=00000001, cnonce="c"',)
_CHALLENGER = Challenger("lpr", b"secret", methods=("digest-sha256", "digest-md5", "basic"))


def paths(data: bytes) -> None:
    """A path that is one of the tree's leads back to itself; every other is none."""
    node = resolve(data.decode("utf-8", "surrogateescape"))
    if node is not None and resolve(path_of(node)) != node:
        raise AssertionError(f"{data!r} leads to another place than its own name")


def parameters(data: bytes) -> None:
    """A snapshot's parameters, and a token."""
    text = data.decode("latin-1")
    if check(b"secret", text) is not None:
        raise AssertionError("a token without the secret is taken")
    try:
        snapshot_of(parse_qsl(text, keep_blank_values=True))
    except CgiError:
        return


def fields(data: bytes) -> None:
    """An Authorization field: nobody is let in without the password."""
    text = data.decode("latin-1")
    parse(text)
    if _CHALLENGER.check(text, "GET", "/", lambda name: None, 0).user is not None:
        raise AssertionError("somebody is let in")
