"""How soon a passage is with an RTSP metadata viewer, a PullPoint client and a TCP client, with viewers connected.

``python -m tools.bench.events [--viewers N] [--passages N] [--codec NAME]``. The servers run as ``lpr run`` wires them,
over a camera that shows moving pictures of 1280 x 720, 25 a second; only the passages are made up. Viewers take the
video over TCP and throw it away, in a process of their own; the three clients are in another one. A delay is the time
between the return of the append (PassageSigned is durable) and the arrival of the last byte that tells the plate, in
milliseconds; the TCP client gets both pictures before that (206 kB).
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import re
import selectors
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
import msgspec
import numpy as np
from msgspec.structs import replace

from lpr.actors.device_http import DeviceHttp
from lpr.actors.milesight_server import MilesightServer
from lpr.actors.rtsp_server import RtspServer
from lpr.config import Config
from lpr.core.actor import emitter
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.shutter import Shutter
from lpr.events import Character, PassageDecided, PassageSigned, Picture, Reading
from lpr.folder import DataFolder
from lpr.protocols.milesight import ClientConnection, Recognition
from lpr.protocols.onvif.security import digest
from lpr.web.users import UserStore
from lpr.wiring import EveryLogin, Tools, accounts_of, nvr_side, secrets_of
from tools.bench.sample import passage, plate_of

PASSWORD = "bench-password"
TARGET_MS = 50.0
WIDTH, HEIGHT, RATE = 1280, 720, 25.0
PAUSE = 0.15
"""Seconds between two passages."""
SETTLE = 3.0
"""Seconds in which the viewers get going."""
CLIENTS = ("rtsp", "pullpoint", "tcp")


# --- the clients, in processes of their own ---------------------------------------------------------------


@dataclass(frozen=True)
class Ports:
    """Where the servers listen."""

    rtsp: int
    http: int
    tcp: int


class Rtsp:
    """An RTSP session over TCP, interleaved, by hand. ``kind``: the medium that is set up."""

    def __init__(self, port: int, kind: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self._url = f"rtsp://127.0.0.1:{port}/main"
        self._count = 0
        self.rest = b""
        described = self._ask("DESCRIBE", self._url, "Accept: application/sdp").decode()
        media = described[described.index(f"m={kind}") :]
        control = re.search(r"a=control:(\S+)", media)
        assert control is not None
        url = control[1] if control[1].startswith("rtsp:") else f"{self._url}/{control[1]}"
        answer = self._ask("SETUP", url, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1").decode()
        session = re.search(r"Session: *([^;\r\n]+)", answer)
        assert session is not None, answer
        self._ask("PLAY", self._url, f"Session: {session[1]}")

    def _ask(self, method: str, url: str, *headers: str) -> bytes:
        """A request; the answer with its body. What follows it is kept in ``rest``."""
        self._count += 1
        lines = (f"{method} {url} RTSP/1.0", f"CSeq: {self._count}", *headers, "", "")
        self.socket.sendall("\r\n".join(lines).encode())
        data = b""
        while True:
            if (end := data.find(b"\r\n\r\n")) >= 0:
                length = re.search(rb"Content-Length: *(\d+)", data[:end], re.IGNORECASE)
                whole = end + 4 + (0 if length is None else int(length[1]))
                if len(data) >= whole:
                    assert b" 200 " in data.partition(b"\r\n")[0], data[:300]
                    self.rest = data[whole:]
                    return data[:whole]
            data += self.socket.recv(65536)


def watch(ports: Ports, viewers: int, pipe: Connection) -> None:
    """The process of viewers: all take the video and throw it away until the pipe says something."""
    sessions = [Rtsp(ports.rtsp, "video") for _ in range(viewers)]
    pipe.send("ready")
    buffer = bytearray(1 << 20)
    got = 0
    with selectors.DefaultSelector() as selector:
        for one in sessions:
            one.socket.setblocking(False)
            selector.register(one.socket, selectors.EVENT_READ, one.socket)
        selector.register(pipe, selectors.EVENT_READ, None)
        while True:
            for key, _ in selector.select():
                sock: socket.socket | None = key.data
                if sock is None:
                    pipe.recv()
                    pipe.send(got)
                    return
                got += sock.recv_into(buffer)


def listen(ports: Ports, last: str, pipe: Connection) -> None:
    """The process of the three clients: each says when (``time.monotonic``) each plate was there. ``last``: the
    plate after which they end."""
    arrivals: dict[str, dict[str, float]] = {name: {} for name in CLIENTS}
    ready = threading.Barrier(len(CLIENTS) + 1)
    jobs: dict[str, Callable[[Callable[[str], bool]], None]] = {
        "rtsp": partial(_metadata, ports.rtsp, ready),
        "pullpoint": partial(_pull, ports.http, ready),
        "tcp": partial(_tcp, ports.tcp, ready),
    }

    def note(name: str, plate: str) -> bool:
        arrivals[name].setdefault(plate, time.monotonic())
        return plate != last

    threads = [threading.Thread(target=jobs[name], args=(partial(note, name),), daemon=True) for name in CLIENTS]
    for thread in threads:
        thread.start()
    ready.wait(60)
    pipe.send("ready")
    for thread in threads:
        thread.join(60)
    pipe.send(arrivals)


def _metadata(port: int, ready: threading.Barrier, note: Callable[[str], bool]) -> None:
    """The metadata track: whole documents, ended by RTP's marker."""
    session = Rtsp(port, "application")
    ready.wait(60)
    data, document = session.rest, b""
    while True:
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[2:4]):
            size = int.from_bytes(data[2:4])
            packet, channel = data[4 : 4 + size], data[1]
            data = data[4 + size :]
            if channel != 0:
                continue
            document += packet[12:]
            if packet[1] & 0x80:
                if b"Recognition/LicensePlate" in document:
                    for plate in re.findall(rb"PlateNumber[^>]*>([A-Z0-9]+)<", document)[-1:]:
                        if not note(plate.decode()):
                            return
                document = b""
        data += session.socket.recv(65536)


