"""The signer: gives every passage its pictures for the outside.

On PassageDecided it reads the best exposure, puts the comment and the signature into it (``lpr.protocols.vtr600``),
cuts the plate out, stores both and answers PassageSigned: all in one call to a worker thread. Of the picture only the
rows round the plate are decoded. The same input gives the same bytes: no clock, no chance.
A picture that is gone gives BlobMissing and no PassageSigned: there is nothing to deliver, and the status counts it.

May import ``lpr.events``, ``lpr.config``, ``lpr.core``, ``lpr.protocols`` and ``lpr.vision``.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.config import Sign
from lpr.core.blobs import BlobStore
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.offload import Offload, in_thread
from lpr.core.record import Record
from lpr.events import BlobMissing, Corners, Event, PassageDecided, PassageSigned, Picture
from lpr.protocols.vtr600.comment import CommentError, Fields, Item, Make, Vehicle, items_of
from lpr.protocols.vtr600.keys import SigningKey
from lpr.protocols.vtr600.segments import JpegError, remove_comments
from lpr.protocols.vtr600.signature import add_comment, sign
from lpr.vision.rectify import RectifyError, corners_of_box, rectify, whole
from lpr.vision.strips import decode_rows

PLATE_WIDTH = 200
"""Width of the plate's picture, pixels."""
PLATE_HEIGHTS = (48, 200)
"""Least and greatest height of the plate's picture."""
PLATE_QUALITY = 90
"""JPEG quality of the plate's picture."""
ROUND_PLATE = 0.5
"""Rows above and below the plate that are decoded with it, in heights of the plate: its picture has a margin."""


class SignerError(Exception):
    """The signer cannot be set up. The text names the setting and the remedy."""


class Signer:
    """A worker (``lpr.core.actor.run_worker``). ``key``: None when signing is off: the comment alone is written.

    Raises SignerError when signing is on and there is no key.
    """

    name = "signer"
    interests: tuple[type[Event], ...] = (PassageDecided,)

    def __init__(
        self, settings: Sign, key: SigningKey | None, blobs: BlobStore, *, offload: Offload = in_thread
    ) -> None:
        if settings.enabled and key is None:
            raise SignerError("sign.enabled is true, but there is no key: give sign.key_file, or let one be made")
        self._settings = settings
        self._key = key if settings.enabled else None
        self._blobs = blobs
        self._offload = offload

    async def work(self, record: Record) -> tuple[Event, ...]:
        """PassageSigned, or BlobMissing. Raises BlobUnavailableError (disk full): to be tried again."""
        decided = record.event
        if not isinstance(decided, PassageDecided):
            return ()
        try:
            signed = await self._offload(partial(self._sign, decided, record.id))
        except (BlobMissingError, BlobDamagedError) as error:
            return (BlobMissing(blob=decided.picture.blob, noticed_by=self.name, problem=str(error)),)
        except (JpegError, CommentError) as error:
            problem = f"passage {record.id} can't be signed: {error}"
            return (BlobMissing(blob=decided.picture.blob, noticed_by=self.name, problem=problem),)
        return (signed,)

    def _sign(self, decided: PassageDecided, passage: str) -> PassageSigned:
        """Everything that takes time. Raises JpegError, CommentError, and what the blob store raises."""
        data = self._blobs.read(decided.picture.blob)
        strip = decode_rows(data, *plate_rows(decided))
        if strip is None:
            raise JpegError("the picture can't be decoded")
        items = comment_items(decided, passage, self._settings)
        bare = remove_comments(data)
        signed = sign(bare, items, self._key) if self._key is not None else add_comment(bare, items)
        plate = plate_picture(strip.pixels, decided, strip.top)
        coded = cv2.imencode(".jpg", plate, [cv2.IMWRITE_JPEG_QUALITY, PLATE_QUALITY])[1].tobytes()
        return PassageSigned(
            passage=passage,
            plate=decided.plate,
            at=decided.at,
            picture=self._stored(signed, strip.width, strip.height),
            plate_picture=self._stored(coded, plate.shape[1], plate.shape[0]),
            key=self._key.fingerprint if self._key is not None else "",
        )

    def _stored(self, data: bytes, width: int, height: int) -> Picture:
        return Picture(blob=self._blobs.store(data), width=width, height=height, bytes=len(data))


