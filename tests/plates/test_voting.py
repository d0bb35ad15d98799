"""The majority vote: by the reliability of each character, over readings of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Character, Picture, Reading
from lpr.plates.voting import Ballot, Elected, Rules, elect


def ballot(
    text: str,
    confidence: float | Sequence[float] = 0.9,
    *,
    at: int = 0,
    height: float = 20.0,
    sharpness: float = 100.0,
    layout: str | None = None,
    pictured: bool = True,
    others: dict[int, tuple[tuple[str, float], ...]] | None = None,
) -> Ballot:
    each = [confidence] * len(text) if isinstance(confidence, float | int) else list(confidence)
    characters = tuple(
        Character(char=char, confidence=sure, others=(others or {}).get(index, ()))
        for index, (char, sure) in enumerate(zip(text, each, strict=True))
    )
    reading = Reading(
        text=text,
        confidence=min(each, default=0.0),
        characters=characters,
        box=(0.0, 0.0, height * 4, height),
        corners=((0.0, 0.0), (height * 4, 0.0), (height * 4, height), (0.0, height)),
        sharpness=sharpness,
        layout=layout,
        country=layout[:2].upper() if layout else None,
    )
    picture = Picture(blob=f"{at:064x}", width=1, height=1, bytes=1) if pictured else None
    return Ballot(capture=f"gate@{at}", exposure=0, at=at, trigger="free-flow", picture=picture, reading=reading)


def vote(*ballots: Ballot, **rules: object) -> Elected:
    elected = elect(ballots, msgspec.convert(rules, Rules))
    assert elected is not None
    return elected


@given(st.lists(st.floats(0.05, 0.999), min_size=4, max_size=8))
def test_one_reading_keeps_its_text_and_its_confidence(confidences: list[float]) -> None:
    text = "ABC1234Z"[: len(confidences)]
    elected = vote(ballot(text, confidences), min_confidence=0.0)
    assert elected.plate == text
    for character, confidence in zip(elected.characters, confidences, strict=True):
        assert character.confidence == pytest.approx(confidence, abs=0.01)


def test_agreement_makes_sure_and_disagreement_unsure() -> None:
    agreed = vote(*(ballot("KHN991", 0.8, at=n) for n in range(4)))
    assert agreed.plate == "KHN991" and agreed.confidence > 0.9
    torn = vote(ballot("KHN991", 0.8), ballot("KHN981", 0.79, at=1))
    assert torn.plate == "KHN991" and torn.confidence < 0.75


def test_the_most_reliable_character_wins_in_each_place() -> None:
    elected = vote(
        ballot("KHN9B1", [0.9, 0.9, 0.9, 0.9, 0.4, 0.9]),
        ballot("XHN981", [0.3, 0.9, 0.9, 0.9, 0.9, 0.9], at=1),
    )
    assert elected.plate == "KHN981"


def test_other_candidates_of_a_slot_count() -> None:
    unsure = {4: (("B", 0.44),)}
    elected = vote(
        ballot("KHN981", [0.9] * 4 + [0.46, 0.9], others=unsure),
        ballot("KHN9B1", [0.9] * 4 + [0.7, 0.9], others={4: (("8", 0.25),)}, at=1),
    )
    assert elected.plate == "KHN9B1"
    assert dict(elected.characters[4].others)["8"] > 0.1


def test_a_large_sharp_plate_outweighs_many_small_blurred_ones() -> None:
    far = [ballot("KHN98I", 0.5, at=n, height=8, sharpness=10) for n in range(4)]
    assert vote(*far, ballot("KHN981", 0.97, at=9, height=30, sharpness=200)).plate == "KHN981"


def test_readings_that_lost_a_character_still_vote_in_their_places() -> None:
    elected = vote(
        ballot("KHN991", 0.7), ballot("HN991", 0.9, at=1), ballot("KHN99", 0.9, at=2), ballot("KHN991", 0.7, at=3)
    )
    assert elected.plate == "KHN991"
    assert elected.confidence > 0.7


def test_a_character_that_most_lost_is_doubtful_and_one_that_most_have_is_kept() -> None:
    kept = vote(*(ballot("KHN9917", at=n) for n in range(3)), ballot("KHN991", at=4), ballot("KHN991", at=5))
    assert kept.plate == "KHN9917"
    few = vote(*(ballot("KHN991", at=n) for n in range(6)), ballot("KHN9917", 0.6, at=7))
    assert few.plate == "KHN991"
    assert few.confidence < vote(*(ballot("KHN991", at=n) for n in range(6))).confidence, "it may have been there"


def test_scraps_do_not_vote_beside_whole_plates() -> None:
    scraps = [ballot("11", 0.99, at=n) for n in range(5)]
    assert vote(*scraps, ballot("KHN991", 0.6, at=6)).plate == "KHN991"
    assert vote(*scraps).plate == "11"


def test_no_reading_says_it_and_all_together_do() -> None:
    unsure = [0.9] * 4 + [0.45, 0.9]
    elected = vote(
        *(
            ballot(text, unsure, others={4: (("8", 0.4),)}, at=n)
            for n, text in enumerate(("KHN9B1", "KHN931", "KHN961"))
        )
    )
    assert elected.plate == "KHN981"


def test_frames_in_another_place_prove_more() -> None:
    same = vote(*(ballot("KHN991", 0.8, at=n) for n in range(5)))
    nearer = vote(*(ballot("KHN991", 0.8, at=n, height=20.0 + 12 * n) for n in range(5)))
    assert 0.8 < same.confidence < nearer.confidence < 1.0


def test_a_layout_that_is_not_ours_is_known_by_its_readings() -> None:
    elected = vote(
        *(ballot("KHN901", 0.7, layout="xx-own", at=n) for n in range(2)),
        ballot("KHN9O1", 0.75, at=3),
        min_confidence=0.0,
    )
    assert (elected.plate, elected.layout) == ("KHN901", "xx-own")


def test_a_reading_too_far_from_the_others_does_not_vote() -> None:
    stray = ballot("XYZ123", 0.99, at=5)
    elected = vote(ballot("KHN991"), ballot("KHN991", at=1), stray, max_different_characters=2)
    assert elected.plate == "KHN991"
    assert "XYZ123" not in [each.text for each in elected.votes]


def test_only_the_last_readings_vote() -> None:
    readings = [*(ballot("AAA111", at=n) for n in range(5)), *(ballot("KHN991", at=n) for n in (7, 8))]
    assert vote(*readings).plate == "AAA111"
    assert vote(*readings, last_readings=2).plate == "KHN991"


def test_without_a_vote_the_best_single_reading_stands() -> None:
    readings = [*(ballot("KHN981", 0.6, at=n) for n in range(5)), ballot("KHN991", 0.95, at=6)]
    elected = vote(*readings, enabled=False)
    assert (elected.plate, elected.best.at, len(elected.votes)) == ("KHN991", 6, 1)


def test_a_layout_keeps_letters_and_digits_in_their_places() -> None:
    elected = vote(
        ballot("ABC1C34", [0.9, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9], layout="br-mercosul"),
        ballot("ABC1C34", [0.9, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9], layout="br-mercosul", at=1),
        ballot("ABC1034", [0.9, 0.9, 0.9, 0.9, 0.8, 0.9, 0.9], layout="br-old", at=2),
    )
    assert (elected.plate, elected.layout, elected.country) == ("ABC1C34", "br-mercosul", "BR")


def test_the_best_picture_shows_the_voted_plate() -> None:
    elected = vote(
        ballot("KHN991", 0.7, at=1),
        ballot("KHN981", 0.75, at=2, height=40),
        ballot("KHN991", 0.9, at=3),
        ballot("KHN991", 0.95, at=4, pictured=False),
    )
    assert (elected.plate, elected.best.at) == ("KHN991", 3)
    assert elected.picture == elected.best.picture
    assert elected.pictures == ()
    more = vote(*(ballot("KHN991", at=n) for n in range(6)), best_exposure_only=False, max_pictures=4)
    assert len({more.picture.blob, *(picture.blob for picture in more.pictures)}) == 4


def test_no_picture_no_vote() -> None:
    assert elect([ballot("KHN991", pictured=False)], Rules()) is None
    assert elect([], Rules()) is None


TEXTS = st.text(alphabet="ABCDXYZ0189", max_size=9)
BALLOTS = st.builds(
    ballot,
    TEXTS,
    st.floats(0, 1),
    at=st.integers(0, 99),
    height=st.floats(0, 100),
    sharpness=st.floats(0, 1e6),
    layout=st.sampled_from([None, "br-old", "br-mercosul"]),
    pictured=st.booleans(),
)


@given(st.lists(BALLOTS, max_size=12), st.booleans(), st.integers(0, 5), st.integers(0, 4))
def test_any_readings_can_be_voted_on(ballots: list[Ballot], enabled: bool, last: int, different: int) -> None:
    rules = Rules(enabled=enabled, last_readings=last, max_different_characters=different)
    elected = elect(ballots, rules)
    if elected is None:
        assert not any(each.picture for each in ballots)
        return
    assert elected.plate == "".join(character.char for character in elected.characters)
    assert 0.0 <= elected.confidence <= 1.0
    assert all(0.0 <= each.confidence <= 1.0 for each in elected.characters)
    assert elected.best in ballots and elected.best.picture == elected.picture
    assert elect(ballots, rules) == elected


# --- plates too small to be read ---------------------------------------------------------------------------


def test_a_vehicle_that_was_only_seen_far_away_stays_in_doubt_however_sure_its_reader() -> None:
    far = vote(ballot("YXL803", 0.9, height=5.0), ballot("YXL803", 0.9, height=5.5, at=1))
    assert far.plate == "YXL803" and far.confidence == 0.0
    assert vote(ballot("YXL803", 0.9, height=7.0)).confidence == pytest.approx(0.45, abs=0.01), "half legible"


def test_far_readings_take_nothing_from_what_was_read_near() -> None:
    near = ballot("RJQ8D13", 0.8, height=12.0)
    alone = vote(near)
    with_far = vote(near, *(ballot("RJQ8313", 0.9, height=5.0, at=n) for n in range(1, 6)))
    assert with_far.plate == "RJQ8D13"
    assert with_far.confidence == pytest.approx(alone.confidence, abs=0.02)
