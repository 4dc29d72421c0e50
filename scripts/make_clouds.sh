#!/usr/bin/env bash
# Makes .tools/clouds: the connectors of tests/clouds/pom.xml, and the servers that the tests of object stores start, moto
# of tests/clouds.lock and fake-gcs-server. make_clouds.sh --lock writes tests/clouds.lock again.
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
wanted=$(cat tests/clouds.lock tests/clouds/pom.xml && echo "$gcs_server")
if [ "$wanted" = "$(cat "$place/installed.lock" 2>/dev/null)" ]; then
  exit 0
fi
rm -rf "$place"
"$uv" --quiet venv --python .venv/bin/python "$place"
"$uv" --quiet pip sync --python "$place/bin/python" --require-hashes tests/clouds.lock
mvn --quiet --batch-mode --file tests/clouds/pom.xml dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$place/jars"
# The first time this takes four minutes. Without it the tests of gs:// are skipped.
if command -v go >/dev/null; then
  GOBIN=$place/bin GOFLAGS=-modcacherw go install "$gcs_server" ||
    echo "    fake-gcs-server cannot be built here: the tests of gs:// are skipped." >&2
else
  echo "    There is no Go: the tests of gs:// are skipped." >&2
fi
echo "$wanted" >"$place/installed.lock"