def plate_rows(decided: PassageDecided) -> tuple[float, float]:
    """The rows of the picture (from, to; pixels) in which ``plate_picture`` looks for the plate; all, if in doubt."""
    quads = np.array((decided.corners, corners_of_box(decided.box)), np.float64)
    if not np.isfinite(quads).all() or (quads.max(1) - quads.min(1)).min() < 2.0:
        return (-np.inf, np.inf)
    low, high = float(quads[:, :, 1].min()), float(quads[:, :, 1].max())
    margin = ROUND_PLATE * (high - low) + 2.0
    return (low - margin, high + margin)


def plate_picture(image: NDArray[np.uint8], decided: PassageDecided, top: int = 0) -> NDArray[np.uint8]:
    """The plate of a passage, upright: (h, ``PLATE_WIDTH``, 3) BGR, its height by the plate's own shape.

    ``image``: (H, W, 3) BGR uint8, the passage's picture from its row ``top`` on. Where its corners are of no use,
    its box is taken, and without that the whole picture.
    """
    for corners in (_moved(decided.corners, -top), _moved(corners_of_box(decided.box), -top), whole(image)):
        quad = np.array(corners, np.float64)
        sides = np.hypot(*(np.roll(quad, -1, 0) - quad).T)
        if not np.isfinite(sides).all() or sides[0] + sides[2] <= 0:
            continue
        height = round(PLATE_WIDTH * float(sides[1] + sides[3]) / float(sides[0] + sides[2]))
        low, high = PLATE_HEIGHTS
        try:
            return rectify(image, corners, (PLATE_WIDTH, min(max(height, low), high)))
        except RectifyError:
            continue
    raise JpegError("the picture has no pixels")


def _moved(corners: Corners, down: int) -> Corners:
    a, b, c, d = ((x, y + down) for x, y in corners)
    return (a, b, c, d)


def comment_items(decided: PassageDecided, passage: str, settings: Sign) -> tuple[Item, ...]:
    """The comment's items of a passage, in the VTR600's tags and in ours (``Lpr…``).

    OCRCountryCode and CorPlaca only stand there for countries and colours that the settings have a number for.
    Raises CommentError.
    """
    x1, y1, x2, y2 = (max(round(side), 0) for side in decided.box)
    country = settings.country_codes.get(decided.country or "")
    colour = settings.plate_colour_codes.get(decided.plate_colour or "")
    others: list[Item] = [
        ("LprPassage", passage),
        ("LprDevice", settings.device),
        ("LprSource", decided.source),
        ("LprLane", decided.lane),
        ("LprDirection", decided.direction),
        ("LprCountry", decided.country or ""),
        ("LprLayout", decided.layout or ""),
        ("LprReliability", ",".join(str(round(100 * c.confidence)) for c in decided.characters)),
        ("LprUtcOffset", settings.utc_offset),
    ]
    fields = Fields(
        plates=(decided.plate,),
        boxes=((x1, y1, max(x2 - x1, 0), max(y2 - y1, 0)),) if decided.plated else (),
        country_codes=() if country is None else (country,),
        plate_colours=() if colour is None else (colour,),
        vehicles=() if decided.vehicle is None else (Vehicle(kind=decided.vehicle),),
        makes=() if decided.make is None else (_make(decided),),
        at=decided.at,
        utc_offset=offset_minutes(settings.utc_offset),
        voted=decided.plate if decided.votes else "",
        others=tuple((key, value) for key, value in others if value),
    )
    return items_of(fields)


def _make(decided: PassageDecided) -> Make:
    """The entry of BMCList; the vote has no percentages of its own."""
    return Make(brand=decided.make or "", model=decided.model or "", colour=decided.vehicle_colour or "")


def offset_minutes(text: str) -> int:
    """``+03:30`` in minutes east of UTC."""
    hours, minutes = text[1:].split(":")
    return (-1 if text[0] == "-" else 1) * (60 * int(hours) + int(minutes))
