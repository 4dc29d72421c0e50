#!/usr/bin/env bash
# Runs sbt: the installed one, else its launcher, which Maven fetches once. sbt.sh --launcher prints a fetched one's path.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.12.9
launcher=.tools/sbt-launch-$version.jar
if [ "${1:-}" = --launcher ]; then
  ls "$launcher" 2>/dev/null
  exit
fi

# A build takes a minute or two: the second JIT compiler would take more CPU time than it saves.
java_options=(-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m)
# No terminal, no server, no coloured progress: the same on a laptop and in CI.
options=(-Dsbt.supershell=false -Dsbt.server.autostart=false)
[ -t 1 ] || options+=(-Dsbt.color=false)
if command -v sbt >/dev/null; then
  exec sbt "${java_options[@]/#/-J}" "${options[@]}" "$@" </dev/null
fi
if [ ! -f "$launcher" ]; then
  scripts/step.sh "The sbt launcher $version into .tools/" \
    mvn --quiet --batch-mode dependency:copy \
    -Dartifact=org.scala-sbt:sbt-launch:$version -DoutputDirectory="$PWD/.tools"
fi
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx2500m "${java_options[@]}" "${options[@]}" -jar "$launcher" "$@" </dev/null
