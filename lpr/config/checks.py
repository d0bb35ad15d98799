"""What the types of the configuration can't say: values that don't fit each other, and what is worth a warning.

Pure: no file is looked at here, ``files`` only names them. May import this room.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from lpr.config import Camera, Config, Mqtt, Section
from lpr.config.neural import InfoplateField


@dataclass(frozen=True, slots=True)
class Fault:
    """``path``: of the key ("rtsp.streams.0.name"); ``problem``: what is wrong with it; ``remedy``: what to do."""

    path: str
    problem: str
    remedy: str


def faults(config: Config) -> Iterator[Fault]:
    """Everything that is wrong, one by one."""
    yield from _places(config)
    yield from _cameras(config)
    yield from _web(config)
    yield from _pushes(config)
    yield from _brokers(config)
    yield from _pumatronix(config)
    yield from _ftp(config)
    yield from _neural(config)
    yield from _rtsp(config)


def _places(config: Config) -> Iterator[Fault]:
    """Names and ports: each its own."""
    names: dict[str, str] = {}
    for path, name in _named(config):
        if name in names:
            yield Fault(path, f"the name {name!r} is already that of {names[name]}", "give each its own name")
        names[name] = path
    ports: dict[tuple[str, int], str] = {}
    for path, host, port in _listeners(config):
        if port and (host, port) in ports:
            yield Fault(path, f"port {port} is already that of {ports[host, port]}", "give each its own port")
        ports[host, port] = path


def _cameras(config: Config) -> Iterator[Fault]:
    """Cameras."""
    for index, camera in enumerate(config.cameras):
        if not camera.source.strip():
            yield Fault(f"cameras.{index}.source", "it is empty", 'write "demo", a file, a folder, a URL or a device')
        if camera.retry_first > camera.retry_max:
            yield Fault(f"cameras.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")
        region = camera.trigger.region
        if region is not None and _area(region) < 1e-4:
            yield Fault(f"cameras.{index}.trigger.region", "it encloses no area", "list the corners in order round it")
        if _has_password(camera):
            yield Fault(
                f"cameras.{index}.source", "it has a password in it", "put user:password into a credentials_file"
            )


def _web(config: Config) -> Iterator[Fault]:
    """The pages and the API."""
    for network in config.web.proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            yield Fault("web.proxies", str(error), 'write "10.0.0.5" or "10.0.0.0/24"')


def _pushes(config: Config) -> Iterator[Fault]:
    """Receivers of pushes."""
    for index, push in enumerate(config.push):
        if "@" in push.url.split("//", 1)[1].split("/", 1)[0]:
            yield Fault(f"push.{index}.url", "it has credentials in it", "use user and password_file")
        if push.user is not None and push.password_file is None:
            yield Fault(f"push.{index}.user", "there is no password_file for this user", "name the file")
        if push.retry_first > push.retry_max:
            yield Fault(f"push.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")


def _brokers(config: Config) -> Iterator[Fault]:
    """MQTT brokers."""
    for index, broker in enumerate(config.mqtt):
        if broker.user is not None and broker.password_file is None:
            yield Fault(f"mqtt.{index}.user", "there is no password_file for this user", "name the file")
        if broker.password_file is not None and broker.user is None:
            yield Fault(f"mqtt.{index}.password_file", "there is no user for it", "name the user")
        if broker.client_certificate_file is not None and not broker.tls:
            yield Fault(f"mqtt.{index}.client_certificate_file", "there is no TLS", "leave tls = false out")
        same = [one for one in config.mqtt[:index] if _namespace(one) == _namespace(broker)]
        if same:
            yield Fault(f"mqtt.{index}", f"broker and prefix are those of {same[0].name}", "give it its own prefix")
        if not broker.passages and not broker.onvif:
            yield Fault(f"mqtt.{index}.passages", "nothing would be published", "set passages or onvif to true")
        if broker.retry_first > broker.retry_max:
            yield Fault(f"mqtt.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")


def _pumatronix(config: Config) -> Iterator[Fault]:
    """Pumatronix's addresses."""
    if config.pumatronix is not None:
        wanted, names_known = config.pumatronix.camera, [camera.name for camera in config.cameras]
        if config.device_http is None:
            yield Fault("pumatronix", "there is no HTTP server for machines", "add [device_http]")
        if wanted is not None and wanted not in names_known:
            yield Fault("pumatronix.camera", f"there is no camera {wanted!r}", f"known: {', '.join(names_known)}")


