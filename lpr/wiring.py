"""Which sinks and servers run beside the cameras, and what each is given: one function a protocol.

``Tools`` is what they have in common; ``nvr_side`` puts all together. ``lpr.service`` runs what is returned here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from typing import NamedTuple

from lpr.actors.device_http import DeviceHttp, Part
from lpr.actors.device_http.milesight import Facts, MilesightPull
from lpr.actors.device_http.onvif import Memory, OnvifPart, StreamEncoders, device_of, interfaces_of, streams_of
from lpr.actors.device_http.onvif_events import EventsService, NotifyError, brokers_of
from lpr.actors.device_http.pictures import PictureRing
from lpr.actors.device_http.pumatronix import Pictures, PumatronixCamera, PumatronixPart, Triggers, shown_settings
from lpr.actors.discovery import Discovery
from lpr.actors.ftp_server import FtpServer
from lpr.actors.mqtt import LinkError, MqttSink, Surroundings
from lpr.actors.neural import NeuralClientSink, NeuralServer, NeuralTriggerServer
from lpr.actors.rtsp_server import RtspServer
from lpr.actors.sftp_server import SftpServer
from lpr.actors.signer import offset_minutes
from lpr.config import Config, Onvif
from lpr.config import DeviceHttp as DeviceHttpSettings
from lpr.core.accounts import Account, Accounts, Level, LoginsBusy
from lpr.core.actor import Source
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.interfaces import NoInterfaceError
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.shelves import Shelves
from lpr.core.shutter import Shutter
from lpr.events import PassageDecided
from lpr.folder import DataFolder
from lpr.http.listening import HttpServerError, tls_context
from lpr.media.live import LiveRoom
from lpr.media.plate_metadata import MetadataCamera, PlateMetadata
from lpr.media.room import MediaRoom
from lpr.preparing import StartError, read_secret, write_secret
from lpr.protocols.mqtt_messages import Device
from lpr.protocols.onvif.device import PATH as DEVICE_PATH
from lpr.protocols.onvif.device_scopes import all_scopes
from lpr.protocols.onvif.discovery import Shown
from lpr.protocols.onvif.model import Analytics, Once, Ports, Stream, World
from lpr.protocols.onvif.model import Source as CameraSource
from lpr.protocols.onvif_metadata import analytics_of, camera_tokens, ej_payload, ej_topic, plate_notification
from lpr.web.users import UserError, UserStore, one_time_password

NVR_ACCOUNT = "nvr"
"""The machines' account when none is configured."""


@dataclass(frozen=True)
class Tools:
    """What every server may need. ``secret``: the password in a file, or one made at the first start under a name."""

    config: Config
    log: EventLog
    blobs: BlobStore
    clock: Clock
    folder: DataFolder
    views: Mapping[str, LiveView]
    shutters: Mapping[str, Shutter]
    accounts: Accounts
    logins: EveryLogin
    secret: Callable[[str, str | None], str]


class EveryLogin:
    """Machines' accounts first, then people's users (``lpr.core.accounts.Logins``)."""

    def __init__(self, accounts: Accounts, users: UserStore) -> None:
        self._accounts = accounts
        self._users = users

    async def check(self, name: str, password: str) -> Level | None:
        """The level when the password is right. A temporary password opens nothing. Raises LoginsBusy."""
        level = self._accounts.check(name, password)
        if level is not None or self._accounts.find(name) is not None:
            return level
        try:
            user = await self._users.check(name, password)
        except UserError as error:
            raise LoginsBusy(str(error)) from None
        return None if user is None or user.temporary else user.role


def secrets_of(folder: DataFolder, clock: Clock) -> Callable[[str, str | None], str]:
    """A function (name, file) -> password: the file's, or one made at the first start and kept in the data folder."""

    def secret(name: str, file: str | None) -> str:
        if file is not None:
            return read_secret(file)
        path = folder.secret(name)
        if not path.exists():
            write_secret(path, one_time_password(clock.random_bytes(32)))
        return read_secret(str(path))

    return secret


