"""The pages: log-in, live, search, one passage with its why, status, users. Server-rendered; scripts only add to them.

May import this room, ``lpr.core``, ``lpr.plates``.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from lpr.web import auth, page_passages, page_users
from lpr.web.api_cameras import list_cameras
from lpr.web.api_session import change_password, enter
from lpr.web.auth import drop_cookie, set_cookie
from lpr.web.models import PageQuery
from lpr.web.passages import documents
from lpr.web.problems import Problem
from lpr.web.render import STATIC
from lpr.web.routes import Call, Nothing
from lpr.web.views import View, local, page, see_other, view_of

LATEST = 12
"""Passages shown beside the live picture."""


def mount(app: web.Application) -> None:
    """Add the pages and their static files."""
    router = app.router
    router.add_get("/", page(live))
    router.add_get("/login", page(login, access="open", audit="none"))
    router.add_post("/login", page(log_in, access="open", audit="none"))
    router.add_post("/logout", page(log_out, access="any"))
    router.add_get("/password", page(password, access="any"))
    router.add_post("/password", page(set_password, access="any"))
    router.add_get("/status", page(status, audit="sum", path="/status"))
    page_passages.mount(app)
    page_users.mount(app)
    router.add_get("/static/{name}", static)


async def static(request: web.Request) -> web.StreamResponse:
    """A file of the folder static; cached for good, as its address carries a mark of its content."""
    name = request.match_info["name"]
    if name not in {file.name for file in STATIC.iterdir()}:
        raise Problem("unknown_path", f"there is nothing at {request.path[:200]}")
    marked = "public, max-age=31536000, immutable" if "v" in request.query else "public, max-age=300"
    return web.FileResponse(STATIC / name, headers={"Cache-Control": marked})


async def problem_page(request: web.Request, problem: Problem) -> web.Response:
    """An error for people. Who is logged in keeps the way to the other pages."""
    view = view_of(request)
    found = auth.identify(request, view.services)
    if found is not None:
        view = replace(view, user=found[0], session=found[1])
    response = view.html(
        "error.html", status=problem.kind.status, number=problem.kind.status, text=view.sentence(problem)
    )
    response.headers.update(problem.headers)
    return response


async def live(view: View) -> web.Response:
    """The live picture and the latest passages."""
    user, session = view.who
    cameras = list_cameras(Call(view.request, view.services, Nothing(), Nothing(), user, session))
    wanted = view.request.query.get("camera")
    camera = next((one for one in cameras if one.name == wanted), cameras[0] if cameras else None)
    head = view.services.context.log.head
    try:
        rows, _ = await view.services.passages.page(PageQuery(limit=LATEST))
    except Problem:
        rows = []
    return view.html("live.html", here="live", cameras=cameras, camera=camera, passages=documents(rows), head=head)


async def login(view: View) -> web.Response:
    """The log-in form."""
    if view.user is not None:
        return see_other(local(view.request.query.get("next", "/")))
    return _login_form(view)


def _login_form(view: View, *, problem: str = "", name: str = "", status: int = 200) -> web.Response:
    users = view.services.context.users.list()
    following = local(view.form.get("next") or view.request.query.get("next", "/"))
    first = len(users) == 1 and users[0].temporary
    return view.html("login.html", status=status, problem=problem, name=name, next=following, first=first)


async def log_in(view: View) -> web.Response:
    """Check the form; the cookie goes out with the way to the page that was wanted."""
    name, secret = view.form.get("user", "")[:64], view.form.get("password", "")[:1024]
    try:
        token, _, user = await enter(view.request, view.services, name, secret)
    except Problem as problem:
        return _login_form(view, problem=view.sentence(problem), name=name, status=problem.kind.status)
    response = see_other("/password" if user.temporary else local(view.form.get("next", "/")))
    set_cookie(view.request, response, token)
    return response


async def log_out(view: View) -> web.Response:
    """End the session."""
    view.services.log_out(view.who[1])
    response = see_other("/login")
    drop_cookie(view.request, response)
    return response


async def password(view: View) -> web.Response:
    """The form to change the own password."""
    return view.html("password.html", problem="", done=False)


async def set_password(view: View) -> web.Response:
    """Change it. Somebody with a temporary one goes on to the start page."""
    user, session = view.who
    form = view.form
    if form.get("new") != form.get("repeat"):
        return view.html("password.html", status=422, problem=view.texts("password.differ"), done=False)
    try:
        await change_password(
            view.request, view.services, user, session, form.get("current", "")[:1024], form.get("new", "")[:1024]
        )
    except Problem as problem:
        return view.html("password.html", status=problem.kind.status, problem=view.sentence(problem), done=False)
    return see_other("/") if user.temporary else view.html("password.html", problem="", done=True)


async def status(view: View) -> web.Response:
    """How the service is."""
    return view.html("status.html", here="status", report=await view.services.context.status())
