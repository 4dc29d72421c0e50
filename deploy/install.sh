#!/bin/sh
# Installs the wheel in this folder with EXTRAS into /opt/sightline, by the hashes of the lock files:
#   install.sh EXTRAS LOCK...
set -eu

extras=$1
shift
for lock in "$@"; do
  set -- "$@" --constraints "$lock"
  shift
done
wheel=$(ls "$PWD"/sightline-*.whl)
/opt/uv/bin/uv pip install "$@" "sightline[$extras] @ file://$wheel"

# One place for what the documentation names, whatever the version of Python.
cd /opt/sightline
rm -f .lock
packages=$(echo lib/python3*/site-packages)
ln -s "$packages/pyspark" spark
ln -s "$packages/sightline/jars/sightline.jar" sightline.jar
bin/sightline gpu-discovery --script gpu_discovery.sh
