"""A real service in a process of its own, a rendered film, a real NVR and a real receiver, for the end-to-end tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from lpr.scene.street import Street
from tools.render_street import render

PATIENCE = 240.0
"""Seconds until a test gives up waiting: only a bound, never a measure."""

OTHER = os.environ.get("LPR_E2E_CONFIG", "")
"""Lines for configurations that say nothing more, e.g. to try other models."""


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def film(folder: Path, seconds: float = 16.0, *, rate: float = 10.0, width: int = 960, seed: int = 3) -> Path:
    """A street film with plates that can be read."""
    path = folder / "street.avi"
    render(Street(seed, width, width * 9 // 16, rate), path, int(seconds * rate))
    assert cv2.VideoCapture(str(path)).isOpened()
    return path


@dataclass
class Place:
    """A configured data folder. ``web``, ``nvr``, ``receiver``: ports. ``camera``: further keys of the camera."""

    root: Path
    source: str
    web: int
    nvr: int
    receiver: int
    extra: str = ""
    camera: str = "fast = true"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def write(self) -> Path:
        """The configuration file and the NVR's password."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "nvr.password").write_text("nvr-secret-1\n")
        path = self.root / "lpr.toml"
        path.write_text(
            f'data = "{self.data}"\n[[cameras]]\nname = "gate"\nsource = "{self.source}"\nlane = "1"\n{self.camera}\n'
            f"[web]\nport = {self.web}\n"
            f'[[milesight]]\nport = {self.nvr}\npassword_file = "{self.root / "nvr.password"}"\n'
            'new_clients = "beginning"\n'
            f'[[push]]\nurl = "http://127.0.0.1:{self.receiver}/lpr"\nretry_first = 0.1\nretry_max = 1.0\n'
            f"{self.extra or OTHER}\n"
        )
        return path


def place(root: Path, source: str, extra: str = "", camera: str = "fast = true") -> Place:
    """A place with free ports."""
    return Place(root, source, free_port(), free_port(), free_port(), extra, camera)


@contextmanager
def running(*command: str, **options: Any) -> Generator[subprocess.Popen[str]]:
    """A process that does not outlive the block."""
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def lpr(*arguments: str) -> tuple[str, ...]:
    """The command line of ``lpr``."""
    return (sys.executable, "-m", "lpr", *arguments)


def start(where: Place, *arguments: str) -> subprocess.Popen[bytes]:
    """The service in the background; its output in ``service.log``."""
    config = str(where.write())
    output = (where.root / "service.log").open("ab")
    with output:
        return subprocess.Popen(lpr("run", "--config", config, "--quiet", *arguments), stdout=output, stderr=output)


def until(condition: Callable[[], bool], what: str, process: subprocess.Popen[Any] | None = None) -> None:
    """Wait for ``condition``; fails when ``process`` ends before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, f"the process ended while waiting for {what}"
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.05)


def stop(process: subprocess.Popen[Any]) -> int:
    """SIGTERM; the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def nvr(where: Place) -> tuple[str, ...]:
    """A client of the Milesight server that comes back for ever and records what it got."""
    return lpr(
        "listen", "milesight", f"127.0.0.1:{where.nvr}", "--again", "0.5", "--quiet",
        "--password-file", str(where.root / "nvr.password"), "--record", str(where.root / "nvr.jsonl"),
    )  # fmt: skip


def fake_receiver(where: Place) -> tuple[str, ...]:
    """A receiver of pushes that records what it got."""
    record = str(where.root / "receiver.jsonl")
    return (sys.executable, "-m", "tools.fake_receiver", "--port", str(where.receiver), "--record", record)


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a JSON-lines file; one that is being written is left out."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


QUIET = {**os.environ, "PYTHONUNBUFFERED": "1"}
