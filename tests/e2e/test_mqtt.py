"""Mosquitto and its clients against the MQTT sink: plain and with TLS, the broker down and up again, nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
import trustme

from lpr.actors.mqtt import MqttSink, Surroundings
from lpr.config import Mqtt
from lpr.core.clock import SystemClock
from lpr.core.delivery import BackoffPolicy, Unavailable
from lpr.core.sinks import run_sink
from lpr.protocols.mqtt_messages import Device
from lpr.protocols.onvif_metadata import Tokens, ej_payload, ej_topic, plate_notification
from tests.actors.milesight_rig import Rig, rig
from tests.contracts.sinks import shipment
from tests.e2e.harness import free_port, running, until

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        MOSQUITTO is None or shutil.which("mosquitto_sub") is None, reason="mosquitto and its clients are not installed"
    ),
]
PASSWORD = "mosquito-net-7"
TOKENS = Tokens(video_source="VS0", rule="LPR")


@dataclass
class Broker:
    """A Mosquitto with a user, one port without TLS and one with. ``options``: for its clients."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self.folder / "server.pem")
        client = authority.issue_cert("lpr@example.org", common_name="lpr")
        client.private_key_and_cert_chain_pem.write_to_path(self.folder / "client.pem")
        other = trustme.CA()
        other.cert_pem.write_to_path(self.folder / "other.pem")
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), "lpr", PASSWORD], check=True)
        (self.folder / "rights").write_text(
            "user lpr\ntopic readwrite #\ntopic deny forbidden/#\ntopic deny half/gate/passage\n"
        )
        (self.folder / "broker.conf").write_text(
            f"user root\nper_listener_settings false\nallow_anonymous false\npassword_file {passwords}\n"
            f"acl_file {self.folder / 'rights'}\n"
            f"listener {self.port} 127.0.0.1\nlistener {self.tls_port} 127.0.0.1\n"
            f"cafile {self.folder / 'ca.pem'}\ncertfile {self.folder / 'server.pem'}\n"
            f"keyfile {self.folder / 'server.pem'}\nrequire_certificate true\n"
            f"persistence true\npersistence_location {self.folder}/\n"
        )

    def start(self) -> None:
        output = (self.folder / "broker.log").open("a")
        with output:
            self.process = subprocess.Popen(
                [str(MOSQUITTO), "-v", "-c", str(self.folder / "broker.conf")], text=True, stdout=output, stderr=output
            )
        until(self._answers, "mosquitto", self.process)

    def _answers(self) -> bool:
        said = subprocess.run(
            ["mosquitto_pub", *self.options, "-t", "probe", "-m", "1"], check=False, capture_output=True
        )
        return said.returncode == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    @property
    def options(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-u", "lpr", "-P", PASSWORD]

    def retained(self) -> dict[str, bytes]:
        """What a new subscriber finds."""
        said = subprocess.run(
            ["mosquitto_sub", *self.options, "-t", "#", "--retained-only", "-W", "1", "-F", "%t %x"],
            check=False,
            capture_output=True,
            text=True,
        )
        lines = [line.partition(" ") for line in said.stdout.splitlines()]
        return {topic: bytes.fromhex(payload) for topic, _, payload in lines}


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir(mode=0o700)
    made = Broker(folder)
    made.prepare()
    made.start()
    try:
        yield made
    finally:
        made.stop()


@dataclass
class Site:
    """A log with passages and a sink that runs."""

    rig: Rig
    sink: MqttSink
    cameras: dict[str, bool]


@asynccontextmanager
async def site(folder: Path, broker: Broker, *, keep: bool = True, **settings: Any) -> AsyncGenerator[Site]:
    """``settings``: of the section, over those of the plain port."""
    section = {
        "host": "127.0.0.1", "port": broker.port, "tls": False, "user": "lpr", "status_every": 0.05, "timeout": 5.0,
        "pictures": "all", "onvif": True, **settings,
    }  # fmt: skip
    cameras = {"gate": True}
    clock = SystemClock()

    def onvif(prefix: str, passage: Any) -> tuple[str, bytes]:
        told = plate_notification(passage, TOKENS)
        return ej_topic(prefix, told), ej_payload(told)

    around = Surroundings(Device("lpr_1", "Camera", "0.1"), lambda: cameras, folder / "retained.json", onvif)
    async with rig(folder / "log") as made:
        sink = MqttSink(msgspec.convert(section, Mqtt), around, blobs=made.blobs, clock=clock, password=PASSWORD)
        policy = BackoffPolicy(first=0.05, longest=0.2)
        made.tasks.start_soon(partial(run_sink, sink, made.log, made.blobs, clock, policy))
        if keep:
            made.tasks.start_soon(sink.keep)
        try:
            yield Site(made, sink, cameras)
        finally:
            if not keep:
                await sink.close()


async def plates(process: subprocess.Popen[str], count: int) -> list[str]:
    """The plates of the next ``count`` passages that mosquitto_sub prints."""
    assert process.stdout is not None
    found: list[str] = []
    with anyio.fail_after(30):
        while len(found) < count:
            line = await anyio.to_thread.run_sync(process.stdout.readline)
            found.append(json.loads(line)["plate"])
    return found


async def eventually(condition: Any) -> None:
    """Until a look at the broker shows what is expected."""
    await anyio.to_thread.run_sync(partial(until, condition, "the broker"))


@contextmanager
def subscribed(*command: str) -> Generator[subprocess.Popen[str]]:
    """A client whose output can be read."""
    with running(*command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout:
            yield process


def subscriber(broker: Broker, topic: str, *options: str) -> tuple[str, ...]:
    return ("stdbuf", "-oL", "mosquitto_sub", *broker.options, "-q", "1", "-t", topic, *options)


async def test_what_a_subscriber_gets(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    with subscribed(*subscriber(broker, "lpr/gate/passage")) as client:
        async with site(tmp_path, broker) as made:
            await eventually(lambda: broker.retained().get("lpr/status") == b"online")
            for plate in ("AB1", "AB2"):
                await made.rig.passage(plate)
            assert await plates(client, 2) == ["AB1", "AB2"]
            found = await anyio.to_thread.run_sync(broker.retained)
            assert found["lpr/gate/picture"] == b"full" and found["lpr/gate/plate"] == b"plate"
            state = json.loads(found["lpr/gate/state"])
            assert (state["plate"], state["passages"], state["confidence"]) == ("AB2", 2, 70.0)
            assert found["lpr/gate/status"] == b"online"
            document = json.loads(found["homeassistant/device/lpr_1_gate/config"])
            assert set(document["components"]) >= {"plate", "confidence", "direction", "country", "passages", "picture"}
            made.cameras["gate"] = False
            await eventually(lambda: broker.retained().get("lpr/gate/status") == b"offline")
        assert broker.retained()["lpr/status"] == b"offline"


async def test_onvif_events_have_their_topic(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    topic = "lpr/onvif-ej/RuleEngine/Recognition/LicensePlate/&VS0/LPR"
    with subscribed(*subscriber(broker, topic, "-C", "1")) as client:
        async with site(tmp_path, broker) as made:
            await made.rig.passage("AB1")
            said = await anyio.to_thread.run_sync(client.communicate)
            document = json.loads(said[0])
            assert document["Source"] == {"VideoSource": "VS0", "Rule": "LPR"}
            assert document["Data"]["LicensePlateInfo"]["PlateNumber"]["#text"] == "AB1"


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_nothing_is_lost_while_the_broker_is_down(tmp_path: Path, broker: Broker, version: str) -> None:
    (tmp_path / "log").mkdir()
    session = ("-c", "-i", "nvr")
    with subscribed(*subscriber(broker, "lpr/gate/passage", *session)) as client:
        async with site(tmp_path, broker, version=version) as made:
            await eventually(lambda: broker.retained().get("lpr/status") == b"online")
            await made.rig.passage("A1")
            assert await plates(client, 1) == ["A1"]
            broker.stop()
            for number in range(2, 6):
                await made.rig.passage(f"A{number}")
            await made.rig.log.wait(made.rig.log.head)
            broker.start()
            found: list[str] = []
            while "A5" not in found:
                found += await plates(client, 1)
            assert sorted(set(found)) == ["A2", "A3", "A4", "A5"]
            await eventually(lambda: broker.retained().get("lpr/status") == b"online")


async def test_tls_with_a_client_certificate(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    files: dict[str, Any] = {
        "tls": True,
        "port": broker.tls_port,
        "ca_file": str(broker.folder / "ca.pem"),
        "client_certificate_file": str(broker.folder / "client.pem"),
    }
    client = ("stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.tls_port), "-u", "lpr",
              "-P", PASSWORD, "-q", "1", "-t", "lpr/gate/passage", "--cafile", str(broker.folder / "ca.pem"),
              "--cert", str(broker.folder / "client.pem"), "--key", str(broker.folder / "client.pem"))  # fmt: skip
    with subscribed(*client) as process:
        async with site(tmp_path, broker, **files) as made:
            await eventually(lambda: broker.retained().get("lpr/status") == b"online")
            await made.rig.passage("TLS1")
            assert await plates(process, 1) == ["TLS1"]


async def test_a_certificate_of_somebody_else_is_not_trusted(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    other: dict[str, Any] = {"tls": True, "port": broker.tls_port, "ca_file": str(broker.folder / "other.pem")}
    async with site(tmp_path, broker, keep=False, **other) as made:
        problem = await made.sink.check()
        assert "not trusted" in problem and "ca_file" in problem


async def test_a_wrong_password_and_missing_rights_are_named(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    async with site(tmp_path, broker, keep=False, prefix="forbidden") as made:
        problem = await made.sink.check()
        assert "Not authorized" in problem
    (tmp_path / "2" / "log").mkdir(parents=True)
    async with site(tmp_path / "2", broker, keep=False, user="nobody") as made:
        problem = await made.sink.check()
        assert "Not authorized" in problem and "password_file" in problem and PASSWORD not in problem


async def test_a_passage_that_the_broker_acknowledges_with_a_refusal_is_not_delivered(
    tmp_path: Path, broker: Broker
) -> None:
    (tmp_path / "log").mkdir()
    async with site(tmp_path, broker, keep=False, prefix="half") as made:
        outcome = await made.sink.deliver(await shipment(made.rig.blobs))
        assert isinstance(outcome, Unavailable)
        assert "half/gate/passage" in outcome.reason and "Not authorized" in outcome.reason
        assert "half/gate/picture" in broker.retained()


async def test_the_will_says_offline_when_we_are_gone(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    async with site(tmp_path, broker, keep=False) as made:
        assert await made.sink.check() == ""
        assert broker.retained()["lpr/status"] == b"online"
        await made.sink.lose()
        await eventually(lambda: broker.retained().get("lpr/status") == b"offline")


async def test_a_camera_that_is_gone_disappears(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "log").mkdir()
    async with site(tmp_path, broker, keep=False) as made:
        made.cameras["yard"] = True
        assert await made.sink.check() == ""
        assert "homeassistant/device/lpr_1_yard/config" in broker.retained()
        del made.cameras["yard"]
        await made.sink.close()
        assert await made.sink.check() == ""
        assert not [topic for topic in broker.retained() if "yard" in topic]
        await made.sink.close()
    (tmp_path / "2" / "log").mkdir(parents=True)
    shutil.copy(tmp_path / "retained.json", tmp_path / "2" / "retained.json")
    async with site(tmp_path / "2", broker, keep=False, discovery="off") as made:
        assert await made.sink.check() == ""
        assert not [topic for topic in broker.retained() if topic.startswith("homeassistant/")]
