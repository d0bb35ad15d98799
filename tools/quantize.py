"""Static int8 for a detector or a reader: ``python -m tools.quantize MANIFEST --pictures FOLDER --out FOLDER``.

The convolutions of the model that a manifest describes get 8-bit weights (a scale a channel) and activations whose
ranges are measured on pictures (QDQ format): whole pictures for a detector, annotated plates for a reader. Only
pictures of a licence that permits it may shape a model that ships. The new model and its manifest, with the new
SHA-256, are written to another folder, with the network of a closer look where a detector has one; size, time and the
change of the outputs are printed.

``quantize`` is also what the exporters of ``tools.train`` call. Needs the package ``onnx`` (extra "dev" or "train").
May import ``lpr.vision``, ``tools.evaluate``, numpy, onnxruntime.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.vision.corners import CornersManifest
from lpr.vision.detect import DetectorManifest, Fit, fit, letterbox
from lpr.vision.manifest import InputSpec, ModelError, ReaderManifest, load_manifest, model_file, open_session, prepare
from lpr.vision.pictures import decode_image
from lpr.vision.rectify import RectifyError, corners_of_box, rectify, to_gray
from tools.evaluate.samples import FolderError, load, thinned
from tools.options import from_one

__all__ = ["batches_for", "main", "quantize", "quantized"]

Batch = dict[str, NDArray[Any]]


def quantize(
    source: Path,
    target: Path,
    batches: Iterable[Batch],
    *,
    operators: Sequence[str] = ("Conv",),
    exclude: Sequence[str] = (),
    reduce_range: bool = True,
) -> None:
    """Write ``source`` to ``target`` with int8 ``operators`` but for the nodes named in ``exclude``.

    ``batches``: inputs by name, to measure ranges. ``reduce_range``: 7-bit weights, for processors without VNNI, whose
    16-bit sums 8-bit products overflow. Raises ValueError without a batch.
    """
    q = cast("Any", importlib.import_module("onnxruntime.quantization"))
    shapes = cast("Any", importlib.import_module("onnxruntime.quantization.shape_inference"))
    rest = list(batches)
    if not rest:
        raise ValueError("quantizing needs at least one batch of pictures to measure the ranges of the activations")
    given = iter(rest)

    def get_next(_: object) -> Batch | None:
        return next(given, None)

    reader = type("Reader", (q.CalibrationDataReader,), {"get_next": get_next})
    ready = target.with_suffix(".ready.onnx")
    try:
        shapes.quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        q.quantize_static(
            str(ready),
            str(target),
            reader(),
            quant_format=q.QuantFormat.QDQ,
            per_channel=True,
            op_types_to_quantize=list(operators),
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            reduce_range=reduce_range,
            calibrate_method=q.CalibrationMethod.MinMax,
            nodes_to_exclude=list(exclude),
        )
    finally:
        ready.unlink(missing_ok=True)


def batches_for(manifest: DetectorManifest | ReaderManifest, folders: Sequence[Path], most: int) -> list[Batch]:
    """What the model is fed on at most ``most`` pictures of each folder, one a batch.

    Raises FolderError, ImageError.
    """
    spec = manifest.input
    out: list[Batch] = []
    for path in folders:
        for photo in thinned(load(path), most).photos:
            image = decode_image(photo.path)
            if isinstance(manifest, DetectorManifest):
                out.append({spec.name: _whole(image, manifest)})
                continue
            for plate in photo.plates or ():
                margin = (0.0, 0.0) if plate.is_crop else manifest.margin
                try:
                    corners = plate.corners or corners_of_box(plate.box)
                    patch = rectify(image, corners, (spec.width, spec.height), margin)
                except RectifyError:
                    continue
                out.append({spec.name: prepare([to_gray(patch) if spec.colour == "gray" else patch], spec)})
    return out


def _whole(image: NDArray[np.uint8], manifest: DetectorManifest) -> NDArray[Any]:
    """A whole picture as the detector gets it; of a network of free size the usual one."""
    spec = manifest.input
    height, width = image.shape[:2]
    if manifest.fit == "stretch":
        size = (spec.width, spec.height)
        return prepare([np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)], spec)
    if manifest.multiple:
        place = fit(width, height, max(spec.width, spec.height), manifest.multiple)
    else:
        scale = min(spec.width / width, spec.height / height)
        left = (spec.width - max(round(width * scale), 1)) // 2
        top = (spec.height - max(round(height * scale), 1)) // 2
        place = Fit(spec.width, spec.height, scale, left, top)
    sized: InputSpec = msgspec.structs.replace(spec, width=place.width, height=place.height)
    return prepare([letterbox(image, place)], sized)


def _check_nodes(model: Path, exclude: Sequence[str]) -> None:
    """Raises ModelError for a model that is quantized already, and for names that none of its nodes has."""
    onnx = cast("Any", importlib.import_module("onnx"))
    nodes = onnx.load(str(model)).graph.node
    if any(node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear") for node in nodes):
        raise ModelError(f"{model}: the model is quantized already; give the one that it was made from")
    unknown = sorted(set(exclude) - {node.name for node in nodes})
    if unknown:
        raise ModelError(f"{model}: --exclude names nodes that the model hasn't: {', '.join(unknown)}")


def _copy_closer(manifest: Path, out: Path) -> None:
    """The closer look beside the new detector, as it is. Raises ModelError."""
    own = load_manifest(manifest, CornersManifest)
    (out / own.file).write_bytes(model_file(manifest, own.file, own.sha256))
    (out / manifest.name).write_bytes(manifest.read_bytes())


def quantized(path: Path, batches: Sequence[Batch], out: Path, exclude: Sequence[str] = ()) -> dict[str, Any]:
    """Quantize the model of the manifest at ``path`` into the folder ``out``; what came of it.

    Raises ModelError, ValueError.
    """
    raw = cast("dict[str, Any]", json.loads(path.read_bytes()))
    file = str(raw["file"])
    data = model_file(path, file, str(raw["sha256"]))
    out.mkdir(parents=True, exist_ok=True)
    target = out / file
    if target.resolve() == (path.parent / file).resolve():
        raise ModelError(f"{out}: the new model would overwrite the old one; name another folder")
    _check_nodes(path.parent / file, exclude)
    quantize(path.parent / file, target, batches, exclude=exclude)
    new = target.read_bytes()
    raw |= {"sha256": hashlib.sha256(new).hexdigest(), "name": f"{raw['name']}-int8"}
    (out / path.name).write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    if raw.get("closer"):
        _copy_closer(path.with_name(str(raw["closer"])), out)
    before, after = open_session(path, data), open_session(target, new)
    worst = spread = 0.0
    times = [0.0, 0.0]
    for batch in batches:
        outputs: list[Sequence[NDArray[np.float32]]] = []
        for number, session in enumerate((before, after)):
            began = time.process_time()
            outputs.append(session.run(None, batch))
            times[number] += time.process_time() - began
        for old, fresh in zip(outputs[0], outputs[1], strict=True):
            worst = max(worst, float(np.abs(old - fresh).max(initial=0.0)))
            spread = max(spread, float(np.ptp(old)) if old.size else 0.0)
    return {
        "bytes_before": len(data),
        "bytes": len(new),
        "ms_before": round(times[0] / len(batches) * 1000, 3),
        "ms": round(times[1] / len(batches) * 1000, 3),
        "worst_change": round(worst, 4),
        "range_of_outputs": round(spread, 4),
    }


def _kind(path: Path) -> str:
    """What a manifest describes. Raises ModelError."""
    kind = load_manifest(path, _AnyManifest).kind
    if kind not in ("detector", "reader"):
        raise ModelError(f"{path}: describes a model of kind {kind!r}; detectors and readers can be quantized")
    return kind


class _AnyManifest(msgspec.Struct):
    """As much of a manifest as all kinds have in common."""

    kind: str


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    parser = argparse.ArgumentParser(prog="tools.quantize", description="Static int8 for a detector or a reader.")
    parser.add_argument("manifest", type=Path, help="of a detector or a reader in float32")
    parser.add_argument("--pictures", type=Path, action="append", required=True, help="folder (repeatable)")
    parser.add_argument("--most", type=from_one, default=100, help="pictures of each folder at most, evenly picked")
    parser.add_argument("--out", type=Path, required=True, help="another folder than the manifest's")
    parser.add_argument("--exclude", action="append", default=[], help="node that stays as it is (repeatable)")
    given = parser.parse_args(words)
    try:
        own = load_manifest(given.manifest, DetectorManifest if _kind(given.manifest) == "detector" else ReaderManifest)
        own.check(given.manifest)
        batches = batches_for(own, given.pictures, given.most)
        print(json.dumps(quantized(given.manifest, batches, given.out, given.exclude)))
    except (ModelError, FolderError, ValueError, OSError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
