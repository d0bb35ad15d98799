"""Which sinks and servers run beside the cameras, and what each is given: a file a protocol.

``Tools`` is what they have in common; ``nvr_side`` puts all together. ``lpr.service`` runs what is returned here.
"""

from __future__ import annotations

from collections.abc import Sequence

from lpr.core.actor import Source
from lpr.wiring.device_http import device_http
from lpr.wiring.files import file_servers
from lpr.wiring.live import live_room, rtsp_servers
from lpr.wiring.mqtt import brokers
from lpr.wiring.neural import neural_servers, receivers
from lpr.wiring.tools import NVR_ACCOUNT, EveryLogin, Tools, accounts_of, secrets_of

__all__ = [
    "NVR_ACCOUNT",
    "EveryLogin",
    "Tools",
    "accounts_of",
    "brokers",
    "nvr_side",
    "receivers",
    "secrets_of",
]


def nvr_side(tools: Tools) -> Sequence[Source]:
    """Every server that machines connect to, as configured."""
    live = live_room(tools)
    rtsp = rtsp_servers(tools, live)
    return (*live, *rtsp, *device_http(tools, live, rtsp), *neural_servers(tools), *file_servers(tools))
