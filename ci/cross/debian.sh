# Sourced: Debian's packages, for any of its processors and releases, fetched and unpacked below a directory of ours.
#
# apt-get checks signatures as ever; its lists, its cache and what it believes to be installed are private copies, so this
# needs no root and changes nothing of the machine.

# The archive: ROCKER_DEBIAN and ROCKER_DEBIAN_SECURITY, else what this machine uses.
archive_of() { # debian|debian-security
    apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" | sed 's#/*$##' | grep "/$1\$" | head -1
}

# What is not to be had now may be had elsewhere: 75 (EX_TEMPFAIL of sysexits.h) tells that from a mistake of these scripts.
cannot_fetch() {
    echo "${0##*/}: cannot fetch $*" >&2
    exit 75
}

# view PROCESSOR RELEASE: sets `view` to the directory of apt's private state for them.
view() {
    view=$cross/apt/$1-$2
    [ ! -e "$view/ok" ] || return 0
    archive=${ROCKER_DEBIAN:-$(archive_of debian)}
    security=${ROCKER_DEBIAN_SECURITY:-$(archive_of debian-security)}
    [ -n "$archive" ] || cannot_fetch "anything: apt knows no Debian archive here: name one in ROCKER_DEBIAN"
    mkdir -p "$view/etc/apt.conf.d" "$view/etc/preferences.d" "$view/etc/sources.list.d" "$view/state/lists/partial" \
        "$view/cache/archives/partial"
    # Of its own processor's packages the machine has some already.
    : > "$view/status"
    [ "$1" != "$(dpkg --print-architecture)" ] || cp /var/lib/dpkg/status "$view/status"
    {
        echo "deb $archive $2 main"
        # What another processor runs here is not put on the network.
        if [ "$1" = "$(dpkg --print-architecture)" ]; then
            echo "deb $archive $2-updates main"
            [ -z "$security" ] || echo "deb $security $2-security main"
        fi
    } > "$view/etc/sources.list"
    in_view "$1" apt-get update > /dev/null || cannot_fetch "the lists of Debian $2 for $1"
    touch "$view/ok"
}

in_view() { # PROCESSOR COMMAND...
    processor_of_view=$1 command=$2
    shift 2
    "$command" -qq -o APT::Architecture="$processor_of_view" -o APT::Architectures="$processor_of_view" \
        -o Dir::Etc="$view/etc" -o Dir::Etc::sourcelist="$view/etc/sources.list" \
        -o Dir::Etc::sourceparts="$view/etc/sources.list.d" -o Dir::Etc::trusted=/etc/apt/trusted.gpg \
        -o Dir::Etc::trustedparts=/etc/apt/trusted.gpg.d -o Dir::State="$view/state" -o Dir::State::status="$view/status" \
        -o Dir::Cache="$view/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Debug::NoLocking=1 "$@"
}

# fetch PROCESSOR RELEASE DIRECTORY PACKAGE...: exactly these packages, unpacked there.
fetch() {
    fetch_processor=$1 fetch_release=$2 fetch_directory=$3
    shift 3
    view "$fetch_processor" "$fetch_release"
    debs=$(mktemp -d "$cross/debs.XXXXXX")
    (cd "$debs" && in_view "$fetch_processor" apt-get download "$@") 2> "$debs/messages" || {
        cat "$debs/messages" >&2
        cannot_fetch "$*"
    }
    unpack "$debs" "$fetch_directory"
}

# fetch_with_needs PROCESSOR RELEASE DIRECTORY PACKAGE...: these, and what they need and the machine has not got.
fetch_with_needs() {
    fetch_processor=$1 fetch_release=$2 fetch_directory=$3
    shift 3
    view "$fetch_processor" "$fetch_release"
    debs=$(mktemp -d "$cross/debs.XXXXXX")
    mkdir "$debs/partial"
    in_view "$fetch_processor" apt-get -y --no-install-recommends --download-only -o Dir::Cache::archives="$debs" \
        -o APT::Keep-Downloaded-Packages=1 install "$@" > "$debs/messages" 2>&1 || {
        cat "$debs/messages" >&2
        cannot_fetch "$*"
    }
    unpack "$debs" "$fetch_directory"
}

unpack() { # DEBS DIRECTORY
    mkdir -p "$2"
    for deb in "$1"/*.deb; do
        dpkg -x "$deb" "$2"
    done
    rm -rf "$1"
}

# What a package that only points at another one points at.
depends_of() { # PROCESSOR RELEASE PACKAGE PATTERN
    view "$1" "$2"
    in_view "$1" apt-cache depends "$3" | sed -n "s/^ *Depends: \\($4.*\\)/\\1/p" | head -1
}
