"""The envelope round an event, and the codec between events and their stored form.

A record is what the log keeps: the event's body as JSON with its type and version beside it, who wrote it, which
record caused it, when, and the hash that chains it to the record before. Types and versions that this release
doesn't know are kept and shown as ``UnknownEvent``, never lost. May import ``lpr.events`` only.

Ids are UUIDs of version 8 (RFC 9562, section 5.8): 48 bits of wall time in ms, 26 bits that tell one log from
another, 48 bits of sequence number. They are derived, not stored: the same record always has the same id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from lpr.core.errors import RecordError
from lpr.core.upcast import UPCASTERS, Steps, upcast
from lpr.core.view import View, event_of
from lpr.events import EVENTS, Event, Micros

MAX_BODY = 16 * 1024 * 1024
"""The largest body of an event, in bytes. Pictures don't belong into events."""

_BUFFER = 4096
"""Bytes that an encoder begins with; it grows with the events."""

_SEQ_BITS = 48
_SEQ_MASK = (1 << _SEQ_BITS) - 1
_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VERSION_NIBBLE = 8
_VARIANT = 0b10


class UnknownEvent(Event, frozen=True, kw_only=True):
    """An event of a type or version that this release doesn't know. ``body``: its JSON, untouched."""

    type: str
    of_version: int
    body: msgspec.Raw


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """An event on its way into the log. A struct, because many are made: a NamedTuple takes four times as long.

    ``text``: the body once more, as SQLite takes it.
    """

    type: str
    version: int
    body: bytes
    text: str


Decode: TypeAlias = Callable[[bytes], Event]


def unknown(type_name: str, version: int, body: bytes) -> UnknownEvent:
    """What this release shows of a type or version that it doesn't know."""
    return UnknownEvent(type=type_name, of_version=version, body=msgspec.Raw(body))


def _misfit(type_name: str, version: int, error: Exception) -> str:
    return f"{type_name} version {version} doesn't fit its body: {error}"


def misfit(seq: int, type_name: str, version: int, error: Exception) -> RecordError:
    """The error of the record ``seq``, whose body doesn't fit its type and version."""
    return RecordError(f"record {seq}: {_misfit(type_name, version, error)}; `lpr verify` tells whether it was altered")


class Codec:
    """Events to stored form and back. Has a decoder for each type and version, made once."""

    def __init__(self, events: Iterable[type[Event]], upcasters: Steps = UPCASTERS) -> None:
        self._decoders: dict[tuple[str, int], Decode] = {}
        self._known: set[type[Event]] = set()
        self._upcasters = upcasters
        encoder = msgspec.json.Encoder()
        self._encode, self._encode_into = encoder.encode, encoder.encode_into
        for event in events:
            self._known.add(event)
            self._decoders |= self._decoders_of(event)

    def _decoders_of(self, kind: type[Event]) -> dict[tuple[str, int], Decode]:
        """One for each version of an event, or of the event that ``kind`` is a view of."""
        event = event_of(kind)
        made: dict[tuple[str, int], Decode] = {}
        made[event.__name__, event.version] = msgspec.json.Decoder(kind).decode
        for version in range(1, event.version):
            made[event.__name__, version] = _upcasting(event, version, self._upcasters, kind)
        return made

    def decoders(self, kinds: Iterable[type[Event]]) -> dict[tuple[str, int], Decode]:
        """Bodies to events or views, by type name and version. A decoder raises msgspec.MsgspecError or LookupError.

        Raises ValueError for an event that is not in the vocabulary, and for two views of the same event.
        """
        made: dict[tuple[str, int], Decode] = {}
        for kind in kinds:
            event = event_of(kind)
            if event not in self._known:
                raise _unknown(event)
            if (event.__name__, event.version) in made:
                raise ValueError(f"{event.__name__} is asked for twice; name it or one view of it")
            if issubclass(kind, View):
                made |= self._decoders_of(kind)
            else:
                made |= {key: self._decoders[key] for key in self._decoders if key[0] == event.__name__}
        return made

    def encode(self, event: Event) -> Encoded:
        """Raises ValueError for an event that is not in the vocabulary, doesn't fit JSON or is too large."""
        kind = type(event)
        if kind not in self._known:
            raise _unknown(kind)
        body = self._encode(event)
        if len(body) > MAX_BODY:
            raise _too_large(kind, len(body))
        return Encoded(kind.__name__, kind.version, body, body.decode())

    def encoder(self) -> Callable[[Event], Encoded]:
        """``encode`` for who has many events, in one thread: a third cheaper by names and a buffer that are kept."""
        names = {event: (event.__name__, event.version) for event in self._known}
        encode_into, buffer = self._encode_into, bytearray(_BUFFER)
        refused = self.encode

        def encode(event: Event) -> Encoded:
            name = names.get(type(event))
            if name is None:
                return refused(event)
            encode_into(event, buffer)
            if len(buffer) > MAX_BODY:
                return refused(event)
            return Encoded(name[0], name[1], bytes(buffer), buffer.decode())

        return encode

    def decode(self, type_name: str, version: int, body: bytes) -> Event:
        """Raises RecordError when the body doesn't fit its type and version."""
        decode = self._decoders.get((type_name, version))
        if decode is None:
            return unknown(type_name, version, body)
        try:
            return decode(body)
        except (msgspec.MsgspecError, LookupError) as error:
            raise RecordError(_misfit(type_name, version, error)) from error


