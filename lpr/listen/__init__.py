"""The other side of every protocol: connects to a camera as an NVR does, and says what comes and what departs from
the specification. It is for people who build cameras and NVRs; nothing here runs in the service.

``report``      one line of JSON: what came, every field, every deviation
``jpeg``        what a picture's bytes say
``target``      where, as whom, how long, how much
``wire``        connections with errors that a person can act on
``keep``        raw bytes and pictures into a folder
``session``     count, seconds, and the exit code

For each kind a pair: ``<kind>_report`` is pure (bytes to report), ``<kind>`` holds the socket: ``milesight``, ``http``,
``mqtt``, ``neural``, ``rtsp``, ``onvif``.

May import ``lpr.events``, ``lpr.core`` and ``lpr.protocols``. anyio; aiohttp in ``http`` and ``onvif`` alone.
"""
