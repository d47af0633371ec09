#!/bin/bash
# The command line from outside: help, exit codes, suggestions, and files that are whole or not
# there. Prints "ok NAME" or "not ok NAME: why" for each case.
set -u
. "$(dirname "$0")/cases.sh"
trap 'umount "$T/tiny" 2>/dev/null; chmod -R u+w "$T"; rm -rf "$T"' EXIT

nothing_in() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }

# --- help and version ---------------------------------------------------------------------------

run --help
check "help: status" is "$rc" 0
check "help: names the commands" says out "explain"
for command in run report merge explain list plot paths calibrate breakeven map sensitivity diff import memo; do
    run "$command" --help
    check "$command --help: status" is "$rc" 0
    check "$command --help: usage" says out "Usage: s2flush $command"
    check "$command --help: nothing but what it takes" test -z "$(grep 'Mandatory' "$T/out")"
done
for command in run explain list; do
    run "$command" --help
    cp "$T/out" "$T/help"
    run help "$command"
    check "help $command: the same" cmp -s "$T/help" "$T/out"
    run "$command" -h
    check "$command -h: the same" cmp -s "$T/help" "$T/out"
done
for about in neoverse-n1:tlbi_ns 6.1:fault_lock generated-boot:footprint first-light:points 7.3:relax_local; do
    run list --explain "${about%:*}"
    check "list --explain ${about%:*}: status" is "$rc" 0
    check "list --explain ${about%:*}: says" says out "${about#*:}"
done
run --version
check "version: status" is "$rc" 0
check "version: names the compiler" says out "compiled by"
run
check "no command: status" is "$rc" 2

# --- bad input ----------------------------------------------------------------------------------

refused "unknown command" "(did you mean explain?)" explian
refused "unknown study" "(did you mean first-light?)" run first-ligth
refused "no study" "expected a study" run
refused "two studies" "expected one" run a b
refused "no such file" "no-such.ini" run "$T/no-such.ini"
refused "bad jobs" "--jobs" run first-light --jobs 0
refused "bad seed" "--seed" run first-light --seed x
refused "bad format" "--format" run first-light --format xml
refused "bad set" "(did you mean draws?)" run first-light --set drwas=1
refused "a key that is gone" "replay: is no longer a key" run first-light --set replay=yes
refused "unknown workload" "no workload" explain no-such-workload
refused "unknown strategy" "(did you mean eager?)" explain recorded-4k --strategy eagr
refused "unknown machine" "(did you mean neoverse-n1?)" explain recorded-4k --machine neoverse-n
refused "a key without effect" "touched: changes nothing" explain recorded-4k --set touched=10%
refused "a time without a trace" "--from: changes nothing without --trace" explain recorded-4k --from 1s
refused "no time" "--to: found 'soon'" explain recorded-4k --trace --to soon
refused "bad kernel" "kernel" explain recorded-4k --kernel 2.6
refused "unknown list" "(did you mean machines?)" list machine
refused "unknown key" "(did you mean touched?)" list --explain touchd
refused "no rows" "rows.csv" plot "$T"
refused "unknown option" "(did you mean jobs?)" run first-light --jbos=2

refused "paths: no table" "expected a table of counts" paths
refused "paths: bad world" "vhe, nvhe or fwb" paths x.csv --world vh
refused "calibrate: no output" "expected -o" calibrate x.csv
refused "calibrate: check and output" "--check fits nothing" calibrate x.csv --check neoverse-n1 -o "$T/x.ini"
refused "calibrate: unknown cost" "(did you mean tlbi_ns?)" calibrate x.csv -o "$T/x.ini" --cost tlb_ns
refused "calibrate: no file" "x.csv" calibrate "$T/x.csv" -o "$T/x.ini"
check "calibrate: nothing written" test ! -e "$T/x.ini"

refused "breakeven: no axis" \
    "reference.ini: found no --axis and no [memo] that names one, expected --axis KEY, of the study's axes touched, footprint," \
    breakeven reference
refused "breakeven: no axis of numbers" "expected --axis KEY, or any key of numbers" breakeven first-light
refused "breakeven: no study" "expected a study" breakeven --axis touched
refused "breakeven: bad metric" "(did you mean cpu_ns?)" breakeven first-light --axis vcpus --metric cpu_n
refused "breakeven: no strategy" "(did you mean eager?)" \
    breakeven workloads/questions/q02-page-size.ini --pair eagr,unmap --axis touched
refused "map: no axis" "no such axis" map first-light --x footprint
refused "map: no default axis" "axes footprint and touched, expected --x KEY, or --x KEY --y KEY: machine, workload," map first-light
refused "map: a count" "is no time" map first-light --metric lines
refused "sensitivity: no strategy" "(did you mean eager?)" sensitivity workloads/questions/q02-page-size.ini --of eagr
refused "sensitivity: points" "from 16 to" sensitivity first-light --points 1
refused "diff: one folder" "two folders" diff "$T"
refused "diff: no rows" "rows.csv" diff "$T" "$T"
refused "impossible strategy" "one core's caches only" run first-light --set strategy=set-way

