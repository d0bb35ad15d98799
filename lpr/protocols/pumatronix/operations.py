"""What there is of Pumatronix's API, one by one: done, partly, or not and why. The table of the docs is made from this,
the server answers by it, and a test holds the three together. Imports nothing of ours.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["done", "partly", "not"]
Level: TypeAlias = Literal["open", "user", "operator", "administrator"]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """``path``: below ``/api``. ``level``: the least account that may; ``says``: what it does here, or why it is not
    there."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    state: State
    says: str
    level: Level = "user"


def _get(path: str, state: State, says: str, level: Level = "user") -> Operation:
    return Operation(method="GET", path=path, state=state, says=says, level=level)


def _put(path: str) -> Operation:
    says = "accepted when it changes nothing; else refused with the key of lpr.toml: settings are fixed while it runs"
    return Operation(method="PUT", path=path, state="partly", says=says, level="administrator")


def _not(method: Literal["GET", "POST", "PUT", "DELETE"], path: str, why: str) -> Operation:
    return Operation(method=method, path=path, state="not", says=why)


_CLIENT = "it configures what the camera sends; here that is [[push]], [[mqtt]] and the others in lpr.toml"
_LENS = "a source of frames has no lens, flash or exposure that could be driven"
_PROFILES = "there is one profile; image settings belong to the source of frames"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path="/auth",
        state="done",
        says="a bearer token for a machine's account or a user; wrong log-ins are bounded",
        level="open",
    ),
    _get("/lastframe.cgi", "done", "the newest picture of the source, JPEG"),
    _get(
        "/snapshot.cgi",
        "partly",
        "a capture now, recorded and read; several exposures as multipart/related; q and User_ done, of s and g their"
        " number, m, c, r, t and fmt=png refused",
        "operator",
    ),
    _get("/mjpegvideo.cgi", "done", "multipart/x-mixed-replace until the client leaves"),
    _get(
        "/trigger.cgi",
        "done",
        "each capture as it happens, on one connection (pumatronix.trigger_form: its form); force=1 takes one now"
        " (operator)",
    ),
    _not("GET", "/reboot.cgi", "this is a service: its service manager restarts it"),
    _get("/equipment/ocr", "partly", "limits, threads, time-out, country; not the reader's internals"),
    _put("/equipment/ocr"),
    _get("/equipment/classifier", "partly", "whether it is on and from which score; not regions and speed"),
    _put("/equipment/classifier"),
    _get("/equipment/analytics", "partly", "the majority vote; not its regions"),
    _put("/equipment/analytics"),
    _get("/equipment/lanes", "partly", "the camera's lane; lanes by regions do not exist"),
    _put("/equipment/lanes"),
    _get("/equipment/misc", "partly", "the quality of JPEGs"),
    _put("/equipment/misc"),
    _get("/equipment/misc/readonly/volatile", "partly", "frames a second; no GPS, lens or sensor"),
    _get("/equipment/imageSign", "partly", "whether pictures are signed"),
    _put("/equipment/imageSign"),
    _get("/equipment/general", "partly", "name, model, serial number (form unverified)"),
    _put("/equipment/general"),
    _get("/equipment/dateAndTime", "partly", "the time and the offset of local time (form unverified)"),
    _not("PUT", "/equipment/dateAndTime", "the machine's clock is set by the machine (NTP)"),
    _get("/equipment/ioPorts", "done", "an empty list: there are no ports"),
    _not("PUT", "/equipment/ioPorts", "there are no ports"),
    _not("GET", "/equipment/network", "the machine's network is not the service's business"),
    _not("PUT", "/equipment/network", "the machine's network is not the service's business"),
    _not("GET", "/equipment/transitioner", _PROFILES),
    _not("PUT", "/equipment/transitioner", _PROFILES),
    _not("GET", "/equipment/autofocus", _LENS),
    _not("PUT", "/equipment/autofocus", _LENS),
    _not("GET", "/equipment/vehicleIndicator", "there are no ports"),
    _not("PUT", "/equipment/vehicleIndicator", "there are no ports"),
    *(
        _not(method, f"/equipment/servers/{name}", _CLIENT)
        for name in ("ftp", "itscampro", "lince", "protocols", "restapiclient")
        for method in ("GET", "PUT")
    ),
    _get("/image/profiles", "partly", "the one profile: trigger and number of exposures"),
    _not("POST", "/image/profiles", _PROFILES),
    _not("PUT", "/image/profiles", _PROFILES),
    _not("DELETE", "/image/profiles", _PROFILES),
    _get("/video/streams", "partly", "the MJPEG stream; H.264 and H.265 are RTSP's ([rtsp])"),
    _put("/video/streams"),
    _get("/system/licenses", "done", "the serial number; nothing here needs a licence"),
    _get("/system/firmware", "partly", "the release (form unverified)"),
    _not("GET", "/system/users", "users are managed over this service's own REST API and pages"),
    _not("GET", "/system/audit", "the audit trail is read over this service's own REST API and pages"),
    _not("GET", "/system/logs/connection", "the log is read over this service's own REST API and `lpr log`"),
)
"""Everything that is known of the API by name. ``…/schema`` of an address: not; what form it has is not published."""


def rows() -> list[str]:
    """The table of docs/protocols/pumatronix.md, line by line."""
    lines = ["| operation | here | level | what it does, or why not |", "|---|---|---|---|"]
    for one in OPERATIONS:
        level = one.level if one.state != "not" else ""
        lines.append(f"| `{one.method} /api{one.path}` | {one.state} | {level} | {one.says} |")
    return lines
