#!/bin/sh
# python-tree.sh DIR: collects this machine's python3 into DIR as an App: bin, lib, the shared libraries, the dynamic
# linker, and `run`, which starts it from wherever the package is mounted.
set -eu
tree=$1
mkdir -p "$tree/bin" "$tree/lib" "$tree/so"
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
stdlib=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
version=$(basename "$stdlib")
cp "$python" "$tree/bin/python3"
# site-packages are the machine's own business, the test suite is nobody's.
mkdir "$tree/lib/$version"
(cd "$stdlib" && tar cf - --exclude=./site-packages --exclude=./dist-packages --exclude=./test .) |
    (cd "$tree/lib/$version" && tar xf -)
{
    ldd "$python"
    find "$stdlib/lib-dynload" -name '*.so' -exec ldd {} + 2> /dev/null
} | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
    cp -L "$library" "$tree/so/"
done
linker=$(ldd "$python" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld[^ ]*\) .*/\1/p')
cp -L "$linker" "$tree/so/ld.so"
cat > "$tree/run" <<'END'
#!/bin/sh
# run DIR: DIR is where the package is mounted.
export PYTHONHOME="$1" PYTHONDONTWRITEBYTECODE=1
exec "$1/so/ld.so" --library-path "$1/so" "$1/bin/python3" "$1/show.py"
END
chmod 755 "$tree/run"
cat > "$tree/show.py" <<'END'
import json, os, platform, sqlite3, ssl, sys  # a good part of the library, to show that it is there

status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
print("  python      ", platform.python_version(), "from", os.path.dirname(json.__file__))
print("  pid         ", os.getpid(), "   processes:", sorted(int(p) for p in os.listdir("/proc") if p.isdigit()))
print("  uid, gid    ", os.getuid(), os.getgid(), "  groups:", os.getgroups())
print("  capabilities", *(f"{key[3:]}={int(status[key], 16):x}" for key in ("CapEff", "CapPrm", "CapBnd", "CapInh")))
print("  no_new_privs", status["NoNewPrivs"])
print("  mounts:")
for line in open("/proc/self/mountinfo"):
    left, right = line.split(" - ")
    point, options = left.split()[4:6]
    if right.split()[0] in ("squashfs", "overlay"):
        print(f"    {right.split()[0]:9}{point}  ({options})")


def attempt(what, action):
    try:
        action()
        print(f"  {what}: done")
    except OSError as error:
        print(f"  {what}: {error.strerror}")


attempt("write /usr/rocker-was-here", lambda: open("/usr/rocker-was-here", "w").write("from inside\n"))
attempt("write into the package", lambda: open(os.path.join(sys.prefix, "x"), "w"))
attempt("write /proc/sys/kernel/core_pattern", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("read /etc/shadow", lambda: open("/etc/shadow"))
attempt("read the guard's memory", lambda: open("/proc/1/mem", "rb"))
END
