"""From the configuration to what Pumatronix's documents show of it. Pure. May import ``lpr.config`` and
``lpr.plates``."""

from __future__ import annotations

from lpr.config import Camera, Config, Pumatronix
from lpr.plates.formats import countries_of
from lpr.protocols.pumatronix.documents import Settings


def shown_settings(config: Config, camera: Camera, settings: Pumatronix, *, serial: str, release: str) -> Settings:
    """``camera``: the one whose settings are shown; ``serial``: unique, lasting; ``release``: of lpr."""
    engine, vote, vehicles, trigger = config.engine, config.vote, config.engine.vehicles, camera.trigger
    codes = config.sign.country_codes
    countries = [codes[one] for one in countries_of(engine.countries) if one in codes]
    return Settings(
        device=config.device,
        serial=serial,
        release=release,
        utc_offset=config.sign.utc_offset,
        max_plates=engine.max_plates,
        threads=engine.threads,
        timeout=engine.timeout,
        min_confidence=vote.min_confidence,
        country_code=countries[0] if countries else 0,
        voting=vote.enabled,
        max_different_characters=vote.max_different_characters,
        same_plate_interval=vote.same_plate_interval,
        best_exposure_only=vote.best_exposure_only,
        vehicles=vehicles.enabled,
        vehicles_without_plate=vehicles.enabled and vehicles.find,
        makes=vehicles.enabled and vehicles.makes is not None,
        min_vehicle_score=vehicles.min_score,
        lane=camera.lane,
        jpeg_quality=engine.jpeg_quality,
        signing=config.sign.enabled,
        motion=trigger.kind == "motion",
        trigger_threshold=trigger.threshold,
        exposures=settings.exposures,
        stream_rate=settings.stream_rate,
        stream_quality=settings.stream_quality,
    )
