"""Prints an interpreter's versions for the driver as one JSON line, without heavy imports.

`python -m sightline.worker.preflight [--cuda BACKEND]`
"""

from __future__ import annotations

import json
import sys

from sightline.doctor.versions import PACKAGES, package_version, pyspark_version
from sightline.version import PROTOCOL, __version__


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
        "pyspark": pyspark_version(),
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
    versions: dict[str, object] = {
        name: package_version(name, one) for name, one in PACKAGES.items()
    }
    for name in known_backends():
        try:
            entry = backend_entry(name)
        except SightlineError as error:
            broken[name] = str(error)
            continue
        versions.setdefault(entry.package, package_version(entry.package, (entry.package,)))
        usable[name] = {
            "package": entry.package,
            "variant": entry.variant,
            "precisions": list(entry.precisions),
        }
    return {"packages": versions, "backends": usable, "broken_backends": broken}


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
