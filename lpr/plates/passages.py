"""The life of the vehicles in one source's view: captures and readings in, passages out. A fold, nothing else.

The readings of a capture arrive one by one and are settled together when the capture is over (the next one begins,
or the source says that time has passed), because which plate is whose can only be told when all are known. Then

* a vehicle unseen for ``gone_after`` has passed: its readings are voted on, and it is remembered for
  ``still_in_view`` in case it only stood hidden;
* one in view for ``longest`` is voted on and from then on watched, without another word (if it is read poorly so
  far, it has as long again to come nearer);
* one whose vote says too little (``min_confidence``, ``min_readings``) is discarded, and has another chance when it
  can be read better; one whose plate passed less than ``same_plate_interval`` ago is discarded;
* a stray misread, always beside a vehicle and never together with it, is no vehicle of its own;
* a still photograph stands for itself: each plate in it is a passage.

Time is the source's own: the sum of the steps forward of its frames' times, so a clock set back an hour neither
closes nor keeps anything. Pure and total; at most ``MAX_TRACKS`` vehicles and ``MAX_BALLOTS`` readings of each.
Imports ``lpr.events`` and ``lpr.plates``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from lpr.events import CaptureTaken, Micros, PassageDecided, PlateRead, Reading, ReadingsDiscarded
from lpr.plates import unplated
from lpr.plates.legible import trusted
from lpr.plates.texts import part_of
from lpr.plates.tracks import SECOND, SURE, apart, assign, begin, beside, follow
from lpr.plates.verdicts import Track, discarded, passage
from lpr.plates.voting import Ballot, Elected, Rules, elect

Outcome: TypeAlias = PassageDecided | ReadingsDiscarded

MAX_TRACKS = 64
"""Vehicles followed at once in one source; beyond that the one unseen for longest is let go."""

MAX_BALLOTS = 40
"""Readings kept of one vehicle; beyond that the poorest of the middle goes."""

MAX_PENDING = 128
"""Readings of one capture that are looked at."""

MAX_RECENT = 256
"""Plates remembered for ``same_plate_interval``."""

STRAY_SIGHTS = 2
"""A misread that makes a vehicle of its own was seen so often at most; twice that when it is unsure."""

STRAY_CONFIDENCE = 0.9
"""A vote at least this sure stands for itself, however short the vehicle was seen, unless it is a part of another."""

IDENTICAL = "identical plate"
"""The reason of ReadingsDiscarded within ``same_plate_interval``."""


class Recent(msgspec.Struct, frozen=True, array_like=True):
    """A plate that has passed. ``seen``: when last, µs of the source's clock."""

    plate: str
    seen: Micros


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything remembered of one source.

    ``clock``: µs, the sum of all steps forward; ``at``: the frame time that it stands at, None before the first.
    ``capture``, ``pending``: the capture whose readings are still coming. ``live``, ``base``: what
    SourceOpened said.
    """

    source: str = ""
    live: bool = True
    base: Micros = 0
    clock: Micros = 0
    at: Micros | None = None
    capture: CaptureTaken | None = None
    pending: tuple[PlateRead, ...] = ()
    tracks: tuple[Track, ...] = ()
    recent: tuple[Recent, ...] = ()
    born: int = 0


Step: TypeAlias = tuple[View, tuple[Outcome, ...]]


def taken(view: View, capture: CaptureTaken, rules: Rules) -> Step:
    """A capture begins: the one before is over."""
    view, outcomes = settle(view, rules)
    return msgspec.structs.replace(view, capture=capture), outcomes


def read(view: View, reading: PlateRead) -> View:
    """One plate of the capture that was taken last."""
    if view.capture is None or view.capture.capture != reading.capture or len(view.pending) >= MAX_PENDING:
        return view
    return msgspec.structs.replace(view, pending=(*view.pending, reading))


def passed(view: View, at: Micros, rules: Rules) -> Step:
    """Nothing more came up to the frame time ``at``."""
    view, settled = settle(view, rules)
    view, closed = _close(_advance(view, at), rules)
    return view, settled + closed


def ended(view: View, rules: Rules) -> Step:
    """Nothing more will come: every vehicle has passed. Only the plates of the last while are remembered."""
    view, settled = settle(view, rules)
    outcomes: list[Outcome] = list(settled)
    for track in view.tracks:
        if not track.decided:
            view, outcome = _decide(view, track, rules)
            outcomes.extend(outcome)
    recent = _recent(view, [track for track in view.tracks if track.reported], rules)
    return msgspec.structs.replace(view, tracks=(), recent=recent), tuple(outcomes)


def settle(view: View, rules: Rules) -> Step:
    """Give the readings of the last capture to their vehicles; those that are due are decided."""
    capture, pending = view.capture, view.pending
    if capture is None:
        return view, ()
    view = msgspec.structs.replace(view, capture=None, pending=())
    if capture.still:
        return _photograph(view, capture, pending, rules)
    for exposure, at in enumerate(exposure_times(capture)):
        view = _advance(view, at)
        readings = apart(each.reading for each in pending if each.exposure == exposure)
        view = _see(view, capture, exposure, at, readings, rules)
    return _close(view, rules)


def exposure_times(capture: CaptureTaken) -> tuple[Micros, ...]:
    """When each exposure was taken; a sighting (a capture without pictures) has the one time of the capture."""
    return tuple(exposure.at for exposure in capture.exposures) or (capture.at,)


def _advance(view: View, at: Micros) -> View:
    """Move the source's clock to the frame time ``at``; a step back stands still."""
    step = 0 if view.at is None else max(0, at - view.at)
    return msgspec.structs.replace(view, clock=view.clock + step, at=at)


