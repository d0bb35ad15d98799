"""Pictures, sound and metadata on their way to viewers: encoded once a stream, on demand, packetised once a frame.

``stream`` says what a server gets (``MediaStream``, ``Track``, ``Packets``); ``room`` (``MediaRoom``) has all of
them. Encoding runs in threads of its own, of lower priority than recognition. May import ``lpr.events``,
``lpr.config``, ``lpr.core``, ``lpr.vision`` and ``lpr.protocols``.
"""
