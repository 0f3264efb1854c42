#!/bin/sh
# sample-tree.sh DIR: an App of some 90 MB from Debian's packages, to try compressions on: Python with its library,
# compiled, nginx, redis, perl, busybox, their shared libraries, and `start`, which starts Python as an App would.
#
#   ci/sample-tree.sh /var/tmp/tree
#   rocker-pack build --advise /var/tmp/tree --start "bin/busybox sh start"
#
# The packages are downloaded with apt and unpacked, not installed; their versions are those of the machine's sources.
set -eu
tree=$1
mkdir -p "$tree"
tree=$(cd "$tree" && pwd)
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
cd "$downloads"
apt-get -qq -o APT::Sandbox::User=root download python3.11-minimal libpython3.11-minimal libpython3.11-stdlib nginx redis-server \
    redis-tools perl-base busybox-static ca-certificates libc6 libstdc++6 libgcc-s1 libgomp1 libssl3 libpcre2-8-0 \
    zlib1g libsqlite3-0 libexpat1 libffi8 libbz2-1.0 liblzma5 libreadline8 libtinfo6 libncursesw6 libuuid1 libcrypt1 \
    libdb5.3 libnsl2 libtirpc3 libgssapi-krb5-2
for package in *.deb; do
    dpkg-deb -x "$package" "$tree"
done
cat > "$tree/start" <<'END'
# With the package's own libraries, whatever the host has.
libraries=lib/$(uname -m)-linux-gnu:usr/lib/$(uname -m)-linux-gnu
linker=$(echo lib/*-linux-gnu/ld-linux*.so.*)
export PYTHONHOME="$PWD/usr" PYTHONDONTWRITEBYTECODE=1
exec "./$linker" --library-path "$libraries" usr/bin/python3.11 start.py
END
echo 'import asyncio, email, http.server, json, logging, sqlite3, ssl' > "$tree/start.py"
# What Debian does when it installs. The files are valid whatever time the package gives their sources.
cd "$tree"
libraries=$(echo lib/*-linux-gnu):$(echo usr/lib/*-linux-gnu)
PYTHONHOME="$tree/usr" "./$(echo lib/*-linux-gnu/ld-linux*.so.*)" --library-path "$libraries" \
    usr/bin/python3.11 -m compileall -q --invalidation-mode unchecked-hash usr/lib/python3.11