def _see(
    view: View, capture: CaptureTaken, exposure: int, at: Micros, readings: Sequence[Reading], rules: Rules
) -> View:
    tracks = list(view.tracks)
    given = assign([track.trail for track in tracks], readings, view.clock, rules)
    born = view.born
    for reading, index in zip(readings, given, strict=True):
        ballot = _ballot(capture, exposure, at, reading)
        if index is not None:
            tracks[index] = _again(tracks[index], reading, ballot, at, view.clock, rules)
            continue
        trail = begin(born, reading, view.clock)
        born += 1
        tracks.append(
            Track(trail=trail, lane=capture.lane, first_at=at, last_at=at, seen_from=view.clock, ballots=(ballot,))
        )
    return msgspec.structs.replace(view, tracks=tuple(tracks), born=born)


def _again(track: Track, reading: Reading, ballot: Ballot, at: Micros, clock: Micros, rules: Rules) -> Track:
    """The same vehicle once more. One that was discarded has a new chance with a reading that is good enough."""
    reopened = track.decided and track.reported is None and _promising(reading, rules)
    ballots = track.ballots
    if not track.decided or reopened:
        ballots = _keep((*ballots, ballot))
    return msgspec.structs.replace(
        track,
        trail=follow(track.trail, reading, clock),
        first_at=at if reopened else track.first_at,
        last_at=at,
        reads=1 if reopened else track.reads + 1,
        ballots=ballots,
        decided=track.decided and not reopened,
        seen_from=clock if reopened else track.seen_from,
    )


def _promising(reading: Reading, rules: Rules) -> bool:
    return bool(reading.text) and trusted(reading).confidence >= rules.min_confidence


def _ballot(capture: CaptureTaken, exposure: int, at: Micros, reading: Reading) -> Ballot:
    return Ballot(
        capture=capture.capture,
        exposure=exposure,
        at=at,
        trigger=capture.trigger,
        picture=capture.exposures[exposure].picture if exposure < len(capture.exposures) else None,
        reading=reading,
    )


def _keep(ballots: tuple[Ballot, ...]) -> tuple[Ballot, ...]:
    """At most ``MAX_BALLOTS``, in their order: the poorest goes, but never the newest (for "last N") or a picture's."""
    if len(ballots) <= MAX_BALLOTS:
        return ballots
    older = range(len(ballots) - 1)
    sure = [trusted(ballot.reading).confidence for ballot in ballots]
    worst = min(older, key=lambda index: (ballots[index].picture is not None, sure[index], index))
    return ballots[:worst] + ballots[worst + 1 :]


def _close(view: View, rules: Rules) -> Step:
    """Decide those that are due, forget those that are long gone, keep within bounds. Oldest first."""
    gone, hidden = (round(seconds * SECOND) for seconds in (rules.gone_after, rules.still_in_view))
    outcomes: list[Outcome] = []
    crowd = len(view.tracks) - MAX_TRACKS
    surplus = {track.trail.number for track in sorted(view.tracks, key=lambda track: track.trail.seen)[: max(0, crowd)]}
    for track in view.tracks:
        unseen = view.clock - track.trail.seen
        over = unseen > gone or track.trail.number in surplus
        if not track.decided and (over or _ripe(track, view.clock - track.seen_from, rules)):
            view, outcome = _decide(view, track, rules)
            outcomes.extend(outcome)
    forgotten = [
        track
        for track in view.tracks
        if track.decided and (view.clock - track.trail.seen > max(hidden, gone) or track.trail.number in surplus)
    ]
    if forgotten:
        lost = {track.trail.number for track in forgotten}
        kept = tuple(track for track in view.tracks if track.trail.number not in lost)
        recent = _recent(view, [track for track in forgotten if track.reported], rules)
        view = msgspec.structs.replace(view, tracks=kept, recent=recent)
    return view, tuple(outcomes)


def _ripe(track: Track, age: Micros, rules: Rules) -> bool:
    """Whether a vehicle still in view is to be decided now; one read poorly may come nearer, as long again."""
    if age < rules.longest * SECOND or len(track.ballots) < rules.min_readings:
        return False
    elected = elect(track.ballots, rules)
    needed = max(SURE, rules.min_confidence) if age < 2 * rules.longest * SECOND else rules.min_confidence
    return elected is not None and bool(elected.plate) and elected.confidence >= needed


