"""``lpr run`` and ``lpr demo``: the service in the foreground, until Ctrl-C, SIGTERM or the end of its files."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

import lpr
from lpr.cli.config import add_options, load
from lpr.cli.log import iso
from lpr.cli.output import CommandError, say, say_json, warn
from lpr.cli.places import EXPECTED, alone
from lpr.config import Camera, Config, DeviceHttp, MilesightServer, Onvif, Retention, Rtsp
from lpr.core.supervise import VitalActorFailed
from lpr.events import PassageDecided, ServerListening
from lpr.keys import KeyProblem
from lpr.media.encoder import available, choose_codec
from lpr.media.encoding import Codec
from lpr.preparing import StartError
from lpr.settings import config_for_source
from lpr.wiring import NVR_ACCOUNT

if TYPE_CHECKING:
    from lpr.service import Service

DEMO_DATA = "lpr-demo"
"""Where the demo keeps its things, so that it never touches another service's."""


DEMO_KEPT = Retention(days=1.0, max_pictures_mb=1000, every=600.0)
"""The street has a vehicle every other second, more than a gigabyte of pictures an hour: not for a disk to fill."""


DEMO_COUNTRIES = ("AR", "BO", "BR", "CL", "PY", "UY")
"""The countries whose vehicles drive in the demo street."""


def add(commands: Any) -> None:
    """Add both commands."""
    run: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="run the service",
        description="Run the service in the foreground, until Ctrl-C, SIGTERM or (with --until-end) the end of its"
        " sources. Without a source, the cameras of the configuration; without one of these, a rendered street.",
    )
    run.add_argument(
        "source", nargs="?", help="a video file, a folder, a URL or a device, instead of the configured camera"
    )
    run.add_argument("--fast", action="store_true", help="files: as quick as it goes")
    run.add_argument("--until-end", action="store_true", help="stop when the sources have ended and all is delivered")
    run.set_defaults(run=_run)
    demo: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="a rendered street, the page, the API and servers for NVRs, with no configuration",
        description="A rendered street with vehicles of several countries, the page, the API and servers for NVRs, with"
        f" no configuration, on this computer alone. Everything is kept in {DEMO_DATA}/, at most"
        f" {DEMO_KEPT.max_pictures_mb} MB of pictures; delete the folder to begin anew. Ctrl-C ends it.",
    )
    demo.add_argument("--no-browser", action="store_true", help="don't open the page")
    demo.set_defaults(run=_demo)
    for command in (run, demo):
        add_options(command)
        command.add_argument("--data", metavar="FOLDER", help="the data folder, instead of the configured")
        command.add_argument("--json", action="store_true", help="passages as JSON lines")
        command.add_argument("--quiet", action="store_true", help="don't print passages")


def _run(options: argparse.Namespace) -> int:
    config = load(options).config
    if options.source is not None:
        if len(config.cameras) > 1:
            raise CommandError("a source on the command line replaces the one camera, and several are configured")
        config = config_for_source(options.source, config)
    change = msgspec.structs.replace
    if options.fast:
        config = change(config, cameras=tuple(change(camera, fast=True) for camera in config.cameras))
    if options.until_end:
        config = change(config, until_end=True)
    return _serve(_placed(config, options), options, browser=False)


def _demo(options: argparse.Namespace) -> int:
    config = load(options).config
    change = msgspec.structs.replace
    if not config.milesight:
        config = change(config, milesight=(MilesightServer(),))
    config = change(
        config,
        rtsp=config.rtsp or Rtsp(),
        device_http=config.device_http or DeviceHttp(),
        onvif=config.onvif or Onvif(),
    )
    if all(camera == Camera() for camera in config.cameras):
        config = change(config, cameras=(Camera(name="demo", lane="1"),))
        if not config.engine.countries:
            config = change(config, engine=change(config.engine, countries=DEMO_COUNTRIES))
    if config.data == Config().data:
        config = change(config, data=DEMO_DATA)
    if config.retention == Retention():
        config = change(config, retention=DEMO_KEPT)
    return _serve(_placed(config, options), options, browser=not options.no_browser)


def _placed(config: Config, options: argparse.Namespace) -> Config:
    return msgspec.structs.replace(config, data=options.data) if options.data else config


def _serve(config: Config, options: argparse.Namespace, *, browser: bool) -> int:
    logging.basicConfig(level=logging.WARNING, format="lpr: %(message)s", stream=sys.stderr)
    try:
        return anyio.run(_live, config, options, browser)
    except (*EXPECTED, StartError, KeyProblem, lpr.ModelError, VitalActorFailed) as error:
        raise CommandError(str(error)) from None
    except BaseExceptionGroup as group:
        error = alone(group)
        if isinstance(error, (*EXPECTED, StartError, KeyProblem, lpr.ModelError, VitalActorFailed)):
            raise CommandError(str(error)) from None
        raise


