#!/usr/bin/env bash
# Counts what a real arm64 kernel needs to give memory back, by page, and to change and end a VM:
# instructions, and distinct lines of its data.
#
#   zap.sh INIT PLUGIN DIRECTORY
#
# Prints what,per,insns,lines and, of what is done once, lines of code and TLBI. The kernel is that of run.sh; KERNEL=file takes another one.
# Status 1: something broke. 2: something is missing.
set -euo pipefail

init=$1 plugin=$(realpath "$2") directory=$3
here=$(cd "$(dirname "$0")" && pwd)

for tool in qemu-system-aarch64 cpio gzip timeout; do
    command -v "$tool" >/dev/null || { echo "kvm-zap: no $tool here: make deps-kvm" >&2; exit 2; }
done
mkdir -p "$directory/zap"
image=${KERNEL:-$("$here/kernel.sh" "$directory")}
install -m 755 "$init" "$directory/zap/init"
(cd "$directory/zap" && echo init | cpio -o -H newc --quiet) | gzip -1 >"$directory/zap.gz"

# A machine of so many CPUs: window,size,time,lines,insns,code,tlbis,dsbs of the CPU that opened it.
# The window is the program's, the last five columns are the plugin's.
count() {
    local cpus=$1 log=$directory/zap.$1.log report=$directory/zap.$1.lines
    timeout "${TIMEOUT:-600}" qemu-system-aarch64 \
        -M virt,virtualization=on,gic-version=3 -cpu neoverse-n1 -smp "$cpus" -m 1536 \
        -icount shift=0,sleep=off -nodefaults -display none -serial stdio -no-reboot \
        -kernel "$image" -initrd "$directory/zap.gz" -plugin "$plugin,report=$report" \
        -append 'console=ttyAMA0 panic=-1 quiet' </dev/null 2>&1 | tr -d '\r' >"$log" || true
    grep '^zap: ' "$log" >&2 || true
    grep -qx '=== end' "$log" || { echo "kvm-zap: it broke, see $log" >&2; exit 1; }
    sed -n '/^=== zap$/,/^=== end$/p' "$log" | grep -E '^[a-z0-9_]+,[0-9]+,[0-9]+$' |
        paste -d, - "$report" >"$directory/zap.$cpus.csv"
    if grep -vE '^[a-z0-9_]+(,[0-9]+){7}$' "$directory/zap.$cpus.csv" >&2; then
        echo "kvm-zap: the plugin saw other windows than the program, see $log and $report" >&2
        exit 1
    fi
}

# Timer ticks and what is done for the first time fall into some of the samples: the least count.
table() {
    awk -F, -v OFS=, '
        { key = FILENAME ~ /zap\.1\.csv$/ ? 1 : 8
          for (i = 3; i <= 7; i++) {
              k = key SUBSEP $1 SUBSEP $2 SUBSEP i
              if (!(k in least) || $i < least[k]) least[k] = $i
          } }
        function at(cpus, what, size, column) { return least[cpus, what, size, column] }
        function slope(what, from, to, column) {
            return (at(1, what, to, column) - at(1, what, from, column)) / (to - from)
        }
        function print_slope(what, per, from, to) {
            printf "%s,%s,%.0f,%.2f,,%.0f\n", what, per, slope(what, from, to, 3), \
                slope(what, from, to, 4), slope(what, from, to, 7)
        }
        function print_call(what) { printf "%s,call on 8 CPUs,%d,,,\n", what, at(8, what, 8, 3) }
        # Of a VM with none of its vCPUs, by those with 8 and 64.
        function left(what, column) { return at(1, what, 8, column) - 8 * slope(what, 8, 64, column) }
        END {
            print "what,per,insns,lines,code,tlbis"
            print_slope("small_munmap", "page of 4 KiB", 2048, 4096)
            print_slope("small_dontneed", "page of 4 KiB", 2048, 4096)
            print_slope("hugetlb_munmap", "page of 2 MiB", 64, 128)
            print_slope("hugetlb_dontneed", "page of 2 MiB", 64, 128)
            print_slope("vcpu_close", "vCPU", 8, 64)
            print_slope("vm_close", "vCPU", 8, 64)
            printf "vm_close,VM of 1 vCPU on 1 CPU,%d,,,\n", at(1, "vm_close", 1, 3)
            printf "vm_free,VM and its slot,%.0f,%.0f,%d,%.0f\n", left("vm_free", 3), \
                left("vm_free", 4), at(1, "vm_free", 8, 6), left("vm_free", 7)
            printf "vm_close,CPU of the host,%.0f,%.2f,,\n", \
                (at(8, "vm_close", 8, 5) - at(1, "vm_close", 8, 5)) / 7, \
                (at(8, "vm_close", 8, 4) - at(1, "vm_close", 8, 4)) / 7
            printf "vm_create,VM,%d,%d,%d,\n", at(8, "vm_create", 1, 3), \
                at(1, "vm_create", 8, 4), at(1, "vm_create", 8, 6)
            printf "vcpu_create,first vCPU,%d,,%d,\n", at(1, "vcpu_create", 1, 3), \
                at(1, "vcpu_create", 8, 6)
            print_slope("vcpu_create", "vCPU", 8, 64)
            print_call("slot_add"); print_call("log_on"); print_call("log_off")
            print_call("slot_delete")
        }' "$directory/zap.1.csv" "$directory/zap.8.csv"
}

count 1
count 8
table
