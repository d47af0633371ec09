#!/usr/bin/env bash
# Prints a command that runs a qemu-system-aarch64 whose plugins have the interface that the
# detector needs (qemu.h).
#
#   qemu.sh DIRECTORY
#
# It comes, with all libraries that it needs, as packages of a newer Debian release from where this
# machine's own apt gets its packages, and is unpacked below DIRECTORY: nothing is installed.
#
#   QEMU=COMMAND    that one
#   RELEASE=trixie  the release, whose backports have the newest QEMU for it
set -euo pipefail

directory=$1
release=${RELEASE:-trixie}

say() { echo "kvm-proof: $*" >&2; }
missing() { say "$*"; exit 2; }

if [ -n "${QEMU:-}" ]; then
    command -v "$QEMU" >/dev/null || missing "QEMU=$QEMU can't be run"
    echo "$QEMU"
    exit
fi
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
command=$directory/qemu-system-aarch64
if [ -x "$command" ]; then
    echo "$command"
    exit
fi
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || missing "no $tool to fetch QEMU with; give one: QEMU=command"
done
[ "$(dpkg --print-architecture)" = amd64 ] || missing "unpacks QEMU on amd64 only; give one: QEMU=command"

state=$directory/apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/sources"
: >"$state/status"
mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian //p' | head -n 1)
[ -n "$mirror" ] || missing "apt has no source of Debian's; give a QEMU: QEMU=command"
cat >"$state/sources/newer.sources" <<END
Types: deb
URIs: $mirror
Suites: $release $release-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
options=(
    -o "Dir::State=$state"
    -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state/cache"
    -o Dir::Etc::sourcelist=/dev/null
    -o "Dir::Etc::sourceparts=$state/sources"
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
)
say "fetching QEMU of $release-backports (40 MB)"
apt-get "${options[@]}" -qq update >&2 || missing "apt can't reach $release; give a QEMU: QEMU=command"
apt-get "${options[@]}" -qq -y --download-only --no-install-recommends \
    -t "$release-backports" install qemu-system-arm >&2 ||
    missing "apt can't fetch QEMU; give one: QEMU=command"
for package in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$directory/root"
done
rm -r "$state"
cat >"$command.new" <<END
#!/bin/sh
root=$directory/root
exec "\$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "\$root/usr/lib/x86_64-linux-gnu" \\
    "\$root/usr/bin/qemu-system-aarch64" -L "\$root/usr/share/qemu" "\$@"
END
chmod +x "$command.new"
mv "$command.new" "$command"
echo "$command"
