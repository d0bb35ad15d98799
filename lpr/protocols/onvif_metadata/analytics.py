"""What the analytics service says of us: one module that reads plates, one rule that tells them. Pure data.

Elements of the standard library with their names in full, for whoever writes the service's answers; nothing of it can
be changed by a client, since the configuration file says what is read and how.

Source: ONVIF Analytics Service Specification (rules, modules, GetSupportedMetadata, annex "Recognition rule engines"),
analytics.wsdl, onvif.xsd (SupportedRules, SupportedAnalyticsModules, Config). May import ``lpr.events`` and the
standard library.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import fromstring

from lpr.events import Micros
from lpr.protocols.onvif_metadata.documents import frame_xml
from lpr.protocols.onvif_metadata.markup import declarations, element
from lpr.protocols.onvif_metadata.model import Place, PlateInfo, SceneFrame, SceneObject, VehicleInfo
from lpr.protocols.onvif_metadata.passage import MILESIGHT_TOPIC, PLATE_TOPIC, VEHICLE_TOPIC, Tokens
from lpr.protocols.onvif_metadata.topics import TOPICS, description

RULE_TYPE = "tt:LicensePlateRecognition"
MODULE_TYPE = "tt:LicensePlateRecognition"
MODULE_NAME = "LicensePlateRecognition"
SCHEMA_LOCATION = "http://www.onvif.org/ver10/schema/onvif.xsd"
SAMPLE_AT: Micros = 1_577_836_800_000_000
"""The time of the sample frame: 2020-01-01."""
_TAN = "http://www.onvif.org/ver20/analytics/wsdl"


@dataclass(frozen=True, slots=True)
class Analytics:
    """The content of the service's answers, for one analytics configuration.

    ``supported_rules``, ``supported_modules``: a tan:SupportedRules and a tan:SupportedAnalyticsModules; ``rules``,
    ``modules``: tan:Rule and tan:AnalyticsModule; ``rule_options``, ``module_options``: tan:RuleOptions and
    tan:Options; ``metadata``: the tan:AnalyticsModule of GetSupportedMetadata. ``capabilities``: attributes of
    tan:Capabilities.
    """

    supported_rules: Node
    supported_modules: Node
    rules: tuple[Node, ...]
    modules: tuple[Node, ...]
    rule_options: tuple[Node, ...]
    module_options: tuple[Node, ...]
    metadata: tuple[Node, ...]
    capabilities: tuple[tuple[str, str], ...] = (
        ("RuleSupport", "true"),
        ("AnalyticsModuleSupport", "true"),
        ("CellBasedSceneDescriptionSupported", "false"),
        ("RuleOptionsSupported", "true"),
        ("AnalyticsModuleOptionsSupported", "true"),
        ("SupportedMetadata", "true"),
        ("ImageSendingType", "LocalStorage"),
    )


def analytics(
    tokens: Tokens, *, region: Sequence[tuple[float, float]] | None = None, topics: Collection[str] = (PLATE_TOPIC,)
) -> Analytics:
    """``region``: where plates are looked for, corners as fractions of the picture from its top left, None: all of it.
    ``topics``: the events that the rule gives."""
    parameters = [element("tt:SimpleItem", {"Name": "IncludeImage", "Value": "LocalStorage"})]
    corners = region or ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    parameters.append(element("tt:ElementItem", {"Name": "Region"}, [_polygon(corners)]))
    rule = element(
        "tan:Rule",
        _head({"Name": tokens.rule, "Type": RULE_TYPE}),
        [element("tt:Parameters", None, parameters)],
    )
    module = element(
        "tan:AnalyticsModule",
        _head({"Name": MODULE_NAME, "Type": MODULE_TYPE}),
        [element("tt:Parameters", None, [element("tt:ElementItem", {"Name": "Region"}, [_polygon(corners)])])],
    )
    return Analytics(
        supported_rules=fromstring(_supported_rules(topics)),
        supported_modules=fromstring(_supported_modules()),
        rules=(fromstring(rule),),
        modules=(fromstring(module),),
        rule_options=(
            fromstring(
                element(
                    "tan:RuleOptions",
                    _head({"RuleType": RULE_TYPE, "Name": "IncludeImage", "Type": "tt:StringItems"}),
                    [element("tt:StringItems", None, [element("tt:Item", None, "LocalStorage")])],
                )
            ),
            fromstring(
                element("tan:RuleOptions", _head({"RuleType": RULE_TYPE, "Name": "Region"}), [_polygon_options()])
            ),
        ),
        module_options=(
            fromstring(
                element("tan:Options", _head({"AnalyticsModule": MODULE_TYPE, "Name": "Region"}), [_polygon_options()])
            ),
        ),
        metadata=(
            fromstring(
                element(
                    "tan:AnalyticsModule",
                    _head({"Type": MODULE_TYPE}),
                    [frame_xml(sample_frame(), name="tan:SampleFrame")],
                )
            ),
        ),
    )


def sample_frame() -> SceneFrame:
    """Everything that a frame of ours may hold: the answer to "what do you send?"."""
    white = (255, 255, 255)
    place = Place(left=-0.1, top=0.0, right=0.1, bottom=-0.1)
    vehicle = VehicleInfo("Car", 0.9, "Brand", "Model", white)
    return SceneFrame(
        SAMPLE_AT,
        (
            SceneObject(id=2, kind="Vehicle", likelihood=0.9, place=Place(-0.4, 0.4, 0.4, -0.2), vehicle=vehicle),
            SceneObject(
                id=1,
                kind="LicensePlate",
                likelihood=0.9,
                place=place,
                plate=PlateInfo("ABC1234", 0.9, "BR", "Normal", white),
                vehicle=vehicle,
                parent=2,
                image="/LPR/2020010100000000.jpg",
                speed=10.0,
                yaw=90.0,
            ),
        ),
    )


def _head(attributes: dict[str, str]) -> dict[str, str]:
    return {"xmlns:tan": _TAN, **declarations("tt", "xs", "tns1"), **attributes}


def _supported_rules(topics: Collection[str]) -> str:
    parameters = element(
        "tt:Parameters",
        None,
        [
            element("tt:SimpleItemDescription", {"Name": "IncludeImage", "Type": "xs:string"}),
            element("tt:ElementItemDescription", {"Name": "Region", "Type": "tt:Polygon"}),
        ],
    )
    messages = [
        description(topic, "tt:Messages", [element("tt:ParentTopic", None, topic.name)])
        for topic in TOPICS
        if topic.name in topics and topic.name in (PLATE_TOPIC, MILESIGHT_TOPIC, VEHICLE_TOPIC)
    ]
    rule = element(
        "tt:RuleDescription", {"Name": RULE_TYPE, "fixed": "true", "maxInstances": "1"}, [parameters, *messages]
    )
    location = element("tt:RuleContentSchemaLocation", None, SCHEMA_LOCATION)
    return element("tan:SupportedRules", _head({"Limit": "1"}), [location, rule])


def _supported_modules() -> str:
    parameters = element(
        "tt:Parameters", None, [element("tt:ElementItemDescription", {"Name": "Region", "Type": "tt:Polygon"})]
    )
    module = element(
        "tt:AnalyticsModuleDescription", {"Name": MODULE_TYPE, "fixed": "true", "maxInstances": "1"}, [parameters]
    )
    location = element("tt:AnalyticsModuleContentSchemaLocation", None, SCHEMA_LOCATION)
    return element("tan:SupportedAnalyticsModules", _head({"Limit": "1"}), [location, module])


def _polygon(corners: Sequence[tuple[float, float]]) -> str:
    points = [element("tt:Point", {"x": f"{2 * x - 1:.4g}", "y": f"{1 - 2 * y:.4g}"}) for x, y in corners]
    return element("tt:Polygon", None, points)


def _polygon_options() -> str:
    return element(
        "tt:PolygonOptions",
        None,
        [element("tt:VertexLimits", None, [element("tt:Min", None, "4"), element("tt:Max", None, "4")])],
    )
