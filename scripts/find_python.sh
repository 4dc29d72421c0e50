#!/usr/bin/env bash
# Prints a Python of at least 3.11 that can make virtual environments; exit status 1 if none can.
set -euo pipefail

wanted='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
for python in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.12 python3.13; do
  if "$python" -c "$wanted" 2>/dev/null; then
    command -v "$python"
    exit 0
  fi
done
exit 1
