"""Metadata, messages: the manual's examples byte for byte, round trips of every revision, hostile content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.protocols.milesight import (
    BadLogin,
    Frame,
    FrameParser,
    Ignored,
    LoginReply,
    LoginRequest,
    Metadata,
    ProtocolError,
    Recognition,
    Registration,
    Revision,
    decode_metadata,
    encode_frame,
    encode_login_reply,
    encode_login_request,
    encode_metadata,
    encode_recognition,
    encode_registration,
)
from lpr.protocols.milesight.framing import LOGIN_REQUEST, RECOGNITION
from lpr.protocols.milesight.messages import decode_at_client, decode_at_server, decode_recognition
from tests.protocols.milesight.samples import METADATA, REVISION, golden

SIZES = {"1.0": 45, "1.1": 46, "1.2": 79, "1.3": 86, "1.4": 87, "1.5": 104, "1.6": 116}
GUID = bytes.fromhex("04f912bbce94654089afe83cd88f70be")
MANUAL = Metadata(
    guid=GUID,
    time_ms=1525867890000,
    plate="AB1234",
    number="부산 01가 1234",
    vehicle_colour=1,
    plate_colour=1,
    speed=100,
    images=2,
    region="WOB/ZK",
    roi=1,
    vehicle=1,
    plate_type=3,
    distance=30,
    azimuth=3.5,
    vehicles=50,
    width=1280,
    height=720,
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100")
IMAGES = (JPEG + bytes.fromhex("01ffd9"), JPEG + bytes.fromhex("011122334455667788ffd9"))


def frame_of(data: bytes) -> Frame:
    parser = FrameParser(1 << 20)
    parser.feed(data)
    frame = parser.next_frame()
    assert frame is not None
    parser.end()
    return frame


def test_the_manuals_recognition() -> None:
    data = golden("recognition-1.6")
    assert encode_recognition(MANUAL, IMAGES, "1.6") == data
    message = decode_at_client(frame_of(data))
    assert message == Recognition(replace(MANUAL, number="부산 01가 123"), IMAGES)
    assert int.from_bytes(data[32:40], "little") == 0x16344D04550 == 1525867890000


def test_the_manuals_login() -> None:
    assert encode_login_request("admin", "1234") == golden("login-request")
    assert encode_login_reply("200") == golden("login-reply")
    assert decode_at_server(frame_of(golden("login-request"))) == LoginRequest(user="admin", password="1234")
    assert decode_at_client(frame_of(golden("login-reply"))) == LoginReply(result="200")


def test_a_password_is_not_shown() -> None:
    assert "1234" not in repr(LoginRequest(user="admin", password="1234"))


@pytest.mark.parametrize(("revision", "size"), SIZES.items())
def test_sizes_of_the_revisions(revision: Revision, size: int) -> None:
    assert len(encode_metadata(MANUAL, revision)) == size


def test_a_korean_plate_is_whole_in_the_new_field_and_cut_in_the_old_one() -> None:
    found = decode_metadata(encode_metadata(replace(MANUAL, plate="부산 02가 1234", number=None), "1.3"))
    assert (found.plate, found.number) == ("부산 02가 1234", "부산 02가 123")
    cut_inside = replace(MANUAL, number="가나다라마바")  # the 16th byte is the first of a character of three
    assert decode_metadata(encode_metadata(cut_inside, "1.0")).plate == "가나다라마"


@given(METADATA, REVISION)
def test_every_revision_is_a_prefix_that_reads_back(metadata: Metadata, revision: Revision) -> None:
    data = encode_metadata(metadata, revision)
    assert encode_metadata(metadata, "1.6").startswith(data)
    found = decode_metadata(data)
    if revision == "1.6":
        assert found == metadata
    assert (found.guid, found.time_ms, found.number) == (metadata.guid, metadata.time_ms, metadata.number)
    assert found.plate == (metadata.plate if revision >= "1.3" else metadata.number)
    assert found.region == (metadata.region if revision >= "1.2" else "")
    assert found.vehicles == (metadata.vehicles if revision >= "1.5" else 0)
    assert decode_metadata(encode_metadata(found, revision)) == found


@given(METADATA, REVISION, st.binary(min_size=1, max_size=30))
def test_a_later_revisions_bytes_are_kept_or_understood_never_fatal(
    metadata: Metadata, revision: Revision, more: bytes
) -> None:
    data = encode_metadata(metadata, revision) + more
    try:
        found = decode_metadata(data)
    except ProtocolError as error:
        assert error.offence == "bad metadata"
        assert revision == "1.2"  # the byte that follows is a plate's length there
        return
    assert data.endswith(found.rest)


@given(st.binary(max_size=200))
def test_random_metadata_raises_only_the_protocols_error(data: bytes) -> None:
    try:
        decode_metadata(data)
    except ProtocolError as error:
        assert error.offence == "bad metadata"


@given(METADATA, REVISION, st.lists(st.binary(max_size=50), max_size=4))
def test_recognitions_read_back(metadata: Metadata, revision: Revision, images: list[bytes]) -> None:
    frame = frame_of(encode_recognition(metadata, tuple(images), revision))
    assert frame.command == RECOGNITION
    found = decode_recognition(frame.data)
    assert found.images == tuple(images)
    assert found.metadata.images == len(images)
    assert found.others == ()


def test_chunks_of_unknown_ids_are_kept_and_the_order_is_free() -> None:
    meta = encode_metadata(MANUAL, "1.6")
    data = (
        bytes.fromhex("22ff0000 01000000 aa 33ff0000 02000000 bbcc 11ff0000") + len(meta).to_bytes(4, "little") + meta
    )
    found = decode_recognition(data)
    assert (found.images, found.others) == ((b"\xaa",), ((b"\x33\xff\x00\x00", b"\xbb\xcc"),))


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "missing"),
        (b"\x11\xff", "2 bytes are no chunk header"),
        (bytes.fromhex("22ff0000 ffffffff") + bytes(10), "4294967295 bytes announced, 10 are there"),
        (bytes.fromhex("22ff0000 00000000"), "missing"),
        (bytes.fromhex("11ff0000 2d000000") + bytes(45) + bytes.fromhex("11ff0000 2d000000") + bytes(45), "twice"),
    ],
)
def test_broken_chunks_are_named(data: bytes, detail: str) -> None:
    with pytest.raises(ProtocolError, match=detail) as caught:
        decode_recognition(data)
    assert caught.value.offence == "bad chunk"


@given(st.binary(max_size=300))
def test_random_chunks_raise_only_the_protocols_error(data: bytes) -> None:
    try:
        decode_recognition(data)
    except ProtocolError as error:
        assert error.offence in ("bad chunk", "bad metadata")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"id":"admin"}',
        b'{"id":"admin","password":1234}',
        b'{"id":["admin"],"password":"x"}',
        b'{"id":"admin","password":null}',
        b'{"id":"\xff","password":"x"}',
        b'{"id":"admin","password":"x"',
        b"[" * 4000,
        b'{"a":' * 800,
        b'{"id":"' + b"a" * 4000,
    ],
)
def test_a_login_that_is_none(content: bytes) -> None:
    message = decode_at_server(frame_of(encode_frame(LOGIN_REQUEST, content)))
    assert isinstance(message, BadLogin)
    assert len(message.problem) < 250


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_and_password_read_back(user: str, password: str) -> None:
    message = decode_at_server(frame_of(encode_login_request(user, password)))
    assert message == LoginRequest(user=user, password=password)


def test_logins_as_real_clients_may_write_them() -> None:
    wanted = LoginRequest(user="admin", password="1234")
    for content in (
        b'\xef\xbb\xbf{"id":"admin","password":"1234"}',
        b'{\r\n "id" : "admin", "password" : "1234", "more": [1, {}]\r\n}\r\n\0',
    ):
        assert decode_at_server(frame_of(encode_frame(LOGIN_REQUEST, content))) == wanted


@given(st.integers(0, 0xFFFF), st.binary(max_size=100))
def test_nothing_a_client_sends_raises(command: int, data: bytes) -> None:
    decode_at_server(Frame(command, data))


@given(st.integers(0, 0xFFFF), st.binary(max_size=100))
def test_what_a_camera_sends_raises_only_the_protocols_error(command: int, data: bytes) -> None:
    try:
        decode_at_client(Frame(command, data))
    except ProtocolError as error:
        assert error.offence in ("bad json", "bad chunk", "bad metadata")


def test_registrations_of_later_firmwares() -> None:
    everything = Registration(everything=True)
    assert decode_at_server(frame_of(encode_registration())) == everything
    assert decode_at_server(Frame(0x0005, b'{"registerAll":1}')) == everything
    counting = decode_at_server(Frame(0x0005, b'{"registerAll":0,"vehiclecount":1}'))
    assert counting == Registration(everything=False, vehicle_count=True, features=("vehiclecount",))
    assert decode_at_server(Frame(0x0005, b'{"other":1}')) == Ignored(0x0005, 11)


@pytest.mark.parametrize(
    ("data", "everything", "features"),
    [
        (b'{"registerAll":0,"lprparking":1,"vehiclecount":0}', False, ("lprparking",)),
        (b'{"registerAll":"1","vehiclecount":"1"}', True, ("vehiclecount",)),
        (b'{"registerAll":true,"new":true,"old":false,"name":"x","more":[1]}', True, ("new",)),
        (b'{"registerAll":0}', False, ()),
    ],
)
def test_registrations_as_clients_may_write_them(data: bytes, everything: bool, features: tuple[str, ...]) -> None:
    found = decode_at_server(Frame(0x0005, data))
    assert isinstance(found, Registration)
    assert (found.everything, found.features) == (everything, features)
    assert found.vehicle_count is ("vehiclecount" in features)


@pytest.mark.parametrize("data", [b'{"registerAll":"yes"}', b'{"registerAll":[]}', b"[1]", b'{"vehiclecount":1}'])
def test_what_is_no_registration(data: bytes) -> None:
    assert decode_at_server(Frame(0x0005, data)) == Ignored(0x0005, len(data))


def test_a_registration_for_very_much_is_kept_in_part() -> None:
    data = b'{"registerAll":0,' + b",".join(b'"%d%s":1' % (number, b"x" * 100) for number in range(100)) + b"}"
    found = decode_at_server(Frame(0x0005, data))
    assert isinstance(found, Registration)
    assert len(found.features) == 32
    assert all(len(feature) <= 64 for feature in found.features)


@pytest.mark.parametrize(
    "change", [{"speed": 65536}, {"roi": -1}, {"guid": b"short"}, {"plate": "a" * 256}, {"confidence": 1e300}]
)
def test_values_that_do_not_fit_are_the_callers_fault(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"fit|GUID"):
        encode_metadata(replace(MANUAL, **change), "1.6")
