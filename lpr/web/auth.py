"""Who is calling: bearer tokens for programs, a cookie for pages, and what keeps other sites from using the cookie.

Log-ins are limited by address and by user before the password is even looked at. May import this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web

from lpr.web.problems import Problem
from lpr.web.services import Services
from lpr.web.sessions import TOKEN_BYTES, Session, same
from lpr.web.users import User, UserError

COOKIE = "lpr_session"
SECURE_COOKIE = "__Host-lpr_session"
"""The name under TLS: browsers then accept it from this host and path alone (RFC 6265bis, cookie prefixes)."""

MAX_PROVEN = 1024

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Way = Literal["bearer", "cookie"]


def cookie_name(request: web.BaseRequest) -> str:
    """The session cookie's name on this connection."""
    return SECURE_COOKIE if request.secure else COOKIE


def token_of(request: web.Request) -> tuple[str, Way] | None:
    """The token that the request carries; a bearer token goes before a cookie."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip(), "bearer"
    cookie = request.cookies.get(cookie_name(request))
    return (cookie, "cookie") if cookie else None


def identify(request: web.Request, services: Services) -> tuple[User, Session, Way] | None:
    """The user of a request, None when nobody is logged in (or the user has been removed)."""
    carried = token_of(request)
    if carried is None:
        return None
    token, way = carried
    session = services.sessions.find(token, services.context.clock.mono())
    if session is None:
        if way == "bearer":
            services.audit.abuse("bad token", request.remote or "")
        return None
    user = services.context.users.get(session.user)
    return None if user is None else (user, session, way)


def foreign(method: str, host: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser sent this from another site's page. Pure.

    Sec-Fetch-Site (Fetch Metadata) decides where there is one, else Origin against Host; a program sends neither.
    """
    if method in SAFE:
        return False
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()


def refuse_foreign(request: web.Request, services: Services) -> None:
    """Raises Problem for a change that another site's page asks for."""
    if foreign(request.method, request.headers.get("Host", ""), request.headers):
        services.audit.abuse("cross-site request", request.remote or "")
        raise Problem("cross_site")


def check_csrf(request: web.Request, services: Services, session: Session, given: str | None) -> None:
    """Raises Problem when a change under the cookie lacks the session's token."""
    if given is None or not same(given, session.csrf):
        services.audit.abuse("cross-site request", request.remote or "")
        raise Problem("cross_site", "the token against forged requests is missing or old")


async def log_in(request: web.Request, services: Services, name: str, password: str) -> tuple[str, Session, User]:
    """Check a password and open a session: (token, session, user). Raises Problem."""
    audit, users = services.audit, services.context.users
    remote = request.remote or ""
    now = audit.now()
    wait = services.by_address.retry_in(remote, now)
    if (name, remote) not in services.proven:  # a stranger can't lock out a user who has logged in from there before
        wait = max(wait, services.by_user.retry_in(name, now))
    if wait > 0:
        audit.abuse("too many log-ins", remote)
        raise Problem("too_many_attempts", headers={"Retry-After": str(int(wait) + 1)})
    services.by_address.failed(remote, now)  # counted before the check, so that parallel attempts count too
    services.by_user.failed(name, now)
    try:
        user = await users.check(name, password)
    except UserError as error:
        raise Problem(error.code, str(error), headers={"Retry-After": "2"}) from None
    if user is None:
        audit.login_failed(name if users.get(name) else "", remote)
        raise Problem("wrong_password")
    services.by_address.succeeded(remote)
    services.by_user.succeeded(name)
    services.proven[name, remote] = None
    while len(services.proven) > MAX_PROVEN:
        del services.proven[next(iter(services.proven))]
    token, session = services.sessions.open(
        user.name, services.context.clock.random_bytes(2 * TOKEN_BYTES), services.context.clock.mono()
    )
    return token, session, user


def set_cookie(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """The cookie lives as long as the browser runs, at most as long as the session."""
    response.set_cookie(cookie_name(request), token, path="/", httponly=True, samesite="Strict", secure=request.secure)


def drop_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Take the cookie away."""
    response.del_cookie(cookie_name(request), path="/", httponly=True, samesite="Strict", secure=request.secure)
