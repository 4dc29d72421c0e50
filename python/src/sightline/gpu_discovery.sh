#!/bin/sh
# Prints the GPUs of this machine as Spark expects them: {"name":"gpu","addresses":["0","1"]}.
# Spark runs it for spark.executor.resource.gpu.discoveryScript and spark.worker.resource.gpu.discoveryScript.
set -eu
indexes=$(nvidia-smi --query-gpu=index --format=csv,noheader)
addresses=
for index in $indexes; do
  addresses="$addresses${addresses:+,}\"$index\""
done
printf '{"name":"gpu","addresses":[%s]}\n' "$addresses"
