"""HTTP authentication, sans-IO: ``answer`` for clients, ``challenge`` for servers, ``digest`` for both."""

from lpr.protocols.http_auth.answer import Authenticator, Challenge, basic, digest, parse_challenges
from lpr.protocols.http_auth.challenge import METHODS, Challenger, Method, Verdict

__all__ = [
    "METHODS",
    "Authenticator",
    "Challenge",
    "Challenger",
    "Method",
    "Verdict",
    "basic",
    "digest",
    "parse_challenges",
]
