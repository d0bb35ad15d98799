"""Writes a network about vehicles as ONNX, and its manifest beside it. Needs PyTorch."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from torch import nn

__all__ = ["write_manifest", "write_onnx"]


def write_onnx(net: nn.Module, size: tuple[int, int], output: str, target: Path) -> str:
    """``target`` from ``net``, which takes uint8 [N, height, width, 3]; ``size``: (width, height). Its SHA-256."""
    onnx: Any = cast("Any", torch).onnx
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no further package
        onnx.export(
            net,
            (torch.zeros(1, size[1], size[0], 3, dtype=torch.uint8),),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=["image"],
            output_names=[output],
            dynamic_axes={"image": {0: "batch"}, output: {0: "batch"}},
        )
    return hashlib.sha256(target.read_bytes()).hexdigest()


def write_manifest(manifest: msgspec.Struct, path: Path) -> None:
    """The manifest as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    path.write_text(text + "\n", encoding="utf-8")