def _unknown(kind: type[Event]) -> ValueError:
    return ValueError(f"{kind.__name__} is not an event of this log; add it to lpr.events.EVENTS")


def _too_large(kind: type[Event], size: int) -> ValueError:
    return ValueError(f"{kind.__name__} has {size} bytes; an event may have {MAX_BODY}")


def _upcasting(event: type[Event], version: int, upcasters: Steps, kind: type[Event]) -> Decode:
    raw = msgspec.json.Decoder(dict[str, object])

    def decode(body: bytes) -> Event:
        today = upcast(event.__name__, version, event.version, raw.decode(body), upcasters)
        return msgspec.convert(today, kind)

    return decode


CODEC = Codec(EVENTS)
"""The codec of the log's vocabulary."""

_decode = CODEC.decode
_keep = msgspec.structs.force_setattr


class Record(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One record of the log, as actors and folds see it. Equal are two of the same number, time and body.

    ``seq``: place in the log, from 1. ``wall``: µs at append. ``body``: the event as JSON, exactly as stored.
    ``tag``: the log's part of the id, 26 bits.
    """

    seq: int
    type: str
    version: int
    wall: Micros
    body: bytes
    tag: int = 0
    _event: Event | None = None

    @property
    def id(self) -> str:
        """The record's id: a UUID that carries the sequence number."""
        return make_id(self.wall, self.tag, self.seq)

    @property
    def event(self) -> Event:
        """The event, decoded and brought to today's version on first use. Raises RecordError."""
        event = self._event
        if event is None:
            try:
                event = _decode(self.type, self.version, self.body)
            except RecordError as error:
                raise RecordError(f"record {self.seq}: {error}; `lpr verify` tells whether it was altered") from error
            _keep(self, "_event", event)
        return event

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Record)
            and self.seq == other.seq
            and self.wall == other.wall
            and self.type == other.type
            and self.body == other.body
        )

    def __hash__(self) -> int:
        return hash((self.seq, self.wall))


class Link(Record, frozen=True, eq=False, gc=False):
    """A record with what ties it to its place: everything that the log stores of it.

    ``actor``: who appended it. ``cause``: sequence number of the record that it follows from, 0 none. ``mono``:
    monotonic µs at append, counted within ``boot``. ``hash``: 32 bytes, chain hash.
    """

    actor: str = ""
    cause: int = 0
    mono: Micros = 0
    boot: str = ""
    hash: bytes = b""


def tag_of(log_id: str) -> int:
    """The 26 bits that stand for a log in its ids. ``log_id``: 32 hex digits."""
    return int(log_id[:8], 16) >> 6


def make_id(wall: Micros, tag: int, seq: int) -> str:
    """The id of the record ``seq``: lower-case UUID text."""
    milliseconds = (wall // 1000) & 0xFFFF_FFFF_FFFF
    low = (_VARIANT << 62) | ((tag & 0x3FFF) << _SEQ_BITS) | (seq & _SEQ_MASK)
    digits = f"{milliseconds:012x}{_VERSION_NIBBLE:x}{(tag >> 14) & 0xFFF:03x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def seq_of(record_id: str) -> int:
    """The sequence number that an id carries. Accepts upper and lower case. Raises ValueError."""
    digits = record_id.replace("-", "")
    if not _UUID.fullmatch(record_id):
        raise ValueError(f"not an id of this log: {record_id[:64]!r}")
    value = int(digits, 16)
    if (value >> 76) & 0xF != _VERSION_NIBBLE or (value >> 62) & 0b11 != _VARIANT:
        raise ValueError(f"not an id of this log: {record_id[:64]!r}")
    return value & _SEQ_MASK


# --- the hash chain ------------------------------------------------------------------------------------

_header = msgspec.json.Encoder().encode


def genesis(log_id: str) -> bytes:
    """The hash before the first record: SHA-256 of ``lpr-log:<log id>``."""
    return hashlib.sha256(f"lpr-log:{log_id}".encode()).digest()


def content_of(
    seq: int, type_name: str, version: int, actor: str, cause: int, wall: Micros, mono: Micros, boot: str, body: bytes
) -> bytes:
    """What a record's hash covers: a JSON array of the envelope, a line feed, the body.

    Unambiguous: JSON escapes line feeds, so the first one ends the envelope.
    """
    return b"\n".join((_header((seq, type_name, version, actor, cause, wall, mono, boot)), body))


def chain_hash(previous: bytes, content: bytes) -> bytes:
    """SHA-256 over the previous record's hash (32 bytes) and this record's content."""
    return hashlib.sha256(previous + content).digest()


def content(record: Link) -> bytes:
    """What the hash of ``record`` covers."""
    r = record
    return content_of(r.seq, r.type, r.version, r.actor, r.cause, r.wall, r.mono, r.boot, r.body)


def make_record(seq: int, event: Event, *, actor: str = "test", cause: int = 0, wall: Micros = 0) -> Link:
    """A record that stands alone, outside a log and its chain: for tests and for trying a decider out."""
    made = CODEC.encode(event)
    return Link(seq, made.type, made.version, wall, made.body, actor=actor, cause=cause, mono=wall, hash=bytes(32))
