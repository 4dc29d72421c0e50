#!/usr/bin/env bash
# Leaves a verified built-in bundle in models/: the one that is there if it verifies, else a new one.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
if [ -e "models/$name" ]; then
  if .venv/bin/sightline models verify "$name" --models models; then
    exit 0
  fi
  echo "    models/$name does not verify and is made again." >&2
fi
.venv/bin/sightline models add-builtin "$name" --models models --overwrite
