"""What a page is made in: the reader's language, the device's time, the user; and the one pipeline of all pages.

May import this room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from lpr.http.audit import Audit, clean_query
from lpr.web import auth
from lpr.web.problems import Problem, printable
from lpr.web.render import Moments, render, zone_of
from lpr.web.routes import Access
from lpr.web.services import SERVICES, Services
from lpr.web.sessions import Session
from lpr.web.texts import LANGUAGES, Texts, choose_language, texts_of
from lpr.web.users import User

LANGUAGE_COOKIE = "lpr_lang"
YEAR = 31_536_000


@dataclass(frozen=True)
class View:
    """One page on its way. ``form``: the fields of a posted form."""

    request: web.Request
    services: Services
    texts: Texts
    moments: Moments
    user: User | None = None
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def who(self) -> tuple[User, Session]:
        """The logged-in user."""
        if self.user is None or self.session is None:
            raise Problem("not_logged_in")
        return self.user, self.session

    def html(self, template: str, *, here: str = "", status: int = 200, **values: Any) -> web.Response:
        """A rendered page."""
        rest = [(name, value) for name, value in self.request.query.items() if name != "lang"]
        body = render(
            template,
            self.texts,
            self.moments,
            user=self.user,
            csrf=self.session.csrf if self.session else "",
            here=here,
            lang_query=f"{urlencode(rest)}&" if rest and self.request.method == "GET" else "",
            offset=self.services.context.config.sign.utc_offset,
            **values,
        )
        return web.Response(
            status=status,
            body=printable(body).encode(),
            content_type="text/html",
            charset="utf-8",
            headers={"Vary": "Accept-Language, Cookie"},
        )

    def sentence(self, problem: Problem) -> str:
        """A problem in the reader's language."""
        text = self.texts.get(f"problem.{problem.code}", "")
        return text.format(detail=problem.detail) if text else f"{problem.detail}. {problem.kind.remedy}"


Maker = Callable[[View], Awaitable[web.StreamResponse]]


def view_of(request: web.Request) -> View:
    """The view of a request, nobody logged in."""
    services = request.app[SERVICES]
    language = choose_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language", ""))
    zone = zone_of(services.context.config.sign.utc_offset)
    return View(request, services, texts_of(language), Moments(zone))


def page(
    make: Maker, *, access: Access = "user", audit: Audit = "each", path: str = ""
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a page: language, log-in, forged requests, time limit, audit trail.

    ``path``: what the audit trail says instead of the address, for calls that are summed.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        view = view_of(request)
        if request.method == "GET" and "lang" in request.query:
            return _switch(request)
        auth.refuse_foreign(request, view.services)
        found = auth.identify(request, view.services)
        if found is not None:
            user, session, _ = found
            view.services.guard.knows(request.protocol)
            view.services.audit.check()
            view = View(request, view.services, view.texts, view.moments, user, session)
        limit = view.services.context.config.web.request_timeout
        try:
            async with asyncio.timeout(limit):
                if request.method == "POST":
                    view = await _with_form(view)
                response = _elsewhere(view, access) or await make(view)
        except TimeoutError:
            raise Problem("request_timeout", f"not done after {limit:g} seconds") from None
        except Problem as problem:
            await _written(view, audit, path, problem.kind.status)
            raise
        await _written(view, audit, path, response.status)
        return response

    return handle


def _elsewhere(view: View, access: Access) -> web.Response | None:
    """Where somebody is sent who may not see this page yet. Raises Problem for one who never may."""
    if access == "open":
        return None
    if view.user is None:
        target = view.request.rel_url if view.request.method == "GET" else "/"
        return see_other(f"/login?next={quote(str(target), safe='')}" if str(target) != "/" else "/login")
    if view.user.temporary and access != "any":
        return see_other("/password")
    if access == "administrator" and view.user.role != "administrator":
        raise Problem("not_allowed")
    return None


async def _with_form(view: View) -> View:
    if view.request.content_type != "application/x-www-form-urlencoded":
        raise Problem("unsupported_media", f"the Content-Type is {view.request.content_type[:80]}")
    posted = await view.request.post()
    form = {name: value for name, value in posted.items() if isinstance(value, str)}
    if view.session is not None:
        auth.check_csrf(view.request, view.services, view.session, form.get("csrf"))
    return View(view.request, view.services, view.texts, view.moments, view.user, view.session, form)


async def _written(view: View, audit: Audit, path: str, status: int) -> None:
    if view.user is not None:
        request = view.request
        await view.services.audit.called(
            audit,
            view.user.name,
            request.remote or "",
            request.method,
            path or request.path[:256],
            clean_query(request.query),
            status,
        )


def _switch(request: web.Request) -> web.Response:
    """``?lang=pt`` on any page: remember the language, show the page again."""
    rest = [(name, value) for name, value in request.query.items() if name != "lang"]
    response = see_other(request.path + (f"?{urlencode(rest)}" if rest else ""))
    language = request.query["lang"]
    if language in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, path="/", max_age=YEAR, httponly=True, samesite="Lax", secure=request.secure
        )
    return response


def see_other(target: str) -> web.Response:
    """303: look there."""
    return web.Response(status=303, headers={"Location": local(target)})


def local(target: str) -> str:
    """A target on this server; anything else becomes the start page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and len(target) <= 2048 else "/"
