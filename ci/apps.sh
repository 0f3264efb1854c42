#!/bin/sh
# apps.sh [OPTIONS] [APP...]: measures real servers inside a sandbox against outside: PostgreSQL, nginx, mosquitto. Installs
# them, and what loads them, from Debian's packages. OPTIONS and APPs are those of bench/src/bin/apps. Needs root.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
packages=
add() { command -v "$1" > /dev/null 2>&1 || packages="$packages $2"; }
PATH=$PATH:/usr/sbin:/sbin
add nginx nginx-light
add wrk wrk
add mosquitto mosquitto
add mkfs.erofs erofs-utils
add busybox busybox-static
# Its programs are not in PATH.
ls /usr/lib/postgresql/*/bin/pgbench > /dev/null 2>&1 || packages="$packages postgresql"
# shellcheck disable=SC2086
[ -z "$packages" ] || ci/setup.sh $packages
cargo=${CARGO:-cargo}
if [ -z "${ROCKER_BIN_DIR:-}" ]; then
    make device
    ROCKER_BIN_DIR=$(cd "${CARGO_TARGET_DIR:-target}/tiny" && pwd)
    export ROCKER_BIN_DIR
fi
ROCKER_MUST_RUN=1 exec "$cargo" run --locked --release -p bench --bin apps -- "$@"
