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
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$PWD/.venv/bin:$PATH"
unset SPARK_HOME SPARK_CONF_DIR # a class path with a filled folder cannot be archived

python examples/fraud_id/generate.py --output "$work/cards" --people 2 --split test --seed 7 >"$work/log" 2>&1
cat >"$work/commands.txt" <<EOF
predict --images $work/cards/image_data.csv --model id_fraud --output $work/predictions
evaluate --predictions $work/predictions --output $work/evaluation
sql -f examples/fraud_id/fraud_id.sql --set dataset=$work/cards --set output=$work
EOF
SPARK_SUBMIT_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ArchiveClassesAtExit=$work/spark.jsa" \
  spark-submit --master 'local[2]' dist/sightline.jar commands --file "$work/commands.txt" >>"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
mv -f "$work/spark.jsa" "$archive"
printf '%s\n' "$java" >.tools/spark.jsa.java
printf '    %d s\n' "$SECONDS"
