#!/usr/bin/env bash
# Says which of the tools that the build needs is missing, and how to get it; exit status 2 if one is.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
missing() {
  printf '%s\n' "$1" >&2
  status=2
}

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
version=$("$java" -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' | head -n 1 || true)
if [ "${version:-0}" -lt 17 ]; then
  found=${version:+, but $java is version $version}
  missing "MISSING_JDK: Sightline needs JDK 17 or later$found. Debian: sudo apt-get install openjdk-17-jdk-headless. macOS: brew install openjdk@17, then set JAVA_HOME."
fi

if ! PYTHON=${PYTHON:-.venv/bin/python} scripts/find_python.sh >/dev/null; then
  missing "MISSING_PYTHON: Sightline needs Python 3.11 or later with venv. Debian: sudo apt-get install python3.11 python3.11-venv. macOS: brew install python@3.11. One that is elsewhere: make setup PYTHON=/path/to/python3."
fi

if ! command -v sbt >/dev/null && ! command -v mvn >/dev/null && ! scripts/sbt.sh --launcher >/dev/null; then
  missing "MISSING_MAVEN: without sbt, Sightline fetches it by Maven. Debian: sudo apt-get install maven. macOS: brew install maven (or: brew install sbt)."
fi
exit "$status"
