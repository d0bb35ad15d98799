"""RTSP and what it carries. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="RTSP 1.0: video, sound, ONVIF metadata",
        role="server",
        section="rtsp",
        port="port",
        transport="TCP interleaved, UDP, HTTP tunnel",
        authentication="Digest (SHA-256, MD5), Basic by choice",
        encryption="none on this port",
        source="RFC 2326, RFC 3550, RFC 6184, RFC 7798, RFC 2435, RFC 3640; ONVIF Streaming Specification",
        page="rtsp.md",
        verified=(
            Proof(
                "ffmpeg: every codec over every transport",
                "tests/e2e/test_rtsp.py::test_ffmpeg_plays_every_codec_over_every_transport",
            ),
            Proof("ffprobe", "tests/e2e/test_rtsp.py::test_ffprobe_sees_what_is_there"),
            Proof("ffmpeg: metadata unchanged", "tests/e2e/test_rtsp.py::test_ffmpeg_takes_the_plate_events_unchanged"),
            Proof("GStreamer rtspsrc", "tests/e2e/test_rtsp.py::test_gstreamer_over_every_transport"),
            Proof("OpenCV", "tests/e2e/test_rtsp.py::test_opencv_reads_pictures"),
            Proof("PyAV", "tests/e2e/test_rtsp.py::test_pyav_begins_with_a_key_frame"),
        ),
        unverified=(
            "VLC (live555), NVRs and VMSs of any maker",
            "multicast, SRTP",
        ),
    ),
    ProtocolFact(
        name="RTSPS: the same over TLS",
        role="server",
        section="rtsp",
        port="tls_port",
        transport="TLS",
        authentication="Digest (SHA-256, MD5), Basic by choice",
        encryption="TLS",
        source="RFC 2326; ONVIF Streaming Specification",
        page="rtsp.md",
        verified=(
            Proof("ffmpeg, HTTPS tunnel too", "tests/e2e/test_rtsp.py::test_ffmpeg_over_tls"),
            Proof("GStreamer rtspsrc, HTTPS tunnel too", "tests/e2e/test_rtsp.py::test_gstreamer_over_every_transport"),
        ),
        unverified=("NVRs and VMSs of any maker",),
    ),
)
