"""The sockets of VIVOTEK's stop-and-go cameras (Neural Labs): client, server and trigger server. May import this room.

What a setting means on the wire, and which of them rest on guesses: docs/protocols/neural.md.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from lpr.config.base import Count, Name, Port, Positive, Section

Network: TypeAlias = Annotated[
    str, Meta(min_length=2, max_length=64, description="an address, or a network as 10.0.0.0/8")
]

# fmt: off
InfoplateField: TypeAlias = Literal[
    "DateHour", "Engine", "Plate", "Confidence", "Country", "CountryID", "ProcTime", "CharHeight", "CamID", "CamName",
    "ImageLeft", "ImageTop", "ImageWidth", "ImageHeight", "Path", "DirectionVector", "img", "ComputerID", "Feedback",
    "IncidenceID", "LocationID", "LaneName", "LaneID", "Evidences", "CountryISO2", "CountryISO3", "EventID", "Speed",
    "GPSLat", "GPSLon", "List", "ListName", "CharConfidence", "VehicleMake", "VehicleClass", "VehicleColor",
    "VehicleType", "GUID",
]
# fmt: on
"""The fields of a message by their names on the wire."""


class NeuralMessages(Section, frozen=True, kw_only=True):
    """How messages are written; the same for all three.

    ``form``: all documented fields, or ``short_fields`` alone. ``framed``: with ``NEURAL`` and the size in front.
    ``end``: put behind each message.
    ``camera_ids``: camera -> CamID. ``country_names``, ``country_ids``: ISO 3166-1 alpha-2 -> Country, CountryID.
    ``columns``: further elements, name -> text with macros ({PLT}, {DTE}, …).
    """

    form: Literal["full", "short"] = "full"
    short_fields: Annotated[
        tuple[InfoplateField, ...], Meta(max_length=64, description="of the short form; empty: ours")
    ] = ()
    framed: bool = True
    declaration: Annotated[bool, Meta(description="XML begins with its declaration")] = True
    picture_size: Annotated[
        Literal["jpeg", "base64"], Meta(description="what imgSize counts: the JPEG's bytes or its base64's characters")
    ] = "jpeg"
    json_numbers: Annotated[bool, Meta(description="numbers as numbers in JSON; false: as text")] = True
    end: Literal["none", "lf", "crlf", "nul"] = "none"
    computer_id: Annotated[str, Meta(max_length=64)] = "1"
    location_id: Annotated[str, Meta(max_length=64)] = ""
    camera_ids: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    country_names: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    country_ids: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    columns: Annotated[dict[str, str], Meta(max_length=64)] = msgspec.field(default_factory=dict[str, str])


class NeuralPassages(NeuralMessages, frozen=True, kw_only=True):
    """What is sent of each passage, by client and server.

    ``picture``: what ``img`` is; ``plate_evidence``: the plate as an evidence too. ``cameras``: whose passages; empty:
    all.
    """

    format: Literal["XML", "XML_IMG", "JSON", "JSON_IMG"] = "XML_IMG"
    picture: Literal["full", "plate"] = "full"
    plate_evidence: bool = False
    cameras: tuple[str, ...] = ()


class NeuralClient(NeuralPassages, frozen=True, kw_only=True):
    """The action Socket Client: passages are sent to a receiver that listens.

    ``confirm``: what shows that a passage has arrived: "closed": the receiver closed the connection after us; or
    "received": its machine has the bytes, and ``linger`` seconds later it had not refused them.
    """

    name: Name = "neural-client"
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 17000
    confirm: Literal["received", "closed"] = "received"
    linger: Annotated[float, Meta(gt=0, le=60)] = 1.0
    timeout: Positive = 15.0
    retry_first: Positive = 1.0
    retry_max: Positive = 300.0
    max_attempts: Annotated[int, Meta(ge=0, description="0: without end")] = 0


class NeuralServer(NeuralPassages, frozen=True, kw_only=True):
    """The action Socket Server: whoever connects gets every passage from then on. The protocol has no log-in.

    ``allow``: who may connect; empty: this machine alone.
    """

    name: Name = "neural-server"
    host: str = "127.0.0.1"
    port: Port = 8051
    allow: Annotated[tuple[Network, ...], Meta(max_length=256)] = ()
    max_clients: Count = 128
    max_clients_per_address: Count = 32
    connects: Annotated[int, Meta(ge=1, description="connections a minute and address")] = 60
    max_input: Annotated[int, Meta(ge=0, description="bytes a reader may send, which mean nothing")] = 65536
    send_timeout: Annotated[float, Meta(gt=0, description="a reader that takes nothing for so long is dropped")] = 30.0
    buffer: Annotated[int, Meta(ge=65536, description="bytes waiting for one reader")] = 1_048_576


class NeuralTrigger(NeuralMessages, frozen=True, kw_only=True):
    """The action Trigger server: who sends ``message`` gets what the camera reads at that moment.

    ``camera``: which; none: the first. ``period``: seconds between two triggers; one that comes too early is answered
    ``refused``. ``no_plate``: the answer when there is none to read. ``simple_end``: put behind the answer SIMPLE.
    ``allow``: who may connect; empty: this machine alone.
    """

    name: Name = "neural-trigger"
    host: str = "127.0.0.1"
    port: Port = 8052
    camera: str | None = None
    message: Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\r\n\x00]+$")] = "TRIGGER"
    answer: Literal["SIMPLE", "XML", "XML_IMG", "JSON", "JSON_IMG"] = "SIMPLE"
    period: Annotated[float, Meta(ge=4, description="seconds; the manual allows no less than 4")] = 4.0
    captures: Annotated[int, Meta(ge=1, le=8, description="exposures of one trigger")] = 1
    capture_timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0
    no_plate: Annotated[str, Meta(max_length=64)] = "NOPLATE"
    refused: Annotated[str, Meta(max_length=64)] = "REFUSED"
    simple_end: Literal["none", "lf", "crlf", "nul"] = "none"
    allow: Annotated[tuple[Network, ...], Meta(max_length=256)] = ()
    max_clients: Count = 32
    max_clients_per_address: Count = 8
    connects: Annotated[int, Meta(ge=1, description="connections a minute and address")] = 60
    pause: Annotated[float, Meta(gt=0, description="an unfinished message is discarded after so many seconds")] = 0.5
    idle_timeout: Annotated[
        float, Meta(gt=0, description="a connection that has not triggered anything yet ends after so many seconds")
    ] = 600.0
    send_timeout: Annotated[float, Meta(gt=0, description="a client that takes nothing for so long is dropped")] = 10.0
