"""The trigger server: a client's message takes a picture now and is answered with what the camera reads on it.

Triggers come every ``period`` seconds at most, over all clients; an earlier one is answered as refused, and so is one
that the camera cannot serve. A connection that has not triggered anything yet makes room for others, and ends after a
while.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from lpr.actors.neural.listening import Connection, Listener, Listens, Rules, nothing, receive
from lpr.actors.neural.writing import ENDS, style_of, wording_of
from lpr.config import NeuralTrigger as Settings
from lpr.core.blobs import BlobStore
from lpr.core.clock import SECOND, Clock
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.log import EventLog
from lpr.core.pipeline import Emit
from lpr.core.sending import Dropped, Sender
from lpr.core.shutter import Shot, Shutter, ShutterRefused
from lpr.events import BlobMissing, Micros, Picture, Reading
from lpr.protocols.neural import Infoplate, Period, TriggerReader, encode_answer, record_of_nothing, record_of_reading
from lpr.protocols.neural.trigger import Discarded, Trigger

TRIGGER = "socket"
"""``CaptureTaken.trigger`` of what is asked for here."""
BUFFER = 262_144
"""Bytes that may wait for a client in the kernel; the rest of an answer waits in the server."""


class NeuralTriggerServer(Listens):
    """The actor. ``shutter``: of the camera that it triggers; ``lane``: that camera's, for the answers.

    ``lane_numbers``: camera -> LaneID. ``utc_offset``: local time of the answers. ``tick``: seconds between two looks
    at deadlines.

    ``started``, ``addresses``: see ``Listener``. Raises ValueError for an ``allow`` that makes no sense.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        shutter: Shutter,
        log: EventLog,
        blobs: BlobStore,
        clock: Clock,
        lane: str = "",
        lane_numbers: Mapping[str, int] | None = None,
        utc_offset: str = "+00:00",
        tick: float = 1.0,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._shutter = shutter
        self._log = log
        self._blobs = blobs
        self._clock = clock
        self._lane = lane
        self._wording = wording_of(settings, lane_numbers or {}, utc_offset)
        self._style = style_of(settings)
        self._period = Period(settings.period)
        rules = Rules(
            host=settings.host,
            port=settings.port,
            allow=settings.allow,
            max_clients=settings.max_clients,
            max_clients_per_address=settings.max_clients_per_address,
            connects=settings.connects,
            buffer=BUFFER,
            tick=min(tick, settings.pause, settings.send_timeout / 2, settings.idle_timeout / 2),
        )
        self.listener = Listener(self.name, rules, clock, self._connection)

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        await self.listener.run(emit, lambda: self._log.head)

    def _connection(self, sock: socket.socket, number: int, address: str) -> Connection:
        async def answer() -> bytes:
            self.listener.keep(number)
            return await self._answer(address)

        def discarded() -> None:
            self.listener.offence("not the trigger's message", address)

        sender = Sender(sock, self._clock, self._settings.send_timeout, nothing)
        return _Client(sock, sender, self._settings, self._clock, answer=answer, discarded=discarded)

    async def _answer(self, address: str) -> bytes:
        """What one trigger gives, whatever that is."""
        settings = self._settings
        wait = self._period.ask(self._clock.mono())
        if wait:
            record, word = self._refused(f"the next trigger may come in {wait / SECOND:.1f} s"), settings.refused
        else:
            try:
                shot = await self._shutter.fire(
                    TRIGGER,
                    f"{self.name} from {address}",
                    exposures=settings.captures,
                    timeout=settings.capture_timeout,
                )
                record, word = await self._record_of(shot), settings.no_plate
            except ShutterRefused as error:
                record, word = self._refused(str(error)), settings.refused
        return encode_answer(record, word, settings.answer, self._style, ENDS[settings.simple_end])

    def _refused(self, why: str) -> Infoplate:
        return record_of_nothing(
            self._wording,
            source=self._shutter.camera,
            lane=self._lane,
            at=self._clock.wall(),
            feedback=f"{self._settings.refused}: {why}",
        )

    async def _record_of(self, shot: Shot) -> Infoplate:
        """The surest reading of all exposures, or what there is to see without one."""
        camera, pictured = self._shutter.camera, self._settings.answer.endswith("_IMG")
        found = best_reading(shot)
        if found is not None:
            exposure = shot.exposures[found[0]]
            return record_of_reading(
                found[1],
                self._wording,
                id=shot.capture,
                source=camera,
                lane=self._lane,
                at=exposure.at,
                image=await self._image(exposure.picture) if pictured else None,
            )
        record = record_of_nothing(
            self._wording,
            source=camera,
            lane=self._lane,
            at=shot.at,
            feedback=self._settings.no_plate,
            id=shot.capture,
        )
        if pictured and shot.exposures:
            record = replace(record, image=await self._image(shot.exposures[0].picture))
        return record

    async def _image(self, picture: Picture) -> bytes | None:
        """The picture; one that is gone again is told, and the answer goes without it."""
        try:
            return await self._blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError) as error:
            self.listener.tell(BlobMissing(blob=picture.blob, noticed_by=self.name, problem=str(error)))
            return None


def best_reading(shot: Shot) -> tuple[int, Reading] | None:
    """(index of its exposure, reading) of the plate read most surely, None when none could be read."""
    read = [(index, reading) for index, reading in shot.readings if reading.text and index < len(shot.exposures)]
    return max(read, key=lambda found: found[1].confidence, default=None)


class _Client:
    """One connection. ``answer``: takes a picture and gives the bytes to send. ``discarded``: another message came."""

    def __init__(
        self,
        sock: socket.socket,
        sender: Sender,
        settings: Settings,
        clock: Clock,
        *,
        answer: Callable[[], Awaitable[bytes]],
        discarded: Callable[[], None],
    ) -> None:
        self._sock = sock
        self._sender = sender
        self._reader = TriggerReader(settings.message.encode())
        self._clock = clock
        self._answer = answer
        self._discarded = discarded
        self._pause = round(settings.pause * SECOND)
        self._heard_at = clock.mono()
        self._idle_until: Micros | None = clock.mono() + round(settings.idle_timeout * SECOND)
        self.sent = 0

    def look(self, now: Micros) -> None:
        """Ends an unfinished message. Raises Dropped for a client that takes nothing or never triggered anything."""
        if self._sender.deadline is not None and self._sender.deadline <= now:
            raise Dropped("too slow", "too slow")
        if self._idle_until is not None and self._idle_until <= now:
            raise Dropped("nothing was triggered in time", "idle")
        if self._reader.open and self._heard_at + self._pause <= now:
            self._note(self._reader.pause())

    async def serve(self) -> None:
        """Triggers one after the other, until the client closes its side and has its answers."""
        while data := await receive(self._sock):
            self._heard_at = self._clock.mono()
            for _ in range(self._note(self._reader.feed(data))):
                self._idle_until = None
                await self._sender.send(await self._answer())
                self.sent += 1
        self._sender.finish()

    def _note(self, found: list[Trigger | Discarded]) -> int:
        """How many triggers; what is discarded is counted."""
        for message in found:
            if isinstance(message, Discarded):
                self._discarded()
        return sum(isinstance(message, Trigger) for message in found)
