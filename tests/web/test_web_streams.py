"""Streams: the events' tail with resume, the live picture encoded once for all, and their end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.frames import Frame
from lpr.core.live import LiveSnapshot
from lpr.media.live import STALE_US, choose
from lpr.vision.overlay import draw
from lpr.web import api_events
from lpr.web.services import SERVICES
from tests.web.conftest import Client, bearer
from tests.web.sample import BASE, OPERATOR, Site, add_passage, reading_of, shots

STREAM = "/api/v1/events/stream"


async def messages(answer: aiohttp.ClientResponse, count: int) -> list[tuple[int, str, dict[str, Any]]]:
    """The next (id, event, data) of a stream."""
    found: list[tuple[int, str, dict[str, Any]]] = []
    fields: dict[str, str] = {}
    while len(found) < count:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if not line:
            if "data" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
    return found


@pytest.mark.anyio
async def test_the_tail_delivers_what_comes_and_resumes(client: Client, operator: dict[str, str], site: Site) -> None:
    async with client.get(f"{STREAM}?types=PassageDecided,PassageSigned", headers=operator) as answer:
        assert answer.content_type == "text/event-stream"
        passage = await add_passage(site.log, site.blobs, shots(3)[0], 100)
        decided, signed = await messages(answer, 2)
    assert decided[1:2] == ("PassageDecided",) and decided[2]["id"] == passage
    assert signed[2]["body"]["passage"] == passage
    later = await add_passage(site.log, site.blobs, shots(3)[1], 101)
    resumed = {**operator, "Last-Event-ID": str(decided[0])}
    async with client.get(f"{STREAM}?types=PassageDecided,PassageSigned&after=0", headers=resumed) as answer:
        again = await messages(answer, 3)
    assert [one[0] for one in again] == sorted(one[0] for one in again) and again[0] == signed
    assert again[1][2]["id"] == later


@pytest.mark.anyio
async def test_the_whole_log_comes_through_a_stream(client: Client, operator: dict[str, str], site: Site) -> None:
    async with client.get(f"{STREAM}?after=0&types=PlateRead", headers=operator) as answer:
        found = await messages(answer, 24)
    assert [one[0] for one in found] == [
        record.seq for record in await site.log.read(0, types=("PlateRead",), limit=1000)
    ]


@pytest.mark.anyio
async def test_a_quiet_tail_says_where_it_is(
    client: Client, operator: dict[str, str], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_events, "HEARTBEAT", 0.05)
    async with client.get(f"{STREAM}?types=ServiceStopped", headers=operator) as answer:
        lines = [(await answer.content.readline()).decode() for _ in range(8)]
    assert ": still here\n" in lines and any(line.startswith("id: ") for line in lines[3:])


@pytest.mark.anyio
async def test_a_bad_resume_is_refused(client: Client, operator: dict[str, str]) -> None:
    for header in ("x", "-1", "1e9", "9" * 20):
        answer = await client.get(STREAM, headers={**operator, "Last-Event-ID": header})
        assert answer.status == 400


@pytest.mark.anyio
async def test_streams_are_counted_and_end_with_the_session(client: Client, site: Site) -> None:
    assert client.app is not None
    services = client.app[SERVICES]
    headers = await bearer(client, OPERATOR)
    other = await bearer(client, OPERATOR)
    tail = await client.get(STREAM, headers=headers)
    live = await client.get("/api/v1/cameras/gate/live.mjpg", headers=headers)
    staying = await client.get(STREAM, headers=other)
    assert len(services.streams) == 3
    services.streams.limit = 3
    answer = await client.get(STREAM, headers=other)
    assert answer.status == 503 and (await answer.json())["code"] == "too_many_streams"
    assert (await client.post("/api/v1/logout", headers=headers)).status == 204
    for stream in (tail, live):
        with pytest.raises(aiohttp.ClientPayloadError):
            while await stream.content.readany():
                pass
        stream.close()
    await asyncio.sleep(0)
    assert len(services.streams) == 1
    staying.close()


async def parts(answer: aiohttp.ClientResponse, count: int) -> list[bytes]:
    """The next JPEGs of a live view."""
    found: list[bytes] = []
    while len(found) < count:
        line = await answer.content.readline()
        if line.startswith(b"Content-Length: "):
            assert await answer.content.readline() == b"\r\n"
            found.append(await answer.content.readexactly(int(line.split()[1])))
    return found


@pytest.mark.anyio
async def test_a_picture_is_encoded_once_for_all_viewers(client: Client, operator: dict[str, str], site: Site) -> None:
    assert client.app is not None
    channel = client.app[SERVICES].live.channel("gate", boxes=True)
    assert channel is not None
    viewers = [await client.get("/api/v1/cameras/gate/live.mjpg?boxes=1", headers=operator) for _ in range(5)]
    first = [(await parts(viewer, 1))[0] for viewer in viewers]
    assert len(set(first)) == 1 and channel.encoded == 1
    shot = shots(3)[1]
    frame = Frame(source="gate", position=2, at=BASE + 100_000, image=shot.image)
    site.views["gate"].set_frame(frame)
    site.views["gate"].set_readings(frame, (reading_of(shot.truth, 2),))
    second = [(await parts(viewer, 1))[0] for viewer in viewers]
    assert len(set(second)) == 1 and channel.encoded == 2 and second[0] != first[0]
    image = cv2.imdecode(np.frombuffer(second[0], np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape[1] == site.config.web.live_width
    for viewer in viewers:
        viewer.close()


@pytest.mark.anyio
async def test_snapshots_and_unknown_cameras(client: Client, operator: dict[str, str]) -> None:
    plain = await client.get("/api/v1/cameras/gate/snapshot.jpg", headers=operator)
    boxed = await client.get("/api/v1/cameras/gate/snapshot.jpg?boxes=1", headers=operator)
    assert await plain.read() != await boxed.read()
    for path in ("snapshot.jpg", "live.mjpg"):
        answer = await client.get(f"/api/v1/cameras/mars/{path}", headers=operator)
        assert answer.status == 404 and (await answer.json())["code"] == "unknown_camera"
    bad = await client.get("/api/v1/cameras/gate/live.mjpg?rate=0", headers=operator)
    assert bad.status == 400


def test_boxes_stand_on_the_picture_they_were_read_on() -> None:
    shot = shots(3)[0]
    read = Frame(source="gate", position=1, at=BASE, image=shot.image)
    soon = Frame(source="gate", position=2, at=BASE + STALE_US, image=shot.image)
    late = Frame(source="gate", position=3, at=BASE + STALE_US + 1, image=shot.image)
    plates = (reading_of(shot.truth, 1),)
    assert choose(LiveSnapshot(0, None, None, ()), True) is None
    assert choose(LiveSnapshot(1, soon, read, plates), True) == (read, plates)
    assert choose(LiveSnapshot(1, soon, read, plates), False) == (soon, ())
    assert choose(LiveSnapshot(1, late, read, plates), True) == (late, ())
    assert choose(LiveSnapshot(1, None, read, plates), False) == (read, ())


@given(
    st.tuples(*[st.floats(-1e6, 1e6)] * 8),
    st.text(max_size=12),
    st.integers(1, 64),
    st.integers(1, 64),
    st.integers(1, 80),
)
def test_drawing_any_plate_leaves_the_frame_alone(
    places: tuple[float, ...], text: str, height: int, wide: int, width: int
) -> None:
    image = np.full((height, wide, 3), 127, np.uint8)
    kept = image.copy()
    plate = reading_of(shots(3)[0].truth, 1)
    corners = tuple((places[index], places[index + 1]) for index in range(0, 8, 2))
    odd = type(plate)(
        text=text,
        confidence=0.5,
        characters=(),
        box=plate.box,
        corners=(corners[0], corners[1], corners[2], corners[3]),
    )
    drawn = draw(image, (odd,), width)
    assert drawn.shape[1] <= max(1, width) and drawn.dtype == np.uint8
    assert np.array_equal(image, kept)
