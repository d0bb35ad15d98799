"""Programs that are not ours against a running service: curl, ffmpeg and ffprobe, as a new user would use them.

One service in a process of its own runs the rendered street, again and again, with the models of the package.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.e2e.harness import PATIENCE, Place, lpr, place, start, stop, until

pytestmark = pytest.mark.slow

CAMERA = "repeat = true\n[cameras.trigger]\nrate = 5"
NEW = "a longer secret 7"


def run(*command: str) -> str:
    """What a program says; the test fails when it does."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@dataclass
class Site:
    """A running service and a logged-in user."""

    where: Place
    token: str = ""

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.where.web}/api/v1"

    def curl(self, path: str, *options: str) -> str:
        """The body of an answer."""
        return run("curl", "-sS", f"{self.api}{path}", "-H", f"Authorization: Bearer {self.token}", *options)

    def json(self, path: str, *options: str) -> Any:
        """The body, and the status as ``_status``."""
        body, _, status = self.curl(path, "-w", "\n%{http_code}", *options).rpartition("\n")
        answer: dict[str, Any] = json.loads(body) if body else {}
        return {**answer, "_status": int(status)}

    def send(self, path: str, method: str, **fields: str) -> Any:
        """A call with a JSON body."""
        return self.json(path, "-X", method, "-H", "Content-Type: application/json", "-d", json.dumps(fields))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, street: Path) -> Generator[Site]:
    """From the first start to a user with a password of their own."""
    where = place(tmp_path_factory.mktemp("clients"), str(street), camera=CAMERA)
    process = start(where)
    try:
        log = where.root / "service.log"
        until(lambda: "the page:" in log.read_text(), "the page's address", process)
        found = re.search(r"user (\S+), one-time password (\S+)", log.read_text())
        assert found is not None, log.read_text()
        made = Site(where)
        first = made.send("/login", "POST", user=found[1], password=found[2])
        assert first["_status"] == 200 and first["password_change_required"] is True
        made.token = first["token"]
        assert made.json("/passages")["code"] == "password_change_required"
        assert made.send("/me/password", "PUT", current=found[2], new=NEW)["_status"] in (200, 204)
        made.token = made.send("/login", "POST", user=found[1], password=NEW)["token"]
        yield made
        assert stop(process) == 0
        assert "Traceback" not in log.read_text(), "clients that go away are nothing to be told about"
    finally:
        process.kill()
        process.wait()


def first_passage(site: Site) -> dict[str, Any]:
    """The oldest passage that has its pictures, as soon as there is one."""
    found: list[dict[str, Any]] = []

    def signed() -> bool:
        events = site.json("/events?types=PassageSigned&limit=1")["items"]
        found.extend(site.json(f"/passages/{event['body']['passage']}")["passage"] for event in events)
        return bool(found)

    until(signed, "a passage with its pictures")
    return found[0]


def test_curl_finds_a_passage_and_its_picture(site: Site, tmp_path: Path) -> None:
    passage = first_passage(site)
    plate = passage["plate"]
    assert len(plate) >= 5
    part = site.json(f"/passages?plate={plate[1:4]}&order=oldest&limit=5")
    assert passage["id"] in [one["id"] for one in part["items"]]
    file = tmp_path / "picture.jpg"
    site.curl(f"/passages/{passage['id']}/picture", "-o", str(file))
    image = cv2.imread(str(file))
    assert image is not None and image.shape == (540, 960, 3)
    key = str(site.where.data / "keys" / "sign.pub.pem")
    told = run(*lpr("verify", str(file), "--key", key))
    assert "AUTHENTIC" in told
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    altered = subprocess.run(lpr("verify", str(file), "--key", key), check=False, capture_output=True, timeout=PATIENCE)
    assert altered.returncode == 1 and b"Traceback" not in altered.stderr
    calls = site.json("/events?types=ApiCalled&limit=500")["items"]
    assert any(call["body"]["path"].endswith("/picture") for call in calls), "the audit trail has it"


def test_curl_follows_the_events(site: Site) -> None:
    """Server-Sent Events, from the log's beginning into what comes."""
    command = ("curl", "-sSN", "-H", f"Authorization: Bearer {site.token}", f"{site.api}/events/stream?after=0")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        kinds: set[str] = set()
        numbers: list[int] = []
        for line in process.stdout:
            name, _, value = line.strip().partition(": ")
            if name == "event":
                kinds.add(value)
            elif name == "id":
                numbers.append(int(value))
            if {"ServiceStarted", "SourceOpened", "PassageDecided"} <= kinds:
                break
        assert numbers == sorted(set(numbers))
    finally:
        process.kill()
        process.wait()
        process.stdout.close() if process.stdout is not None else None


def test_ffmpeg_reads_the_live_picture(site: Site, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.fail("ffmpeg is missing: apt-get install ffmpeg")
    url = f"{site.api}/cameras/gate/live.mjpg"
    headers = ("-headers", f"Authorization: Bearer {site.token}\r\n")
    probed = run(
        "ffprobe", "-v", "error", *headers, "-show_entries", "stream=codec_name,width,height", "-of", "json", url
    )
    (stream,) = json.loads(probed)["streams"]
    assert stream == {"codec_name": "mjpeg", "width": 960, "height": 540}
    run("ffmpeg", "-v", "error", *headers, "-i", url, "-frames:v", "4", str(tmp_path / "%d.png"))
    pictures = [cv2.imread(str(tmp_path / f"{number}.png")) for number in range(1, 5)]
    assert all(picture is not None and picture.shape == (540, 960, 3) for picture in pictures)
    assert any((pictures[0] != picture).any() for picture in pictures[1:] if picture is not None), "it moves"
