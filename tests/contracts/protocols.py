"""What every stream protocol is held against. A new protocol adds a ``StreamCase`` to ``CASES`` for each of its ends.

The contract of a sans-IO end: bytes in any portions give the same messages; whatever comes, nothing is raised but the
protocol's own error, after which it gives nothing more; and what it holds of an unfinished message is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hypothesis import strategies as st

from lpr.protocols import milesight, mqtt, neural, rtsp
from tests.protocols.milesight.samples import METADATA
from tests.protocols.mqtt.broker import STREAMS
from tests.protocols.neural.samples import RECORD, STYLE


class Stream(Protocol):
    """One end of a connection, whatever the protocol."""

    def feed(self, data: bytes) -> list[object]:
        """Take bytes; gives the messages that are whole by now. Raises the protocol's error."""
        ...

    def held(self) -> int:
        """Bytes kept of what is not whole yet."""
        ...


@dataclass(frozen=True)
class StreamCase:
    """``valid``: whole streams that this end understands. ``most``: bytes it may hold besides the portion fed last."""

    name: str
    open: Callable[[], Stream]
    valid: st.SearchStrategy[bytes]
    error: type[Exception]
    most: int


LIMIT = 2000


class _MilesightServer:
    def __init__(self) -> None:
        self._end = milesight.ServerConnection(max_message=LIMIT, attempts=1_000_000)

    def feed(self, data: bytes) -> list[object]:
        found: list[object] = []
        self._end.receive(data)
        while (message := self._end.next_message()) is not None:
            found.append(message)
            if isinstance(message, milesight.LoginRequest):
                self._end.accept()
            elif isinstance(message, milesight.BadLogin):
                self._end.reject("400")
        return found

    def held(self) -> int:
        return self._end.buffered


class _MilesightClient:
    def __init__(self) -> None:
        self._end = milesight.ClientConnection(max_message=LIMIT)
        self._end.log_in("a", "b")
        self._end.receive(milesight.encode_login_reply("200"))
        self._end.next_message()

    def feed(self, data: bytes) -> list[object]:
        self._end.receive(data)
        return list(self._end.messages())

    def held(self) -> int:
        return self._end.buffered


class _NeuralReader:
    def __init__(self) -> None:
        self._end = neural.MessageReader(LIMIT)

    def feed(self, data: bytes) -> list[object]:
        self._end.feed(data)
        return list(self._end.messages())

    def held(self) -> int:
        return self._end.buffered


class _NeuralTrigger:
    def __init__(self) -> None:
        self._end = neural.TriggerReader(b"TRIGGER")

    def feed(self, data: bytes) -> list[object]:
        return list(self._end.feed(data))

    def held(self) -> int:
        return self._end.buffered


class _Rtsp:
    def __init__(self) -> None:
        self._parser = rtsp.Parser(max_head=LIMIT, max_body=LIMIT, max_frame=LIMIT)

    def feed(self, data: bytes) -> list[object]:
        found: list[object] = []
        self._parser.feed(data)
        while (message := self._parser.next()) is not None:
            found.append(message)
        return found

    def held(self) -> int:
        return self._parser.buffered


class _MqttClient:
    def __init__(self) -> None:
        self._end = mqtt.Client(mqtt.Identity("a"), max_packet=LIMIT)
        self._end.connect()

    def feed(self, data: bytes) -> list[object]:
        self._end.receive(data)
        return list(self._end.events())

    def held(self) -> int:
        return self._end.buffered


_LOGIN = st.builds(milesight.encode_login_request, st.text(max_size=20), st.text(max_size=20))
_LATER = st.one_of(
    _LOGIN,
    st.builds(milesight.encode_registration, st.booleans(), st.booleans()),
    st.builds(milesight.encode_frame, st.integers(2, 0xFFFF), st.binary(max_size=50)),
)
_POST = st.builds(
    milesight.encode_recognition,
    METADATA,
    st.lists(st.binary(max_size=60), max_size=3).map(tuple),
    st.sampled_from(milesight.REVISIONS),
)

_RTSP = st.one_of(
    st.builds(
        rtsp.encode_request,
        st.builds(
            rtsp.Request,
            st.sampled_from(rtsp.METHODS),
            st.just("rtsp://h/main"),
            headers=st.just((("CSeq", "1"),)),
            body=st.binary(max_size=50),
        ),
    ),
    st.builds(
        rtsp.encode_response,
        st.builds(rtsp.Response, st.integers(100, 599), headers=st.just((("CSeq", "1"),)), body=st.binary(max_size=50)),
    ),
    st.builds(rtsp.encode_interleaved, st.integers(0, 255), st.binary(max_size=50)),
)


def _conversation(login: bytes, later: list[bytes]) -> bytes:
    return login + b"".join(later)


CASES = [
    StreamCase(
        "milesight server",
        _MilesightServer,
        st.builds(_conversation, _LOGIN, st.lists(_LATER, max_size=4)),
        milesight.ProtocolError,
        LIMIT + 10,
    ),
    StreamCase(
        "milesight client",
        _MilesightClient,
        st.lists(_POST, max_size=4).map(b"".join),
        milesight.ProtocolError,
        LIMIT + 10,
    ),
    StreamCase("mqtt client", _MqttClient, STREAMS, mqtt.MqttError, LIMIT),
    StreamCase(
        "neural reader",
        _NeuralReader,
        st.lists(st.builds(neural.encode, RECORD, STYLE), max_size=3).map(b"".join),
        neural.ProtocolError,
        LIMIT + 16,
    ),
    StreamCase(
        "neural trigger",
        _NeuralTrigger,
        st.lists(st.sampled_from([b"TRIGGER", b"TRIGGER\r\n", b"HELLO\n", b"\0"]), max_size=6).map(b"".join),
        ValueError,
        8,
    ),
    StreamCase("rtsp, both ends", _Rtsp, st.lists(_RTSP, max_size=4).map(b"".join), rtsp.ProtocolError, LIMIT + 4),
]
