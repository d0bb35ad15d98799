"""``lpr listen rtsp`` against our own server, and against conversations that a camera should not have."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import anyio.abc
import pytest

from lpr.listen.rtsp import rtsp
from lpr.listen.rtsp_report import MetadataPackets, answer_checks, description_report, metadata_track
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, NOT_LET_IN, Limits, ListenFailure, Target
from lpr.protocols.onvif_metadata import Tokens, document, plate_notification
from lpr.protocols.rtp.packet import RtpPacket, encode_packet
from lpr.protocols.rtp.xml import pack
from lpr.protocols.rtsp import Request, Response
from lpr.protocols.rtsp.client import Answer, Media, media_of
from tests.actors.rtsp_rig import PASSWORD, rig
from tests.listen.samples import fields
from tests.listen.test_listening import Heard, fails
from tests.protocols.milesight.samples import PASSAGE

TRACK = Media("application", "RTP/AVP", 107, "vnd.onvif.metadata", 90000, "trackID=2", ("m=application 0 RTP/AVP 107",))
DOCUMENT = document("onvif", notifications=[plate_notification(PASSAGE, Tokens(video_source="VS0", rule="LPR"))])
QUICK = Limits(connect=5.0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def source(target: Target, path: str = "main") -> Source:
    return rtsp(target, f"rtsp://{target.address}/{path}", lambda: "0123456789abcdef", anyio.current_time)


@pytest.mark.anyio
async def test_our_own_metadata_stream_deviates_in_nothing() -> None:
    async with rig() as made:
        server = await made.start()
        heard = Heard()
        target = Target(*server.addresses[0], "nvr", PASSWORD, limits=QUICK)

        async def feed() -> None:
            while not made.room.metadata.starts:
                await anyio.wait_all_tasks_blocked()
            while True:
                made.room.metadata.give(DOCUMENT)
                await anyio.wait_all_tasks_blocked()
                await anyio.sleep(0.02)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed)
            await heard.hear(source(target), count=2)
            tasks.cancel_scope.cancel()
    description, opening, *passages = heard.lines
    assert [line["deviations"] for line in heard.lines] == [[]] * 4
    assert description["fields"]["tracks"][2]["encoding"] == "vnd.onvif.metadata"
    assert opening["fields"]["session"]
    assert passages[0]["what"] == "passage" and passages[0]["fields"]["events"][0]["plate"]["plate"] == "AMW212"


@pytest.mark.anyio
async def test_wrong_passwords_paths_and_streams_without_metadata() -> None:
    async with rig() as made:
        server = await made.start()
        wrong = Target(*server.addresses[0], "nvr", "not this", limits=QUICK)
        assert (await fails(source(wrong))).status == NOT_LET_IN
        right = Target(*server.addresses[0], "nvr", PASSWORD, limits=QUICK)
        failure = await fails(source(right, "nowhere"))
        assert failure.status == BROKEN and "404" in str(failure)
        heard = Heard()
        failure = await fails(source(right, "sub"), heard)
        assert "no metadata" in str(failure)
        assert fields_of(heard) == ["description"]


def fields_of(heard: Heard) -> list[str]:
    return [one["field"] for line in heard.lines for one in line["deviations"]]


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncGenerator[Target]:
    """A camera that gives these answers in order, whatever is asked, and then closes."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            for answer in answers:
                await stream.receive()
                await stream.send(answer)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield Target("127.0.0.1", listener.extra(anyio.abc.SocketAttribute.local_port), limits=QUICK)
        tasks.cancel_scope.cancel()


