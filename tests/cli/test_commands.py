"""The commands as a person runs them: what they print, where they write it, and their exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import cv2
import msgspec
import numpy as np
import pytest

import lpr
from lpr.cli.log import parse_time
from lpr.cli.main import main
from lpr.cli.output import CommandError
from lpr.cli.run import for_machines, passage_line
from lpr.config import Config, DeviceHttp, Onvif, Rtsp, RtspStream, Tls
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import PassageDecided, Picture, ServiceStarted, ServiceStopped, SourceLost, UserAdded
from lpr.folder import DataFolder
from lpr.scene.plates import render_plate, spec_for


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a log of a few records."""

    async def fill() -> None:
        async with EventLog.open(DataFolder(tmp_path).log, SystemClock()) as log:
            await log.append((ServiceStarted(release="1", config="0" * 64, pid=1),), actor="service")
            for attempt in range(5):
                lost = SourceLost(source="gate", reason="no route", attempt=attempt, retry_in=1.0)
                await log.append((lost,), actor="sensor gate")
            await log.append((UserAdded(user="ana", role="administrator", by="first start"),), actor="users")
            await log.append((ServiceStopped(reason="signal"),), actor="service")

    anyio.run(fill)
    return tmp_path


Output = pytest.CaptureFixture[str]


