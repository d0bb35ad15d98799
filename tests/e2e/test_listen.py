"""``lpr listen`` as a person runs it: against our own service's servers, Mosquitto, curl, and a broken camera."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from lpr.cli.main import main
from lpr.protocols.milesight import Metadata, encode_login_reply, encode_recognition
from lpr.protocols.milesight.passage import Wording, fields_of, post_body
from tests.actors.milesight_rig import PASSWORD, rig
from tests.e2e.harness import QUIET, free_port, lpr, place, running, start, stop, until
from tests.listen.samples import JPEG
from tests.protocols.milesight.samples import PASSAGE

PATIENCE = 60.0


def heard(*arguments: str) -> tuple[list[dict[str, Any]], str, int]:
    """What ``lpr listen`` printed, what it said, and its exit code."""
    done = subprocess.run(
        lpr("listen", *arguments), check=False, capture_output=True, text=True, timeout=PATIENCE, env=QUIET
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr, done.returncode


def here(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[dict[str, Any]], str, int]:
    """The same in this process."""
    status = main(("listen", *arguments))
    out, said = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], said, status


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    return str(path)


@pytest.mark.anyio
async def test_our_own_milesight_server_is_as_it_should_be(tmp_path: Path, password: str) -> None:
    async with rig(tmp_path) as made:
        server = await made.start(new_clients="beginning")
        for plate in ("AB1", "AB2"):
            await made.passage(plate, full=JPEG, crop=JPEG)
        host, port = server.addresses[0]
        command = (
            "milesight",
            f"{host}:{port}",
            "--password-file",
            password,
            "--count",
            "2",
            "--save",
            str(tmp_path / "k"),
        )
        lines, said, status = await anyio.to_thread.run_sync(heard, *command)
        assert (status, [line["fields"].get("plate") for line in lines]) == (0, [None, "AB1", "AB2"])
        assert "2 of 2 came, 0 deviations" in said
        assert len(list((tmp_path / "k").iterdir())) == 7


@contextmanager
def broken_camera() -> Generator[int]:
    """Lets anybody in, and sends a passage that the manual does not allow; gives its port."""
    wrong = Metadata(guid=bytes(16), time_ms=1_706_767_205, plate="AB1", direction=7, confidence=97.0, plate_type=3,
                     width=100, height=100, x2=200)  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1000)
                client.sendall(encode_login_reply("200") + encode_recognition(wrong, (b"GIF89a",), "1.6"))

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)


def test_a_broken_camera_has_its_deviations_named(password: str, capsys: pytest.CaptureFixture[str]) -> None:
    with broken_camera() as port:
        lines, said, status = here(capsys, "milesight", f"127.0.0.1:{port}", "--password-file", password)
    assert status == 1 and "6 deviations" in said
    assert {one["field"]: one["expected"] for one in lines[-1]["deviations"]}["confidence"] == "0 to 1"
    assert all(one["source"].startswith(("Milesight", "inferred")) for one in lines[-1]["deviations"])


def test_lines_are_recorded_and_not_printed(tmp_path: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "got.jsonl"
    for _ in range(2):
        with broken_camera() as port:
            command = (
                "milesight",
                f"127.0.0.1:{port}",
                "--password-file",
                password,
                "--record",
                str(record),
                "--quiet",
            )
            lines, _, status = here(capsys, *command)
        assert (lines, status) == ([], 1)
    assert [json.loads(line)["what"] for line in record.read_text().splitlines()] == ["log-in", "passage"] * 2
    _, said, status = here(capsys, "milesight", "127.0.0.1:1", "--record", str(tmp_path / "no" / "folder"))
    assert status == 2 and "another file" in said


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    lines, said, status = here(capsys, "milesight", f"127.0.0.1:{free_port()}", "--user", "a")
    assert (lines, status) == ([], 2) and "refused" in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_pushes_of_curl_with_digest(tmp_path: Path, password: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    good = tmp_path / "good.json"
    good.write_bytes(post_body(fields_of(PASSAGE, Wording(), roi=1, full_image=JPEG)))
    command = lpr("listen", "http", address, "--user", "camera", "--password-file", password, "--count", "3")
    with running(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=QUIET) as process:
        assert process.stdout is not None and process.stderr is not None
        with process.stdout, process.stderr:
            assert "listening at" in process.stderr.readline()
            url, who = f"http://{address}/lpr", ("--digest", "-u", f"camera:{PASSWORD}")

            def curl(*options: str) -> str:
                said = subprocess.run(
                    ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options],
                    check=False, capture_output=True, text=True, timeout=PATIENCE,
                )  # fmt: skip
                return said.stdout

            assert curl("-d", "x", url) == "401"
            json_header = ("-H", "Content-Type: application/json")
            assert curl(*who, *json_header, "--data-binary", f"@{good}", url) == "200"
            assert curl(*who, f"{url}?Caption=LPR&description=AB1") == "200"
            assert curl(*who, *json_header, "-d", '{"plate": "AB1", "time": 5}', url) == "200"
            lines = [json.loads(line) for line in process.stdout.read().splitlines()]
            assert process.wait(PATIENCE) == 1
    assert [line["what"] for line in lines] == ["passage"] * 3
    assert [bool(line["deviations"]) for line in lines] == [False, False, True]
    assert lines[0]["pictures"][0]["width"] == 128


MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


mosquitto = pytest.mark.skipif(
    MOSQUITTO is None or shutil.which("mosquitto_pub") is None, reason="mosquitto and its clients are not installed"
)


@mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_topics_of_mosquitto(tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    (tmp_path / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with running(str(MOSQUITTO), "-c", str(tmp_path / "broker.conf"), stderr=subprocess.DEVNULL) as broker:

        def publish(topic: str, payload: str) -> bool:
            command = ("mosquitto_pub", "-p", str(port), "-q", "1", "-r", "-t", topic, "-m", payload)
            return subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE).returncode == 0

        until(lambda: publish("cam/status", "online"), "mosquitto", broker)
        publish("cam/onvif-ej/RuleEngine", '{"UtcTime": "2024-02-01T06:00:05Z", "Source": {}}')
        publish("cam/gate/passage", '{"plate": 7}')
        lines, said, status = here(capsys, "mqtt", f"127.0.0.1:{port}", "--topic", "cam/#", "--count", "3",
                                    "--mqtt-version", version)  # fmt: skip
    assert status == 1, said
    found = {line["fields"]["topic"]: line for line in lines}
    assert found["cam/status"]["fields"]["payload"] == "online"
    assert found["cam/onvif-ej/RuleEngine"]["deviations"] == []
    assert found["cam/gate/passage"]["deviations"][0]["field"] == "plate"


@dataclass(frozen=True)
class Whole:
    """A service with all of it switched on; ``file``: the password of all."""

    milesight: int
    neural: int
    http: int
    rtsp: int
    broker: int
    file: str

    def command(self, kind: str) -> tuple[str, ...]:
        """The arguments that listen to ``kind``."""
        address = {
            "milesight": f"127.0.0.1:{self.milesight}",
            "neural": f"127.0.0.1:{self.neural}",
            "onvif": f"127.0.0.1:{self.http}",
            "rtsp": f"rtsp://127.0.0.1:{self.rtsp}/main",
            "mqtt": f"127.0.0.1:{self.broker}",
        }[kind]
        own = ("--topic", "lpr/gate/passage") if kind == "mqtt" else ()
        user = {"milesight": "admin", "onvif": "nvr", "rtsp": "nvr"}.get(kind)
        login = ("--user", user, "--password-file", self.file) if user else ()
        return (kind, address, *own, *login, "--seconds", str(2 * PATIENCE))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Generator[Whole]:
    """The rendered street, to everybody at once."""
    root = tmp_path_factory.mktemp("whole")
    secret = root / "password"
    secret.write_text(f"{PASSWORD}\n")
    made = Whole(free_port(), free_port(), free_port(), free_port(), free_port(), str(secret))
    (root / "broker.conf").write_text(f"listener {made.broker} 127.0.0.1\nallow_anonymous true\n")
    extra = (
        f'[[accounts]]\nname = "nvr"\npassword_file = "{secret}"\n'
        f'[[milesight]]\nname = "second"\nport = {made.milesight}\npassword_file = "{secret}"\n'
        f"[[neural_server]]\nport = {made.neural}\n"
        f"[device_http]\nport = {made.http}\n[onvif]\n[rtsp]\nport = {made.rtsp}\n"
        '[[rtsp.streams]]\nname = "main"\nwidth = 320\nrate = 5\ncodec = "mjpeg"\n'
        f'[[mqtt]]\nhost = "127.0.0.1"\nport = {made.broker}\ntls = false\n'
    )
    where = place(root, "demo", extra, camera="")
    with running(str(MOSQUITTO), "-c", str(root / "broker.conf"), stderr=subprocess.DEVNULL):
        service = start(where)
        try:
            log = root / "service.log"
            until(lambda: "the page:" in log.read_text(), "the service", service)
            yield made
        finally:
            assert stop(service) == 0


@mosquitto
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["milesight", "neural", "onvif", "rtsp", "mqtt"])
def test_the_whole_service_deviates_in_nothing(whole: Whole, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines, said, status = here(capsys, *whole.command(kind), "--count", "1")
    assert status == 0, (said, [line["deviations"] for line in lines])
    assert lines[-1]["fields"]
