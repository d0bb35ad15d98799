"""The fuzzer's targets take their own samples, and FTP's connections any bytes that hypothesis thinks of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.fuzz import ftp
from tools.fuzz.targets import TARGETS, Target


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_samples(target: Target) -> None:
    for seed in target.seeds:
        target.run(seed)


LINES = st.sampled_from([line for seed in ftp.CONNECTIONS for line in seed[1:].splitlines(keepends=True)]) | st.binary(
    max_size=20
)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 255), st.lists(LINES, max_size=12))
def test_ftp_survives_any_sequence_of_commands(how: int, lines: list[bytes]) -> None:
    ftp.connections(bytes((how,)) + b"".join(lines))


@pytest.mark.parametrize("sent", [b"no code\r\n", b"200 no end", b"211-one\r\ntwo\r\n", b"200 a\nb\r\n"])
def test_what_is_no_reply_is_found(sent: bytes) -> None:
    with pytest.raises(AssertionError):
        ftp.replies(sent)
