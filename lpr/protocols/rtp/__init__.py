"""RTP (RFC 3550) and the payload formats of pictures, sound and ONVIF's metadata, in both directions; sans-IO.

A file each: ``packet`` (the header), ``rtcp``, ``h264`` (RFC 6184), ``h265`` (RFC 7798), ``jpeg`` (RFC 2435), ``audio``
(PCMU of RFC 3551, AAC of RFC 3640), ``xml`` (ONVIF Streaming Specification, metadata), ``order`` (a receiver's sequence
numbers). What packs gives payloads, what unpacks takes packets and gives frames; docs/protocols/rtp.md says what of it
was seen working with whom. May import the standard library only.
"""
