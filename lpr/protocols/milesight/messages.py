"""Messages of Milesight's TCP type: log-in, its reply, a recognition with its pictures, and the registration.

COMM_LOGIN_REQ (0x0001) carries JSON ``{"id", "password"}``, COMM_LOGIN_REPLY (0x8001) ``{"result"}`` with an HTTP
status as a string. COMM_RECOG_POST (0x8801) is a row of chunks: 4 bytes of id, u32 LE of size without this header,
content. Later firmwares send JSON with ``registerAll`` after the log-in under a command that no manual names: it is
known by its content. Sources and certainty: docs/protocols/milesight.md.

May import ``msgspec`` and the standard library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from lpr.protocols.milesight.framing import (
    LOGIN_REPLY,
    LOGIN_REQUEST,
    RECOGNITION,
    Frame,
    ProtocolError,
    encode_frame,
)
from lpr.protocols.milesight.metadata import Metadata, Revision, decode_metadata, encode_metadata

META_CHUNK = b"\x11\xff\x00\x00"
IMAGE_CHUNK = b"\x22\xff\x00\x00"
_CHUNK = struct.Struct("<4sI")


class LoginRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The client's name and password (COMM_LOGIN_REQ)."""

    user: str = msgspec.field(name="id")
    password: str

    def __repr__(self) -> str:
        return f"LoginRequest(user={self.user!r}, password=…)"


@dataclass(frozen=True, slots=True)
class BadLogin:
    """A log-in whose frame is whole but whose content is not JSON with an id and a password. ``problem`` says why."""

    problem: str


