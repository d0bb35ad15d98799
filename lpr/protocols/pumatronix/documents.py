"""The JSON documents of Pumatronix's API that map onto what this device has, and what a partial PUT would change.

A document is made of fields: where it stands in the maker's document, what it is now, and the key of ``lpr.toml`` it
comes from. Settings are fixed while the service runs, so a PUT that asks for what is so already succeeds (clients read,
change one thing and write it back), and one that asks for something else is refused with the key that would have to
change.
Names of fields: from the maker's published data types; units marked "unverified" in docs/protocols/pumatronix.md.
Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec

Json: TypeAlias = Any
MAX_FIELDS = 512
"""Values in a PUT at most."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration shows in the documents. ``min_confidence``, ``min_vehicle_score``: 0 to 1;
    ``same_plate_interval``, ``timeout``: seconds; ``utc_offset``: "+02:00"; ``serial``: unique, lasting."""

    device: str
    serial: str
    release: str
    utc_offset: str
    max_plates: int
    threads: int
    timeout: float
    min_confidence: float
    country_code: int
    voting: bool
    max_different_characters: int
    same_plate_interval: float
    best_exposure_only: bool
    vehicles: bool
    vehicles_without_plate: bool
    makes: bool
    min_vehicle_score: float
    lane: str
    jpeg_quality: int
    signing: bool
    motion: bool
    trigger_threshold: float
    exposures: int
    stream_rate: float
    stream_quality: int


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """``path``: names from the outside in; ``value``: JSON; ``key``: of ``lpr.toml``, "" for what nobody can set."""

    path: tuple[str, ...]
    value: Json
    key: str = ""


class PutError(ValueError):
    """The body of a PUT can't be used, or asks for what can't be. ``str(error)`` says what and what to do."""


def _fields(outer: str, values: Mapping[str, tuple[Json, str]]) -> tuple[Field, ...]:
    return tuple(
        Field(path=(outer, name) if outer else (name,), value=value, key=key) for name, (value, key) in values.items()
    )


def settings_fields(of: Settings) -> dict[str, tuple[Field, ...]]:
    """Address below ``/api`` -> its fields, of those that can be read and put."""
    return {
        "/equipment/ocr": _fields(
            "ocr",
            {
                "enabled": (True, ""),
                "licensed": (True, ""),
                "maxPlates": (of.max_plates, "engine.max_plates"),
                "minProbPerChar": (round(100 * of.min_confidence, 2), "vote.min_confidence"),
                "processingThreads": (of.threads, "engine.threads"),
                "processingTimeout": (round(1000 * of.timeout), "engine.timeout"),
                "countryCode": (of.country_code, "engine.countries"),
            },
        ),
        "/equipment/classifier": _fields(
            "classifier",
            {
                "enabled": (of.vehicles, "engine.vehicles.enabled"),
                "licensed": (True, ""),
                "enableCharacteristics": (of.makes, "engine.vehicles.makes"),
                "enableSpeed": (False, ""),
                "minProbability": (round(100 * of.min_vehicle_score, 2), "engine.vehicles.min_score"),
                "triggerEnabled": (False, ""),
            },
        ),
        "/equipment/analytics": _fields(
            "voting",
            {
                "enabled": (of.voting, "vote.enabled"),
                "maxDiffChars": (of.max_different_characters, "vote.max_different_characters"),
                "samePlateDebounce": (round(1000 * of.same_plate_interval), "vote.same_plate_interval"),
                "keepBestOnly": (of.best_exposure_only, "vote.best_exposure_only"),
                "useClassifier": (of.vehicles, "engine.vehicles.enabled"),
                "forwardWithoutPlateIfTracker": (of.vehicles_without_plate, "engine.vehicles.find"),
            },
        ),
        "/equipment/lanes": (
            Field(path=("enabled",), value=bool(of.lane), key="cameras.lane"),
            Field(path=("region0", "name"), value=of.lane, key="cameras.lane"),
        ),
        "/equipment/misc": _fields("", {"jpegQuality": (of.jpeg_quality, "engine.jpeg_quality")}),
        "/equipment/imageSign": _fields("sign", {"enabled": (of.signing, "sign.enabled"), "loaded": (of.signing, "")}),
        "/equipment/general": _fields(
            "", {"name": (of.device, "device"), "model": ("lpr", ""), "serial": (of.serial, "")}
        ),
        "/video/streams": (
            Field(path=("mjpeg", "available"), value=True),
            Field(path=("mjpeg", "main", "available"), value=True),
            Field(path=("mjpeg", "main", "enabled"), value=True, key="pumatronix"),
            Field(path=("mjpeg", "main", "framerate"), value=of.stream_rate, key="pumatronix.stream_rate"),
            Field(path=("mjpeg", "main", "quality"), value=of.stream_quality, key="pumatronix.stream_quality"),
        ),
    }


def document(fields: Sequence[Field]) -> dict[str, Json]:
    """The JSON object of the fields."""
    made: dict[str, Json] = {}
    for field in fields:
        node = made
        for name in field.path[:-1]:
            node = cast("dict[str, Json]", node.setdefault(name, {}))
        node[field.path[-1]] = field.value
    return made


def unchanged(fields: Sequence[Field], body: bytes) -> None:
    """Whether a partial PUT of ``body`` would leave everything as it is. Raises PutError when not, saying why."""
    known = {field.path: field for field in fields}
    for path, value in _leaves(body):
        field = known.get(path)
        name = ".".join(path)
        if field is None:
            raise PutError(f"{name}: this device has no such setting")
        if not _same(field.value, value):
            remedy = f"set {field.key} in lpr.toml and restart" if field.key else "nothing can change it"
            shown = msgspec.json.encode(field.value).decode()
            raise PutError(f"{name} is {shown} and fixed while the service runs: {remedy}")


def _same(one: Json, other: Json) -> bool:
    """JSON's equality: ``true`` is not 1."""
    return (isinstance(one, bool) == isinstance(other, bool)) and bool(one == other)


