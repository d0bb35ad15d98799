"""What an ONNX model is and how to feed it: a JSON file beside the model, checked before the model is used.

A manifest makes any detector or reader usable without code: it names the file and its SHA-256, the input (size,
layout, colour, scale) and the outputs (names, alphabet, slots, decoding). Everything that can be wrong with it is
refused with a ModelError that says where and what to do. docs/models.md describes the keys.

May import ``lpr.events`` only, msgspec and onnxruntime.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeVar, cast

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

__all__ = [
    "READER",
    "InputSpec",
    "ModelError",
    "ReaderManifest",
    "Session",
    "load_manifest",
    "model_file",
    "open_session",
    "prepare",
]

READER: Final = Path(__file__).parent / "models" / "reader.json"
"""The reader that comes with the package."""


class ModelError(Exception):
    """A model or its manifest cannot be used. The text names the file, what was found and the remedy."""


class InputSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One picture input. ``layout``: order of the axes. ``colour``: what the channels are. ``dtype``: element type.

    Values are ``(pixel * scale + offset - mean) / std`` with pixels from 0 to 255; ``mean`` and ``std``: one number a
    channel in the order of ``colour``, or none. With ``dtype`` uint8 pixels are given as they are.
    """

    name: str
    width: int
    height: int
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["gray", "rgb", "bgr"] = "gray"
    dtype: Literal["float32", "uint8"] = "float32"
    scale: float = 1.0
    offset: float = 0.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values and len(values) != self.channels:
                raise ModelError(
                    f"{path}: input {name} has {len(values)} numbers; {self.colour} has {self.channels} channels"
                )
        if not all(math.isfinite(v) for v in (*self.mean, *self.std, self.scale, self.offset)) or 0 in self.std:
            raise ModelError(f"{path}: input scale, offset, mean and std must be finite, std not 0")
        plain = self.scale == 1.0 and self.offset == 0.0 and not self.mean and not self.std
        if self.dtype == "uint8" and not plain:
            raise ModelError(
                f"{path}: an input of uint8 takes pixels as they are; leave out scale, offset, mean and std"
            )

    @property
    def channels(self) -> int:
        """1 for gray, else 3."""
        return 1 if self.colour == "gray" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one picture, without the batch axis."""
        if self.layout == "NCHW":
            return (self.channels, self.height, self.width)
        return (self.height, self.width, self.channels)


class ReaderManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plate reader.

    ``characters``: name of the output (batch, slots, classes), or (batch, slots * classes). ``alphabet``: the character
    of each class in order, with any sign in the blank's place. ``blank``: index of the blank's class. ``decoding``:
    "slots" (one slot a character) or "ctc" (time steps, repeats and blanks dropped). ``activation``: what the
    outputs are. ``temperature``: divides the logits (calibration). ``layouts``: classes of the optional output
    ``layout_output``; ``rows_output``: optional, probability or logit of a second row. ``margin``: share of plate
    width and height round the plate in the crop.
    """

    kind: Literal["reader"]
    name: str
    file: str
    sha256: str
    input: InputSpec
    characters: str
    alphabet: str
    blank: int
    slots: int
    decoding: Literal["slots", "ctc"] = "slots"
    activation: Literal["softmax", "logits"] = "logits"
    temperature: float = 1.0
    layout_output: str | None = None
    layouts: tuple[str, ...] = ()
    rows_output: str | None = None
    margin: tuple[float, float] = (0.06, 0.10)
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        self.input.check(path)
        if not 0 <= self.blank < len(self.alphabet):
            raise ModelError(f"{path}: blank is {self.blank}, but alphabet has {len(self.alphabet)} classes")
        readable = [char for i, char in enumerate(self.alphabet) if i != self.blank]
        bad = sorted({char for char in readable if not (char.isascii() and char.isalnum()) or char.islower()})
        if bad or len(set(readable)) != len(readable):
            raise ModelError(
                f"{path}: alphabet must hold each of A-Z and 0-9 at most once and the blank, found {bad or 'repeats'}"
            )
        if not 1 <= self.slots <= 256:
            raise ModelError(f"{path}: slots is {self.slots}; allowed are 1 to 256")
        if self.temperature <= 0:
            raise ModelError(f"{path}: temperature is {self.temperature}; it must be above 0")
        if not (8 <= self.input.width <= 2048 and 8 <= self.input.height <= 2048):
            raise ModelError(f"{path}: input size {self.input.width} x {self.input.height} is outside 8..2048")
        if self.layout_output is not None and not self.layouts:
            raise ModelError(f"{path}: layout_output is named, but layouts lists no classes")


