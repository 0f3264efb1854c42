#!/bin/sh
# profiles.sh: the static programs survive what Buildroot and OpenWrt set: CARGO_PROFILE_RELEASE_* (OpenWrt even
# panic=unwind) and a RUSTFLAGS of their own. Our profile writes every key out, and link arguments are in build.rs.
set -eu
cd "$(dirname "$0")/.."
out=${CARGO_TARGET_DIR:-target}/profiles
export CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=3
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=2 CARGO_PROFILE_RELEASE_STRIP=none
RUSTFLAGS="-C target-cpu=x86-64" CARGO_TARGET_DIR=$out cargo build --locked --quiet --profile tiny \
    -p rocker-master -p rocker-cli --features rocker-master/freestanding,rocker-cli/freestanding
CARGO_TARGET_DIR=$out RUSTFLAGS="-C target-cpu=x86-64" cargo build --locked --quiet --profile tiny -p rocker-ffi
for program in rocker-master rocker; do
    "$out/tiny/$program" --version
    # Static, and without an interpreter: nothing on the device is needed to start it.
    if readelf -lW "$out/tiny/$program" | grep -E 'INTERP|DYNAMIC'; then
        echo "profiles.sh: $program is not static" >&2
        exit 1
    fi
done

# The release profile alone, as a distribution would use it.
unset CARGO_PROFILE_RELEASE_PANIC
CARGO_TARGET_DIR=$out cargo build --locked --quiet --release \
    -p rocker-master -p rocker-cli --features rocker-master/freestanding,rocker-cli/freestanding
"$out/release/rocker-master" --version
# And with the other linker.
RUSTFLAGS="-C link-arg=-fuse-ld=bfd" CARGO_TARGET_DIR=$out/bfd cargo build --locked --quiet --profile tiny \
    -p rocker-master --features rocker-master/freestanding
"$out/bfd/tiny/rocker-master" --version
