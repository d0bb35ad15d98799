"""A vehicle in view, and the event that is made of it in the end: a passage, or readings that were discarded.

Pure. Imports ``lpr.events`` and ``lpr.plates``.
"""

from __future__ import annotations

import msgspec

from lpr.events import Micros, PassageDecided, ReadingsDiscarded
from lpr.plates import unplated
from lpr.plates.attributes import attributes
from lpr.plates.categories import category_of, vehicle_of
from lpr.plates.tracks import Trail
from lpr.plates.voting import Ballot, Elected
from lpr.plates.ways import direction


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle in view. ``first_at``/``last_at``: frame times. ``decided``: reported, or discarded, and now watched.

    ``reported``: the plate that is settled for it (its passage's, or that of an identical one), None when
    there is none. ``seen_from``: µs of the source's clock from which ``longest`` counts.
    """

    trail: Trail
    lane: str
    first_at: Micros
    last_at: Micros
    seen_from: Micros
    reads: int = 1
    ballots: tuple[Ballot, ...] = ()
    decided: bool = False
    reported: str | None = None


def discarded(source: str, track: Track, elected: Elected, reason: str) -> ReadingsDiscarded:
    """What is recorded of a vehicle that is no passage, and why."""
    return ReadingsDiscarded(
        source=source,
        lane=track.lane,
        plate=elected.plate,
        confidence=elected.confidence,
        reads=track.reads,
        first_at=track.first_at,
        last_at=track.last_at,
        reason=reason,
    )


def passage(source: str, track: Track, elected: Elected) -> PassageDecided:
    """The passage of a vehicle: what was elected, and what its best picture shows."""
    best = elected.best
    readings = [ballot.reading for ballot in track.ballots]
    known = attributes(readings)
    bare = unplated.is_unplated(readings)
    box, corners = unplated.frame_of(best.reading) if bare else (best.reading.box, best.reading.corners)
    return PassageDecided(
        source=source,
        lane=track.lane,
        plate=elected.plate,
        confidence=elected.confidence,
        characters=elected.characters,
        country=elected.country,
        layout=elected.layout,
        at=best.at,
        first_at=track.first_at,
        last_at=track.last_at,
        capture=best.capture,
        exposure=best.exposure,
        picture=elected.picture,
        box=box,
        corners=corners,
        direction=direction(track.trail.growth),
        reads=track.reads,
        votes=elected.votes,
        pictures=elected.pictures,
        plate_colour=elected.plate_colour,
        trigger=best.trigger,
        vehicle=known.kind or vehicle_of(elected.layout),
        vehicle_colour=known.colour,
        make=known.make,
        model=known.model,
        plate_category=category_of(elected.country, elected.layout, elected.plate_colour, known.ink),
        plated=not bare,
    )
