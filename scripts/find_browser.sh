#!/usr/bin/env bash
# Prints the path of a Chromium: CHROMIUM, else one on PATH; exit status 1 if there is none.
# In CI (CI=true, root, apt-get) it installs Debian's first where there is none.
set -euo pipefail

find_one() {
  local name
  for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$name" && return
  done
  return 1
}

if find_one; then
  exit
fi
if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # Whatever fails here leaves no browser, which the tests then say.
  { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } >/dev/null 2>&1 || true
  find_one && exit
fi
echo "MISSING_BROWSER: the tests of the report's page need Chromium. Debian: sudo apt-get install chromium. One that is elsewhere: CHROMIUM=/path/to/chrome." >&2
exit 1