def test_tail_shows_the_last_records(data: Path, capsys: Output) -> None:
    assert main(["log", "tail", "-n", "2", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines] == ["UserAdded", "ServiceStopped"]


def test_filter_by_type_actor_and_text(data: Path, capsys: Output) -> None:
    assert (
        main(["log", "filter", "--type", "SourceLost", "--contains", '"attempt":3', "--json", "--data", str(data)]) == 0
    )
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == {"source": "gate", "reason": "no route", "attempt": 3, "retry_in": 1.0}
    assert main(["log", "filter", "--actor", "service", "--json", "--data", str(data)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["log", "filter", "--until", "1h", "--data", str(data)]) == 0
    assert capsys.readouterr().out == ""


def test_export_as_json_lines_and_csv(data: Path, tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "out.jsonl"
    assert main(["log", "export", "--output", str(target), "--data", str(data)]) == 0
    assert [json.loads(line)["seq"] for line in target.read_text().splitlines()] == list(range(1, 9))
    assert main(["log", "export", "--format", "csv", "--type", "UserAdded", "--data", str(data)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("seq,id,wall,type")
    assert "UserAdded" in row


def test_an_export_ends_quietly_when_nobody_reads_on(data: Path) -> None:
    command = [sys.executable, "-m", "lpr", "log", "export", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_an_unknown_event_or_folder_is_named(data: Path, tmp_path: Path, capsys: Output) -> None:
    assert main(["log", "tail", "--type", "Nonsense", "--data", str(data)]) == 2
    assert "Nonsense" in capsys.readouterr().err
    assert main(["log", "tail", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_log_verifies_and_an_altered_one_does_not(data: Path, capsys: Output) -> None:
    assert main(["verify", str(data)]) == 0
    assert "INTACT" in capsys.readouterr().out
    path = DataFolder(data).log
    content = path.read_bytes()
    assert b"no route" in content
    path.write_bytes(content.replace(b"no route", b"no rouTe", 1))
    assert main(["verify", "--json", str(path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["problems"]


def test_verify_says_what_is_no_picture(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"not a JPEG")
    assert main(["verify", str(path), str(tmp_path / "gone.jpg")]) == 1
    said = capsys.readouterr()
    assert "UNREADABLE" in said.out
    assert "gone.jpg" in said.err


def test_a_key_that_is_not_there_is_named(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8")
    assert main(["verify", str(tmp_path / "a.jpg"), "--key", str(tmp_path / "none.pem")]) == 2
    assert "none.pem: there is no such file" in capsys.readouterr().err


def test_users_from_the_command_line(data: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["user", "add", "ben", "--data", str(data)]) == 0
    assert "one-time password" in capsys.readouterr().out
    assert main(["user", "role", "ben", "administrator", "--data", str(data)]) == 0
    assert main(["user", "add", "ben", "--data", str(data)]) == 2
    assert "already" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("a-long-enough-word\n"))
    assert main(["user", "password", "ben", "--stdin", "--data", str(data)]) == 0
    assert main(["user", "remove", "ana", "--data", str(data)]) == 0
    assert main(["user", "remove", "ben", "--data", str(data)]) == 2
    assert "only administrator" in capsys.readouterr().err
    assert main(["user", "list", "--json", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out) == [{"user": "ben", "role": "administrator", "temporary": False}]


def test_config_commands(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "lpr.toml"
    path.write_text("[web]\nport = 9000\n")
    assert main(["config", "check", str(path)]) == 0
    assert main(["config", "show", "--json", str(path)]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"key": "web.port", "value": 9000, "from": f"{path}:2"} in rows
    path.write_text("[web]\nprot = 9000\n")
    assert main(["config", "check", str(path)]) == 2
    assert f"{path}:2: web.prot" in capsys.readouterr().err
    assert main(["config", "check", "--json", str(path)]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False
    assert main(["config", "schema"]) == 0
    assert "MilesightServer" in json.loads(capsys.readouterr().out)["$defs"]


def test_models_that_the_file_names_are_tried(tmp_path: Path, capsys: Output) -> None:
    shipped = Path(lpr.__file__).parent / "vision" / "models"
    models = "\n".join(
        f'{key} = "{shipped / name}"' for key, name in (("detector", "detector.json"), ("reader", "reader.json"))
    )
    vehicles = f'kinds = "{shipped / "vehicle.json"}"\nfinder = "{shipped / "vehicle_finder.json"}"'
    file = tmp_path / "lpr.toml"
    file.write_text(f"[engine]\n{models}\n[engine.vehicles]\nenabled = true\n{vehicles}\n")
    assert main(["config", "check", str(file)]) == 0
    for key, name, said in (
        ("detector", "reader.json", "not a valid manifest"),
        ("reader", "detector.json", "not a valid manifest"),
        ("vehicles.makes", "none.json", "manifest cannot be read"),
        ("vehicles.makes", "vehicle.json", "the model is a vehicle-kind; needed is a vehicle-make"),
        ("vehicles.finder", "vehicle.json", "not a valid manifest"),
    ):
        words = ["--set", "engine.vehicles.enabled=true", "--set", f'engine.{key}="{shipped / name}"']
        assert main(["config", "check", *words]) == 2
        told = capsys.readouterr().err
        assert f"--set: engine.{key}: " in told and said in told
    assert main(["config", "check", "--set", 'engine.vehicles.makes="none.json"']) == 0, "vehicles are off"


def test_a_country_without_formats_is_refused_wherever_it_is_written(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "lpr.toml"
    file.write_text('[web]\nport = 0\n[engine]\ncountries = ["BR", "ZZ"]\n')
    assert main(["config", "check", str(file)]) == 2
    assert f"{file}:4: engine.countries: no plate formats for country 'ZZ'; known are AL, " in capsys.readouterr().err
    assert main(["config", "check", "--set", 'engine.countries=["XX"]']) == 2
    assert "--set: engine.countries: no plate formats for country 'XX'" in capsys.readouterr().err
    assert main(["config", "check", "--set", 'engine.countries=["southern-cone", "MX"]']) == 0
    assert main(["config", "check", "--set", 'engine.countries=["northern-cone"]']) == 2
    assert "and the regions southern-cone, andes, latin-america, europe, us" in capsys.readouterr().err
    assert main(["read", "--country", "br,zz", "none.jpg"]) == 2
    assert "--country: no plate formats for country 'zz'; known are AL, " in capsys.readouterr().err


def test_reading_says_where_nothing_could_be_read(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"garbage")
    (tmp_path / "empty").mkdir()
    assert main(["read", "--json", "--country", "southern-cone", str(tmp_path / "broken.jpg")]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["plates"] == [] and "no picture of a known format" in told.err
    assert main(["read", str(tmp_path / "empty")]) == 1
    assert "no image in this folder" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        main(["read", "--min-confidence", "7", str(tmp_path / "broken.jpg")])
    assert refused.value.code == 2 and "7: not between 0 and 1" in capsys.readouterr().err


def test_reading_with_settings(tmp_path: Path, capsys: Output) -> None:
    picture = np.full((360, 640, 3), 90, np.uint8)
    plate = render_plate(spec_for("ABC1D23", "br-mercosul"), 60)
    picture[150:210, 200 : 200 + plate.shape[1]] = plate
    assert cv2.imwrite(str(tmp_path / "a.png"), picture)
    (tmp_path / "lpr.toml").write_text('[engine]\nmode = "thorough"\ncountries = ["southern-cone"]\n')
    for words in (["--config", str(tmp_path / "lpr.toml")], ["--set", "engine.mode=fast"], []):
        assert main(["read", "--json", *words, str(tmp_path / "a.png")]) == 0
        (found,) = json.loads(capsys.readouterr().out)["plates"]
        assert found["text"] == found["candidates"][0]["text"] == "ABC1D23"
        assert 0.5 < found["candidates"][0]["probability"] <= 1.0
    for words, said in (
        (["--set", "engine.mode=quick"], "--set: engine.mode"),
        (["--set", 'engine.countries=["ZZ"]'], "engine.countries: no plate formats for country 'ZZ'"),
        (["--set", f'engine.reader="{tmp_path / "lpr.toml"}"'], "not a valid manifest"),
    ):
        assert main(["read", *words, str(tmp_path / "a.png")]) == 2
        assert said in capsys.readouterr().err


def test_the_progress_is_there_while_a_picture_is_read(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"garbage")
    shown: list[str] = []

    def timed(_reader: object, path: Path) -> None:
        shown.append(capsys.readouterr().err)
        raise lpr.ImageError(f"{path.name}: no picture")

    monkeypatch.setattr(lpr.Reader, "timed", timed)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["read", str(tmp_path)]) == 1
    assert [text.rpartition("\r")[2] for text in shown] == ["read: 0 of 2 \x1b[K", "read: 1 of 2 \x1b[K"]
    assert capsys.readouterr().err.endswith("\r\x1b[K")


@pytest.mark.parametrize("text", ["yesterday", "", "5x", "2026-13-01"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(CommandError):
        parse_time(text)


AT = 1_700_000_000_000_000
BOX = (0.0, 0.0, 60.0, 20.0)
PASSAGE = PassageDecided(
    source="gate", lane="2", plate="ABC1D23", confidence=0.96, characters=(), country="BR", layout="br-mercosul", at=AT,
    first_at=AT, last_at=AT, capture="c", exposure=0, picture=Picture(blob="0" * 64, width=64, height=48, bytes=9),
    box=BOX, corners=((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0)), direction="away", reads=1, votes=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "gate 2        ABC1D23      96%  BR  away"),
        ({"vehicle": "car", "vehicle_colour": "red"}, "gate 2        ABC1D23      96%  BR  away  red car"),
        ({"plate": "", "confidence": 0.0, "country": None}, "gate 2        (unread)      0%  --  away"),
        (
            {"plate": "", "confidence": 0.0, "country": None, "plated": False, "vehicle": "bus"},
            "gate 2        (no plate)    --  --  away  bus",
        ),
    ],
)
def test_a_passage_in_one_line(changes: dict[str, Any], shown: str) -> None:
    assert passage_line(msgspec.structs.replace(PASSAGE, **changes)) == f"2023-11-14T22:13:20.000Z  {shown}"


def test_the_places_for_machines_are_told() -> None:
    config = Config(rtsp=Rtsp(port=8554), device_http=DeviceHttp(address="cam.example"), onvif=Onvif())
    assert list(for_machines(config, frozenset({"mjpeg", "h264"}))) == [
        "NVRs (RTSP): rtsp://127.0.0.1:8554/main",
        "NVRs (ONVIF): http://cam.example:8000/onvif/device_service",
    ]
    assert list(for_machines(Config(device_http=DeviceHttp(tls=Tls(certificate_file="c", key_file="k"))))) == [
        "NVRs (HTTP): https://127.0.0.1:8000/"
    ]
    assert list(for_machines(Config())) == []
    (line,) = for_machines(Config(rtsp=Rtsp(streams=(RtspStream(codec="h264"),))), frozenset({"mjpeg"}))
    assert line.startswith("NVRs (RTSP): rtsp://127.0.0.1:8554/main (MJPEG is offered instead of H264: ")


def test_a_thread_left_inside_a_library_does_not_spoil_the_end() -> None:
    """The process ends with its own status, its output complete, though a thread never comes back."""
    program = (
        "import sys, threading\n"
        "from lpr.cli.main import leave\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "sys.stdout.write('said')\n"
        "leave(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "said", "")
