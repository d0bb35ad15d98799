"""nc, socat, bash and curl against Neural Labs' sockets and Milesight's pull API of a running service.

None of these readers is ours: nc reads lines and triggers, bash reads a document from a socket by itself, socat is the
receiver that the service dials, curl asks the pull API with Digest.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.harness import PATIENCE, Place, free_port, place, running, start, stop, until

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("nc", "socat", "curl", "bash")),
    reason="nc (netcat-openbsd), socat, curl and bash are needed",
)
PLATE = re.compile(r"[A-Z0-9]{2,12}")


@dataclass
class Site:
    """A running service. Ports of its sockets; ``inbox``: what socat was sent."""

    root: Path
    documents: int = field(default_factory=free_port)
    lines: int = field(default_factory=free_port)
    receiver: int = field(default_factory=free_port)
    simple: int = field(default_factory=free_port)
    pictured: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def config(self) -> str:
        return f"""
[vote]
same_plate_interval = 0.0

[[neural_server]]
port = {self.documents}
plate_evidence = true

[[neural_server]]
name = "lines"
port = {self.lines}
format = "JSON"
framed = false
end = "lf"

[[neural_client]]
host = "127.0.0.1"
port = {self.receiver}
form = "short"
confirm = "closed"
retry_first = 0.1

[[neural_trigger]]
port = {self.simple}
simple_end = "lf"

[[neural_trigger]]
name = "pictured"
port = {self.pictured}
answer = "XML_IMG"
framed = false

[device_http]
port = {self.http}
"""


def run(*command: str, given: str = "") -> str:
    """What a program says. The film's plates pass again and again, so there is always something to wait for."""
    done = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE, input=given.encode())
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode()}"
    return done.stdout.decode()


def picture(coded: str | None) -> np.ndarray:
    """A picture in base64, decoded by OpenCV."""
    data = np.frombuffer(base64.b64decode(coded or ""), np.uint8)
    found = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, street: Path) -> Generator[Site]:
    made = Site(tmp_path_factory.mktemp("sockets"))
    where: Place = place(made.root / "lpr", str(street), made.config, "repeat = true\n[cameras.trigger]\nrate = 5")
    socat = f"TCP-LISTEN:{made.receiver},bind=127.0.0.1,reuseaddr,fork"
    made.inbox.touch()
    with running("socat", "-u", socat, f"OPEN:{made.inbox},wronly,append"):
        process = start(where)
        log = where.root / "service.log"
        try:
            until(lambda: "</infoplate>" in made.inbox.read_text(), "the first passage", process)
            yield made
            assert stop(process) == 0, log.read_text()
            assert "Traceback" not in log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def test_socat_is_dialled_and_gets_whole_messages(site: Site) -> None:
    first = site.inbox.read_text().partition("</infoplate>")[0] + "</infoplate>"
    head = re.match(r"NEURAL(\d+)<\?xml", first)
    assert head is not None
    document = first[len("NEURAL") + len(head[1]) :]
    assert int(head[1]) == len(document)
    root = ET.fromstring(document)
    assert PLATE.fullmatch(root.findtext("Plate") or "")
    assert root.findtext("CamName") == "gate"
    assert picture(root.findtext("img")).shape[1] == 960


def test_bash_reads_a_document_from_the_socket_server(site: Site) -> None:
    script = (
        f"exec 3<>/dev/tcp/127.0.0.1/{site.documents}; "
        'while IFS= read -r -d ">" part <&3; do printf "%s>" "$part"; '
        'case "$part" in *"</infoplate") exit 0;; esac; done; exit 1'
    )
    said = run("bash", "-c", script)
    root = ET.fromstring(said[said.index("<?xml") :])
    assert [element.tag for element in root][:4] == ["DateHour", "Engine", "Plate", "Confidence"]
    full, plate = picture(root.findtext("img")), picture(root.findtext("Evidences/Evidence/imgEV"))
    assert full.shape[1] == 960
    assert plate.shape[1] == 200
    assert int(root.findtext("imgSize") or 0) == len(base64.b64decode(root.findtext("img") or ""))


def test_nc_reads_lines_of_json(site: Site) -> None:
    said = run("bash", "-c", f"nc -d 127.0.0.1 {site.lines} | head -n 2")
    found = [json.loads(line)["infoplate"] for line in said.splitlines()]
    assert len(found) == 2
    for one in found:
        assert PLATE.fullmatch(one["Plate"])
        assert 0 < one["Confidence"] <= 100
        assert one["List"] == -1
        assert "img" in one and one["img"] == ""


def test_nc_triggers_and_a_trigger_too_early_is_answered(site: Site) -> None:
    answers = run("nc", "-N", "127.0.0.1", str(site.simple), given="HELLO\r\nTRIGGER\r\nTRIGGER\r\n").splitlines()
    assert len(answers) == 2
    assert PLATE.fullmatch(answers[0])
    assert answers[1] == "REFUSED"


def test_a_trigger_is_answered_with_the_picture_of_that_moment(site: Site) -> None:
    said = run("nc", "-N", "127.0.0.1", str(site.pictured), given="TRIGGER")
    root = ET.fromstring(said)
    plate, feedback = root.findtext("Plate"), root.findtext("Feedback")
    assert (plate == "") == (feedback == "NOPLATE")
    assert picture(root.findtext("img")).shape[1] == 960
    assert (root.findtext("GUID") or "").startswith("gate@")


def test_curl_pulls_with_digest(site: Site) -> None:
    password = next((site.root / "lpr" / "data").rglob("*nvr*")).read_text().strip()
    base = f"http://127.0.0.1:{site.http}"
    last = f"{base}/cgi-bin/operator/operator.cgi?action=get.lpr.lastdata"
    assert run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", last) == "401"
    curl = ("curl", "-sS", "--fail", "--digest", "-u", f"nvr:{password}")
    lines = run(*curl, f"{last}&format=inf").splitlines()
    assert len(lines) % 10 == 0 and lines
    record = dict(line.split("=", 1) for line in lines[:10])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", record["time_0"])
    assert PLATE.fullmatch(record["plate_0"])
    found = json.loads(run(*curl, f"{last}&format=json"))
    assert found["count"] == len(found["lastdata"]) > 0
    quoted = run(*curl, f"{last}&type=1").split(";")
    path = quoted[2].split("=")[1].replace("'", "")
    saved = site.root / "picture.jpg"
    run(*curl, "-o", str(saved), f"{base}/{path}")
    image = cv2.imread(str(saved))
    assert image is not None and image.shape[1] == 960
    info = json.loads(run(*curl, f"{base}/cgi-bin/admin/admin.cgi?action=get.system.information&format=json"))
    assert info["deviceName"] == "Network Camera"


def test_what_strangers_send_disturbs_nobody(site: Site) -> None:
    for port in (site.documents, site.simple):
        for given in ("NEURAL4294967295", "<infoplate>" + "x" * 5000, "GET / HTTP/1.1\r\n\r\n", "\0" * 3000):
            subprocess.run(
                ["nc", "-N", "-w", "1", "127.0.0.1", str(port)], input=given.encode(), capture_output=True, check=False
            )
    said = run("bash", "-c", f"nc -d 127.0.0.1 {site.lines} | head -n 1")
    assert json.loads(said)["infoplate"]["Engine"] == "LPR"
