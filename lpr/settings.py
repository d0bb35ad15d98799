"""Load, check and explain the configuration: where each value came from, and what is wrong with a bad one.

Layers, later wins: the defaults of ``lpr.config``, the TOML file, ``--set key=value`` of the command line.
May import ``lpr.config`` only.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import msgspec

from lpr.config import Camera, Config, Mqtt, Section
from lpr.config.neural import InfoplateField

DEFAULT_FILE = "lpr.toml"
"""The name that is looked for in the working folder."""

MAX_FILE_BYTES = 1_048_576
"""A larger configuration file is refused."""


class ConfigError(Exception):
    """The configuration can't be used. ``str(error)`` names the place, what was found and what is allowed."""

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{place}: {problem}" + (f"; {remedy}" if remedy else ""))
        self.place = place
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Settings:
    """A checked configuration. ``origins``: key path -> "default", "lpr.toml:12" or "--set"."""

    config: Config
    origins: Mapping[str, str]
    file: Path | None
    warnings: tuple[str, ...]

    def rows(self) -> Iterator[tuple[str, object, str]]:
        """(key path, value, origin) of every value, in the order of the structs."""
        for path, value in _leaves(msgspec.to_builtins(self.config), ""):
            yield path, value, _origin(self.origins, path)


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Read ``path`` (none: only defaults), apply ``overrides`` ("web.port=9000", the value in TOML), check.

    Raises ConfigError.
    """
    raw: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if path is not None:
        text = _read(path)
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(str(path), f"this is not TOML: {error}", "see https://toml.io for the syntax") from None
        origins = {key: f"{path}:{line}" for key, line in key_lines(text).items()}
    for override in overrides:
        _override(raw, override, origins)
    try:
        config = msgspec.convert(raw, Config, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(error, raw, path, origins) from None
    _check(config, origins, path)
    return Settings(config=config, origins=origins, file=path, warnings=tuple(_warn(config)))


def config_for_source(source: str, base: Config) -> Config:
    """``base`` with one camera that reads ``source``: the command line's short form."""
    return msgspec.structs.replace(base, cameras=(msgspec.structs.replace(base.cameras[0], source=source),))


def schema() -> dict[str, Any]:
    """JSON Schema of the file."""
    return msgspec.json.schema(Config)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(str(path), f"larger than {MAX_FILE_BYTES} bytes", "a configuration is a few kilobytes")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no such file", "name another with --config, or run `lpr demo`") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(str(path), f"can't be read: {error.strerror}") from None


