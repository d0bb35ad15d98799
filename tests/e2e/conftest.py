"""What the end-to-end tests share: each film is made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import harness, numbered


@pytest.fixture
def anyio_backend() -> str:
    """The whole service is asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four vehicles in twelve seconds."""
    return numbered.write_film(tmp_path_factory.mktemp("film") / "numbers.avi", 4 * numbered.PERIOD)


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of the rendered street."""
    return harness.film(tmp_path_factory.mktemp("street"), 6.0)
