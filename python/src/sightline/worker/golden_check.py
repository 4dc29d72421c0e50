"""Checks that a bundle computes its golden outputs, before the driver publishes it as a model.

`python -m sightline.worker.golden_check FOLDER [--allow-code]`
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from sightline.bundle.bundle import Bundle
from sightline.bundle.verify import verify_bundle
from sightline.errors import SightlineError


def main(arguments: list[str]) -> int:
    """Print the checks as one line of JSON. Return 0, or 2 for wrong arguments or a bad bundle."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    folders = [argument for argument in arguments if not argument.startswith("-")]
    if len(folders) != 1 or set(flags) - {"--allow-code"}:
        sys.stderr.write("WRONG_ARGUMENTS: use the arguments FOLDER [--allow-code].\n")
        return 2
    try:
        bundle = Bundle.load(Path(folders[0]))
        checks = list(verify_bundle(bundle, allow_code=bool(flags)))
    except SightlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps([asdict(check) for check in checks]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