# Away from its data the program says that, and not that a name is wrong.
mkdir "$T/away" && cp "$S2FLUSH" "$T/away/s2flush"
if [ -e /usr/local/share/s2flush ]; then
    echo "ok no data # SKIP it is installed here"
else
    (cd "$T/away" && env -u S2FLUSH_DATA ./s2flush explain s01-microvm) >"$T/out" 2>"$T/err"
    check "no data: says where it looks" says err "cannot find workloads: expected it in"
    (cd "$T/away" && env -u S2FLUSH_DATA ./s2flush run reference) >"$T/out" 2>"$T/err"
    check "no data: of a study, too" says err "cannot find workloads/studies: expected it in"
fi

# --- recipes for many machines ------------------------------------------------------------------

# recipe NAME WORDS STUDY SHARDS: refused before anything is started.
recipe()
{
    for script in parallel submit; do
        rc=0
        bench/batch/$script.sh "$3" "$T/shards" "$4" >"$T/out" 2>"$T/err" || rc=$?
        check "$script.sh: $1: status" is "$rc" 2
        check "$script.sh: $1: one line" is "$(wc -l <"$T/err")" 1
        check "$script.sh: $1: says" says err "$2"
        check "$script.sh: $1: nothing started" test ! -e "$T/shards"
    done
}
recipe "no shards" "SHARDS: found '0'" first-light 0
recipe "unknown study" "(did you mean first-light?)" first-ligth 2
S2FLUSH=$T/no-such recipe "no program" "no program $T/no-such" first-light 2

# --- a small study ------------------------------------------------------------------------------

cat >"$T/small.ini" <<'EOF'
[workload]
title = small
[vm]
ram = 64M
[boot]
footprint = 4M
rewrite = 1M
EOF
cat >"$T/study.ini" <<EOF
[study]
title = small
draws = 8
shifts = 2
[axes]
workload = $T/small.ini
machine = neoverse-n1, kunpeng-920
backing = 4k, thp
EOF

# Paths in a study's file begin at its folder, from wherever it is run; the command line's at the shell's.
mkdir -p "$T/study.d/vm"
cp "$T/small.ini" "$T/study.d/vm/own.ini"
cp "$(dirname "$0")/../machine/platforms/neoverse-n1.ini" "$T/study.d/board.ini"
printf '[study]\ndraws = 0\n[axes]\nworkload = ./vm/own.ini\nmachine = board.ini\nstrategy = unmap\n' \
    >"$T/study.d/study.ini"
run run "$T/study.d/study.ini" -o "$T/own-a"
check "paths in a study: from elsewhere" is "$rc" 0
(cd "$T/study.d/vm" && "$S2FLUSH" run ../study.ini -o "$T/own-b" -q)
check "paths in a study: the same rows from its folder" cmp -s "$T/own-a/rows.csv" "$T/own-b/rows.csv"
run run "$T/study.d/study.ini" --set workload=./vm/own.ini -o "$T/own-c"
check "paths in a study: one of its own values" is "$rc" 0
refused "paths in a study: the command line's" "./vm/other.ini" \
    run "$T/study.d/study.ini" --set workload=./vm/other.ini -o "$T/own-d"

run run "$T/study.ini" --dry-run -o "$T/dry"
check "dry run: status" is "$rc" 0
check "dry run: says how much" says out "28 points"
check "dry run: writes nothing" test ! -e "$T/dry"

run run "$T/study.ini" -o "$T/a" --jobs 1 --format both
check "run: status" is "$rc" 0
check "run: no data on stdout" silent out
check "run: no progress off a terminal" test "$(wc -l <"$T/err")" -le 1
check "run: files" is "$(cd "$T/a" && ls -A | tr '\n' ' ')" "rows.csv rows.jsonl run.json samples.db "
run run "$T/study.ini" -o "$T/b" --jobs 2 --format both --quiet
check "run: quiet" silent err
check "run: the same CSV for any jobs" cmp -s "$T/a/rows.csv" "$T/b/rows.csv"
check "run: the same JSON Lines for any jobs" cmp -s "$T/a/rows.jsonl" "$T/b/rows.jsonl"
check "run: a line for each row" is "$(wc -l <"$T/a/rows.csv")" \
    "$(($(wc -l <"$T/a/rows.jsonl") + 1))"
run run "$T/study.ini" -o "$T/c" --seed 2 --quiet
check "run: another seed, other rows" test -n "$(cmp "$T/a/rows.csv" "$T/c/rows.csv" 2>&1)"
run run "$T/study.ini" -o "$T/d" --set machine=neoverse-n1 --set vcpus=2 --quiet
check "run: --set takes an axis and a key" is "$rc" 0
check "run: --set was taken" test -z "$(grep kunpeng "$T/d/rows.csv")"

# --- nothing half-written -----------------------------------------------------------------------

