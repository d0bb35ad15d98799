"""The form of a row of the table of protocols. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["server", "client", "both", "format"]


@dataclass(frozen=True, slots=True)
class Proof:
    """``client``: a program that we did not write (with what of it was tried); ``test``: where, as
    ``tests/e2e/test_x.py::test_name``, relative to the project."""

    client: str
    test: str


@dataclass(frozen=True, slots=True)
class ProtocolFact:
    """One way in or out.

    ``name``; ``role``: what we are in it. ``section``: of the configuration ("rtsp", "device_http"), "" for commands
    and formats; ``port``: the field of that section that has the port, "" for none; ``transport``: "TCP", "UDP", ...
    ``authentication``, ``encryption``: in words. ``source``: the specification. ``page``: of docs/protocols, "" for
    none. ``verified``: with which clients that are not ours; ``unverified``: what was not, in words; one of the two
    says something.
    """

    name: str
    role: Role
    section: str
    port: str
    transport: str
    authentication: str
    encryption: str
    source: str
    page: str
    verified: tuple[Proof, ...]
    unverified: tuple[str, ...]
