"""Samples and strategies of metadata."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from lpr.events import Character, PassageDecided, Picture, Reading, Vehicle, Vote
from lpr.protocols.onvif_metadata import Notification, Place, PlateInfo, SceneFrame, SceneObject, VehicleInfo
from lpr.protocols.onvif_metadata.passage import Tokens

GOLDEN = Path(__file__).parents[2] / "golden" / "onvif_metadata"
AT = 1_526_365_174_010_000
"""2018-05-15T06:19:34.010Z, the time of the manual's example and a hundredth."""
TOKENS = Tokens("VS0", "VSC0", "VA0", "LPR")


def passage(
    plate: str = "43거6510",
    *,
    at: int = AT,
    direction: str = "approach",
    speed: float | None = None,
    plated: bool = True,
    vehicle: str | None = "car",
) -> PassageDecided:
    """A passage of 1280 x 720 with its plate at (320, 540) to (448, 576)."""
    return PassageDecided(
        source="gate",
        lane="1",
        plate=plate,
        confidence=0.93,
        characters=tuple(Character(char=char, confidence=0.93) for char in plate),
        country="BR",
        layout=None,
        at=at,
        first_at=at - 500_000,
        last_at=at + 500_000,
        capture="gate@1",
        exposure=0,
        picture=Picture(blob="0" * 64, width=1280, height=720, bytes=10),
        box=(320.0, 540.0, 448.0, 576.0),
        corners=((320.0, 540.0), (448.0, 540.0), (448.0, 576.0), (320.0, 576.0)),
        direction=direction,
        reads=3,
        votes=(Vote(capture="gate@1", exposure=0, text=plate, confidence=0.93, weight=1.0),),
        plate_colour="white",
        vehicle=vehicle,
        vehicle_colour="red",
        speed_kmh=speed,
        make="Fiat",
        plate_category="private",
        plated=plated,
    )


def reading(
    text: str, box: tuple[float, float, float, float], *, vehicle: Vehicle | None = None, plated: bool = True
) -> Reading:
    """One plate on one picture."""
    x1, y1, x2, y2 = box
    return Reading(
        text=text,
        confidence=0.9,
        characters=tuple(Character(char=char, confidence=0.9) for char in text),
        box=box,
        corners=((x1, y1), (x2, y1), (x2, y2), (x1, y2)),
        detection=0.8,
        vehicle=vehicle,
        plated=plated,
    )


def golden(name: str) -> bytes:
    """``tests/golden/onvif_metadata/<name>``."""
    return (GOLDEN / name).read_bytes()


# --- strategies: values that four places and milliseconds can hold --------------------------------------

LIKELY = st.integers(0, 10_000).map(lambda value: value / 10_000)
SIDE = st.integers(-10_000, 10_000).map(lambda value: value / 10_000)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=12
)
COLOUR = st.none() | st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
TIME = st.integers(0, 4_000_000_000_000).map(lambda value: value * 1000)
PLACE = st.tuples(SIDE, SIDE, SIDE, SIDE).map(
    lambda sides: Place(min(sides[0], sides[1]), max(sides[2], sides[3]), max(sides[0], sides[1]), min(sides[2:]))
)
PLATE = st.builds(PlateInfo, TEXT, st.none() | LIKELY, st.none() | TEXT, st.none() | TEXT, COLOUR)
VEHICLE = st.builds(VehicleInfo, TEXT, st.none() | LIKELY, st.none() | TEXT, st.none() | TEXT, COLOUR)
OBJECT = st.builds(
    SceneObject,
    id=st.integers(0, 2**31),
    kind=st.sampled_from(("LicensePlate", "Vehicle")),
    likelihood=st.none() | LIKELY,
    place=PLACE,
    plate=st.none() | PLATE,
    vehicle=st.none() | VEHICLE,
    parent=st.none() | st.integers(0, 2**31),
    image=st.none() | TEXT,
    speed=st.none() | LIKELY,
    yaw=st.none() | st.integers(-180, 180).map(float),
)
FRAME = st.builds(
    SceneFrame, TIME, st.lists(OBJECT, max_size=3).map(tuple), st.lists(st.integers(0, 99), max_size=2).map(tuple)
)
ELEMENTS = st.fixed_dictionaries(
    {}, optional={"LicensePlateInfo": PLATE, "BoundingBox": PLACE, "VehicleInfo": VEHICLE}
).map(lambda found: tuple(found.items()))


@st.composite
def notifications(draw: st.DrawFn) -> Notification:
    """Any notification with a topic of the forms."""
    names = draw(st.lists(TEXT, min_size=1, max_size=6, unique=True))
    values = [
        (
            name,
            draw(
                st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cn")), max_size=8).filter(
                    lambda text: text.isprintable()
                )
            ),
        )
        for name in names
    ]
    cut = draw(st.integers(1, len(values)))
    whole = draw(st.booleans())
    at = draw(TIME)
    return Notification(
        topic=draw(
            st.sampled_from(
                ("tns1:RuleEngine/Recognition/LicensePlate", "tns1:RuleEngine/MyRuleDetector/VehicleDetect")
            )
        ),
        at=at // 1_000_000 * 1_000_000 if whole else at,
        source=tuple(values[:cut]),
        data=tuple(values[cut:]),
        elements=draw(ELEMENTS),
        operation=draw(st.sampled_from((None, "Initialized", "Changed", "Deleted"))),
        whole_seconds=whole,
    )