def _override(raw: dict[str, Any], override: str, origins: dict[str, str]) -> None:
    place = f"--set {override}"
    key, equals, text = override.partition("=")
    path = key.strip()
    if not equals or not re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)*", path):
        raise ConfigError(place, "not of the form key.path=value", "for example --set web.port=9000")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    node: Any = raw
    *parents, last = path.split(".")
    for index, part in enumerate(parents):
        default: Any = [{}] if index + 1 < len(parents) + 1 and ([*parents, last])[index + 1].isdigit() else {}
        node = _child(node, part, default, place)
    if isinstance(node, list):
        cast("list[Any]", node)[_index(cast("list[Any]", node), last, place)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise ConfigError(place, f"{'.'.join(parents)} is not a section")
    origins[path] = "--set"


def _child(node: Any, part: str, default: Any, place: str) -> Any:
    if isinstance(node, list):
        items = cast("list[Any]", node)
        return items[_index(items, part, place)]
    if not isinstance(node, dict):
        raise ConfigError(place, f"there is no section {part!r}")
    return cast("dict[str, Any]", node).setdefault(part, default)


def _index(items: list[Any], part: str, place: str) -> int:
    if not part.isdigit() or int(part) > len(items):
        raise ConfigError(place, f"{part!r} is not a number from 0 to {len(items)}")
    if int(part) == len(items):
        items.append({})
    return int(part)


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def key_lines(text: str) -> dict[str, int]:
    """Line (from 1) of each key path ("cameras.0.name"). Keys inside inline tables are found by their parent."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    quote: str | None = None
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if quote is not None:
            if quote in line:
                quote = None
            continue
        if depth == 0:
            header = _HEADER.match(line)
            if header:
                name = header.group(2).replace('"', "").replace("'", "").replace(" ", "")
                prefix = _table_path(name, header.group(1) == "[[", counts)
                lines.setdefault(prefix, number)
                continue
            key = _KEY.match(line)
            if key:
                name = key.group(1).replace('"', "").replace("'", "")
                lines[f"{prefix}.{name}" if prefix else name] = number
        marked = line.replace('"""', "\x00").replace("'''", "\x01")
        rest = re.sub(r'"(\\.|[^"\\])*"|\'[^\']*\'|#.*$', "", marked)
        for mark, long_quote in (("\x00", '"""'), ("\x01", "'''")):
            if rest.count(mark) % 2:
                quote = long_quote
        depth = max(0, depth + rest.count("[") - rest.count("]"))
    return lines


def _table_path(name: str, is_array: bool, counts: dict[str, int]) -> str:
    parts: list[str] = []
    dotted: list[str] = []
    names = name.split(".")
    for index, part in enumerate(names):
        dotted.append(part)
        key = ".".join(dotted)
        parts.append(part)
        if is_array and index == len(names) - 1:
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            parts.append(str(counts[key]))
    return ".".join(parts)


def _origin(origins: Mapping[str, str], path: str) -> str:
    while path:
        if path in origins and not _is_table(origins, path):
            return origins[path]
        path = path.rpartition(".")[0]
    return "default"


def _is_table(origins: Mapping[str, str], path: str) -> bool:
    return any(other.startswith(path + ".") for other in origins)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, item in cast("dict[str, Any]", value).items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in cast("list[Any]", value)):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, value


_AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<at>[^`]*)`)?$", re.DOTALL)


def _explain(
    error: msgspec.ValidationError, raw: dict[str, Any], file: Path | None, origins: Mapping[str, str]
) -> ConfigError:
    match = _AT.match(str(error))
    problem = match.group("problem") if match else str(error)
    at = (match.group("at") if match else None) or "$"
    path = re.sub(r"\[(\d+)\]", r".\1", at.removeprefix("$")).lstrip(".")
    remedy = "`lpr config schema` lists every key"
    unknown = re.search(r"unknown field `([^`]+)`", problem)
    if unknown:
        allowed = _fields_at(path)
        close = difflib.get_close_matches(unknown.group(1), allowed, n=1)
        remedy = (f"did you mean {close[0]!r}? " if close else "") + "allowed here: " + ", ".join(allowed)
        path = f"{path}.{unknown.group(1)}" if path else unknown.group(1)
        problem = "this key is not known"
    else:
        found = _lookup(raw, path)
        problem = f"{problem}; found {found!r}" if found is not None else problem
        allowed = _choices_at(path)
        remedy = f"allowed: {', '.join(allowed)}" if allowed else remedy
    return ConfigError(_place(path, file, origins), problem, remedy)


def _place(path: str, file: Path | None, origins: Mapping[str, str]) -> str:
    origin = origins.get(path) or _origin(origins, path)
    if origin == "default":
        origin = origins.get(path.rpartition(".")[0]) or (str(file) if file else "configuration")
    return f"{origin}: {path}" if path else origin


def _lookup(raw: Any, path: str) -> Any:
    node = raw
    for part in path.split(".") if path else []:
        if isinstance(node, dict):
            node = cast("dict[str, Any]", node).get(part)
        elif isinstance(node, list) and part.isdigit() and int(part) < len(cast("list[Any]", node)):
            node = cast("list[Any]", node)[int(part)]
        else:
            return None
    return node


def _choices_at(path: str) -> list[str]:
    """The values that the key at ``path`` allows, when they can be listed."""
    info = _type_at(path)
    return [repr(value) for value in info.values] if isinstance(info, msgspec.inspect.LiteralType) else []


def _fields_at(path: str) -> list[str]:
    """The keys that the section at ``path`` allows."""
    info = _type_at(path)
    return [field.encode_name for field in info.fields] if isinstance(info, msgspec.inspect.StructType) else []


