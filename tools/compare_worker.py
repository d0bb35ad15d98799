"""Read pictures with another program's recognition, for ``tools.compare``: run by the Python that has it installed.

``PYTHON tools/compare_worker.py rapidocr|fast-alpr [FOLDER OF MODELS]`` takes the path of a picture on each line of
standard input and answers each with one line of JSON, ``{"texts": [...], "cpu": seconds}``. CPU seconds run from the
file's bytes to the texts, decoding included; every engine is kept to one thread. Imports nothing of ours.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

READY = "ready"


def imported(name: str) -> Any:
    """A module of the Python that runs this, which need not be that of the project."""
    return importlib.import_module(name)


def rapidocr(models: Path | None) -> Any:
    """RapidOCR as it comes, one thread; ``models``: its folder of models when it can't fetch them itself."""
    params: dict[str, Any] = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    if models is not None:
        params["Global.model_root_dir"] = str(models)
    engine = imported("rapidocr").RapidOCR(params=params)

    def read(path: str) -> list[str]:
        found = engine(Path(path).read_bytes())
        return [str(text) for text in found.txts or ()]

    return read


def fast_alpr(models: Path | None) -> Any:
    """fast-alpr with the models of a folder (detector.onnx, reader.onnx, reader.yaml), else with its default ones."""
    cv2, np = imported("cv2"), imported("numpy")
    options = imported("onnxruntime").SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    single: dict[str, Any] = {"detector_sess_options": options, "ocr_sess_options": options, "ocr_device": "cpu"}
    if models is None:
        alpr = imported("fast_alpr").ALPR(**single)
    else:
        kind = imported("fast_alpr.default_detector").DefaultDetector
        detector = kind.__new__(kind)  # its own way in fetches a model by name
        detector.detector = imported("open_image_models.detection.core.yolo_v9").YoloV9Detector(
            models / "detector.onnx", ["plate"], conf_thresh=0.4, sess_options=options,
            providers=["CPUExecutionProvider"],
        )  # fmt: skip
        paths = {"ocr_model_path": models / "reader.onnx", "ocr_config_path": models / "reader.yaml"}
        alpr = imported("fast_alpr").ALPR(detector=detector, ocr_model=None, **paths, **single)

    def read(path: str) -> list[str]:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        found = alpr.predict(image)
        return [str(one.ocr.text) for one in found if one.ocr is not None]

    return read


def main() -> None:
    """The worker. The first line that it writes says that it is ready."""
    models = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever the other program prints must not come between the answers
    read = {"rapidocr": rapidocr, "fast-alpr": fast_alpr}[sys.argv[1]](models)
    imported("cv2").setNumThreads(1)
    print(json.dumps(READY), file=out, flush=True)
    for line in sys.stdin:
        path = line.rstrip("\n")
        began = time.process_time()
        try:
            answer: dict[str, Any] = {"texts": read(path)}
        except Exception as error:
            answer = {"texts": [], "error": f"{type(error).__name__}: {error}"}
        answer["cpu"] = time.process_time() - began
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
