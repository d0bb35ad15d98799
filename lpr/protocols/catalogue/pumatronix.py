"""Pumatronix's addresses. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="Pumatronix's addresses (/api/…)",
        role="server",
        section="pumatronix",
        port="",
        transport="HTTP(S), at device_http",
        authentication="bearer token from a log-in, Digest (SHA-256, MD5), Basic by choice",
        encryption="TLS by choice",
        source="the maker's SDK documentation and data types; VTR600 manual",
        page="pumatronix.md",
        verified=(
            Proof("curl: log-in, snapshots", "tests/e2e/test_pumatronix.py::test_curl_logs_in_and_takes_pictures"),
            Proof("curl: captures as they happen", "tests/e2e/test_pumatronix.py::test_captures_as_they_happen"),
            Proof("aiohttp: the same", "tests/e2e/test_pumatronix.py::test_aiohttp_reads_captures_as_they_happen"),
            Proof("ffmpeg: the same", "tests/e2e/test_pumatronix.py::test_ffmpeg_plays_captures_as_they_happen"),
            Proof("curl: Digest, stream", "tests/e2e/test_pumatronix.py::test_curl_with_digest_and_the_stream"),
        ),
        unverified=("the maker's SDK and programs; units and forms that are not published",),
    ),
)
