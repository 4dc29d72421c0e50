#!/usr/bin/env bash
# The fraud-ID program from end to end, on cards that it draws first. Run by `make demo`.
#   examples/fraud_id/demo.sh [FOLDER, by default build/demo]
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-build/demo}
export PATH="$PWD/.venv/bin:$PATH"
jar=dist/sightline.jar
# Short runs: half of the CPU time of Spark's start (README, "Faster").
unset SPARK_CONF_DIR
export SPARK_SUBMIT_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:SharedArchiveFile='$PWD/.tools/spark.jsa'"

step() { printf '\n\033[1m== %s ==\033[0m\n' "$1"; }
submit() {
  printf '$ spark-submit %s %s\n' "$jar" "$*"
  # Spark's start-up notices say nothing of the demo.
  spark-submit --master "local[*]" "$jar" "$@" 2>&1 | grep --line-buffered -v \
    -e incubator -e 'default log4j profile' -e ' WARN Utils: ' -e NativeCodeLoader -e 'Setting Spark log'
}

step "1. Draw 66 fictitious identity cards of people the model has never seen"
python examples/fraud_id/generate.py --output "$folder/dataset" --people 22 --split test --seed 7

step "2. Classify them with the assembled jar"
submit predict --images "$folder/dataset/image_data.csv" --model id_fraud \
  --output "$folder/predictions" --overwrite

step "3. Hold the predictions against the truth, in SQL"
submit evaluate --predictions "$folder/predictions" --output "$folder/evaluation" --overwrite

step "4. The same as one SQL function, both backends, timed"
submit sql -f examples/fraud_id/fraud_id.sql \
  --set dataset="$folder/dataset" --set output="$folder" --repeat 2

step "5. The sequential Python twin, for comparison"
python examples/fraud_id/twin.py --dataset "$folder/dataset" --output "$folder/twin"

step "Done"
echo "Predictions: $folder/predictions, $folder/output_predictions"
echo "Reports:     $folder/evaluation/metrics.json, $folder/confusion_matrix"
