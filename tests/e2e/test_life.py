"""The life of a real process: a second one beside it, and a SIGTERM that ends it in good order."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from lpr.cli.main import main
from lpr.events import ChainSigned, ServiceStopped
from tests.e2e.harness import Place, free_port, lpr, place, start, stop, until
from tests.e2e.numbered import records
from tests.vision.detector_models import write_detector
from tests.vision.reader_models import write_fixed


@pytest.fixture
def where(tmp_path: Path, numbers: Path) -> Place:
    """A film at its own pace, again and again, with models that answer always the same."""
    import numpy as np

    detector = write_detector(tmp_path, np.array([[[60, 60, 140, 80, 0.9]]], np.float32))
    reader = write_fixed(tmp_path, "ABC1D23")
    engine = f'[engine]\ndetector = "{detector}"\nreader = "{reader}"\n'
    return place(tmp_path / "site", str(numbers), engine, "repeat = true")


def has(where: Place, kind: str) -> bool:
    """Whether the log has such an event."""
    with suppress(FileNotFoundError):  # the service is only just making it
        return bool(anyio.run(records, where.root, kind))
    return False


def test_a_second_one_is_refused_and_a_signal_ends_the_first(where: Place, capsys: pytest.CaptureFixture[str]) -> None:
    process = start(where)
    try:
        until(lambda: has(where, "CaptureTaken"), "the first capture", process)
        before = anyio.run(records, where.root)[-1].seq
        config = str(where.root / "lpr.toml")
        ports = ("--set", f"web.port={free_port()}", "--set", "milesight=[]")
        assert main(["run", "--config", config, *ports]) == 2
        told = capsys.readouterr().err
        assert f"in use by process {process.pid}" in told and "another data folder" in told
        assert main(["log", "tail", "--data", str(where.data)]) == 0, "reading beside it works"
    finally:
        assert stop(process) == 0
    *_, stopped, signed = anyio.run(records, where.root)
    assert isinstance(stopped.event, ServiceStopped) and stopped.event.reason == "signal SIGTERM"
    assert isinstance(signed.event, ChainSigned) and signed.event.upto == stopped.seq > before
    assert "Traceback" not in (where.root / "service.log").read_text()
    subprocess.run(lpr("verify", str(where.data)), check=True, stdout=subprocess.DEVNULL, timeout=120)
