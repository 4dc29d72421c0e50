#!/usr/bin/env bash
# Writes requirements.lock: exact versions and hashes for every platform, and no addresses.
set -euo pipefail
cd "$(dirname "$0")/.."

extras=(cpu spark add torch train keras sklearn openvino report track tune tensorboard vectors models dev)
.venv/bin/uv --quiet pip compile python/pyproject.toml "${extras[@]/#/--extra=}" --universal \
  --generate-hashes --overrides scripts/lock_overrides.txt --python-version 3.11 --no-header --no-annotate \
  -o requirements.lock
# What the images have beside requirements.lock: onnxruntime-gpu owns the files of onnxruntime, so the two need two locks.
for name in cuda:onnxruntime-gpu jupyter:jupyterlab; do
  echo "${name#*:}" | .venv/bin/uv --quiet pip compile - --universal --generate-hashes --constraints requirements.lock \
    --python-version 3.11 --no-header --no-annotate -o "deploy/${name%%:*}.lock"
done
scripts/make_tracking_server.sh --lock
scripts/make_tensorflow.sh --lock
scripts/make_clouds.sh --lock
git --no-pager diff --stat -- requirements.lock tests/mlflow.lock tests/tensorflow.lock tests/clouds.lock \
  deploy
