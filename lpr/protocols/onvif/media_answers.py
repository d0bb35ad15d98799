"""The handlers that Media and Media2 have alike; each answers in its own namespace.

Source: ONVIF Media and Media2 service specifications. May import this room.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from lpr.protocols.onvif import configurations as made
from lpr.protocols.onvif import media_common as common
from lpr.protocols.onvif.media_common import Kind
from lpr.protocols.onvif.model import Stream, World
from lpr.protocols.onvif.operations import Call, Handler, Reply, invalid
from lpr.protocols.onvif.tree import element


class MediaAnswers(ABC):
    """``prefix``: of the service's namespace; ``second``: it is Media2, whose encoder configurations differ."""

    prefix: str
    second: bool

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    @abstractmethod
    def streams(self) -> Sequence[Stream]:
        """The streams that have a profile here."""

    @abstractmethod
    def capabilities(self) -> Element:
        """Of the service."""

    def value(self, call: Call, name: str) -> str:
        """The text of an argument, "" where it isn't given."""
        return call.request.value(f"{self.prefix}:{name}")

    def of_call(self, call: Call) -> Stream:
        """The stream of the profile that a request names. Raises Fault."""
        return common.profile(self.streams, self.value(call, "ProfileToken"))

    def chosen(self, call: Call, kind: Kind) -> list[Stream]:
        """The streams that an options or list request is about. Raises Fault."""
        tokens = self.value(call, "ConfigurationToken"), self.value(call, "ProfileToken")
        return common.chosen(self._world, kind, self.streams, *tokens, second=self.second)

    def of_source(self, call: Call) -> list[Stream]:
        """The streams of the video source configuration that a request names. Raises Fault."""
        token = self.value(call, "ConfigurationToken")
        return common.with_configuration(self._world, "VideoSource", self.streams, token, second=self.second)

    def empty(self, name: str) -> Handler:
        """An answer with nothing in it."""
        return lambda call: element(f"{self.prefix}:{name}Response")

    def service_capabilities(self, call: Call) -> Element:
        del call
        return element(f"{self.prefix}:GetServiceCapabilitiesResponse", self.capabilities())

    def create_profile(self, call: Call) -> Element:
        del call
        raise common.no_more_profiles()

    def remove(self, call: Call) -> Element:
        """Remove…Configuration."""
        self.of_call(call)
        raise common.fixed_parts()

    def synchronization_point(self, call: Call) -> Element:
        self._world.key_frame(self.of_call(call))
        return element(f"{self.prefix}:SetSynchronizationPointResponse")

    def set(self, name: str, kind: Kind) -> Handler:
        """Set…Configuration. ``name``: as the service calls the kind."""
        asked = f"{self.prefix}:Configuration"

        def handle(call: Call) -> Reply:
            wanted = call.request.find(asked)
            found = common.listing(self._world, kind, self.streams, second=self.second)
            token = "" if wanted is None else wanted.get("token", "")
            if wanted is None or token not in found:
                raise common.no_configuration()
            encoder = kind == "VideoEncoder"
            common.unchanged(found[token](asked), wanted, encoder=encoder)
            change = None
            if encoder:
                (stream,) = common.with_configuration(self._world, kind, self.streams, token, second=self.second)
                change = common.encoding_of(stream, wanted)
            return Reply(element(f"{self.prefix}:Set{name}ConfigurationResponse"), change=change)

        return handle

    def video_source_options(self, call: Call) -> Element:
        return common.video_source_options(self.prefix, self.chosen(call, "VideoSource"))

    def audio_source_options(self, call: Call) -> Element:
        return common.audio_source_options(self.prefix, self.chosen(call, "AudioSource"))

    def metadata_options(self, call: Call) -> Element:
        self.chosen(call, "Metadata")
        options = made.metadata_options(f"{self.prefix}:Options")
        return element(f"{self.prefix}:GetMetadataConfigurationOptionsResponse", options)

    def osd_options(self, call: Call) -> Element:
        self.chosen(call, "VideoSource")
        return element(f"{self.prefix}:GetOSDOptionsResponse", made.osd_options(f"{self.prefix}:OSDOptions"))

    def no_osd(self, call: Call) -> Element:
        del call
        raise invalid("ter:NoConfig", "There is no OSD of this token")

    def create_osd(self, call: Call) -> Element:
        del call
        raise invalid("ter:MaxOSDs", "No OSD can be made; boxes are burnt in by the stream's configuration")
