"""``lpr listen KIND ADDRESS``: connect to any camera as an NVR does; print what comes and what deviates."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

from lpr.cli.output import CommandError, say, warn
from lpr.cli.places import run_async
from lpr.core.clock import SECOND, SystemClock
from lpr.listen import http, milesight, mqtt, neural, onvif, rtsp
from lpr.listen.keep import Keeper
from lpr.listen.session import Source, Tally, again, listen
from lpr.listen.target import UNREACHABLE, Limits, ListenFailure, Target, Tls, split

PASSWORD = "LPR_LISTEN_PASSWORD"
"""The variable that may hold the password."""

Make = Callable[[argparse.Namespace, str], Source]


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "listen",
        help="connect to a camera as an NVR does and name every deviation",
        description="Prints what comes as JSON lines: every field, and under `deviations` whatever is not as the"
        " specification says (field, found, expected, source).",
        epilog="Exit codes: 0 as it should be; 1 something deviates, the camera broke the protocol, or fewer came than"
        " --count; 2 the camera can't be reached; 3 it does not let us in.",
    )
    kinds = command.add_subparsers(dest="kind", metavar="KIND", required=True)
    one = kinds.add_parser("milesight", help="Milesight's TCP type")
    one.add_argument("address", help=f"HOST[:PORT], port {milesight.PORT} unless given")
    one.add_argument("--register", action="store_true", help="send the registration of later firmwares")
    _common(one, _milesight, user="admin")
    one = kinds.add_parser("neural", help="infoplate messages of VIVOTEK's and Neural Labs' cameras")
    one.add_argument("address", help=f"HOST[:PORT], port {neural.PORT} unless given")
    one.add_argument("--accept", action="store_true", help="cameras dial: listen at ADDRESS, e.g. 0.0.0.0:17000")
    _common(one, _neural)
    one = kinds.add_parser("rtsp", help="the ONVIF metadata stream of a camera")
    one.add_argument("address", help="rtsp://HOST[:PORT]/PATH or rtsps://…, as the camera names it")
    _common(one, _rtsp)
    one = kinds.add_parser("onvif", help="ONVIF events through a pull point")
    one.add_argument("address", help=f"HOST[:PORT] or the address of the device service, {onvif.PATH} unless given")
    _common(one, _onvif)
    one = kinds.add_parser("mqtt", help="a broker's topics")
    one.add_argument("address", help="HOST[:PORT], mqtt://… or mqtts://…")
    one.add_argument("--topic", action="append", default=[], metavar="FILTER", help="repeatable; all (#) unless given")
    one.add_argument("--mqtt-version", choices=("3.1.1", "5"), default="5")
    _common(one, _mqtt)
    one = kinds.add_parser("http", help="a receiver for what cameras push; ADDRESS is where it listens")
    one.add_argument("address", help="HOST:PORT or PORT of this machine, e.g. 0.0.0.0:8090")
    one.add_argument("--answer", type=int, default=200, metavar="STATUS", help="of every request let in")
    one.add_argument("--auth", choices=("basic", "digest"), default="digest", help="with --user: what is asked for")
    _common(one, _http)


def _common(command: argparse.ArgumentParser, make: Make, *, user: str = "") -> None:
    command.add_argument("--user", default=user, help=f"default: {user}" if user else None)
    command.add_argument("--password-file", type=Path, metavar="FILE", help=f"first line; or set {PASSWORD}; or --ask")
    command.add_argument("--ask", action="store_true", help="ask for the password on the terminal")
    command.add_argument("--tls", action="store_true", help="connect with TLS")
    command.add_argument(
        "--ca-file", default="", metavar="FILE", help="PEM of the authority; the system's unless given"
    )
    command.add_argument("--certificate", default="", metavar="FILE", help="PEM, our certificate")
    command.add_argument("--key", default="", metavar="FILE", help="PEM, its key")
    command.add_argument("--insecure", action="store_true", help="don't verify the certificate (tests only)")
    command.add_argument("--count", type=int, default=0, metavar="N", help="end after so many; no limit unless given")
    command.add_argument("--seconds", type=float, default=0.0, metavar="S", help="end after so long; 0: never")
    command.add_argument("--save", type=Path, metavar="FOLDER", help="keep raw messages and pictures there")
    command.add_argument(
        "--record", type=Path, metavar="FILE", help="append the lines, each on the disk before the next"
    )
    command.add_argument("--quiet", action="store_true", help="print no lines")
    command.add_argument(
        "--again", type=float, nargs="?", const=1.0, metavar="S", help="connect again S seconds after each end (1)"
    )
    command.add_argument("--timeout", type=float, default=10.0, metavar="S", help="to connect and log in (10)")
    command.add_argument("--max-message", type=int, default=64, metavar="MB", help="of one message (64)")
    command.set_defaults(run=partial(_run, make))


def _run(make: Make, options: argparse.Namespace) -> int:
    if options.count < 0 or options.seconds < 0 or options.timeout <= 0 or options.max_message < 1:
        raise CommandError("--count and --seconds are 0 or more, --timeout and --max-message more than 0")
    password = _password(options)
    if options.insecure:
        warn("the certificate is not verified: anybody may be at the other end")
    tally = Tally()
    clock = SystemClock()
    try:
        with contextlib.ExitStack() as files:
            lines = _Lines(_opened(options.record, files), options.quiet)

            async def work() -> Tally:
                start = partial(make, options, password)
                source = start() if options.again is None else again(start, clock, options.again, warn)
                return await listen(
                    options.kind,
                    source,
                    clock=clock,
                    keeper=Keeper(options.save),
                    say=lines,
                    count=options.count,
                    seconds=options.seconds,
                    tally=tally,
                )

            run_async(work)
    except ListenFailure as failure:
        raise CommandError(str(failure), failure.status) from None
    finally:
        _summary(options, tally)
    return tally.status(options.count)


class _Lines:
    """Prints lines, records them."""

    def __init__(self, record: IO[str] | None, quiet: bool) -> None:
        self._record = record
        self._quiet = quiet

    def __call__(self, line: str) -> None:
        if self._record is not None:
            self._record.write(line + "\n")
            self._record.flush()
            os.fsync(self._record.fileno())
        if not self._quiet:
            say(line)


def _opened(path: Path | None, files: contextlib.ExitStack) -> IO[str] | None:
    try:
        return None if path is None else files.enter_context(path.open("a", encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; name another file") from None


def _summary(options: argparse.Namespace, tally: Tally) -> None:
    fields = ", ".join(
        f"{name} {count}" for name, count in sorted(tally.by_field.items(), key=lambda one: -one[1])[:10]
    )
    wanted = f" of {options.count}" if options.count else ""
    how = {"closed": "; the other side closed", "time": f"; {options.seconds:g} s are over"}.get(tally.ended, "")
    warn(f"{tally.reports}{wanted} came, {tally.deviations} deviations{f' ({fields})' if fields else ''}{how}")


def _password(options: argparse.Namespace) -> str:
    if options.ask:
        return getpass.getpass("password: ")
    if options.password_file is None:
        return os.environ.get(PASSWORD, "")
    try:
        text = options.password_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{options.password_file}: the password can't be read: {error}") from None
    return text.splitlines()[0] if text else ""


def _target(options: argparse.Namespace, password: str, port: int, *, plain: str = "", secure: str = "") -> Target:
    """``plain``, ``secure``: the schemes without and with TLS. Raises ListenFailure."""
    schemes = tuple(scheme for scheme in (plain, secure) if scheme)
    scheme, host, port, path = split(options.address, port, schemes)
    tls = None
    if options.tls or (secure and scheme == secure):
        tls = Tls(options.ca_file, options.certificate, options.key, not options.insecure)
    elif options.ca_file or options.certificate or options.insecure:
        raise ListenFailure("--ca-file, --certificate and --insecure need --tls", UNREACHABLE)
    limits = Limits(options.timeout, options.max_message * 1024 * 1024)
    return Target(host, port, options.user, password, tls, path, limits)


def _milesight(options: argparse.Namespace, password: str) -> Source:
    return milesight.milesight(_target(options, password, milesight.PORT), register=options.register)


def _neural(options: argparse.Namespace, password: str) -> Source:
    target = _target(options, password, neural.PORT)
    if options.accept:
        return neural.neural_accepting(target, lambda address: warn(f"listening at {address} for cameras that dial"))
    return neural.neural(target)


def _rtsp(options: argparse.Namespace, password: str) -> Source:
    secure = options.tls or options.address.startswith("rtsps://")
    port = rtsp.TLS_PORT if secure else rtsp.PORT
    target = _target(options, password, port, plain="rtsp", secure="rtsps")
    clock = SystemClock()
    url = f"{'rtsps' if secure else 'rtsp'}://{target.address}{target.path or '/'}"
    return rtsp.rtsp(target, url, lambda: clock.random_bytes(16).hex(), lambda: clock.mono() / SECOND)


def _onvif(options: argparse.Namespace, password: str) -> Source:
    secure = options.tls or options.address.startswith("https://")
    port = onvif.TLS_PORT if secure else onvif.PORT
    return onvif.onvif(_target(options, password, port, plain="http", secure="https"), SystemClock())


def _mqtt(options: argparse.Namespace, password: str) -> Source:
    secure = options.tls or options.address.startswith("mqtts://")
    target = _target(options, password, 8883 if secure else 1883, plain="mqtt", secure="mqtts")
    random = SystemClock().random_bytes(6).hex()
    return mqtt.mqtt(target, options.topic or ["#"], version=options.mqtt_version, client=f"lpr-listen-{random}")


def _http(options: argparse.Namespace, password: str) -> Source:
    text = options.address
    options.address = f"127.0.0.1:{text}" if text.isdigit() else text
    target = _target(options, password, 8090, plain="http", secure="https")
    if target.tls is not None and not target.tls.certificate_file:
        raise ListenFailure("a receiver with TLS needs --certificate (and --key)", UNREACHABLE)
    scheme = "http" if target.tls is None else "https"

    def ready(address: str) -> None:
        warn(f"listening at {scheme}://{address}/ for whatever is pushed")

    receiver = http.Receiver(target, status=options.answer, scheme=options.auth, clock=SystemClock(), ready=ready)
    return http.http(receiver)
