"""The VTR600's signed JPEG: marker segments, the comment's ``key=value;`` text, the signature and its keys.

Modules of this folder may import each other; nothing else of ours but ``lpr.events`` (value types). Sans-IO: bytes in,
bytes and verdicts out. See ``docs/protocols/vtr600-jpeg.md`` for sources and for what is unverified.
"""
