"""`python -m sightline`."""

import sys

from sightline.doors.cli import main

sys.exit(main())
