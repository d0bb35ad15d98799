"""Answers to requests: who may ask, which stream is meant, what becomes of its session. One desk a server.

May import ``lpr.config``, ``lpr.core``, ``lpr.events``, ``lpr.media`` and ``lpr.protocols``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import anyio

from lpr.actors.rtsp_server.viewer import VIDEO, Viewer, tracks_of
from lpr.config import Rtsp as Settings
from lpr.core.accounts import Accounts
from lpr.core.admission import RateTable
from lpr.core.clock import Clock
from lpr.media.source import Presentation, Presentations
from lpr.media.stream import MediaStream, MediaUnavailable
from lpr.protocols.http_auth import Challenger
from lpr.protocols.rtsp import (
    METHODS,
    RECORDING,
    Channels,
    Headers,
    Ports,
    Refused,
    Request,
    Response,
    Session,
    base_of,
    choose,
    control_of,
    describe,
    format_range,
    format_rtp_info,
    format_session,
    format_transport,
    parse_session,
    parse_transport,
    split_address,
)

GUEST = "guest"
"""Who looks on where nobody has to log in."""
SESSIONS = 8
"""Sessions set up through one connection at the same time."""
BEGUN = 240
"""Sessions begun a minute and address, so that a client which comes and goes does not fill the log; at least twice
``max_clients_per_address``, so that all of them can come back at once."""
DESCRIBE_WAIT = 10.0
"""Seconds that a stream may take to say what it is (an encoder has to be opened for it)."""

_URI = re.compile(r'\buri="([^"\\]*)"')
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_SEQUENCE = re.compile(r"[0-9]{1,10}")


class Caller(Protocol):
    """What the desk needs of a connection."""

    challenger: Challenger | None
    user: str | None
    viewers: dict[str, Viewer]

    @property
    def address(self) -> str: ...

    @property
    def local(self) -> str:
        """The address here."""
        ...

    @property
    def udp_ports(self) -> tuple[int, int] | None:
        """The ports of RTP and RTCP here, None where UDP is not to be had: over TLS and in a tunnel."""
        ...

    def known(self) -> None:
        """The client may stay: it has logged in."""
        ...

    def viewer(self, session: Session, tracks: Mapping[int, MediaStream]) -> Viewer:
        """A new viewer whose packets go through this connection, or to the client's address by UDP."""
        ...


