"""The MQTT brokers that get our events, as ONVIF tells them. They are set in the configuration file alone.

Source: event.wsdl (EventBrokerConfig, GetEventBrokers), ONVIF Core, "Event brokers". May import ``lpr.config`` and
``lpr.protocols``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

from lpr.config import Mqtt
from lpr.protocols.onvif.tree import element

QOS = 1
"""How passages are published: at least once."""


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker. ``prefix``: of the topics of events; ``user``: by whom we log in, None: nobody. No password."""

    scheme: Literal["mqtt", "mqtts"]
    host: str
    port: int
    prefix: str
    user: str | None

    @property
    def address(self) -> str:
        """ "mqtts://host:port"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def brokers_of(settings: Iterable[Mqtt]) -> tuple[Broker, ...]:
    """Those that are sent ONVIF's events."""
    return tuple(
        Broker("mqtts" if one.tls else "mqtt", one.host, one.port or (8883 if one.tls else 1883), one.prefix, one.user)
        for one in settings
        if one.onvif
    )


def listed(brokers: Sequence[Broker], address: str) -> Element:
    """tev:GetEventBrokersResponse. ``address``: of the one that is asked for, "" for all."""
    return element(
        "tev:GetEventBrokersResponse",
        [
            element(
                "tev:EventBroker",
                element("tev:Address", broker.address),
                element("tev:TopicPrefix", broker.prefix),
                None if broker.user is None else element("tev:UserName", broker.user),
                element("tev:QoS", QOS),
            )
            for broker in brokers
            if address in ("", broker.address)
        ],
    )