def _pull(port: int, ready: threading.Barrier, note: Callable[[str], bool]) -> None:
    """A pull point: one question after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    created = _soap(connection, "/onvif/events", "<tev:CreatePullPointSubscription/>")
    address = re.search(rb"Address>http://[^/]+(/[^<]+)<", created)
    assert address is not None, created
    path = address[1].decode()
    ready.wait(60)
    question = (
        "<tev:PullMessages><tev:Timeout>PT20S</tev:Timeout><tev:MessageLimit>50</tev:MessageLimit></tev:PullMessages>"
    )
    while True:
        answer = _soap(connection, path, question)
        for plate in re.findall(rb"PlateNumber[^>]*>([A-Z0-9]+)<", answer):
            if not note(plate.decode()):
                return


def _soap(connection: http.client.HTTPConnection, path: str, body: str) -> bytes:
    nonce, created = os.urandom(16), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    kind = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-"
    envelope = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        f' xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:s="{wsse}secext-1.0.xsd"'
        f' xmlns:u="{wsse}utility-1.0.xsd"><e:Header><s:Security><s:UsernameToken><s:Username>nvr</s:Username>'
        f'<s:Password Type="{kind}">{digest(nonce, created, PASSWORD)}</s:Password>'
        f"<s:Nonce>{base64.b64encode(nonce).decode()}</s:Nonce><u:Created>{created}</u:Created>"
        f"</s:UsernameToken></s:Security></e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    connection.request("POST", path, envelope.encode(), {"Content-Type": "application/soap+xml"})
    response = connection.getresponse()
    found = response.read()
    assert response.status == 200, found
    return found


def _tcp(port: int, ready: threading.Barrier, note: Callable[[str], bool]) -> None:
    """Milesight's TCP type."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        end = ClientConnection()
        sock.sendall(end.log_in("admin", PASSWORD))
        begun = False
        while True:
            end.receive(sock.recv(1 << 20))
            for message in end.messages():
                if isinstance(message, Recognition) and not note(message.metadata.plate):
                    return
            if not begun:
                begun = True
                ready.wait(60)


# --- the device -------------------------------------------------------------------------------------------


