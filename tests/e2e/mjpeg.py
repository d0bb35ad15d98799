"""A camera for tests: Motion JPEG over HTTP that sends numbered frames, stalls, changes its size or hangs up."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests.e2e.numbered import HEIGHT, RATE, WIDTH, drawn

_PART = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"


class MotionJpeg(ThreadingHTTPServer):
    """``sends``: cleared, it says nothing; ``size``: of the frames; ``hangs_up``: set, each connection ends.

    The numbers go on over all connections, ``RATE`` frames a second.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sends = threading.Event()
        self.sends.set()
        self.hangs_up = threading.Event()
        self.over = threading.Event()
        self.size: tuple[int, int] = (WIDTH, HEIGHT)
        self.number = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/live.mjpg"


class _Handler(BaseHTTPRequestHandler):
    server: MotionJpeg  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        camera = self.server
        camera.connections += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            while not camera.over.wait(1.0 / RATE):
                if camera.hangs_up.is_set():
                    camera.hangs_up.clear()
                    return
                if camera.sends.is_set():
                    data = cv2.imencode(".jpg", drawn(camera.number, *camera.size))[1].tobytes()
                    self.wfile.write(_PART % (len(data), data))
                    camera.number += 1
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def motion_jpeg() -> Generator[MotionJpeg]:
    """A camera that is on."""
    camera = MotionJpeg()
    thread = threading.Thread(target=camera.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.over.set()
        camera.shutdown()
        camera.server_close()
        thread.join()
