"""Whole conversations of ``lpr.listen``: our own servers, broken cameras, wrong passwords, nobody there."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest

from lpr.core.clock import ManualClock, SystemClock
from lpr.listen import milesight, mqtt, neural
from lpr.listen.keep import Keeper
from lpr.listen.session import Source, Tally, again, listen
from lpr.listen.target import BROKEN, NOT_LET_IN, UNREACHABLE, Limits, ListenFailure, Target, Tls, split
from lpr.protocols import neural as infoplates
from lpr.protocols.milesight import Metadata, encode_login_reply, encode_recognition
from tests.actors.milesight_rig import PASSWORD, rig
from tests.contracts.mqtt_broker import ScriptedBroker
from tests.listen.samples import JPEG
from tests.protocols.milesight.samples import golden

pytestmark = pytest.mark.anyio
QUICK = Limits(connect=5.0, message=100_000)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Heard:
    """What a listening printed. ``tally``: what it came to."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.tally = Tally()
        self._more = anyio.Event()

    def say(self, text: str) -> None:
        self.lines.append(json.loads(text))
        self._more.set()

    async def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Until a line like that has been printed."""
        while not any(map(wanted, self.lines)):
            self._more = anyio.Event()
            await self._more.wait()

    async def hear(self, source: Source, folder: Path | None = None, count: int = 0, seconds: float = 20.0) -> None:
        await listen(
            "kind",
            source,
            clock=ManualClock(),
            keeper=Keeper(folder),
            say=self.say,
            count=count,
            seconds=seconds,
            tally=self.tally,
        )


@asynccontextmanager
async def camera(*answers: bytes, close: bool = True) -> AsyncGenerator[Target]:
    """Something that listens and says this, whatever it is told first."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with anyio.CancelScope() as scope:
                await stream.receive()
                for answer in answers:
                    await stream.send(answer)
                if not close:
                    await anyio.sleep_forever()
            assert not scope.cancelled_caught

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield Target("127.0.0.1", port, "admin", "secret", limits=QUICK)
        tasks.cancel_scope.cancel()


async def fails(source: Source, heard: Heard | None = None) -> ListenFailure:
    with pytest.raises(ListenFailure) as caught:
        await (heard or Heard()).hear(source)
    return caught.value


async def test_our_own_server_deviates_in_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        server = await made.start(new_clients="beginning")
        await made.passage("AB1", full=JPEG, crop=JPEG)
        await made.passage("부산 1", full=JPEG, crop=None)
        heard = Heard()
        target = Target(*server.addresses[0], "admin", PASSWORD, limits=QUICK)
        await heard.hear(milesight.milesight(target, register=True), tmp_path / "kept", count=2)
    assert [line["what"] for line in heard.lines] == ["log-in", "passage", "passage"]
    assert [line["fields"].get("plate") for line in heard.lines] == [None, "AB1", "부산 1"]
    assert [line["deviations"] for line in heard.lines] == [[], [], []]
    assert (heard.tally.ended, heard.tally.reports, heard.tally.status(2)) == ("count", 2, 0)
    picture = heard.lines[1]["pictures"][0]
    assert (picture["width"], picture["height"]) == (128, 32)
    assert await anyio.Path(picture["file"]).read_bytes() == JPEG
    assert len(await anyio.Path(heard.lines[2]["raw"]).read_bytes()) == heard.lines[2]["bytes"]


async def test_a_broken_camera_is_told_what_it_does_wrong() -> None:
    wrong = Metadata(guid=bytes(16), time_ms=1_706_767_205, plate="AB1", direction=7, confidence=97.0, plate_type=3,
                     width=100, height=100, x2=200)  # fmt: skip
    said = (encode_login_reply("200"), encode_recognition(wrong, (b"GIF89a",), "1.6"), b"HTTP/1.1 400 Bad\r\n")
    async with camera(*said) as target:
        heard = Heard()
        failure = await fails(milesight.milesight(target), heard)
    assert failure.status == BROKEN
    passage, broken = heard.lines[1:]
    assert [one["field"] for one in passage["deviations"]] == [
        "device id", "time", "direction", "confidence", "box", "image 0",
    ]  # fmt: skip
    assert all(one["source"] for one in passage["deviations"])
    assert broken["what"] == "broken" and "bad start" in broken["deviations"][0]["found"]
    assert heard.tally.status(0) == 1


async def test_a_passage_before_the_reply_is_out_of_order() -> None:
    async with camera(golden("recognition-1.6"), encode_login_reply("200")) as target:
        heard = Heard()
        await heard.hear(milesight.milesight(target))
    assert "order" in [one["field"] for one in heard.lines[0]["deviations"]]


