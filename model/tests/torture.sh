#!/bin/bash
# All that is meant to break the program, in about so many minutes; `make torture` calls it.
#
#   torture.sh MINUTES [SEED]      from the root of the tree, with the ordinary build there
#
# Two parts at a time where there are two processors: the mutants, and one of the others after another. Mutants have
# all processors, at a low priority, so that they take what the others leave, and to the end. Every part gets its
# share of the time and goes on where another failed. What a part says is in build/torture/PART.log; at the end stand `name: value` lines, and the
# status is 1 where one failed.
#
# An hour is one where nothing else runs on two processors. Where something does, a part may take three times its
# share and a quarter of an hour for building; the tests under the thread sanitizer are what takes longest then.
#
# An hour can be had in portions: each adds what it did to build/torture.sums, and all of them together are
# said last. Without SEED it is the portion's number, so that each has other kills; the sample of mutants (of
# MUTANTS_SEED, or 1) and the fuzzers' inputs go on from where the portion before left them. Portions that make
# half an hour together share what does not depend on the seed: the first does the cases that are always the
# same, and each has its part of the tests under sanitizers. With PARTS='fuzz kills' a portion is of these alone,
# and they are done whatever its turn.
set -u
: "${PARTS:=}" "${S2FLUSH:?set it to the program under test}"
sums=build/torture.sums
portion=$(($(grep -c '^portion: ' "$sums" 2>/dev/null) + 1))
minutes=$1 seed=${2:-$portion}
case $minutes in
    '' | *[!0-9]* | 0*) echo "torture: found '$minutes', expected whole MINUTES from 1 on" >&2; exit 2 ;;
esac
tests=${TESTS_DIR:?set it to the folder of the test programs}
logs=build/torture
rm -rf "$logs" && mkdir -p "$logs/tmp" || exit 2
export TMPDIR=$PWD/$logs/tmp # others may write files of the same names elsewhere
export LC_ALL=C
unset MAKEFLAGS MFLAGS # what was asked of the outer make is not meant for these
lanes=$(($(nproc) < 2 ? 1 : 2))
export JOBS=$(($(nproc) / lanes))
export TEST_JOBS=$JOBS
total=$((minutes * 60 * lanes))
before=$(awk '/^added minutes: / { all += $3 } END { print all + 0 }' "$sums" 2>/dev/null || echo 0)
mutants=$((5 * (before + minutes))) # of one sample, which goes on

# Of portions that make half an hour together, which one this is.
deal=$((${#PARTS} > 0 ? 1 : (30 + minutes - 1) / minutes))
turn=$(((portion - 1) % deal))

# dealt: the names of this portion's share of the tests.
dealt()
{
    local program i=0
    for program in "$tests"/test_*; do
        [ $((i++ % deal)) -ne "$turn" ] || echo "${program##*/test_}"
    done
}

only=$([ "$deal" -eq 1 ] || echo "ONLY=$(dealt | tr '\n' ' ')")
memory='ONLY=option units config csv error ledger kvm stage2 oracle calendar lock kvm_parallel study_run actor flow
    host dirty_log strategy platform workload report limits'
# Programs in which threads run at the same time; `make SANITIZE=thread check` has all others, too.
threads='ONLY=advise benchtext breakeven calibrate calibrate_files counts crossing draw_fit fair memory_bounds needs
    pairs sensitivity store strata study study_run surrogate sweep validate wait winner_map'

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

# Names of parts, each with its percent of the time, what it needs to be here, and whether it is the
# same in each portion. Those that may take longest come first. Fuzzing goes on beyond its share where that was too short
# for its executions.
parts='mutants 45 python3 each
address 15 - each
fuzz 22 clang each
memcheck 4 valgrind once
thread 4 clang once
agreement 4 - once
extensions 3 python3 once
errors 1 - once
faults 1 - once
kills 1 - each'
if [ -n "$PARTS" ]; then
    parts=$(grep -E "^(${PARTS// /|}) " <<<"$parts")
fi
whole=$(awk '{ percent += $2 } END { print percent + 0 }' <<<"$parts")

command_of()
{
    case $1 in
        errors) errors ;;
        faults) faults ;;
        agreement) S2FLUSH_CASES=all CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test_agreement" ;;
        kills) model/tests/kill_resume.sh $((7 * minutes + 8)) "$seed" ;;
        fuzz) FUZZ_EXECUTIONS=$((lanes * minutes * 83334)) make fuzz SECONDS="$2" ;;
        thread) make SANITIZE=thread check "$threads" ;;
        address) make SANITIZE=address,undefined check ${only:+"$only"} ;;
        memcheck) make VALGRIND=1 check "$memory" ;;
        mutants) JOBS=$(nproc) make mutants COUNT="$mutants" SEED="${MUTANTS_SEED:-1}" \
            SECONDS=$((lanes == 1 ? $2 : 65 * minutes)) ;;
        extensions) make extensions ;;
    esac
}

