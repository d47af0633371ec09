#!/usr/bin/env bash
# Boots Debian's kernel as a KVM host under the detector, has the probe reboot VMs in it, and says
# what guests and host may have read old; then the same with the host's DC CIVAC taken as not done,
# which has to be found.
#
#   linux.sh DETECTOR PROBE INIT DIRECTORY
#
#   KERNEL=file  PACKAGE=name  QEMU=command  CASES='regular expression' of ../counts.csv
#
# Status 0: guests get nothing old, and the control is found. 1: not so. 2: something is missing.
set -euo pipefail

detector=$1 probe=$2 init=$3 directory=$4
here=$(cd "$(dirname "$0")" && pwd)
cases=${CASES:-^(s-flush-thp|s-exec-thp|s-write-pop-thp|s-read-unpop-thp)\$}
most_seconds=${TIMEOUT:-1800}

say() { echo "kvm-proof: $*" >&2; }

command -v cpio >/dev/null || { say 'no cpio here: make deps-kvm'; exit 2; }
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
detector=$(cd "$(dirname "$detector")" && pwd)/$(basename "$detector")
qemu=$("$here/qemu.sh" "$directory/qemu")
kernel=${KERNEL:-$("$here/../emulate/kernel.sh" "$directory/../kvm")}

root=$directory/root
rm -rf "$root"
mkdir -p "$root/dev"
install -m 755 "$init" "$root/init"
install -m 755 "$probe" "$root/probe"
awk -F, -v OFS=, -v cases="$cases" '
    NR == 1 || ($1 == "6.1" && $2 == "neoverse-n1" && $4 ~ cases) {
        print $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
    }' "$here/../counts.csv" >"$root/cases.csv"
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) | gzip -1 >"$directory/linux.gz"

boot() {
    local name=$1 options=$2
    rm -f "$directory/$name.csv"
    timeout "$most_seconds" "$qemu" -M virt,virtualization=on,gic-version=3 -cpu neoverse-n1 \
        -smp 1 -m 1024 -nodefaults -display none -serial stdio -no-reboot \
        -accel tcg,thread=single -kernel "$kernel" -initrd "$directory/linux.gz" \
        -append 'console=ttyAMA0 panic=-1 quiet' \
        -plugin "$detector,ram=40000000:40000000,report=$directory/$name.csv$options" \
        </dev/null 2>&1 | tr -d '\r' >"$directory/$name.log"
    grep -qx '=== probe ended with 0' "$directory/$name.log" ||
        { say "the emulated host did not come to its end, see $directory/$name.log"; exit 1; }
    awk -F, -v name="$name" '
        $1 == "data" || $1 == "fetch" { found[$2] += $5 }
        END {
            printf "%-16s", name
            for (i = split("guest (MMU off),guest (MMU on),host,host EL0", who, ","); i > 0; i--) {
                printf " %s %d", who[i], found[who[i]]
            }
            print ""
        }' "$directory/$name.csv"
}

echo 'lines that may have been read or fetched old, by reader'
boot linux '' | tee "$directory/linux.txt"
boot linux-no-civac ,dc=off | tee "$directory/linux-no-civac.txt"
grep -q 'guest (MMU on) 0 guest (MMU off) 0' "$directory/linux.txt" &&
    ! grep -q 'guest (MMU off) 0' "$directory/linux-no-civac.txt"
