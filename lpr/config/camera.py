"""The sources of frames and their triggers. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lpr.config.base import Name, Positive, Region, Section


class Trigger(Section, frozen=True, kw_only=True):
    """When a capture is taken (VTR600 manual: Image Capture Architecture, Motion Detector)."""

    kind: Literal["free-flow", "motion"] = "free-flow"
    rate: Annotated[float, Meta(gt=0, le=60, description="captures a second of the source's own time, at most")] = 8.0
    threshold: Annotated[float, Meta(ge=0, le=100, description="motion: variation between two images, 0-100")] = 8.0
    region: Region | None = None
    exposures: Annotated[int, Meta(ge=1, le=8, description="motion: sequential images of one capture")] = 1
    hold: Annotated[float, Meta(ge=0, le=60, description="motion: goes on capturing so long after the last motion")] = (
        1.0
    )


class Camera(Section, frozen=True, kw_only=True):
    """One source of frames.

    ``source``: "demo", a video file, a folder of images, "rtsp://…", "http://…" or a device ("/dev/video0").
    ``credentials_file``: a file with ``user:password`` for a URL, so that they stay out of this one.
    """

    name: Name = "camera"
    source: str = "demo"
    lane: Annotated[str, Meta(max_length=32)] = ""
    lane_number: Annotated[int, Meta(ge=0, le=4, description="Milesight's ROI id, 0 = unknown")] = 1
    trigger: Trigger = msgspec.field(default_factory=Trigger)
    credentials_file: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    fast: Annotated[bool, Meta(description="files: as quick as it goes instead of the file's own pace")] = False
    repeat: Annotated[bool, Meta(description="files and folders: begin again at the end")] = False
    image_interval: Annotated[float, Meta(gt=0, description="folder: seconds between two images")] = 1.0
    image_sequence: Annotated[bool, Meta(description="folder: the images follow each other like a video")] = False
    stall_after: Positive = 10.0
    retry_first: Positive = 1.0
    retry_max: Positive = 60.0
    report_every: Positive = 300.0
    max_width: Annotated[int, Meta(ge=64, le=16384)] = 8192
    max_height: Annotated[int, Meta(ge=64, le=16384)] = 8192
