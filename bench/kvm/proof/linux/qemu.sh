#!/usr/bin/env bash
# Makes DIRECTORY/vmm, the arm64 QEMU of this machine's Debian release with the libraries that it needs,
# and DIRECTORY/efi.fd, the UEFI firmware beside it. They come from where this machine's own apt gets its
# packages, and are unpacked: nothing is installed.
#
#   qemu.sh DIRECTORY
set -euo pipefail

mkdir -p "$1"
directory=$(cd "$1" && pwd)
[ ! -e "$directory/vmm" ] || exit 0

missing() { echo "kvm-proof: $*" >&2; exit 2; }

for tool in apt-get dpkg-deb aarch64-linux-gnu-objdump; do
    command -v "$tool" >/dev/null || missing "no $tool here: make deps-kvm"
done
state=$directory/apt root=$directory/root
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$root"
: >"$state/status"
options=(
    -o APT::Architecture=arm64 -o APT::Architectures=arm64
    -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache"
    -o APT::Sandbox::User= -o Acquire::Languages=none
)
echo "kvm-proof: fetching QEMU for arm64 (50 MB)" >&2
apt-get "${options[@]}" -qq update >&2 && apt-get "${options[@]}" -qq -y --download-only \
    --no-install-recommends install qemu-system-arm qemu-efi-aarch64 >&2 ||
    missing "apt can't fetch QEMU for arm64; leave its guests out: GUESTS='relocated aliased several linux'"
for package in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
done

# What a file needs, what that needs, and so on.
rm -rf "$directory/vmm.new"
mkdir "$directory/vmm.new"
take() {
    local from=$1 name
    cp -L "$from" "$directory/vmm.new/"
    for name in $(aarch64-linux-gnu-objdump -p "$from" | awk '$1 == "NEEDED" { print $2 }'); do
        [ -e "$directory/vmm.new/$name" ] || take "$(find -L "$root/lib" "$root/usr/lib" -name "$name" | head -n 1)"
    done
}
take "$root/usr/bin/qemu-system-aarch64"
cp "$root/usr/share/qemu-efi-aarch64/QEMU_EFI.fd" "$directory/efi.fd"
rm -rf "$state" "$root"
mv "$directory/vmm.new" "$directory/vmm"