refused "folder is a file" "is not a folder" run "$T/study.ini" -o "$T/study.ini/x"
cp -r "$T/a" "$T/kept"
run run "$T/study.ini" -o "$T/kept" --set machine=no-such
check "bad input: old results stay" cmp -s "$T/a/rows.csv" "$T/kept/rows.csv"
SOURCE_DATE_EPOCH=soon run run "$T/study.ini" -o "$T/e"
check "failed run: status" is "$rc" 2
check "failed run: nothing is left" nothing_in "$T/e"
if [ -w /dev/full ]; then
    rc=0
    "$S2FLUSH" list costs >/dev/full 2>"$T/err" || rc=$?
    check "full disk: status" is "$rc" 1
    check "full disk: one line" one_line
fi

# --- going on, and shards -----------------------------------------------------------------------

files_in() { [ "$(cd "$1" && ls -A | tr '\n' ' ')" = "$2" ]; }

# No room for the first cell, room for some, and room for all but the results. Without a TMPDIR,
# since the thread sanitizer keeps a copy of constants there, which must fit as well.
(ulimit -f 10; export TMPDIR="$T/none"; run run "$T/study.ini" -o "$T/new/full"; exit "$rc")
rc=$?
check "no room: status" is "$rc" 1
check "no room: one line" one_line
check "no room: nothing is left" test ! -e "$T/new"
(ulimit -f 120; export TMPDIR="$T/none"; run run "$T/study.ini" -o "$T/full" --quiet; exit "$rc")
rc=$?
check "full disk in a run: status" is "$rc" 1
check "full disk in a run: one line" one_line
check "full disk in a run: says" says err "the same command goes on from there"
check "full disk in a run: what was played is left" test -s "$T/full/samples.db"
check "full disk in a run: no rows" test ! -e "$T/full/rows.csv"
cp -r "$T/full" "$T/other"
run run "$T/study.ini" -o "$T/full"
check "resume: status" is "$rc" 0
check "resume: says" says err "resuming: "
check "resume: the same bytes" cmp -s "$T/a/rows.csv" "$T/full/rows.csv"
check "resume: one file beside the rows" files_in "$T/full" "rows.csv run.json samples.db "
run run "$T/study.ini" -o "$T/full" --format jsonl
check "again: says" says err "resuming: 4 of 4 cells are there already"
check "again: the same rows in another format" cmp -s "$T/a/rows.jsonl" "$T/full/rows.jsonl"
if mkdir "$T/tiny" && mount -t tmpfs -o size=128k none "$T/tiny" 2>/dev/null; then
    run run "$T/study.ini" -o "$T/tiny/x" --quiet
    check "full file system: status" is "$rc" 1
    check "full file system: one line" one_line
    check "full file system: what was played is left" test -s "$T/tiny/x/samples.db"
    mount -o remount,size=8m "$T/tiny"
    run run "$T/study.ini" -o "$T/tiny/x" --quiet
    check "full file system: resumed" cmp -s "$T/a/rows.csv" "$T/tiny/x/rows.csv"
else
    echo "ok full file system # SKIP mounting is not permitted"
fi

refused "resume: another configuration" "--fresh drops it" run "$T/study.ini" -o "$T/other" --seed 2
check "resume: the other's samples stay" test -s "$T/other/samples.db"
"$S2FLUSH" run "$T/study.ini" -o "$T/locked" --set draws=65536 --quiet 2>"$T/err" &
long=$!
until [ -s "$T/locked/samples.db-wal" ] || ! kill -0 "$long" 2>/dev/null; do sleep 0.05; done
for command in run map; do
    run "$command" "$T/study.ini" -o "$T/locked" --set draws=65536
    check "locked: $command: status" is "$rc" 1
    check "locked: $command: one line" one_line
    check "locked: $command: says" says err "another process is playing into this folder"
done
kill -9 "$long"
wait "$long" 2>/dev/null
run run "$T/study.ini" -o "$T/other" --seed 2 --fresh --quiet
check "fresh: status" is "$rc" 0
check "fresh: the same bytes" cmp -s "$T/c/rows.csv" "$T/other/rows.csv"
mkdir -p "$T/folder/samples.db"
run run "$T/study.ini" -o "$T/folder"
check "a folder for the samples: status" is "$rc" 1
check "a folder for the samples: one line" one_line

for bad in 0/3 4/3 3 1/2000; do
    refused "shard $bad" "--shard" run "$T/study.ini" -o "$T/s" --shard "$bad"
done
run run "$T/study.ini" --shard 2/3 --dry-run
check "shard: dry run" says out "shard 2 of 3 has"
for k in 1 3; do
    run run "$T/study.ini" -o "$T/s" --shard "$k/3" --quiet --format both
