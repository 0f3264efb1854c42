#!/bin/sh
# Fuzzes every parser of what others have written, each for some seconds: ci/fuzz/targets says what must hold. Finds are left
# in the target directory and printed.
#
# It takes a nightly compiler, for the sanitizer; without one it says so and leaves. Seeds are made by ci/fuzz/seeds.rs, and
# what is found interesting is kept in the target directory for the next run.
#
# usage: ci/fuzz.sh [SECONDS [TARGET...]]
set -eu
cd "$(dirname "$0")/fuzz"

seconds=${1:-20}
[ $# -eq 0 ] || shift
out=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

if ! rustup run nightly rustc --version > /dev/null 2>&1; then
    echo "fuzz: left out: no nightly compiler (rustup toolchain install nightly)"
    exit 0
fi
if ! command -v "${CXX:-c++}" > /dev/null; then
    echo "fuzz: left out: no C++ compiler, which libFuzzer takes"
    exit 0
fi

# What cargo-fuzz passes: coverage that libFuzzer reads, and the address sanitizer.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"

build() { # with a target, so that build scripts are not instrumented
    CARGO_TARGET_DIR=$out RUSTFLAGS="$coverage -Zsanitizer=address -Ccodegen-units=1 --cfg fuzzing" \
        cargo +nightly build --locked --release --target "$host" --quiet --bins
}

run() { # TARGET
    corpus=$out/corpus/$1
    mkdir -p "$corpus" "$out/found"
    log=$out/$1.log
    if ! "$out/$host/release/$1" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$out/found/$1-" \
        -rss_limit_mb=1024 -max_len=8192 "$corpus" "$out/seeds/$1" > "$log" 2>&1; then
        cat "$log"
        echo "fuzz: $1 has found something: see $out/found" >&2
        exit 1
    fi
    echo "fuzz: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions in $seconds s"
}

build
"$out/$host/release/seeds" "$out/seeds"
if [ $# -eq 0 ]; then
    for source in targets/*.rs; do
        set -- "$@" "$(basename "$source" .rs)"
    done
fi
for target; do
    run "$target"
done
