"""The life of the whole: the cameras, what records their passages, and what ``lpr.wiring`` adds for the outside.

``async with lpr.open("lpr.toml") as service: await service.wait()`` is all that ``lpr run`` does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec

from lpr import settings as loading
from lpr.actors.catalogue import Catalogue
from lpr.actors.engine import EngineActor, SharedEngine
from lpr.actors.figures import Figures
from lpr.actors.http_push import HttpPushSink
from lpr.actors.milesight_server import MilesightServer
from lpr.actors.sensor import Sensor
from lpr.actors.signer import Signer
from lpr.actors.trigger import TriggerActor
from lpr.actors.voter import Voter
from lpr.config import Camera, Config
from lpr.core.actor import Decider, Worker, run_decider, run_source, run_worker
from lpr.core.blobs import BlobStore
from lpr.core.chain import Checkpointer
from lpr.core.clock import Clock, SystemClock
from lpr.core.delivery import BackoffPolicy
from lpr.core.frames import Slot
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.pipeline import Chain, Stage, ToEngine, ToTrigger, chain_name
from lpr.core.reader import PAGE
from lpr.core.record import Record
from lpr.core.retention import Needs, Retention
from lpr.core.shutter import Shutter
from lpr.core.sinks import Sink, run_sink
from lpr.core.supervise import Supervisor
from lpr.events import Micros, ServiceStarted, ServiceStopped
from lpr.folder import DataFolder
from lpr.keys import SigningKey
from lpr.media.room import MediaRoom
from lpr.preparing import (
    StartError,
    check_ports,
    digest,
    make_folder,
    prepare_key,
    read_secret,
)
from lpr.status import (
    News,
    actors_of,
    clients_of,
    disk_of,
    hints_of,
    servers_of,
    sinks_of,
    troubles_of,
    with_troubles,
)
from lpr.vision.engine import Engine, limit_threads, open_engine
from lpr.vision.vehicle import VehicleReader, open_vehicles
from lpr.web.context import WebContext
from lpr.web.server import WebServer
from lpr.web.status import ServiceStatus
from lpr.web.users import UserStore
from lpr.wiring import EveryLogin, Tools, accounts_of, brokers, nvr_side, receivers, secrets_of

ACTOR = "service"
_logger = logging.getLogger(__name__)

__all__ = ["FirstLogin", "Service", "StartError", "open"]


@dataclass(frozen=True)
class FirstLogin:
    """The one-time password of the first administrator: to be shown once, kept nowhere."""

    user: str
    password: str


class Service:
    """A running service. Made by ``open``.

    ``config``: in force; ``log``, ``blobs``: what was recorded, for reading; ``views``: the live picture of each
    camera; ``shutters``: to take a picture of it now; ``first_login``: only at the very first start.
    """

    def __init__(
        self,
        config: Config,
        log: EventLog,
        clock: Clock,
        key: SigningKey,
        engine: SharedEngine,
        users: UserStore,
        vehicles: VehicleReader | None = None,
    ) -> None:
        self.config = config
        self.folder = DataFolder(Path(config.data))
        self.log = log
        self.blobs = BlobStore(self.folder.blobs)
        self.clock = clock
        self.users = users
        self.views = {camera.name: LiveView(camera.name) for camera in config.cameras}
        self.shutters = {name: Shutter(view) for name, view in self.views.items()}
        self.first_login: FirstLogin | None = None
        self.started = clock.wall()
        self.opened_at = log.head
        self.release = metadata.version("lpr")
        self.servers: dict[str, MilesightServer] = {}
        self.web: WebServer | None = None
        self._media: MediaRoom | None = None
        self._secret = secrets_of(self.folder, clock)
        self._key = key
        self._engine = engine
        self._vehicles = vehicles
        self._figures = Figures()
        self._supervisor = Supervisor(log, clock)
        self._sources: list[str] = []
        self._deciders: list[str] = []
        self._workers: list[str] = []
        self._sinks: list[str] = []
        self._picture_bytes: int | None = None
        self._news = News()
        self._stopped = anyio.Event()
        self._reason = "request"
        self._checkpointer = Checkpointer(log, clock, key.sign, key.fingerprint, config.log.checkpoint_every)

    # --- the wiring ------------------------------------------------------------------------------------

    async def wire(self, stack: AsyncExitStack) -> None:
        """Add every actor; ``stack`` closes what they keep open."""
        config, log, blobs, clock = self.config, self.log, self.blobs, self.clock
        lanes = {camera.name: camera.lane_number for camera in config.cameras}
        for camera in config.cameras:
            self._add_camera(camera)
        self._add_decider(Voter(config.vote))
        self._add_decider(self._figures)
        self._add_worker(Signer(config.sign, self._key if config.sign.enabled else None, blobs))
        catalogue = Catalogue(self.folder.catalogue)
        self._supervisor.add(catalogue.name, partial(catalogue.run, log))
        for push in config.push:
            sink = HttpPushSink(
                push,
                blobs=blobs,
                clock=clock,
                password=read_secret(push.password_file),
                device=config.device,
                utc_offset=config.sign.utc_offset,
                lane_numbers=lanes,
            )
            await stack.enter_async_context(sink)
            policy = BackoffPolicy(first=push.retry_first, longest=push.retry_max, max_attempts=push.max_attempts)
            await self._add_sink(sink, policy)
        tools = self._tools()
        for broker in brokers(tools):
            await self._add_sink(broker, broker.policy)
            self._supervisor.add(f"{broker.name} connection", broker.keep)
        for receiver in receivers(tools):
            await self._add_sink(receiver, receiver.policy)
        for server_config in config.milesight:
            server = MilesightServer(
                server_config,
                password=self._secret(server_config.name, server_config.password_file),
                log=log,
                blobs=blobs,
                clock=clock,
                lane_numbers=lanes,
            )
            self.servers[server.name] = server
            self._supervisor.add(server.name, partial(run_source, server, log))
        for source in nvr_side(tools):
            if isinstance(source, MediaRoom):
                self._media = source
            self._supervisor.add(source.name, partial(run_source, source, log))
        self._supervisor.add(self._checkpointer.name, self._checkpointer.run)
        if config.web.enabled:
            context = WebContext(
                log=log,
                blobs=blobs,
                clock=clock,
                config=config,
                users=self.users,
                views=self.views,
                status=self.status,
                catalogue=self.folder.catalogue,
            )
            self.web = WebServer(context)
            self._supervisor.add("web", self.web.run)
        needs = Needs(deciders=self._deciders, workers=self._workers, sinks=self._sinks)
        retention = Retention(log, blobs, clock, config.retention, needs, self._checkpointer.checkpoint)
        self._supervisor.add(retention.name, retention.run)
        self._supervisor.add("problems", self._announce)
        self._supervisor.add("measure", self._measure)

    def _tools(self) -> Tools:
        """What the servers and brokers are given."""
        accounts = accounts_of(self.config, self._secret)
        return Tools(
            config=self.config,
            log=self.log,
            blobs=self.blobs,
            clock=self.clock,
            folder=self.folder,
            views=self.views,
            shutters=self.shutters,
            accounts=accounts,
            logins=EveryLogin(accounts, self.users),
            secret=self._secret,
        )

    async def _add_sink(self, sink: Sink, policy: BackoffPolicy) -> None:
        if not await self.log.cursor(sink.name):
            # A receiver that is new gets what comes from now on, not the history; settled before a camera runs.
            await self.log.append((), actor=sink.name, cursor=self.log.head)
        self._supervisor.add(sink.name, partial(run_sink, sink, self.log, self.blobs, self.clock, policy))
        self._sinks.append(sink.name)

    def _add_camera(self, camera: Camera) -> None:
        chain = Chain(chain_name(camera.name), partial(self._stages, camera))
        self._supervisor.add(chain.name, partial(run_source, chain, self.log))
        self._sources.append(chain.name)

    def _stages(self, camera: Camera) -> tuple[Stage, ...]:
        """Sensor, trigger and engine of a camera, with fresh slots between them."""
        view = self.views[camera.name]
        lossy = not Sensor.is_recorded(camera.source)
        frames, captures = Slot[ToTrigger](lossy), Slot[ToEngine](lossy)
        return (
            Sensor(camera, self.log, self.clock, frames, view),
            TriggerActor(camera, frames, captures, view, shutter=self.shutters[camera.name]),
            EngineActor(
                camera,
                self.config,
                self._engine,
                captures,
                self.blobs,
                self.log,
                self.clock,
                view,
                vehicles=self._vehicles,
            ),
        )

    def _add_decider(self, decider: Decider[Any]) -> None:
        run = partial(run_decider, decider, self.log, self.clock, settings=self.config.log)
        self._supervisor.add(decider.name, run, vital=True)
        self._deciders.append(decider.name)

    def _add_worker(self, worker: Worker) -> None:
        self._supervisor.add(worker.name, partial(run_worker, worker, self.log, self.clock), vital=True)
        self._workers.append(worker.name)

    # --- life ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until ``stop``; the last events and the last checkpoint are written then."""
        try:
            await self._supervisor.run()
        finally:
            self._stopped.set()
            with anyio.move_on_after(5.0, shield=True):
                await self.log.append((ServiceStopped(reason=self._reason),), actor=ACTOR)
                await self._checkpointer.checkpoint()

    def stop(self, reason: str = "request") -> None:
        """End the service in good order; ``wait`` returns then."""
        if not self._stopped.is_set():
            self._reason = reason
        self._stopped.set()
        self._supervisor.stop()

    async def wait(self) -> None:
        """Until the service is stopped or, with ``until_end``, until every source has ended and all is delivered."""
        if self.config.until_end:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_end)
                await self._stopped.wait()
                tasks.cancel_scope.cancel()
        else:
            await self._stopped.wait()

    async def follow(self, *types: str, after: int | None = None) -> AsyncGenerator[Record, None]:
        """Records as they are written, of the named event types (none: all), for programs that embed the service.

        ``after``: a sequence number to go on from, e.g. the last one that you dealt with; None: from now.
        """
        seen = self.log.head if after is None else after
        wanted = frozenset(types) or None
        while True:
            head = self.log.head
            page = await self.log.read(seen, types=wanted, upto=head)
            for record in page:
                yield record
            seen = page[-1].seq if len(page) == PAGE else head
            await self.log.wait(seen)

    async def _until_end(self) -> None:
        await self.settled()
        await self._say_news()
        self.stop("source ended")

    def lost(self) -> list[str]:
        """The cameras that can't be read: given up, between two tries, or parked."""
        parked = {actor.name for actor in self._supervisor.status() if actor.state == "parked"}
        views = self.views.items()
        return [name for name, view in views if view.status.state == "lost" or chain_name(name) in parked]

    async def settled(self) -> None:
        """Return when every source has ended and every actor has dealt with all that they recorded."""
        while not self._is_settled():
            await self.clock.sleep(SETTLE)

    def _is_settled(self) -> bool:
        status = {actor.name: actor for actor in self._supervisor.status()}
        if any(status[name].state not in ("ended", "parked") for name in self._sources):
            return False
        readers = [*self._deciders, *self._workers, *self._sinks, Catalogue.name]
        return all(status[name].state == "parked" or status[name].lag == 0 for name in readers)

    async def _announce(self) -> None:
        """Say on the terminal what the status page says under problems: once when it comes, once when it is over."""
        while True:
            await self.clock.sleep(ANNOUNCE)
            await self._say_news()

    async def _say_news(self) -> None:
        for line in self._news.of((await self.status()).problems):
            _logger.warning("%s", line)

    async def _measure(self) -> None:
        """The room that pictures take, looked at now and then: there may be millions of files."""
        while True:
            began = self.clock.mono()
            self._picture_bytes = await anyio.to_thread.run_sync(self._sum_pictures, abandon_on_cancel=True)
            await self.clock.sleep(pause_between(self.clock.mono() - began))

    def _sum_pictures(self) -> int:
        return sum(picture.bytes for picture in self.blobs.sizes())

    async def status(self) -> ServiceStatus:
        """How everything is doing."""
        supervised = self._supervisor.status()
        by_name = {actor.name: actor for actor in supervised}
        figures = self._figures.latest
        disk = partial(disk_of, self.log.path, self.log.log_id, self.log.head, self._picture_bytes)
        status = ServiceStatus(
            release=self.release,
            device=self.config.device,
            started=self.started,
            now=self.clock.wall(),
            log=await anyio.to_thread.run_sync(disk),
            sources=tuple(view.status for view in self.views.values()),
            actors=actors_of(supervised),
            sinks=tuple(sinks_of(self._sinks, figures, by_name)),
            servers=tuple(servers_of(figures, by_name)),
            clients=clients_of(figures),
            hints=tuple(hints_of(() if self._media is None else self._media.plain)),
        )
        min_free = self.config.log.min_free_mb * 1_000_000
        streams = {} if self._media is None else self._media.problems
        return with_troubles(status, tuple(troubles_of(status, figures, self.log.recovered, min_free, streams)))


