"""Behind a proxy: whose word about the caller counts."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from lpr.http.forwarded import behind, caller, networks

pytestmark = pytest.mark.anyio
PROXIES = networks(["10.0.0.0/8", "127.0.0.1", "::1"])


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp is asyncio's."""
    return "asyncio"


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_the_last_address_that_no_proxy_vouches_for(peer: str, forwarded: str, found: str) -> None:
    assert caller(peer, forwarded, PROXIES) == found


@given(st.text(max_size=60), st.text(max_size=200))
def test_anything_may_stand_there(peer: str, forwarded: str) -> None:
    assert caller(peer, forwarded, PROXIES) == peer


@given(st.text(max_size=200))
def test_what_a_client_invents_before_the_proxys_entry_counts_for_nothing(invented: str) -> None:
    assert caller("10.0.0.1", f"{invented},198.51.100.7", PROXIES) == "198.51.100.7"


@pytest.mark.parametrize(
    ("believed", "headers", "answer"),
    [
        (("127.0.0.1",), {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}, "198.51.100.1 True"),
        (("127.0.0.1",), {"X-Forwarded-Proto": "gopher"}, "127.0.0.1 False"),
        (("10.0.0.1",), {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}, "127.0.0.1 False"),
    ],
)
async def test_handlers_see_the_caller(believed: tuple[str, ...], headers: dict[str, str], answer: str) -> None:
    async def show(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {request.secure}")

    app = web.Application(middlewares=[behind(networks(believed))])
    app.router.add_get("/{name}", show)
    async with TestClient(TestServer(app)) as client:
        assert await (await client.get("/x", headers=headers)).text() == answer
