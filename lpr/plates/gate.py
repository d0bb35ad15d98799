"""Which looks at a scene are worth recording, so that a parked car or a jam gives a trickle and not a flood.

Free flow looks at up to eight frames a second; the log and the disk need only what tells the voter something new.
A look is recorded

* with its pictures, when a plate in it is new, is one of a vehicle's first few in another place, is larger or
  surer than all before, or reads differently; each vehicle has a budget;
* as a *sighting*, a capture without pictures, when a vehicle has moved or has been in view for a while: the voter
  then knows that it is still there; and while one that moves was never read clearly: what many doubtful looks say
  together is more than what the best of them says;
* as a sighting followed by FramesPassed when another vehicle has gone, as FramesPassed alone when all have, and
  rarely to mark progress.

Two kinds of memory: ``Scene`` is a fold of what was recorded and of nothing else; ``Glance`` is what was seen since
the last record and is empty right after one. So a run that is resumed behind its last record, with the scene folded
from the log, decides on every following frame as the uninterrupted one would have.
Pure and total; bounded. Imports ``lpr.events`` and ``lpr.plates``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from lpr.events import CaptureTaken, FramesPassed, Micros, PlateRead, Reading
from lpr.plates.tracks import SECOND, Trail, apart, assign, begin, follow, moved, place_of, stands
from lpr.plates.voting import Rules

MAX_FOLLOWED = 64
"""Vehicles followed at once; beyond that the one unseen for longest is forgotten."""


class GateRules(msgspec.Struct, frozen=True, kw_only=True):
    """How much is recorded. Durations in seconds of the source's time.

    ``first``: a vehicle's first pictures are kept as soon as it has moved by ``step`` plate widths or ``pause`` has
    passed, ``doubted`` of them as long as it wasn't read with the confidence ``clear``; later ones, up to ``most``,
    only when the plate is ``taller`` times as tall as ever before, when ``surer`` of what was left of doubt is gone,
    or (``versions`` times) when it reads differently. ``alive``: a standing vehicle is noted so often; ``astir``: one
    that moved by ``stride`` widths, or has just come to a stand; at once: one that sets off; at every look, up to
    ``doubts`` times: one that moves and wasn't read with the confidence ``clear`` yet, for its readings are fused.
    ``shift``: plate widths that it has moved by at least then. ``progress``: FramesPassed at least so often.
    ``memory``: a vehicle out of sight is known for so long.
    """

    first: int = 3
    doubted: int = 8
    clear: float = 0.9
    most: int = 16
    versions: int = 4
    step: float = 0.5
    shift: float = 0.1
    pause: float = 0.6
    taller: float = 1.25
    surer: float = 0.35
    stride: float = 1.5
    astir: float = 1.0
    doubts: int = 24
    alive: float = 10.0
    progress: float = 20.0
    memory: float = 120.0


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle as it was recorded. ``pictures``: captures of it with pictures; ``earned``: of those, for its own sake;
    ``versions``: of those, because it read differently. ``doubts``: sightings while it was in doubt. ``tallest``: plate
    height in pixels; ``surest``: confidence.

    ``pictured``, ``recorded``: when last, µs of the source's clock. ``gone``: the voter was told that it is away.
    """

    trail: Trail
    pictures: int = 0
    earned: int = 0
    versions: int = 0
    doubts: int = 0
    tallest: float = 0.0
    surest: float = 0.0
    pictured: Micros = 0
    recorded: Micros = 0
    gone: bool = False


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded of one source. ``clock``: µs, sum of the steps forward; ``at``: the frame time it stands at."""

    clock: Micros = 0
    at: Micros | None = None
    followed: tuple[Followed, ...] = ()
    born: int = 0


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What was read on one exposure. ``at``: frame time; ``position``: of the frame in its source."""

    at: Micros
    position: int
    readings: tuple[Reading, ...] = ()


class Glimpse(msgspec.Struct, frozen=True, kw_only=True):
    """A followed vehicle as it was last seen without being recorded. ``trail``: with what was seen since the record."""

    trail: Trail
    at: Micros
    position: int
    reading: Reading


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen since the last record, by the numbers of the followed vehicles. ``first``: time of the first look
    at a scene of which nothing is recorded yet."""

    seen: dict[int, Glimpse] = {}
    first: Micros | None = None


Kept: TypeAlias = Literal["pictures", "sighting", "nothing"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a look. ``reason``: for CaptureTaken and for people. ``passes``: FramesPassed follows.

    ``before``: sightings to be recorded first, oldest first: where vehicles that this look doesn't show, or shows in
    another place than they were recorded in, were last seen. So the voter need not bridge long gaps.
    """

    keep: Kept
    reason: str = ""
    passes: bool = False
    before: tuple[Shown, ...] = ()


