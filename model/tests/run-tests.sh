#!/bin/bash
# Run test programs in parallel and count their test cases.
#
#   run-tests.sh [PROGRAM...]       from the root of the tree
#
# PROGRAMs are cmocka programs. Every executable *.sh beside this script is run as well.
#
# A cmocka program is asked for TAP, so both kinds report in the same words: "ok NAME" or
# "not ok NAME: why", and "# SKIP" in such a line means that the case did not run. A case counts
# as failed when it says so, and also when it was announced ("1..N", which cmocka prints first) and
# never reported. A program that reports no failure but exits with another status than 0 (killed,
# timed out, leak found on exit), or that reports nothing at all, adds one failure.
#
# Environment: S2FLUSH       the binary under test, handed on to the programs
#              TEST_WRAPPER  a command to run cmocka programs under, such as valgrind
#              TEST_JOBS     programs at a time (nproc)
#              TEST_TIMEOUT  seconds of processor time for one process (1200): a slow or busy machine takes
#                            no more of them; who only waits has ten times as many by the clock
#              TEST_SCRIPTS  no: only the programs that are named
# Each program gets a TMPDIR of its own, which is removed at the end.
set -u
self=model/tests/run-tests.sh
[ -f "$self" ] || { echo "$self: run me from the root of the tree" >&2; exit 2; }

run_one()
{
    local prog=$1 name kind rc=0 t0=${EPOCHREALTIME/[.,]/} log counts pass fail skip why ms

    name=$(basename "$prog")
    log=$WORK/$name.log
    mkdir -p "$WORK/$name.tmp"
    export TMPDIR=$WORK/$name.tmp

    # The outer redirections keep the shell's own words about a killed program out of the report.
    if [ ! -x "$prog" ]; then
        kind=script
        rc=126
        echo "$prog is not executable" >"$log"
    elif [ "${prog%.sh}" != "$prog" ]; then
        kind=script
        {
            (ulimit -t "$TEST_TIMEOUT" && exec timeout -k 10 $((10 * TEST_TIMEOUT)) "$prog" >"$log" 2>&1 </dev/null)
        } 2>/dev/null || rc=$?
    else
        kind=cmocka
        # shellcheck disable=SC2086 # the wrapper is a command with its options
        {
            (ulimit -t "$TEST_TIMEOUT" &&
                CMOCKA_MESSAGE_OUTPUT=TAP exec timeout -k 10 $((10 * TEST_TIMEOUT)) ${TEST_WRAPPER:-} "$prog" \
                    >"$log" 2>&1 </dev/null)
        } 2>/dev/null || rc=$?
    fi

    # cmocka numbers its cases and writes them wherever the code under test left the cursor; a
    # script's report is a line of its own.
    counts=$(LC_ALL=C awk -v kind="$kind" -v rc="$rc" '
        kind == "cmocka" && /^1\.\.[0-9]+$/ { plan += substr($0, 4); next }
        kind == "cmocka" && match($0, /(not ok|ok) [0-9]+ (-|# SKIP) /) { report(substr($0, RSTART)) }
        kind == "script" && /^(not ok|ok) / { report($0) }
        function report(line) {
            if (line ~ /# SKIP/) skip++
            else if (line ~ /^not/) fail++
            else pass++
        }
        END {
            why = ""
            lost = plan - pass - fail - skip
            if (lost > 0) {
                fail += lost
                why = lost " announced but not reported"
            } else if (pass + fail + skip == 0) {
                fail++
                why = "reported no test"
            } else if (rc != 0 && fail == 0) {
                fail++
                why = "no failure reported"
            }
            print pass + 0, fail + 0, skip + 0, why
        }' "$log")
    read -r pass fail skip why <<<"$counts"
    [ "$rc" -eq 124 ] && why="${why:+$why, }timed out after $((10 * TEST_TIMEOUT)) s: TEST_TIMEOUT"
    [ "$rc" -eq $((128 + $(kill -l XCPU))) ] && why="${why:+$why, }over $TEST_TIMEOUT s of processor time: TEST_TIMEOUT"
    [ "$rc" -gt 128 ] && why="${why:+$why, }killed by SIG$(kill -l $((rc - 128)))"
    echo "$pass $fail $skip" >"$WORK/$name.count"

    ms=$(((${EPOCHREALTIME/[.,]/} - t0) / 1000))
    {
        flock 9
        printf '%-4s  %-32s %4d passed, %d failed' \
            "$([ "$fail" -eq 0 ] && echo ok || echo FAIL)" "$name" "$pass" "$fail"
        [ "$skip" -eq 0 ] || printf ', %d skipped' "$skip"
        printf '  (%d.%02d s)\n' $((ms / 1000)) $((ms % 1000 / 10))
        [ "$kind" = cmocka ] || sed -n 's/^ok \(.*\) # SKIP \(.*\)/      skipped: \1 (\2)/p' "$log"
        if [ "$fail" -ne 0 ]; then
            echo "----- $prog, exit status $rc${why:+: $why}"
            sed 's/^/    /' "$log"
            echo "-----"
        fi
    } 9>"$WORK/lock"
}

progs=("$@")
for script in model/tests/*.sh; do
    [ "$script" = "$self" ] && continue
    [ "${TEST_SCRIPTS:-yes}" = no ] && continue
    case $script in */torture.sh | */systems.sh) continue ;; esac
    # A check that lost its x bit would otherwise just vanish from the count.
    if [ -x "$script" ] || [[ $script == */check_*.sh ]]; then
        progs+=("$script")
    fi
done

WORK=$(mktemp -d) || exit 2
trap 'rm -rf "$WORK"' EXIT
# Waiting OpenMP threads sleep: the programs already share the processors.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export WORK TEST_TIMEOUT=${TEST_TIMEOUT:-1200}
export -f run_one

if [ ${#progs[@]} -gt 0 ]; then
    # shellcheck disable=SC2016 # for the inner shell to expand
    printf '%s\0' "${progs[@]}" |
        xargs -0 -n 1 -P "${TEST_JOBS:-$(nproc)}" bash -c 'run_one "$1"' run_one
fi

passed=0 failed=0 skipped=0
for prog in ${progs[@]+"${progs[@]}"}; do
    p=0 f=1 s=0 # stands if the run left no count behind
    read -r p f s 2>/dev/null <"$WORK/$(basename "$prog").count"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
# What the programs took, user and system, is the second line of `times`; a pipe's shell has none.
times >"$WORK/times"
awk 'NR == 2 { gsub(/[ms]/, " "); printf "%.1f s of CPU\n", $1 * 60 + $2 + $3 * 60 + $4 }' "$WORK/times"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
