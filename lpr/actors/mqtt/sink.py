"""A broker as a sink: each passage with QoS 1, the last picture and the sensors' state retained, and a status.

``deliver`` is one attempt: pictures and state first, the passage last, so a repetition that an acknowledgement was lost
for repeats the passage alone. ``keep`` holds the connection between passages: it announces the service (status,
discovery), tells what cameras are up, gives signs of life and connects again, ever more slowly. What was retained and
no longer belongs there (a camera that was taken out of the configuration) is cleared: which topics those are stands in
a file of the data folder.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
import msgspec

from lpr.actors.mqtt.link import Link, LinkError, context_of
from lpr.config import Mqtt as Settings
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.delivery import BackoffPolicy, Delivered, Outcome, Refused, Shipment, Unavailable, backoff
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.events import PassageDecided, Picture
from lpr.protocols.mqtt import Answer, Identity, TooLargeError, Will
from lpr.protocols.mqtt_messages import (
    OFFLINE,
    ONLINE,
    Device,
    Topics,
    configurations,
    encode,
    passage_message,
    state_message,
)

_logger = logging.getLogger(__name__)

FAREWELL = 3.0
"""Seconds that taking leave of the broker may take."""
LOOKS = 0.2
"""Looks at the connection, in its ``keep_alive``: a broker is patient for one and a half (MQTT, section 3.1.2.10)."""
JPEG, JSON = "image/jpeg", "application/json"
Which = Literal["full", "plate"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a sink is told of the service.

    ``device``: who we are at the broker; ``cameras``: name of each camera to whether it gives pictures now; ``memory``:
    the file of what was retained; ``onvif``: a passage's topic (behind the prefix) and document in ONVIF's form.
    """

    device: Device
    cameras: Callable[[], Mapping[str, bool]]
    memory: Path
    onvif: Callable[[str, PassageDecided], tuple[str, bytes]]


