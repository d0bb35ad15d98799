"""Captures in, readings out: the engine in its thread, the gate before the log, the pictures beside it."""

from lpr.actors.engine.engine import EngineActor

__all__ = ["EngineActor"]
