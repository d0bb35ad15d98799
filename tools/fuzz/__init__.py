"""Fuzzing of what reads bytes from outside, by atheris (coverage-guided), some minutes at a time, outside CI.

``python -m tools.fuzz NAME [--seconds N] [--corpus FOLDER]``; what is found becomes a test. ``targets`` has one line
for each parser. atheris is not among the dependencies: ``pip install atheris``.
"""
