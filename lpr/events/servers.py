"""Protocol servers: who listens, which clients came and what they got, what they changed, and abuse.

Imports ``base``.
"""

from __future__ import annotations

from lpr.events.base import Event, Value


class ServerListening(Event, frozen=True, kw_only=True):
    """A server accepts connections at ``address`` (host:port)."""

    server: str
    address: str


class ClientJoined(Event, frozen=True, kw_only=True):
    """A client logged in. ``client``: its identity for resuming (``<user>@<address>``)."""

    server: str
    client: str
    resumes_after: int


class ClientServed(Event, frozen=True, kw_only=True):
    """Everything up to record ``upto`` was written to the client's connection (bounded rate)."""

    server: str
    client: str
    upto: int


class ClientLeft(Event, frozen=True, kw_only=True):
    """A connection ended. ``reason``: "closed by client", "too slow", "protocol error: ...", "stopped".

    ``sent``: passages or answers; ``ignored``: messages of the client that mean nothing to this server.
    """

    server: str
    client: str
    reason: str
    sent: int
    ignored: int = 0


class FileTransferred(Event, frozen=True, kw_only=True):
    """Audit trail: a file was transferred at a file server (FTP, SFTP).

    ``path``: absolute in the tree that clients see; ``direction``: "out" (to the client); ``bytes``: handed to the
    connection; ``outcome``: "done", "aborted" (by the client, or it read a part only) or what went wrong.
    """

    server: str
    user: str
    remote: str
    path: str
    direction: str
    bytes: int
    outcome: str


class OnvifStream(Value, frozen=True, kw_only=True):
    """How a stream is encoded by a client's wish. ``base``: a digest of the configuration that was changed: with
    another one in the file, the wish counts no more. ``width``, ``height``: pixels; ``rate``: frames a second;
    ``bitrate``: kbit/s; ``quality``: 1 to 100; ``key_frames``: frames between two key frames."""

    stream: str
    base: str
    width: int
    height: int
    rate: float
    bitrate: int
    quality: int
    key_frames: int


class OnvifChanged(Event, frozen=True, kw_only=True):
    """A client changed by ONVIF what the device says of itself, or how streams are encoded. ``scopes``: those besides
    the configured ones; ``discoverable``: whether WS-Discovery answers; ``streams``: those that differ from the
    configuration; ``user``: who did it. All of it as it is from now on."""

    scopes: tuple[str, ...]
    discoverable: bool
    user: str
    streams: tuple[OnvifStream, ...] = ()


class AbuseSeen(Event, frozen=True, kw_only=True):
    """Hostile or broken input at a server, summed over ``window_s`` seconds so that the rate is bounded.

    ``counts``: kind of offence -> number; ``remotes``: at most eight addresses.
    """

    server: str
    window_s: float
    counts: dict[str, int]
    remotes: tuple[str, ...]


EVENTS: tuple[type[Event], ...] = (
    ServerListening,
    ClientJoined,
    ClientServed,
    ClientLeft,
    FileTransferred,
    OnvifChanged,
    AbuseSeen,
)