class _Value(Protocol):
    name: str
    shape: Sequence[Any]
    type: str


class Session(Protocol):
    """The part of onnxruntime's InferenceSession that is used here."""

    def get_inputs(self) -> Sequence[_Value]: ...
    def get_outputs(self) -> Sequence[_Value]: ...
    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, NDArray[Any]]
    ) -> Sequence[NDArray[np.float32]]: ...


M = TypeVar("M", bound=msgspec.Struct)


def load_manifest(path: Path, kind: type[M]) -> M:
    """Read a manifest of struct ``kind``. Raises ModelError (missing, unreadable, unknown key, wrong type)."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model's manifest cannot be read ({error.strerror}); check the path") from error
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: not a valid manifest: {error}; docs/models.md describes the keys") from error


def model_file(path: Path, file: str, sha256: str) -> bytes:
    """The bytes of the model that the manifest at ``path`` names, its SHA-256 checked. Raises ModelError."""
    model = path.parent / file
    if Path(file).name != file:
        raise ModelError(f"{path}: file must be a plain name beside the manifest, not {file!r}")
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelError(f"{model}: the model named in {path.name} cannot be read ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise ModelError(
            f"{model}: its SHA-256 is {found}, {path.name} says {sha256}; the file is damaged or another one: "
            "install it again or correct the manifest"
        )
    return data


def open_session(path: Path, data: bytes, threads: int = 1) -> Session:
    """An onnxruntime session on the CPU with ``threads`` threads that sleep, not spin, between runs.

    ``path`` is for messages. Raises ModelError for a file that is no model.
    """
    runtime = cast("Any", onnxruntime)
    options: Any = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return cast("Session", runtime.InferenceSession(data, sess_options=options, providers=["CPUExecutionProvider"]))
    except Exception as error:  # onnxruntime raises bare classes of its own
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelError(f"{path}: onnxruntime cannot load the model: {reason}") from error


def check_input(path: Path, session: Session, spec: InputSpec) -> None:
    """Raises ModelError when the model has no such input, or one of another shape or type."""
    inputs = {value.name: value for value in session.get_inputs()}
    found = inputs.get(spec.name)
    if found is None:
        raise ModelError(f"{path}: the model has no input {spec.name!r}; it has {', '.join(sorted(inputs))}")
    wanted = spec.shape
    shape = tuple(found.shape)[1:]
    fits = len(shape) == 3 and all(not isinstance(a, int) or a == b for a, b in zip(shape, wanted, strict=True))
    if not fits:
        raise ModelError(
            f"{path}: input {spec.name!r} has shape {tuple(found.shape)}, the manifest says (batch, {wanted}); "
            "correct width, height, layout or colour"
        )
    kind = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}.get(found.type)
    if kind != spec.dtype:
        raise ModelError(f"{path}: input {spec.name!r} takes {found.type}, the manifest says {spec.dtype}")


def prepare(patches: Sequence[NDArray[np.uint8]], spec: InputSpec) -> NDArray[Any]:
    """Patches of the input's size ((h, w) gray or (h, w, 3) BGR uint8) to one batch in the model's layout. The batch of
    one patch may share its memory."""
    batch = np.stack(patches) if len(patches) != 1 else np.asarray(patches[0])[None]
    if batch.shape[1:3] != (spec.height, spec.width):
        raise ModelError(f"patches are {batch.shape[1:3]}, the model takes {(spec.height, spec.width)}")
    if batch.ndim == 3:
        batch = batch[..., None]
    if spec.colour == "rgb":
        batch = batch[..., ::-1]
    if batch.shape[3] != spec.channels:
        raise ModelError(f"patches have {batch.shape[3]} channels, the model takes {spec.channels} ({spec.colour})")
    if spec.dtype == "uint8":
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if spec.layout == "NCHW" else batch)
    values = np.ascontiguousarray(batch, np.float32) * np.float32(spec.scale) + np.float32(spec.offset)
    if spec.mean:
        values -= np.array(spec.mean, np.float32)
    if spec.std:
        values /= np.array(spec.std, np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if spec.layout == "NCHW" else values)
