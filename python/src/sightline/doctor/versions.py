"""The versions of the packages in this interpreter, read without importing them."""

from __future__ import annotations

import re
from importlib import metadata, util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from zipimport import zipimporter

from sightline.require_package import has_package

# Import names with the distributions that may provide them.
PACKAGES = {
    "pyarrow": ("pyarrow",),
    "numpy": ("numpy",),
    "PIL": ("pillow",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "openvino": ("openvino",),
    "torch": ("torch",),
    "timm": ("timm",),
    "torchvision": ("torchvision",),
    "safetensors": ("safetensors",),
    "onnx": ("onnx",),
    "yaml": ("pyyaml",),
    "filelock": ("filelock",),
    "click": ("click",),
    "tqdm": ("tqdm",),
    "matplotlib": ("matplotlib",),
    "jinja2": ("jinja2",),
    "tensorboard": ("tensorboard",),
}


def package_version(name: str, distributions: tuple[str, ...]) -> str | None:
    """Return the version; "unknown" if it has none; None if the package is not installed."""
    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return "unknown" if has_package(name) else None


def pyspark_version() -> str | None:
    """Read the version from the package, because a Spark download has no distribution metadata.

    Executors have pyspark in a zip of their Spark, so the package's loader reads the file.
    """
    spec = util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        return None
    if not isinstance(spec.loader, (SourceFileLoader, zipimporter)):
        return None
    text = spec.loader.get_data(str(Path(spec.origin).parent / "version.py")).decode("utf-8")
    found = re.search(r"^__version__(?::\s*str)?\s*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return found[1] if found else None
