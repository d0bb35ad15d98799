"""What a start is refused for: one line on standard error that names the place and the remedy, and exit code 2.

The commands run in this process; a second one beside a running service is in ``test_life``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lpr.cli.main import main
from lpr.vision.detect import DETECTOR
from tests.e2e.harness import free_port
from tests.vision.reader_models import write_fixed


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What ``lpr run`` says when it refuses to start."""
    capsys.readouterr()
    assert main(["run", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    line, newline, rest = told.err.partition("\n")
    assert line.startswith("lpr: ") and newline and not rest, told.err
    return line


@pytest.fixture
def settings(tmp_path: Path) -> tuple[str, ...]:
    """Options of a service that would start."""
    reader = write_fixed(tmp_path, "ABC1D23")
    return (
        "demo",
        "--data",
        str(tmp_path / "data"),
        "--set",
        f"web.port={free_port()}",
        "--set",
        f"engine.reader={reader}",
    )


def test_a_configuration_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, "--config", str(tmp_path / "lpr.toml"))
    assert str(tmp_path / "lpr.toml") in told and "no such file" in told and "--config" in told


def test_a_configuration_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert str(tmp_path) in refusal(capsys, "--config", str(tmp_path)), "a folder"
    file = tmp_path / "lpr.toml"
    file.write_bytes(b"data = '\xff\xfe'")
    assert "UTF-8" in refusal(capsys, "--config", str(file))
    file.write_text("[web\nport = 8080\n")
    assert "line 1" in refusal(capsys, "--config", str(file))
    file.write_text("[web]\nport = 80800\n")
    assert f"{file}:2" in refusal(capsys, "--config", str(file))


def test_a_data_folder_that_cannot_be_written(
    tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("a file is in its place")
    told = refusal(capsys, *settings)
    assert str(tmp_path / "data") in told and "name another" in told
    assert (tmp_path / "data").read_text() == "a file is in its place"


@pytest.mark.parametrize("key", ["web.port", "milesight.0.port"])
def test_a_port_that_is_taken(key: str, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refusal(capsys, *settings, "--set", f"{key}={port}")
    assert key in told and str(port) in told and "another" in told


def test_a_model_that_is_damaged(tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Another file than the manifest says; cut short; a manifest that is none; no file at all."""
    folder = tmp_path / "models"
    folder.mkdir()
    manifest, model = folder / DETECTOR.name, folder / json.loads(DETECTOR.read_text())["file"]
    shutil.copy(DETECTOR, manifest)
    for closer in DETECTOR.parent.glob("corners.*"):
        shutil.copy(closer, folder)
    whole = (DETECTOR.parent / model.name).read_bytes()
    options = (*settings, "--set", f"engine.detector={manifest}")
    model.write_bytes(whole[:-1])
    told = refusal(capsys, *options)
    assert str(model) in told and "SHA-256" in told and "install it again" in told
    reader = write_fixed(folder, "ABC1D23")
    cut = folder / "fixed.onnx"
    cut.write_bytes(cut.read_bytes()[:-40])
    assert "SHA-256" in refusal(capsys, *settings, "--set", f"engine.reader={reader}")
    model.unlink()
    assert str(model) in refusal(capsys, *options)
    manifest.write_text("{")
    assert str(manifest) in refusal(capsys, *options)
    manifest.unlink()
    assert str(manifest) in refusal(capsys, *options)
    assert not (tmp_path / "data" / "events.db").exists(), "a refused start leaves no log"


def test_a_model_that_is_none(tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The checksum is right, the content is no ONNX model."""
    reader = tmp_path / "fixed.json"
    model = tmp_path / "fixed.onnx"
    model.write_bytes(model.read_bytes()[:100])
    manifest = {**json.loads(reader.read_text()), "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    reader.write_text(json.dumps(manifest))
    told = refusal(capsys, *settings)
    assert str(model) in told and "cannot load" in told


def test_a_log_that_is_something_else(
    tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "events.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes(name TEXT)")
    told = refusal(capsys, *settings)
    assert str(path) in told and "another data folder" in told


def test_a_signing_key_that_is_none(
    tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "sign.pem"
    key.write_text("not a key")
    told = refusal(capsys, *settings, "--set", f"sign.key_file={key}")
    assert str(key) in told


def test_credentials_that_are_damaged(
    tmp_path: Path, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "credentials.json").write_text("{")
    assert "credentials.json" in refusal(capsys, *settings)


def test_the_first_password_is_told_beside_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is for people goes to standard error; the one-time password is shown this once alone."""
    (tmp_path / "garbage.avi").write_bytes(b"nothing")
    reader = ("--set", f"engine.reader={write_fixed(tmp_path, 'ABC1D23')}")
    options = ("--json", "--until-end", "--data", str(tmp_path / "data"), "--set", "web.port=0", *reader)
    for times in (1, 0):
        assert main(["run", str(tmp_path / "garbage.avi"), *options]) == 1
        told = capsys.readouterr()
        assert told.out == "" and told.err.count("one-time password") == times and "camera camera:" in told.err
