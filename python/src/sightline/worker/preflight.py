"""Prints an interpreter's versions for the driver as one JSON line, without heavy imports.

`python -m sightline.worker.preflight [--cuda BACKEND]`
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata, util
from pathlib import Path

from sightline.require_package import has_package
from sightline.version import PROTOCOL, __version__

# Import names with the distributions that may provide them.
_PACKAGES = {
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


def preflight(cuda_backend: str | None = None) -> dict[str, object]:
    """Return the versions of this interpreter and of its packages, and the known backends.

    The version of a missing package is None. `packages` also contains the packages that backends of
    other packages need.

    Args:
        cuda_backend: Name of a backend to import, to report whether it can run on a GPU; or None.
    """
    answer: dict[str, object] = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "executable": sys.executable,
        "pyspark": _pyspark_version(),
        "protocol": PROTOCOL,
        "sightline": __version__,
        **_backends(),
    }
    if cuda_backend is not None:
        from sightline.backends.registry import find_backend

        answer["cuda"] = find_backend(cuda_backend).has_cuda()
    return answer


def _backends() -> dict[str, dict[str, object]]:
    """Return the backends' declarations, the errors of broken ones, and the required packages."""
    from sightline.backends.registry import backend_entry, known_backends
    from sightline.errors import SightlineError

    usable: dict[str, object] = {}
    broken: dict[str, object] = {}
    versions: dict[str, object] = {name: _version(name, one) for name, one in _PACKAGES.items()}
    for name in known_backends():
        try:
            entry = backend_entry(name)
        except SightlineError as error:
            broken[name] = str(error)
            continue
        versions.setdefault(entry.package, _version(entry.package, (entry.package,)))
        usable[name] = {
            "package": entry.package,
            "variant": entry.variant,
            "precisions": list(entry.precisions),
        }
    return {"packages": versions, "backends": usable, "broken_backends": broken}


def _version(name: str, distributions: tuple[str, ...]) -> str | None:
    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return "unknown" if has_package(name) else None


def _pyspark_version() -> str | None:
    """Read the version from the package, because a Spark download has no distribution metadata."""
    spec = util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        return None
    text = (Path(spec.origin).parent / "version.py").read_text("utf-8")
    found = re.search(r"^__version__(?::\s*str)?\s*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return found[1] if found else None


def main(arguments: list[str]) -> int:
    """Print the answer. Return 0, or 2 for a wrong argument or an unknown backend."""
    from sightline.errors import SightlineError

    cuda_backend = arguments[1] if len(arguments) == 2 and arguments[0] == "--cuda" else None
    if arguments and cuda_backend is None:
        sys.stderr.write("WRONG_ARGUMENTS: only --cuda BACKEND is known.\n")
        return 2
    try:
        answer = preflight(cuda_backend)
    except SightlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