def _ftp(config: Config) -> Iterator[Fault]:
    """The FTP server."""
    ftp = config.ftp
    if ftp is not None and ftp.tls is None and not ftp.plain:
        yield Fault("ftp", "it has no TLS", "name certificate_file and key_file under ftp.tls, or set ftp.plain = true")
    if ftp is not None and ftp.implicit and (ftp.tls is None or ftp.plain):
        yield Fault("ftp.implicit", "every connection is then encrypted", "set ftp.tls and leave ftp.plain out")
    if ftp is not None and ftp.passive_ports is not None and ftp.passive_ports[0] > ftp.passive_ports[1]:
        yield Fault("ftp.passive_ports", "the first port is over the last", "write them in order, first and last")


def _neural(config: Config) -> Iterator[Fault]:
    """Neural Labs' sockets (and the pull API): cameras that exist; no server without a log-in is open to everybody."""
    cameras = {camera.name for camera in config.cameras}
    if unknown := sorted(set(config.milesight_pull.cameras) - cameras):
        yield Fault("milesight_pull.cameras", f"there is no camera {unknown[0]!r}", f"one of {sorted(cameras)}")
    for section in ("neural_client", "neural_server", "neural_trigger"):
        for index, one in enumerate(cast("Iterable[Any]", getattr(config, section))):
            path = f"{section}.{index}"
            named = {one.camera} - {None} if section == "neural_trigger" else set[str](one.cameras)
            if unknown := sorted(named - cameras):
                key = "camera" if section == "neural_trigger" else "cameras"
                yield Fault(f"{path}.{key}", f"there is no camera {unknown[0]!r}", f"one of {sorted(cameras)}")
            taken = {name.casefold() for name in (*get_args(InfoplateField), "imgSize", "infoplate")}
            if named_so := [name for name in one.columns if name.casefold() in taken]:
                yield Fault(f"{path}.columns", f"{named_so[0]!r} is a field of every message", "name it otherwise")
            if section == "neural_client":
                if one.retry_first > one.retry_max:
                    yield Fault(f"{path}.retry_first", "it is longer than retry_max", "make it at most retry_max")
                continue
            for network in one.allow:
                try:
                    ipaddress.ip_network(network)
                except ValueError as error:
                    yield Fault(f"{path}.allow", str(error), 'write "192.168.1.20" or "192.168.1.0/24"')
            if one.host not in LOOPBACK and not one.allow:
                yield Fault(
                    f"{path}.host",
                    f"{one.host} can be reached from outside, the protocol has no log-in, and allow is empty",
                    "name the addresses that may connect in allow",
                )


def _rtsp(config: Config) -> Iterator[Fault]:
    """The RTSP server: something to listen with, streams of cameras that exist, a name each."""
    rtsp = config.rtsp
    if rtsp is None:
        return
    if not rtsp.plain and rtsp.tls is None:
        yield Fault("rtsp.plain", "nothing is left to listen with", "name the files of rtsp.tls, or leave it out")
    if rtsp.udp_port % 2:
        yield Fault("rtsp.udp_port", "RTP has an even port and RTCP the next one", "set an even port, or 0 for any")
    cameras = {camera.name for camera in config.cameras}
    names: dict[str, int] = {}
    for index, stream in enumerate(rtsp.streams):
        if stream.camera is not None and stream.camera not in cameras:
            problem = f"there is no camera {stream.camera!r}"
            yield Fault(f"rtsp.streams.{index}.camera", problem, f"one of {sorted(cameras)}")
        if stream.name in names:
            problem = f"the name {stream.name!r} is already that of rtsp.streams.{names[stream.name]}"
            yield Fault(f"rtsp.streams.{index}.name", problem, "give each its own name")
        names[stream.name] = index


def _namespace(broker: Mqtt) -> tuple[str, int, str]:
    """Where a broker's topics lie; two sinks there would speak for each other."""
    return broker.host, broker.port, broker.prefix


def _has_password(camera: Camera) -> bool:
    """Whether the camera's URL carries ``user:password@``."""
    authority = camera.source.split("//", 1)[1].split("/", 1)[0] if "://" in camera.source else ""
    return ":" in authority.rpartition("@")[0]


