"""RTP under fuzz: packets for every payload format, RTCP, and JPEGs that are to go over RTP."""

from __future__ import annotations

from lpr.protocols.rtp import h264, h265, jpeg, rtcp, xml
from lpr.protocols.rtp.audio import AacUnpacker, PcmuUnpacker, pack_aac
from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.order import Reception
from lpr.protocols.rtp.packet import RtpError, decode_packet, encode_frame

UNPACKERS: tuple[type[Unpacker], ...] = (
    h264.H264Unpacker,
    h265.H265Unpacker,
    jpeg.JpegUnpacker,
    xml.XmlUnpacker,
    AacUnpacker,
    PcmuUnpacker,
)


def framed(kind: int, packets: tuple[bytes, ...]) -> bytes:
    """A seed: which unpacker, then packets with their lengths."""
    return bytes((kind,)) + b"".join(len(one).to_bytes(2) + one for one in packets)


def packets(data: bytes) -> None:
    """A stream of packets, all to one receiver of at most 4096 bytes a frame."""
    if not data:
        return
    unpacker, account, at = UNPACKERS[data[0] % len(UNPACKERS)](4096), Reception(90000), 1
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2])
        try:
            packet = decode_packet(data[at + 2 : at + 2 + size])
        except RtpError:
            at += 2 + size
            continue
        account.packet(packet, at * 1000)
        for frame in unpacker.add(packet):
            assert frame.parts or frame.damaged
            assert sum(map(len, frame.parts)) <= 4096 + 1024
        at += 2 + size
    rtcp.encode((rtcp.ReceiverReport(1, (account.block(at * 1000),)),))


def reports(data: bytes) -> None:
    """RTCP; what was read can be written."""
    try:
        found = rtcp.decode(data)
    except RtpError:
        return
    short = tuple(one for one in found if not isinstance(one, rtcp.Description | rtcp.Goodbye))
    assert rtcp.decode(rtcp.encode(short)) == short


def pictures(data: bytes) -> None:
    """JPEGs; what can go over the wire comes back."""
    try:
        scan = jpeg.parse_jpeg(data)
    except jpeg.JpegError:
        return
    receiver = jpeg.JpegUnpacker()
    sent = encode_frame(jpeg.pack(scan), jpeg.PAYLOAD_TYPE, 0, 0, 0)
    (frame,) = (frame for one in sent for frame in receiver.add(decode_packet(one)))
    assert jpeg.parse_jpeg(frame.parts[0]) == scan


SCAN = jpeg.JpegScan(16, 8, 1, bytes(range(64)), bytes(range(64)), 0, b"\xaa\xbb\x00")
PACKETS = tuple(
    framed(kind, encode_frame(payloads, 96, 0, 0, 1))
    for kind, payloads in enumerate(
        (
            h264.pack((b"\x67\x42", b"\x65" + bytes(40)), 20),
            h265.pack((b"\x40\x01", b"\x26\x01" + bytes(40)), 20),
            jpeg.pack(SCAN),
            xml.pack(b"<a>" + bytes(40), 20),
            pack_aac(bytes(40), 20),
            [bytes(160)],
        )
    )
)
REPORTS = (
    rtcp.encode((rtcp.SenderReport(1, 2, 3, 4, 5, (rtcp.ReportBlock(1),)), rtcp.Description(1, "a"))),
    rtcp.encode((rtcp.ReceiverReport(1, (rtcp.ReportBlock(1),)), rtcp.Goodbye((1,), "b"))),
)
PICTURES = (jpeg.build_jpeg(SCAN),)