def _decide(view: View, track: Track, rules: Rules) -> Step:
    """Vote on a vehicle; it is watched from now on."""
    elected = elect(track.ballots, rules)
    reason = _objection(view, track, elected, rules)
    trail = track.trail
    if elected is not None and elected.plate:
        trail = msgspec.structs.replace(trail, plate=tuple(elected.characters))
    reported = elected.plate if elected is not None and not reason else None
    if elected is not None and reason == IDENTICAL:
        reported = elected.plate
    done = msgspec.structs.replace(track, trail=trail, ballots=(), decided=True, reported=reported)
    tracks = tuple(done if each.trail.number == trail.number else each for each in view.tracks)
    view = msgspec.structs.replace(view, tracks=tracks)
    if elected is None:
        return view, ()
    if reason:
        return view, (discarded(view.source, track, elected, reason),)
    return view, (passage(view.source, track, elected),)


def _objection(view: View, track: Track, elected: Elected | None, rules: Rules) -> str:
    """Why these readings make no passage, "" when they do."""
    if elected is None:
        return "no picture"
    if len(track.ballots) < rules.min_readings:
        return "too few readings"
    if not elected.plate:
        return _unread(view, track, rules)
    if elected.confidence < rules.min_confidence:
        return "low reliability"
    if _passed_lately(view, track, elected.plate, rules):
        return IDENTICAL
    host = _host(view, track, elected)
    return f"misread of {host}" if host else ""


def _unread(view: View, track: Track, rules: Rules) -> str:
    """Why a vehicle without a text makes no passage, "" when it does."""
    if unplated.is_unplated(ballot.reading for ballot in track.ballots):
        others = [other.trail for other in view.tracks]
        return unplated.objection(track.trail, others, rules.unplated_readings)
    return "" if rules.unread else "unread"


def _passed_lately(view: View, track: Track, plate: str, rules: Rules) -> bool:
    """Whether the same plate was reported and last seen less than ``same_plate_interval`` before this vehicle came."""
    since = track.trail.born - round(rules.same_plate_interval * SECOND)
    if any(each.plate == plate and each.seen > since for each in view.recent):
        return True
    return any(
        each.reported == plate and each.trail.seen > since and each.trail.number != track.trail.number
        for each in view.tracks
    )


def _host(view: View, track: Track, elected: Elected) -> str:
    """The plate of the vehicle that a stray misread belongs to, "" when it stands for itself."""
    allowed = STRAY_SIGHTS if elected.confidence >= SURE else 2 * STRAY_SIGHTS
    for other in view.tracks:
        if other.trail.number == track.trail.number or other.trail.sights <= track.trail.sights:
            continue
        text = other.reported or other.trail.text
        if len(elected.plate) < len(text) and (elected.plate in text or part_of(elected.plate, text)):
            stray = track.trail.sights <= 2 * STRAY_SIGHTS
        else:
            stray = track.trail.sights <= allowed and elected.confidence < STRAY_CONFIDENCE
            stray = stray and other.trail.confidence > elected.confidence
        if stray and beside(other.trail, track.trail):
            return text
    return ""


def _photograph(view: View, capture: CaptureTaken, pending: Sequence[PlateRead], rules: Rules) -> Step:
    """A still: each plate in it is a vehicle that has passed at once, whatever passed before."""
    view, outcomes = passed(view, capture.at, rules)
    found: list[Outcome] = list(outcomes)
    for exposure in sorted({each.exposure for each in pending}):
        for reading in apart(each.reading for each in pending if each.exposure == exposure):
            ballot = _ballot(capture, exposure, capture.at, reading)
            track = Track(
                trail=begin(view.born, reading, view.clock),
                lane=capture.lane,
                first_at=capture.at,
                last_at=capture.at,
                seen_from=view.clock,
                ballots=(ballot,),
            )
            view = msgspec.structs.replace(view, born=view.born + 1)
            alone = View(source=view.source, clock=view.clock, tracks=(track,))
            found.extend(_decide(alone, track, msgspec.structs.replace(rules, min_readings=1))[1])
    return view, tuple(found)


def _recent(view: View, tracks: Sequence[Track], rules: Rules) -> tuple[Recent, ...]:
    """The plates that passed lately, with those of ``tracks``, which are forgotten."""
    since = view.clock - round((rules.same_plate_interval + rules.longest) * SECOND)
    seen = {each.plate: each.seen for each in view.recent}
    for track in tracks:
        if track.reported:
            seen[track.reported] = max(track.trail.seen, seen.get(track.reported, track.trail.seen))
    kept = sorted(((when, plate) for plate, when in seen.items() if when > since), reverse=True)[:MAX_RECENT]
    return tuple(Recent(plate, when) for when, plate in kept)
