#!/usr/bin/env bash
# Makes .tools/clouds: the connectors of tests/clouds/pom.xml, and moto of tests/clouds.lock, which the tests of s3a:// start.
# --gcs builds fake-gcs-server there with Go, in five minutes; without it the tests of gs:// are skipped. --lock writes
# tests/clouds.lock again.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
place=$PWD/.tools/clouds
gcs_server=github.com/fsouza/fake-gcs-server@v1.56.1
if [ "${1:-}" = --lock ]; then
  echo 'moto[server]>=5.2' |
    "$uv" --quiet pip compile - --universal --generate-hashes --python-version 3.11 \
      --no-header --no-annotate -o tests/clouds.lock
  exit
fi
if [ "${1:-}" = --gcs ]; then
  GOBIN=$place/bin GOFLAGS=-modcacherw go install "$gcs_server"
  exit
fi
wanted=$(cat tests/clouds.lock tests/clouds/pom.xml)
if [ "$wanted" = "$(cat "$place/installed.lock" 2>/dev/null)" ]; then
  exit 0
fi
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
mv "$place/bin/fake-gcs-server" "$kept" 2>/dev/null || true
rm -rf "$place"
"$uv" --quiet venv --python .venv/bin/python "$place"
"$uv" --quiet pip sync --python "$place/bin/python" --require-hashes tests/clouds.lock
mvn --quiet --batch-mode --file tests/clouds/pom.xml dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$place/jars"
mv "$kept/fake-gcs-server" "$place/bin" 2>/dev/null || true
echo "$wanted" >"$place/installed.lock"
