"""The service as a camera over HTTP: one server, whose parts are ONVIF, Milesight's pull API, Pumatronix's addresses.

``server`` binds and bounds, ``calls`` says what a part is, ``entrance`` who may call. Each part has a file or folder.
"""

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute, Part
from lpr.actors.device_http.entrance import Refusal
from lpr.actors.device_http.server import DeviceHttp

__all__ = ["DeviceHttp", "DeviceRequest", "DeviceRoute", "Part", "Refusal"]
