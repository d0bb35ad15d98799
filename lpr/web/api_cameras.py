"""Cameras, their live pictures, and the state of the service. May import ``lpr.core``, ``lpr.media``, this room."""

from __future__ import annotations

import asyncio

from aiohttp import web

from lpr.media.live import Channel, Shot
from lpr.web.models import CameraDocument, CameraList, LiveQuery, SnapshotQuery
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, answer
from lpr.web.status import ServiceStatus

BOUNDARY = b"lpr-frame"
REPEAT = 10.0
"""Seconds after which the last picture is sent again when no new one comes: finds out whether anybody is there."""
FIRST = 5.0
"""Seconds to wait for a first picture."""
CAMERA = {"name": "the camera's name"}


async def cameras(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /cameras``."""
    return answer(CameraList(items=list_cameras(call)))


def list_cameras(call: Call[Nothing, Nothing]) -> tuple[CameraDocument, ...]:
    """The cameras with what their sources say."""
    context = call.services.context
    items: list[CameraDocument] = []
    for camera in context.config.cameras:
        view = context.views.get(camera.name)
        if view is None:
            continue
        now = view.status
        base = f"/api/v1/cameras/{camera.name}"
        items.append(
            CameraDocument(
                name=camera.name,
                lane=camera.lane,
                state=now.state,
                message=now.message,
                width=now.width,
                height=now.height,
                rate=now.rate,
                live=f"{base}/live.mjpg",
                snapshot=f"{base}/snapshot.jpg",
            )
        )
    return tuple(items)


async def snapshot(call: Call[SnapshotQuery, Nothing]) -> web.Response:
    """``GET /cameras/{name}/snapshot.jpg``."""
    shot = await _first(_channel(call, call.query.boxes))
    return web.Response(body=shot.jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def live(call: Call[LiveQuery, Nothing]) -> web.StreamResponse:
    """``GET /cameras/{name}/live.mjpg``."""
    session = call.session
    if session is None:
        raise Problem("not_logged_in")
    channel = _channel(call, call.query.boxes)
    clock, sessions = call.services.context.clock, call.services.sessions
    with call.services.streams.enter(session):
        shot = await _first(channel)
        response = web.StreamResponse(
            headers={
                "Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(call.request)
        await response.write(b"--%b\r\n" % BOUNDARY)
        while sessions.alive(session, clock.mono()):
            began = clock.mono()
            await response.write(part(shot))
            await clock.sleep(max(0.0, 1.0 / call.query.rate - (clock.mono() - began) / 1e6))
            try:
                async with asyncio.timeout(REPEAT):
                    shot = await channel.newer(shot.number)
            except TimeoutError:
                continue
    return response


def part(shot: Shot) -> bytes:
    """One picture of the stream; the boundary follows at once, since browsers show a part when they see its end."""
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(shot.jpeg)
    return head + shot.jpeg + b"\r\n--%b\r\n" % BOUNDARY


def _channel(call: Call[SnapshotQuery, Nothing] | Call[LiveQuery, Nothing], boxes: str) -> Channel:
    name = call.path("name")
    channel = call.services.live.channel(name, boxes=boxes == "1")
    if channel is None:
        raise Problem("unknown_camera", f"there is no camera {name[:32]!r}")
    return channel


async def _first(channel: Channel) -> Shot:
    try:
        async with asyncio.timeout(FIRST):
            return await channel.newer(-1)
    except TimeoutError:
        raise Problem("no_live_picture", headers={"Retry-After": "5"}) from None


async def status(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /status``."""
    return answer(await call.services.context.status())


ROUTES = (
    Route("GET", "/api/v1/cameras", cameras, "All cameras", answer=CameraList, audit="sum", tag="cameras"),
    Route(
        "GET",
        "/api/v1/cameras/{name}/live.mjpg",
        live,
        "The live picture (MJPEG), with the plates drawn",
        query=LiveQuery,
        media="multipart/x-mixed-replace",
        problems=("unknown_camera", "no_live_picture", "too_many_streams"),
        stream=True,
        tag="cameras",
        variables=CAMERA,
    ),
    Route(
        "GET",
        "/api/v1/cameras/{name}/snapshot.jpg",
        snapshot,
        "The newest picture",
        query=SnapshotQuery,
        media="image/jpeg",
        problems=("unknown_camera", "no_live_picture"),
        audit="once",
        tag="cameras",
        variables=CAMERA,
    ),
    Route(
        "GET",
        "/api/v1/status",
        status,
        "How the service is: sources, actors, sinks, servers, clients, disk",
        answer=ServiceStatus,
        audit="sum",
        tag="status",
    ),
)
"""The calls of this file."""