# part NAME PERCENT NEEDS WHEN: its output into the log. It may take three times its share, and a quarter of
# an hour for what has to be built first, before it is stopped.
part()
{
    local name=$1 share=$(($2 * total / whole)) rc=0 t0=$SECONDS
    if [ "$3" != - ] && ! command -v "$3" >/dev/null; then
        echo "  $name: no $3 here"
        echo "left out $name: no $3" >>"$logs/missing"
        return 0
    fi
    [ "$4" = each ] || [ "$turn" -eq 0 ] || return 0
    echo "  $name"
    export TMPDIR=$PWD/$logs/tmp/$1 # two parts at a time may write files of the same names
    mkdir -p "$TMPDIR"
    timeout -k 10 $((3 * share + 900)) bash -c 'command_of "$@"' part "$name" "$share" \
        >"$logs/$name.log" 2>&1 </dev/null || rc=$?
    echo "seconds $name: $((SECONDS - t0))" >>"$logs/times"
    [ "$rc" -eq 0 ] || echo "failed $name: status $rc, see $logs/$name.log" >>"$logs/failures"
}

# In shells of their own, so that two can run at a time and timeout can stop them.
export -f part command_of errors faults
export S2FLUSH tests minutes lanes portion seed total whole mutants logs turn only memory threads
echo "torture for about $minutes minutes, seed $seed:"
[ -n "$parts" ] || { echo "torture: found PARTS='$PARTS', which is none of them" >&2; exit 2; }
xargs -P "$lanes" -L 1 bash -c 'part "$@"' part <<<"$parts" || echo "failed: a part cannot be run" >>"$logs/failures"

# figure HOW NAME COMMAND...: one line of the report, where the command prints something. Of portions it is
# added up, or the latest stands.
figure()
{
    local value
    value=$("${@:3}" 2>/dev/null) && [ -n "$value" ] || return
    echo "$2: $value"
    echo "$1 $2: $value" >>"$sums"
}

# sum PART PATTERN: of all numbers that \1 of the pattern stands for.
sum() { sed -n "s/.*$2.*/\1/p" "$logs/$1.log" | awk '{ all += $1 } END { if (NR) print all }'; }
of() { sed -n "s/^$2: //p" "$logs/$1.log" | tail -n 1; }
passed() { sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$logs/$1.log" | tail -n 1; }
lines() { grep -c "^ok " "$logs/$1.log"; }
count() { [ -e "$logs/$1" ] && wc -l <"$logs/$1" || echo 0; }

echo
echo "portion: $portion, $minutes minutes, seed $seed, $(git describe --always --dirty 2>/dev/null)" | tee -a "$sums"
figure latest "bad inputs tried" sum errors 'bad inputs tried: \([0-9]*\)'
figure latest "fault checks" lines faults
figure added "kills" of kills kills
figure latest "resumed to the same bytes" of kills "resumed to the same bytes"
figure latest "agreement cases" sum agreement ': \([0-9][0-9]*\) cases, '
figure added "fuzz executions" of fuzz fuzz_executions
figure added "fuzz findings" of fuzz fuzz_findings
figure latest "passed under the thread sanitizer" passed thread
figure added "passed under the address and undefined sanitizers" passed address
figure latest "passed under memcheck" passed memcheck
figure latest "mutants seed" of mutants "mutants seed"
figure latest "mutants tried" of mutants "mutants tried"
figure latest "mutants caught" of mutants "mutants caught"
figure latest "mutants caught by a test" of mutants "mutants caught by a test"
figure latest "mutants caught by their work alone" of mutants "mutants caught by their work alone"
figure latest "mutants caught in percent" of mutants "mutants caught in percent"
figure latest "extensions" of extensions extensions
figure latest "extensions failed" of extensions failed
for file in times missing failures; do
    [ ! -e "$logs/$file" ] || cat "$logs/$file"
done
figure added "minutes" echo "$minutes"
figure added "seconds" echo "$SECONDS"
figure added "parts" count times
figure added "parts failed" count failures
if [ "$portion" -gt 1 ]; then
    echo "all $portion portions together:"
    awk -F ': ' '/^(added|latest) / {
            how = $1; sub(/ .*/, "", how); name = $1; sub(/^[a-z]* /, "", name)
            if (!(name in value)) order[++n] = name
            value[name] = how == "added" ? value[name] + $2 : $2
        } END { for (i = 1; i <= n; i++) print order[i] ": " value[order[i]] }' "$sums"
fi
[ ! -e "$logs/failures" ]