done
check "shard: its file" files_in "$T/s" "shard-1-of-3.db shard-3-of-3.db "
refused "merge: missing" "shard 2 of 3 is missing" merge "$T/s" -o "$T/m"
refused "merge: doubled" "are both shard 1/3" merge "$T/s" "$T/s/shard-1-of-3.db" -o "$T/m"
refused "merge: no shard" "$T/study.ini: is no store of samples" merge "$T/study.ini" -o "$T/m"
refused "merge: no file" "nowhere" merge "$T/nowhere" -o "$T/m"
refused "merge: an empty folder" "found no shard-K-of-N.db" merge "$T/other" -o "$T/m"
refused "merge: no output" "expected -o" merge "$T/s"
refused "merge: nothing" "expected a folder" merge -o "$T/m"
check "merge: nothing written" test ! -e "$T/m"
run run "$T/study.ini" -o "$T/s" --shard 2/3 --format both
check "shard: says" says err "shard 2 of 3"
run run "$T/study.ini" -o "$T/s" --shard 2/3 --format both
check "shard: is there already" says err "cells are there already"
refused "shard: of another configuration" "with seed 1, expected 7" run "$T/study.ini" -o "$T/s" --shard 2/3 --seed 7
printf '[boot]\nfootprint = 64M\n' >"$T/own.ini"
run run "$T/study.ini" --set workload="$T/own.ini" -o "$T/w" --shard 1/3 --quiet
sed -i s/64M/65M/ "$T/own.ini"
refused "shard: of another workload" '.boot.footprint "64M", expected "65M"' \
    run "$T/study.ini" --set workload="$T/own.ini" -o "$T/w" --shard 1/3
run merge "$T/s" -o "$T/m"
check "merge: status" is "$rc" 0
check "merge: the same CSV" cmp -s "$T/a/rows.csv" "$T/m/rows.csv"
check "merge: the same JSON Lines" cmp -s "$T/a/rows.jsonl" "$T/m/rows.jsonl"
run run "$T/study.ini" -o "$T/m"
check "merge: a run finds all of it" says err "resuming: 4 of 4 cells are there already"

# --- advise -------------------------------------------------------------------------------------

# Each rung is what `run` comes to with the row of its name.
run advise "$T/small.ini" --set machine=kunpeng-920 --set draws=0 --format json
check "advise: status" is "$rc" 0
cp "$T/out" "$T/advise.json"
awk '/"strategy":/ { name = $2 } /"mode":/ && name ~ /"/ { gsub(/[",]/, "", name); sub(/,$/, "", $2); print name, $2 }' \
    "$T/advise.json" >"$T/rungs"
check "advise: rungs" test "$(wc -l <"$T/rungs")" -ge 2
while read -r name mode; do
    run run any-workload --set workload="$T/small.ini" --set machine=kunpeng-920 --set draws=0 \
        --set strategy="$name" --set metrics=added_boot_ns -o "$T/rung-$name"
    check "advise: $name by run" grep -q ",added_boot_ns,ns,0,0,$mode," "$T/rung-$name/rows.csv"
    run explain "$T/small.ini" --machine kunpeng-920 --kernel 7.1 --strategy "$name"
    check "advise: $name by explain" says out "strategy  $name,"
done <"$T/rungs"
refused "advise: neither study nor workload" "no study 'nowhere'" advise nowhere

# --- the others ---------------------------------------------------------------------------------

run explain "$T/small.ini" --strategy eager --machine kunpeng-920 --set touched=0.5 --exact
check "explain: status" is "$rc" 0
check "explain: kinds" says out "line_dirty"
check "explain: verdict" says out "guest fetch"
check "explain: verdict with its condition" says out "only-if"
check "explain: a screen" test "$(wc -l <"$T/out")" -le 50
run explain "$T/small.ini" --strategy eager --machine kunpeng-920 --full
check "explain --full: the ledger" grep -q "^Ledger" "$T/out"
check "explain --full: every reader" says out "not-read"
# What is set stands in the head, with what it was; costs are not said to be at their modes.
run explain generated-boot --set dc_absent_ns=99 --set toggle=none --set vcpus=1
check "explain: a cost that is set" says out "dc_absent_ns = 99ns, not 5ns"
check "explain: a strategy's key that is set" says out "toggle = none, not every"
check "explain: a key set to what it is" says out "vcpus = 1, as it is anyway"
check "explain: not as Linux ships it" is "$(grep -c "as Linux ships it\|all at their modes" "$T/out")" 0
# One sentence says what the time goes to: the same number as the ledger has.
run explain generated-boot --set vcpus=32 --set footprint=2G --set ram=4G --set backing=thp --full
flushes=$(awk '$1 == "boot2" && $4 == "flush_vm_calls" { n += $5 } END { print n }' "$T/out")
check "explain: the sentence counts the flushes" says out "goes to $flushes flushes of"
check "explain: its time is the part's" grep -q "^Most goes to .* at MMU-on: " "$T/out"
# A machine by the name that people have for it, and how well the platform stands for that.
run explain generated-boot --machine rk3588
check "explain: another name of a machine" says out "for rk3588, the same core; caches and memory differ: "
# Every cost, two values each: it makes a difference, or is refused with the way out.
"$S2FLUSH" list costs | awk '/^ *[a-z_]+(_ns|_ratio|_gbps|_cpi|_misfit|overlap) / { print $1 }' >"$T/costs"
check "explain: costs" test "$(wc -l <"$T/costs")" -ge 25
for vcpus in 1 2; do
    run explain "$T/small.ini" --set vcpus=$vcpus
    sed -n '/^Window/,$p' "$T/out" >"$T/usual"
    idle=0 wrong=
    while read -r cost; do
        for value in 2 7; do
            run explain "$T/small.ini" --set vcpus=$vcpus --set "$cost=$value"
            if [ "$rc" = 2 ]; then
                idle=$((idle + 1))
                says err "expected" || wrong+=" $cost=$value"
            elif sed -n '/^Window/,$p' "$T/out" | cmp -s - "$T/usual"; then
                grep -q "$cost = .* as it is anyway" "$T/out" || wrong+=" $cost=$value"
            fi
        done
    done <"$T/costs"
    check "explain: every cost with $vcpus vCPUs makes a difference or is refused" is "$wrong" ""
    check "explain: some are refused, most are not: $vcpus" test "$idle" -gt 4 -a "$idle" -lt 40
