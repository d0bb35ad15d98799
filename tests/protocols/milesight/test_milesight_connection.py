"""Both ends of a connection, talking to each other and to nonsense; no socket, no clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.milesight import (
    BadLogin,
    ClientConnection,
    ClientState,
    Ignored,
    LoginReply,
    LoginRequest,
    ProtocolError,
    Recognition,
    Registration,
    ServerConnection,
    ServerState,
    encode_frame,
    encode_login_reply,
    encode_login_request,
    encode_recognition,
    encode_registration,
)
from lpr.protocols.milesight.connection import StateError
from tests.protocols.milesight.test_milesight_messages import MANUAL


def logged_in() -> tuple[ServerConnection, ClientConnection]:
    server, client = ServerConnection(), ClientConnection()
    server.receive(client.log_in("admin", "1234"))
    assert server.next_message() == LoginRequest(user="admin", password="1234")
    client.receive(server.accept())
    assert client.next_message() == LoginReply(result="200")
    return server, client


def test_a_whole_conversation() -> None:
    server, client = logged_in()
    assert (server.state, client.state) == (ServerState.ACTIVE, ClientState.ACTIVE)
    server.receive(client.register())
    assert server.next_message() == Registration(everything=True)
    assert server.registration == Registration(everything=True)
    post = encode_recognition(MANUAL, (b"jpeg",), "1.6")
    client.receive(post + post)
    assert [type(message) for message in client.messages()] == [Recognition, Recognition]
    client.receive(b"")
    server.receive(b"")
    assert (server.state, client.state) == (ServerState.CLOSED, ClientState.CLOSED)
    assert server.next_message() is None
    assert client.next_message() is None


def test_wrong_logins_until_the_last_attempt() -> None:
    server, client = ServerConnection(attempts=2), ClientConnection()
    for state in (ServerState.AWAITING_LOGIN, ServerState.CLOSED):
        server.receive(client.log_in("admin", "wrong"))
        assert isinstance(server.next_message(), LoginRequest)
        client.receive(server.reject())
        assert client.next_message() == LoginReply(result="401")
        assert client.state is ClientState.REJECTED
        assert server.state is state


def test_a_login_that_is_no_json_can_be_answered() -> None:
    server = ServerConnection()
    server.receive(encode_frame(1, b"{"))
    assert isinstance(server.next_message(), BadLogin)
    assert server.reject("400") == encode_login_reply("400")


def test_nothing_but_a_login_comes_first() -> None:
    for data in (encode_frame(2, b"{}"), encode_registration(), encode_frame(0x8801, b"")):
        server = ServerConnection()
        server.receive(data)
        with pytest.raises(ProtocolError, match="before the log-in"):
            server.next_message()
        assert server.state is ServerState.CLOSED


def test_messages_wait_while_a_login_is_checked() -> None:
    server = ServerConnection()
    server.receive(encode_login_request("a", "b") + encode_registration())
    assert isinstance(server.next_message(), LoginRequest)
    assert server.next_message() is None
    server.accept()
    assert isinstance(server.next_message(), Registration)


def test_another_login_later_may_be_right_but_not_wrong() -> None:
    server, _ = logged_in()
    server.receive(encode_login_request("admin", "1234") * 2)
    assert isinstance(server.next_message(), LoginRequest)
    server.accept()
    assert server.state is ServerState.ACTIVE
    assert isinstance(server.next_message(), LoginRequest)
    server.reject()
    assert server.state is ServerState.CLOSED


def test_unknown_commands_after_the_login_are_passed_over() -> None:
    server, _ = logged_in()
    server.receive(encode_frame(0x0001, b"not json") + encode_frame(0x1234, b"abc"))
    assert server.next_message() == Ignored(1, 8)
    assert server.next_message() == Ignored(0x1234, 3)
    assert server.state is ServerState.ACTIVE


def test_a_client_wants_the_reply_first_and_once() -> None:
    for data in (encode_recognition(MANUAL, (), "1.6"), encode_login_reply("200")):
        client = ClientConnection()
        client.receive(data)
        with pytest.raises(ProtocolError, match="unexpected command"):
            client.next_message()
        assert client.state is ClientState.CLOSED


def test_answers_outside_their_state_are_the_callers_fault() -> None:
    server, client = ServerConnection(), ClientConnection()
    for wrong in (server.accept, server.reject, client.register):
        with pytest.raises(StateError):
            wrong()
    client.log_in("a", "b")
    with pytest.raises(StateError):
        client.log_in("a", "b")


def test_a_message_over_the_limit_is_refused_by_each_role() -> None:
    server, client = ServerConnection(max_message=64), ClientConnection(max_message=64)
    client.log_in("a", "b")
    for end in (server, client):
        end.receive(bytes.fromhex("ccff 0100 43000000"))
        with pytest.raises(ProtocolError, match="too long"):
            end.next_message()
        assert end.buffered == 0


@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
def test_random_bytes_at_either_end(portions: list[bytes], active: bool) -> None:
    server, client = logged_in() if active else (ServerConnection(), ClientConnection())
    for end in (server, client):
        try:
            for portion in portions:
                end.receive(portion)
                while end.next_message() is not None:
                    pass
        except ProtocolError:
            assert end.next_message() is None
        assert end.buffered <= 4096 + 70


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_byte_is_understood_or_refused(at: int, value: int) -> None:
    _, client = logged_in()
    data = bytearray(encode_recognition(MANUAL, (b"\xff\xd8jpeg\xff\xd9",) * 3, "1.6"))
    data[at % len(data)] = value
    try:
        client.receive(bytes(data))
        for message in client.messages():
            assert isinstance(message, Recognition | Ignored | LoginReply)
        client.receive(b"")
    except ProtocolError:
        assert client.state is ClientState.CLOSED
