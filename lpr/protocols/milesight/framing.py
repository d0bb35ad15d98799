"""Frames of Milesight's TCP type (manual, "Basic Packet Composition"; docs/protocols/milesight.md).

    CC FF | command, u16 LE | size, u32 LE | data | FF DD        size = len(data) + 2: the end signature counts

The parser takes bytes in any portions and gives whole frames. It holds at most one frame of ``limit`` data bytes and
the portion fed last; a frame that announces more is refused at its header, before a byte of it is kept. After an
error the parser stays failed: there is no way to find the next frame in such a stream.

May import the standard library only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

START = b"\xcc\xff"
END = b"\xff\xdd"
_HEADER = struct.Struct("<2sHI")
HEADER_SIZE = _HEADER.size
MAX_DATA = 0xFFFFFFFF - len(END)

LOGIN_REQUEST = 0x0001
LOGIN_REPLY = 0x8001
RECOGNITION = 0x8801

Offence: TypeAlias = Literal[
    "bad start",
    "bad size",
    "too long",
    "bad end",
    "bad chunk",
    "bad metadata",
    "bad json",
    "unexpected command",
    "cut off",
]
"""What a peer did wrong, as a stable short key for counting."""


class ProtocolError(Exception):
    """The peer broke the protocol. ``offence`` counts it, ``detail`` tells a person what was found and expected."""

    def __init__(self, offence: Offence, detail: str) -> None:
        super().__init__(f"{offence}: {detail}")
        self.offence: Offence = offence
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Frame:
    """One message on the wire: ``command`` (0 to 65535) and its data, without signatures and size."""

    command: int
    data: bytes


def encode_frame(command: int, *parts: bytes) -> bytes:
    """The bytes of one frame whose data are ``parts`` one after the other.

    Raises ValueError when the command is not a u16 or the data do not fit into the u32 size.
    """
    length = sum(map(len, parts))
    if not 0 <= command <= 0xFFFF:
        raise ValueError(f"command {command} is outside 0 to 65535")
    if length > MAX_DATA:
        raise ValueError(f"{length} bytes do not fit into one frame (at most {MAX_DATA})")
    return b"".join((_HEADER.pack(START, command, length + len(END)), *parts, END))


class FrameParser:
    """Incremental parser. ``limit``: the most data bytes that one frame may announce."""

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError("the limit of a frame cannot be negative")
        self.limit = limit
        self._buffer = bytearray()
        self._failed: ProtocolError | None = None

    @property
    def buffered(self) -> int:
        """Bytes held that belong to no frame given out yet."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next portion of the stream. After an error it is thrown away."""
        if self._failed is None:
            self._buffer += data

    def next_frame(self) -> Frame | None:
        """The next whole frame, or None when more bytes are needed.

        Raises ProtocolError ("bad start", "bad size", "too long", "bad end"), and the same one from then on.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return self._parse()
        except ProtocolError as error:
            self._failed = error
            self._buffer = bytearray()
            raise

    def end(self) -> None:
        """The stream has ended. Raises ProtocolError "cut off" when that is in the middle of a frame."""
        if self._failed is None and self._buffer:
            raise ProtocolError("cut off", f"the stream ended {len(self._buffer)} bytes into a frame")

    def _parse(self) -> Frame | None:
        buffer = self._buffer
        if not START.startswith(bytes(buffer[:2])):
            raise ProtocolError("bad start", f"a frame begins with {START.hex(' ')}, not {bytes(buffer[:2]).hex(' ')}")
        if len(buffer) < HEADER_SIZE:
            return None
        _, command, size = _HEADER.unpack_from(buffer)
        if size < len(END):
            raise ProtocolError("bad size", f"size {size} leaves no room for the end signature, which it counts")
        if size - len(END) > self.limit:
            raise ProtocolError("too long", f"{size - len(END)} bytes of data announced, at most {self.limit} allowed")
        whole = HEADER_SIZE + size
        if len(buffer) < whole:
            return None
        end = bytes(buffer[whole - len(END) : whole])
        if end != END:
            raise ProtocolError("bad end", f"a frame ends with {END.hex(' ')}, not {end.hex(' ')}")
        frame = Frame(command, bytes(memoryview(buffer)[HEADER_SIZE : whole - len(END)]))
        del buffer[:whole]
        return frame
