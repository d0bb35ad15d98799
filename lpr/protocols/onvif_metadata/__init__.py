"""Plate events and live boxes as ONVIF metadata, in the standard's form and in that of Milesight's manual.

Sources: ONVIF Core, Analytics Service and Streaming Specifications, the public schema metadatastream.xsd; Milesight's
manual, "2. RTSP Type". What is inferred and what was verified with which client: docs/protocols/onvif-metadata.md.
Everything here is pure.

``model``      what a document says: notifications, objects in normalised coordinates
``passage``    a passage in those words
``configured`` a change of a stream's settings in those words
``scene``      objects that keep their id while they move
``documents``  documents and messages as XML, in each form
``reading``    documents of any maker read, deviations named; ``intake``: their XML, ``reading_values``: their values
``topics``     the TopicSet
``analytics``  content of the analytics service
``onvif_ej``   events as JSON over MQTT
``pictures``   the names of the ten latest pictures
``markup``     elements, names, times

May import ``lpr.events``, msgspec, defusedxml and the standard library.
"""

from lpr.protocols.onvif_metadata.analytics import Analytics, analytics_of
from lpr.protocols.onvif_metadata.configured import CONFIGURATION_TOPIC, configuration_notification
from lpr.protocols.onvif_metadata.documents import FORMS, FormName, carried, document, notification_xml
from lpr.protocols.onvif_metadata.model import Notification, Place, PlateInfo, SceneFrame, SceneObject, VehicleInfo
from lpr.protocols.onvif_metadata.onvif_ej import ej_payload, ej_topic
from lpr.protocols.onvif_metadata.passage import (
    MANUAL_TOKENS,
    MILESIGHT_TOPIC,
    MOTION_TOPIC,
    PLATE_TOPIC,
    VEHICLE_TOPIC,
    Tokens,
    camera_tokens,
    milesight_notification,
    passage_frame,
    plate_notification,
    vehicle_notification,
)
from lpr.protocols.onvif_metadata.pictures import FOLDER, KEPT, PictureNames
from lpr.protocols.onvif_metadata.reading import (
    MetadataError,
    Parsed,
    PlateSeen,
    parse_document,
    parse_notification,
    plate_of,
)
from lpr.protocols.onvif_metadata.scene import Scene

__all__ = [
    "CONFIGURATION_TOPIC",
    "FOLDER",
    "FORMS",
    "KEPT",
    "MANUAL_TOKENS",
    "MILESIGHT_TOPIC",
    "MOTION_TOPIC",
    "PLATE_TOPIC",
    "VEHICLE_TOPIC",
    "Analytics",
    "FormName",
    "MetadataError",
    "Notification",
    "Parsed",
    "PictureNames",
    "Place",
    "PlateInfo",
    "PlateSeen",
    "Scene",
    "SceneFrame",
    "SceneObject",
    "Tokens",
    "VehicleInfo",
    "analytics_of",
    "camera_tokens",
    "carried",
    "configuration_notification",
    "document",
    "ej_payload",
    "ej_topic",
    "milesight_notification",
    "notification_xml",
    "parse_document",
    "parse_notification",
    "passage_frame",
    "plate_notification",
    "plate_of",
    "vehicle_notification",
]
