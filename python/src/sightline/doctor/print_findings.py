"""`python -m sightline.doctor.print_findings REQUEST` prints this interpreter's findings.

The jar runs it on the driver and on every executor. REQUEST is JSON, see ``Request``.
"""

from __future__ import annotations

import json
import sys

from sightline.doctor.examine import Request, examine
from sightline.doctor.finding import as_json

if __name__ == "__main__":
    sys.stdout.write(json.dumps(as_json(examine(Request(**json.loads(sys.argv[1]))))) + "\n")
