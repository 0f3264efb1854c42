#!/bin/sh
# How large everything is, against ci/budgets.toml: fails over budget, and prints what has grown since the baselines there,
# the programs by crate too. A baseline is moved by hand, to the number that this prints, in the commit that says why.
#
# By crate and by function it is told from the programs of ci/symbols.sh, which have symbols: without them that part is left
# out, and said so. A function holds whatever was inlined into it.
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

# rocker-master without what can be left out.
make --silent small

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
check rocker-master-small "$(stat -c %s "$out/small/tiny/rocker-master")"
check rocker "$(stat -c %s "$out/tiny/rocker")"
check librocker_ffi.so "$(stat -c %s "$out/tiny/librocker_ffi.so")"
# With tables of its own for unwinding, the library would cost every program 2.7 KB.
[ "$(size -A "$work/with" | awk '$1 == ".eh_frame" { print $2 }')" -lt 1024 ] || {
    echo "size: the library brings unwind tables" >&2
    status=1
}
check client "$(($(loaded "$work/with") - $(loaded "$work/without")))"
if command -v musl-gcc > /dev/null; then
    for program in with without; do
        musl-gcc -static -Os -ffunction-sections -Iinclude "$work/$program.c" "$out/tiny/librocker_ffi.a" \
            -Wl,--gc-sections -Wl,--build-id=none -s -o "$work/$program-musl"
    done
    check client-musl "$(($(loaded "$work/with-musl") - $(loaded "$work/without-musl")))"
else
    echo "size: no musl-gcc, so what a static program of musl grows by is not measured"
fi

# Code and constants by the crate that a symbol's name starts with; what a macro or a generic of core became counts as
# core's.
by_crate() {
    nm -t d -C -S --size-sort "$1" | awk '$3 ~ /[tTrRdD]/ {
        name = $4; gsub(/[<&*]|\[|mut$/, "", name); if (name == "" || name ~ /^(mut|dyn)$/) name = $5
        sub(/::.*/, "", name); if (name !~ /^(rocker_|core$|heapless)/) name = "others"
        size[name] += $2
    } END { for (name in size) print name, size[name] }' | sort
}

# The largest functions and constants; a name is cut where its generics make it long.
largest() {
    nm -t d -C -S --size-sort "$1" | awk '$3 ~ /[tTrRdD]/' | tail -n 15 | sort -k 2,2nr |
        awk '{ size = $2 + 0; $1 = $2 = $3 = ""; sub(/^ +/, ""); printf "  %7d  %.90s\n", size, $0 }'
}

# Each section against its baseline.
sections() {
    size -A "$1" | awk 'NF == 3 && $2 > 0 && $1 ~ /^\./ { print $1, $2 }' | while read -r section bytes; do
        told "$2" "$section" "$bytes"
    done
}

told() { # PROGRAM WHAT BYTES: one line, with what it has grown by
    before=$(sed -n "/^\[$1\]/,/^\[/s/^\"*$2\"* = //p" ci/budgets.toml)
    grown=
    [ "$3" -le "${before:-$3}" ] || grown="grown by $(($3 - before))"
    printf '  %-16s %7d  %s\n' "$2" "$3" "$grown"
}

for program in rocker-master rocker; do
    echo "$program by section:"
    sections "$out/tiny/$program" "$program"
    file=$out/symbols/tiny/$program
    [ -f "$file" ] || { echo "size: no $file (ci/symbols.sh makes it), so $program is not told by crate"; continue; }
    echo "$program by crate:"
    by_crate "$file" | while read -r crate bytes; do
        told "$program" "$crate" "$bytes"
    done
    echo "$program by function:"
    largest "$file"
done
exit $status
