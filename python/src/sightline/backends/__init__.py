"""The backends (onnxruntime, PyTorch, OpenVINO) behind one interface."""
