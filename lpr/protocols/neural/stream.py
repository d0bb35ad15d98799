"""The bytes of a connection cut into ``infoplate`` messages: framed or not, XML and JSON, in any portions. Sans-IO.

``NEURAL`` + decimal size + document; or the documents alone, one after the other, which is how known readers take
them: XML ends with ``</infoplate>``, JSON with its last brace. The document's own end counts; a size that says
something else is a deviation, so that a sender which counts characters, or itself, is still read. Held is at most one
document of ``limit`` bytes; a size over it is refused before a byte of it is kept. After an error nothing more comes.

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from lpr.protocols.neural.decoding import Broken, Message, decode_json, decode_xml
from lpr.protocols.neural.encoding import HEADER, ROOT

MAX_DIGITS = 10
BETWEEN = b" \t\r\n\0"
_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"</" + ROOT.encode() + rb"\s*>", re.IGNORECASE)
_LONGEST_END = len(ROOT) + 3 + 64
_STRUCTURE = re.compile(rb'[{}"]')
_IN_STRING = re.compile(rb'["\\]')

Offence: TypeAlias = Literal["bad start", "bad size", "too long", "cut off"]


class ProtocolError(Exception):
    """The peer broke the protocol. ``offence`` counts it, ``detail`` tells a person what was found and expected."""

    def __init__(self, offence: Offence, detail: str) -> None:
        super().__init__(f"{offence}: {detail}")
        self.offence: Offence = offence
        self.detail = detail


class MessageReader:
    """Incremental. ``limit``: bytes of one document, pictures in base64 counted."""

    def __init__(self, limit: int = 32 * 1024 * 1024) -> None:
        if limit < 1:
            raise ValueError("a reader needs room for a document")
        self.limit = limit
        self._buffer = bytearray()
        self._announced: int | None = None
        self._scan = _Scan()
        self._failed: ProtocolError | None = None

    @property
    def buffered(self) -> int:
        """Bytes held that belong to no message given out yet."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next portion of the stream. After an error it is thrown away."""
        if self._failed is None:
            self._buffer += data

    def messages(self) -> Iterator[Message]:
        """Every message that is whole by now. Raises ProtocolError."""
        while (message := self.next_message()) is not None:
            yield message

    def next_message(self) -> Message | None:
        """The next message, or None when more bytes are needed.

        Raises ProtocolError ("bad start", "bad size", "too long"), and the same one from then on.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return self._next()
        except ProtocolError as error:
            self._failed = error
            self._buffer = bytearray()
            raise

    def end(self) -> None:
        """The stream has ended. Raises ProtocolError "cut off" when that is inside a message."""
        if self._failed is not None:
            return
        rest = self._buffer.strip(BETWEEN)
        if rest or self._announced is not None:
            raise ProtocolError("cut off", f"the stream ended {len(rest)} bytes into a message")

    def _next(self) -> Message | None:
        if not self._begun():
            return None
        buffer = self._buffer
        end = self._scan.end(buffer)
        if end is None:
            if len(buffer) > self.limit:
                raise ProtocolError("too long", f"no end after {len(buffer)} bytes, at most {self.limit} allowed")
            return None
        if end > self.limit:
            raise ProtocolError("too long", f"a document of {end} bytes, at most {self.limit} allowed")
        document = bytes(memoryview(buffer)[:end])
        del buffer[:end]
        announced, self._announced = self._announced, None
        self._scan = _Scan()
        before: list[str] = []
        if announced is not None and announced != len(document):
            before.append(f"the frame says {announced} bytes, the document has {len(document)}")
        decode = decode_xml if document.startswith(b"<") else decode_json
        return decode(document, framed=announced is not None, before=before)

    def _begun(self) -> bool:
        """Past what may lie between messages and past the frame's head: a document's first byte is there."""
        buffer = self._buffer
        if self._scan.started:
            return True
        while True:
            skipped = len(buffer) - len(buffer.lstrip(BETWEEN))
            del buffer[:skipped]
            if bytes(buffer[:3]) != _BOM:
                break
            del buffer[:3]
        if not buffer or _BOM.startswith(bytes(buffer[:3])):
            return False
        first = bytes(buffer[:1])
        if first in (b"<", b"{"):
            self._scan = _Scan(xml=first == b"<", started=True)
            return True
        if self._announced is not None:
            raise ProtocolError("bad start", f"behind the frame's size comes {bytes(buffer[:8])!r}, not < or {{")
        return self._frame_read() and self._begun()

    def _frame_read(self) -> bool:
        """The frame's head, once it is whole: a document's first byte follows its digits."""
        buffer = self._buffer
        if not HEADER.startswith(bytes(buffer[: len(HEADER)])):
            raise ProtocolError("bad start", f"a message begins with NEURAL, < or {{, not {bytes(buffer[:8])!r}")
        digits = bytes(buffer[len(HEADER) : len(HEADER) + MAX_DIGITS + 1])
        text = digits[: next((at for at, byte in enumerate(digits) if not 48 <= byte <= 57), len(digits))]
        if len(text) > MAX_DIGITS:
            raise ProtocolError("bad size", f"a size of more than {MAX_DIGITS} digits")
        size = int(text or b"0")
        if size > self.limit:
            raise ProtocolError("too long", f"{size} bytes announced, at most {self.limit} allowed")
        if len(digits) == len(text):
            return False
        if not text:
            raise ProtocolError("bad size", f"no size behind NEURAL but {digits[:8]!r}")
        self._announced = size
        del buffer[: len(HEADER) + len(text)]
        return True


class _Scan:
    """Looks for the end of one document; never looks at a byte twice."""

    def __init__(self, *, xml: bool = True, started: bool = False) -> None:
        self.started = started
        self._xml = xml
        self._at = 0
        self._depth = 0
        self._in_string = False

    def end(self, buffer: bytearray) -> int | None:
        """The offset behind the document, None when it is not there yet."""
        return self._xml_end(buffer) if self._xml else self._json_end(buffer)

    def _xml_end(self, buffer: bytearray) -> int | None:
        match = _END.search(buffer, self._at)
        if match is not None:
            return match.end()
        self._at = max(self._at, len(buffer) - _LONGEST_END)
        return None

    def _json_end(self, buffer: bytearray) -> int | None:
        while True:
            match = (_IN_STRING if self._in_string else _STRUCTURE).search(buffer, self._at)
            if match is None:
                self._at = len(buffer)
                return None
            byte = match[0]
            if byte == b"\\":
                if match.end() == len(buffer):
                    self._at = match.start()
                    return None
                self._at = match.end() + 1
                continue
            self._at = match.end()
            if byte == b'"':
                self._in_string = not self._in_string
            elif byte == b"{":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth <= 0:
                    return self._at


__all__ = ["Broken", "Message", "MessageReader", "Offence", "ProtocolError"]
