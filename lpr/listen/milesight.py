"""A client of Milesight's TCP type that goes on whatever a message holds: what can't be decoded is reported.

anyio. May import this room and the codec.
"""

from __future__ import annotations

import anyio

from lpr.listen.milesight_report import FRAME, frame_report
from lpr.listen.report import Checks, Deviation, Report
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, NOT_LET_IN, ListenFailure, Target
from lpr.listen.wire import Wire, connected
from lpr.protocols.milesight import ProtocolError
from lpr.protocols.milesight.framing import LOGIN_REPLY, Frame, FrameParser
from lpr.protocols.milesight.messages import encode_login_request, encode_registration

PORT = 5000


async def milesight(target: Target, *, register: bool = False) -> Source:
    """Log in and report what comes. ``register``: also send the registration of later firmwares.

    Raises ListenFailure: not reached, not let in, no answer to the log-in, or broken frames (after reporting them).
    """
    parser = FrameParser(target.limits.message)
    async with connected(target) as wire:
        await wire.send(encode_login_request(target.user, target.password))
        let_in = False
        while True:
            frame, failed = await _next(wire, parser, target, let_in)
            if failed is not None:
                yield target.address, failed
                raise ListenFailure(f"{target.address}: {failed.deviations[0].found}", BROKEN)
            if frame is None:
                if not let_in:
                    raise ListenFailure(f"{target.address} closed the connection instead of answering", NOT_LET_IN)
                return
            report = frame_report(frame)
            if not let_in and frame.command != LOGIN_REPLY:
                report.deviations += _early(frame)
            yield target.address, report
            if frame.command == LOGIN_REPLY:
                result = report.fields["result"]
                if result != "200":
                    raise ListenFailure(
                        f"{target.address} does not let {target.user!r} in (result {result!r}); correct --user and"
                        " --password-file",
                        NOT_LET_IN,
                    )
                if register and not let_in:
                    await wire.send(encode_registration())
                let_in = True


def _early(frame: Frame) -> list[Deviation]:
    checks = Checks(FRAME)
    checks.add("order", f"command 0x{frame.command:04x} before the reply to the log-in", "the reply first")
    return checks.found


async def _next(wire: Wire, parser: FrameParser, target: Target, let_in: bool) -> tuple[Frame | None, Report | None]:
    """The next frame; neither when the camera closed; a report when what comes is no frame."""
    try:
        while (frame := parser.next_frame()) is None:
            if let_in:
                data = await wire.receive()
            else:
                try:
                    with anyio.fail_after(target.limits.connect):
                        data = await wire.receive()
                except TimeoutError:
                    raise ListenFailure(
                        f"{target.address} does not answer the log-in within {target.limits.connect:g} s; is that the"
                        " LPR port?",
                        BROKEN,
                    ) from None
            if not data:
                parser.end()
                return None, None
            parser.feed(data)
    except ProtocolError as error:
        checks = Checks(FRAME)
        checks.add("frame", str(error), "CC FF, command, size, data, FF DD")
        return None, Report("broken", {}, checks.found, counts=False)
    return frame, None
