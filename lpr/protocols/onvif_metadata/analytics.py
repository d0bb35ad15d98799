"""What the analytics service says of us: one module that reads plates, one rule that tells them. Pure data.

Elements of the standard library with their names in full, for whoever writes the service's answers; nothing of it can
be changed by a client, since the configuration file says what is read and how.

Source: ONVIF Analytics Service Specification (rules, modules, GetSupportedMetadata, annex "Recognition rule engines"),
onvif.xsd (Config, ConfigDescription). May import ``lpr.events`` and the standard library.
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
from lpr.protocols.onvif_metadata.passage import PLATE_TOPIC, Tokens
from lpr.protocols.onvif_metadata.topics import TOPICS, description

RULE_TYPE = "tt:LicensePlateRecognition"
MODULE_TYPE = "tt:LicensePlateRecognition"
MODULE_NAME = "LicensePlateRecognition"
SAMPLE_AT: Micros = 1_577_836_800_000_000
"""The time of the sample frame: 2020-01-01."""
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Analytics:
    """The content of the service's answers, for one analytics configuration.

    ``modules``, ``rules``: a tt:AnalyticsModule and a tt:Rule (tt:Config); ``module_descriptions``,
    ``rule_descriptions``: a tt:AnalyticsModuleDescription and a tt:RuleDescription (tt:ConfigDescription); ``samples``:
    the type of a module and a tt:Frame with everything that its metadata may hold.
    """

    modules: tuple[Node, ...]
    rules: tuple[Node, ...]
    module_descriptions: tuple[Node, ...]
    rule_descriptions: tuple[Node, ...]
    samples: tuple[tuple[str, Node], ...]


def analytics_of(
    tokens: Tokens,
    *,
    region: Sequence[tuple[float, float]] | None = None,
    images: bool = True,
    topics: Collection[str] = (PLATE_TOPIC,),
) -> Analytics:
    """``region``: where plates are looked for, corners as fractions of the picture from its top left, None: all of it.
    ``images``: events name a picture that can be fetched. ``topics``: the events that the rule gives."""
    place = element("tt:ElementItem", {"Name": "Region"}, [_polygon(region or WHOLE)])
    include = element("tt:SimpleItem", {"Name": "IncludeImage", "Value": "LocalStorage" if images else ""})
    rule = element("tt:Rule", _head(tokens.rule, RULE_TYPE), [element("tt:Parameters", None, [include, place])])
    module = element("tt:AnalyticsModule", _head(MODULE_NAME, MODULE_TYPE), [element("tt:Parameters", None, [place])])
    place_description = element("tt:ElementItemDescription", {"Name": "Region", "Type": "tt:Polygon"})
    include_description = element("tt:SimpleItemDescription", {"Name": "IncludeImage", "Type": "xs:string"})
    messages = [
        description(topic, "tt:Messages", [element("tt:ParentTopic", None, topic.name)])
        for topic in TOPICS
        if topic.name in topics
    ]
    fixed = {"fixed": "true", "maxInstances": "1"}
    rule_description = element(
        "tt:RuleDescription",
        _head(RULE_TYPE) | fixed,
        [element("tt:Parameters", None, [include_description, place_description]), *messages],
    )
    module_description = element(
        "tt:AnalyticsModuleDescription",
        _head(MODULE_TYPE) | fixed,
        [element("tt:Parameters", None, [place_description])],
    )
    return Analytics(
        modules=(fromstring(module),),
        rules=(fromstring(rule),),
        module_descriptions=(fromstring(module_description),),
        rule_descriptions=(fromstring(rule_description),),
        samples=((MODULE_TYPE, fromstring(frame_xml(sample_frame(), declarations("tt")))),),
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


def _head(name: str, kind: str | None = None) -> dict[str, str]:
    return {**declarations("tt", "xs", "tns1"), "Name": name} | ({} if kind is None else {"Type": kind})


def _polygon(corners: Sequence[tuple[float, float]]) -> str:
    points = [element("tt:Point", {"x": f"{2 * x - 1:.4g}", "y": f"{1 - 2 * y:.4g}"}) for x, y in corners]
    return element("tt:Polygon", None, points)