async def test_wrong_passwords_have_their_exit_code(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        server = await made.start()
        failure = await fails(milesight.milesight(Target(*server.addresses[0], "admin", "wrong", limits=QUICK)))
    assert failure.status == NOT_LET_IN and "--password-file" in str(failure) and "wrong" not in str(failure)


async def test_nobody_there_and_nobody_answering() -> None:
    failure = await fails(milesight.milesight(Target("127.0.0.1", 1, "a", "b")))
    assert failure.status == UNREACHABLE and "refused" in str(failure)
    async with camera(close=False) as target:
        slow = Target(target.host, target.port, "a", "b", limits=Limits(connect=0.2))
        failure = await fails(milesight.milesight(slow))
        assert failure.status == BROKEN and "LPR port" in str(failure)
        failure = await fails(mqtt.mqtt(slow, ["#"], client="x"))
        assert failure.status == BROKEN and "broker" in str(failure)
    async with camera() as target:
        failure = await fails(milesight.milesight(target))
        assert failure.status == NOT_LET_IN
        failure = await fails(milesight.milesight(Target(target.host, target.port, tls=Tls(), limits=QUICK)))
        assert failure.status == UNREACHABLE


async def test_it_comes_back_when_a_camera_dies_inside_a_message() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    visits, told, heard = 0, list[str](), Heard()

    async def dying(stream: anyio.abc.SocketStream) -> None:
        nonlocal visits
        visits += 1
        message = encode_recognition(Metadata(guid=b"g" * 16, time_ms=0, plate=f"AB{visits}"), (b"jpeg" * 100,), "1.6")
        async with stream:
            await stream.receive()
            await stream.send(encode_login_reply("200") + (message if visits == 3 else message[:50]))

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, dying)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        target = Target("127.0.0.1", port, "admin", "x", limits=QUICK)
        await heard.hear(again(lambda: milesight.milesight(target), SystemClock(), 0.01, told.append), count=1)
        tasks.cancel_scope.cancel()
    assert visits == 3 and len(told) == 2 and "cut off" in told[0]
    assert [line["what"] for line in heard.lines] == ["log-in", "broken", "log-in", "broken", "log-in", "passage"]


async def test_a_wrong_password_is_not_tried_again() -> None:
    async with camera(encode_login_reply("401")) as target:
        failure = await fails(again(lambda: milesight.milesight(target), SystemClock(), 0.01))
    assert failure.status == NOT_LET_IN


async def test_time_ends_a_listening() -> None:
    async with camera(encode_login_reply("200"), close=False) as target:
        heard = Heard()
        await heard.hear(milesight.milesight(target), count=1, seconds=0.3)
    assert heard.tally.ended == "time" and heard.tally.status(1) == 1 and heard.tally.status(0) == 0


async def test_infoplates_of_a_socket() -> None:
    record = infoplates.Infoplate(time="2024-02-01 06:00:05.509", plate="AB1", confidence=70.0, image=JPEG)
    whole = infoplates.encode(record, infoplates.Style())
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(whole[:100])
            await stream.send(whole[100:] + whole + b"what?")

    heard = Heard()
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        failure = await fails(neural.neural(Target("127.0.0.1", port, limits=QUICK)), heard)
        assert failure.status == BROKEN
        tasks.cancel_scope.cancel()
    assert [line["fields"].get("plate") for line in heard.lines] == ["AB1", "AB1", None]
    assert heard.lines[0]["deviations"] == [] and heard.lines[0]["pictures"][0]["bytes"] == len(JPEG)


async def test_cameras_that_dial() -> None:
    record = infoplates.Infoplate(time="2024-02-01 06:00:05.509", plate="AB1", confidence=70.0)
    whole = infoplates.encode(record, infoplates.Style())
    heard, ready = Heard(), list[str]()
    listening = anyio.Event()

    def told(address: str) -> None:
        ready.append(address)
        listening.set()

    source = neural.neural_accepting(Target("127.0.0.1", 0, limits=Limits(connect=0.2)), told)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heard.hear, source, None, 2)
        await listening.wait()
        port = int(ready[0].rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port):
            for data in (whole, b"nonsense", whole):
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    await stream.send(data)
            with anyio.fail_after(20):
                await heard.wait(lambda line: line["what"] == "broken")
    assert [line["what"] for line in heard.lines] == ["passage", "broken", "passage"]
    assert heard.lines[0]["from"] == "127.0.0.1" and heard.tally.ended == "count"


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_broker_that_does_not_let_us_in() -> None:
    async with ScriptedBroker("5", "right") as broker:
        target = Target("127.0.0.1", broker.port, "lpr", "wrong", limits=QUICK)
        failure = await fails(mqtt.mqtt(target, ["#"], client="x"))
        assert failure.status == NOT_LET_IN and "Bad user name or password" in str(failure)
        right = Target("127.0.0.1", broker.port, "lpr", "right", limits=QUICK)
        failure = await fails(mqtt.mqtt(right, ["a#"], client="x"))
        assert failure.status == UNREACHABLE and "a#: not a filter" in str(failure)
        await broker.behave("nonsense")
        heard = Heard()
        failure = await fails(mqtt.mqtt(target, ["#"], client="x"), heard)
        assert failure.status == BROKEN and heard.lines[0]["deviations"][0]["field"] == "packet"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("camera", ("", "camera", 5000, "")),
        ("camera:81", ("", "camera", 81, "")),
        ("[::1]:81", ("", "::1", 81, "")),
        ("rtsp://camera/a/b?c=d", ("rtsp", "camera", 5000, "/a/b?c=d")),
    ],
)
def test_addresses(text: str, found: tuple[str, str, int, str]) -> None:
    assert split(text, 5000, ("rtsp",)) == found


@pytest.mark.parametrize("text", ["", "a:b", "http://x", "rtsp://u:p@x/", "a:99999", "[::1"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(ListenFailure) as caught:
        split(text, 5000, ("rtsp",))
    assert caught.value.status == UNREACHABLE


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ListenFailure, match="certificate"):
        Tls(ca_file=str(tmp_path / "none.pem")).context()
    assert not Tls(verify=False).context().check_hostname


def test_a_target_shows_no_password() -> None:
    assert "secret" not in repr(Target("a", 1, "b", "secret"))