def _type_at(path: str) -> msgspec.inspect.Type | None:
    info: Any = msgspec.inspect.type_info(Config)
    for part in path.split(".") if path else []:
        if isinstance(info, msgspec.inspect.StructType):
            info = next((field.type for field in info.fields if field.encode_name == part), None)
        elif isinstance(info, (msgspec.inspect.VarTupleType, msgspec.inspect.ListType)):
            info = info.item_type
        while isinstance(info, msgspec.inspect.Metadata):
            info = info.type
        if isinstance(info, msgspec.inspect.UnionType):
            info = next((kind for kind in info.types if isinstance(kind, msgspec.inspect.StructType)), None)
    return info


def _check(config: Config, origins: Mapping[str, str], file: Path | None) -> None:
    """What the types can't say. Raises ConfigError."""

    def refuse(path: str, problem: str, remedy: str) -> ConfigError:
        return ConfigError(_place(path, file, origins), problem, remedy)

    names: dict[str, str] = {}
    for path, name in _named(config):
        if name in names:
            raise refuse(path, f"the name {name!r} is already that of {names[name]}", "give each its own name")
        names[name] = path
    ports: dict[tuple[str, int], str] = {}
    for path, host, port in _listeners(config):
        if port and (host, port) in ports:
            raise refuse(path, f"port {port} is already that of {ports[host, port]}", "give each its own port")
        ports[host, port] = path
    for index, camera in enumerate(config.cameras):
        if not camera.source.strip():
            raise refuse(f"cameras.{index}.source", "it is empty", 'write "demo", a file, a folder, a URL or a device')
        if camera.retry_first > camera.retry_max:
            raise refuse(f"cameras.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")
        region = camera.trigger.region
        if region is not None and _area(region) < 1e-4:
            raise refuse(f"cameras.{index}.trigger.region", "it encloses no area", "list the corners in order round it")
        if _has_password(camera):
            raise refuse(
                f"cameras.{index}.source", "it has a password in it", "put user:password into a credentials_file"
            )
    for network in config.web.proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise refuse("web.proxies", str(error), 'write "10.0.0.5" or "10.0.0.0/24"') from None
    for index, push in enumerate(config.push):
        if "@" in push.url.split("//", 1)[1].split("/", 1)[0]:
            raise refuse(f"push.{index}.url", "it has credentials in it", "use user and password_file")
        if push.user is not None and push.password_file is None:
            raise refuse(f"push.{index}.user", "there is no password_file for this user", "name the file")
        if push.retry_first > push.retry_max:
            raise refuse(f"push.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")
    for index, broker in enumerate(config.mqtt):
        if broker.user is not None and broker.password_file is None:
            raise refuse(f"mqtt.{index}.user", "there is no password_file for this user", "name the file")
        if broker.password_file is not None and broker.user is None:
            raise refuse(f"mqtt.{index}.password_file", "there is no user for it", "name the user")
        if broker.client_certificate_file is not None and not broker.tls:
            raise refuse(f"mqtt.{index}.client_certificate_file", "there is no TLS", "leave tls = false out")
        same = [one for one in config.mqtt[:index] if _namespace(one) == _namespace(broker)]
        if same:
            raise refuse(f"mqtt.{index}", f"broker and prefix are those of {same[0].name}", "give it its own prefix")
        if not broker.passages and not broker.onvif:
            raise refuse(f"mqtt.{index}.passages", "nothing would be published", "set passages or onvif to true")
        if broker.retry_first > broker.retry_max:
            raise refuse(f"mqtt.{index}.retry_first", "it is longer than retry_max", "make it at most retry_max")
    if config.pumatronix is not None:
        wanted, names_known = config.pumatronix.camera, [camera.name for camera in config.cameras]
        if config.device_http is None:
            raise refuse("pumatronix", "there is no HTTP server for machines", "add [device_http]")
        if wanted is not None and wanted not in names_known:
            raise refuse("pumatronix.camera", f"there is no camera {wanted!r}", f"known: {', '.join(names_known)}")
    ftp = config.ftp
    if ftp is not None and ftp.tls is None and not ftp.plain:
        raise refuse(
            "ftp", "it has no TLS", "name certificate_file and key_file under ftp.tls, or set ftp.plain = true"
        )
    if ftp is not None and ftp.implicit and (ftp.tls is None or ftp.plain):
        raise refuse("ftp.implicit", "every connection is then encrypted", "set ftp.tls and leave ftp.plain out")
    if ftp is not None and ftp.passive_ports is not None and ftp.passive_ports[0] > ftp.passive_ports[1]:
        raise refuse("ftp.passive_ports", "the first port is over the last", "write them in order, first and last")
    _check_neural(config, refuse)
    _check_rtsp(config, refuse)
    for path, name in _files(config):
        if not Path(name).is_file():
            raise refuse(path, f"there is no file {name!r}", "paths are taken from the working folder")


