#!/bin/sh
# size.sh: how large everything is, against ci/budgets.toml; fails over budget, and prints what has grown.
set -eu
cd "$(dirname "$0")/.."
out=${CARGO_TARGET_DIR:-target}
work=$out/size
mkdir -p "$work"

# The client's share of a C program: the same program with a call of the library and without.
cat > "$work/with.c" <<'END'
#include "lib.h"
static int app(void *args) { return args != 0; }
int main(void) {
    RockerRequest request = ROCKER_request_new();
    return ROCKER_enter_rocker(&request, app, 0).err_no != ROCKER_ERR_success;
}
END
cat > "$work/without.c" <<'END'
static int app(void *args) { return args != 0; }
int main(void) { return app(0); }
END
for program in with without; do
    ${CC:-cc} -Os -ffunction-sections -Iinclude "$work/$program.c" "$out/tiny/librocker_ffi.a" -Wl,--gc-sections \
        -Wl,--build-id=none -s -o "$work/$program"
done

# What the kernel maps and flash holds: the sections, not the padding between them.
loaded() { size "$1" | awk 'NR == 2 { print $1 + $2 }'; }

status=0
check() {
    name=$1 bytes=$2
    budget=$(sed -n "/^\[$name\]/,/^\[/s/^budget = //p" ci/budgets.toml)
    baseline=$(sed -n "/^\[$name\]/,/^\[/s/^baseline = //p" ci/budgets.toml)
    verdict=ok
    [ "$bytes" -le "$baseline" ] || verdict="ok, grown by $((bytes - baseline))"
    [ "$bytes" -le "$budget" ] || { verdict="OVER BUDGET by $((bytes - budget))"; status=1; }
    printf '%-18s %7d bytes of %7d  %s\n' "$name" "$bytes" "$budget" "$verdict"
}
check rocker-master "$(stat -c %s "$out/tiny/rocker-master")"
check rocker "$(stat -c %s "$out/tiny/rocker")"
check librocker_ffi.so "$(stat -c %s "$out/tiny/librocker_ffi.so")"
check client "$(($(loaded "$work/with") - $(loaded "$work/without")))"
size -A "$out/tiny/rocker-master" "$out/tiny/rocker" | awk 'NF == 3 && $2 > 0 { printf "  %-16s %7d\n", $1, $2 } /:$/ { print }'
exit $status
