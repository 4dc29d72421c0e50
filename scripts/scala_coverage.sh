#!/usr/bin/env bash
# Runs the Scala tests under JaCoCo, writes target/coverage/scala/index.html, and prints the shares of lines and branches.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.8.13
jar() { # jar ARTIFACT CLASSIFIER
  local file=.tools/org.jacoco.$1-$version-$2.jar
  [ -f "$file" ] || mvn --quiet --batch-mode dependency:copy \
    -Dartifact="org.jacoco:org.jacoco.$1:$version:jar:$2" -DoutputDirectory="$PWD/.tools" >&2
  echo "$PWD/$file"
}
agent=$(jar agent runtime)
cli=$(jar cli nodeps)

folder=$PWD/target/coverage
mkdir -p "$folder"
rm -rf "$folder/scala" "$folder/scala.exec"
ours='sightline.*:org.apache.spark.sql.sightline.*:org.apache.spark.ml.sightline.*'
scripts/sbt.sh "-Dsightline.agent=$agent=destfile=$folder/scala.exec,includes=$ours" "${@:-Test/test}"
java -jar "$cli" report "$folder/scala.exec" --quiet --name Sightline --classfiles target/scala-2.13/classes \
  --sourcefiles scala/src/main/scala --sourcefiles scala/src/spark-4.1-4.2/scala --html "$folder/scala" --csv "$folder/scala.csv"
awk -F, 'NR > 1 { lm += $8; lc += $9; bm += $6; bc += $7 }
  END { printf "Scala: %.0f %% of %d lines, %.0f %% of %d branches\n", 100*lc/(lm+lc), lm+lc, 100*bc/(bm+bc), bm+bc }' "$folder/scala.csv"