class Floor(Protocol):
    """The sessions of the server."""

    def find(self, session: str) -> Viewer | None: ...

    def full(self, address: str) -> bool:
        """Whether the address, or the whole server, has as many as it may."""
        ...

    def add(self, viewer: Viewer) -> None: ...

    def joined(self, viewer: Viewer) -> None:
        """It is watched for the first time."""
        ...

    def end(self, viewer: Viewer, reason: str) -> None: ...

    def offence(self, kind: str, remote: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """``then``: to be done once the answer is on its way. ``close``: the connection ends after it."""

    response: Response
    then: Callable[[], None] | None = None
    close: bool = False


class Desk:
    """``name``: of this device, as descriptions show it; ``realm``: for log-ins."""

    def __init__(
        self,
        settings: Settings,
        presentations: Presentations,
        accounts: Accounts,
        floor: Floor,
        clock: Clock,
        *,
        name: str,
        realm: str,
    ) -> None:
        self._settings = settings
        self._presentations = presentations
        self._accounts = accounts
        self._floor = floor
        self._clock = clock
        self._name = name
        self._realm = realm
        self._wrong = RateTable(settings.login_attempts)
        self._begun = RateTable(max(BEGUN, 2 * settings.max_clients_per_address))
        self._described = clock.wall()

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """What to send for a request. Never raises for what a client did."""
        sequence = request.header("CSeq") or ""
        head: Headers = (("CSeq", sequence),) if _SEQUENCE.fullmatch(sequence) else ()
        try:
            answer = await self._answer(caller, request, bool(head))
        except Refused as refused:
            answer = Answer(Response(refused.status, reason=""))
        response = answer.response
        full = Response(response.status, (*head, ("Server", "lpr"), *response.headers), response.body)
        return Answer(full, answer.then, answer.close)

    async def _answer(self, caller: Caller, request: Request, numbered: bool) -> Answer:
        if request.version != "RTSP/1.0":
            return Answer(Response(505))
        if not numbered:
            return Answer(Response(400))
        wanted = ", ".join([*request.all("Require"), *request.all("Proxy-Require")])
        if wanted:
            return Answer(Response(551, (("Unsupported", _UNPRINTABLE.sub("?", wanted)),)))
        viewer = self._session(caller, request)
        if request.method == "OPTIONS":
            return Answer(Response(200, (("Public", ", ".join(METHODS)),)))
        if request.method not in METHODS:
            if request.method in RECORDING:
                return Answer(Response(405, (("Allow", ", ".join(METHODS)),)))
            return Answer(Response(501, (("Public", ", ".join(METHODS)),)))
        refusal = self._log_in(caller, request)
        if refusal is not None:
            return refusal
        if viewer is not None and viewer.session.user != caller.user:
            raise Refused(454, "another user's session")
        match request.method:
            case "DESCRIBE":
                return await self._describe(caller, request)
            case "SETUP":
                return await self._set_up(caller, request, viewer)
            case "GET_PARAMETER":
                return Answer(Response(200, _session_header(viewer)))
            case "SET_PARAMETER":
                return Answer(Response(451 if request.body.strip() else 200, _session_header(viewer)))
            case _:
                if viewer is None:
                    raise Refused(454, "no session is named")
                return await self._control(caller, request, viewer)

    # --- who asks --------------------------------------------------------------------------------------

    def _log_in(self, caller: Caller, request: Request) -> Answer | None:
        """None when the client is known; else what it gets. A connection logs in once, with nonces of its own: what
        is seen of one is of no use on another."""
        if caller.user is not None:
            return None
        if self._settings.guests:
            caller.user = GUEST
            return None
        now = self._clock.mono()
        if caller.challenger is None:
            caller.challenger = Challenger(
                self._realm,
                self._clock.random_bytes(32),
                methods=self._settings.methods,
                life=self._settings.nonce_life,
            )
        header = request.header("Authorization")
        if header is not None and self._wrong.full(caller.address, now):
            self._floor.offence("too many wrong log-ins", caller.address)
            return Answer(Response(403), close=True)
        named = _URI.search(header or "")
        target = request.url if named is None else named[1]  # clients differ in which of a stream's addresses they hash
        verdict = caller.challenger.check(header, request.method, target, self._accounts.password_of, now)
        if verdict.user is not None:
            caller.user = verdict.user
            caller.known()
            return None
        if header is not None and not verdict.stale:
            self._wrong.note(caller.address, now)
            self._floor.offence("wrong log-in", caller.address)
        challenges = caller.challenger.challenges(now, stale=verdict.stale)
        return Answer(Response(401, tuple(("WWW-Authenticate", challenge) for challenge in challenges)))

    # --- which stream ----------------------------------------------------------------------------------

    def _stream(self, request: Request) -> tuple[Presentation, int | None]:
        """The stream and track that a request names; no name at all means the first stream. Raises Refused."""
        found = split_address(request.url)
        if found is None:
            raise Refused(400, "no address of RTSP")
        path, track = found
        presentation = self._presentations.presentation(path or self._presentations.names[0])
        if presentation is None:
            raise Refused(404, "no such stream")
        return presentation, track

    async def _describe(self, caller: Caller, request: Request) -> Answer:
        accepted = request.header("Accept")
        if accepted is not None and not re.search(r"application/(?:sdp|\*)|\*/\*", accepted, re.IGNORECASE):
            raise Refused(406, "descriptions are application/sdp")
        presentation, _ = self._stream(request)
        tracks: list[tuple[int, tuple[str, ...]]] = []
        for number, stream in tracks_of(presentation).items():
            try:
                with anyio.fail_after(DESCRIBE_WAIT):
                    tracks.append((number, (await stream.track()).sdp))
            except (MediaUnavailable, TimeoutError):
                if number == VIDEO:
                    raise Refused(503, "the stream has no pictures") from None
        body = describe(
            session=self._described,
            name=f"{self._name} {presentation.name}",
            host=caller.local,
            tracks=tracks,
        )
        headers = (
            ("Content-Type", "application/sdp"),
            ("Content-Base", base_of(request.url)),
            ("Cache-Control", "no-cache"),
        )
        return Answer(Response(200, headers, body))

    # --- sessions --------------------------------------------------------------------------------------

    def _session(self, caller: Caller, request: Request) -> Viewer | None:
        """The session that a request names, which is refreshed by it. Raises Refused (454) for an unknown one."""
        name = parse_session(request.header("Session"))
        if name is None:
            return None
        viewer = self._floor.find(name)
        if viewer is None or viewer.session.address != caller.address:
            raise Refused(454, "no such session")
        viewer.session.heard(self._clock.mono())
        return viewer

    async def _set_up(self, caller: Caller, request: Request, viewer: Viewer | None) -> Answer:
        presentation, track = self._stream(request)
        tracks = tracks_of(presentation) if viewer is None else viewer.tracks
        if track is None:
            if len(tracks) > 1:
                raise Refused(459, "a track has to be named")
            track = VIDEO
        if track not in tracks:
            raise Refused(404, "no such track")
        stream = tracks[track]
        taken = {channel for other in caller.viewers.values() for channel in other.channels}
        ports = caller.udp_ports
        choice = choose(parse_transport(request.header("Transport") or ""), udp=ports is not None, taken=taken)
        if viewer is not None:
            viewer.session.may_set_up(presentation.name, track)
        if choice is None:
            raise Refused(461, "no transport that is served")
        if isinstance(choice, Channels) and viewer is not None and viewer.session.id not in caller.viewers:
            raise Refused(461, "a session's packets go through the connection that began it")
        new = viewer is None
        if viewer is None:
            viewer = self._begin(caller, presentation.name, tracks)
        session = viewer.session
        session.set_up(track, choice)
        if new:
            caller.viewers[session.id] = viewer
            self._floor.add(viewer)
            caller.known()
        here = ports if isinstance(choice, Ports) else None
        transport = format_transport(choice, ssrc=stream.ssrc, server_port=here)
        return Answer(Response(200, (("Transport", transport), *_session_header(viewer))))

    def _begin(self, caller: Caller, name: str, tracks: Mapping[int, MediaStream]) -> Viewer:
        now = self._clock.mono()
        full = self._floor.full(caller.address) or self._begun.full(caller.address, now)
        if full or len(caller.viewers) >= SESSIONS:
            self._floor.offence("too many sessions", caller.address)
            raise Refused(453, "too many sessions")
        self._begun.note(caller.address, now)
        session = Session(
            self._clock.random_bytes(16).hex(),
            stream=name,
            user=caller.user or GUEST,
            address=caller.address,
            timeout=self._settings.session_timeout,
            now=now,
        )
        return caller.viewer(session, tracks)

    async def _control(self, caller: Caller, request: Request, viewer: Viewer) -> Answer:
        session = viewer.session
        presentation, track = self._stream(request)
        if presentation.name != session.stream:
            raise Refused(454, "the session is of another stream")
        if request.method == "PLAY":
            return await self._play(request, viewer)
        if request.method == "PAUSE":
            if session.pause():
                viewer.stop()
            return Answer(Response(200, _session_header(viewer)))
        if session.tear_down(track):
            self._floor.end(viewer, "closed by client")
            return Answer(Response(200, (("Session", session.id),)))
        return Answer(Response(200, _session_header(viewer)))

    async def _play(self, request: Request, viewer: Viewer) -> Answer:
        session = viewer.session
        begins = session.play()
        if begins:
            await viewer.play(self._settings.start_wait)
            if viewer.failed:
                raise Refused(503, viewer.failed)
            if not viewer.watched:
                viewer.watched = True
                self._floor.joined(viewer)
        base = base_of(_without_track(request.url))
        mono = self._clock.mono()
        info = format_rtp_info(base, self._starts(viewer, sorted(session.tracks), mono))
        headers = (("Range", format_range(self._clock.wall())), ("RTP-Info", info), *_session_header(viewer))
        return Answer(Response(200, headers), viewer.release if begins else None)

    def _starts(self, viewer: Viewer, tracks: Iterable[int], mono: int) -> Iterable[tuple[str, int, int]]:
        for track in tracks:
            sequence, time = viewer.start_of(track, mono)
            yield control_of(track), sequence, time


def _session_header(viewer: Viewer | None) -> Headers:
    return () if viewer is None else (("Session", format_session(viewer.session)),)


def _without_track(url: str) -> str:
    return re.sub(r"/?(?:trackID|streamid|track)=[0-9]{1,3}/?$", "", url, flags=re.IGNORECASE)
