"""Which addresses a server without a log-in lets in."""

from __future__ import annotations

import pytest

from lpr.core.allowed import AllowList


@pytest.mark.parametrize(
    ("networks", "address", "admitted"),
    [
        ([], "127.0.0.1", True),
        ([], "127.9.9.9", True),
        ([], "::1", True),
        ([], "::ffff:127.0.0.1", True),
        ([], "192.168.1.20", False),
        ([], "", False),
        ([], "localhost", False),
        (["192.168.1.20"], "192.168.1.20", True),
        (["192.168.1.20"], "192.168.1.21", False),
        (["192.168.1.20"], "127.0.0.1", False),
        (["10.0.0.0/8", "fd00::/8"], "10.255.0.1", True),
        (["10.0.0.0/8", "fd00::/8"], "fd12::1%eth0", True),
        (["10.0.0.0/8", "fd00::/8"], "::ffff:10.0.0.1", True),
        (["10.0.0.0/8", "fd00::/8"], "11.0.0.1", False),
        (["0.0.0.0/0"], "8.8.8.8", True),
        (["0.0.0.0/0"], "2001:db8::1", False),
    ],
)
def test_who_is_let_in(networks: list[str], address: str, admitted: bool) -> None:
    assert AllowList(networks).admits(address) is admitted


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "gate", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|host bits"):
        AllowList([network])