def accounts_of(config: Config, secret: Callable[[str, str | None], str]) -> Accounts:
    """The machines' accounts; with none configured, one whose password is made. Raises StartError."""
    if not config.accounts and all(one is None for one in (config.device_http, config.rtsp, config.ftp, config.sftp)):
        return Accounts(())
    if not config.accounts:
        return Accounts([Account(NVR_ACCOUNT, "operator", secret(NVR_ACCOUNT, None))])
    found = [Account(one.name, one.level, read_secret(one.password_file)) for one in config.accounts]
    for account in found:
        if len(account.password) < SHORTEST_PASSWORD:
            raise StartError(
                f"accounts: the password of {account.name} has {len(account.password)} characters, at least"
                f" {SHORTEST_PASSWORD} are needed"
            )
    return Accounts(found)


SHORTEST_PASSWORD = 8
"""Characters of a machine's password."""


def nvr_side(tools: Tools) -> Sequence[Source]:
    """Every server that machines connect to, as configured."""
    live = _live(tools)
    rtsp = _rtsp(tools, live)
    return (*live, *rtsp, *_device_http(tools, live, rtsp), *_neural(tools), *_file_servers(tools))


class Live(NamedTuple):
    """What servers of live pictures share: ``room`` has the streams, ``plates`` the events for them."""

    room: MediaRoom
    plates: PlateMetadata


def _live(tools: Tools) -> Live | tuple[()]:
    """The streams and their plate events, where a server shows them. Raises StartError."""
    config = tools.config
    if config.rtsp is None:
        return ()
    plates = plate_metadata(tools)
    try:
        room = MediaRoom(config.rtsp.streams, config.cameras, tools.views, tools.clock, metadata=plates.source)
    except ValueError as error:
        raise StartError(f"rtsp: {error}; correct streams") from None
    return Live(room, plates)


def _rtsp(tools: Tools, live: Live | tuple[()]) -> Sequence[RtspServer]:
    """The RTSP server. Raises StartError."""
    settings = tools.config.rtsp
    if settings is None or not live:
        return ()
    try:
        tls = None if settings.tls is None else tls_context(settings.tls, "rtsp")
        server = RtspServer(
            settings,
            presentations=live[0],
            accounts=tools.accounts,
            clock=tools.clock,
            device=tools.config.device,
            tls=tls,
        )
    except (HttpServerError, ValueError) as error:
        raise StartError(str(error)) from None
    return (server,)


def _device_http(tools: Tools, live: Live | tuple[()], rtsp: Sequence[RtspServer]) -> Sequence[DeviceHttp | Discovery]:
    """The device's HTTP server with all its parts, and WS-Discovery, which tells where it is. Raises StartError."""
    settings, onvif = tools.config.device_http, tools.config.onvif
    if onvif is not None and (settings is None or not live):
        raise StartError("onvif: it needs [device_http] and [rtsp]; add them, or take [onvif] away")
    if settings is None:
        return ()
    ring = PictureRing(tools.log, tools.blobs)
    parts: list[Part] = [ring, *_milesight_pull(tools, ring), *_pumatronix(tools)]
    discovery: Sequence[Discovery] = ()
    servers: list[DeviceHttp] = []
    if onvif is not None and live:
        try:
            more, discovery = _onvif(tools, onvif, settings, live, lambda: _ports(settings, servers, rtsp))
        except NoInterfaceError as error:
            raise StartError(f"onvif.interfaces: {error}") from None
        parts += more
    servers.append(
        DeviceHttp(settings, parts, accounts=tools.accounts, logins=tools.logins, log=tools.log, clock=tools.clock)
    )
    return (*servers, *discovery)


def _milesight_pull(tools: Tools, ring: PictureRing) -> Sequence[MilesightPull]:
    """Milesight's pull API."""
    config = tools.config
    if not config.milesight_pull.enabled:
        return ()
    facts = Facts(config.device, "lpr", tools.log.log_id, metadata.version("lpr"))
    lanes = _lane_numbers(config)
    part = MilesightPull(config.milesight_pull, ring, facts, lane_numbers=lanes, utc_offset=config.sign.utc_offset)
    return (part,)


