"""What became of each vehicle of a drive, for people: which passages it made, and which reading went to which track.

``accounts`` gives a page of text for every vehicle that didn't pass exactly once with its own plate, so that whoever
changes a rule sees why. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lpr.events import PassageDecided, Reading, ReadingsDiscarded
from lpr.scene.street import Truth
from tools.drives.running import START, Run, place
from tools.drives.scores import key_at, readable


def accounts(
    frames: Sequence[Sequence[Truth]], looks: Sequence[Sequence[Reading]], run: Run, rate: float
) -> list[tuple[str, str]]:
    """(what was wrong, the account) of each vehicle that was missed, doubled or read wrongly, and of what was none.

    ``frames``: the truth of each; ``looks``: the readings of each; ``run``: what became of them; ``rate``: frames a
    second. Vehicles that nobody could read may be missed, and may pass once with any text.
    """
    wanted = readable(frames)
    passed: dict[int | None, list[PassageDecided]] = defaultdict(list)
    for passage in run.passages:
        passed[key_of(frames, passage, rate)].append(passage)
    found: list[tuple[str, str]] = []
    for key in sorted({*passed, *wanted}, key=lambda each: -1 if each is None else each):
        own = passed[key]
        fault = _fault(None if key is None else wanted.get(key), own, key)
        if fault:
            lines = [f"vehicle {key} {wanted.get(key, '') if key is not None else ''} {fault}"]
            lines += [f"  passed: {_told(each, rate)}" for each in own]
            lines += [f"  discarded: {_told(each, rate)} ({each.reason})" for each in run.discarded]
            lines += _followed(frames, looks, run, key)
            found.append((fault, "\n".join(lines)))
    return found


def key_of(frames: Sequence[Sequence[Truth]], passage: PassageDecided, rate: float) -> int | None:
    """The vehicle that a passage's picture shows, None for none."""
    index = round((passage.at - START) / 1e6 * rate)
    shown = Reading(text="", confidence=0.0, characters=(), box=passage.box, corners=passage.corners)
    return key_at(frames[index], place(shown))


def _fault(plate: str | None, own: Sequence[PassageDecided], key: int | None) -> str:
    if key is None:
        return "false"
    if len(own) > 1:
        return "doubled"
    if plate is None:
        return ""
    return "missed" if not own else "" if own[0].plate == plate else "wrong"


def _told(passage: PassageDecided | ReadingsDiscarded, rate: float) -> str:
    first, last = (round((at - START) / 1e6 * rate) for at in (passage.first_at, passage.last_at))
    return f"{passage.plate or '-'} {passage.confidence:.2f}, frames {first} to {last}, {passage.reads} readings"


def _followed(
    frames: Sequence[Sequence[Truth]], looks: Sequence[Sequence[Reading]], run: Run, key: int | None
) -> list[str]:
    """A line for each frame in which the vehicle is: its plate's width and what was read there, by which track."""
    number = {(sight.index, round(sight.place.x), round(sight.place.y)): sight.number for sight in run.sights}
    lines: list[str] = []
    for index, readings in enumerate(looks):
        said: list[str] = []
        for reading in readings:
            at = place(reading)
            if key_at(frames[index], at) == key:
                track = number.get((index, round(at.x), round(at.y)))
                to = "not recorded" if track is None else f"track {track}"
                size = f"{at.width:.0f}x{at.height:.0f} at {at.x:.0f},{at.y:.0f}"
                said.append(f"{reading.text or '-'} {reading.confidence:.2f} {size} {to}")
        truth = next((truth for truth in frames[index] if truth.key == key), None)
        if said or (truth is not None and truth.visible > 0.2):
            width = "" if truth is None else f"{truth.width:.0f} px, {truth.visible:.0%} in view"
            lines.append(f"  {index}: {width}; {'; '.join(said)}")
    return lines
