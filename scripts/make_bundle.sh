#!/usr/bin/env bash
# Leaves a verified bundle in models/: the one that is there if it verifies and has measured batch sizes, else a new one.
# efficientnet_lite0 comes from its package; mobilenet_v2 from MOBILENET_V2_WEIGHTS=FILE, with TensorFlow's mean and
# deviation, or from torchvision's own download.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
if [ -e "models/$name" ]; then
  if .venv/bin/sightline models verify "$name" --models models && grep -q '"batch_rows"' "models/$name/model.json"; then
    exit 0
  fi
  echo "    models/$name does not verify, or has no measured batch sizes, and is made again." >&2
fi
if [ "$name" != mobilenet_v2 ]; then
  .venv/bin/sightline models add-builtin "$name" --models models --overwrite
  exit
fi
made=(models add "$name" --models models --overwrite --architecture "torchvision:$name" --resize 224 --crop 224)
weights=${MOBILENET_V2_WEIGHTS:-../shared/data/weights/mobilenet_v2_1.0_224.torchvision.safetensors}
if [ -e "$weights" ]; then
  made+=(--weights "$weights" --mean 0.5 --std 0.5)
fi
.venv/bin/sightline "${made[@]}"