def _pumatronix(tools: Tools) -> Sequence[PumatronixPart]:
    """Pumatronix's addresses."""
    config, settings = tools.config, tools.config.pumatronix
    if settings is None:
        return ()
    camera = next(one for one in config.cameras if settings.camera in (None, one.name))
    live = LiveRoom(
        tools.views,
        tools.clock,
        width=settings.stream_width,
        rate=settings.stream_rate,
        quality=settings.stream_quality,
    )
    pictures = Pictures(
        PumatronixCamera(tools.views[camera.name], tools.shutters[camera.name], offset_minutes(config.sign.utc_offset)),
        live,
        tools.blobs,
        tools.clock,
        exposures=settings.exposures,
        timeout=settings.snapshot_timeout,
        rate=settings.stream_rate,
    )
    shown = shown_settings(config, camera, settings, serial=tools.log.log_id, release=metadata.version("lpr"))
    triggers = Triggers(tools.log, camera.name, clients=settings.trigger_clients, queue=settings.trigger_queue)
    return (PumatronixPart(settings, shown, pictures, triggers, logins=tools.logins, clock=tools.clock),)


def _ports(settings: DeviceHttpSettings, servers: Sequence[DeviceHttp], rtsp: Sequence[RtspServer]) -> Ports:
    """Where the servers listen: the ports that they have taken, before that those configured."""
    http = next((server.place.port for server in servers if server.place is not None), settings.port)
    secure = settings.tls is not None
    plain = tls = None
    udp = False
    for server in rtsp:
        if server.settings.plain:
            plain = server.addresses[0][1] if server.addresses else server.settings.port
        if server.settings.tls is not None:
            tls = server.tls_addresses[0][1] if server.tls_addresses else server.settings.tls_port
        udp = server.settings.udp
    return Ports(None if secure else http, http if secure else None, plain, tls, udp)


def _onvif(
    tools: Tools, settings: Onvif, http: DeviceHttpSettings, live: Live, ports: Callable[[], Ports]
) -> tuple[Sequence[Part], Sequence[Discovery]]:
    """The ONVIF services with their events, and WS-Discovery where it is asked for. Raises NoInterfaceError."""
    config, clock, log = tools.config, tools.clock, tools.log
    device = device_of(
        settings,
        config,
        log_id=log.log_id,
        version=metadata.version("lpr"),
        accounts=tools.accounts,
        ports=ports,
    )
    memory = Memory(log)

    streams = Once(lambda: streams_of(config, live.room, tools.views, changeable=settings.change_streams))

    @lru_cache(maxsize=32)
    def shown_analytics(source: CameraSource) -> Analytics:
        camera = config.cameras[source.number]
        told = analytics_of(camera_tokens(source.number), region=camera.trigger.region)
        return Analytics(told.modules, told.rules, told.module_descriptions, told.rule_descriptions, told.samples)

    def key_frame(stream: Stream) -> None:
        shown = live.room.presentation(stream.name)
        for track in () if shown is None else shown.streams:
            track.request_key_frame()

    async def snapshot(stream: Stream) -> bytes:
        return await live.room.snapshot(stream.source.name, stream.width)

    world = World(device, streams, lambda: memory.added, shown_analytics, key_frame, streams.forget)
    try:
        emit = partial(log.append, actor="onvif_events")
        events = EventsService(config.onvif_events, live.plates, clock, brokers=brokers_of(config.mqtt), emit=emit)
    except NotifyError as error:
        raise StartError(str(error)) from None
    part = OnvifPart(
        settings,
        world,
        memory,
        clock=clock,
        snapshot=snapshot,
        further=(events.service(),),
        encoders=StreamEncoders(live.room, config.rtsp.streams) if settings.change_streams and config.rtsp else None,
        configured=events.configured,
        max_body=http.max_body,
        read_timeout=http.request_timeout,
    )
    parts: Sequence[Part] = (part, events)
    if not settings.discovery:
        return parts, ()

    def address(own: str) -> str:
        now = ports()
        scheme, port = ("http", now.http) if now.http is not None else ("https", now.https)
        return f"{scheme}://{http.address or own}:{port}{DEVICE_PATH}"

    discovery = Discovery(
        interfaces_of(settings, http),
        endpoint=device.endpoint,
        shown=lambda: Shown(tuple(all_scopes(world)), memory.version, memory.added.discoverable),
        address=address,
        changes=memory,
        clock=clock,
        rate=settings.answers,
    )
    return parts, (discovery,)


