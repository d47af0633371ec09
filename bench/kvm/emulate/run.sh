#!/usr/bin/env bash
# Counts the events of a real arm64 kernel under emulation and compares.
#
#   run.sh S2FLUSH PROBE INIT DIRECTORY
#
# Boots the kernel once for each CPU, runs the cases of bench/kvm/counts.csv in it, writes
# DIRECTORY/counts.csv, compares that with what is recorded, and lets the model check it.
# The counts are exact; times mean nothing in an emulator and are not taken.
#
#   KERNEL=file     another arm64 kernel image
#   PACKAGE=name    another Debian kernel package
#   FULL=1          all cases, and a CPU without VHE as well
#   CPUS='a b'      other CPUs that qemu knows, by its names
#
# Status 0: all equal, or another version than the recorded one (differences are listed).
# 1: the same version counted differently, or something broke. 2: something is missing.
set -euo pipefail

s2flush=$1 probe=$2 init=$3 directory=$4
here=$(cd "$(dirname "$0")" && pwd)
recorded_table=$here/../counts.csv

# The versions whose counts are recorded, by what the table calls them.
declare -A recorded_version=([6.1]=6.1.190 [7.3]=7.3.4)
most_seconds=${TIMEOUT:-600}

say() { echo "kvm-counts: $*" >&2; }
missing() { say "$*"; exit 2; }
broken() { say "$*"; exit 1; }

check_tools() {
    local tool
    for tool in qemu-system-aarch64 cpio gzip timeout awk; do
        command -v "$tool" >/dev/null || missing "no $tool here: make deps-kvm"
    done
}

find_kernel() {
    if [ -n "${KERNEL:-}" ]; then
        [ -r "$KERNEL" ] || missing "KERNEL=$KERNEL can't be read"
        echo "$KERNEL"
    else
        "$here/kernel.sh" "$directory"
    fi
}

# An arm64 Image has its mark at 56; gzip is unpacked by qemu itself.
check_kernel() {
    local image=$1
    if [ "$(dd if="$image" bs=1 skip=56 count=4 status=none | tr -d '\0')" != ARMd ] &&
        ! gzip -t "$image" 2>/dev/null; then
        missing "$image is no arm64 kernel image (Image or Image.gz)"
    fi
}

# The inputs of every VM of the table. What was recorded on one kernel and CPU is run on
# any: the probe takes each VM once.
write_cases() {
    local wanted='^(s-|x-|m4-)'
    [ "${FULL:-}" = 1 ] && wanted=.
    awk -F, -v OFS=, -v wanted="$wanted" '
        NR == 1 || $4 ~ wanted { print $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 }
    ' "$recorded_table"
}

make_initramfs() {
    local root=$directory/root
    rm -rf "$root"
    mkdir -p "$root/dev"
    install -m 755 "$init" "$root/init"
    install -m 755 "$probe" "$root/probe"
    write_cases >"$root/cases.csv"
    (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) | gzip -1 >"$1"
}

# `max` computes pointer authentication by a slow algorithm unless told otherwise.
qemu_cpu() {
    case $1 in
    max) echo max,pauth-impdef=on ;;
    *) echo "$1" ;;
    esac
}

boot() {
    local cpu=$1 image=$2 initramfs=$3 log=$4
    say "booting on $cpu; the console goes to $log"
    timeout "$most_seconds" qemu-system-aarch64 \
        -M virt,virtualization=on,gic-version=3 -cpu "$(qemu_cpu "$cpu")" -smp 1 -m 1024 \
        -nodefaults -display none -serial stdio -no-reboot \
        -kernel "$image" -initrd "$initramfs" \
        -append 'console=ttyAMA0 panic=-1 quiet' </dev/null 2>&1 | tr -d '\r' >"$log" ||
        broken "the emulated machine ($cpu) did not come to its end within $most_seconds s"
}

# The table stands between two marks, the second of which says how long it is.
extract() {
    local log=$1 table=$2 lines
    grep '^probe: ' "$log" | sed 's/^/kvm-counts: in the machine: /' >&2 || true
    grep -qx '=== probe ended with 0' "$log" || broken "the probe failed, see $log"
    awk '/^=== end of / { on = 0 } on { print } /^=== counts$/ { on = 1 }' "$log" >"$table"
    lines=$(sed -n 's/^=== end of \([0-9]*\) lines$/\1/p' "$log")
    [ "$(wc -l <"$table")" = "$lines" ] || broken "the console lost part of the table, see $log"
}

# What Debian calls the version, else what the kernel does.
version_in() {
    sed -n '/^=== kernel /{s/^=== kernel \([^ ]*\).*Debian \([0-9.]*\).*/\2/;s/^=== kernel \([^ ]*\).*/\1/;p;q}' "$1"
}

check_tools
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
image=$(find_kernel)
check_kernel "$image"
make_initramfs "$directory/initramfs.gz"

default_cpus='neoverse-n1 max'
[ "${FULL:-}" = 1 ] && default_cpus='neoverse-n1 max cortex-a72'
table=$directory/counts.csv
: >"$table"
for cpu in ${CPUS:-$default_cpus}; do
    boot "$cpu" "$image" "$directory/initramfs.gz" "$directory/$cpu.log"
    extract "$directory/$cpu.log" "$directory/$cpu.csv"
    version=$(version_in "$directory/$cpu.log")
    if [ -s "$table" ]; then
        tail -n +2 "$directory/$cpu.csv" >>"$table"
    else
        cat "$directory/$cpu.csv" >"$table"
    fi
done
say "kernel $version: $(($(wc -l <"$table") - 1)) phases in $table"

series=$(awk -F, 'NR == 2 { print $1 }' "$table")
same=0
[ "${recorded_version[$series]:-}" = "$version" ] && same=1
differs=0
awk -F, -f "$here/compare.awk" "$recorded_table" "$table" || differs=1
"$s2flush" counts "$table" --check || differs=1
if [ "$differs" = 1 ] && [ "$same" = 0 ]; then
    say "$version is not the version recorded: differences are no failure"
    exit 0
fi
exit "$differs"
