#!/bin/bash
# What the program prints is the same bytes on every system and by every compiler: accounts of all workloads under
# all strategies, on all machines, by many kernels; the analyses of small studies. Digests are kept in printed.csv
# beside this script. Where it says something else on purpose, `check_printed.sh --update` (`make golden`)
# accepts what it says now.
set -u
here=$(dirname "$0")
# shellcheck source=model/tests/cases.sh
. "$here/cases.sh"
kept=$here/printed.csv

echo arguments,sha256 >"$T/printed.csv"

# printed ARGUMENTS...: notes what it prints, and its status.
printed()
{
    run "$@"
    echo "$rc" >>"$T/out"
    echo "${*//"$T"\//},$(cat "$T/out" "$T/err" | sed "s|$T/||g" | sha256sum | cut -d' ' -f1)" >>"$T/printed.csv"
}

# printed_file NAME: the same of a file that it wrote.
printed_file()
{
    echo "$1,$(sha256sum <"$T/$1" | cut -d' ' -f1)" >>"$T/printed.csv"
}

strategies=(unmap unmap-lazy eager eager-toggle1 eager-naive fwb none unmap-toggle1 unmap-toggle0 unmap-range unmap-vmall
    reinit-lazy reinit-lazy-range reinit-lazy-vmall reinit-lazy-vmall-toggle1 reinit-lazy-vmall-toggle0 lazy-vmall hybrid
    eager-workers eager-range ranged loaded dirty-log recreate)
machines=(altra-max-2s cortex-a72 kunpeng-920 neoverse-n1 neoverse-v1-nodic neoverse-v1)
kernels=(5.10 5.18 6.1 6.2 6.6 6.8 6.12 6.16 7.3)
i=0
for path in "$here"/../../workloads/*.ini; do
    name=$(basename "$path" .ini)
    fewer=()
    [[ $name != s06-* ]] || fewer=(-S vcpus=16) # as many as all machines have cores for
    for round in 0 1 2; do
        case $name in recorded-4k | recorded-2vcpu-4k | resume-pool) continue ;; esac # dearer than all others
        printed explain -v -s "${strategies[(7 * i + 11 * round) % 24]}" -m "${machines[(i + round) % 6]}" \
            -k "${kernels[(2 * i + 5 * round) % 9]}" "$name" "${fewer[@]}"
    done
    i=$((i + 1))
done
printed explain --trace -s hybrid generated-boot -S vcpus=3 -S footprint=1M
printed explain --timeline="$T/timeline.json" --timeline-limit=120 -s unmap s02-protected-vm
printed_file timeline.json
printed explain --exact -v -s unmap-lazy -m kunpeng-920 note-relocated-kernel -S exit_ns=400
printed explain --exact -v -s reinit-lazy -m cortex-a72 all-readers

# Nobody waits, and vCPUs wait for each other; fits, where the study asks for them.
for vcpus in 1 3; do
    cat >"$T/small$vcpus.ini" <<END
[study]
draws = $((8 * vcpus))
shifts = $((2 * vcpus))
draws_min = 8
[set]
workload = generated-boot
footprint = 2M
secondaries_after = 1M
backing = 4k
vcpus = $vcpus
[axes]
machine = neoverse-n1, kunpeng-920
strategy = unmap, eager, unmap-lazy, eager-workers, fwb
touched = 20%, 100%
rewrite = 0, 512K
END
done
for study in "$T/small1.ini" "$T/small3.ini"; do
    one=(--set touched=100% --set rewrite=512K --set machine=neoverse-n1)
    printed breakeven "$study" "${one[@]}" -a dc_dirty_ratio --from 1 --to 8 --steps 4 -f csv
    printed breakeven "$study" "${one[@]}" -a dc_dirty_ratio --from 1 --to 8 --steps 4 -m pause -p unmap,unmap-lazy
    printed breakeven "$study" "${one[@]}" -a footprint --from 1M --to 4M --steps 4 -w -m cpu
    printed breakeven "$study" "${one[@]}" -a footprint --from 1M --to 4M --steps 4 --target 1ms -f csv
    printed breakeven "$study" "${one[@]}" -a vcpus --from 1 --to 4 --steps 4 --target 2ms -m window
    printed map "$study" --set machine=neoverse-n1 -x rewrite -y touched -m cpu -f csv
    printed map "$study" --set rewrite=0 -x machine -y touched -w -m pause
    printed map "$study" --set machine=kunpeng-920 -x touched -y rewrite -s
    printed sensitivity "$study" --set rewrite=0 --points 16 --all -f csv
    printed sensitivity "$study" "${one[@]}" --points 16 --of unmap,eager-workers -m cpu
    printed sensitivity "$study" "${one[@]}" --points 16 --of fwb -w -m window
    printed advise "$study" "${one[@]}" -n 1 -f json
    printed advise "$study" --set rewrite=0 --set touched=20% -n 1 -H --all -m pause
done

# Tables: each by itself, and all rows of some.
for what in machines kernels strategies costs; do
    printed list "$what"
done
for machine in "${machines[@]}"; do
    printed list costs -m "$machine"
done
for name in "${strategies[@]}" "${kernels[@]}"; do
    printed list --explain="$name"
done

# What is refused, and what would be right: names that are far from all there are, and near one.
for wrong in "-m zzzz" "-m neoverse-n2" "-m neoverse" "-k 4.4" "-k zzzz" "-s zzzz" "-s egaer" "-S vcpus=1000" \
    "-S nosuch=1" "-S footprnt=1M" "-S exit_ns=1s" "-S backing=8k" "-s eager-workers -S vcpus=300"; do
    read -ra wrong <<<"$wrong"
    printed explain first-boot "${wrong[@]}"
done
printed explain zzzz
printed explain first-bot
printed explain --exact s06-database
for wrong in "breakeven -a zzzz --from 1 --to 2" "breakeven -a footprint --from 4M --to 1M" \
    "breakeven -a footprint --from 1M" "breakeven -a footprint --from 1M --to 4M --steps 1" \
    "breakeven -a footprint --from 1M --to 4M -p unmap,zzzz" "breakeven -a kernel --from 1 --to 2" \
    "breakeven -a footprint --from 1X --to 4M" "breakeven -a touched -m zzzz" "map -x zzzz" \
    "map -x rewrite -y rewrite" "sensitivity --of zzzz" "sensitivity --of unmap,unmap" \
    "sensitivity --points 1" "advise -n 99"; do
    read -ra wrong <<<"$wrong"
    printed "${wrong[0]}" "$T/small3.ini" --set machine=neoverse-n1 "${wrong[@]:1}"
done
if [ "${1:-}" = --update ]; then
    cp "$T/printed.csv" "$kept"
fi
while IFS= read -r line; do
    check "printed by ${line%,*}: the same bytes" grep -qxF -- "$line" "$kept"
done < <(tail -n +2 "$T/printed.csv")
check "printed: all" is "$(wc -l <"$kept")" "$(wc -l <"$T/printed.csv")"
exit "$failed"
