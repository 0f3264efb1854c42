#!/bin/sh
# install.sh: `make install` into an empty directory, and a C program built from nothing but what it put there.
set -eu
cd "$(dirname "$0")/.."
out=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
root=$out/install
rm -rf "$root"
make --silent install DESTDIR="$root" PREFIX=/usr
(cd "$root" && find . -type f -o -type l | sort)
prefix=$root/usr
cat > "$out/installed.c" <<'END'
#include <lib.h>
int main(void) { return ROCKER_request_new().uid != -1; }
END
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
# shellcheck disable=SC2046 # these are words
${CC:-cc} "$out/installed.c" $(pkg-config --cflags --libs rocker) -o "$out/installed"
LD_LIBRARY_PATH="$prefix/lib" "$out/installed"
readelf -d "$out/installed" | grep -q 'librocker_ffi.so.1'
# shellcheck disable=SC2046
${CC:-cc} "$out/installed.c" -I"$prefix/include" "$prefix/lib/librocker_ffi.a" -o "$out/installed-static"
"$out/installed-static"
make --silent uninstall DESTDIR="$root" PREFIX=/usr
if [ -n "$(find "$root" -type f -o -type l)" ]; then
    echo "install.sh: uninstall left something" >&2
    exit 1
fi
echo "installed, used and removed"
