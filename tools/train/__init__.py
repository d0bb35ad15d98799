"""Training of the shipped models, one command each. Needs the extra ``train`` (torch, onnx, pillow)."""