done
# Every key of a workload and of a strategy, with whatever of these it takes: the same.
"$S2FLUSH" list keys | awk '/^Of a study/ { exit } /^ *[a-z_0-9]+ / { print $1 }' | sort -u >"$T/keys"
"$S2FLUSH" list --explain eager | awk '/^  [a-z_]+ / { print $1 }' | grep -v caveat >>"$T/keys"
check "explain: keys" test "$(wc -l <"$T/keys")" -ge 50
run explain "$T/small.ini" --strategy eager --full
sed -n '/^Window/,$p' "$T/out" >"$T/usual"
wrong='' effects=0
while read -r key; do
    for value in 3 70% 2M 16K thp none no uefi random boot first; do
        run explain "$T/small.ini" --strategy eager --full --set "$key=$value"
        if [ "$rc" = 2 ]; then
            grep -Eq 'expected|valid:|did you mean|s2flush list' "$T/err" || wrong+=" $key=$value"
        elif sed -n '/^Window/,$p' "$T/out" | cmp -s - "$T/usual"; then
            grep -q "$key = .* as it is anyway" "$T/out" || wrong+=" $key=$value"
        else
            effects=$((effects + 1))
        fi
    done
done <"$T/keys"
check "explain: every key makes a difference or is refused" is "$wrong" ""
check "explain: many keys make one: $effects" test "$effects" -ge 25
# A study's own strategy.
run explain generated-boot --study q01-reboot-without-fwb --strategy eager-every
check "explain: a study's own strategy" says out "strategy  eager-every,"
refused "explain: no such strategy of a study" "(did you mean eager-every?)" explain generated-boot \
    --study q01-reboot-without-fwb --strategy eager-evry
run explain note-relocated-kernel --strategy none
check "explain: a story of speculation" says out "right with no speculative data fill"
# For data and for fetches: the guest, the VMM, the guest.
awk '/guest data, MMU off: stale at 0x40200000/ || /guest fetch: stale at 0x40200000/ { lines = 5 }
    lines-- > 0 && $1 ~ /^[0-9]/ { print $1, $4, $5, $6, $7, $8 }' "$T/out" >"$T/story"
cat >"$T/expected" <<'EOF'
1 use1 vCPU 0 writes it:
2 reset1 VMM writes it through
3 boot2 vCPU 0 reads it
1 use1 vCPU 0 writes it:
2 reset1 VMM writes it through
3 boot2 vCPU 0 fetches it
EOF
check "explain: the story of the note" cmp -s "$T/story" "$T/expected"
run explain note-relocated-kernel --strategy unmap
check "explain: no story where all is coherent" is "$(grep -c "How old bytes" "$T/out")" 0
run explain "$T/small.ini" --strategy unmap-vmall
check "explain: caveat" says out "no vCPU may run during the re-init"
for what in workloads machines kernels strategies studies costs keys metrics; do
    run list "$what"
    check "list $what: status" is "$rc" 0
    check "list $what: something" test -s "$T/out"
done
run explain "$T/small.ini" --strategy unmap --set vcpus=2 --timeline "$T/run.json"
check "timeline: status" is "$rc" 0
check "timeline: silent where all is shown" silent err
check "timeline: slices" grep -q '"name":"stage-2 fault".*"lines":' "$T/run.json"
check "timeline: tracks" grep -q '"name":"thread_name".*"name":"vCPU 1"' "$T/run.json"
cp "$T/run.json" "$T/run1.json"
run explain "$T/small.ini" --strategy unmap --set vcpus=2 --timeline "$T/run.json"
check "timeline: the same bytes again" cmp -s "$T/run.json" "$T/run1.json"
run explain "$T/small.ini" --strategy unmap --exact --timeline "$T/run.json" --timeline-limit 100
check "timeline limit: status" is "$rc" 0
check "timeline limit: says so" says err "stand for"
check "timeline limit: few slices" test "$(grep -c '"ph":"X"' "$T/run.json")" -le 210
if command -v python3 >/dev/null; then
    check "timeline: JSON" python3 -m json.tool "$T/run.json" "$T/tool.json"
