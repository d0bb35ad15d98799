"""The operations of ONVIF's events service: who subscribes, asks, renews, ends.

A question for events (PullMessages) waits on the loop until there is one or its time is up. A second question to the
same pull point answers the first one at once, without events: the client has given that one up (its connection broke),
and a refusal would leave it without events until the old question's time is up. Events are not given to a connection
that is closed; they wait for the next question.

A ``Service`` for ``lpr.protocols.onvif``'s table; also a part of the device's HTTP server, for what it does beside.
May import anyio, ``lpr.config``, ``lpr.core``, ``lpr.events``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import anyio

from lpr.actors.device_http.calls import DeviceRoute
from lpr.actors.device_http.onvif_events import answers
from lpr.actors.device_http.onvif_events.brokers import Broker, listed
from lpr.actors.device_http.onvif_events.notify import GivenUp, NotAllowed, Notifier
from lpr.config import OnvifEvents as Settings
from lpr.core.admission import RateTable
from lpr.core.chronicle import Chronicle
from lpr.core.clock import SECOND, Clock
from lpr.core.pipeline import Emit
from lpr.events import ClientLeft, Micros
from lpr.protocols.onvif.names import NAMESPACES, q, split
from lpr.protocols.onvif.operations import Call, Operation, Reply, Service
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words
from lpr.protocols.onvif_events import (
    CONCRETE_SET,
    ITEM_FILTER,
    Filter,
    FilterError,
    Item,
    Kind,
    Limits,
    Message,
    Subscription,
    Subscriptions,
    TimeError,
    TooManySubscriptions,
    UnknownSubscription,
    content_filter,
    lifetime,
    parse_duration,
    topic_filter,
)
from lpr.protocols.onvif_events.filters import topic_of
from lpr.protocols.onvif_metadata import (
    CONFIGURATION_TOPIC,
    MOTION_TOPIC,
    PLATE_TOPIC,
    VEHICLE_TOPIC,
    Notification,
    configuration_notification,
)
from lpr.protocols.onvif_metadata.markup import utc

PATH = "/onvif/events"
"""Where the service is; a subscription is one level below."""
SERVER = "onvif_events"
"""Its name in the log."""
TOLD = 20
"""Subscribers given up in a minute that are told one by one."""
LONGEST_ID = 64
BROKERS = "MQTT brokers are those of the configuration file"
WSNT = NAMESPACES["wsnt"]


class EventFeed(Protocol):
    """Where events come from; ``lpr.media.plate_metadata.PlateMetadata`` fits."""

    def attach(self, listener: Callable[[str, Notification], None]) -> None:
        """Tell ``listener`` every event from now on."""
        ...

    def detach(self, listener: Callable[[str, Notification], None]) -> None:
        """Tell it nothing more."""
        ...

    def properties(self) -> list[Notification]:
        """The properties as they are."""
        ...


@dataclass(slots=True)
class _Question:
    """A PullMessages that waits. ``given_up``: a later one is there."""

    rung: anyio.Event = field(default_factory=anyio.Event)
    given_up: bool = False


class EventsService:
    """``path``: where the service is mounted. ``brokers``: who gets the events by MQTT. ``emit``: the log, which is
    told of subscribers that are given up."""

    def __init__(
        self,
        settings: Settings,
        feed: EventFeed,
        clock: Clock,
        path: str = PATH,
        brokers: Sequence[Broker] = (),
        emit: Emit | None = None,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._clock = clock
        self._path = path
        self._brokers = tuple(brokers)
        self._chronicle = None if emit is None else Chronicle(SERVER, emit, clock)
        self._told = RateTable(TOLD)
        told = ((PLATE_TOPIC, True), (VEHICLE_TOPIC, settings.vehicles), (MOTION_TOPIC, settings.motion))
        self._topics = (*(topic for topic, wanted in told if wanted), CONFIGURATION_TOPIC)
        self._offered = tuple(topic_of(topic) for topic in self._topics)
        notify = settings.notify
        limits = Limits(
            pulls=settings.max_pull_points,
            pushes=0 if notify is None else notify.max_subscriptions,
            queue=settings.queue,
            idle=settings.idle,
        )
        self._subscriptions = Subscriptions[Notification](limits)
        self._questions: dict[str, _Question] = {}
        self._notifier = None if notify is None else Notifier(notify, clock, self._ended)
        self._changed = anyio.Event()

    # --- as a service and a part -------------------------------------------------------------------------

    def service(self) -> Service:
        """For the table of operations."""
        return Service(
            "tev",
            self._path,
            (
                Operation("GetServiceCapabilities", "PRE_AUTH", self._capabilities),
                Operation("GetEventProperties", "READ_MEDIA", self._properties),
                Operation("CreatePullPointSubscription", "READ_MEDIA", self._create),
                Operation("PullMessages", "READ_MEDIA", self._pull),
                Operation("SetSynchronizationPoint", "READ_MEDIA", self._synchronize),
                Operation("Seek", "READ_MEDIA", None, "events are not stored for pull points"),
                Operation("GetEventBrokers", "READ_SYSTEM_SENSITIVE", self._told_brokers),
                Operation("AddEventBroker", "WRITE_SYSTEM", None, BROKERS),
                Operation("DeleteEventBroker", "WRITE_SYSTEM", None, BROKERS),
                Operation("wsnt:Subscribe", "READ_MEDIA", self._subscribe),
                Operation("wsnt:Renew", "READ_MEDIA", self._renew),
                Operation("wsnt:Unsubscribe", "READ_MEDIA", self._unsubscribe),
            ),
            capabilities=lambda: answers.capabilities(self._settings, self._brokers),
            also=("wsnt",),
        )

    def routes(self) -> tuple[DeviceRoute, ...]:
        """None of its own: ONVIF's part hands the calls over."""
        return ()

    async def run(self) -> None:
        """Takes events in, ends subscriptions, has notifications sent; until cancelled."""
        self._feed.attach(self._happened)
        try:
            async with anyio.create_task_group() as tasks:
                if self._notifier is not None:
                    tasks.start_soon(self._notifier.run)
                if self._chronicle is not None:
                    tasks.start_soon(self._chronicle.run)
                await self._expire()
        finally:
            self._feed.detach(self._happened)

    @property
    def subscribers(self) -> int:
        """Subscriptions now."""
        return len(self._subscriptions)

    # --- events -------------------------------------------------------------------------------------------

    def _happened(self, camera: str, notification: Notification) -> None:
        del camera
        if notification.topic not in self._topics:
            return
        self._publish(notification)

    def configured(self, token: str, kind: str) -> None:
        """A configuration of the media services is another now; ``kind``: "VideoEncoder"."""
        self._publish(configuration_notification(token, kind, self._clock.wall()))

    def _publish(self, notification: Notification) -> None:
        for subscription in self._subscriptions.publish(_message(notification)):
            self._ring(subscription)

    def _ring(self, subscription: Subscription[Notification]) -> None:
        if subscription.kind == "push" and self._notifier is not None:
            self._notifier.send(subscription.id, self._subscriptions.take(subscription, len(subscription.waiting)))
        elif (question := self._questions.get(subscription.id)) is not None:
            question.rung.set()

    def _present(self) -> list[Message[Notification]]:
        return [_message(one) for one in self._feed.properties() if one.topic in self._topics]

    async def _expire(self) -> None:
        while True:
            self._changed = anyio.Event()
            due = self._subscriptions.due
            if due is None:
                await self._changed.wait()
                continue
            await self._clock.sleep(min(max((due - self._clock.mono()) / SECOND, 0.01), 5.0))
            for gone in self._subscriptions.expire(self._clock.mono()):
                if self._notifier is not None:
                    self._notifier.forget(gone.id)

    def _ended(self, gone: GivenUp) -> None:
        """The notifier has given a subscriber up: the log is told one by one, over ``TOLD`` a minute in sum."""
        found = self._subscriptions.get(gone.id)
        if found is not None:
            self._subscriptions.remove(found)
        if self._chronicle is None:
            return
        now = self._clock.mono()
        if self._told.full("", now):
            self._chronicle.offence("subscriber given up", gone.consumer)
            return
        self._told.note("", now)
        reason = f"given up: {gone.problem}"
        self._chronicle.tell(ClientLeft(server=SERVER, client=gone.consumer, reason=reason, sent=gone.sent))

    # --- operations ---------------------------------------------------------------------------------------

    def _capabilities(self, call: Call) -> Element:
        del call
        return element("tev:GetServiceCapabilitiesResponse", answers.capabilities(self._settings, self._brokers))

    def _told_brokers(self, call: Call) -> Element:
        return listed(self._brokers, call.request.value("tev:Address"))

    def _properties(self, call: Call) -> Reply:
        del call
        return Reply(answers.properties(self._topics), f"{answers.TEV}/EventPortType/GetEventPropertiesResponse")

    def _create(self, call: Call) -> Reply:
        made = self._made(
            call, "pull", call.request.find("tev:Filter"), call.request.find("tev:InitialTerminationTime")
        )
        body = answers.subscribed(
            "tev:CreatePullPointSubscriptionResponse",
            self._address(call, made),
            self._clock.wall(),
            self._wall(made.ends),
        )
        return Reply(body, f"{answers.TEV}/EventPortType/CreatePullPointSubscriptionResponse")

    def _subscribe(self, call: Call) -> Reply:
        if self._notifier is None:
            raise Fault(
                "Receiver",
                "ter:ActionNotSupported",
                reason="Base notification is off; use a pull point, or allow it with [onvif_events.notify]",
            )
        request = call.request
        consumer = words(request.find("wsnt:ConsumerReference", "wsa:Address"))
        try:
            self._notifier.check(consumer, call.remote)
        except NotAllowed as error:
            raise answers.base_fault("SubscribeCreationFailedFault", self._clock.wall(), str(error)) from None
        made = self._made(call, "push", request.find("wsnt:Filter"), request.find("wsnt:InitialTerminationTime"))
        address = self._address(call, made)
        self._notifier.add(made.id, consumer, address, call.base)
        self._ring(made)
        body = answers.subscribed("wsnt:SubscribeResponse", address, self._clock.wall(), self._wall(made.ends))
        return Reply(body, f"{answers.BW}/NotificationProducer/SubscribeResponse")

    async def _pull(self, call: Call) -> Reply:
        found = self._found(call)
        if found.kind != "pull":
            raise answers.base_fault("UnableToGetMessagesFault", self._clock.wall(), "This is no pull point")
        try:
            timeout = parse_duration(call.request.value("tev:Timeout") or "PT0S")
            most = int(call.request.value("tev:MessageLimit") or self._settings.max_messages)
        except ValueError as error:
            raise Fault("Sender", "ter:InvalidArgVal", reason=f"PullMessages: {error}") from None
        if timeout > self._settings.max_timeout:
            raise answers.too_long(self._settings)
        if (earlier := self._questions.pop(found.id, None)) is not None:
            earlier.given_up = True
            earlier.rung.set()
        given_up = False
        if not found.waiting and timeout > 0:
            given_up = await self._wait(found, timeout)
        limit = 0 if given_up or call.gone() else max(1, min(most, self._settings.max_messages))
        taken = self._subscriptions.take(found, limit)
        self._subscriptions.prolong(self._clock.mono(), found, max(timeout, self._settings.life))
        self._changed.set()
        body = answers.pulled(
            self._clock.wall(),
            self._wall(found.ends),
            [answers.notification(message.payload, call.base) for message in taken],
        )
        return Reply(body, f"{answers.TEV}/PullPointSubscription/PullMessagesResponse")

    async def _wait(self, found: Subscription[Notification], timeout: float) -> bool:
        """Until there is an event or the time is up; True when a later question has taken over."""
        question = self._questions[found.id] = _Question()
        found.pulling += 1
        try:
            with anyio.move_on_after(timeout):
                await question.rung.wait()
        finally:
            found.pulling -= 1
            if self._questions.get(found.id) is question:
                del self._questions[found.id]
        return question.given_up

    def _synchronize(self, call: Call) -> Reply:
        found = self._found(call)
        self._subscriptions.tell(found, self._present())
        self._ring(found)
        return Reply(
            element("tev:SetSynchronizationPointResponse"),
            f"{answers.TEV}/PullPointSubscription/SetSynchronizationPointResponse",
        )

    def _renew(self, call: Call) -> Reply:
        found = self._found(call)
        seconds = self._lifetime(call.request.find("wsnt:TerminationTime"), "UnacceptableTerminationTimeFault")
        self._subscriptions.prolong(self._clock.mono(), found, seconds, shorten=True)
        self._changed.set()
        body = answers.renewed(self._clock.wall(), self._wall(found.ends))
        return Reply(body, f"{answers.BW}/SubscriptionManager/RenewResponse")

    def _unsubscribe(self, call: Call) -> Reply:
        found = self._found(call)
        self._subscriptions.remove(found)
        if self._notifier is not None:
            self._notifier.forget(found.id)
        if (question := self._questions.pop(found.id, None)) is not None:
            question.given_up = True
            question.rung.set()
        return Reply(element("wsnt:UnsubscribeResponse"), f"{answers.BW}/SubscriptionManager/UnsubscribeResponse")

    # --- what they have in common -------------------------------------------------------------------------

    def _made(self, call: Call, kind: Kind, given: Element | None, term: Element | None) -> Subscription[Notification]:
        wanted = self._filter(call, given)
        seconds = self._lifetime(term, "UnacceptableInitialTerminationTimeFault")
        policy = call.request.find("tev:SubscriptionPolicy", "tev:ChangedOnly")
        try:
            made = self._subscriptions.create(
                self._clock.mono(),
                self._clock.random_bytes(12).hex(),
                kind,
                call.user or "",
                wanted,
                seconds,
                self._present() if policy is None else (),
            )
        except TooManySubscriptions as error:
            raise answers.base_fault("SubscribeCreationFailedFault", self._clock.wall(), str(error)) from None
        self._changed.set()
        return made

    def _filter(self, call: Call, given: Element | None) -> Filter:
        found = Filter()
        for part in () if given is None else given:
            namespace, name = split(part.tag)
            dialect = part.get("Dialect")
            try:
                if (namespace, name) == (WSNT, "TopicExpression"):
                    scope = call.request.namespaces(part)
                    text = "".join(part.itertext())
                    found = found.both(topic_filter(text, dialect or CONCRETE_SET, scope, self._offered))
                elif (namespace, name) == (WSNT, "MessageContent"):
                    found = found.both(content_filter("".join(part.itertext()), dialect or ITEM_FILTER))
                elif (namespace, name) == (WSNT, "ProducerProperties"):
                    raise answers.base_fault(
                        "InvalidProducerPropertiesExpressionFault",
                        self._clock.wall(),
                        "Filters by properties of the producer are not known here",
                    )
                else:
                    raise answers.base_fault(
                        "InvalidFilterFault",
                        self._clock.wall(),
                        f"The filter {name[:64]} is not known here",
                        element("wsnt:UnknownFilter", f"wsnt:{name}" if namespace == WSNT else "wsnt:Filter"),
                    )
            except FilterError as error:
                raise answers.filter_fault(error, self._clock.wall()) from None
        return found

    def _lifetime(self, term: Element | None, fault: str) -> float:
        wall = self._clock.wall()
        nil = term is not None and term.get(q("xsi:nil"), "") in ("true", "1")
        usual = self._settings.longest_life if nil else self._settings.life
        try:
            return lifetime(words(term), wall, usual=usual, longest=self._settings.longest_life)
        except TimeError as error:
            soonest = element("wsnt:MinimumTime", utc(wall + SECOND))
            raise answers.base_fault(fault, wall, str(error), soonest) from None

    def _found(self, call: Call) -> Subscription[Notification]:
        """The subscription that is called: by the path, or by WS-Addressing's To."""
        for place in (call.path, _path_of(call.request.to)):
            head, _, id = place.rpartition("/")
            if head == self._path and 0 < len(id) <= LONGEST_ID:
                try:
                    return self._subscriptions.find(self._clock.mono(), id, call.user or "")
                except UnknownSubscription:
                    break
        raise answers.unknown(self._clock.wall())

    def _address(self, call: Call, made: Subscription[Notification]) -> str:
        return f"{call.base}{self._path}/{made.id}"

    def _wall(self, mono: Micros) -> Micros:
        return self._clock.wall() + mono - self._clock.mono()


def _path_of(url: str) -> str:
    """The path of an address, "" for one that is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _message(notification: Notification) -> Message[Notification]:
    """A notification as filters see it."""
    simple = (*notification.source, *notification.key, *notification.data)
    items = [Item(name, value) for name, value in simple]
    items += [Item(name, None) for name, _ in notification.elements]
    return Message(topic_of(notification.topic), tuple(items), notification)
