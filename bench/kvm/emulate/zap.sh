#!/usr/bin/env bash
# Counts the instructions that a real arm64 kernel needs to give memory back, by page.
#
#   zap.sh INIT DIRECTORY
#
# Prints kind,page_bytes,insns_per_page. The kernel is that of run.sh; KERNEL=file takes
# another one. Status 1: something broke. 2: something is missing.
set -euo pipefail

init=$1 directory=$2
here=$(cd "$(dirname "$0")" && pwd)

for tool in qemu-system-aarch64 cpio gzip timeout; do
    command -v "$tool" >/dev/null || { echo "kvm-zap: no $tool here: make deps-kvm" >&2; exit 2; }
done
mkdir -p "$directory/zap"
image=${KERNEL:-$("$here/kernel.sh" "$directory")}
install -m 755 "$init" "$directory/zap/init"
(cd "$directory/zap" && echo init | cpio -o -H newc --quiet) | gzip -1 >"$directory/zap.gz"

timeout "${TIMEOUT:-600}" qemu-system-aarch64 \
    -M virt,virtualization=on,gic-version=3 -cpu neoverse-n1 -smp 1 -m 1024 \
    -icount shift=0,sleep=off -nodefaults -display none -serial stdio -no-reboot \
    -kernel "$image" -initrd "$directory/zap.gz" \
    -append 'console=ttyAMA0 panic=-1 quiet' </dev/null 2>&1 | tr -d '\r' >"$directory/zap.log"
grep '^zap: ' "$directory/zap.log" >&2 || true
grep -qx '=== end' "$directory/zap.log" || { echo "kvm-zap: it broke, see $directory/zap.log" >&2; exit 1; }
sed -n '/^=== zap$/,/^=== end$/{/^===/d;p}' "$directory/zap.log"
