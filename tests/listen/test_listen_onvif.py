"""``lpr listen onvif`` against our own services, and against a device that gets much wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import anyio
import pytest
from aiohttp import web

from lpr.core.clock import SystemClock
from lpr.listen.onvif import onvif
from lpr.listen.onvif_report import reach, times_checks
from lpr.listen.report import Checks
from lpr.listen.target import BROKEN, NOT_LET_IN, UNREACHABLE, Limits, Target
from lpr.protocols.onvif.soap import CONTENT_TYPE, Fault, answer, parse, refuse
from lpr.protocols.onvif.tree import element
from tests.actors.device_http.rig import ACCOUNTS
from tests.e2e.test_onvif_events import PLATE, device
from tests.listen.samples import fields
from tests.listen.test_listening import Heard, fails

pytestmark = pytest.mark.anyio
QUICK = Limits(connect=5.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def target_of(url: str, password: str | None = None) -> Target:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    return Target(host, int(port), "nvr", password or ACCOUNTS.password_of("nvr") or "", limits=QUICK)


async def test_our_own_events_deviate_in_nothing(tmp_path: Path) -> None:
    async with device(tmp_path) as place:
        heard = Heard()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(heard.hear, onvif(target_of(place.url), place.clock)))
                await heard.wait(lambda line: line["what"] == "opening")
                await place.passes("AB12CD")
                await heard.wait(lambda line: line["what"] == "passage")
                tasks.cancel_scope.cancel()
    assert [line["deviations"] for line in heard.lines if line["deviations"]] == []
    passage = next(line for line in heard.lines if line["what"] == "passage")
    assert passage["fields"]["topic"] == PLATE and passage["fields"]["plate"]["plate"] == "AB12CD"
    assert abs(heard.lines[0]["fields"]["clock_offset_s"]) < 5


async def test_a_wrong_password_and_nobody_there(tmp_path: Path) -> None:
    async with device(tmp_path) as place:
        failure = await fails(onvif(target_of(place.url, "not this one"), place.clock))
        assert failure.status == NOT_LET_IN and "not this one" not in str(failure)
    failure = await fails(onvif(Target("127.0.0.1", 1), SystemClock()))
    assert failure.status == UNREACHABLE and "refused" in str(failure)


Answers = Callable[[str, str], Element | Fault | bytes]


@asynccontextmanager
async def answering(answers: Answers, kind: str = CONTENT_TYPE) -> AsyncGenerator[Target]:
    """A device whose answers are made by ``answers(operation, base address)``."""
    base = ""

    async def handle(request: web.Request) -> web.Response:
        asked = parse(await request.read())
        made = answers(asked.operation, base)
        if isinstance(made, Fault):
            return web.Response(status=made.status, body=refuse(made), headers={"Content-Type": kind})
        body = made if isinstance(made, bytes) else answer(made, asked)
        return web.Response(body=body, headers={"Content-Type": kind})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        base = f"http://{host}:{port}"
        yield Target(host, port, limits=QUICK)
    finally:
        await runner.cleanup()


def careless(operation: str, base: str) -> Element | Fault | bytes:
    """A device that gets much wrong, but answers."""
    port = base.rpartition(":")[2]
    match operation:
        case "GetSystemDateAndTime":
            time = {"Hour": "1", "Minute": "1", "Second": "1", "Year": "2001", "Month": "1", "Day": "1"}
            return element(
                "tds:GetSystemDateAndTimeResponse",
                element("tt:UTCDateTime", [element(f"tt:{name}", text) for name, text in time.items()]),
            )
        case "GetServices":
            return Fault("Receiver", "ter:ActionNotSupported", reason="never heard")
        case "GetCapabilities":
            events = element("tt:Events", element("tt:XAddr", f"http://10.9.8.7:{port}/events"))
            return element("tds:GetCapabilitiesResponse", element("tds:Capabilities", events))
        case "CreatePullPointSubscription":
            return element(
                "tev:CreatePullPointSubscription",
                element("tev:SubscriptionReference", element("wsa:Address", f"{base}/sub")),
                element("wsnt:CurrentTime", "2025-06-15T15:06:40"),
                element("wsnt:TerminationTime", "2025-06-15T15:06:40Z"),
            )
        case "PullMessages":
            return element(
                "tev:PullMessagesResponse",
                element("tev:CurrentTime", "2025-06-15T15:06:40Z"),
                element("tev:TerminationTime", "2025-06-15T15:07:40Z"),
                element("wsnt:NotificationMessage", element("wsnt:Topic", "tns1:RuleEngine/X")),
            )
        case _:
            return Fault("Sender", "ter:ActionNotSupported", reason="not here")


async def test_a_careless_device_is_told_what_it_does_wrong() -> None:
    async with answering(careless, "text/xml") as target:
        heard = Heard()
        await heard.hear(onvif(target, SystemClock()), count=1)
    opening, pulled, event = ([one["field"] for one in line["deviations"]] for line in heard.lines)
    assert set(opening) >= {
        "Content-Type", "UTCDateTime", "GetServices", "XAddr", "body", "CurrentTime", "SetSynchronizationPoint",
    }  # fmt: skip
    assert pulled == ["Content-Type"] and event
    assert heard.lines[1]["fields"]["operation"] == "PullMessages"


@pytest.mark.parametrize(
    ("broken", "status", "words"),
    [
        (b"<html/>", BROKEN, "SOAP"),
        (element("tds:GetServicesResponse"), BROKEN, "no events service"),
        (Fault("Sender", "ter:NotAuthorized", reason="who?"), NOT_LET_IN, "--user"),
    ],
)
async def test_what_ends_the_conversation(broken: Element | Fault | bytes, status: int, words: str) -> None:
    def answers(operation: str, base: str) -> Element | Fault | bytes:
        return broken if operation == "GetServices" else careless(operation, base)

    async with answering(answers) as target:
        failure = await fails(onvif(target, SystemClock()))
    assert failure.status == status and words in str(failure)


async def test_a_fault_in_the_middle_ends_it_with_the_cameras_words() -> None:
    def answers(operation: str, base: str) -> Element | Fault | bytes:
        if operation == "PullMessages":
            return Fault("Receiver", "ter:Action", reason="the queue is gone")
        return careless(operation, base)

    async with answering(answers) as target:
        failure = await fails(onvif(target, SystemClock()))
    assert failure.status == BROKEN and "the queue is gone" in str(failure)


def test_addresses_behind_nat_are_reached_by_the_way_we_came() -> None:
    checks = Checks("s")
    assert reach("http://192.0.2.1:80/e?a=1", "192.0.2.1", 8000, checks, "X") == "http://192.0.2.1:80/e?a=1"
    assert checks.found == []
    assert reach("http://10.0.0.1/e?a=1", "192.0.2.1", 8000, checks, "X") == "http://192.0.2.1:8000/e?a=1"
    assert reach("/e", "::1", 80, checks, "X") == "http://[::1]:80/e"
    assert fields(checks.found) == ["X", "X"]


@pytest.mark.parametrize(
    ("current", "termination", "found"),
    [
        ("2025-06-15T15:06:40Z", "2025-06-15T15:07:40Z", []),
        ("2025-06-15T15:06:40+02:00", "2025-06-15T15:07:40Z", []),
        ("2025-06-15T15:06:40", "2025-06-15T15:07:40Z", ["CurrentTime"]),
        ("", "2025-06-15T15:07:40Z", ["CurrentTime"]),
        ("2025-06-15T15:06:40Z", "2025-06-15T15:06:40Z", ["TerminationTime"]),
        ("yesterday", "PT60S", ["CurrentTime", "TerminationTime"]),
    ],
)
def test_times_of_a_subscription(current: str, termination: str, found: list[str]) -> None:
    checks = Checks("s")
    times_checks(current, termination, checks)
    assert fields(checks.found) == found
