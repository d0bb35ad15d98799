"""What Pumatronix's documents show of the configuration."""

from __future__ import annotations

import pytest

from lpr.actors.device_http.pumatronix.world import shown_settings
from lpr.config import Camera, Config, Engine, Pumatronix, Sign


@pytest.mark.parametrize(
    ("countries", "shown"),
    [((), 0), (("AR", "BR"), 54), (("southern-cone",), 76), (("us",), 0), (("us", "AR"), 54)],
)
def test_the_country_is_the_first_that_has_a_code(countries: tuple[str, ...], shown: int) -> None:
    config = Config(engine=Engine(countries=countries), sign=Sign(country_codes={"BR": 76, "AR": 54}))
    settings = shown_settings(config, Camera(), Pumatronix(), serial="1", release="1")
    assert settings.country_code == shown
