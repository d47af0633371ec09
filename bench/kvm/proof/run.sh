#!/usr/bin/env bash
# Runs each policy of cases.csv under the detector, and sets beside what it finds what has to be
# found and what the model says.
#
#   run.sh S2FLUSH DETECTOR IMAGE DIRECTORY
#
#   RULES=1         then leaves each rule of the detector out, and says which policies that changes
#   QEMU=COMMAND    another QEMU
#
# Status 0: all as it has to be. 1: something is not, or a rule is not needed. 2: something is
# missing.
set -euo pipefail

s2flush=$1 detector=$2 image=$3 directory=$4
here=$(cd "$(dirname "$0")" && pwd)
most_seconds=${TIMEOUT:-120}

. "$here/verdicts.sh"

say() { echo "kvm-proof: $*" >&2; }
broken() { say "$*"; exit 1; }

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
detector=$(cd "$(dirname "$detector")" && pwd)/$(basename "$detector")
qemu=$("$here/qemu.sh" "$directory/qemu")

# Of a policy, into REPORT. The guests' sums are right in any case: an emulator has no caches.
watch() {
    local policy=$1 cpu=$2 bits=$3 options=$4 report=$5
    rm -f "$report"
    timeout "$most_seconds" "$qemu" -M virt,virtualization=on -cpu "$cpu" -m 512 -nodefaults \
        -display none -serial stdio -accel tcg,thread=single -kernel "$image" \
        -device "loader,addr=0x40000000,data=$bits,data-len=4" \
        -plugin "$detector,ram=40000000:20000000,report=$report$options" \
        </dev/null >"$report.log" 2>&1 || broken "$policy: QEMU failed, see $report.log"
    grep -qx end "$report.log" && ! grep -q WRONG "$report.log" && [ -s "$report" ] ||
        broken "$policy: the guest did not come to its end, see $report.log"
}

# All cases, without a rule or with all; one line each in FILE.
watch_all() {
    local file=$1 without=$2 policy cpu bits options rest
    : >"$file"
    while IFS=, read -r policy cpu bits options rest; do
        watch "$policy" "$cpu" "$bits" "${options:+,$options}${without:+,without=$without}" \
            "$directory/$policy.csv"
        echo "$policy $(detected "$directory/$policy.csv")" >>"$file"
    done < <(tail -n +2 "$here/cases.csv")
}

watch_all "$directory/found" ''
wrong=0
printf '%-20s %-28s %-28s %s\n' policy detector model 'has to be (guest MMU off, on, fetch; host)'
while IFS=, read -r policy _ _ _ workload machine strategy off on fetch host; do
    has="$off $on $fetch $host"
    found=$(sed -n "s/^$policy //p" "$directory/found")
    model=
    [ -z "$workload" ] || model=$(modelled "$here/$workload.ini" "$machine" "$strategy") ||
        broken "the model does not play $workload by $strategy"
    note=
    [ "$found" = "$has" ] && [ "${model:-$has}" = "$has" ] || note='  DIFFERS'
    [ -z "$note" ] || wrong=1
    printf '%-20s %-28s %-28s %s%s\n' "$policy" "$found" "${model:-not a strategy}" "$has" "$note"
done < <(tail -n +2 "$here/cases.csv")

if [ "${RULES:-}" = 1 ]; then
    echo
    for rule in $(grep -oE 'X\([A-Z_]+,' "$here/shadow.h" | sed 's|^X(||; s|,||'); do
        watch_all "$directory/without" "$rule"
        changed=$(diff "$directory/found" "$directory/without" | sed -n 's/^> \([^ ]*\) .*/\1/p' || true)
        [ -n "$changed" ] || wrong=1
        printf 'without %-12s %s\n' "$rule" "$(echo ${changed:-nothing changes})"
    done
fi
exit "$wrong"