else
    echo "ok timeline: JSON # SKIP no python3"
fi
mkdir "$T/empty"
refused "timeline: ending" ".json, .svg or .png" explain recorded-4k --timeline "$T/empty/x.txt"
refused "timeline: limit" "from 100 to" explain recorded-4k --timeline-limit 5
rc=0
PATH=$T/nowhere "$S2FLUSH" explain "$T/small.ini" --timeline "$T/empty/x.svg" >"$T/out" 2>"$T/err" ||
    rc=$?
check "timeline without gnuplot: status" is "$rc" 1
check "timeline without gnuplot: says" says err "gnuplot"
check "timeline: nothing half-written" nothing_in "$T/empty"
run explain "$T/small.ini" --timeline "$T/no-such-folder/x.json"
check "timeline: no folder: status" is "$rc" 1
check "timeline: no folder: one line" one_line

# --- import -------------------------------------------------------------------------------------

# Two boots of a guest with 2 MiB leaves, as tracefs prints them.
boots()
{
    awk 'BEGIN {
        for (boot = 0; boot < 2; boot++) {
            for (i = 0; i < 20 - 10 * boot; i++) {
                printf "       CPU 0/KVM-%d    [002] d..1.  100.%06d: ", 1000, boot * 50000 + i * 10
                printf "kvm_guest_fault: ipa 0x%x, hsr 0x%x, ", 1073741824 + i * 2097152, \
                    i ? 2449473607 : 2181038087
                printf "hxfar 0x128, pc %s\n", i ? "0xffff800008001000" : "0x40000000"
                if (i == 2) {
                    printf "       CPU 0/KVM-1000    [002] d..1.  100.%06d: ", boot * 50000 + 21
                    print "kvm_toggle_cache: VM op at 0x0000000040f1b0c8 (cache was off, now on)"
                }
            }
            if (!boot) {
                printf "       CPU 0/KVM-1000    [002] d..1.  100.040000: "
                print "kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)"
            }
        }
    }'
}
boots >"$T/trace.txt"
mkdir "$T/import"
run import "$T/trace.txt" -o "$T/import/mine.ini" --memory 128M
check "import: status" is "$rc" 0
check "import: silent" silent err
check "import: files" is "$(cd "$T/import" && ls -A | tr '\n' ' ')" "mine.csv mine.ini "
check "import: says what it assumes" says out "assumed from the faults"
check "import: says it in the files" grep -q '^# import: 30 kvm_guest_fault' "$T/import/mine.csv"
run explain "$T/import/mine.ini" --strategy unmap --full
check "import: plays: status" is "$rc" 0
check "import: plays: leaves" grep -Eq 'unmap_leaves +20 ' "$T/out"
check "import: plays: faults" grep -Eq 'boot2 .*data_tr_w +9 ' "$T/out"
check "import: plays: a toggle" grep -Eq 'boot2 .*flush_vm_calls +1 ' "$T/out"
cp "$T/import/mine.csv" "$T/mine.csv"
"$S2FLUSH" import - -o "$T/import/mine" --memory 128M <"$T/trace.txt" >"$T/out" 2>"$T/err"
check "import: from stdin the same" \
    is "$(grep -v '^#' "$T/import/mine.csv" | cksum)" "$(grep -v '^#' "$T/mine.csv" | cksum)"
rm -r "$T/import" && mkdir "$T/import"
refused "import: no trace" "expected a trace" import
refused "import: no output" "expected -o" import "$T/trace.txt"
refused "import: no file" "no-such" import "$T/no-such" -o "$T/import/x"
refused "import: a folder" "is a directory" import "$T" -o "$T/import/x"
refused "import: bad name" "-o" import "$T/trace.txt" -o "$T/import/.ini"
refused "import: bad backing" "(did you mean thp?)" import "$T/trace.txt" -o "$T/import/x" --backing thb
refused "import: bad memory" "2048 KiB" import "$T/trace.txt" -o "$T/import/x" --memory 3K
refused "import: bad time" "--reinit-at" import "$T/trace.txt" -o "$T/import/x" --reinit-at never
refused "import: bad kernel" "--kernel" import "$T/trace.txt" -o "$T/import/x" --kernel new
refused "import: other pid" "1000 (CPU 0/KVM)" import "$T/trace.txt" -o "$T/import/x" --pid 7
echo "CPU:1 [LOST 5 EVENTS]" >>"$T/trace.txt"
refused "import: lost events" "--allow-lost" import "$T/trace.txt" -o "$T/import/x"
head -20 "$T/trace.txt" >"$T/short.txt"
refused "import: no reboot" "no reboot" import "$T/short.txt" -o "$T/import/x"
# Binary traces are printed by their own tools: here by some that print the text above.
printf '\027\010\104tracing6\0' >"$T/trace.dat"
printf 'PERFILE2\0' >"$T/perf.data"
mkdir "$T/tools"
boots >"$T/tools/text"
printf '#!/bin/sh\n[ "$*" = "report -i %s" ] && cat %s\n' "$T/trace.dat" "$T/tools/text" >"$T/tools/trace-cmd"
printf '#!/bin/sh\n[ "$1 $6" = "script %s" ] && cat %s\n' "$T/perf.data" "$T/tools/text" >"$T/tools/perf"
chmod +x "$T/tools/trace-cmd" "$T/tools/perf"
for binary in trace.dat perf.data; do
    rc=0
    PATH=$T/nowhere "$S2FLUSH" import "$T/$binary" -o "$T/import/x" >"$T/out" 2>"$T/err" || rc=$?
    check "import: $binary without its tool: status" is "$rc" 2
    check "import: $binary without its tool: one line" one_line
    check "import: $binary without its tool: says" says err "is not installed (Debian: "
    check "import: $binary without its tool: nothing written" nothing_in "$T/import"
    PATH=$T/tools:$PATH "$S2FLUSH" import "$T/$binary" -o "$T/import/mine" --memory 128M \
        >"$T/out" 2>"$T/err"
    check "import: $binary as its text" \
        is "$(grep -v '^#' "$T/import/mine.csv" | cksum)" "$(grep -v '^#' "$T/mine.csv" | cksum)"
    rm -r "$T/import" && mkdir "$T/import"
