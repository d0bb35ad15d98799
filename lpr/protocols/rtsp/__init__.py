"""RTSP 1.0 (RFC 2326), the signalling: requests, answers and ``$`` frames mixed in one stream of bytes; sans-IO.

A file each: ``messages`` (values and their bytes), ``parser`` (bytes into messages, both directions), ``transport``
(the Transport header), ``session`` (the state machine, and the headers Session, Range, RTP-Info), ``sdp`` (the answer
to DESCRIBE, addresses), ``tunnel`` (RTSP through HTTP). A client takes ``Parser`` and ``encode_request``. What of it
was seen working with whom: docs/protocols/rtsp.md. May import the standard library only.
"""

from lpr.protocols.rtsp.messages import (
    METHODS,
    RECORDING,
    Headers,
    Interleaved,
    Message,
    ProtocolError,
    Request,
    Response,
    encode_interleaved,
    encode_request,
    encode_response,
)
from lpr.protocols.rtsp.parser import Parser
from lpr.protocols.rtsp.sdp import base_of, control_of, describe, split_address
from lpr.protocols.rtsp.session import (
    Refused,
    Session,
    State,
    format_range,
    format_rtp_info,
    format_session,
    parse_session,
)
from lpr.protocols.rtsp.transport import Channels, Choice, Offer, Ports, choose, format_transport, parse_transport
from lpr.protocols.rtsp.tunnel import TUNNELLED, Decoder, Tunnels, http_refusal, opening, tunnel_cookie

__all__ = [
    "METHODS",
    "RECORDING",
    "TUNNELLED",
    "Channels",
    "Choice",
    "Decoder",
    "Headers",
    "Interleaved",
    "Message",
    "Offer",
    "Parser",
    "Ports",
    "ProtocolError",
    "Refused",
    "Request",
    "Response",
    "Session",
    "State",
    "Tunnels",
    "base_of",
    "choose",
    "control_of",
    "describe",
    "encode_interleaved",
    "encode_request",
    "encode_response",
    "format_range",
    "format_rtp_info",
    "format_session",
    "format_transport",
    "http_refusal",
    "opening",
    "parse_session",
    "parse_transport",
    "split_address",
    "tunnel_cookie",
]
