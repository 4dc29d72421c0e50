#!/usr/bin/env bash
# Makes .tools/tensorflow what tests/tensorflow.lock says: the TensorFlow that tests convert models from, apart from
# .venv because it takes 1.6 GB and no worker needs it. make_tensorflow.sh --lock writes that file again.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
place=.tools/tensorflow
if [ "${1:-}" = --lock ]; then
  printf '%s\n' 'tensorflow-cpu>=2.21' 'tf2onnx>=1.17' |
    "$uv" --quiet pip compile - --universal --generate-hashes --python-version 3.11 \
      --no-header --no-annotate -o tests/tensorflow.lock
  exit
fi
if cmp -s tests/tensorflow.lock "$place/installed.lock"; then
  exit 0
fi
"$uv" --quiet venv --clear --python .venv/bin/python "$place"
"$uv" --quiet pip sync --python "$place/bin/python" --require-hashes tests/tensorflow.lock
cp tests/tensorflow.lock "$place/installed.lock"
