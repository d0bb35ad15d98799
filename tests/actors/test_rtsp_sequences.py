"""Any sequence of requests is answered, each with its own number, and leaves a server whose books are right."""

from __future__ import annotations

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.actors.rtsp_server import RtspServer
from lpr.protocols.rtsp import METHODS, RECORDING, State, encode_request
from lpr.protocols.rtsp.messages import REASONS
from tests.actors.rtsp_rig import Client, Rig, rig

TRANSPORTS = [
    "RTP/AVP/TCP;unicast;interleaved=0-1",
    "RTP/AVP/TCP;unicast;interleaved=2-3",
    "RTP/AVP/TCP;unicast",
    "RTP/AVP;unicast;client_port=40000-40001",
    "RTP/AVP;multicast",
    "",
]
STEP = st.tuples(
    st.sampled_from([*METHODS, *RECORDING, "NONSENSE"]),
    st.sampled_from(["main/", "main", "main/trackID=0", "main/trackID=1", "main/trackID=2", "sub", "x", "", "*"]),
    st.sampled_from(TRANSPORTS),
    st.integers(-1, 3),
)


@settings(max_examples=40)
@given(st.lists(STEP, max_size=20))
def test_any_sequence_of_requests(steps: list[tuple[str, str, str, int]]) -> None:
    async def conversation() -> None:
        async with rig() as r:
            server = await r.start({"start_wait": 0.0, "guests": True})
            client = await r.connect(server)
            for step in steps:
                await _take(r, server, client, step)
            client.sock.close()
            await r.until(lambda: server.connections == 0)
            streams = (r.room.video, r.room.audio, r.room.metadata, r.room.sub)
            await r.until(lambda: len(server.sessions) == 0, advance=5)  # those by UDP go when nothing is heard of them
            assert [stream.viewers for stream in streams] == [0] * 4

    anyio.run(conversation)


async def _take(r: Rig, server: RtspServer, client: Client, step: tuple[str, str, str, int]) -> None:
    method, path, transport, session = step
    headers: list[tuple[str, str]] = [("Transport", transport)] if transport else []
    known = sorted(server.sessions)
    if session >= 0:
        headers.append(("Session", known[session % len(known)] if known else "nobody"))
    request = client.request(method, path, *headers)
    await client.send(encode_request(request))
    answer = await client.answer()
    assert answer.status in REASONS and answer.status != 500
    assert answer.header("CSeq") == request.header("CSeq")
    r.room.video.give(b"picture")
    r.room.metadata.give(b"<xml/>")
    channels = [channel for viewer in server.sessions.values() for channel in viewer.channels]
    assert len(channels) == len(set(channels)), "two tracks on one channel"
    playing = [viewer.session for viewer in server.sessions.values() if viewer.session.state is State.PLAYING]
    for track, stream in enumerate((r.room.video, r.room.audio, r.room.metadata)):
        watched = any(one.stream == "main" and track in one.tracks for one in playing)
        assert (stream.viewers > 0) == watched, f"track {track}"
