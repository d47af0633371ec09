#!/bin/bash
# Run the fuzz targets one after another and say what each did.
#
#   fuzz.sh BUILD SECONDS [TARGET...]     from the root of the tree
#
# BUILD/fuzz holds the programs. What the fuzzer finds interesting stays in
# BUILD/inputs/TARGET for the next time, inputs that break something are put into
# BUILD/findings. Prints `name: value` lines; exit status 1 where there is a
# finding.
set -u
build=$1 total=$2
shift 2
if [ $# -eq 0 ]; then
    for program in "$build"/fuzz/fuzz_*; do
        set -- "$@" "${program##*/fuzz_}"
    done
fi
# Most inputs of a reader of one small text are refused early, so it needs many of them, and has four shares
# of the time. A simulation takes a hundred times as long as those: two. The others have one.
shares_of()
{
    case $1 in
        csv | platform | recording | workload) echo 4 ;;
        sim) echo 2 ;;
        *) echo 1 ;;
    esac
}
shares=0 seconds=0
for target in "$@"; do
    shares=$((shares + $(shares_of "$target")))
done
mkdir -p "$build/findings" "$build/tmp"
"$build/fuzz/dict" >"$build/words.dict" || exit 2
export TMPDIR=$PWD/$build/tmp OMP_NUM_THREADS=1
# Freed memory is kept from being used again for the length of an input and far more; the usual 256 MiB are misses of
# the cache in each.
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
executions=0 findings=0
for target in "$@"; do
    mkdir -p "$build/inputs/$target"
    log=$build/inputs/$target.log
    each=$((total * $(shares_of "$target") / shares))
    [ "$each" -gt 0 ] || each=1
    seconds=$((seconds + each))
    # 20 seconds for one input or 2 GiB are far beyond what any should take.
    "$build/fuzz/fuzz_$target" -dict="$build/words.dict" -max_total_time="$each" -timeout=20 \
        -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$target-" "$build/inputs/$target" \
        "model/tests/fuzz/corpus/$target" >"$log" 2>&1 </dev/null
    status=$?
    runs=$(LC_ALL=C sed -n 's/^stat::number_of_executed_units: //p' "$log")
    # A crash ends before the statistics: the last progress line says how far it got.
    runs=${runs:-$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)}
    echo "fuzz_${target}_executions: ${runs:-0}"
    executions=$((executions + ${runs:-0}))
    if [ "$status" -ne 0 ]; then
        findings=$((findings + 1))
        echo "fuzz_${target}_finding: $(grep -a -m 1 -E 'ERROR|runtime error|s2flush:' "$log") ($log)"
    fi
done
echo "fuzz_targets: $#"
echo "fuzz_seconds: $seconds"
echo "fuzz_executions: $executions"
echo "fuzz_findings: $findings"
[ "$findings" -eq 0 ]
