"""All calls of the REST API, and the one pipeline that every call goes through. May import this room."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from lpr.http.audit import clean_query
from lpr.web import api_cameras, api_events, api_passages, api_session, api_users, auth
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, decode_body, decode_query
from lpr.web.services import SERVICES, Services
from lpr.web.sessions import Session
from lpr.web.users import User

ROUTES: tuple[Route, ...] = (
    *api_session.ROUTES,
    *api_users.ROUTES,
    *api_passages.ROUTES,
    *api_events.ROUTES,
    *api_cameras.ROUTES,
)
"""The whole API; schemas/openapi.json is made from it."""


def bind(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route: who, may they, is it well-formed, do it in time, write it down."""

    async def handle(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        auth.refuse_foreign(request, services)
        if route.access == "open":
            return await _answer(route, request, services, None, None)
        found = auth.identify(request, services)
        if found is None:
            raise Problem("not_logged_in", headers={"WWW-Authenticate": 'Bearer realm="lpr"'})
        user, session, way = found
        services.guard.knows(request.protocol)
        services.audit.check()
        try:
            _permit(route, request, services, user, session, way)
            if route.stream:  # written down at its opening, it may last for days
                await _written(route, request, services, user, 200)
                return await _answer(route, request, services, user, session)
            response = await _answer(route, request, services, user, session)
        except Problem as problem:
            await _written(route, request, services, user, problem.kind.status)
            raise
        await _written(route, request, services, user, response.status)
        return response

    return handle


def _permit(
    route: Route, request: web.Request, services: Services, user: User, session: Session, way: auth.Way
) -> None:
    """Raises Problem when this user may not do this, or a browser sends it for somebody else."""
    if way == "cookie" and request.method not in auth.SAFE:
        auth.check_csrf(request, services, session, request.headers.get("X-CSRF-Token"))
    if user.temporary and route.access != "any":
        raise Problem("password_change_required")
    if route.access == "administrator" and user.role != "administrator":
        raise Problem("not_allowed", f"{user.name} is an {user.role}; this needs an administrator")


async def _answer(
    route: Route, request: web.Request, services: Services, user: User | None, session: Session | None
) -> web.StreamResponse:
    query = decode_query(request, route.query or _NoQuery)
    limit = services.context.config.web.request_timeout
    if route.stream:
        return await route.handler(Call(request, services, query, Nothing(), user, session))
    try:
        async with asyncio.timeout(limit):
            body = Nothing() if route.body is None else await decode_body(request, route.body)
            return await route.handler(Call(request, services, query, body, user, session))
    except TimeoutError:
        services.audit.abuse("request timeout", request.remote or "")
        raise Problem("request_timeout", f"not done after {limit:g} seconds", headers={"Connection": "close"}) from None


async def _written(route: Route, request: web.Request, services: Services, user: User, status: int) -> None:
    path = request.path if route.audit != "sum" else route.path
    await services.audit.called(
        route.audit, user.name, request.remote or "", request.method, path[:256], clean_query(request.query), status
    )


class _NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a call that has none."""