def reply(number: int, *headers: str, body: bytes = b"") -> bytes:
    lines = ["RTSP/1.0 200 OK", f"CSeq: {number}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.anyio
async def test_a_careless_camera_is_told_what_it_does_wrong() -> None:
    described = b"v=0\r\nm=application 0 RTP/AVP 50\r\na=rtpmap:50 vnd.onvif.metadata/1000\r\na=control:t\r\n"
    packet = encode_packet(RtpPacket(51, 5, 0, 1, b"<tt:Metadata", False))
    frames = b"$\0" + len(packet).to_bytes(2, "big") + packet
    next_document = encode_packet(RtpPacket(50, 8, 90, 1, DOCUMENT, True))
    frames += b"$\0" + len(next_document).to_bytes(2, "big") + next_document + b"\x00\x01nonsense"
    said = (
        reply(9, "Public: OPTIONS, DESCRIBE"),
        reply(2, "Content-Type: text/plain", body=described),
        reply(3, "Transport: RTP/AVP/TCP;unicast;interleaved=4-5"),
        reply(4) + frames,
    )
    async with scripted(*said) as target:
        heard = Heard()
        failure = await fails(source(target), heard)
    assert failure.status == BROKEN
    description, opening, *rest = ([one["field"] for one in line["deviations"]] for line in heard.lines)
    assert description == ["a=rtpmap", "payload type"]
    assert opening == ["CSeq", "Public", "Content-Type", "Session", "Transport"]
    assert {"payload type", "sequence"} <= set(rest[0]) and rest[-1] == ["stream"]


@pytest.mark.anyio
async def test_what_speaks_no_rtsp_is_told() -> None:
    async with scripted(b"\x00\x01\x02") as target:
        assert "RTSP" in str(await fails(source(target)))
    async with scripted() as target:
        assert isinstance(await fails(source(target)), ListenFailure)


def packets(*changes: dict[str, object], parts: int = 3) -> list[bytes]:
    """DOCUMENT in packets; ``changes`` by place."""
    payloads = pack(DOCUMENT, len(DOCUMENT) // parts + 1)
    found: list[bytes] = []
    for index, payload in enumerate(payloads):
        packet = RtpPacket(107, 10 + index, 900, 7, payload, index == len(payloads) - 1)
        change = changes[index] if index < len(changes) else {}
        found.append(encode_packet(replace(packet, **change)))
    return found


def test_documents_in_several_packets() -> None:
    taken = MetadataPackets(TRACK, 100_000)
    reports = [report for data in packets() for report in taken.take(data)]
    assert len(reports) == 1 and reports[0].deviations == []
    assert reports[0].fields["rtp"] == {"packets": 3, "timestamp": 900}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"payload_type": 96}, "payload type"),
        ({"ssrc": 8}, "SSRC"),
    ],
)
def test_what_is_wrong_with_packets_is_named(changes: dict[str, object], field: str) -> None:
    taken = MetadataPackets(TRACK, 100_000)
    reports = [report for data in packets({}, changes) for report in taken.take(data)]
    assert field in fields(reports[0].deviations)


def test_a_lost_packet_is_named_though_no_document_comes_of_it() -> None:
    taken = MetadataPackets(TRACK, 100_000)
    first, _, last = packets()
    (lost,) = [report for data in (first, last) for report in taken.take(data)]
    assert fields(lost.deviations) == ["sequence", "document"] and not lost.counts
    assert taken.take(b"\x00") == []
    (broken,) = taken.rest()
    assert fields(broken.deviations) == ["packet"] and taken.rest() == []
    (whole,) = taken.take(encode_packet(RtpPacket(107, 13, 1800, 7, DOCUMENT, True)))
    assert whole.deviations == []


def test_descriptions_without_metadata_say_what_there_is() -> None:
    for body, expected in (
        (b"", "media sections"),
        (b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", "m=application"),
    ):
        _, media = media_of(body)
        report = description_report(body, media, metadata_track(media))
        assert expected in report.deviations[0].expected


def test_a_challenge_that_is_missing_is_named() -> None:
    answer = Answer(Request("DESCRIBE", "rtsp://a/"), Response(401, version="RTSP/2.0"), True, "1")
    assert fields(answer_checks(answer)) == ["version", "WWW-Authenticate"]
