#!/bin/sh
# setup.sh [PACKAGE...]: installs what the tests need from Debian's packages, if it is missing. Needs root for that.
set -eu
if [ $# = 0 ]; then
    set --
    add() { command -v "$1" > /dev/null 2>&1 || packages="${packages:-} $2"; }
    PATH=$PATH:/usr/sbin:/sbin
    add strace strace
    add busybox busybox-static
    add mkfs.erofs erofs-utils
    add minisign minisign
    add mosquitto mosquitto
    add mosquitto_pub mosquitto-clients
    add musl-gcc musl-tools
    add g++ g++
    add pkg-config pkg-config
    set -- ${packages:-}
fi
[ $# -gt 0 ] || exit 0
command -v apt-get > /dev/null || { echo "setup.sh: no apt-get here; install these yourself: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "setup.sh: only root can install: $*" >&2; exit 1; }
echo "installing $*"
export DEBIAN_FRONTEND=noninteractive
# Services such as mosquitto must not start by being installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
apt-get install -y --no-install-recommends "$@" > /dev/null 2>&1 ||
    { apt-get update > /dev/null && apt-get install -y --no-install-recommends "$@" > /dev/null; }