def _named(config: Config) -> Iterator[tuple[str, str]]:
    for section in ("cameras", "milesight", "push", "mqtt", "neural_client", "neural_server", "neural_trigger"):
        items = cast("Iterable[Any]", getattr(config, section))
        for index, item in enumerate(items):
            yield f"{section}.{index}.name", item.name
    if config.rtsp is not None:
        yield "rtsp.name", config.rtsp.name


def _listeners(config: Config) -> Iterator[tuple[str, str, int]]:
    if config.web.enabled:
        yield "web.port", config.web.host, config.web.port
    for index, server in enumerate(config.milesight):
        yield f"milesight.{index}.port", server.host, server.port
    for section in ("neural_server", "neural_trigger"):
        for index, server in enumerate(cast("Iterable[Any]", getattr(config, section))):
            yield f"{section}.{index}.port", server.host, server.port
    if config.rtsp is not None:
        if config.rtsp.plain:
            yield "rtsp.port", config.rtsp.host, config.rtsp.port
        if config.rtsp.tls is not None:
            yield "rtsp.tls_port", config.rtsp.host, config.rtsp.tls_port
    if config.ftp is not None:
        yield "ftp.port", config.ftp.host, config.ftp.port
    if config.sftp is not None:
        yield "sftp.port", config.sftp.host, config.sftp.port


def files(config: Config) -> Iterator[tuple[str, str]]:
    """(key path, name) of every file that the configuration names."""

    def named(section: Section, path: str) -> Iterator[tuple[str, str]]:
        for field in section.__struct_fields__:
            value: object = getattr(section, field)
            if field.endswith("_file") and isinstance(value, str):
                yield f"{path}.{field}", value
            elif isinstance(value, Section):
                yield from named(value, f"{path}.{field}")

    yield from named(config.sign, "sign")
    yield from named(config.web, "web")
    if config.rtsp is not None:
        yield from named(config.rtsp, "rtsp")
    if config.ftp is not None:
        yield from named(config.ftp, "ftp")
    for index, key in enumerate(config.sftp.keys if config.sftp is not None else ()):
        yield from named(key, f"sftp.keys.{index}")
    for section in ("cameras", "milesight", "push", "mqtt"):
        for index, item in enumerate(cast("Iterable[Section]", getattr(config, section))):
            yield from named(item, f"{section}.{index}")
    for key in ("detector", "reader"):
        value = cast("str | None", getattr(config.engine, key))
        if value is not None:
            yield f"engine.{key}", value


def _area(region: Sequence[tuple[float, float]]) -> float:
    pairs = zip(region, [*region[1:], region[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts on which plain HTTP stays on this machine."""


def warnings(config: Config) -> Iterator[str]:
    """What works and is not wise, a sentence each."""
    if config.web.enabled and config.web.tls is None and config.web.host not in LOOPBACK:
        yield f"web.host: {config.web.host} is reachable from outside without TLS: passwords cross the network in clear"
    if config.rtsp is not None and config.rtsp.host not in LOOPBACK:
        if config.rtsp.guests:
            yield "rtsp.guests: whoever reaches this machine can look on"
        elif config.rtsp.plain and "basic" in config.rtsp.methods:
            yield "rtsp.methods: Basic sends passwords readable wherever a client doesn't use RTSPS"
    for index, server in enumerate(config.milesight):
        if server.host not in LOOPBACK:
            yield f"milesight.{index}.host: the protocol has no encryption: keep it inside a network you trust"
    if config.ftp is not None and config.ftp.plain and config.ftp.host not in LOOPBACK:
        yield f"ftp.plain: {config.ftp.host} is reachable from outside: passwords may cross the network in clear"
    for index, push in enumerate(config.push):
        if push.url.startswith("http://") and push.user is not None:
            yield f"push.{index}.url: the password crosses the network without TLS"
    for index, broker in enumerate(config.mqtt):
        if not broker.tls and broker.host not in LOOPBACK:
            what = "plates and the password cross" if broker.user is not None else "plates cross"
            yield f"mqtt.{index}.tls: {what} the network in clear"
    for section in ("neural_client", "neural_server", "neural_trigger"):
        for index, one in enumerate(cast("Iterable[Any]", getattr(config, section))):
            if one.host not in LOOPBACK:
                yield f"{section}.{index}.host: the protocol has no encryption: keep it inside a network you trust"
    if config.sign.enabled and config.sign.key_bits == 1024:
        yield "sign.key_bits: 1024 bits no longer withstand a determined forger; use 2048 or 4096"