done
gzip -c "$T/tools/text" >"$T/text.gz"
run import "$T/text.gz" -o "$T/import/mine" --memory 128M
check "import: compressed" \
    is "$(grep -v '^#' "$T/import/mine.csv" | cksum)" "$(grep -v '^#' "$T/mine.csv" | cksum)"
rm -r "$T/import" && mkdir "$T/import"
printf '#!/bin/sh\ncat %s\nexit 3\n' "$T/tools/text" >"$T/tools/perf"
rc=0
PATH=$T/tools:$PATH "$S2FLUSH" import "$T/perf.data" -o "$T/import/x" >"$T/out" 2>"$T/err" || rc=$?
check "import: a tool that fails: status" is "$rc" 2
check "import: a tool that fails: says" says err "perf could not print the whole of it (status 3)"
check "import: a tool that fails: nothing written" nothing_in "$T/import"
# A guest that comes from a snapshot runs in its kernel from the first fault on, and does not reboot.
sed -n '5,20p' "$T/tools/text" >"$T/restored.txt"
refused "import: restored, not said" "--restored" import "$T/restored.txt" -o "$T/import/x"
run import "$T/restored.txt" -o "$T/import/back" --restored --memory 128M --rewrite 128M
check "import: restored: status" is "$rc" 0
run explain "$T/import/back.ini" --strategy unmap --full
check "import: restored: plays: status" is "$rc" 0
check "import: restored: all faults count" grep -Eq 'boot2 .*data_tr_w +16 ' "$T/out"
check "import: restored: the image does not" is "$(grep -c 'boot2 .*vmm_bytes' "$T/out")" 0
check "import: restored: its MMU is on" says out "guest data, MMU on"
check "import: restored: not off" is "$(grep -c 'guest data, MMU off  *coherent' "$T/out")" 0
rm -r "$T/import" && mkdir "$T/import"
refused "import: something else" "no kvm_guest_fault" import "$T/small.ini" -o "$T/import/x"
refused "import: impossible memory" "IPA" import "$T/trace.txt" -o "$T/import/x" --allow-lost --memory 2000T
check "import: nothing half-written" nothing_in "$T/import"
run import "$T/trace.txt" -o "$T/import/x" --allow-lost
check "import: lost events allowed" is "$rc" 0
check "import: lost events told" says out "5 events lost"

run list --explain tlbi_ns --machine kunpeng-920
check "list --explain: status" is "$rc" 0

run breakeven "$T/study.ini" --axis chunk --from 64K --to 1M --steps 3 --metric pause --target 1ms
check "target: status" is "$rc" 0
check "target: says" says out "pause_ns of at most 1 ms along chunk, 3 values"
check "target: up to" says out "up to chunk = "
check "target: silent off a terminal" silent err
run breakeven "$T/study.ini" --axis chunk --from 64K --to 1M --metric pause --target soon
check "bad target: status" is "$rc" 2
check "bad target: one line" one_line
run breakeven "$T/study.ini" --axis chunk --from 64K --to 1M --target 1ms --pair unmap,eager
check "target of a pair: status" is "$rc" 2
run list studies
check "list studies: questions" says out "q01-reboot-without-fwb"
run list keys
check "list keys: of slots" says out "[slot]"
check "list keys: of memos" says out "[memo]"

odd="$T/a folder; with 'odd' \$names"
run run "$T/study.ini" -o "$odd" --set backing=thp --quiet
run plot "$T/a"
check "plot: an axis too many: status" is "$rc" 1
check "plot: an axis too many: says" says err "no plot fits"
check "plot: an axis too many: says why" says err "added-boot takes 1 of backing, found 2"
refused "plot: no folder" "no such folder" plot "$T/no-such"

