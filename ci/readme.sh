#!/bin/sh
# readme.sh: the C example of README.md compiles as it stands there, and runs if this is root.
set -eu
cd "$(dirname "$0")/.."
out=${CARGO_TARGET_DIR:-target}
work=$out/readme
mkdir -p "$work"
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' > "$work/example.c"
[ -s "$work/example.c" ] || { echo "readme.sh: README.md has no C example" >&2; exit 1; }
${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror -Iinclude "$work/example.c" "$out/tiny/librocker_ffi.a" \
    -o "$work/example"

# Every path that the README names exists; every option that it shows is in a --help.
grep -oE '\(([a-zA-Z_-]+/)*[a-zA-Z_.-]+\.(md|toml|c|h|sh|rs)\)' README.md | tr -d '()' | sort -u | while read -r path; do
    [ -e "$path" ] || { echo "readme.sh: README.md names $path, which is not there" >&2; exit 1; }
done
for program in tiny/rocker tiny/rocker-master host/rocker-pack; do "$out/$program" --help; done > "$work/help"
"$out/host/rocker-pack" build --help >> "$work/help"
grep -oE -- '`--[a-z-]+' README.md | tr -d '`' | sort -u | while read -r option; do
    grep -q -- "$option" "$work/help" || { echo "readme.sh: no program has the option $option" >&2; exit 1; }
done
echo "the example compiles, and what the README names is there"