def _check_neural(config: Config, refuse: Callable[[str, str, str], ConfigError]) -> None:
    """Neural Labs' sockets (and the pull API): cameras that exist; no server without a log-in is open to everybody."""
    cameras = {camera.name for camera in config.cameras}
    if unknown := sorted(set(config.milesight_pull.cameras) - cameras):
        raise refuse("milesight_pull.cameras", f"there is no camera {unknown[0]!r}", f"one of {sorted(cameras)}")
    for section in ("neural_client", "neural_server", "neural_trigger"):
        for index, one in enumerate(cast("Iterable[Any]", getattr(config, section))):
            path = f"{section}.{index}"
            named = {one.camera} - {None} if section == "neural_trigger" else set[str](one.cameras)
            if unknown := sorted(named - cameras):
                key = "camera" if section == "neural_trigger" else "cameras"
                raise refuse(f"{path}.{key}", f"there is no camera {unknown[0]!r}", f"one of {sorted(cameras)}")
            taken = {name.casefold() for name in (*get_args(InfoplateField), "imgSize", "infoplate")}
            if named_so := [name for name in one.columns if name.casefold() in taken]:
                raise refuse(f"{path}.columns", f"{named_so[0]!r} is a field of every message", "name it otherwise")
            if section == "neural_client":
                if one.retry_first > one.retry_max:
                    raise refuse(f"{path}.retry_first", "it is longer than retry_max", "make it at most retry_max")
                continue
            for network in one.allow:
                try:
                    ipaddress.ip_network(network)
                except ValueError as error:
                    raise refuse(f"{path}.allow", str(error), 'write "192.168.1.20" or "192.168.1.0/24"') from None
            if one.host not in LOOPBACK and not one.allow:
                raise refuse(
                    f"{path}.host",
                    f"{one.host} can be reached from outside, the protocol has no log-in, and allow is empty",
                    "name the addresses that may connect in allow",
                )


def _check_rtsp(config: Config, refuse: Callable[[str, str, str], ConfigError]) -> None:
    """The RTSP server: something to listen with, streams of cameras that exist, a name each."""
    rtsp = config.rtsp
    if rtsp is None:
        return
    if not rtsp.plain and rtsp.tls is None:
        raise refuse("rtsp.plain", "nothing is left to listen with", "name the files of rtsp.tls, or leave it out")
    if rtsp.udp_port % 2:
        raise refuse("rtsp.udp_port", "RTP has an even port and RTCP the next one", "set an even port, or 0 for any")
    cameras = {camera.name for camera in config.cameras}
    names: dict[str, int] = {}
    for index, stream in enumerate(rtsp.streams):
        if stream.camera is not None and stream.camera not in cameras:
            problem = f"there is no camera {stream.camera!r}"
            raise refuse(f"rtsp.streams.{index}.camera", problem, f"one of {sorted(cameras)}")
        if stream.name in names:
            problem = f"the name {stream.name!r} is already that of rtsp.streams.{names[stream.name]}"
            raise refuse(f"rtsp.streams.{index}.name", problem, "give each its own name")
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


def _files(config: Config) -> Iterator[tuple[str, str]]:
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


def _warn(config: Config) -> Iterator[str]:
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
