#!/usr/bin/env bash
# Builds a small arm64 kernel with KVM from Debian's source package, once for each policy named: as
# it is, or with the semantic patches that policies.csv has for it.
#
#   build.sh DIRECTORY POLICY...
#
# Leaves DIRECTORY/image/POLICY and DIRECTORY/changes/POLICY.diff. What is there already, of the same
# patches, is kept, so that an interrupted run goes on where it was.
#
#   SOURCE=file   a tar of a kernel's source (linux-source-6.1.tar.xz) in place of the package's
#   CPUS=1        compile so many files at once
#
# Status 1: a patch does not apply, or the kernel does not build. 2: something is missing.
set -euo pipefail

mkdir -p "$1"
directory=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
package=linux-source-6.1
source=$directory/source
arch=$source/arch/arm64
files=(kvm/mmu.c kvm/arm.c kvm/hyp/pgtable.c
    include/asm/kvm_host.h include/asm/kvm_mmu.h include/asm/kvm_pgtable.h)

say() { echo "kvm-patched: $*" >&2; }
missing() { say "$*"; exit 2; }
broken() { say "$*"; exit 1; }

for tool in spatch flex bison bc xz aarch64-linux-gnu-gcc; do
    command -v "$tool" >/dev/null || missing "no $tool here: make deps-kvm"
done

# The package holds a tar of the source with Debian's patches applied. What no small kernel needs
# stays packed.
unpack() {
    local tar=${SOURCE:-}
    if [ -z "$tar" ]; then
        command -v apt-get >/dev/null || missing "no apt-get to fetch $package with; give SOURCE=file"
        mkdir -p "$directory/package"
        say "fetching $package (140 MB)"
        (cd "$directory/package" && apt-get -qq -o APT::Sandbox::User= download "$package" >&2) ||
            missing "apt can't fetch $package; give SOURCE=file"
        tar=$directory/package/source.tar.xz
        dpkg-deb --fsys-tarfile "$directory"/package/*.deb |
            tar -xO --wildcards "*/$package.tar.xz" >"$tar"
    fi
    rm -rf "$source.new"
    mkdir -p "$source.new"
    xz -dc "$tar" | tar -x -C "$source.new" --strip-components 1 \
        --exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' --exclude='*.dts*' \
        --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*.[ch]' \
        --exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/staging/*.[ch]' \
        --exclude='*/drivers/scsi/*.[ch]' --exclude='*/sound/*.[ch]'
    rm -rf "$directory/package"
    mv "$source.new" "$source"
}

kernel_make() {
    MAKEFLAGS='' KBUILD_BUILD_TIMESTAMP=2026-01-01 KBUILD_BUILD_USER=s2flush KBUILD_BUILD_HOST=s2flush \
        make -s -C "$source" O="$directory/objects" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
        -j"${CPUS:-1}" "$@" >"$directory/make.log" 2>&1 ||
        broken "the kernel does not build, see $directory/make.log"
}

# What a policy makes of the files, in DIRECTORY/patched; each patch has to change as many places
# as it says.
patch() {
    local policy=$1 patches=$2 patch changed wanted file
    rm -rf "$directory/patched"
    cp -a "$directory/original" "$directory/patched"
    for patch in $patches; do
        rm -rf "$directory/before"
        cp -a "$directory/patched" "$directory/before"
        for file in "${files[@]}"; do
            spatch --very-quiet --in-place --sp-file "$here/$patch.cocci" \
                "$directory/patched/$file" >"$directory/spatch.log" 2>&1 ||
                broken "$patch.cocci can't be applied to $file, see $directory/spatch.log"
        done
        changed=$( (diff -rU0 "$directory/before" "$directory/patched" || true) | grep -c '^@@' || true)
        wanted=$(sed -n 's|^// Places: ||p' "$here/$patch.cocci")
        [ "$changed" = "$wanted" ] ||
            broken "$patch.cocci changes $changed places in $policy, expected $wanted"
    done
    (cd "$directory" && diff -ru original patched) >"$directory/changes/$policy.diff" || true
}

# Only what differs, so that make compiles no more than it has to.
put() {
    local from=$1 file
    for file in "${files[@]}"; do
        cmp -s "$from/$file" "$arch/$file" || cp "$from/$file" "$arch/$file"
    done
}

# What an image is made of, for a name: its patches, the configuration, the source.
made_of() {
    local patch
    for patch in $1; do
        cat "$here/$patch.cocci"
    done | cat - "$here/small.config" "$directory/release" | sha256sum
}

build() {
    local policy=$1 patches image=$directory/image/$1
    grep -q "^$policy," "$here/policies.csv" || missing "policies.csv has no $policy"
    patches=$(sed -n "s/^$policy,[^,]*,//p" "$here/policies.csv")
    if [ -e "$image" ] && [ "$(cat "$image.of" 2>/dev/null)" = "$(made_of "$patches")" ]; then
        return
    fi
    say "building $policy${patches:+ ($patches)}"
    patch "$policy" "$patches"
    put "$directory/patched"
    kernel_make Image
    cp "$directory/objects/arch/arm64/boot/Image" "$image.new"
    mv "$image.new" "$image"
    made_of "$patches" >"$image.of"
}

[ -d "$source" ] || unpack
make -s -C "$source" kernelversion >"$directory/release"
mkdir -p "$directory/image" "$directory/changes" "$directory/objects"
if [ ! -d "$directory/original" ]; then
    for file in "${files[@]}"; do
        install -D -m 644 "$arch/$file" "$directory/original.new/$file"
    done
    mv "$directory/original.new" "$directory/original"
fi
if ! cmp -s "$here/small.config" "$directory/objects/small.config"; then
    kernel_make KCONFIG_ALLCONFIG="$here/small.config" allnoconfig
    for key in $(grep '=' "$here/small.config"); do
        grep -qx "$key" "$directory/objects/.config" || broken "this kernel has no $key"
    done
    cp "$here/small.config" "$directory/objects/small.config"
fi
for policy in "$@"; do
    build "$policy"
done
