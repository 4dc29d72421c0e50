#!/usr/bin/env bash
# Makes .tools/spark.jsa for this java and the Spark of .venv: the classes that the commands below load, already parsed and
# verified. A JVM with -XX:SharedArchiveFile=.tools/spark.jsa needs 4 CPU-seconds less for its start (docs/design.md).
set -euo pipefail
cd "$(dirname "$0")/.."

archive=$PWD/.tools/spark.jsa
java=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1)
if [ -f "$archive" ] && [ "$archive" -nt .venv/.ready ] && [ "$java" = "$(cat .tools/spark.jsa.java 2>/dev/null)" ]; then
  exit 0
fi
printf '==> An archive of the classes of Spark into .tools/spark.jsa\n'
mkdir -p .tools
rm -f .tools/spark.jsa.java # without it an interrupted run is not taken for a finished one
work=$(mktemp -d "$PWD/.tools/archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
export PATH="$PWD/.venv/bin:$PATH"
# Java cannot archive a class path that has a folder with files, and the workers take the Python of .venv.
unset SPARK_HOME SPARK_CONF_DIR SPARK_DIST_CLASSPATH HADOOP_CONF_DIR YARN_CONF_DIR JAVA_TOOL_OPTIONS
unset PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON PYTHONPATH

load_classes() {
  cat >"$work/commands.txt" <<EOF
predict --images '$work/cards/image_data.csv' --model id_fraud --output '$work/predictions'
evaluate --predictions '$work/predictions' --output '$work/evaluation'
sql -f examples/fraud_id/fraud_id.sql --set 'dataset=$work/cards' --set 'output=$work'
EOF
  python examples/fraud_id/generate.py --output "$work/cards" --people 2 --split test --seed 7 &&
    SPARK_SUBMIT_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ArchiveClassesAtExit='$work/spark.jsa'" \
      spark-submit --master 'local[2]' dist/sightline.jar commands --file "$work/commands.txt"
}
if ! load_classes >"$work/log" 2>&1 || [ ! -s "$work/spark.jsa" ]; then
  cat "$work/log" >&2
  printf 'ARCHIVE_NOT_MADE: the commands failed, or java wrote no class archive. The output is above.\n' >&2
  exit 1
fi
mv -f "$work/spark.jsa" "$archive"
printf '%s\n' "$java" >.tools/spark.jsa.java
printf '    %d s\n' "$SECONDS"