@dataclass
class Device:
    """The servers on a log of their own."""

    log: EventLog
    blobs: BlobStore
    view: LiveView
    ports: Ports

    async def prepare(self, number: int) -> PassageSigned:
        """A passage of which all is durable but that it is signed."""
        decided = next(one for one in passage(number, "gate") if isinstance(one, PassageDecided))
        now = time.time_ns() // 1000
        decided = replace(decided, at=now, first_at=now - 500_000, last_at=now)
        (record,) = await self.log.append((decided,), actor="voter")
        picture = Picture(blob=await self.blobs.put(os.urandom(200_000)), width=1920, height=1080, bytes=200_000)
        small = Picture(blob=await self.blobs.put(os.urandom(6_000)), width=200, height=50, bytes=6_000)
        return PassageSigned(
            passage=record.id, plate=decided.plate, at=now, picture=picture, plate_picture=small, key=""
        )

    async def show(self) -> None:
        """Pictures that move, each read by an engine that finds one plate."""
        rng = np.random.default_rng(1)
        street = rng.integers(40, 90, (HEIGHT, WIDTH, 3), np.uint8)
        street = np.repeat(np.repeat(street[::16, ::16], 16, axis=0), 16, axis=1)[:HEIGHT, :WIDTH]
        position = 0
        while True:
            x = 40 + position * 8 % (WIDTH - 400)
            image = street.copy()
            image[300:500, x : x + 320] = (30, 40, 160)
            frame = Frame("gate", position, time.time_ns() // 1000, image)
            self.view.set_frame(frame)
            box = (float(x + 100), 440.0, float(x + 220), 476.0)
            left, top, right, bottom = box
            reading = Reading(
                text="LIVE123",
                confidence=0.9,
                characters=tuple(Character(char=char, confidence=0.9) for char in "LIVE123"),
                box=box,
                corners=((left, top), (right, top), (right, bottom), (left, bottom)),
            )
            self.view.set_readings(frame, (reading,))
            position += 1
            await anyio.sleep(1 / RATE)


def configuration(folder: Path, codec: str) -> Config:
    """Every server that the clients need, on free ports."""
    password = folder / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    return msgspec.convert(
        {
            "data": str(folder),
            "cameras": [{"name": "gate", "source": "/dev/null"}],
            "accounts": [{"name": "nvr", "password_file": str(password)}],
            "device_http": {"port": 0},
            "onvif": {},
            "rtsp": {
                "port": 0,
                "guests": True,
                "udp": False,
                "streams": [{"name": "main", "codec": codec, "width": WIDTH, "height": HEIGHT, "bitrate": 4000}],
            },
            "milesight": [{"port": 0, "password_file": str(password)}],
        },
        Config,
    )


@asynccontextmanager
async def device(folder: Path, codec: str) -> AsyncGenerator[Device]:
    """The servers, running."""
    config, clock = configuration(folder, codec), SystemClock()
    data = DataFolder(folder)
    async with EventLog.open(data.log, clock) as log:
        blobs, view = BlobStore(data.blobs), LiveView("gate")
        view.update(width=WIDTH, height=HEIGHT, stated_rate=RATE, state="running")
        secret = secrets_of(data, clock)
        accounts = accounts_of(config, secret)
        tools = Tools(
            config=config,
            log=log,
            blobs=blobs,
            clock=clock,
            folder=data,
            views={"gate": view},
            shutters={"gate": Shutter(view)},
            accounts=accounts,
            logins=EveryLogin(accounts, UserStore(log, clock, data.credentials)),
            secret=secret,
        )
        tcp = MilesightServer(config.milesight[0], password=PASSWORD, log=log, blobs=blobs, clock=clock)
        sources = nvr_side(tools)
        rtsp = next(one for one in sources if isinstance(one, RtspServer))
        http = next(one for one in sources if isinstance(one, DeviceHttp))
        async with anyio.create_task_group() as tasks:
            for source in (tcp, *sources):
                tasks.start_soon(source.run, emitter(log, source.name))
            for event in (tcp.started, rtsp.started, http.listening):
                await event.wait()
            assert http.place is not None
            ports = Ports(rtsp.addresses[0][1], http.place.port, tcp.addresses[0][1])
            made = Device(log, blobs, view, ports)
            tasks.start_soon(made.show)
            yield made
            tasks.cancel_scope.cancel()


class Helper:
    """A process that answers over a pipe."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=work, args=(*arguments, far), daemon=True)
        self._process.start()
        far.close()

    async def said(self) -> object:
        """What it says next."""
        while not self.pipe.poll():
            await anyio.wait_readable(self.pipe.fileno())
        return self.pipe.recv()


async def measure(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    """The delays of each client."""
    async with device(folder, given.codec) as ours:
        viewers = Helper(watch, ours.ports, given.viewers)
        await viewers.said()
        clients = Helper(listen, ours.ports, plate_of(given.passages))
        await clients.said()
        await anyio.sleep(SETTLE)
        durable: dict[str, float] = {}
        begun: dict[str, float] = {}
        cpu = time.process_time()
        start = time.monotonic()
        for number in range(1, given.passages + 1):
            signed = await ours.prepare(number)
            begun[signed.plate] = time.monotonic()
            await ours.log.append((signed,), actor="signer")
            durable[signed.plate] = time.monotonic()
            await anyio.sleep(PAUSE)
        arrivals = await clients.said()
        spent, used = time.monotonic() - start, time.process_time() - cpu
        viewers.pipe.send("enough")
        read = await viewers.said()
    assert isinstance(read, int)
    told = msgspec.convert(arrivals, dict[str, dict[str, float]])
    found: dict[str, object] = {
        "viewers": given.viewers,
        "codec": given.codec,
        "passages": given.passages,
        "viewers_mbit_per_s": round(read * 8 / 1e6 / (spent + SETTLE), 1),
        "server_cpu": round(used / spent, 3),
        "commit_ms": round(1000 * statistics.median(durable[plate] - begun[plate] for plate in durable), 2),
        "target_ms": TARGET_MS,
    }
    for name in CLIENTS:
        times = told[name]
        delays = sorted(1000 * (times[plate] - durable[plate]) for plate in durable if plate in times)
        found[name] = {
            "arrived": len(delays),
            "median_ms": round(statistics.median(delays), 2),
            "p95_ms": round(delays[int(0.95 * (len(delays) - 1))], 2),
            "worst_ms": round(delays[-1], 2),
        }
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--codec", choices=("auto", "h264", "mjpeg"), default="auto")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(anyio.run(partial(measure, given, Path(folder))), indent=2))


if __name__ == "__main__":
    main()
