"""What every test shares: both event loops, hypothesis without deadlines, a log in a temporary folder.

A test marked ``anyio`` runs on asyncio and on trio. Tests of parts that are asyncio's alone override
``anyio_backend`` in their own folder.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each test of the core runs on both."""
    return str(request.param)
