#!/usr/bin/env bash
# Makes .tools/mlflow what tests/mlflow.lock says: the MLflow server that tests log to, apart from .venv because it
# brings pandas. make_tracking_server.sh --lock writes that file again, for the client that requirements.lock has.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
place=.tools/mlflow
if [ "${1:-}" = --lock ]; then
  sed -n 's/^mlflow-skinny==\([^ ]*\).*/mlflow==\1/p' requirements.lock |
    "$uv" --quiet pip compile - --universal --generate-hashes --python-version 3.11 \
      --no-header --no-annotate -o tests/mlflow.lock
  exit
fi
if cmp -s tests/mlflow.lock "$place/installed.lock"; then
  exit 0
fi
"$uv" --quiet venv --clear --python .venv/bin/python "$place"
"$uv" --quiet pip sync --python "$place/bin/python" --require-hashes tests/mlflow.lock
cp tests/mlflow.lock "$place/installed.lock"