def plate_metadata(tools: Tools) -> PlateMetadata:
    """Plate events and live boxes of every camera: one for the metadata tracks and the events service together."""
    config, http = tools.config, tools.config.device_http
    images = ""
    if http is not None and http.address is not None and http.port:
        host = f"[{http.address}]" if ":" in http.address else http.address
        images = f"{'http' if http.tls is None else 'https'}://{host}:{http.port}"
    cameras = {
        camera.name: MetadataCamera(tools.views[camera.name], camera_tokens(number))
        for number, camera in enumerate(config.cameras)
    }
    return PlateMetadata(cameras, tools.log, tools.clock, keep=config.onvif_events.keep, images=images)


def _file_servers(tools: Tools) -> Sequence[FtpServer | SftpServer]:
    """The servers from which pictures and records are fetched."""
    config, clock = tools.config, tools.clock
    if config.ftp is None and config.sftp is None:
        return ()
    offset = offset_minutes(config.sign.utc_offset)
    shelves = Shelves(tools.folder.catalogue, tools.blobs, utc_offset=offset)
    servers: list[FtpServer | SftpServer] = []
    if config.ftp is not None:
        servers.append(FtpServer(config.ftp, shelves=shelves, logins=tools.logins, clock=clock))
    if config.sftp is not None:
        sftp = SftpServer(
            config.sftp,
            shelves=shelves,
            logins=tools.logins,
            accounts=tools.accounts,
            keys_folder=tools.folder.root / "keys",
            clock=clock,
        )
        servers.append(sftp)
    return servers


def _lane_numbers(config: Config) -> dict[str, int]:
    return {camera.name: camera.lane_number for camera in config.cameras}


def _neural(tools: Tools) -> Sequence[NeuralServer | NeuralTriggerServer]:
    """Neural Labs' socket servers and trigger servers."""
    config, log, blobs, clock = tools.config, tools.log, tools.blobs, tools.clock
    lanes, offset = _lane_numbers(config), config.sign.utc_offset
    servers = [
        NeuralServer(settings, log=log, blobs=blobs, clock=clock, lane_numbers=lanes, utc_offset=offset)
        for settings in config.neural_server
    ]
    triggers: list[NeuralTriggerServer] = []
    for settings in config.neural_trigger:
        camera = next(one for one in config.cameras if settings.camera in (None, one.name))
        triggers.append(
            NeuralTriggerServer(
                settings,
                shutter=tools.shutters[camera.name],
                log=log,
                blobs=blobs,
                clock=clock,
                lane=camera.lane,
                lane_numbers=lanes,
                utc_offset=offset,
            )
        )
    return (*servers, *triggers)


def receivers(tools: Tools) -> Sequence[NeuralClientSink]:
    """Every receiver of Neural Labs' messages that is dialled."""
    config, lanes = tools.config, _lane_numbers(tools.config)
    return [
        NeuralClientSink(settings, blobs=tools.blobs, lane_numbers=lanes, utc_offset=config.sign.utc_offset)
        for settings in config.neural_client
    ]


def brokers(tools: Tools) -> Sequence[MqttSink]:
    """Every broker that gets the passages. Raises StartError."""
    config, views = tools.config, tools.views
    device = Device(f"lpr_{tools.log.log_id[:12]}", config.device, metadata.version("lpr"))

    tokens = {camera.name: camera_tokens(number) for number, camera in enumerate(config.cameras)}

    def onvif(prefix: str, passage: PassageDecided) -> tuple[str, bytes]:
        told = plate_notification(passage, tokens.get(passage.source) or camera_tokens(len(tokens)))
        return ej_topic(prefix, told), ej_payload(told)

    def cameras() -> Mapping[str, bool]:
        return {name: view.status.state in ("running", "waiting") for name, view in views.items()}

    found: list[MqttSink] = []
    for settings in config.mqtt:
        memory = tools.folder.root / f"{settings.name}.retained.json"
        around = Surroundings(device, cameras, memory, onvif)
        password = read_secret(settings.password_file)
        try:
            found.append(MqttSink(settings, around, blobs=tools.blobs, clock=tools.clock, password=password))
        except LinkError as error:
            raise StartError(str(error)) from None
    return found
