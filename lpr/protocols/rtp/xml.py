"""ONVIF's metadata payload (Streaming Specification, "Metadata stream"): an XML document over one or more packets.

The marker closes the document. Timestamps have 90 kHz, but only the times in the documents count. A document is cut
anywhere, also within a character. May import this room.
"""

from __future__ import annotations

from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.packet import MTU_PAYLOAD, RtpError

CLOCK_RATE = 90000
ENCODING = "vnd.onvif.metadata"


def pack(document: bytes, limit: int = MTU_PAYLOAD) -> list[bytes]:
    """The payloads of one whole document; the marker belongs on the last. Raises ValueError for an empty one."""
    if not document or limit < 1:
        raise ValueError("a metadata document has at least one byte")
    return [document[start : start + limit] for start in range(0, len(document), limit)]


def media_lines(payload_type: int) -> tuple[str, ...]:
    """The SDP media description (ONVIF Streaming Specification, "RTP payload and timestamps")."""
    return (f"m=application 0 RTP/AVP {payload_type}", f"a=rtpmap:{payload_type} {ENCODING}/{CLOCK_RATE}")


class XmlUnpacker(Unpacker):
    """Packets to documents (``parts`` has one). A damaged document is not given out, since nobody could parse it."""

    def _take(self, payload: bytes) -> None:
        if self._damaged:
            raise RtpError("a part of a document that is damaged")
        self._pending.append(payload)

    def _complete(self) -> None:
        if self._pending and not self._damaged:
            self._parts.append(b"".join(self._pending))
            self._pending.clear()
