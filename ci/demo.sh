#!/bin/sh
# demo.sh OUT: packs Python with its whole library, runs it in a sandbox from a C program, and shows what it sees.
# OUT is cargo's target directory, with everything built. Needs root. Leaves nothing behind but OUT/demo.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=$(cd "$1" && pwd)
tiny=$out/tiny
[ "$(id -u)" = 0 ] || { echo "make demo: only root can make sandboxes; try sudo make demo" >&2; exit 1; }
command -v python3 > /dev/null || "$here/ci/setup.sh" python3

# Not below the checkout, which may be in /root, where the App's uid cannot go. An upper layer cannot lie on overlayfs,
# which is what the root of a container often is.
scratch=
for dir in /var/tmp /tmp /run /dev/shm; do
    if [ -d "$dir" ] && [ "$(stat -f -c %T "$dir")" != overlayfs ]; then
        scratch=$(mktemp -d "$dir/rocker-demo.XXXXXX")
        break
    fi
done
[ -n "$scratch" ] || { echo "make demo: every directory here is on overlayfs" >&2; exit 1; }
master=
cleanup() {
    if [ -n "$master" ] && kill "$master" 2> /dev/null; then wait "$master" || true; fi
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

echo "== A real program: Python with its library, and the shared libraries that it needs"
tree=$scratch/tree
"$here/ci/python-tree.sh" "$tree"
package=$scratch/python.sqfs
"$out/host/rocker-pack" build "$tree" -o "$package" --level 9 --time keep
rm -rf "$tree"

echo
echo "== A C program linked with librocker_ffi.a"
mkdir -p "$out/demo"
${CC:-cc} -std=c99 -D_GNU_SOURCE -Wall -Wextra -Os -I"$here/include" "$here/rocker-ffi/examples/demo.c" \
    "$tiny/librocker_ffi.a" -Wl,--gc-sections -o "$out/demo/demo"
ls -l "$tiny/rocker-master" "$out/demo/demo" | awk '{print "  " $5 " bytes  " $NF}'

echo
if "$tiny/rocker" check | grep -q "a master serves"; then
    echo "== A master runs already"
else
    echo "== No master runs: starting one for this demo"
    export ROCKER_SOCKET="$scratch/master.sock"
    mkfifo "$scratch/ready"
    "$tiny/rocker-master" --notify-fd 3 3> "$scratch/ready" &
    master=$!
    read -r _ < "$scratch/ready" || { echo "make demo: the master did not start" >&2; exit 1; }
fi

mkdir "$scratch/exec" "$scratch/data"
# The App's uid must be able to reach the package's mount point.
chmod 755 "$scratch" "$scratch/exec"
exec_dir=$scratch/exec
echo
echo "== The App, as it sees itself"
"$out/demo/demo" "$package" "$exec_dir" "$scratch/data" "$exec_dir/run" "$exec_dir" < /dev/null
echo
if [ -e /usr/rocker-was-here ]; then
    echo "make demo: the App's write to /usr reached the host" >&2
    exit 1
fi
echo "The host's /usr has no rocker-was-here; the App's layer has:"
ls -l "$scratch/data/.rocker/usr/upper" | sed 1d | sed 's/^/  /'

echo
echo "== The package cache: what the master keeps mounted for the next launch"
"$tiny/rocker" cache | sed 's/^/  /'
echo "  rocker cache drop: $("$tiny/rocker" cache drop)"
