"""Captures in, readings out: the engine in its thread, the gate before the log, the pictures beside it."""

from lpr.actors.engine.engine import EngineActor
from lpr.actors.engine.shared import SharedEngine

__all__ = ["EngineActor", "SharedEngine"]
