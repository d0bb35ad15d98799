"""A device with three streams of one camera, for the tests of the services; and how a request is put to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast
from xml.etree.ElementTree import Element

import pytest

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.model import Added, Analytics, Device, Interface, Ports, Source, Stream, World
from lpr.protocols.onvif.names import NAMESPACES, split
from lpr.protocols.onvif.operations import Call, Level, Reply, Table, permit
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tables import services_of
from lpr.protocols.onvif.tree import element

NOW = 1_750_000_000_000_000
SOURCE = Source(0, "gate", 1920, 1080, 25.0)
MAIN = Stream("main", SOURCE, "/main", "h264", 1920, 1080, 25.0, 4000, 75, 50, "Baseline", audio="pcmu")
SUB = Stream("sub", SOURCE, "/sub", "mjpeg", 640, 360, 12.5, 1000, 80, 25, "")
FINE = Stream("fine", SOURCE, "/fine", "h265", 1920, 1080, 25.0, 2000, 75, 50, "Main", metadata=False)
DEVICE = Device(
    name="Gate camera",
    manufacturer="lpr",
    model="LPR camera",
    firmware="1.0",
    serial="0123456789abcdef",
    hardware="software",
    endpoint="urn:uuid:11111111-2222-4333-8444-555555555555",
    location="Main gate",
    hostname="gate",
    scopes=("onvif://www.onvif.org/lane/1",),
    interfaces=(Interface("eth0", "02:00:5e:10:00:01", "192.0.2.7", 24, 1500),),
    ports=lambda: Ports(8000, None, 8554, None),
    dns=("192.0.2.1", "2001:db8::1"),
    domains=("example.org",),
    gateway="192.0.2.1",
    accounts=(("nvr", "operator"), ("boss", "administrator")),
    discovery=True,
)


def item(name: str) -> Element:
    """A tt:Config, as simple as the schema allows."""
    return element("tt:Rule", element("tt:Parameters"), Name=name, Type="tt:LicensePlateRecognition")


def described(name: str) -> Element:
    """A tt:ConfigDescription."""
    return element("tt:RuleDescription", element("tt:Parameters"), Name=name)


def analytics(source: Source) -> Analytics:
    """One module and one rule."""
    frame = element("tt:Frame", UtcTime="2020-01-01T00:00:00Z")
    return Analytics(
        (item(f"{source.name} module"),),
        (item("LPR"),),
        (described("tt:LicensePlateRecognition"),),
        (described("tt:LicensePlateRecognition"),),
        (("tt:LicensePlateRecognition", frame),),
    )


class Place:
    """A device under test: what it is asked, and what is changed."""

    def __init__(
        self,
        device: Device = DEVICE,
        streams: tuple[Stream, ...] = (MAIN, SUB, FINE),
        analytics: Callable[[Source], Analytics] = analytics,
    ) -> None:
        self.streams = streams
        self.added = Added()
        self.key_frames: list[str] = []
        self.changes: list[object] = []
        self.world = World(
            device,
            lambda: self.streams,
            lambda: self.added,
            analytics,
            lambda stream: self.key_frames.append(stream.name),
        )
        self.table = Table.of(services_of(self.world))

    def ask(self, body: Element, level: Level | None = "administrator") -> Element:
        """The answer's body element, as it is read back from the bytes. Raises Fault."""
        request = soap.parse(soap.answer(body))
        operation = self.table.find(request)
        permit(operation, level)
        assert operation.handler is not None, operation.why
        found = operation.handler(Call(request, "http://192.0.2.7:8000", "192.0.2.7", "/onvif/x", NOW, level=level))
        assert not isinstance(found, Awaitable)
        reply = found if isinstance(found, Reply) else Reply(cast("Element", found))
        if isinstance(reply.change, Added):
            self.added = reply.change
        elif reply.change is not None:
            self.changes.append(reply.change)
        data = soap.answer(reply.body, request, reply.action)
        return soap.parse(data).body

    def call(self, name: str, *children: Element, level: Level | None = "administrator") -> Element:
        """``ask`` by name."""
        return self.ask(element(name, *children), level)


def texts(found: Element, name: str) -> list[str]:
    """The texts of every element of that name (``tt:Uri``), however deep."""
    prefix, _, local = name.partition(":")
    return [node.text or "" for node in found.iter() if split(node.tag) == (NAMESPACES[prefix], local)]


def refused(place: Place, name: str, *children: Element) -> tuple[str, ...]:
    """The subcodes of the fault."""
    with pytest.raises(Fault) as caught:
        place.call(name, *children)
    return caught.value.subcodes