async def _live(config: Config, options: argparse.Namespace, browser: bool) -> int:
    """The exit code: 1 when it was to run until the end of sources and one of them could not be read."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with lpr.open(config) as service, anyio.create_task_group() as tasks:
            settle_memory()
            tasks.start_soon(_stop_on_signal, service, signals)
            tasks.start_soon(_report, service, options, browser)
            _introduce(service, aside if options.json else say)
            await service.wait()
            tasks.cancel_scope.cancel()
        return int(config.until_end and bool(service.lost()))


def settle_memory() -> None:
    """What is there once everything is loaded stays: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


def aside(text: str) -> None:
    """What is for people, where the output is for programs: on standard error."""
    if text:
        warn(text.strip())


def _introduce(service: Service, tell: Callable[[str], None]) -> None:
    """Where things are, and the one password that is shown once."""
    config = service.config
    tell(f"lpr {service.release}; data in {service.folder.root}")
    for camera in config.cameras:
        tell(f"  camera {camera.name}: {'the rendered street' if camera.source == 'demo' else camera.source}")
    for server in config.milesight:
        password = server.password_file or service.folder.secret(server.name)
        tell(f"  NVRs (Milesight TCP): {server.host}:{server.port}, user {server.user}, password in {password}")
    for line in for_machines(config):
        tell(f"  {line}")
    if any((config.rtsp, config.device_http, config.ftp, config.sftp)) and not config.accounts:
        tell(f"  their account: nvr, password in {service.folder.secret(NVR_ACCOUNT)}")
    if service.first_login is not None:
        tell("")
        tell(f"  First log-in: user {service.first_login.user}, one-time password {service.first_login.password}")
        tell("  It is shown only now and has to be changed at the first log-in.")
        tell("")


def for_machines(config: Config, codecs: frozenset[Codec] | None = None) -> Iterator[str]:
    """Where NVRs find the streams and services, a line each. ``codecs``: what can be encoded here, None: found out."""
    if (rtsp := config.rtsp) is not None:
        scheme, port = ("rtsp", rtsp.port) if rtsp.plain else ("rtsps", rtsp.tls_port)
        for stream in rtsp.streams:
            _, problem = choose_codec(stream.codec, available() if codecs is None else codecs)
            yield f"NVRs (RTSP): {scheme}://{rtsp.host}:{port}/{stream.name}{f' ({problem})' if problem else ''}"
    if (http := config.device_http) is not None:
        base = f"{'http' if http.tls is None else 'https'}://{http.address or http.host}:{http.port}"
        if config.onvif is not None:
            yield f"NVRs (ONVIF): {base}/onvif/device_service"
        else:
            yield f"NVRs (HTTP): {base}/"
    if (ftp := config.ftp) is not None:
        yield f"files (FTP): ftp://{ftp.host}:{ftp.port}/"
    if (sftp := config.sftp) is not None:
        yield f"files (SFTP): sftp://{sftp.host}:{sftp.port}/"


async def _stop_on_signal(service: Service, signals: AsyncIterator[signal.Signals]) -> None:
    """The first signal ends the service in good order; further ones change nothing."""
    async for number in signals:
        service.stop(f"signal {number.name}")


async def _report(service: Service, options: argparse.Namespace, browser: bool) -> None:
    """Passages and addresses as they come."""
    async for record in service.follow("PassageDecided", "ServerListening", after=service.opened_at):
        event = record.event
        if isinstance(event, ServerListening) and service.web is not None and event.server == "web":
            (aside if options.json else say)(f"  the page: {service.web.url}")
            if browser and _has_display():
                webbrowser.open(service.web.url)
        elif isinstance(event, PassageDecided) and not options.quiet:
            _say_passage(record.id, event, as_json=options.json)


def _say_passage(passage: str, event: PassageDecided, *, as_json: bool) -> None:
    if as_json:
        say_json({"passage": passage, **msgspec.to_builtins(event)})
        return
    say(passage_line(event))


def passage_line(event: PassageDecided) -> str:
    """A passage in one line: when, where, plate, country, direction, and what is known of the vehicle."""
    plate, sure = event.plate or "(unread)", f"{event.confidence:.0%}"
    if not event.plated:
        plate, sure = "(no plate)", "--"
    where = f"{event.source} {event.lane}".strip()
    vehicle = " ".join(one for one in (event.vehicle_colour, event.vehicle) if one)
    line = f"{iso(event.at)}  {where:<12}  {plate:<10} {sure:>5}  {event.country or '--'}  {event.direction}  {vehicle}"
    return line.rstrip()


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