def _leaves(body: bytes) -> list[tuple[tuple[str, ...], Json]]:
    try:
        root: Json = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise PutError("the body is no JSON") from None
    if not isinstance(root, dict):
        raise PutError("the body is to be a JSON object")
    found: list[tuple[tuple[str, ...], Json]] = []
    waiting: list[tuple[tuple[str, ...], Json]] = [((), cast("Json", root))]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(((*path, name), value) for name, value in cast("dict[str, Json]", node).items())
        else:
            found.append((path, node))
        if len(found) + len(waiting) > MAX_FIELDS:
            raise PutError(f"more than {MAX_FIELDS} values")
    return found


# --- what is only read ----------------------------------------------------------------------------------


def profiles(of: Settings) -> list[Json]:
    """The one image profile: whatever the source of frames does."""
    trigger = {"enabled": of.motion, "threshold": of.trigger_threshold}
    several = {"enabled": of.exposures > 1}
    return [{"id": 0, "active": True, "name": "default", "trigger": trigger, "multipleExposures": several}]


def volatile(rate: float) -> Json:
    """``/equipment/misc/readonly/volatile``. ``rate``: frames a second of the source."""
    return {"fps": {"mjpeg": round(rate, 2)}, "gps": {"available": False}, "profile": {"id": 0, "name": "default"}}


def date_and_time(of: Settings, now: str) -> Json:
    """``now``: ISO 8601 in UTC."""
    return {"utc": now, "utcOffset": of.utc_offset}


def licenses(of: Settings) -> Json:
    """Nothing here needs a licence."""
    return {"analytics": {}, "deviceId": {"serial": of.serial}}


def firmware(of: Settings) -> Json:
    """What runs."""
    return {"version": of.release}


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The inner part of a log-in's body."""

    username: str
    password: str


class _Auth(msgspec.Struct, frozen=True, kw_only=True):
    params: Login


def login_of(body: bytes) -> Login | None:
    """The log-in in the body of ``POST /api/auth``: ``{"params": {"username", "password"}}``; None: it is none."""
    try:
        return msgspec.json.decode(body, type=_Auth).params
    except (msgspec.MsgspecError, RecursionError):
        return None


def logged_in(number: int, user: str, admin: bool, since: str | None, token: str) -> Json:
    """The answer to a log-in. ``since``: of the log-in before this one, ISO 8601, or None."""
    return {"id": number, "username": user, "isAdmin": admin, "lastLoggedIn": since, "token": token}
