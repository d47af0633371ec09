#!/bin/bash
# All that is meant to break the program, in about so many minutes; `make torture` calls it.
#
#   torture.sh MINUTES [SEED]      from the root of the tree, with the ordinary build there
#
# Every part gets its share of the time and goes on where another failed. What a part says is in
# build/torture/PART.log; at the end stand `name: value` lines, and the status is 1 where one failed.
set -u
: "${S2FLUSH:?set it to the program under test}"
minutes=$1 seed=${2:-1}
case $minutes in
    '' | *[!0-9]* | 0*) echo "torture: found '$minutes', expected whole MINUTES from 1 on" >&2; exit 2 ;;
esac
make=make
tests=${TESTS_DIR:?set it to the folder of the test programs}
logs=build/torture
rm -rf "$logs" && mkdir -p "$logs/tmp" || exit 2
export TMPDIR=$PWD/$logs/tmp # others may write files of the same names elsewhere
export LC_ALL=C
unset MAKEFLAGS MFLAGS # what was asked of the outer make is not meant for these
failed=0 parts=0
total=$((minutes * 60))

has() { command -v "$1" >/dev/null; }

# part NAME PERCENT COMMAND...: its output into the log. It may take three times its share, for what
# has to be built first, before it is stopped.
part()
{
    local name=$1 share=$(($2 * total / 100)) rc=0 t0=$SECONDS
    shift 2
    parts=$((parts + 1))
    echo "  $name"
    timeout -k 10 $((3 * share + 300)) "$@" >"$logs/$name.log" 2>&1 </dev/null || rc=$?
    echo "seconds $name: $((SECONDS - t0))" >>"$logs/times"
    if [ "$rc" -ne 0 ]; then
        failed=$((failed + 1))
        echo "failed $name: status $rc, see $logs/$name.log" >>"$logs/failures"
    fi
}

# without NAME TOOL: a part that cannot be done here.
without()
{
    echo "  $1: no $2 here"
    echo "left out $1: no $2" >>"$logs/missing"
}

# Where there is little time, tests that say most for it.
some='option units config csv error ledger calendar lock kvm stage2 oracle kvm_parallel study_run bad_cells'
only=$([ "$minutes" -ge 30 ] || echo "ONLY=$some")
memory=$([ "$minutes" -ge 60 ] && echo "ONLY=$some actor flow host dirty_log strategy platform workload report limits" ||
    echo 'ONLY=option units config csv error ledger kvm stage2 oracle')
kills=$((minutes >= 20 ? 200 : 10 * minutes))
fuzz_seconds=$((total * 35 / 100))
mutants=$((minutes * 5))

errors()
{
    local rc=0 program
    for program in "$tests"/test_bad_*; do
        CMOCKA_MESSAGE_OUTPUT=TAP "$program" || rc=1
    done
    model/tests/check_options.sh || rc=1
    return "$rc"
}

# Broken input and faults from outside: locale, CRLF, links, full disk, no gnuplot.
faults()
{
    local rc=0
    model/tests/check_hostile.sh || rc=1
    model/tests/check_cli.sh || rc=1
    return "$rc"
}

agreement()
{
    S2FLUSH_CASES=$([ "$minutes" -lt 10 ] || echo all) CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test_agreement"
}

# In a shell of their own, so that timeout can stop them.
export -f errors faults agreement
export S2FLUSH tests minutes
echo "torture for about $minutes minutes, seed $seed:"
part errors 3 bash -c errors
part faults 3 bash -c faults
part kills 8 model/tests/kill_resume.sh "$kills" "$seed"
part agreement 6 bash -c agreement
if has clang; then
    part fuzz 35 "$make" --no-print-directory fuzz SECONDS="$fuzz_seconds"
    part thread 10 "$make" --no-print-directory SANITIZE=thread check ${only:+"$only"}
else
    without fuzz clang
    without thread clang
fi
part address 10 "$make" --no-print-directory SANITIZE=address,undefined check ${only:+"$only"}
if has valgrind; then
    part memcheck 10 "$make" --no-print-directory VALGRIND=1 check "$memory"
else
    without memcheck valgrind
fi
if has python3; then
    part mutants 12 "$make" --no-print-directory mutants COUNT="$mutants" SEED="$seed" \
        SECONDS=$((total * 25 / 100))
    part extensions 3 "$make" --no-print-directory extensions
else
    without mutants python3
fi

# figure NAME COMMAND...: one line of the report, where the command prints something.
figure()
{
    local value
    value=$("${@:2}" 2>/dev/null) && [ -n "$value" ] && echo "$1: $value"
}

# sum PART PATTERN: of all numbers that \1 of the pattern stands for.
sum() { sed -n "s/.*$2.*/\1/p" "$logs/$1.log" | awk '{ all += $1 } END { if (NR) print all }'; }
of() { sed -n "s/^$2: //p" "$logs/$1.log" | tail -n 1; }
passed() { sed -n 's/^\([0-9]* passed, [0-9]* failed\)$/\1/p' "$logs/$1.log" | tail -n 1; }
lines() { grep -c "^ok " "$logs/$1.log"; }

echo
figure "bad inputs tried" sum errors 'bad inputs tried: \([0-9]*\)'
figure "fault checks" lines faults
figure "kills" of kills kills
figure "resumed to the same bytes" of kills "resumed to the same bytes"
figure "agreement cases" sum agreement ': \([0-9][0-9]*\) cases, '
figure "fuzz executions" of fuzz fuzz_executions
figure "fuzz findings" of fuzz fuzz_findings
figure "thread sanitizer" passed thread
figure "address and undefined sanitizer" passed address
figure "memcheck" passed memcheck
figure "mutants tried" of mutants "mutants tried"
figure "mutants caught in percent" of mutants "mutants caught in percent"
figure "extensions" of extensions extensions
figure "extensions failed" of extensions failed
for file in times missing failures; do
    [ ! -e "$logs/$file" ] || cat "$logs/$file"
done
echo "parts: $parts"
echo "parts failed: $failed"
[ "$failed" -eq 0 ]
