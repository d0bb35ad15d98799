"""Wire formats, sans-IO: bytes in, messages out; no clock, no socket, no randomness. An actor gives them a socket.

One folder (or file) a format, each with a page in ``docs/protocols`` that tells its source and what is unverified.
May import ``lpr.events`` and codec libraries; formats never import each other.
"""
