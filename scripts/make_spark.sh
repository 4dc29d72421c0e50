#!/usr/bin/env bash
# make_spark.sh LINE makes .tools/spark-LINE, which has the pyspark of project/spark-LINE.lock.
# make_spark.sh LINE --jar also builds dist/sightline_spark-LINE.jar for it.
set -euo pipefail
cd "$(dirname "$0")/.."

line=${1:?Give a version of Spark: make jar SPARK=4.0}
lock=project/spark-$line.lock
place=.tools/spark-$line
if [ ! -f "$lock" ]; then
  known=$(printf '%s ' project/spark-*.lock | sed 's|project/spark-||g; s|\.lock||g')
  echo "UNKNOWN_SPARK: '$line'. Known: ${known% }; \`make setup\` builds the jar for Spark 4.1." >&2
  exit 2
fi
if ! cmp -s "$lock" "$place/installed.lock"; then
  rm -rf "$place.new"
  .venv/bin/uv --quiet pip install --python .venv/bin/python --no-deps --require-hashes \
    --target "$place.new" -r "$lock"
  cp "$lock" "$place.new/installed.lock"
  rm -rf "$place"
  mv "$place.new" "$place"
fi
if [ "${2:-}" = --jar ]; then
  scripts/sbt.sh "-Dspark.line=$line" assembly
fi
