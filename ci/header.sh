#!/bin/sh
# Do the headers in include/ declare what rocker-ffi defines?
#
# The headers are written by hand, because they are what people read, and a header written by hand drifts. So cbindgen
# derives declarations from rocker-ffi, both sides are brought to one form (no comments, one declaration per line, sorted),
# and they must be the same. Then the comparison is tried on copies of the headers with one thing changed in each, which must
# not pass.
#
# cbindgen is a program of a fixed version, built without optimisation below the target directory, where it stays: 40 s of
# one processor, once. As a library of a test it would be built by everybody who runs the tests, each time that a compiler
# changes.
#
# usage: ci/header.sh
set -eu
cd "$(dirname "$0")/.."

VERSION=0.29.2
TOOLS=${CARGO_TARGET_DIR:-target}/ci-tools
CBINDGEN=$TOOLS/bin/cbindgen
CC=${CC:-cc}
mkdir -p "$TOOLS"
TMP=$(mktemp -d "$TOOLS/check.XXXXXX")
trap 'rm -rf "$TMP"' EXIT

install_cbindgen() {
    [ "$("$CBINDGEN" --version 2> /dev/null)" != "cbindgen $VERSION" ] || return 0
    CARGO_TARGET_DIR="$TOOLS/build" cargo install --quiet --debug --locked --force --root "$TOOLS" cbindgen --version "=$VERSION"
    rm -rf "$TOOLS/build"
}

# What rocker-ffi defines.
derive() { # OUTPUT
    cat > "$TMP/cbindgen.toml" << 'TOML'
language = "C"
style = "type"
documentation = false
no_includes = true
usize_is_size_t = true
cpp_compat = false
[enum]
prefix_with_name = false
[export]
# Imported.
exclude = ["secure_getenv"]
TOML
    "$CBINDGEN" --quiet --config "$TMP/cbindgen.toml" --crate rocker-ffi --output "$1" rocker-ffi
}

# One declaration per line, without what does not matter: attributes, white space, an enum's last comma, (void).
normalise() { # FILE INCLUDE_DIR
    mkdir -p "$TMP/system"
    : > "$TMP/system/stddef.h"
    "$CC" -E -P -nostdinc -x c -I "$2" -isystem "$TMP/system" "$1" \
        | sed 's/__attribute__((visibility("default")))//g' \
        | tr '\n\t' '  ' \
        | awk '{
            for (i = 1; i <= length($0); i++) {
                c = substr($0, i, 1)
                depth += (c == "{") - (c == "}")
                printf "%s", c
                if (c == ";" && depth == 0) printf "\n"
            }
        }' \
        | sed -e 's/  */ /g' -e 's/ *\([][(){}*,;=]\) */\1/g' -e 's/^ //' -e 's/,}/}/' -e 's/(void);/();/' \
            -e '/^typedef int(\*App)(void\*);$/d' -e 's/App app,/int(*app)(void*),/' -e '/^ *$/d' -e 's/^extern //' \
        | LC_ALL=C sort
}

# Each value has a macro of its own name.
macros_of() { # INCLUDE_DIR: values without one
    grep -o '^ *ROCKER_ERR_[a-z_]*' "$1/err_no.h" | tr -d ' ' | sort -u | while read -r name; do
        grep -q "^#define $name $name\$" "$1/err_no.h" || echo "$name is no macro"
    done
}

# drift INCLUDE_DIR: prints what differs; fails if anything does.
drift() {
    normalise "$1/rocker_ext.h" "$1" > "$TMP/header"
    diff -u "$TMP/header" "$TMP/derived" > "$TMP/diff" || { tail -n +3 "$TMP/diff"; return 1; }
    ! macros_of "$1" | grep .
}

# can_fail FILE FROM TO: the change must be seen.
can_fail() {
    rm -rf "$TMP/changed"
    cp -r include "$TMP/changed"
    sed -i "s/$2/$3/" "$TMP/changed/$1"
    ! cmp -s "include/$1" "$TMP/changed/$1" || { echo "header: nothing in $1 is like $2" >&2; exit 1; }
    ! drift "$TMP/changed" > "$TMP/seen" || { echo "header: '$3' for '$2' in $1 is not seen" >&2; exit 1; }
}

install_cbindgen
derive "$TMP/derived.h"
normalise "$TMP/derived.h" "$TMP" > "$TMP/derived"
grep -q '^RockerResult ROCKER_enter_rocker(' "$TMP/derived" || { echo "header: nothing was derived" >&2; exit 1; }

drift include || { echo "header: include/ and rocker-ffi differ (- header, + rocker-ffi)" >&2; exit 1; }

# The same comparison must fail now.
can_fail lib.h 'char guard_pname\[16\]' 'char guard_pname[17]'
can_fail lib.h 'int app_pid;' 'long app_pid;'
can_fail lib.h 'int uid;' 'int gid;'
can_fail lib.h 'ROCKER_get_guardname(int pid)' 'ROCKER_get_guardname(long pid)'
can_fail lib.h 'RockerRequest ROCKER_request_new()' 'RockerRequest ROCKER_new_request()'
can_fail lib.h '(\*app)(void \*)' '(*app)(char *)'
can_fail err_no.h 'ROCKER_ERR_sys,' 'ROCKER_ERR_sys = 2,'
can_fail err_no.h '^#define ROCKER_ERR_sys ROCKER_ERR_sys' ''
can_fail rocker_ext.h 'char \*const \*envp;' 'char **envp;'
can_fail rocker_ext.h 'size_t keep_fds_len;' ''
can_fail rocker_ext.h 'const RockerProgram \*program,' 'RockerProgram *program,'
can_fail rocker_ext.h 'unsigned int data_size;' 'unsigned long data_size;'

echo "header: $(wc -l < "$TMP/derived") declarations are the same"
