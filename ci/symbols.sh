#!/bin/sh
# What the programs and the library hold and ask for, read from their symbols:
#
#  * librocker_ffi.so exports the names of ci/exported.txt, no more and no less, and imports none but those of
#    ci/imported.txt: no abort, no malloc, no stdio;
#  * its SONAME is the number of the frozen interface, and it cannot be unloaded;
#  * no program, and no C program with librocker_ffi.a in it, holds a panic of Rust's, and none an allocator.
#
# A stripped file has no symbols to find, so this builds with them, in a directory of its own below the target directory.
# Before anything counts, the checks are tried on files that must not pass.
#
# usage: ci/symbols.sh
set -eu
cd "$(dirname "$0")/.."

TARGET=${CARGO_TARGET_DIR:-target}/symbols
OUT=$TARGET/tiny
CC=${CC:-cc}
mkdir -p "$TARGET"
TMP=$(mktemp -d "$TARGET/check.XXXXXX")
trap 'rm -rf "$TMP"' EXIT

# Names of Rust's panics, mangled either way, and of its allocator and C's.
PANICS='panicking|panic_fmt|panic_bounds_check|panic_const|unwrap_failed|expect_failed|slice_.*index.*fail|len_mismatch_fail'
ALLOCATORS='__rust_alloc|__rust_realloc|__rdl_alloc|__rg_alloc|[[:space:]](malloc|calloc|realloc|free)(@|$)'
# What a C library links to a shared object of itself, and weak: not ours to choose.
TOOLCHAIN='^(_ITM_.*TMCloneTable|__cxa_finalize|__gmon_start__|__register_frame_info|__deregister_frame_info|__stack_chk_fail)$'

fail() {
    echo "symbols: $*" >&2
    exit 1
}

# Is there a symbol of ours at all? If not, the file is stripped and says nothing.
has_symbols() { # FILE
    nm "$1" 2> /dev/null | grep -q '[Rr]ocker\|ROCKER'
}

# holds FILE PATTERN: prints the symbols that match.
holds() {
    nm "$1" | grep -E "$2"
}

names() { # FILE OPTION: dynamic symbols without their versions
    nm -D "$2" "$1" | sed 's/.* //; s/@.*//' | sort -u
}

check_program() { # FILE
    has_symbols "$1" || fail "$1 has no symbols: was it stripped?"
    ! holds "$1" "$PANICS" || fail "$1 can panic"
}

check_exports() { # LIBRARY
    names "$1" --defined-only > "$TMP/exported"
    diff -u ci/exported.txt "$TMP/exported" > "$TMP/diff" || { cat "$TMP/diff"; return 1; }
}

check_imports() { # LIBRARY
    names "$1" --undefined-only | grep -vE "$TOOLCHAIN" > "$TMP/imported" || true
    LC_ALL=C comm -13 ci/imported.txt "$TMP/imported" > "$TMP/strange"
    ! grep . "$TMP/strange"
}

soname() { # LIBRARY
    readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

# A no_std library that indexes by what it is given and keeps memory: everything that is forbidden at once.
bad_library() {
    cat > "$TMP/bad.rs" << 'RUST'
#![no_std]
unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn abort() -> !;
}
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { abort() }
}
#[unsafe(no_mangle)]
pub extern "C" fn ROCKER_bad(index: usize, divisor: usize) -> *mut u8 {
    unsafe { malloc([3, 5, 7][index] / divisor) }
}
core::arch::global_asm!(".weak rust_eh_personality", "rust_eh_personality:");
RUST
    "${RUSTC:-rustc}" --edition 2024 --crate-type cdylib -O -C panic=abort -C strip=none -o "$TMP/bad.so" "$TMP/bad.rs"
}

can_fail() {
    bad_library
    holds "$TMP/bad.so" "$PANICS" > /dev/null || fail "the check does not see a panic"
    holds "$TMP/bad.so" "$ALLOCATORS" > /dev/null || fail "the check does not see an allocator"
    ! check_exports "$TMP/bad.so" > /dev/null || fail "the check does not see a strange export"
    check_imports "$TMP/bad.so" > "$TMP/seen" && fail "the check does not see a strange import"
    grep -q '^abort$' "$TMP/seen" || fail "the check does not see abort"
    [ "$(soname "$TMP/bad.so")" != librocker_ffi.so.1 ] || fail "the check does not see a SONAME"
    strip -o "$TMP/stripped" "$TMP/bad.so"
    ! has_symbols "$TMP/stripped" || fail "the check takes a stripped file for one that holds nothing"
}

build() {
    export CARGO_TARGET_DIR="$TARGET" CARGO_PROFILE_TINY_STRIP=none
    cargo build --quiet --profile tiny -p rocker-master -p rocker-cli --features rocker-master/freestanding,rocker-cli/freestanding
    cargo build --quiet --profile tiny -p rocker-ffi
}

# A C program that uses every function, and what the linker leaves of the archive in it.
c_program() {
    {
        echo '#include "rocker_ext.h"'
        echo 'void *volatile all[] = {'
        sed 's/.*/    (void *)&,/' ci/exported.txt
        echo '};'
        echo 'int main(void) { return !all[0]; }'
    } > "$TMP/all.c"
    "$CC" -Os -ffunction-sections -Iinclude -o "$TMP/all" "$TMP/all.c" "$OUT/librocker_ffi.a" -Wl,--gc-sections
}

can_fail
build
c_program
for file in "$OUT/rocker-master" "$OUT/rocker" "$OUT/librocker_ffi.so" "$TMP/all"; do
    check_program "$file"
done
for file in "$OUT/rocker-master" "$OUT/rocker" "$OUT/librocker_ffi.so"; do
    ! holds "$file" "$ALLOCATORS" || fail "$file allocates"
done
check_exports "$OUT/librocker_ffi.so" || fail "the exported names are not those of ci/exported.txt"
check_imports "$OUT/librocker_ffi.so" || fail "imported names are not in ci/imported.txt"
[ "$(soname "$OUT/librocker_ffi.so")" = librocker_ffi.so.1 ] || fail "the SONAME is $(soname "$OUT/librocker_ffi.so")"
readelf -d "$OUT/librocker_ffi.so" | grep -q NODELETE || fail "the library can be unloaded"
echo "symbols: $(wc -l < ci/exported.txt) exported, $(wc -l < "$TMP/imported") imported, no panic, no allocator"
