"""The two ends of a connection as state machines: bytes in, messages out, bytes to send out; no clock, no socket.

    server   AWAITING_LOGIN --log-in--> CHECKING --accept--> ACTIVE        (a later log-in: CHECKING, then ACTIVE again)
                  ^------reject------------'  '--reject: the last attempt, or after an earlier success--> CLOSED
    client   IDLE --log_in--> WAITING --"200"--> ACTIVE,  --any other result--> REJECTED --log_in--> WAITING

Rules. Before the log-in a client may send nothing but a log-in: anything else closes. After it, registrations are
noted and unknown commands passed over, since later firmwares have more of them. A message from the server before the
reply is an error. Time limits belong to whoever holds the socket.

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from lpr.protocols.milesight.framing import FrameParser, ProtocolError
from lpr.protocols.milesight.messages import (
    BadLogin,
    FromClient,
    FromServer,
    Ignored,
    LoginReply,
    LoginRequest,
    Recognition,
    Registration,
    decode_at_client,
    decode_at_server,
    encode_login_reply,
    encode_login_request,
    encode_registration,
)


class ServerState(enum.Enum):
    """Where the camera's end of a connection is."""

    AWAITING_LOGIN = "awaiting log-in"
    CHECKING = "checking"
    ACTIVE = "active"
    CLOSED = "closed"


class ClientState(enum.Enum):
    """Where the NVR's end of a connection is."""

    IDLE = "idle"
    WAITING = "waiting"
    ACTIVE = "active"
    REJECTED = "rejected"
    CLOSED = "closed"


class StateError(RuntimeError):
    """This end's own caller asked for something the state does not allow: a programming error, not the peer's."""


class ServerConnection:
    """The camera's end. ``max_message``: bytes of data in one message of the client; ``attempts``: wrong log-ins."""

    def __init__(self, *, max_message: int = 4096, attempts: int = 3) -> None:
        if attempts < 1:
            raise ValueError("a client needs at least one attempt to log in")
        self._parser = FrameParser(max_message)
        self._attempts_left = attempts
        self._was_active = False
        self.state = ServerState.AWAITING_LOGIN
        self.registration: Registration | None = None

    @property
    def buffered(self) -> int:
        """Bytes held that have not become a message."""
        return self._parser.buffered

    def receive(self, data: bytes) -> None:
        """Take bytes from the client; ``b""`` means that it closed its side. Raises ProtocolError "cut off"."""
        if self.state is ServerState.CLOSED:
            return
        if data:
            self._parser.feed(data)
            return
        self.state = ServerState.CLOSED
        self._parser.end()

    def next_message(self) -> FromClient | None:
        """The next message, or None when more bytes (or, in CHECKING, ``accept`` or ``reject``) are needed.

        Raises ProtocolError; the connection is CLOSED then.
        """
        if self.state in (ServerState.CHECKING, ServerState.CLOSED):
            return None
        try:
            return self._next()
        except ProtocolError:
            self.state = ServerState.CLOSED
            raise

    def accept(self) -> bytes:
        """The log-in is right: the reply to send. Raises StateError outside CHECKING."""
        self._expect_checking()
        self.state = ServerState.ACTIVE
        self._was_active = True
        return encode_login_reply("200")

    def reject(self, result: str = "401") -> bytes:
        """The log-in is wrong: the reply to send, after which the state tells whether another attempt is left.

        Raises StateError outside CHECKING.
        """
        self._expect_checking()
        self._attempts_left -= 1
        closed = self._attempts_left <= 0 or self._was_active
        self.state = ServerState.CLOSED if closed else ServerState.AWAITING_LOGIN
        return encode_login_reply(result)

    def _expect_checking(self) -> None:
        if self.state is not ServerState.CHECKING:
            raise StateError(f"there is no log-in to answer while {self.state.value}")

    def _next(self) -> FromClient | None:
        frame = self._parser.next_frame()
        if frame is None:
            return None
        message = decode_at_server(frame)
        if isinstance(message, BadLogin) and self._was_active:
            return Ignored(frame.command, len(frame.data))
        if isinstance(message, LoginRequest | BadLogin):
            self.state = ServerState.CHECKING
            return message
        if self.state is ServerState.AWAITING_LOGIN:
            raise ProtocolError("unexpected command", f"command {frame.command:#06x} before the log-in")
        if isinstance(message, Registration):
            self.registration = message
        return message


class ClientConnection:
    """The NVR's end. ``max_message``: the most data bytes it accepts in one message (a passage with its pictures)."""

    def __init__(self, *, max_message: int = 64 * 1024 * 1024) -> None:
        self._parser = FrameParser(max_message)
        self.state = ClientState.IDLE

    @property
    def buffered(self) -> int:
        """Bytes held that have not become a message."""
        return self._parser.buffered

    def log_in(self, user: str, password: str) -> bytes:
        """The bytes of a log-in. Raises StateError while another one is under way or the connection is closed."""
        if self.state not in (ClientState.IDLE, ClientState.REJECTED):
            raise StateError(f"cannot log in while {self.state.value}")
        self.state = ClientState.WAITING
        return encode_login_request(user, password)

    def register(self, everything: bool = True, vehicle_count: bool = False) -> bytes:
        """The bytes of a registration (later firmwares). Raises StateError before the log-in has succeeded."""
        if self.state is not ClientState.ACTIVE:
            raise StateError(f"cannot register while {self.state.value}")
        return encode_registration(everything, vehicle_count)

    def receive(self, data: bytes) -> None:
        """Take bytes from the camera; ``b""`` means that it closed. Raises ProtocolError "cut off"."""
        if self.state is ClientState.CLOSED:
            return
        if data:
            self._parser.feed(data)
            return
        self.state = ClientState.CLOSED
        self._parser.end()

    def next_message(self) -> FromServer | None:
        """The next message, or None when more bytes are needed. Raises ProtocolError; the state is CLOSED then."""
        if self.state is ClientState.CLOSED:
            return None
        try:
            return self._next()
        except ProtocolError:
            self.state = ClientState.CLOSED
            raise

    def messages(self) -> Iterator[FromServer]:
        """Every message that is whole by now."""
        while (message := self.next_message()) is not None:
            yield message

    def _next(self) -> FromServer | None:
        frame = self._parser.next_frame()
        if frame is None:
            return None
        message = decode_at_client(frame)
        if isinstance(message, LoginReply):
            if self.state is not ClientState.WAITING:
                raise ProtocolError("unexpected command", f"a log-in reply while {self.state.value}")
            self.state = ClientState.ACTIVE if message.result == "200" else ClientState.REJECTED
            return message
        if isinstance(message, Recognition) and self.state is not ClientState.ACTIVE:
            raise ProtocolError("unexpected command", f"a recognition while {self.state.value}")
        return message
