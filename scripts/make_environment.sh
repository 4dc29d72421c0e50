#!/usr/bin/env bash
# Makes .venv what requirements.lock says, every file checked by its hash, with the sightline command in it.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  "$(scripts/find_python.sh)" -m venv --clear .venv
fi
"$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
pip=("$python" -m pip --quiet --disable-pip-version-check)

# uv is one of the locked packages: it comes first, alone, and installs the others.
uv_lock=$(mktemp)
trap 'rm -f "$uv_lock"' EXIT
sed -n '/^uv==/,/[^\\]$/p' requirements.lock >"$uv_lock"
if "${pip[@]}" install --require-hashes --no-deps -r "$uv_lock" && [ -x .venv/bin/uv ]; then
  # On a terminal uv shows its progress; elsewhere it would list a hundred packages.
  uv=(.venv/bin/uv)
  [ -t 2 ] || uv+=(--quiet)
  "${uv[@]}" pip sync --python "$python" --require-hashes requirements.lock
  "${uv[@]}" pip install --python "$python" --no-deps --no-build-isolation --editable python
else
  echo "    uv cannot be had here; pip takes its place, more slowly." >&2
  "${pip[@]}" install --require-hashes -r <(sed '/^uv==/,/[^\\]$/d' requirements.lock)
  "${pip[@]}" install --no-deps --no-build-isolation --editable python
fi