def look(
    scene: Scene, glance: Glance, exposures: Sequence[Shown], rules: Rules, gate: GateRules, still: bool = False
) -> tuple[Glance, Verdict]:
    """Judge one look, its exposures in order; one without readings shows that time has passed.

    Returns what was seen since the last record; to be replaced by an empty Glance when the verdict is recorded.
    """
    if still:
        worth = any(_worth(reading, rules) for shown in exposures for reading in shown.readings)
        return glance, Verdict(keep="pictures", reason="photograph") if worth else Verdict(keep="nothing")
    first = None if scene.at is not None or not exposures else exposures[0].at if glance.first is None else glance.first
    clock, at = scene.clock, scene.at if first is None else first
    seen = dict(glance.seen)
    picture, sighting = "", ""
    readings: list[Reading] = []
    for shown in exposures:
        clock, at = clock + (0 if at is None else max(0, shown.at - at)), shown.at
        readings = apart(shown.readings)
        trails = [_newest(known, seen) for known in scene.followed]
        given = assign(trails, readings, clock, rules)
        for reading, index in zip(readings, given, strict=True):
            if index is None:
                picture = picture or (f"new plate {reading.text}".rstrip() if _worth(reading, rules) else "")
                continue
            known = scene.followed[index]
            trail = follow(trails[index], reading, clock)
            seen[trail.number] = Glimpse(trail=trail, at=shown.at, position=shown.position, reading=reading)
            picture = picture or _picture(known, reading, clock, rules, gate)
            sighting = sighting or _sighting(known, reading, clock, gate)
    left = any(_left(known, seen, clock, rules) for known in scene.followed)
    due = clock - scene.clock >= gate.progress * SECOND
    keep: Kept = "pictures" if picture else "sighting" if readings and (sighting or left) else "nothing"
    before = _before(scene, glance, seen, clock, rules) if left or keep != "nothing" else ()
    reason = picture or sighting or ("another has left" if keep == "sighting" else "")
    passes = left or (due and keep == "nothing")
    return Glance(seen=seen, first=first), Verdict(keep=keep, reason=reason, passes=passes, before=before)


def recorded(scene: Scene, capture: CaptureTaken, reads: Sequence[PlateRead], rules: Rules, gate: GateRules) -> Scene:
    """The scene after a capture and its readings were recorded."""
    if capture.still:
        return _forget(_advance(scene, capture.at), rules, gate)
    times = tuple(exposure.at for exposure in capture.exposures) or (capture.at,)
    before = {known.trail.number: known for known in scene.followed}
    for exposure, at in enumerate(times):
        scene = _advance(scene, at)
        readings = apart(each.reading for each in reads if each.exposure == exposure)
        followed = list(scene.followed)
        born = scene.born
        given = assign([each.trail for each in followed], readings, scene.clock, rules)
        for reading, index in zip(readings, given, strict=True):
            if index is None:
                followed.append(_entered(begin(born, reading, scene.clock), reading, bool(capture.exposures)))
                born += 1
            else:
                known = followed[index]
                was = before.get(known.trail.number, known)
                known = msgspec.structs.replace(known, trail=follow(known.trail, reading, scene.clock))
                followed[index] = _again(known, was, reading, bool(capture.exposures), rules, gate)
        scene = msgspec.structs.replace(scene, followed=tuple(followed), born=born)
    return _forget(scene, rules, gate)


def marked(scene: Scene, mark: FramesPassed, rules: Rules, gate: GateRules) -> Scene:
    """The scene after FramesPassed was recorded."""
    return _forget(_advance(scene, mark.at), rules, gate)


def _worth(reading: Reading, rules: Rules) -> bool:
    return bool(reading.text) or rules.unread or not reading.plated


def _picture(known: Followed, reading: Reading, clock: Micros, rules: Rules, gate: GateRules) -> str:
    """Why this reading deserves a picture, "" when it doesn't."""
    if not _worth(reading, rules) or known.earned >= gate.most:
        return ""
    place = place_of(reading, clock)
    waited = clock - known.pictured >= gate.pause * SECOND
    first = gate.first if known.surest >= gate.clear else gate.doubted
    if known.pictures < first and (waited or moved(known.trail, place) >= gate.step):
        return f"{reading.text} again".lstrip()
    if not reading.text:
        return ""
    if place.height >= gate.taller * known.tallest:
        return f"{reading.text} nearer"
    if reading.confidence >= known.surest + max(0.02, gate.surer * (1.0 - known.surest)):
        return f"{reading.text} surer"
    if known.versions < gate.versions and _other(known, reading):
        return f"{reading.text} instead of {known.trail.text}"
    return ""


