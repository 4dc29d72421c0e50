#!/usr/bin/env bash
# Trains on images in a bucket, continues after a failure, and classifies the test part in SQL.
#
#   small.sh IMAGES OUTPUT MODELS [OPTIONS]
#
# IMAGES, OUTPUT and MODELS are folders, local or in a bucket. OPTIONS are options of `train`: those of
# the store (--cloud gcs …) and those that replace lines of small.yaml. SPARK has options of
# spark-submit, such as --master and --packages.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
images=$1 output=$2 models=$3
shift 3

store=()
for ((at = 1; at < $#; at++)); do
  case "${!at}" in
    --cloud | --endpoint | --credentials | --region)
      next=$((at + 1))
      store+=("${!at}" "${!next}")
      ;;
  esac
done

sightline() {
  # shellcheck disable=SC2086 # SPARK is several words
  spark-submit ${SPARK:-} "$here/../../dist/sightline.jar" "$@"
}

status=0
sightline train --config "$here/small.yaml" --images "$images" --output "$output" \
  --models "$models" --register flowers_small "$@" || status=$?
if ((status == 2)); then # a wrong option or an output that exists
  exit 2
elif ((status)); then
  echo "The run has failed. It continues from its newest checkpoint." >&2
  sightline train --resume --output "$output" "${store[@]}"
fi

sightline sql "${store[@]}" --set spark.sightline.models="$models" -e "
  SELECT count(*) AS photographs, count_if(found.label = label) AS right
  FROM (SELECT label, ml_predict('flowers_small', content) AS found FROM read_images('$images/test'))"
