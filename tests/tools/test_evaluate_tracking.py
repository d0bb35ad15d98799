"""Drives with known truth: that the truth is told, that the scores count, that the voter does well by them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lpr.events import Reading
from lpr.plates.ways import Place
from lpr.scene.street import Truth
from tools.drives.accounts import accounts
from tools.drives.noise import Faults, SimulatedEngine
from tools.drives.pictures import DriveStreet
from tools.drives.roads import MAKERS, drive
from tools.drives.running import Sight, run, shown
from tools.drives.scores import Passing, key_at, passing, readable, tracking
from tools.drives.texts import Texts, compare
from tools.drives.ways import Mover, steady
from tools.evaluate_tracking import main, read_drive, replayed, score, table

RATE = 10.0


def street(name: str, seed: int) -> DriveStreet:
    return DriveStreet(drive(name, seed), RATE)


def truths(of: DriveStreet) -> list[tuple[Truth, ...]]:
    return [of.vehicles_at(index) for index in range(of.frames)]


def looks(of: DriveStreet, seed: int = 0, faults: Faults | None = None) -> list[tuple[Reading, ...]]:
    engine = SimulatedEngine(of, seed, faults)
    return [engine.read(index) for index in range(of.frames)]


def through(name: str, seed: int) -> Passing:
    of = street(name, seed)
    frames = truths(of)
    result = run(shown(looks(of, seed, Faults(false=0.0)), RATE))
    return passing(frames, result.sights, result.passages, RATE)


@pytest.mark.parametrize("name", MAKERS)
def test_a_drive_has_vehicles_that_can_be_read_and_is_the_same_each_time(name: str) -> None:
    first, again = street(name, 3), street(name, 3)
    assert first.drive == again.drive
    frames = truths(first)
    assert len(frames) == first.frames and len(readable(frames)) >= 2
    assert frames[20] == again.vehicles_at(20)
    assert drive(name, 3) != drive(name, 4)


def test_an_unknown_drive_is_refused_with_what_there_is() -> None:
    with pytest.raises(KeyError, match=r"no drive 'nowhere'.*fleet"):
        drive("nowhere", 1)


def test_light_and_lens_spoil_the_picture() -> None:
    plain, spoilt = street("free", 1), street("dusk glare", 1)
    assert plain.frame(5).shape == (540, 960, 3)
    assert np.array_equal(spoilt.frame(5), spoilt.frame(5))
    assert spoilt.veil(5) > 0.0 == plain.veil(5)
    assert spoilt.shake(5) != (0.0, 0.0) == plain.shake(5)


def test_the_way_is_the_integral_of_the_speed() -> None:
    mover = Mover(
        key=1, plate="A", layout="br-old", direction="approach", z=30.0, enters=1.0,
        speeds=((0.0, 10.0), (1.0, 10.0), (3.0, 0.0), (4.0, 0.0)), across=((0.0, 1.0), (2.0, 3.0)),
    )  # fmt: skip
    assert mover.place(0.9) is None
    assert mover.place(2.0) == pytest.approx((3.0, 20.0))
    assert mover.place(9.0) == pytest.approx((3.0, 10.0))
    assert mover.place(1.0) == pytest.approx((2.0, 30.0))
    assert mover.speed(3.0) == pytest.approx(5.0)
    assert steady(4.0) == ((0.0, 4.0),)


def test_the_simulated_engine_reads_worse_what_is_harder() -> None:
    def exact(name: str, faults: Faults | None = None) -> float:
        of = street(name, 2)
        plates = {truth.plate for frame in truths(of) for truth in frame}
        read = [reading.text in plates for each in looks(of, faults=faults) for reading in each]
        return sum(read) / len(read)

    assert looks(street("free", 2)) == looks(street("free", 2))
    assert exact("free") > exact("blur")
    assert exact("free") > exact("free", Faults(clear=3.0))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["fleet", "platoon", "occlusion", "crossing", "motorcycles", "stop and go"])
def test_every_vehicle_passes_once_with_its_plate(name: str, seed: int) -> None:
    found = through(name, seed)
    assert (found.missed, found.merged, found.doubled, found.false) == (0, 0, 0, 0), found
    assert found.exact == found.vehicles


def test_fusion_reads_more_than_the_best_frame_and_than_a_vote_of_texts() -> None:
    total = Texts()
    for seed in range(3):
        of = street("platoon", seed)
        frames = truths(of)
        read = looks(of, seed, Faults(clear=4.2, lasting=1.2, passing=1.6, single=1.2))
        found = score(frames, read, RATE)
        total.add(found.texts)
    assert total.vehicles >= 18
    assert total.exact["fusion"] > total.exact["vote"] >= total.exact["single"]
    assert total.calibration("fusion") < total.calibration("vote")


def test_two_ways_are_held_against_each_other() -> None:
    told = {"fusion": [True] * 11 + [False] * 2, "single": [True] * 4 + [False] * 7 + [True, False]}
    texts = Texts(vehicles=13, told={way: [(0.9, right) for right in each] for way, each in told.items()})
    ours, theirs, chance = texts.against("fusion", "single")
    assert (ours, theirs) == (7, 1)
    assert chance == pytest.approx(2 * (1 + 8) / 2**8)
    assert texts.against("single", "fusion") == (1, 7, chance)
    assert texts.against("fusion", "fusion") == (0, 0, 1.0)
    assert Texts().against("fusion", "vote") == (0, 0, 1.0)


# --- the scores themselves -----------------------------------------------------------------------------


def truth(key: int, x: float, width: float = 60.0, visible: float = 1.0) -> Truth:
    corners = ((x, 100.0), (x + width, 100.0), (x + width, 118.0), (x, 118.0))
    return Truth(
        key=key, plate=f"ABC123{key}", country="BR", layout="br-old", corners=corners, visible=visible, vehicle="car",
        colour="white", lane=1, direction="away",
    )  # fmt: skip


def sight(index: int, number: int, x: float) -> Sight:
    return Sight(index, number, Place(0, x + 30.0, 109.0, 60.0, 18.0))


def test_a_perfect_tracker_has_full_marks() -> None:
    frames = [(truth(1, 100.0), truth(2, 400.0))] * 4
    found = tracking(frames, [sight(n, key, x) for n in range(4) for key, x in ((7, 100.0), (8, 400.0))])
    assert (found.mota, found.idf1, found.switches, found.fragments, found.false) == (1.0, 1.0, 0, 0, 0)


def test_misses_switches_fragments_and_false_ones_are_counted() -> None:
    frames = [(truth(1, 100.0),)] * 6
    seen = [sight(0, 7, 100.0), sight(1, 7, 100.0), sight(3, 7, 100.0), sight(4, 9, 100.0), sight(5, 9, 100.0)]
    found = tracking(frames, [*seen, sight(5, 4, 700.0)])
    assert (found.truths, found.found, found.switches, found.fragments, found.false) == (6, 5, 1, 1, 1)
    assert found.mota == pytest.approx(1.0 - (1 + 1 + 1) / 6)
    assert found.shared == 3 and found.idf1 == pytest.approx(2 * 3 / (6 + 6))


def test_identities_are_paired_for_the_most_together() -> None:
    """Greedy takes 3 + 0; the best pairing is 2 + 2."""
    frames = [(truth(1, 100.0), truth(2, 400.0))] * 5
    ones = [sight(n, number, 100.0) for n, number in enumerate((7, 7, 7, 8, 8))]
    twos = [sight(n, number, 400.0) for n, number in enumerate((9, 9, 9, 7, 7))]
    assert tracking(frames, [*ones, *twos]).shared == 6, "7 is 1's three times, 9 is 2's three times"
    twos = [sight(n, 7, 400.0) for n in (3, 4)]
    assert tracking(frames, [*ones, *twos]).shared == 4, "8 is 1's twice, 7 is 2's twice"


def test_what_is_small_or_hidden_is_neither_missed_nor_false() -> None:
    frames = [(truth(1, 100.0, width=20.0), truth(2, 400.0, visible=0.3))]
    found = tracking(frames, [Sight(0, 1, Place(0, 110.0, 109.0, 20.0, 6.0))])
    assert (found.truths, found.found, found.false) == (0, 0, 0)


def test_the_nearest_plate_in_view_is_meant() -> None:
    seen = Place(0, 130.0, 109.0, 60.0, 18.0)
    assert key_at((truth(1, 110.0), truth(2, 102.0)), seen) == 2
    assert key_at((truth(1, 110.0), truth(2, 102.0, visible=0.1)), seen) == 1
    assert key_at((truth(3, 300.0),), seen) is None


def test_nothing_read_is_missed_and_nothing_else() -> None:
    frames = truths(street("free", 1))
    vehicles = len(readable(frames))
    assert passing(frames, [], [], RATE) == Passing(vehicles=vehicles, missed=vehicles)


def test_the_command_writes_a_table_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "drives.json"
    arguments = ["--engine", "simulated", "--drives", "fleet", "free", "--seeds", "1", "--json", str(out)]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "| fleet |" in printed.out and "| all |" in printed.out
    assert "2/2 free 1" in printed.err
    figures = json.loads(out.read_text())
    assert set(figures["drives"]) == {"fleet", "free"}
    assert figures["all"]["passages"]["vehicles"] == sum(
        each["passages"]["vehicles"] for each in figures["drives"].values()
    )
    assert table({}).splitlines()[-1].startswith("| all | 0 |")


def test_kept_readings_are_replayed_without_an_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = street("fleet", 2)
    engine = SimulatedEngine(of, 2)
    first = read_drive(of, engine, tmp_path, "an engine")
    assert replayed(of, tmp_path) == first == [engine.read(index) for index in range(of.frames)]
    arguments = ["--drives", "fleet", "--first-seed", "2", "--seeds", "1", "--replay", str(tmp_path), "--quiet"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "| fleet | 3 | 3 |" in printed and "by confidence: " in printed and "to the passage: " in printed
    read_drive(of, engine, tmp_path, "another engine")
    with pytest.raises(SystemExit, match="has 2 files fleet-2-"):
        main(arguments)
    with pytest.raises(SystemExit, match="has 0 files fleet-3-"):
        main([*arguments[:3], "3", *arguments[4:]])


def test_what_became_of_a_vehicle_is_told() -> None:
    of = street("fleet", 2)
    frames, read = truths(of), looks(of, 2)
    well = run(shown(read, RATE))
    assert accounts(frames, read, well, RATE) == []
    assert len(well.told) == len(well.passages) == 3 and well.told[0] is not None
    nothing = accounts(frames, read, run(shown([()] * len(read), RATE)), RATE)
    assert [fault for fault, _ in nothing] == ["missed"] * 3
    assert "vehicle 1" in nothing[0][1] and "100% in view" in nothing[0][1] and "not recorded" in nothing[0][1]
    wrong = [tuple(msgspec.structs.replace(each, text="ZZZ0000", characters=()) for each in look) for look in read]
    faults = accounts(frames, wrong, run(shown(wrong, RATE)), RATE)
    assert "wrong" in {fault for fault, _ in faults} and any("passed: ZZZ0000" in account for _, account in faults)


def test_delays_and_reliabilities_are_counted() -> None:
    of = street("fleet", 2)
    found = score(truths(of), looks(of, 2), RATE)
    assert len(found.delays) == len(found.told) == 3
    assert 0.0 < found.delay(0.0) <= found.delay(0.5) <= found.delay(0.9) <= 8.0
    assert sum(int(part.split(" of ")[1]) for part in found.reliability().split("; ")) == 3


def test_one_vehicle_three_ways() -> None:
    reading = looks(street("free", 2))
    plate = max((each for look in reading for each in look), key=lambda each: each.confidence)
    found = compare(plate.text, [(0, plate), (1, plate)], RATE)
    assert found.exact == {"single": 1, "vote": 1, "fusion": 1}