class MqttSink:
    """One broker. ``password``: for ``settings.user``, "" without one. Raises LinkError for unusable certificates."""

    def __init__(
        self, settings: Settings, around: Surroundings, *, blobs: BlobStore, clock: Clock, password: str = ""
    ) -> None:
        if settings.user is not None and not password:
            raise LinkError(
                f"{settings.name}: a user without a password; put it into a file and name it as password_file"
            )
        self.name = settings.name
        self._settings = settings
        self._around = around
        self._blobs = blobs
        self._clock = clock
        self._topics = Topics(settings.prefix)
        identity = Identity(
            settings.client_id or f"{around.device.id}-{settings.name}",
            settings.user,
            password if settings.user is not None else None,
            Will(self._topics.status, OFFLINE.encode()),
            settings.keep_alive,
        )
        self._link = Link(settings, identity, context_of(settings))
        self._turn = anyio.Lock()
        self.policy = BackoffPolicy(
            first=settings.retry_first, longest=settings.retry_max, max_attempts=settings.max_attempts
        )
        self._told: dict[str, bool] = {}
        self._passages: dict[str, int] = {}
        self._counted = 0

    # --- a passage -------------------------------------------------------------------------------------

    async def deliver(self, shipment: Shipment) -> Outcome:
        """One attempt. Never raises for anything that the network or the broker does."""
        async with self._turn:
            try:
                with anyio.fail_after(self._settings.timeout):
                    await self._ready()
                    return await self._ship(shipment)
            except TooLargeError as error:
                return Refused(f"{self._link.address}: {error}")
            except TimeoutError:
                reason = f"no answer from {self._link.address} within {self._settings.timeout:g} s"
            except LinkError as error:
                reason = str(error)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self._link.drop()
                raise
            await self._link.drop()
            return Unavailable(reason)

    async def _ship(self, shipment: Shipment) -> Outcome:
        """Raises LinkError, and TooLargeError for the passage itself."""
        settings, decided, notes = self._settings, shipment.decided, list[str]()
        topics = await self._show(shipment, notes)
        if settings.onvif:
            level, document = self._around.onvif(settings.prefix, decided)
            answer = await self._link.publish(level, document, retain=False, content=JSON)
            if answer.refused:
                return self._outcome(level, answer)
        if settings.passages:
            images = {which: await self._image(shipment, which) for which in _wanted(settings.images)}
            message = passage_message(
                shipment.passage,
                decided,
                shipment.signed,
                device=self._around.device.name,
                topics=topics,
                images={which: image for which, image in images.items() if image},
            )
            topic = self._topics.passage(decided.source)
            answer = await self._link.publish(topic, encode(message), retain=False, content=JSON)
            if answer.refused:
                return self._outcome(topic, answer)
        return Delivered("; ".join((f"{self._link.address} has it", *notes)))

    async def _show(self, shipment: Shipment, notes: list[str]) -> dict[str, str]:
        """Pictures and state of the camera, unless a later passage has been shown: one that was asked for again must
        not look like the last. Gives the topics of its pictures."""
        if shipment.record < self._counted:
            return {}
        camera, topics = shipment.decided.source, dict[str, str]()
        for which, topic in self._picture_topics(camera).items():
            image = await self._image(shipment, which)
            if image and await self._offer(topic, image, notes, content=JPEG):
                topics[which] = topic
        if shipment.record > self._counted:
            self._counted = shipment.record
            self._passages[camera] = self._passages.get(camera, 0) + 1
        state = encode(state_message(shipment.passage, shipment.decided, self._passages.get(camera, 0)))
        await self._offer(self._topics.state(camera), state, notes, content=JSON)
        return topics

    def _outcome(self, topic: str, answer: Answer) -> Outcome:
        reason = f"{self._link.address} does not take {topic}: {answer.text}"
        return Refused(reason) if answer.is_final else Unavailable(reason)

    async def _offer(self, topic: str, payload: bytes, notes: list[str], *, content: str) -> bool:
        """Publish what a passage can do without; a refusal is noted. Whether it is there."""
        try:
            answer = await self._link.publish(topic, payload, retain=True, content=content)
        except TooLargeError as error:
            notes.append(f"{topic}: {error}")
            return False
        if answer.refused:
            notes.append(f"{topic}: {answer.text}")
        return not answer.refused

    async def _image(self, shipment: Shipment, which: Which) -> bytes:
        """The picture, or nothing when it is gone: the passage is worth more than waiting for it."""
        picture: Picture = shipment.signed.picture if which == "full" else shipment.signed.plate_picture
        if not picture.blob:
            return b""
        try:
            return await self._blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError):
            return b""

    # --- the connection --------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Hold the connection until cancelled; takes leave of the broker then."""
        failures, told = 0, ""
        try:
            while True:
                problem = await self.check()
                failures = failures + 1 if problem else 0
                if problem != told:
                    _logger.warning("%s: %s", self.name, problem or f"connected to {self._link.address} again")
                    told = problem
                wait = backoff(self.policy, failures, self._clock.jitter()) if failures else 0.0
                await self._clock.sleep(max(wait, self._every()))
        finally:
            with anyio.CancelScope(shield=True):
                await self.close()

    def _every(self) -> float:
        """Seconds between two looks: often enough for a sign of life to be in time."""
        alive = self._link.keep_alive
        return min(self._settings.status_every, alive * LOOKS) if alive else self._settings.status_every

    async def close(self) -> None:
        """Say "offline" and close the connection; ``deliver`` opens another one."""
        async with self._turn:
            try:
                with anyio.fail_after(FAREWELL):
                    if self._link.is_open:
                        await self._offer(self._topics.status, OFFLINE.encode(), [], content="")
                        await self._link.close()
            except (LinkError, TimeoutError):
                await self._link.drop()

    async def lose(self) -> None:
        """Break the connection off without a word; ``deliver`` and ``keep`` open another one."""
        async with self._turn:
            await self._link.drop()

    async def check(self) -> str:
        """Connect if need be, tell news of the cameras, give a sign of life; what is wrong, "" when nothing is."""
        async with self._turn:
            try:
                with anyio.fail_after(self._settings.timeout):
                    if self._link.is_open:
                        await self._link.look()
                    await self._ready()
                    await self._tell_cameras()
                return ""
            except TimeoutError:
                problem = f"no answer from {self._link.address} within {self._settings.timeout:g} s"
            except LinkError as error:
                problem = str(error)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self._link.drop()
                raise
            await self._link.drop()
            return problem

    async def _ready(self) -> None:
        """A connection at which we are announced. Raises LinkError."""
        if not self._link.is_open:
            await self._link.open()
            self._told.clear()
            await self._announce()

    async def _announce(self) -> None:
        settings = self._settings
        cameras = tuple(self._around.cameras())
        found: dict[str, bytes] = {}
        if settings.discovery != "off":
            found = configurations(
                self._around.device,
                cameras,
                self._topics,
                prefix=settings.discovery_prefix,
                form=settings.discovery,
                picture="full" in _wanted(settings.pictures),
                plate_picture="plate" in _wanted(settings.pictures),
            )
        await self._clear(set(found) | {topic for camera in cameras for topic in self._retained(camera)})
        notes: list[str] = []
        for topic, document in found.items():
            await self._offer(topic, document, notes, content=JSON)
        for note in notes:
            _logger.warning("%s: %s", self.name, note)
        await self._tell_cameras()
        await self._tell(self._topics.status, ONLINE)

    async def _clear(self, owned: set[str]) -> None:
        """Take away what earlier runs left and nobody keeps up any more; remember what is there now."""
        file = anyio.Path(self._around.memory)
        try:
            before = set(msgspec.json.decode(await file.read_bytes(), type=list[str]))
        except (OSError, msgspec.MsgspecError):
            before = set[str]()
        if before != owned:
            await _write(file, sorted(before | owned))
            for topic in sorted(before - owned):
                await self._offer(topic, b"", [], content="")
            await _write(file, sorted(owned))

    async def _tell_cameras(self) -> None:
        for camera, up in self._around.cameras().items():
            if self._told.get(camera) != up:
                status = ONLINE if up else OFFLINE
                await self._tell(self._topics.camera_status(camera), status)
                self._told[camera] = up

    async def _tell(self, topic: str, word: str) -> None:
        """A retained word that has to get through. Raises LinkError."""
        try:
            answer = await self._link.publish(topic, word.encode(), retain=True)
        except TooLargeError as error:
            raise LinkError(f"{self._link.address}: {topic}: {error}") from None
        if answer.refused:
            raise LinkError(
                f"{self._link.address} does not take {topic}: {answer.text}; it is to let this client publish"
                f" to {self._settings.prefix}/#"
            )

    def _picture_topics(self, camera: str) -> dict[Which, str]:
        known: dict[Which, str] = {
            "full": self._topics.picture(camera),
            "plate": self._topics.plate_picture(camera),
        }
        return {which: known[which] for which in _wanted(self._settings.pictures)}

    def _retained(self, camera: str) -> tuple[str, ...]:
        pictures = self._picture_topics(camera).values()
        return (self._topics.camera_status(camera), self._topics.state(camera), *pictures)


def _wanted(which: Literal["none", "plate", "full", "all"]) -> tuple[Which, ...]:
    match which:
        case "all":
            return ("plate", "full")
        case "none":
            return ()
        case _:
            return (which,)


async def _write(file: anyio.Path, topics: list[str]) -> None:
    """Whole or not at all. Raises LinkError."""
    part = file.with_name(file.name + ".new")
    try:
        await part.write_bytes(msgspec.json.encode(topics))
        await part.replace(file)
    except OSError as error:
        raise LinkError(f"{file}: can't be written: {error.strerror}") from None
