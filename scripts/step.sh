#!/usr/bin/env bash
# Says what a step does, runs it, and says how long it took: step.sh "What it does" COMMAND...
set -euo pipefail

what=$1
shift
printf '==> %s\n' "$what"
SECONDS=0
"$@" || {
  status=$?
  printf '==> FAILED after %d s, exit status %d: %s\n' "$SECONDS" "$status" "$what" >&2
  exit "$status"
}
printf '    %d s\n' "$SECONDS"
