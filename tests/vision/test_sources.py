"""Addresses, readers of video and of folders, and the words in which they fail."""

from __future__ import annotations

import base64
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.vision.sources import (
    Guarded,
    Shot,
    SourceError,
    Wanted,
    demo_seed,
    is_recorded,
    kind_of,
    with_credentials,
    without_credentials,
)
from lpr.vision.stills import natural_key, open_folder
from lpr.vision.video import open_video
from tests.simulation.rig import drawn, number_of


def film(path: Path, frames: int = 40, rate: float = 12.5) -> Path:
    """A video whose frames show their numbers."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (160, 96))
    for index in range(frames):
        writer.write(drawn(index))
    writer.release()
    return path


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("demo", "demo"),
        ("demo:7", "demo"),
        ("rtsp://user:secret@10.0.0.1/live", "stream"),
        ("HTTP://camera/video.mjpg", "stream"),
        ("/dev/video0", "device"),
        ("road.mp4", "file"),
        ("photo.JPG", "folder"),
    ],
)
def test_the_kind_of_an_address(address: str, kind: str) -> None:
    assert kind_of(address) == kind
    assert is_recorded(address) == (kind in ("file", "folder"))


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SourceError, match="rtsp") as error:
        kind_of("gopher://me:secret@camera/1")
    assert "secret" not in str(error.value)
    assert demo_seed("demo:42") == 42


@given(
    user=st.text(alphabet=st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=10),
    password=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=10),
)
def test_credentials_go_in_and_never_come_out(user: str, password: str) -> None:
    address = "rtsp://camera:8554/live?channel=1"
    full = with_credentials(address, f"{user.replace(':', '')}x:{password}")
    assert full.count("@") == 1
    assert without_credentials(full) == address
    assert with_credentials(full, "other:one") == full


def test_secrets_in_a_query_are_masked() -> None:
    shown = without_credentials("http://cam/snap?user=a&password=geheim&token=abc&x=1")
    assert "geheim" not in shown and "abc" not in shown and "x=1" in shown


def test_a_video_gives_every_frame_its_number_and_time(tmp_path: Path) -> None:
    reader = open_video(str(film(tmp_path / "a.avi")))
    opening = reader.opening
    assert (opening.kind, opening.width, opening.height, opening.rate) == ("file", 160, 96, 12.5)
    shots = list(iter(reader.read, None))
    assert [shot.position for shot in shots] == list(range(40))
    assert [number_of(shot.image) for shot in shots if shot.image is not None] == list(range(40))
    assert [shot.offset for shot in shots] == [index * 80_000 for index in range(40)]


@pytest.mark.parametrize("position", [1, 17, 39])
def test_passing_over_frames_is_exact(tmp_path: Path, position: int) -> None:
    path = str(film(tmp_path / "a.avi"))
    reader = open_video(path)
    assert reader.skip(position) == position
    shot = reader.read()
    assert shot is not None and shot.image is not None
    assert (shot.position, number_of(shot.image), shot.offset) == (position, position, position * 80_000)
    assert open_video(path).skip(1000) == 40


def test_the_identity_of_a_file_is_its_content(tmp_path: Path) -> None:
    one = open_video(str(film(tmp_path / "a.avi"))).opening.content
    assert open_video(str(tmp_path / "a.avi")).opening.content == one
    assert open_video(str(film(tmp_path / "a.avi", frames=41))).opening.content != one


def test_what_cannot_be_opened_says_why_and_what_helps(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "none").mkdir()
    for address, said, final in (
        (tmp_path / "nowhere.mp4", "no such file", False),
        (tmp_path / "text.mp4", "ffprobe", True),
        (tmp_path / "empty.mp4", "empty", True),
        ("/dev/video99", "no such device", False),
    ):
        with pytest.raises(SourceError, match=said) as error:
            open_video(str(address))
        assert str(address) in str(error.value)
        assert error.value.final == final
    with pytest.raises(SourceError, match="no images"):
        open_folder(str(tmp_path / "none"))
    with pytest.raises(SourceError, match="no such file or folder"):
        open_folder(str(tmp_path / "missing"))


def test_a_camera_that_is_off_is_said_without_its_password() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match="can't be reached") as error:
        open_video(f"rtsp://admin:geheim@127.0.0.1:{port}/live", timeout=2.0)
    assert "geheim" not in str(error.value)
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ


def test_frames_over_the_limit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="max_width"):
        open_video(str(film(tmp_path / "a.avi")), max_size=(100, 100))


def test_a_file_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", frames=100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    shots = list(iter(open_video(str(path)).read, None))
    assert 20 < len(shots) < 100
    assert [shot.position for shot in shots] == list(range(len(shots)))


def test_a_folder_is_read_in_natural_order_and_bad_images_are_told(tmp_path: Path) -> None:
    for name, number in (("img10.png", 10), ("img2.png", 2), ("IMG1.png", 1)):
        cv2.imwrite(str(tmp_path / name), drawn(number))
    (tmp_path / "img3.jpg").write_bytes(b"\xff\xd8 no")
    cv2.imwrite(str(tmp_path / "img4.png"), np.zeros((300, 300, 3), np.uint8))
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    shots = list(iter(open_folder(str(tmp_path), interval=0.5, max_size=(200, 200)).read, None))
    assert [shot.offset for shot in shots] == [0, 500_000, 1_000_000, 1_500_000, 2_000_000]
    numbers = [None if shot.image is None else number_of(shot.image) for shot in shots]
    assert numbers == [1, 2, None, None, 10]
    assert "img3.jpg" in shots[2].problem and "img4.png" in shots[3].problem
    reader = open_folder(str(tmp_path))
    assert reader.skip(4) == 4
    last = reader.read()
    assert last is not None and last.position == 4 and reader.read() is None


def test_a_jpeg_larger_than_a_frame_comes_smaller_and_another_picture_is_told(tmp_path: Path) -> None:
    large = np.full((300, 400, 3), 90, np.uint8)
    for name in ("a.jpg", "b.png"):
        assert cv2.imwrite(str(tmp_path / name), large)
    first, second = iter(open_folder(str(tmp_path), max_size=(300, 300)).read, None)
    assert first.image is not None and first.image.shape == (150, 200, 3) and first.problem == ""
    assert second.image is None and "b.png: 400 x 300" in second.problem


def test_one_image_is_a_folder_of_one(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), drawn(3))
    assert len(list(iter(open_folder(str(tmp_path / "one.png")).read, None))) == 1


@given(st.lists(st.text(max_size=8), max_size=8))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert sorted(sorted(names), key=natural_key) == sorted(sorted(names, reverse=True), key=natural_key)


def test_a_reader_closed_while_it_is_read_is_closed_by_the_reading_thread(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), drawn(3))
    inner = open_folder(str(tmp_path))
    closed: list[str] = []

    class Watched:
        opening = inner.opening

        def skip(self, count: int) -> int:
            return inner.skip(count)

        def read(self, wanted: Wanted | None = None) -> Shot | None:
            guarded.close()
            closed.append("asked while reading")
            return inner.read(wanted)

        def close(self) -> None:
            closed.append("closed")

    guarded = Guarded(Watched())
    assert guarded.read() is not None
    assert closed == ["asked while reading", "closed"]
    assert guarded.read() is None


class Camera(BaseHTTPRequestHandler):
    """A camera that sends twenty JPEGs as ``multipart/x-mixed-replace`` to whoever knows the password."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"admin:ge:heim").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
        self.end_headers()
        for index in range(20):
            data = cv2.imencode(".jpg", drawn(index))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            self.wfile.write(head.encode() + data + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        return


def test_a_camera_over_http_with_a_password() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/video"
        reader = open_video(address, credentials="admin:ge:heim", timeout=10.0)
        assert reader.opening.kind == "stream" and "heim" not in reader.opening.address
        shots = list(iter(reader.read, None))
        reader.close()
        with pytest.raises(SourceError, match="the user and the password"):
            open_video(address, credentials="admin:wrong", timeout=10.0)
        server.shutdown()
    numbers = [number_of(shot.image) for shot in shots if shot.image is not None]
    assert numbers == sorted(set(numbers)) and len(numbers) >= 15
