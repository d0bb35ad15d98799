"""What the media room is given and what it gives: presentations by name, and where metadata documents come from.

May import this room.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from lpr.config import RtspStream
from lpr.media.stream import MediaStream


class MetadataSource(Protocol):
    """The plate events of a camera as XML (``lpr.protocols.onvif_metadata`` writes them)."""

    def documents(self) -> AsyncIterator[bytes]:
        """Whole XML documents, one after the other, at least one a second while it is iterated (an empty one keeps the
        connection alive). A new iterator begins with the present state. Several may run at once."""
        ...

    def synchronize(self) -> None:
        """A synchronization point: the next document comes at once and gives the whole present state."""
        ...


@dataclass(frozen=True, slots=True)
class Presentation:
    """The tracks of one configured stream. ``camera``: its name. ``audio_problem``: why there is no sound though it is
    configured, "" otherwise; ``video_problem``: e.g. that MJPEG is offered because PyAV is not installed."""

    name: str
    camera: str
    settings: RtspStream
    video: MediaStream
    audio: MediaStream | None = None
    metadata: MediaStream | None = None
    video_problem: str = ""
    audio_problem: str = ""

    @property
    def streams(self) -> tuple[MediaStream, ...]:
        """Video first, then audio, then metadata."""
        return tuple(one for one in (self.video, self.audio, self.metadata) if one is not None)


class Presentations(Protocol):
    """What servers ask for streams: ``MediaRoom``, which gives single pictures, too."""

    def presentation(self, name: str) -> Presentation | None:
        """The stream of that name, None for an unknown one."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Of all streams, in the order of the configuration."""
        ...
