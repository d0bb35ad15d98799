"""The aiohttp application: API, pages, static files, and the shell round them (headers, errors, the audit task).

``build_app`` for tests and for the server; ``server.WebServer`` binds it. May import this room, ``lpr.core``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler

from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable
from lpr.http.audit import AuditFull
from lpr.http.forwarded import behind, networks
from lpr.web import api, openapi, pages
from lpr.web.context import WebContext
from lpr.web.credentials import CredentialsError
from lpr.web.problems import Problem
from lpr.web.services import SERVICES, make_services

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
LOGGER = logging.getLogger("lpr.web")


def build_app(context: WebContext) -> web.Application:
    """Everything that is served. The caller binds it."""
    config = context.config.web
    middlewares = [behind(networks(config.proxies))] if config.proxies else []
    app = web.Application(middlewares=[*middlewares, shell], client_max_size=config.max_body)
    app[SERVICES] = make_services(context)
    for route in api.ROUTES:
        app.router.add_route(route.method, route.path, api.bind(route))
    app.router.add_get("/api/v1/openapi.json", document)
    pages.mount(app)
    app.on_response_prepare.append(prepare)
    app.cleanup_ctx.append(audit_task)
    app.on_shutdown.append(end_streams)
    return app


async def document(request: web.Request) -> web.Response:
    """``GET /api/v1/openapi.json``: no log-in needed."""
    return web.Response(body=openapi.text().encode(), content_type="application/json")


async def prepare(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every response."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Server" in response.headers:
        del response.headers["Server"]
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")


async def audit_task(app: web.Application) -> AsyncIterator[None]:
    """The audit trail is written while the application lives, and to its end when it stops."""
    audit = app[SERVICES].audit
    task = asyncio.create_task(audit.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    with suppress(LogClosedError):
        await audit.close()


async def end_streams(app: web.Application) -> None:
    """Streams end at once when the server stops."""
    app[SERVICES].streams.end(everything=True)


@web.middleware
async def shell(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes a problem document or an error page, never a traceback."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = _of_http(request, error)
    except Problem as error:
        problem = error
    except (LogUnavailable, LogDamagedError, AuditFull) as error:
        problem = Problem("log_unavailable", str(error))
    except CredentialsError as error:
        problem = Problem("credentials_unavailable", str(error))
    except LogClosedError:
        problem = Problem("stopping")
    except asyncio.CancelledError:
        raise
    except ConnectionError:
        return web.Response()  # the client has gone: aiohttp would report it with a traceback
    except Exception:
        LOGGER.exception("%s %s", request.method, request.path[:200])
        problem = Problem("internal")
    if problem.kind.status in (400, 408, 413):
        request.app[SERVICES].audit.abuse(problem.code.replace("_", " "), request.remote or "")
    if request.path.startswith("/api/"):
        return problem.response()
    return await pages.problem_page(request, problem)


def _of_http(request: web.Request, error: web.HTTPException) -> Problem:
    """aiohttp's own errors in our words."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem("method_not_allowed", f"{error.method[:16]} is not possible here", headers={"Allow": allowed})
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        limit = request.app[SERVICES].context.config.web.max_body
        return Problem("body_too_large", f"more than {limit} bytes", headers={"Connection": "close"})
    if error.status == 404:
        return Problem("unknown_path", f"there is nothing at {request.path[:200]}")
    return Problem("malformed_request", error.reason[:200])
