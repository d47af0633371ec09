#!/bin/bash
# All that is meant to break the program, in about so many minutes; `make torture` calls it.
#
#   torture.sh MINUTES [SEED]      from the root of the tree, with the ordinary build there
#
# Every part gets its share of the time and goes on where another failed. What a part says is in
# build/torture/PART.log; at the end stand `name: value` lines, and the status is 1 where one failed.
#
# An hour can be had in portions: each adds what it did to build/torture.sums, and all of them together are
# said last. Without SEED it is the portion's number, so that each has other kills; the sample of mutants and
# the fuzzers' inputs go on from where the portion before left them.
set -u
: "${S2FLUSH:?set it to the program under test}"
sums=build/torture.sums
portion=$(($(grep -c '^portion: ' "$sums" 2>/dev/null) + 1))
minutes=$1 seed=${2:-$portion}
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
mutants=$((portion * minutes * 5)) # of one sample, which goes on

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
    part mutants 12 "$make" --no-print-directory mutants COUNT="$mutants" SEED="${2:-1}" \
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

# added NAME COMMAND...: the same of what portions add up.
added() { figure "$@" | tee -a "$sums"; }

# sum PART PATTERN: of all numbers that \1 of the pattern stands for.
sum() { sed -n "s/.*$2.*/\1/p" "$logs/$1.log" | awk '{ all += $1 } END { if (NR) print all }'; }
of() { sed -n "s/^$2: //p" "$logs/$1.log" | tail -n 1; }
passed() { sed -n 's/^\([0-9]* passed, [0-9]* failed\)$/\1/p' "$logs/$1.log" | tail -n 1; }
lines() { grep -c "^ok " "$logs/$1.log"; }

echo
echo "portion: $portion, $minutes minutes, seed $seed, $(git describe --always --dirty 2>/dev/null)" | tee -a "$sums"
figure "bad inputs tried" sum errors 'bad inputs tried: \([0-9]*\)'
figure "fault checks" lines faults
added "kills" of kills kills
figure "resumed to the same bytes" of kills "resumed to the same bytes"
figure "agreement cases" sum agreement ': \([0-9][0-9]*\) cases, '
added "fuzz executions" of fuzz fuzz_executions
added "fuzz findings" of fuzz fuzz_findings
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
added "parts failed" echo "$failed"
if [ "$portion" -gt 1 ]; then
    echo "all $portion portions together:"
    awk -F ': ' '$1 != "portion" { all[$1] += $2; if (!seen[$1]++) name[++n] = $1 }
        END { for (i = 1; i <= n; i++) print name[i] ": " all[name[i]] }' "$sums"
fi
[ "$failed" -eq 0 ]
