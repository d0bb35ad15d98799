"""Log in, log out, who am I, change my password. May import this room and ``lpr.events``."""

from __future__ import annotations

from aiohttp import web

from lpr.events import LoggedIn
from lpr.web import auth
from lpr.web.models import LoggedInAnswer, Login, Me, PasswordChange, instant
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, answer
from lpr.web.services import Services
from lpr.web.sessions import Session
from lpr.web.users import User, UserError


async def enter(request: web.Request, services: Services, name: str, password: str) -> tuple[str, Session, User]:
    """Log in and say so in the log: (token, session, user). Raises Problem."""
    token, session, user = await auth.log_in(request, services, name, password)
    await services.context.log.append((LoggedIn(user=user.name, remote=request.remote or ""),), actor="web")
    return token, session, user


async def change_password(
    request: web.Request, services: Services, user: User, session: Session, current: str, new: str
) -> None:
    """Check the old password, set the new one, log out everywhere else. Raises Problem."""
    now, remote = services.audit.now(), request.remote or ""
    wait = services.by_address.retry_in(remote, now)
    if wait > 0:
        raise Problem("too_many_attempts", headers={"Retry-After": str(int(wait) + 1)})
    users = services.context.users
    try:
        if await users.check(user.name, current) is None:
            services.by_address.failed(remote, now)
            services.audit.login_failed(user.name, remote)
            raise Problem("wrong_password", "the current password is wrong")
        if current == new:
            raise Problem("weak_password", "the new password is the old one")
        await users.set_password(user.name, new, by=user.name)
    except UserError as error:
        raise Problem(error.code, str(error)) from None
    services.log_out_user(user.name, but=session)


async def login(call: Call[Nothing, Login]) -> web.Response:
    """``POST /login``."""
    token, session, user = await enter(call.request, call.services, call.body.user, call.body.password)
    clock = call.services.context.clock
    return answer(
        LoggedInAnswer(
            token=token,
            expires=instant(clock.wall() + session.expires - clock.mono()),
            user=user.name,
            role=user.role,
            password_change_required=user.temporary,
        )
    )


async def logout(call: Call[Nothing, Nothing]) -> web.Response:
    """``POST /logout``."""
    if call.session is not None:
        call.services.log_out(call.session)
    response = web.Response(status=204)
    auth.drop_cookie(call.request, response)
    return response


async def me(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /me``."""
    user = call.who
    csrf = call.session.csrf if call.session is not None else ""
    return answer(Me(user=user.name, role=user.role, password_change_required=user.temporary, csrf=csrf))


async def password(call: Call[Nothing, PasswordChange]) -> web.Response:
    """``PUT /me/password``."""
    if call.session is None:
        raise Problem("not_logged_in")
    await change_password(call.request, call.services, call.who, call.session, call.body.current, call.body.new)
    return web.Response(status=204)


ROUTES = (
    Route(
        "POST",
        "/api/v1/login",
        login,
        "Log in: user and password for a token",
        access="open",
        body=Login,
        answer=LoggedInAnswer,
        problems=("wrong_password", "too_many_attempts", "busy"),
        tag="session",
    ),
    Route("POST", "/api/v1/logout", logout, "Log out: the token ends at once", access="any", status=204, tag="session"),
    Route("GET", "/api/v1/me", me, "Who is logged in", access="any", answer=Me, audit="sum", tag="session"),
    Route(
        "PUT",
        "/api/v1/me/password",
        password,
        "Change the own password; other sessions of the user end",
        access="any",
        body=PasswordChange,
        status=204,
        problems=("wrong_password", "weak_password", "too_many_attempts", "busy"),
        tag="session",
    ),
)
"""The calls of this file."""
