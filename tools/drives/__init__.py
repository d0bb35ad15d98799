"""Drives whose truth is known: short scenes of a road, seen as pictures or through a simulated engine.

``roads``: who drives where, by name and seed; ``pictures``: the same drawn by ``lpr.scene``, with blur and glare;
``noise``: what an engine of known faults would read of it, without a pixel; ``running``: the readings through gate and
voter, as the service does it; ``scores``: tracks and passages against the truth;
``accounts``: what became of each vehicle, for people. ``tools.evaluate_tracking`` joins
them, the tests of fusion and tracking use them. May import ``lpr.events``, ``lpr.core``, ``lpr.plates``,
``lpr.scene``, ``lpr.actors.voter``.
"""
