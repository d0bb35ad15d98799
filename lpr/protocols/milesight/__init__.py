"""Milesight's ways of telling an NVR about a passage: the TCP type, the HTTP type and the pull API.

Source: "Integration between LPR Camera and NVR(VMS)", Milesight, revisions 1.0 to 1.6; what the manual leaves open
and what is inferred stands in ``docs/protocols/milesight.md``. Everything here is sans-IO and pure.

``framing``     bytes <-> frames (signature, command, size, data, end), with explicit limits
``metadata``    the metadata chunk of each revision
``messages``    frames <-> log-in, reply, recognition, registration
``connection``  the two ends of a connection as state machines
``passage``     a passage as metadata, as JSON fields and as a GET address
``lastdata``    the latest passages as the pull API's answer
``countries``   ISO 3166-1 alpha-2 to alpha-3

May import ``lpr.events``, ``msgspec`` and the standard library.
"""

from lpr.protocols.milesight.connection import ClientConnection, ClientState, ServerConnection, ServerState
from lpr.protocols.milesight.framing import Frame, FrameParser, ProtocolError, encode_frame
from lpr.protocols.milesight.messages import (
    BadLogin,
    Ignored,
    LoginReply,
    LoginRequest,
    Recognition,
    Registration,
    encode_login_reply,
    encode_login_request,
    encode_recognition,
    encode_registration,
)
from lpr.protocols.milesight.metadata import REVISIONS, Metadata, Revision, decode_metadata, encode_metadata

__all__ = [
    "REVISIONS",
    "BadLogin",
    "ClientConnection",
    "ClientState",
    "Frame",
    "FrameParser",
    "Ignored",
    "LoginReply",
    "LoginRequest",
    "Metadata",
    "ProtocolError",
    "Recognition",
    "Registration",
    "Revision",
    "ServerConnection",
    "ServerState",
    "decode_metadata",
    "encode_frame",
    "encode_login_reply",
    "encode_login_request",
    "encode_metadata",
    "encode_recognition",
    "encode_registration",
]
