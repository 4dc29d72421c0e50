#!/usr/bin/env bash
# Builds targets of the Dockerfile as sightline:TARGET, with docker if its daemon runs, else with buildah:
#   scripts/make_images.sh [--stand-in] TARGET...
# BASE is the base image (default: that of the Dockerfile). --stand-in makes one of Debian's packages with debootstrap,
# as root, for machines that reach no registry of images. It is for trials: it is not the image that the Dockerfile names.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
  printf '%s\n' "$1" >&2
  exit 2
}

stand_in=
if [ "${1:-}" = --stand-in ]; then
  stand_in=localhost/sightline-base:bookworm
  shift
fi
compgen -G 'dist/sightline-*-py3-none-any.whl' >/dev/null ||
  missing "MISSING_WHEEL: the images are made of a wheel, and dist/ has none. Run: make wheel"

if docker info >/dev/null 2>&1; then
  build=(docker build)
elif command -v buildah >/dev/null; then
  # Only the format docker has a HEALTHCHECK.
  build=(buildah bud --format docker)
else
  missing "MISSING_BUILDER: images are built by docker, whose daemon does not run here, or by buildah. Debian: sudo apt-get install buildah"
fi

make_stand_in() {
  command -v debootstrap >/dev/null ||
    missing "MISSING_DEBOOTSTRAP: --stand-in makes a base image with it. Debian: sudo apt-get install debootstrap"
  [ "$(id -u)" = 0 ] ||
    missing "NOT_ROOT: --stand-in runs debootstrap, which only root can. Run it with sudo, or name an image: BASE=IMAGE"
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$folder/root" \
    ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$folder/log" || { tail -n 3 "$folder/log" >&2 && exit 1; }
  rm -rf "$folder"/root/var/cache/apt/*.bin "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*
  # This machine's certificates, such as that of a proxy.
  cp /etc/ssl/certs/ca-certificates.crt "$folder/root/etc/ssl/certs/ca-certificates.crt"
  tar --create --directory "$folder/root" --file "$folder/root.tar" .
  printf '%s\n' 'FROM scratch' 'ADD root.tar /' \
    'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt' >"$folder/Dockerfile"
  "${build[@]}" --tag "$stand_in" --file "$folder/Dockerfile" "$folder"
}

if [ -n "$stand_in" ]; then
  if ! "${build[0]}" inspect "$stand_in" >/dev/null 2>&1; then
    make_stand_in
  fi
  BASE=$stand_in
fi
for target in "${@:-cpu}"; do
  "${build[@]}" ${BASE:+--build-arg "BASE=$BASE"} --target "$target" --tag "sightline:$target" .
  echo "Built sightline:$target"
done