def _sighting(known: Followed, reading: Reading, clock: Micros, gate: GateRules) -> str:
    since = clock - known.recorded
    if since >= gate.alive * SECOND:
        return "still in view"
    if (
        stands(known.trail)
        and since >= gate.pause * SECOND
        and moved(known.trail, place_of(reading, clock)) >= gate.step
    ):
        return "sets off"
    if _in_doubt(known, gate) and reading.text and moved(known.trail, place_of(reading, clock)) >= gate.shift:
        return f"{reading.text} in doubt"
    if since >= gate.astir * SECOND:
        if moved(known.trail, place_of(reading, clock)) >= gate.stride:
            return "moved"
        if not stands(known.trail):
            return "stands"
    return ""


def _in_doubt(known: Followed, gate: GateRules) -> bool:
    return known.surest < gate.clear and known.doubts < gate.doubts


def _left(known: Followed, seen: dict[int, Glimpse], clock: Micros, rules: Rules) -> bool:
    """Whether a vehicle is away since longer than ``gone_after``, and nobody has said so."""
    last = _newest(known, seen).seen
    return clock - last > rules.gone_after * SECOND and (not known.gone or known.trail.number in seen)


def _newest(known: Followed, seen: dict[int, Glimpse]) -> Trail:
    glimpse = seen.get(known.trail.number)
    return known.trail if glimpse is None else glimpse.trail


def _before(scene: Scene, glance: Glance, seen: dict[int, Glimpse], clock: Micros, rules: Rules) -> tuple[Shown, ...]:
    """The last sightings before this look (``glance``), of vehicles that it doesn't show or shows in another place.

    Only where they came well after the last record: without them the voter would have to bridge a long gap.
    """
    least = rules.gone_after * SECOND / 2
    last: list[Glimpse] = []
    for known in scene.followed:
        number = known.trail.number
        glimpse = glance.seen.get(number)
        if glimpse is None or glimpse.trail.seen <= known.trail.seen + least:
            continue
        now = seen[number].trail
        if now.seen < clock or moved(known.trail, now.last) > 0.5:
            last.append(glimpse)
    frames = {(each.at, each.position) for each in last}
    return tuple(
        Shown(at=at, position=position, readings=tuple(each.reading for each in last if each.at == at))
        for at, position in sorted(frames)
    )


def _entered(trail: Trail, reading: Reading, pictured: bool) -> Followed:
    return Followed(
        trail=trail,
        pictures=int(pictured),
        tallest=trail.last.height if pictured else 0.0,
        surest=reading.confidence if pictured else 0.0,
        pictured=trail.born,
        recorded=trail.born,
    )


def _again(known: Followed, was: Followed, reading: Reading, pictured: bool, rules: Rules, gate: GateRules) -> Followed:
    """A followed vehicle after one more record. ``was``: before this capture, whose exposures count once."""
    clock = known.trail.seen
    known = msgspec.structs.replace(known, recorded=clock, gone=False)
    if not pictured:
        return msgspec.structs.replace(known, doubts=known.doubts + int(_in_doubt(was, gate)))
    why = _picture(was, reading, clock, rules, gate)
    return msgspec.structs.replace(
        known,
        pictures=was.pictures + 1,
        earned=was.earned + int(bool(why)),
        versions=was.versions + int(_other(was, reading)),
        tallest=max(known.tallest, known.trail.last.height) if reading.text else known.tallest,
        surest=max(known.surest, reading.confidence),
        pictured=clock,
    )


def _other(known: Followed, reading: Reading) -> bool:
    """Whether the vehicle was not read like this before."""
    return bool(reading.text) and all(reading.text != said.text for said in known.trail.said)


def _advance(scene: Scene, at: Micros) -> Scene:
    step = 0 if scene.at is None else max(0, at - scene.at)
    return msgspec.structs.replace(scene, clock=scene.clock + step, at=at)


def _forget(scene: Scene, rules: Rules, gate: GateRules) -> Scene:
    """Mark those that are away, forget those that are long away."""
    memory = max(gate.memory, rules.gone_after) * SECOND
    followed = [
        known
        if known.gone or scene.clock - known.trail.seen <= rules.gone_after * SECOND
        else msgspec.structs.replace(known, gone=True)
        for known in scene.followed
        if scene.clock - known.trail.seen <= memory
    ]
    followed.sort(key=lambda known: -known.trail.seen)
    return msgspec.structs.replace(scene, followed=tuple(followed[:MAX_FOLLOWED]))
