"""Every event of the log, in the order in which a passage lives them. Read this first.

An event is a frozen msgspec struct. The log stores it with its type name and version in columns of
their own (see ``lpr.core.record``), stamps it with the time and derives its id; events carry neither.

======== ==============================================================================================
base     times, places in pictures, the two bases of everything
values   what events of a passage are made of: characters, readings, vehicles, pictures
service  the service and its log: starts and stops, damage, the chain, actors that failed
users    users and the audit trail
source   a source of frames: opened, stalled, lost, ended, how far it was looked at
passage  from the capture that a trigger took to the signed pictures
delivery one passage to one sink, with its attempts
servers  protocol servers: listening, clients, what they got and changed, abuse
======== ==============================================================================================

Everybody imports from ``lpr.events``; the files are for reading.

Units, everywhere: times are integer **microseconds since the Unix epoch, UTC** (``Micros``), durations
are seconds (``float``) unless a name says otherwise, coordinates are pixels of the named picture with
the origin at the top left corner, x to the right and y down, confidences run from 0 to 1.

Evolution: a new field with a default keeps the version; a changed meaning gets a new ``version`` and an
upcaster in ``lpr.core.upcast``. History is never edited. The files import ``base`` and ``values``, nothing
else of ours.
"""

from __future__ import annotations

from lpr.events import delivery, passage, servers, service, source, users
from lpr.events.base import Box, Corners, Event, Micros, Point, Value
from lpr.events.delivery import Delivered, DeliveryFailed, DeliveryParked, DeliveryRequested
from lpr.events.passage import (
    CaptureFailed,
    CaptureTaken,
    PassageDecided,
    PassageSigned,
    PlateRead,
    ReadingsDiscarded,
    Vote,
)
from lpr.events.servers import (
    AbuseSeen,
    ClientJoined,
    ClientLeft,
    ClientServed,
    FileTransferred,
    OnvifChanged,
    OnvifStream,
    ServerListening,
)
from lpr.events.service import (
    ActorFailed,
    ActorParked,
    Baseline,
    BlobMissing,
    ChainSigned,
    ClockStepped,
    LogPruned,
    LogRecovered,
    ServiceStarted,
    ServiceStopped,
    TimerFired,
)
from lpr.events.source import (
    FramesPassed,
    SourceChanged,
    SourceEnded,
    SourceLost,
    SourceOpened,
    SourceReported,
    SourceStalled,
)
from lpr.events.users import ApiCalled, LoggedIn, LoginFailed, PasswordSet, UserAdded, UserChanged, UserRemoved
from lpr.events.values import COLOURS, Character, Exposure, Picture, Reading, Vehicle

__all__ = [
    "COLOURS",
    "EVENTS",
    "AbuseSeen",
    "ActorFailed",
    "ActorParked",
    "ApiCalled",
    "Baseline",
    "BlobMissing",
    "Box",
    "CaptureFailed",
    "CaptureTaken",
    "ChainSigned",
    "Character",
    "ClientJoined",
    "ClientLeft",
    "ClientServed",
    "ClockStepped",
    "Corners",
    "Delivered",
    "DeliveryFailed",
    "DeliveryParked",
    "DeliveryRequested",
    "Event",
    "Exposure",
    "FileTransferred",
    "FramesPassed",
    "LogPruned",
    "LogRecovered",
    "LoggedIn",
    "LoginFailed",
    "Micros",
    "OnvifChanged",
    "OnvifStream",
    "PassageDecided",
    "PassageSigned",
    "PasswordSet",
    "Picture",
    "PlateRead",
    "Point",
    "Reading",
    "ReadingsDiscarded",
    "ServerListening",
    "ServiceStarted",
    "ServiceStopped",
    "SourceChanged",
    "SourceEnded",
    "SourceLost",
    "SourceOpened",
    "SourceReported",
    "SourceStalled",
    "TimerFired",
    "UserAdded",
    "UserChanged",
    "UserRemoved",
    "Value",
    "Vehicle",
    "Vote",
]

EVENTS: tuple[type[Event], ...] = (
    *service.EVENTS,
    *users.EVENTS,
    *source.EVENTS,
    *passage.EVENTS,
    *delivery.EVENTS,
    *servers.EVENTS,
)
"""Every event type. The name in the log is the class's name."""
