"""Runtimes (onnxruntime, PyTorch, OpenVINO) behind one interface."""
