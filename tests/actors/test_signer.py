"""The signer: from PassageDecided to PassageSigned, the same bytes each time; the key's file."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import anyio
import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from lpr.actors.signer import PLATE_WIDTH, Signer, SignerError, comment_items, plate_picture, plate_rows
from lpr.config import Sign
from lpr.core.actor import run_worker
from lpr.core.blobs import BlobStore
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.core.record import Link
from lpr.events import BlobMissing, Character, Event, PassageDecided, PassageSigned, Picture, Vote
from lpr.keys import KeyProblem, SigningKey, load_key, load_or_create, load_trusted
from lpr.protocols.vtr600.comment import fields_of, read_items
from lpr.protocols.vtr600.keys import TrustedKey, load
from lpr.protocols.vtr600.segments import last_comment
from lpr.protocols.vtr600.verdict import verify
from lpr.scene.street import Street
from lpr.vision.strips import decode_rows

GOLDEN = Path(__file__).parents[1] / "golden" / "jpeg"
STREET = Street(1, 640, 360)
INDEX = 260
FRAME = STREET.frame(INDEX)
TRUTH = max(STREET.vehicles_at(INDEX), key=lambda truth: truth.width)
JPEG = cv2.imencode(".jpg", FRAME, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


@pytest.fixture(scope="module", name="key")
def signing_key() -> SigningKey:
    return load((GOLDEN / "key-2048.pem").read_bytes())


def decided(blob: str) -> PassageDecided:
    xs, ys = [x for x, _ in TRUTH.corners], [y for _, y in TRUTH.corners]
    return PassageDecided(
        source="camera",
        lane="north; left",
        plate=TRUTH.plate,
        confidence=0.93,
        characters=tuple(Character(char=c, confidence=0.9) for c in TRUTH.plate),
        country=TRUTH.country,
        layout=TRUTH.layout,
        at=1_763_705_469_250_000,
        first_at=1_763_705_468_000_000,
        last_at=1_763_705_469_500_000,
        capture="camera@1763705469250000",
        exposure=0,
        picture=Picture(blob=blob, width=640, height=360, bytes=len(JPEG)),
        box=(min(xs), min(ys), max(xs), max(ys)),
        corners=TRUTH.corners,
        direction=TRUTH.direction,
        reads=5,
        votes=(Vote(capture="camera@1763705469250000", exposure=0, text=TRUTH.plate, confidence=0.9, weight=1.0),),
        plate_colour="white",
        vehicle="car",
    )


async def run_signer(
    tmp_path: Path, worker: Callable[[BlobStore], Signer], event: Callable[[str], PassageDecided]
) -> list[Link]:
    """A log with one passage, worked off by the signer."""
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append((event(await blobs.put(JPEG)),), actor="voter")
        async with anyio.create_task_group() as group:
            group.start_soon(run_worker, worker(blobs), log, clock)
            with anyio.fail_after(60):
                await log.wait(log.head)
            group.cancel_scope.cancel()
        return await log.read(0)


def of_kind(records: list[Link], kind: type[Event]) -> list[Event]:
    return [record.event for record in records if isinstance(record.event, kind)]


@pytest.mark.anyio
async def test_a_passage_is_signed(tmp_path: Path, key: SigningKey) -> None:
    settings = Sign(utc_offset="-03:00", plate_colour_codes={"white": 7}, device="gate = 1")
    records = await run_signer(tmp_path, lambda blobs: Signer(settings, key, blobs, offload=inline), decided)
    (signed,) = of_kind(records, PassageSigned)
    assert isinstance(signed, PassageSigned)
    assert signed.passage == records[0].id
    assert (signed.plate, signed.at, signed.key) == (TRUTH.plate, 1_763_705_469_250_000, key.fingerprint)
    blobs = BlobStore(tmp_path / "blobs", inline)
    data = blobs.read(signed.picture.blob)
    assert (signed.picture.width, signed.picture.height, signed.picture.bytes) == (640, 360, len(data))
    assert verify(data, TrustedKey(key.fingerprint)).authentic is True
    items = read_items(last_comment(data) or b"")
    fields = fields_of(items)
    assert (fields.plates, fields.voted, fields.at) == ((TRUTH.plate,), TRUTH.plate, signed.at)
    assert fields.plate_colours == (7,)
    assert dict(items)["Horario"] == "21/11/25 03:11:09"
    assert dict(items)["LprLane"] == "north; left"
    assert dict(items)["LprDevice"] == "gate = 1"
    assert dict(items)["LprPassage"] == records[0].id
    plate = cv2.imdecode(np.frombuffer(blobs.read(signed.plate_picture.blob), np.uint8), cv2.IMREAD_COLOR)
    assert plate is not None
    assert plate.shape[1::-1] == (signed.plate_picture.width, signed.plate_picture.height)
    assert plate.shape[1] == PLATE_WIDTH


@pytest.mark.anyio
async def test_twice_the_same_bytes(tmp_path: Path, key: SigningKey) -> None:
    (tmp_path / "a").mkdir()
    records = await run_signer(tmp_path / "a", lambda blobs: Signer(Sign(), key, blobs, offload=inline), decided)
    (first,) = of_kind(records, PassageSigned)
    signer = Signer(Sign(), key, BlobStore(tmp_path / "a" / "blobs", inline), offload=inline)
    assert await signer.work(records[0]) == (first,)


@pytest.mark.anyio
async def test_without_a_signature_the_comment_is_there(tmp_path: Path) -> None:
    settings = Sign(enabled=False)
    records = await run_signer(tmp_path, lambda blobs: Signer(settings, None, blobs, offload=inline), decided)
    (signed,) = of_kind(records, PassageSigned)
    assert isinstance(signed, PassageSigned)
    assert signed.key == ""
    data = BlobStore(tmp_path / "blobs", inline).read(signed.picture.blob)
    assert verify(data).status == "unsigned"
    assert dict(read_items(last_comment(data) or b""))["Placa"] == TRUTH.plate


@pytest.mark.anyio
@pytest.mark.parametrize("content", [None, b"damaged"])
async def test_a_picture_gone(tmp_path: Path, key: SigningKey, content: bytes | None) -> None:
    def event(blob: str) -> PassageDecided:
        path = BlobStore(tmp_path / "blobs", inline).path(blob)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        return decided(blob)

    records = await run_signer(tmp_path, lambda blobs: Signer(Sign(), key, blobs, offload=inline), event)
    (missing,) = of_kind(records, BlobMissing)
    assert isinstance(missing, BlobMissing)
    assert missing.noticed_by == "signer"
    assert not of_kind(records, PassageSigned)


@pytest.mark.anyio
async def test_a_picture_that_is_none(tmp_path: Path, key: SigningKey) -> None:
    blobs = BlobStore(tmp_path / "blobs", inline)
    blob = await blobs.put(b"\xff\xd8 no picture")
    records = await run_signer(tmp_path, lambda _: Signer(Sign(), key, blobs, offload=inline), lambda _: decided(blob))
    (missing,) = of_kind(records, BlobMissing)
    assert isinstance(missing, BlobMissing)
    assert "can't be signed" in missing.problem


def test_the_plate_is_cut_out_of_the_rows_round_it_as_out_of_the_whole_picture() -> None:
    passage = decided("0" * 64)
    across = -(-FRAME.shape[1] // 16)
    data = cv2.imencode(".jpg", FRAME, [cv2.IMWRITE_JPEG_RST_INTERVAL, across])[1].tobytes()
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    strip = decode_rows(data, *plate_rows(passage))
    assert strip is not None and strip.pixels.shape[0] < FRAME.shape[0] / 2
    cut = plate_picture(strip.pixels, passage, strip.top).astype(int)
    assert np.abs(cut - plate_picture(image, passage)).max() <= 2, "but for the rounding of places"
    nowhere = replace(passage, corners=((5.0, 5.0),) * 4)
    assert plate_rows(nowhere) == (-np.inf, np.inf)


def test_the_plate_is_cut_out_whatever_the_corners() -> None:
    passage = decided("0" * 64)
    good = plate_picture(FRAME, passage)
    assert good.shape[1] == PLATE_WIDTH
    nowhere = ((5.0, 5.0), (5.0, 5.0), (5.0, 5.0), (5.0, 5.0))
    boxed = plate_picture(FRAME, replace(passage, corners=nowhere))
    assert boxed.shape[1] == PLATE_WIDTH
    whole = plate_picture(FRAME, replace(passage, corners=nowhere, box=(5.0, 5.0, 5.0, 5.0)))
    assert whole.shape[1] == PLATE_WIDTH
    nan = float("nan")
    odd = replace(passage, corners=((nan, nan),) * 4, box=(nan, nan, nan, nan))
    assert plate_picture(FRAME, odd).shape[1] == PLATE_WIDTH


def test_codes_that_nobody_gave_are_not_written() -> None:
    passage = decided("0" * 64)
    names = [name for name, _ in comment_items(replace(passage, country="CL"), "id", Sign())]
    assert "OCRCountryCode" not in names
    assert "CorPlaca" not in names
    coded = dict(comment_items(replace(passage, country="CL"), "id", Sign(country_codes={"CL": 152})))
    assert coded["OCRCountryCode"] == "152"
    unread = dict(comment_items(replace(passage, plate="", votes=()), "id", Sign()))
    assert unread["Placa"] == "0000000"
    assert "PlateMV" not in unread


def test_signing_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match=r"sign\.key_file"):
        Signer(Sign(), None, BlobStore(tmp_path))


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "sign.pem"
    key = load_or_create(path, 1024)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_or_create(path, 2048).fingerprint == key.fingerprint
    assert [entry.name for entry in path.parent.iterdir()] == ["sign.pem"]
    assert load_trusted(str(path)).fingerprint == key.fingerprint
    assert load_trusted(key.fingerprint).fingerprint == key.fingerprint


def test_what_is_wrong_with_a_key_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="could not be read from"):
        load_or_create(tmp_path / "none.pem", create=False)
    bad = tmp_path / "bad.pem"
    bad.write_text("-----BEGIN RUBBISH")
    with pytest.raises(KeyProblem, match=r"bad\.pem"):
        load_key(bad)
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyProblem, match="could not be kept"):
        load_or_create(tmp_path / "file" / "sign.pem", 1024)
    secret = tmp_path / "password"
    secret.write_bytes(b"golden password\n")
    assert load_key(GOLDEN / "key-2048.p12", secret).bits == 2048
    with pytest.raises(KeyProblem, match="password could not be read"):
        load_key(GOLDEN / "key-2048.p12", tmp_path / "gone")
