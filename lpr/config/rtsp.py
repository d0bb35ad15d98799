"""The RTSP server and the streams that it offers. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from lpr.config.base import Count, Name, NotNegative, Port, Positive, Section, Tls


class RtspStream(Section, frozen=True, kw_only=True):
    """One stream at ``rtsp://<host>:<port>/<name>``: a camera's picture, by choice its sound and its plate events.

    ``codec``: "auto" is H.264 where PyAV is installed, else MJPEG. ``width``, ``height``: pixels of the encoded
    picture, 0: as the other one demands, both 0: as the camera gives it; a picture is never made larger. ``rate``:
    frames a second at most, 0: as the camera gives them. ``bitrate`` counts for H.264 and H.265, ``quality`` for
    MJPEG. ``boxes``: the plates are burnt into the picture. ``audio``: only where the source has sound. ``metadata``:
    the form of the plate events: ONVIF's, Milesight's as its manual prints it, Milesight's events with ONVIF's spelling
    of the document, or both events in ONVIF's documents.
    """

    name: Name = "main"
    camera: Annotated[Name, Meta(description="none: the first camera")] | None = None
    codec: Literal["auto", "h264", "h265", "mjpeg"] = "auto"
    width: Annotated[int, Meta(ge=0, le=8192)] = 0
    height: Annotated[int, Meta(ge=0, le=8192)] = 0
    rate: Annotated[float, Meta(ge=0, le=120)] = 25.0
    bitrate: Annotated[int, Meta(ge=32, le=100_000, description="kbit/s")] = 4000
    quality: Annotated[int, Meta(ge=1, le=100)] = 75
    key_frame_interval: Annotated[float, Meta(gt=0, le=60, description="seconds between two key frames")] = 2.0
    boxes: bool = False
    audio: Literal["none", "pcmu", "aac"] = "none"
    metadata: Literal["onvif", "milesight", "milesight-standard", "both", "none"] = "onvif"


class Rtsp(Section, frozen=True, kw_only=True):
    """The RTSP server: NVRs and players fetch the streams here, with an account of ``[[accounts]]``.

    ``tls``: RTSPS at ``tls_port`` besides (or, with ``plain = false``, instead). ``udp_port``: the even port from
    which pictures go out by UDP, the next one is RTCP's; 0: any free pair. ``methods``: how passwords are asked for;
    Basic sends them readable, so it needs TLS or a network of one's own. ``guests``: nobody has to log in.

    ``session_timeout``: a viewer who says nothing for so long is gone. ``buffer``: bytes that may wait for one
    viewer; over it, everything up to the next key frame is left out for him. ``send_timeout``: a viewer who takes
    nothing for so long is dropped.
    """

    name: Name = "rtsp"
    host: str = "127.0.0.1"
    port: Port = 8554
    plain: bool = True
    tls: Tls | None = None
    tls_port: Port = 8322
    udp: bool = True
    udp_port: Port = 0
    methods: Annotated[tuple[Literal["digest-sha256", "digest-md5", "basic"], ...], Meta(min_length=1)] = (
        "digest-sha256",
        "digest-md5",
    )
    guests: bool = False
    streams: Annotated[tuple[RtspStream, ...], Meta(min_length=1, max_length=32)] = (RtspStream(),)
    max_clients: Count = 512
    max_clients_per_address: Count = 512
    max_head: Annotated[int, Meta(ge=512, description="bytes of a request's line and headers")] = 8192
    max_body: Annotated[int, Meta(ge=0, description="bytes of a request's body")] = 8192
    session_timeout: Annotated[float, Meta(ge=10, le=3600)] = 60.0
    login_timeout: Annotated[float, Meta(gt=0, description="by then a connection has logged in")] = 15.0
    request_timeout: Annotated[float, Meta(gt=0, description="by then a begun request is whole")] = 15.0
    idle_timeout: Annotated[float, Meta(gt=0, description="a connection that neither asks nor watches ends")] = 60.0
    send_timeout: Positive = 10.0
    buffer: Annotated[int, Meta(ge=65536, description="bytes waiting for one viewer")] = 2_097_152
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 20
    nonce_life: Annotated[float, Meta(gt=0, description="seconds that a Digest nonce is good for")] = 300.0
    report_every: Annotated[float, Meta(gt=0, description="seconds between two RTCP sender reports")] = 5.0
    start_wait: Annotated[NotNegative, Meta(description="seconds that PLAY waits for the stream's first frame")] = 2.0
