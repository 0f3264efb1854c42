# Sourced by the scripts beside it: what a target is called by everybody who has a name for it, and which tools are for it.

# Everything that ci/cross/setup fetches lies below this directory, and nothing else does.
cross=${ROCKER_CROSS:-${XDG_CACHE_HOME:-$HOME/.cache}/rocker-cross}

die() { echo "${0##*/}: $*" >&2; exit 2; }

# name_target NAME: sets `target` to the triple that rustc knows; the vendor may be left out, and so may riscv64's letters.
name_target() {
    target=$1
    case $target in
        *-*-*-*) ;;
        *-*-*) target=${1%%-*}-unknown-${1#*-} ;;
        *) die "TARGET=$1: not a target triple, such as armv7-unknown-linux-musleabihf" ;;
    esac
    case $target in
        riscv64-*) target=riscv64gc-${target#riscv64-} ;;
    esac
    # As cargo and the cc crate spell it in the names of variables.
    target_variable=$(echo "$target" | tr - _)
    target_upper=$(echo "$target_variable" | tr '[:lower:]' '[:upper:]')
    processor=${target%%-*}
    c_target=
    case $target in
        armv7-*-linux-*eabihf) c_target="arm-linux-${target##*-} -mcpu=generic+v7a" debian=armhf emulator=arm ;;
        aarch64-*-linux-*) c_target=aarch64-linux-${target##*-} debian=arm64 emulator=aarch64 ;;
        riscv64gc-*-linux-*) c_target=riscv64-linux-${target##*-} debian=riscv64 emulator=riscv64 ;;
        x86_64-*-linux-*) c_target=x86_64-linux-${target##*-} debian=amd64 emulator=x86_64 ;;
        # Rust's has no hardware for floating point.
        mipsel-*-linux-musl) c_target=mipsel-linux-musleabi debian=mipsel emulator=mipsel ;;
    esac
}

# Has this rustc the standard library of the target?
has_std() { # RUSTC
    ls "$("$1" --print target-libdir --target "$target" 2> /dev/null)"/libcore-*.rlib > /dev/null 2>&1
}

# The toolchain: what rustup has installed, else what setup has made.
use_rust() {
    if has_std "${RUSTC:-rustc}"; then
        return
    fi
    [ -x "$cross/bin/rustc" ] && has_std "$cross/bin/rustc" || need_target
    export RUSTC="$cross/bin/rustc" RUSTDOC="$cross/bin/rustdoc"
}

need_target() {
    die "the Rust toolchain here has no library for $target. Either
    rustup target add $target
or, where rustup cannot fetch it,
    ci/cross/setup $target
which unpacks a toolchain, a C compiler and emulators from Debian's and Python's packages below
$cross, and installs nothing."
}

# The C compiler, which links as well: CC_<target> of the environment, one that is called after the target, else setup's.
use_c() {
    eval "c_compiler=\${CC_$target_variable:-}"
    [ -z "$c_compiler" ] || return 0
    gnu_name=$(echo "$target" | sed 's/^armv7/arm/; s/^riscv64gc/riscv64/; s/-unknown//')
    for name in "$cross/bin/cc-$target" "$target-gcc" "$gnu_name-gcc"; do
        if command -v "$name" > /dev/null 2>&1; then
            c_compiler=$name
            return
        fi
    done
    if [ "$target" = x86_64-unknown-linux-musl ] && command -v musl-gcc > /dev/null; then
        c_compiler=musl-gcc
        return
    fi
    die "no C compiler for $target: name one in CC_$target_variable, or run ci/cross/setup $target"
}

# Tools of emulation, for which there is no other source than setup.
use_tool() { # FILE
    [ -e "$cross/$1" ] || die "no $cross/$1: run ci/cross/setup $target"
}

# add_rust_flags FLAG...: for the target's code alone, beside those that the caller has set.
add_rust_flags() {
    eval "flags=\${CARGO_TARGET_${target_upper}_RUSTFLAGS:-} \${RUSTFLAGS:-}"
    unset RUSTFLAGS
    export "CARGO_TARGET_${target_upper}_RUSTFLAGS=$flags $*"
}

# Thumb-2 is a fifth smaller than ARM code, and runs wherever ARMv7-A does.
use_small_code() {
    case $target in
        armv7-*) add_rust_flags -C target-feature=+thumb-mode ;;
    esac
}

# One of the programs that rustup brings along.
rust_program() { # NAME
    host=$(rustc -vV | sed -n 's/^host: //p')
    echo "$(rustc --print sysroot)/lib/rustlib/$host/bin/$1"
}

# Enough for a program without libc, on every processor.
rust_linker() { rust_program gcc-ld/ld.lld; }

# Sets `kernel` to the version that KERNEL names. Debian 12, whose kernel it is if KERNEL names none, has none for riscv64.
choose_kernel() {
    kernel=${KERNEL:-6.1}
    [ "$debian-$kernel" != riscv64-6.1 ] || kernel=6.12
}

# One App: the target's own busybox in DIRECTORY/app.sqfs, packed on this machine for that one.
pack_busybox() { # DIRECTORY
    choose_kernel
    use_tool "kernels/$debian-$kernel"
    mkdir -p "$1/tree/bin"
    cp "$(find "$cross/kernels/$debian-$kernel" -path '*/bin/busybox' | head -1)" "$1/tree/bin/busybox"
    "${CARGO_TARGET_DIR:-target}/host/rocker-pack" build "$1/tree" -o "$1/app.sqfs" --force > /dev/null
}
