#!/bin/bash
# Run the fuzz targets one after another and say what each did.
#
#   fuzz.sh BUILD SECONDS [TARGET...]     from the root of the tree
#
# BUILD/fuzz holds the programs. What the fuzzer finds interesting stays in
# BUILD/inputs/TARGET for the next time, inputs that break something are put into
# BUILD/findings. Prints `name: value` lines; exit status 1 where there is a
# finding.
#
# FUZZ_EXECUTIONS=N: a slow machine goes on by tenths of SECONDS until there were so
# many executions, for twice the time at the longest.
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
shares=0
for target in "$@"; do
    shares=$((shares + $(shares_of "$target")))
done
mkdir -p "$build/findings" "$build/tmp"
"$build/fuzz/dict" >"$build/words.dict" || exit 2
export TMPDIR=$PWD/$build/tmp OMP_NUM_THREADS=1
# Freed memory is kept from being used again for the length of an input and far more; the usual 256 MiB are misses of
# the cache in each.
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
declare -A executions_of
executions=0 findings=0 spent=0

# fuzz_target TARGET SECONDS
fuzz_target()
{
    local target=$1 log=$build/inputs/$1.log status=0 runs
    mkdir -p "$build/inputs/$target"
    # 20 seconds for one input or 2 GiB are far beyond what any should take.
    "$build/fuzz/fuzz_$target" -dict="$build/words.dict" -max_total_time="$2" -timeout=20 \
        -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$target-" "$build/inputs/$target" \
        "model/tests/fuzz/corpus/$target" >"$log" 2>&1 </dev/null || status=$?
    runs=$(LC_ALL=C sed -n 's/^stat::number_of_executed_units: //p' "$log")
    # A crash ends before the statistics: the last progress line says how far it got.
    runs=${runs:-$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)}
    executions_of[$target]=$((${executions_of[$target]:-0} + ${runs:-0}))
    executions=$((executions + ${runs:-0}))
    if [ "$status" -ne 0 ]; then
        findings=$((findings + 1))
        echo "fuzz_${target}_finding: $(grep -a -m 1 -E 'ERROR|runtime error|s2flush:' "$log") ($log)"
    fi
}

# fuzz_all SECONDS TARGET...
fuzz_all()
{
    local seconds=$1 target each
    shift
    for target in "$@"; do
        each=$((seconds * $(shares_of "$target") / shares))
        [ "$each" -gt 0 ] || each=1
        spent=$((spent + each))
        fuzz_target "$target" "$each"
    done
}

fuzz_all "$total" "$@"
while [ "$executions" -lt "${FUZZ_EXECUTIONS:-0}" ] && [ "$spent" -lt $((2 * total)) ] && [ "$findings" -eq 0 ]; do
    fuzz_all $((total / 10)) "$@"
done
for target in "$@"; do
    echo "fuzz_${target}_executions: ${executions_of[$target]}"
done
echo "fuzz_targets: $#"
echo "fuzz_seconds: $spent"
echo "fuzz_executions: $executions"
echo "fuzz_findings: $findings"
[ "$findings" -eq 0 ]