def pause_between(took: Micros) -> float:
    """Seconds until the next look at the room that pictures take, when one ``took`` so long (µs)."""
    return min(max(took / 1e6 / MEASURE_SHARE, MEASURE[0]), MEASURE[1])


def deciders(config: Config) -> dict[str, Decider[Any]]:
    """The deciders of a service with this configuration, by name: for replays."""
    every: tuple[Decider[Any], ...] = (Voter(config.vote), Figures())
    return {decider.name: decider for decider in every}


ANNOUNCE = 2.0
"""Seconds between two looks for new problems."""

MEASURE = (5.0, 300.0)
"""Seconds between two looks at the room that pictures take, at least and at most."""

MEASURE_SHARE = 0.01
"""Share of the time that these looks may take: few pictures are looked at often, millions of them seldom."""

SETTLE = 0.1
"""Seconds between two looks at whether everything has settled."""


@asynccontextmanager
async def open(
    config: Config | Path | str | None = None, *, engine: Engine | None = None, clock: Clock | None = None
) -> AsyncGenerator[Service, None]:
    """Run a service inside your program (asyncio). ``config``: a Config, the path of a TOML file, or None: defaults.

    ``engine``: your own instead of the ONNX engine that the configuration describes. Leaving the block stops it.
    Raises ConfigError, StartError, ModelError, KeyProblem, LogLockedError and LogFormatError before the block runs.
    """
    if not isinstance(config, Config):
        config = loading.load(Path(config) if config is not None else None).config
    clock = clock or SystemClock()
    place = DataFolder(Path(config.data))
    make_folder(place.root)
    check_ports(config)
    key = prepare_key(config, place)
    limit_threads(1)
    shared = await _shared(config, engine, clock)
    vehicles = await _vehicles(config) if engine is None else None
    try:
        async with AsyncExitStack() as stack:
            log = await stack.enter_async_context(EventLog.open(place.log, clock, config.log))
            users = UserStore(log, clock, place.credentials)
            service = Service(config, log, clock, key, shared, users, vehicles)
            started = ServiceStarted(release=metadata.version("lpr"), config=digest(config), pid=os.getpid())
            await log.append((started,), actor=ACTOR)
            await users.load()
            if config.web.enabled and (first := await users.ensure_administrator()) is not None:
                service.first_login = FirstLogin(*first)
            await service.blobs.clean()
            await service.wire(stack)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(service.run)
                try:
                    yield service
                finally:
                    service.stop()
    except BaseExceptionGroup as group:
        inner: tuple[BaseException, ...] = group.exceptions
        if len(inner) == 1:
            raise inner[0] from None
        raise


async def _vehicles(config: Config) -> VehicleReader | None:
    """What looks at the vehicles of all cameras. Raises ModelError."""
    return await anyio.to_thread.run_sync(open_vehicles, config.engine.vehicles)


async def _shared(config: Config, engine: Engine | None, clock: Clock) -> SharedEngine:
    """The engines of all cameras: ``engine.threads`` of them, each with one thread. Raises ModelError."""
    if engine is not None:
        return SharedEngine(engine, clock)
    make = partial(open_engine, msgspec.structs.replace(config.engine, threads=1))
    return SharedEngine(await anyio.to_thread.run_sync(make), clock, make=make, seats=config.engine.threads)
