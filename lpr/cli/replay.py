"""``lpr replay fold|shadow|pixel``: run the log through today's code. Nothing is changed by it.

fold: what an actor knows after the recorded events. shadow: what today's code, or other settings (``--set
vote.min_confidence=0.5``), would have decided otherwise. pixel: the engines once more on the kept pictures; they were
kept as JPEGs, so a plate that is hardly legible may read otherwise though nothing has changed.
"""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

import lpr
from lpr.cli.config import load
from lpr.cli.output import CommandError, Progress, say, say_json
from lpr.cli.places import add_place, folder, open_reader, run_async
from lpr.core import replay
from lpr.core.actor import Decider
from lpr.core.blobs import BlobStore
from lpr.events import Event


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("replay", help="run the log through today's code", description=__doc__)
    kinds = command.add_subparsers(dest="kind", metavar="fold|shadow|pixel", required=True)
    fold = kinds.add_parser("fold", help="what an actor knows after the recorded events, as JSON")
    fold.set_defaults(run=_fold)
    shadow = kinds.add_parser("shadow", help="what today's code or other settings would decide otherwise")
    shadow.set_defaults(run=_shadow)
    pixel = kinds.add_parser(
        "pixel", help="what the engines read on the kept pictures now (hardly legible ones may differ by the JPEG)"
    )
    pixel.set_defaults(run=_pixel)
    for one in (fold, shadow, pixel):
        add_place(one)
        one.add_argument("--upto", type=int, metavar="SEQ", help="stop at this record")
        one.add_argument("--json", action="store_true", help="one JSON object a line")
    for one in (fold, shadow):
        one.add_argument("--actor", default="voter", metavar="NAME", help="whose state or decisions (voter)")


def _decider(options: argparse.Namespace) -> Decider[Any]:
    from lpr.service import deciders

    known = deciders(load(options).config)
    if options.actor not in known:
        raise CommandError(f"--actor {options.actor}: there are {', '.join(known)}")
    return known[options.actor]


def _fold(options: argparse.Namespace) -> int:
    decider = _decider(options)

    async def work() -> Any:
        async with open_reader(folder(options)) as log:
            return await replay.fold(log, decider, upto=options.upto)

    state = msgspec.json.encode(run_async(work))
    say((state if options.json else msgspec.json.format(state, indent=2)).decode())
    return 0


def _shadow(options: argparse.Namespace) -> int:
    decider = _decider(options)

    async def work() -> int:
        count = 0
        async with open_reader(folder(options)) as log:
            async for difference in replay.shadow(log, decider, upto=options.upto):
                count += 1
                if options.json:
                    then, now = ([_json(event) for event in side] for side in (difference.recorded, difference.today))
                    say_json({"cause": difference.cause, "recorded": then, "today": now})
                else:
                    say(f"record {difference.cause}")
                    say(f"  then: {_short(difference.recorded)}")
                    say(f"  now:  {_short(difference.today)}")
        return count

    count = run_async(work)
    if not options.json:
        say(f"{count} difference{'s' if count != 1 else ''}")
    return 1 if count else 0


def _pixel(options: argparse.Namespace) -> int:
    from lpr.vision.engine import open_engine

    place = folder(options)
    engine = open_engine(load(options).config.engine)
    progress = Progress("pictures read again")

    async def work() -> tuple[int, int]:
        pictures = different = 0
        async with open_reader(place) as log:
            found = replay.pixel(log, BlobStore(place.blobs), engine, _decode, upto=options.upto)
            async for difference in found:
                pictures += 1
                progress.step()
                if difference is None:
                    continue
                different += 1
                progress.clear()
                if options.json:
                    say_json(msgspec.to_builtins(difference))
                elif difference.problem:
                    say(f"{difference.capture}: {difference.problem}")
                else:
                    then, now = (", ".join(texts) or "nothing" for texts in (difference.recorded, difference.today))
                    say(f"{difference.capture}: then {then}; now {now}")
        return pictures, different

    pictures, different = run_async(work)
    progress.clear()
    if not options.json:
        say(f"{pictures} pictures, {different} read otherwise")
    return 1 if different else 0


def _decode(data: bytes) -> Any:
    """For the replay: an unreadable picture is a ValueError."""
    from lpr.library import as_array

    try:
        return as_array(data)
    except lpr.ImageError as error:
        raise ValueError(str(error)) from None


def _json(event: Event) -> dict[str, Any]:
    return {"type": type(event).__name__, **msgspec.to_builtins(event)}


def _short(events: tuple[Event, ...]) -> str:
    """The events in words: type, and the plate with its confidence where there is one."""
    words: list[str] = []
    for event in events:
        plate, confidence = getattr(event, "plate", None), getattr(event, "confidence", None)
        about = f" {plate} {confidence:.0%}" if isinstance(plate, str) and isinstance(confidence, float) else ""
        reason = getattr(event, "reason", "")
        words.append(f"{type(event).__name__}{about}" + (f" ({reason})" if reason else ""))
    return "; ".join(words) or "nothing"