class LoginReply(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer (COMM_LOGIN_REPLY). ``result``: HTTP status as text: "200", "401", "400"."""

    result: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """One recognition (COMM_RECOG_POST). ``images``: JPEGs in the order sent; ``others``: chunks of unknown ids."""

    metadata: Metadata
    images: tuple[bytes, ...] = ()
    others: tuple[tuple[bytes, bytes], ...] = ()


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """Later firmwares: which messages the client wants. ``everything``: ``registerAll``; the rest is by name.

    ``features``: the wire's names of what it wants ("vehiclecount", "lprparking", …), in order, at most
    ``MAX_FEATURES``.
    """

    everything: bool
    vehicle_count: bool = False
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A whole frame that asks for nothing this end knows. ``size``: its data, bytes."""

    command: int
    size: int


FromClient: TypeAlias = LoginRequest | BadLogin | Registration | Ignored
FromServer: TypeAlias = LoginReply | Recognition | Ignored


REGISTER_ALL = "registerAll"
VEHICLE_COUNT = "vehiclecount"
MAX_FEATURES = 32
"""Features of one registration that are kept."""
MAX_FEATURE = 64
"""Characters of a feature's name that are kept."""
_login = msgspec.json.Decoder(LoginRequest)
_reply = msgspec.json.Decoder(LoginReply)
_registration = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode_json = msgspec.json.Encoder().encode
_BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BOM = b"\xef\xbb\xbf"


def _json(data: bytes) -> bytes:
    """The JSON of a frame's data: some clients put a byte order mark before it or NULs or line ends behind it."""
    return data.removeprefix(_BOM).rstrip(b"\0\r\n ")


def encode_login_request(user: str, password: str) -> bytes:
    """One frame: COMM_LOGIN_REQ."""
    return encode_frame(LOGIN_REQUEST, _encode_json({"id": user, "password": password}))


def encode_login_reply(result: str) -> bytes:
    """One frame: COMM_LOGIN_REPLY. ``result``: an HTTP status as text."""
    return encode_frame(LOGIN_REPLY, _encode_json({"result": result}))


def encode_registration(everything: bool = True, vehicle_count: bool = False) -> bytes:
    """One frame with the registration of later firmwares. Its command is unknown; the log-in's is used."""
    body: dict[str, int] = {REGISTER_ALL: 1} if everything else {REGISTER_ALL: 0, VEHICLE_COUNT: int(vehicle_count)}
    return encode_frame(LOGIN_REQUEST, _encode_json(body))


def encode_recognition(metadata: Metadata, images: tuple[bytes, ...], revision: Revision) -> bytes:
    """One frame: COMM_RECOG_POST. ``metadata.images`` is set to the number of ``images``.

    Raises ValueError when a value does not fit its field or there are more than 255 images.
    """
    if len(images) > 255:
        raise ValueError(f"{len(images)} images, at most 255 can be announced")
    meta = encode_metadata(msgspec.structs.replace(metadata, images=len(images)), revision)
    parts = [_CHUNK.pack(META_CHUNK, len(meta)), meta]
    for image in images:
        parts += (_CHUNK.pack(IMAGE_CHUNK, len(image)), image)
    return encode_frame(RECOGNITION, *parts)


def decode_login_request(data: bytes) -> LoginRequest | BadLogin:
    """Whatever the bytes are, this gives one of the two and never raises. Unknown keys are passed over."""
    try:
        return _login.decode(_json(data))
    except _BAD_JSON as error:
        return BadLogin(f"a log-in is JSON with text for id and password ({_short(error)})")


def decode_login_reply(data: bytes) -> LoginReply:
    """Raises ProtocolError "bad json"."""
    try:
        return _reply.decode(_json(data))
    except _BAD_JSON as error:
        raise ProtocolError("bad json", f"a reply is JSON with text for result ({_short(error)})") from None


def decode_registration(data: bytes) -> Registration | None:
    """A registration, or None when the data are anything else."""
    try:
        found = _registration.decode(_json(data))
    except _BAD_JSON:
        return None
    wanted = {name: _is_on(value) for name, value in found.items()}
    everything = wanted.pop(REGISTER_ALL, None)
    if everything is None:
        return None
    features = tuple(name[:MAX_FEATURE] for name, on in wanted.items() if on)[:MAX_FEATURES]
    return Registration(everything=everything, vehicle_count=VEHICLE_COUNT in features, features=features)


def _is_on(value: msgspec.Raw) -> bool | None:
    """1 or true, as text, too; None when it is no switch."""
    text = bytes(value).strip(b'"').lower()
    if text in (b"true", b"false"):
        return text == b"true"
    return text != b"0" if text.isdigit() else None


def decode_recognition(data: bytes) -> Recognition:
    """Chunks in any order; the metadata exactly once. Raises ProtocolError "bad chunk" or "bad metadata"."""
    metadata: Metadata | None = None
    images: list[bytes] = []
    others: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        if len(data) - at < _CHUNK.size:
            raise ProtocolError("bad chunk", f"{len(data) - at} bytes are no chunk header, which has {_CHUNK.size}")
        kind, size = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if size > len(data) - at:
            raise ProtocolError("bad chunk", f"a chunk of {size} bytes announced, {len(data) - at} are there")
        content = data[at : at + size]
        at += size
        if kind == META_CHUNK:
            if metadata is not None:
                raise ProtocolError("bad chunk", "the metadata chunk came twice")
            metadata = decode_metadata(content)
        elif kind == IMAGE_CHUNK:
            images.append(content)
        else:
            others.append((kind, content))
    if metadata is None:
        raise ProtocolError("bad chunk", "the metadata chunk is missing")
    return Recognition(metadata, tuple(images), tuple(others))


def decode_at_server(frame: Frame) -> FromClient:
    """What a client's frame means. Never raises."""
    login = decode_login_request(frame.data) if frame.command == LOGIN_REQUEST else None
    if isinstance(login, LoginRequest):
        return login
    registration = decode_registration(frame.data)
    if registration is not None:
        return registration
    if login is not None:
        return login
    return Ignored(frame.command, len(frame.data))


def decode_at_client(frame: Frame) -> FromServer:
    """What a server's frame means. Raises ProtocolError when a reply or a recognition is broken."""
    if frame.command == LOGIN_REPLY:
        return decode_login_reply(frame.data)
    if frame.command == RECOGNITION:
        return decode_recognition(frame.data)
    return Ignored(frame.command, len(frame.data))


def _short(error: Exception) -> str:
    """An error's text for a log line, without what the peer sent beyond msgspec's own words."""
    return str(error)[:120]
