"""An RTSP conversation and its metadata packets as reports. Pure.

Sources: RFC 2326, RFC 4566, RFC 3550; ONVIF Streaming Specification ("Metadata stream"). May import this room and the
codecs.
"""

from __future__ import annotations

from typing import Any, Final

from lpr.listen.metadata_report import document_report
from lpr.listen.report import Checks, Deviation, Report
from lpr.protocols.rtp.packet import RtpError, decode_packet
from lpr.protocols.rtp.xml import XmlUnpacker
from lpr.protocols.rtsp import parse_transport
from lpr.protocols.rtsp.client import Answer, Media

RTSP: Final = "RFC 2326"
STREAMING: Final = "ONVIF Streaming Specification, metadata stream"
RTP: Final = "RFC 3550"
ENCODING: Final = "vnd.onvif.metadata"
NEEDED = ("DESCRIBE", "SETUP", "PLAY", "TEARDOWN")


def answer_checks(answer: Answer) -> list[Deviation]:
    """What is wrong with any answer."""
    checks = Checks(RTSP)
    if not answer.matched:
        checks.add("CSeq", answer.told or "missing", "the request's number (12.17)")
    response = answer.response
    method = answer.request.method
    if response.version != "RTSP/1.0":
        checks.add("version", response.version, "RTSP/1.0")
    if response.status == 401 and not response.all("WWW-Authenticate"):
        checks.add("WWW-Authenticate", "missing", "a challenge with 401 (12.44)")
    if response.status != 200:
        return checks.found
    if method == "OPTIONS":
        public = response.header("Public")
        offered = {word.strip().upper() for word in (public or "").split(",")}
        if public is None:
            checks.add("Public", "missing", "the methods (10.1)")
        elif missing := [name for name in NEEDED if name not in offered]:
            checks.add("Public", public, f"also {', '.join(missing)}")
    elif method == "DESCRIBE":
        kind = (response.header("Content-Type") or "missing").partition(";")[0].strip().lower()
        if kind != "application/sdp":
            checks.add("Content-Type", kind, "application/sdp")
    elif method == "SETUP":
        _setup(answer, checks)
    return checks.found


def _setup(answer: Answer, checks: Checks) -> None:
    response = answer.response
    if not response.header("Session"):
        checks.add("Session", "missing", "the session's id (12.37)")
    asked = parse_transport(answer.request.header("Transport") or "")
    told = parse_transport(response.header("Transport") or "")
    if not told:
        checks.add("Transport", response.header("Transport") or "missing", "the transport taken (12.39)")
    elif told[0].profile != "RTP/AVP/TCP" or told[0].interleaved is None:
        checks.add("Transport", response.header("Transport") or "", "RTP/AVP/TCP with interleaved channels, as asked")
    elif asked and told[0].interleaved != asked[0].interleaved:
        channels = asked[0].interleaved
        checks.add("Transport", str(told[0].interleaved), f"the channels asked for, {channels}")


def metadata_track(media: tuple[Media, ...]) -> Media | None:
    """The section of the metadata stream."""
    named = [one for one in media if one.encoding.lower() == ENCODING]
    return named[0] if named else next((one for one in media if one.kind == "application"), None)


def description_report(body: bytes, media: tuple[Media, ...], chosen: Media | None) -> Report:
    """What DESCRIBE told."""
    checks = Checks(STREAMING)
    if not media:
        checks.add("description", body[:80], "media sections", "RFC 4566")
    elif chosen is None:
        kinds = ", ".join(f"{one.kind} {one.encoding}" for one in media)
        checks.add("description", kinds, f"m=application … with a=rtpmap:… {ENCODING}/90000")
    else:
        if not chosen.encoding:
            checks.add("a=rtpmap", "missing", f"{ENCODING}/90000")
        elif chosen.encoding.lower() != ENCODING:
            checks.add("a=rtpmap", chosen.encoding, ENCODING)
        if chosen.encoding and chosen.clock != 90000:
            checks.add("a=rtpmap", f"a clock of {chosen.clock} Hz", "90000")
        if not chosen.control:
            checks.add("a=control", "missing", "the track's address", "RFC 2326, C.1.1")
        if not 96 <= chosen.payload_type <= 127:
            checks.add("payload type", chosen.payload_type, "96 to 127, dynamic")
    tracks = [
        {"kind": one.kind, "payload_type": one.payload_type, "encoding": one.encoding, "clock": one.clock,
         "control": one.control}
        for one in media
    ]  # fmt: skip
    return Report("description", {"tracks": tracks}, checks.found, raw=body, suffix="sdp", counts=False)


class MetadataPackets:
    """RTP packets of a metadata track into reports of whole documents, with what is wrong with the packets."""

    def __init__(self, track: Media, limit: int) -> None:
        self._track = track
        self._unpacker = XmlUnpacker(limit)
        self._checks = Checks(RTP)
        self._last: int | None = None
        self._ssrc: int | None = None
        self._packets = 0

    def take(self, data: bytes) -> list[Report]:
        """One packet; the documents that it completes."""
        checks = self._checks
        try:
            packet = decode_packet(data)
        except RtpError as error:
            checks.add("packet", str(error), "an RTP packet of version 2")
            return []
        self._packets += 1
        if packet.payload_type != self._track.payload_type:
            checks.add("payload type", packet.payload_type, f"{self._track.payload_type}, as described")
        if self._ssrc not in (None, packet.ssrc):
            checks.add("SSRC", f"{packet.ssrc:08x}", f"{self._ssrc:08x}, as before")
        elif self._last is not None and packet.sequence != (self._last + 1) & 0xFFFF:
            checks.add("sequence", packet.sequence, f"{(self._last + 1) & 0xFFFF}: over TCP nothing can be lost")
        self._ssrc, self._last = packet.ssrc, packet.sequence
        found: list[Report] = []
        for frame in self._unpacker.add(packet):
            if not frame.marked:
                checks.add("marker", "not set", "set on the packet that closes a document", STREAMING)
            if frame.damaged and self._unpacker.problem:
                checks.add("document", self._unpacker.problem, "every packet of a document", STREAMING)
            found += [self._report(document, frame.timestamp) for document in frame.parts]
            if not frame.parts:
                found += self.rest()
        return found

    def rest(self) -> list[Report]:
        """What is wrong with packets that became no document; [] when nothing is."""
        deviations, packets = self._checks.found, self._packets
        self._checks, self._packets = Checks(RTP), 0
        return [Report("packets", {"rtp": {"packets": packets}}, deviations, counts=False)] if deviations else []

    def _report(self, document: bytes, timestamp: int) -> Report:
        report = document_report(document)
        about: dict[str, Any] = {"packets": self._packets, "timestamp": timestamp}
        report.fields = {"rtp": about, **report.fields}
        report.deviations = [*self._checks.found, *report.deviations]
        self._checks, self._packets = Checks(RTP), 0
        return report