# Without gnuplot: one polite line, and the rows stay.
rc=0
PATH=$T/nowhere "$S2FLUSH" plot "$odd" >"$T/out" 2>"$T/err" || rc=$?
check "no gnuplot: status" is "$rc" 1
check "no gnuplot: one line" one_line
check "no gnuplot: says" says err "gnuplot"
check "no gnuplot: only the rows" is "$(cd "$odd" && ls -A | tr '\n' ' ')" "rows.csv run.json samples.db "

# On a terminal, which script(1) makes, the answers that take long show how far they are.
if script -qec true /dev/null >/dev/null 2>&1; then
    TERM=dumb script -qec "$S2FLUSH sensitivity '$T/study.ini' --points 16 --set backing=thp" "$T/tty" \
        >"$T/out" 2>&1 </dev/null
    check "sensitivity: progress on a terminal" says out "0 of 2 parts"
else
    echo "ok sensitivity: progress on a terminal # SKIP script makes no terminal here"
fi

if command -v gnuplot >/dev/null; then
    run plot "$odd"
    check "plot: status" is "$rc" 0
    check "plot: pictures" is "$(cd "$odd" && ls -A | tr '\n' ' ')" \
        "added-boot.png added-boot.svg rows.csv run.json samples.db "
    check "plot: SVG is whole" grep -q '^</svg>' "$odd/added-boot.svg"
    cp "$odd/added-boot.svg" "$T/first.svg"
    run plot "$odd"
    check "plot: the same bytes again" cmp -s "$odd/added-boot.svg" "$T/first.svg"

    # A table of one's own against the model: a file, and a picture for each table.
    head -n 3 bench/published/split.csv | sed 's/^split,/mine,/' >"$T/mine.csv"
    sed -n '3s/^split,/yours,/p' bench/published/split.csv >>"$T/mine.csv"
    sed -n '3s/^split,/not,/; 3s/,dirty_log,/,nothing,/p' bench/published/split.csv >>"$T/mine.csv"
    run validate "$T/mine.csv" --draws 8 -o "$T/valid"
    check "validate: status" is "$rc" 0
    cp "$T/valid/validate.csv" "$T/valid.csv"
    run validate "$T/mine.csv" --draws 8 -o "$T/valid" --jobs 3
    check "validate: the same for any --jobs" cmp "$T/valid/validate.csv" "$T/valid.csv"
    check "validate: the file says which version" grep -q '^# s2flush .* made it by' "$T/valid/validate.csv"
    run plot "$T/valid"
    check "validate: a picture for each table that has predictions" \
        is "$(cd "$T/valid" && ls -A | tr '\n' ' ')" \
        "validate-mine.png validate-mine.svg validate-yours.png validate-yours.svg validate.csv "
    mkdir "$T/large" # figures that take much room leave some to the unit
    awk -F, -v OFS=, '/^mine,/ { for (i = 5; i <= 8; i++) $i *= 3e4 } { print }' \
        "$T/valid/validate.csv" >"$T/large/validate.csv"
    run plot "$T/large"
    for folder in valid large; do
        check "validate: the unit: $folder" grep -q '<text>ms</text>' "$T/$folder/validate-mine.svg"
    done
    check "validate: the finding" grep -q 'mine: nothing predicted' "$T/valid/validate-mine.svg"
    sed -i 's/^yours,/..\/yours,/' "$T/valid/validate.csv"
    run plot "$T/valid"
    check "validate: a table's name that leads elsewhere: status" is "$rc" 2
    check "validate: says" says err "validate.csv:4: table: found '../yours'"

    run explain "$T/small.ini" --timeline "$T/empty/x.svg" --timeline "$T/empty/x.png"
    check "timeline: pictures: status" is "$rc" 0
    check "timeline: pictures" is "$(cd "$T/empty" && ls -A | tr '\n' ' ')" "x.png x.svg "
    check "timeline: SVG is whole" grep -q '^</svg>' "$T/empty/x.svg"
    check "timeline: SVG says what" grep -q 'small with unmap' "$T/empty/x.svg"
    answers="$T/answers"
    two=strategy=unmap,eager
    run map "$T/study.ini" -o "$answers" --set $two --x machine --y backing
    run breakeven "$T/study.ini" -o "$answers" --set $two --axis touched --from 10% --to 90% --steps 3
    run sensitivity "$T/study.ini" -o "$answers" --set $two --points 16
    check "answers: status" is "$rc" 0
    refused "answers: of another configuration" "found samples of study study with" \
        map "$T/study.ini" -o "$answers" --x machine --y backing
    run plot "$answers"
    check "answers: plot: status" is "$rc" 0
    check "answers: pictures" is "$(cd "$answers" && ls -A ./*.svg | tr '\n' ' ')" \
        "./breakeven.svg ./map.svg ./tornado.svg "
else
    echo "ok plot # SKIP no gnuplot"
fi
exit "$failed"
