"""What the web's tests share: a filled site, and clients of its API and pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lpr.web.app import build_app
from tests.web.sample import ADMIN, OPERATOR, SECRET, Site, open_site

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def anyio_backend() -> str:
    """The web room is aiohttp's, so asyncio alone."""
    return "asyncio"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """Eight passages, an administrator and an operator."""
    async with open_site(tmp_path) as made:
        await made.fill(8)
        yield made


@pytest.fixture
async def client(site: Site) -> AsyncGenerator[Client]:
    """A client without a log-in."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with TestClient(TestServer(build_app(site.context)), cookie_jar=jar) as made:
        yield made


async def bearer(client: Client, user: str = ADMIN, password: str = SECRET) -> dict[str, str]:
    """The headers of a logged-in caller."""
    answer = await client.post("/api/v1/login", json={"user": user, "password": password})
    assert answer.status == 200, await answer.text()
    return {"Authorization": f"Bearer {(await answer.json())['token']}"}


@pytest.fixture
async def admin(client: Client) -> dict[str, str]:
    """Headers of the administrator."""
    return await bearer(client)


@pytest.fixture
async def operator(client: Client) -> dict[str, str]:
    """Headers of the operator."""
    return await bearer(client, OPERATOR)
