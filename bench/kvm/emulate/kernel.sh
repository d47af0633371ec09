#!/usr/bin/env bash
# Prints the path of an arm64 kernel image, fetched as a Debian package.
#
#   kernel.sh DIRECTORY
#
# The package comes from where this machine's own apt gets its packages, with a package
# index of its own below DIRECTORY: the system's architectures and lists stay as they are.
#
#   PACKAGE=NAME     that package (and not the one whose counts are recorded)
#   RECORDED=6.1.190 the version to look for; if it is gone, the newest of its series
set -euo pipefail

# Absolute, for apt takes a relative one from the root of the file system.
mkdir -p "$1"
directory=$(cd "$1" && pwd)
recorded=${RECORDED:-6.1.190}
state=$directory/apt

say() { echo "kvm-counts: $*" >&2; }
missing() { say "$*"; exit 2; }

apt_options=(
    -o APT::Architecture=arm64
    -o "Dir::State=$state"
    -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state/cache"
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
)

for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null ||
        missing "no $tool to fetch a kernel with; give one: make kvm-counts KERNEL=file"
done

# An index that is less than a day old is good enough.
update() {
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    if [ -z "$(find "$state/updated" -mtime -1 2>/dev/null)" ]; then
        apt-get "${apt_options[@]}" -qq update >&2 ||
            missing "apt can't reach its sources; give a kernel: make kvm-counts KERNEL=file"
        touch "$state/updated"
    fi
}

# Version and name of every kernel of the recorded series, oldest first. The suffix keeps
# out the flavours: cloud, rt and unsigned ones.
candidates() {
    local series=${recorded%.*} name
    for name in $(apt-cache "${apt_options[@]}" search --names-only \
        "^linux-image-${series//./\\.}\\.[0-9]+(-[0-9]+|\\+deb[0-9]+)-arm64\$" | cut -d' ' -f1); do
        apt-cache "${apt_options[@]}" show --no-all-versions "$name" |
            awk -v name="$name" '/^Version:/ { print $2, name; exit }'
    done | sort -V
}

choose() {
    local all chosen
    all=$(candidates)
    [ -n "$all" ] || missing "apt has no arm64 kernel ${recorded%.*}; give one: KERNEL=file"
    chosen=$(awk -v want="$recorded-" 'index($1, want) == 1 { print $2 }' <<<"$all" | tail -n 1)
    if [ -z "$chosen" ]; then
        chosen=$(tail -n 1 <<<"$all" | cut -d' ' -f2)
        say "apt has $recorded no more; taken instead: $chosen"
    fi
    echo "$chosen"
}

# In newer packages the image is in one that the named package needs.
image_package() {
    local needed
    needed=$(apt-cache "${apt_options[@]}" show --no-all-versions "$1" |
        sed -n 's/^Depends:.*\(linux-binary-[^ ,]*\).*/\1/p')
    echo "${needed:-$1}"
}

fetch() {
    local package=$1 into=$directory/$1
    if [ ! -e "$into/done" ]; then
        rm -rf "$into"
        mkdir -p "$into"
        say "fetching $package"
        (cd "$into" && apt-get "${apt_options[@]}" -qq download "$package" >&2) ||
            missing "apt can't fetch $package"
        dpkg-deb --fsys-tarfile "$into"/*.deb |
            tar -x -C "$into" --wildcards --no-anchored 'vmlinuz*' ||
            missing "$package holds no kernel image"
        rm "$into"/*.deb
        touch "$into/done"
    fi
    find "$into" -type f -name 'vmlinuz*' | head -n 1
}

update
fetch "$(image_package "${PACKAGE:-$(choose)}")"
