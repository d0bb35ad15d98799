"""Users, for administrators. May import this room."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from lpr.web.models import NewUser, UserChange, UserDocument, UserList, instant
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, answer
from lpr.web.users import User, UserError

T = TypeVar("T")
NAME = {"name": "the user's name"}


def document(user: User) -> UserDocument:
    """A user as the API gives it out."""
    return UserDocument(user=user.name, role=user.role, temporary_password=user.temporary, since=instant(user.since))


async def checked(work: Awaitable[T]) -> T:
    """A change of users, its faults as problems."""
    try:
        return await work
    except UserError as error:
        raise Problem(error.code, str(error)) from None


async def list_users(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /users``."""
    return answer(UserList(items=tuple(document(user) for user in call.services.context.users.list())))


async def add(call: Call[Nothing, NewUser]) -> web.Response:
    """``POST /users``."""
    body = call.body
    user = await checked(
        call.services.context.users.add(body.user, body.role, body.password, by=call.who.name, temporary=True)
    )
    return answer(document(user), 201)


async def change(call: Call[Nothing, UserChange]) -> web.Response:
    """``PATCH /users/{name}``."""
    users, name, by = call.services.context.users, call.path("name"), call.who.name
    if users.get(name) is None:
        raise Problem("unknown_user", f"there is no user {name[:64]!r}")
    if call.body.password is not None:
        await checked(users.set_password(name, call.body.password, by=by, temporary=name != by))
        call.services.log_out_user(name, but=call.session)
    if call.body.role is not None:
        await checked(users.set_role(name, call.body.role, by=by))
    user = users.get(name)
    if user is None:
        raise Problem("unknown_user", f"{name} was removed meanwhile")
    return answer(document(user))


async def remove(call: Call[Nothing, Nothing]) -> web.Response:
    """``DELETE /users/{name}``."""
    name = call.path("name")
    await checked(call.services.context.users.remove(name, by=call.who.name))
    call.services.log_out_user(name)
    return web.Response(status=204)


ROUTES = (
    Route("GET", "/api/v1/users", list_users, "All users", access="administrator", answer=UserList, tag="users"),
    Route(
        "POST",
        "/api/v1/users",
        add,
        "Add a user with a temporary password",
        access="administrator",
        body=NewUser,
        answer=UserDocument,
        status=201,
        problems=("bad_user_name", "user_exists", "weak_password", "busy"),
        tag="users",
    ),
    Route(
        "PATCH",
        "/api/v1/users/{name}",
        change,
        "Change a user's role or set a temporary password",
        access="administrator",
        body=UserChange,
        answer=UserDocument,
        problems=("unknown_user", "weak_password", "last_administrator"),
        tag="users",
        variables=NAME,
    ),
    Route(
        "DELETE",
        "/api/v1/users/{name}",
        remove,
        "Remove a user; the name stays in the audit trail",
        access="administrator",
        status=204,
        problems=("unknown_user", "last_administrator"),
        tag="users",
        variables=NAME,
    ),
)
"""The calls of this file."""
