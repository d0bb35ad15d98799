"""The users' page, for administrators. A new password is made here and shown once. May import this room."""

from __future__ import annotations

from aiohttp import web

from lpr.web.problems import Problem
from lpr.web.users import UserError, one_time_password
from lpr.web.views import View, page, see_other


def mount(app: web.Application) -> None:
    """Add the page."""
    app.router.add_get("/users", page(show, access="administrator"))
    app.router.add_post("/users", page(change, access="administrator"))


async def show(view: View) -> web.Response:
    """All users."""
    return _show(view)


def _show(view: View, *, problem: str = "", made: tuple[str, str] | None = None, status: int = 200) -> web.Response:
    users = view.services.context.users.list()
    return view.html("users.html", here="users", users=users, problem=problem, made=made, status=status)


async def change(view: View) -> web.Response:
    """Do what the pressed button says."""
    services, by = view.services, view.who[0].name
    users = services.context.users
    name, role = view.form.get("user", "")[:64], view.form.get("role", "")
    secret = one_time_password(services.context.clock.random_bytes(32))
    try:
        match view.form.get("do"):
            case "add":
                await users.add(name, role, secret, by=by)
                return _show(view, made=(name, secret))
            case "password":
                await users.set_password(name, secret, by=by, temporary=True)
                services.log_out_user(name)
                return _show(view, made=(name, secret))
            case "role":
                await users.set_role(name, role, by=by)
            case "remove":
                await users.remove(name, by=by)
                services.log_out_user(name)
            case _:
                raise Problem("bad_parameter", "do: none of add, password, role, remove")
    except UserError as error:
        problem = Problem(error.code, str(error))
        return _show(view, problem=view.sentence(problem), status=problem.kind.status)
    return see_other("/users")
