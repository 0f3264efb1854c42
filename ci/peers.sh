#!/bin/sh
# peers.sh: installs what `cargo run --release -p bench --bin peers` compares Rocker with, from Debian's packages. What
# there is no package for is said and left out: never a failure. Needs root. It starts no service.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
missing=
# want PROGRAM PACKAGE...: the first package that there is, unless the program is there.
want() {
    program=$1
    shift
    command -v "$program" > /dev/null 2>&1 && return
    for package; do
        # Output of its own only when something is wrong with more than this package.
        if "$here/setup.sh" "$package" > /dev/null 2>&1 && command -v "$program" > /dev/null 2>&1; then
            echo "installed $package"
            return
        fi
    done
    missing="$missing $program"
}
want busybox busybox-static
want mkfs.erofs erofs-utils
want bwrap bubblewrap
want crun crun
want runc runc
want unshare util-linux
want minijail0 minijail minijail0
want lxc-execute lxc
want systemd-nspawn systemd-container
want dockerd docker.io
want docker docker-cli docker.io
want podman podman
for program in bwrap crun runc unshare minijail0 lxc-execute systemd-nspawn dockerd podman; do
    case " $missing " in
    *" $program "*) echo "$program: no package of Debian's here; left out" ;;
    *) echo "$program: $(command -v "$program")" ;;
    esac
done
