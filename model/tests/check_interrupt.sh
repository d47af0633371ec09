#!/bin/bash
# Ctrl-C ends a run within a second, also where one simulation takes minutes: what is not done by then
# is left as if killed; --dry-run plays a few seconds of it. The bounds here are in processor time, far above a
# second and far below the simulation.
set -u
here=$(dirname "$0")
# shellcheck source=model/tests/cases.sh
. "$here/cases.sh"

{
    printf '[workload]\nplay = concurrent\n[vm]\nram = 16G\nvcpus = 16\nbacking = 4k\n[timeline]\nvmm = reinit all\n'
    for ((i = 0; i < 16; i++)); do
        printf 'vcpu%d = enter\nvcpu%d = write ram 16G\nvcpu%d = read ram 16G\n' $i $i $i
    done
} >"$T/long.ini"
cat >"$T/study.ini" <<END
[study]
draws = 0
fidelity = exact
[axes]
workload = long.ini
machine = altra-max-2s
strategy = unmap
END

# ends_by SIGNAL STATUS: a second after it began to play. A job of its own, for others do not hear Ctrl-C.
ends_by()
{
    local long
    rc=0
    set -m
    (ulimit -t 30; exec "$S2FLUSH" run "$T/study.ini" -o "$T/$1" --jobs 1 --quiet) >"$T/out" 2>"$T/err" </dev/null &
    long=$!
    set +m
    until [ -e "$T/$1/samples.db" ] || ! kill -0 "$long" 2>/dev/null; do sleep 0.05; done
    sleep 1
    kill -s "$1" "$long" 2>/dev/null
    wait "$long" 2>/dev/null || rc=$?
    check "$1 in a long simulation: status" is "$rc" "$2"
    check "$1 in a long simulation: says how to go on" says err "the same command goes on from there"
}

ends_by INT 130
ends_by TERM 143
# An estimate stops playing what is long, and says that it did.
rc=0
(ulimit -t 60; "$S2FLUSH" run "$T/study.ini" --dry-run --jobs 1) >"$T/out" 2>"$T/err" </dev/null || rc=$?
check "--dry-run of a long simulation: status" is "$rc" 0
check "--dry-run of a long simulation: says that it takes longer" says out "more than about"

# Whenever a signal comes, no file is left under a temporary name, nor gnuplot's folder.
"$S2FLUSH" run first-light -o "$T/plots" -q --set draws=2 --set shifts=1 || exit 2
mkdir "$T/tmp"
for after in 0.02 0.05 0.1 0.2 0.3 0.5; do
    for signal in INT TERM HUP; do
        TMPDIR=$T/tmp timeout -s "$signal" -k 600 "$after" "$S2FLUSH" plot "$T/plots" >"$T/out" 2>"$T/err" </dev/null
    done
done
check "signals while plots are drawn: nothing is left in the folder" is "$(find "$T/plots" -name '.*.[0-9]*')" ""
check "signals while plots are drawn: nothing is left beside it" is "$(ls -A "$T/tmp")" ""
exit "$failed"
