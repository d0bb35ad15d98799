"""A client of RTSP that takes the metadata stream, interleaved. anyio. May import this room and the codecs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import anyio

from lpr.listen.report import Checks, Report
from lpr.listen.rtsp_report import RTSP, MetadataPackets, answer_checks, description_report, metadata_track
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, NOT_LET_IN, ListenFailure, Target
from lpr.listen.wire import Wire, connected
from lpr.protocols.http_auth import Authenticator
from lpr.protocols.rtsp import Headers, Interleaved, ProtocolError, Request
from lpr.protocols.rtsp.client import Answer, Client, control_url, media_of

PORT, TLS_PORT = 554, 322
TRANSPORT: Headers = (("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"),)


class _Bound:
    """An Authenticator with its nonces."""

    def __init__(self, user: str, password: str, random: Callable[[], str]) -> None:
        self._inner = Authenticator(user, password)
        self._random = random

    def challenged(self, fields: Iterable[str]) -> bool:
        return self._inner.challenged(fields)

    def answer(self, method: str, target: str) -> str | None:
        return self._inner.answer(method, target, self._random())


class _Talk:
    """Asks, and keeps what came in between."""

    def __init__(self, wire: Wire, client: Client, target: Target) -> None:
        self._wire = wire
        self._client = client
        self._target = target
        self.packets: list[Interleaved] = []
        self.broken: ProtocolError | None = None

    async def ask(self, method: str, url: str, headers: Headers = ()) -> Answer:
        """The answer, also to a challenge. Raises ListenFailure."""
        try:
            with anyio.fail_after(self._target.limits.connect):
                await self._wire.send(self._client.ask(method, url, headers))
                answer = await self._answer()
                if answer.response.status == 401 and (again := self._client.again(answer)) is not None:
                    await self._wire.send(again)
                    answer = await self._answer()
        except TimeoutError:
            raise ListenFailure(
                f"{self._target.address} does not answer {method} within {self._target.limits.connect:g} s", BROKEN
            ) from None
        except ProtocolError as error:
            raise ListenFailure(f"{self._target.address} does not speak RTSP as it should: {error}", BROKEN) from None
        status, reason = answer.response.status, answer.response.reason
        if status == 401:
            raise ListenFailure(
                f"{self._target.address} does not let us in (401); correct --user and --password-file", NOT_LET_IN
            )
        if status != 200:
            hint = "; is the path right?" if status == 404 else ""
            raise ListenFailure(f"{self._target.address} answers {method} with {status} {reason}{hint}", BROKEN)
        return answer

    async def _answer(self) -> Answer:
        while True:
            for event in self._client.events():
                if isinstance(event, Answer):
                    return event
                await self.take(event)
            data = await self._wire.receive()
            if not data:
                raise ListenFailure(f"{self._target.address} closed the connection instead of answering", BROKEN)
            self._client.receive(data)

    async def take(self, event: Interleaved | Request) -> None:
        """What is no answer."""
        if isinstance(event, Interleaved):
            self.packets.append(event)
        else:
            await self._wire.send(self._client.decline(event))

    async def more(self, patience: float) -> bool:
        """Wait for packets or for ``patience`` seconds; False when the camera has closed. What is no RTSP ends in
        ``broken``."""
        if await self._drain():
            return True
        with anyio.move_on_after(patience):
            data = await self._wire.receive()
            if not data:
                return False
            self._client.receive(data)
        await self._drain()
        return True

    async def _drain(self) -> bool:
        """Take what is whole; whether there was anything."""
        before = len(self.packets)
        try:
            for event in self._client.events():
                if not isinstance(event, Answer):
                    await self.take(event)
        except ProtocolError as error:
            self.broken = error
        return len(self.packets) > before or self.broken is not None

    async def leave(self, url: str) -> None:
        """TEARDOWN, without waiting for the answer."""
        await self._wire.send(self._client.ask("TEARDOWN", url))


async def rtsp(target: Target, url: str, random: Callable[[], str], now: Callable[[], float]) -> Source:
    """The metadata stream of ``url``. ``random``: a new nonce; ``now``: seconds of a monotonic clock.

    Raises ListenFailure: not reached, not let in, no metadata in the stream, or no RTSP.
    """
    credentials = _Bound(target.user, target.password, random) if target.user else None
    client = Client(credentials, agent="lpr listen")
    async with connected(target) as wire:
        talk = _Talk(wire, client, target)
        opening = Report("opening", {"url": url}, counts=False)
        options = await talk.ask("OPTIONS", url)
        opening.deviations += answer_checks(options)
        described = await talk.ask("DESCRIBE", url, (("Accept", "application/sdp"),))
        opening.deviations += answer_checks(described)
        control, media = media_of(described.response.body)
        track = metadata_track(media)
        report = description_report(described.response.body, media, track)
        yield target.address, report
        if track is None:
            raise ListenFailure(f"{url} has no metadata; turn it on in the camera's profile, or name another", BROKEN)
        base = described.response.header("Content-Base") or described.response.header("Content-Location") or url
        setup = await talk.ask("SETUP", control_url(base, control, track.control), TRANSPORT)
        opening.deviations += answer_checks(setup)
        whole = control_url(base, control, "")
        play = await talk.ask("PLAY", whole, (("Range", "npt=0.000-"),))
        opening.deviations += answer_checks(play)
        opening.fields |= {"session": client.session, "timeout": client.timeout, "server": _server(options)}
        yield target.address, opening
        packets = MetadataPackets(track, target.limits.message)
        alive = now()
        try:
            while True:
                taken, talk.packets = talk.packets, []
                for packet in taken:
                    if packet.channel == 0:
                        for found in packets.take(packet.data):
                            yield target.address, found
                if now() - alive > client.timeout / 2:
                    await wire.send(client.ask("GET_PARAMETER", whole))
                    alive = now()
                if talk.broken is not None:
                    for found in packets.rest():
                        yield target.address, found
                    checks = Checks(RTSP)
                    checks.add("stream", str(talk.broken), "answers and $ frames")
                    yield target.address, Report("broken", {}, checks.found, counts=False)
                    raise ListenFailure(f"{target.address}: {talk.broken}", BROKEN)
                if not await talk.more(max(1.0, client.timeout / 4)):
                    for found in packets.rest():
                        yield target.address, found
                    return
        finally:
            with anyio.move_on_after(1.0, shield=True):
                await _farewell(talk, whole)


async def _farewell(talk: _Talk, url: str) -> None:
    try:
        await talk.leave(url)
    except ListenFailure:
        return


def _server(answer: Answer) -> str:
    return (answer.response.header("Server") or "")[:200]
