"""The device service's network operations: the computer's network as it is; nothing of it is changed from here.

Source: ONVIF Core specification, 8.2. May import this room.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.model import Device, Interface
from lpr.protocols.onvif.operations import Call, Operation
from lpr.protocols.onvif.tree import element

NETWORK = "the computer's administrator looks after its network"
FIREWALL = "a firewall does that"


def network_operations(device: Device) -> tuple[Operation, ...]:
    """The operations about host name, interfaces, protocols, name servers, gateway and filters."""
    return (
        Operation("GetHostname", "PRE_AUTH", _always(_hostname, device)),
        Operation("SetHostname", "WRITE_SYSTEM", None, NETWORK),
        Operation("SetHostnameFromDHCP", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetNetworkInterfaces", "READ_SYSTEM", _always(_interfaces, device)),
        Operation("SetNetworkInterfaces", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetNetworkProtocols", "READ_SYSTEM", _always(_protocols, device)),
        Operation("SetNetworkProtocols", "WRITE_SYSTEM", None, "ports are set in the configuration file"),
        Operation("GetNetworkDefaultGateway", "READ_SYSTEM", _always(_gateway, device)),
        Operation("SetNetworkDefaultGateway", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetDNS", "READ_SYSTEM", _always(_dns, device)),
        Operation("SetDNS", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetNTP", "READ_SYSTEM", _always(_ntp, device)),
        Operation("SetNTP", "WRITE_SYSTEM", None, "the computer's administrator looks after its clock"),
        Operation("GetZeroConfiguration", "READ_SYSTEM", None, NETWORK),
        Operation("SetZeroConfiguration", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetIPAddressFilter", "READ_SYSTEM", None, FIREWALL),
        Operation("SetIPAddressFilter", "WRITE_SYSTEM", None, FIREWALL),
        Operation("AddIPAddressFilter", "WRITE_SYSTEM", None, FIREWALL),
        Operation("RemoveIPAddressFilter", "WRITE_SYSTEM", None, FIREWALL),
        Operation("GetDynamicDNS", "READ_SYSTEM", None, NETWORK),
        Operation("SetDynamicDNS", "WRITE_SYSTEM", None, NETWORK),
        Operation("GetRemoteDiscoveryMode", "READ_SYSTEM", None, "there is no remote discovery"),
    )


def _always(make: Callable[[Device], Element], device: Device) -> Callable[[Call], Element]:
    return lambda call: make(device)


def _hostname(device: Device) -> Element:
    return element(
        "tds:GetHostnameResponse",
        element("tds:HostnameInformation", element("tt:FromDHCP", False), element("tt:Name", device.hostname)),
    )


def _interfaces(device: Device) -> Element:
    return element("tds:GetNetworkInterfacesResponse", [_interface(found) for found in device.interfaces])


def _interface(found: Interface) -> Element:
    address = None
    if found.address is not None:
        address = element(
            "tt:IPv4",
            element("tt:Enabled", True),
            element(
                "tt:Config",
                element("tt:Manual", element("tt:Address", found.address), element("tt:PrefixLength", found.prefix)),
                element("tt:DHCP", False),
            ),
        )
    return element(
        "tds:NetworkInterfaces",
        element("tt:Enabled", True),
        element(
            "tt:Info",
            element("tt:Name", found.name),
            element("tt:HwAddress", found.hardware),
            None if found.mtu is None else element("tt:MTU", found.mtu),
        ),
        address,
        token=found.name,
    )


def _protocols(device: Device) -> Element:
    ports = device.ports()
    listed = (("HTTP", ports.http), ("HTTPS", ports.https), ("RTSP", ports.rtsp))
    return element(
        "tds:GetNetworkProtocolsResponse",
        [
            element(
                "tds:NetworkProtocols",
                element("tt:Name", name),
                element("tt:Enabled", port is not None),
                element("tt:Port", default if port is None else port),
            )
            for (name, port), default in zip(listed, (80, 443, 554), strict=True)
        ],
    )


def _gateway(device: Device) -> Element:
    address = None if device.gateway is None else element("tt:IPv4Address", device.gateway)
    return element("tds:GetNetworkDefaultGatewayResponse", element("tds:NetworkGateway", address))


def _dns(device: Device) -> Element:
    return element(
        "tds:GetDNSResponse",
        element(
            "tds:DNSInformation",
            element("tt:FromDHCP", False),
            [element("tt:SearchDomain", domain) for domain in device.domains],
            [
                element(
                    "tt:DNSManual",
                    element("tt:Type", "IPv6" if ":" in server else "IPv4"),
                    element("tt:IPv6Address" if ":" in server else "tt:IPv4Address", server),
                )
                for server in device.dns
            ],
        ),
    )


def _ntp(device: Device) -> Element:
    del device
    return element("tds:GetNTPResponse", element("tds:NTPInformation", element("tt:FromDHCP", False)))
