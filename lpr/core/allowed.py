"""Which addresses may connect, for servers whose protocol has no log-in. Pure.

May import the standard library only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence


class AllowList:
    """``networks``: addresses ("192.168.1.20") and networks ("10.0.0.0/8", "fd00::/8"); none: this machine alone.

    Raises ValueError for a text that is neither.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def admits(self, address: str) -> bool:
        """Whether ``address`` (as a socket names its peer, perhaps with a zone) may connect."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if not self._networks:
            return found.is_loopback
        return any(found.version == network.version and found in network for network in self._networks)
