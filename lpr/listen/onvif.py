"""A PullPoint client in the order in which NVRs ask: time, services, subscription, messages, renewal, good-bye.

aiohttp, so asyncio only. May import this room, ``lpr.core`` and the codecs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import aiohttp
import anyio
from yarl import URL

from lpr.core.clock import SECOND, Clock
from lpr.listen.onvif_report import (
    CLOCK_OFF,
    CORE,
    answer_checks,
    opening_report,
    pulled_reports,
    reach,
    times_checks,
)
from lpr.listen.report import Checks, Deviation, Report
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, NOT_LET_IN, UNREACHABLE, ListenFailure, Target
from lpr.listen.wire import why
from lpr.protocols.http_auth import Authenticator
from lpr.protocols.onvif import client as soap
from lpr.protocols.onvif.client import ACTIONS, AnswerError, RemoteFault, Signer, Subscription

PORT, TLS_PORT = 80, 443
PATH: Final = "/onvif/device_service"
LIFE = 60
"""Seconds for which we subscribe; renewed at half of it."""
PULL = 5
LIMIT = 100


class _Device:
    """Asks, signs, and says what is wrong with answers."""

    def __init__(self, target: Target, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._target = target
        self._session = session
        self._clock = clock
        self._signer = Signer(target.user, target.password) if target.user else None
        self._authenticator = Authenticator(target.user, target.password) if target.user else None
        self._tls = None if target.tls is None else target.tls.context()
        self.deviations: list[Deviation] = []

    def set_offset(self, seconds: float) -> None:
        """The camera's clock is so many seconds ahead of ours."""
        if self._signer is not None:
            self._signer = Signer(self._signer.user, self._signer.password, seconds)

    async def ask(
        self,
        address: str,
        body: Element,
        *,
        prefix: str,
        subscription: Subscription | None = None,
        anonymous: bool = False,
        patience: float = 0.0,
    ) -> Element:
        """The answer's body. Raises ListenFailure, RemoteFault. ``prefix``: of the operation's namespace."""
        name = body.tag.rpartition("}")[2]
        security: Element | None = None
        if self._signer is not None and not anonymous:
            security = self._signer.token(self._clock.random_bytes(16), self._clock.wall())
        unique = self._clock.random_bytes(16).hex()
        message = soap.request(
            body,
            security=security,
            action=ACTIONS.get(name, ""),
            to=address if name in ACTIONS else "",
            message_id=f"urn:uuid:{unique[:8]}-{unique[8:12]}-{unique[12:16]}-{unique[16:20]}-{unique[20:]}",
            parameters=subscription.parameters if subscription is not None else (),
        )
        status, kind, data = await self._post(address, message, ACTIONS.get(name, ""), patience)
        try:
            answer = soap.read_answer(data)
        except AnswerError as error:
            if status == 401:
                raise self._not_let_in(f"{name}: 401") from None
            raise ListenFailure(f"{address} answers {name} with {status} and {error}", BROKEN) from None
        except RemoteFault as fault:
            if fault.is_access or status == 401:
                raise self._not_let_in(f"{name}: {fault}") from None
            raise
        self.deviations += answer_checks(name, prefix, kind, answer)
        return answer

    def _not_let_in(self, text: str) -> ListenFailure:
        return ListenFailure(
            f"{self._target.address} does not let us in ({text}); correct --user and --password-file", NOT_LET_IN
        )

    async def _post(self, address: str, body: bytes, action: str, patience: float) -> tuple[int, str, bytes]:
        kind = "application/soap+xml; charset=utf-8"
        headers = {"Content-Type": f'{kind}; action="{action}"' if action else kind, "Accept-Encoding": "identity"}
        self._sign(headers, address)
        status, got, challenges, data = await self._once(address, body, headers, patience)
        if status == 401 and self._authenticator is not None and self._authenticator.challenged(challenges):
            self._sign(headers, address)
            status, got, _, data = await self._once(address, body, headers, patience)
        return status, got, data

    def _sign(self, headers: dict[str, str], address: str) -> None:
        if self._authenticator is not None:
            target = URL(address, encoded=True).raw_path_qs
            answer = self._authenticator.answer("POST", target, self._clock.random_bytes(16).hex())
            if answer is not None:
                headers["Authorization"] = answer

    async def _once(
        self, address: str, body: bytes, headers: dict[str, str], patience: float
    ) -> tuple[int, str, Sequence[str], bytes]:
        limit = self._target.limits.message
        place = URL(address, encoded=True)
        try:
            with anyio.fail_after(self._target.limits.connect + patience):
                async with self._session.post(
                    place, data=body, headers=headers, ssl=self._tls or True, allow_redirects=False
                ) as response:
                    data = bytearray()
                    async for portion in response.content.iter_chunked(65536):
                        data += portion
                        if len(data) > limit:
                            raise ListenFailure(f"{address}: an answer of more than {limit} bytes", BROKEN)
                    challenges = response.headers.getall("WWW-Authenticate", [])
                    return response.status, response.headers.get("Content-Type", ""), challenges, bytes(data)
        except TimeoutError:
            reason = f"no answer within {self._target.limits.connect + patience:g} s"
        except aiohttp.ClientConnectorCertificateError as error:
            reason = f"its certificate is not trusted ({error.certificate_error}); name the authority's with --ca-file"
        except aiohttp.ClientConnectorError as error:
            reason = why(error.os_error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ListenFailure(f"{address}: {str(error)[:200] or type(error).__name__}", BROKEN) from None
        raise ListenFailure(f"{address}: {reason}", UNREACHABLE)


async def onvif(target: Target, clock: Clock) -> Source:
    """Subscribe and report what comes; renewed while we listen, given up at the end.

    Raises ListenFailure: not reached, not let in, no events service, or a fault.
    """
    session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
    try:
        device = _Device(target, session, clock)
        subscription: Subscription | None = None
        try:
            opening, subscription = await _open(target, device, clock)
            yield target.address, opening
            ends = clock.mono() + LIFE * SECOND // 2
            while True:
                body = soap.pull_messages(PULL, LIMIT)
                answer = await device.ask(
                    subscription.address, body, prefix="tev", subscription=subscription, patience=PULL
                )
                wrong, reports = pulled_reports(answer, LIMIT)
                wrong, device.deviations = [*device.deviations, *wrong], []
                if wrong:
                    yield target.address, Report("answer", {"operation": "PullMessages"}, wrong, counts=False)
                for report in reports:
                    yield target.address, report
                if clock.mono() >= ends:
                    ends = clock.mono() + LIFE * SECOND // 2
                    body = soap.renew(LIFE)
                    await device.ask(subscription.address, body, prefix="wsnt", subscription=subscription)
        except RemoteFault as fault:
            raise ListenFailure(f"{target.address} refuses: {fault}", BROKEN) from None
        finally:
            if subscription is not None:
                with anyio.move_on_after(2.0, shield=True):
                    await _leave(device, subscription)
    finally:
        with anyio.CancelScope(shield=True):
            await session.close()


async def _open(target: Target, device: _Device, clock: Clock) -> tuple[Report, Subscription]:
    """Up to the subscription."""
    checks = Checks(CORE)
    scheme = "https" if target.tls is not None else "http"
    address = f"{scheme}://{target.address}{target.path or PATH}"
    fields: dict[str, object] = {"device": address}
    told = soap.device_time(await device.ask(address, soap.get_system_date_and_time(), prefix="tds", anonymous=True))
    if told is None:
        checks.add("UTCDateTime", "missing", "the device's time, by which tokens are made")
    else:
        offset = (told - clock.wall()) / SECOND
        fields["clock_offset_s"] = round(offset, 1)
        device.set_offset(offset)
        if abs(offset) > CLOCK_OFF:
            checks.add("UTCDateTime", f"{offset:+.0f} s from our clock", f"the right time within {CLOCK_OFF:g} s")
    try:
        services = await device.ask(address, soap.get_services(), prefix="tds")
    except RemoteFault as fault:
        checks.add("GetServices", str(fault), "every device has it")
        services = await device.ask(address, soap.get_capabilities(), prefix="tds")
    events = soap.event_address(services)
    if not events:
        raise ListenFailure(f"{target.address} names no events service", BROKEN)
    events = reach(events, target.host, target.port, checks, "XAddr")
    answer = await device.ask(events, soap.create_pull_point(LIFE), prefix="tev")
    try:
        found = soap.subscription(answer)
    except AnswerError as error:
        raise ListenFailure(f"{target.address}: {error}", BROKEN) from None
    times_checks(found.current, found.termination, checks)
    reached = reach(found.address, target.host, target.port, checks, "SubscriptionReference")
    subscription = Subscription(reached, found.parameters, found.current, found.termination)
    fields |= {"events": events, "subscription": found.address, "ends": found.termination}
    try:
        body = soap.set_synchronization_point()
        await device.ask(reached, body, prefix="tev", subscription=subscription)
    except RemoteFault as fault:
        checks.add("SetSynchronizationPoint", str(fault), "every pull point has it")
    deviations, device.deviations = [*device.deviations, *checks.found], []
    if urlsplit(reached).path != urlsplit(found.address).path:
        fields["reached"] = reached
    return opening_report(dict(fields), deviations), subscription


async def _leave(device: _Device, subscription: Subscription) -> None:
    try:
        await device.ask(subscription.address, soap.unsubscribe(), prefix="wsnt", subscription=subscription)
    except (ListenFailure, RemoteFault):
        return
