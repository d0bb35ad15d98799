"""Home Assistant's MQTT discovery: a device for each camera, with its entities. Pure.

One retained document at ``<discovery prefix>/device/<id>/config`` describes a device and all its components (Home
Assistant 2024.11 and later), or one at ``<discovery prefix>/<platform>/<id>/<component>/config`` for each component
(every release). An empty retained payload at the same topic takes it away again. Source: Home Assistant's
documentation, "MQTT" (discovery messages, availability), "MQTT Camera", "MQTT Sensor", "MQTT Binary sensor". A device
needs ``device`` and ``origin``, each component ``platform`` and ``unique_id``. The long names of the keys are used.

May import ``lpr.events``, msgspec and the standard library, besides this folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from lpr.protocols.mqtt_messages.topics import OFFLINE, ONLINE, Topics, level

Form: TypeAlias = Literal["device", "components"]
Json: TypeAlias = dict[str, Any]

MAKER = "lpr"


@dataclass(frozen=True, slots=True)
class Device:
    """``id``: of the service, unique at the broker; ``name``: for people; ``release``: the software's version;
    ``pages``: the address of its web pages, "" when they are off."""

    id: str
    name: str
    release: str
    pages: str = ""


def configurations(
    device: Device,
    cameras: tuple[str, ...],
    topics: Topics,
    *,
    prefix: str = "homeassistant",
    form: Form = "device",
    picture: bool = True,
    plate_picture: bool = False,
) -> dict[str, bytes]:
    """Topic to payload, all to be retained. ``picture``, ``plate_picture``: whether those topics are published."""
    found: dict[str, bytes] = {}
    for camera in cameras:
        node = node_of(device, camera)
        described = _described(device, camera, node)
        shared: Json = {
            "availability": [{"topic": topics.status, "payload_available": ONLINE, "payload_not_available": OFFLINE}],
            "qos": 1,
        }
        components = _components(camera, node, topics, picture=picture, plate_picture=plate_picture)
        if form == "device":
            body: Json = {**described, **shared, "components": components}
            found[f"{prefix}/device/{node}/config"] = msgspec.json.encode(body)
        else:
            for name, component in components.items():
                single = {key: value for key, value in component.items() if key != "platform"}
                topic = f"{prefix}/{component['platform']}/{node}/{name}/config"
                found[topic] = msgspec.json.encode({**described, **shared, **single})
    return found


def node_of(device: Device, camera: str) -> str:
    """The id of a camera's device, from letters, digits, - and _."""
    return f"{level(device.id)}_{level(camera)}"


def _described(device: Device, camera: str, node: str) -> Json:
    about: Json = {
        "identifiers": [node],
        "name": f"{device.name} {camera}",
        "manufacturer": MAKER,
        "model": "Licence plate recognition",
        "sw_version": device.release,
    }
    if device.pages:
        about["configuration_url"] = device.pages
    return {"device": about, "origin": {"name": MAKER, "sw_version": device.release}}


def _components(camera: str, node: str, topics: Topics, *, picture: bool, plate_picture: bool) -> Mapping[str, Json]:
    state = topics.state(camera)

    def sensor(key: str, name: str, template: str, icon: str, **more: Any) -> Json:
        return {
            "platform": "sensor",
            "unique_id": f"{node}_{key}",
            "name": name,
            "state_topic": state,
            "value_template": template,
            "icon": icon,
            **more,
        }

    found: dict[str, Json] = {
        "plate": sensor(
            "plate",
            "Last plate",
            "{{ value_json.plate }}",
            "mdi:car-search",
            json_attributes_topic=state,
        ),
        "confidence": sensor(
            "confidence",
            "Confidence",
            "{{ value_json.confidence }}",
            "mdi:percent",
            unit_of_measurement="%",
            suggested_display_precision=1,
        ),
        "direction": sensor("direction", "Direction", "{{ value_json.direction }}", "mdi:arrow-decision"),
        "country": sensor("country", "Country", "{{ value_json.country }}", "mdi:flag"),
        "seen": sensor("seen", "Last passage", "{{ value_json.at }}", "mdi:clock", device_class="timestamp"),
        "passages": sensor(
            "passages",
            "Passages",
            "{{ value_json.passages }}",
            "mdi:counter",
            state_class="total_increasing",
        ),
        "online": {
            "platform": "binary_sensor",
            "unique_id": f"{node}_online",
            "name": "Camera",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": topics.camera_status(camera),
            "payload_on": ONLINE,
            "payload_off": OFFLINE,
        },
    }
    if picture:
        found["picture"] = {
            "platform": "camera",
            "unique_id": f"{node}_picture",
            "name": "Last picture",
            "topic": topics.picture(camera),
        }
    if plate_picture:
        found["plate_picture"] = {
            "platform": "camera",
            "unique_id": f"{node}_plate_picture",
            "name": "Last plate picture",
            "topic": topics.plate_picture(camera),
        }
    return found
