"""Load, check and explain the configuration: where each value came from, and what is wrong with a bad one.

Layers, later wins: the defaults of ``lpr.config``, the TOML file, ``--set key=value`` of the command line.
May import ``lpr.config`` only.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from lpr.config import Config
from lpr.config.checks import faults, files, warnings

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
    return Settings(config=config, origins=origins, file=path, warnings=tuple(warnings(config)))


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
        if problem.startswith("Expected `array`") and isinstance(found, dict):
            remedy = f"write [[{path}]], with two brackets, before each"
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
    fault = next(faults(config), None)
    if fault is not None:
        raise ConfigError(_place(fault.path, file, origins), fault.problem, fault.remedy)
    for path, name in files(config):
        if not Path(name).is_file():
            place = _place(path, file, origins)
            raise ConfigError(place, f"there is no file {name!r}", "paths are taken from the working folder")
