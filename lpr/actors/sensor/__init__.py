"""A camera's source of frames: opening, resuming, pacing, reconnecting, and saying so."""

from lpr.actors.sensor.sensor import Sensor

__all__ = ["Sensor"]
