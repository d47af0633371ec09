#!/bin/bash
# Files from strangers: odd encodings, files that are none, files that ask for too much, and
# files that try to write elsewhere or to run something. Prints "ok NAME" or "not ok NAME: why".
set -u
. "$(dirname "$0")/cases.sh"
S2FLUSH=$(realpath "$S2FLUSH")
HERE=$PWD

cat >"$T/vm.ini" <<'END'
[workload]
title = a small VM
[boot]
footprint = 16M
touched = 0.25
execute = 64K
END
cat >"$T/study.ini" <<END
[study]
draws = 4
shifts = 2
[axes]
workload = $T/vm.ini
machine = neoverse-n1
backing = 4k, thp
END
run run "$T/study.ini" -o "$T/plain" -q
check "plain files: status" is "$rc" 0

# --- odd, but good ------------------------------------------------------------------------------

# same NAME: the study gives the rows that it gave before.
same()
{
    run run "$T/study.ini" -o "$T/odd" -q
    check "$1: status" is "$rc" 0
    check "$1: the same rows" cmp -s "$T/plain/rows.csv" "$T/odd/rows.csv"
    rm -rf "$T/odd"
}

cp "$T/vm.ini" "$T/vm.kept"
sed 's/$/\r/' "$T/vm.kept" >"$T/vm.ini"
same "CRLF"
{
    printf '\357\273\277'
    cat "$T/vm.kept"
} >"$T/vm.ini"
same "byte order mark"
head -c -1 "$T/vm.kept" >"$T/vm.ini"
same "no newline at the end"
{
    printf '#'
    head -c 200000 /dev/zero | tr '\0' x
    printf '\n'
    cat "$T/vm.kept"
} >"$T/vm.ini"
same "a comment of 200 kB"
mkdir "$T/pipe"
cp "$T/vm.kept" "$T/vm.ini"

# A locale whose decimal sign is a comma.
mkdir "$T/locale"
if localedef -i de_DE -f UTF-8 "$T/locale/de_DE.UTF-8" >/dev/null 2>&1; then
    export LOCPATH=$T/locale
    { export LC_ALL=de_DE.UTF-8; } 2>/dev/null # the shell itself may not find it
    check "decimal comma: the locale is there" is "$(/usr/bin/printf '%.1f' 1,5)" "1,5"
    same "decimal comma"
    ends "decimal comma: in a file" 2 "the decimal sign is a point" \
        run "$T/study.ini" --set touched=0,25 --set backing=thp -o "$T/odd"
    if command -v gnuplot >/dev/null; then
        run run first-light --set draws=0 -o "$T/comma" -q
        run plot "$T/comma"
        check "decimal comma: plot" is "$rc" 0
    fi
    unset LOCPATH LC_ALL
else
    echo "ok decimal comma # SKIP localedef cannot make de_DE.UTF-8"
fi

# --- no good ------------------------------------------------------------------------------------

printf '[workload]\ntitle = a\0b\n[boot]\n' >"$T/bad.ini"
ends "NUL byte" 2 "bad.ini:2: found byte 0x00" explain "$T/bad.ini"
{
    printf '[boot]\nfootprint = '
    head -c 100000 /dev/zero | tr '\0' 1
} >"$T/bad.ini"
ends "a line of 100 kB" 2 "bad.ini:2: found a line of" explain "$T/bad.ini"
: >"$T/empty.ini"
ends "empty workload" 2 "empty.ini: " explain "$T/empty.ini"
ends "empty study" 2 "empty.ini: " run "$T/empty.ini"
ends "a folder as a workload" 2 "is a folder" explain "$T/plain/"
ends "a folder as a study" 2 "is a folder" run "$T/plain/"
mkfifo "$T/fifo.ini"
ends "a pipe that nobody writes to" 2 "nothing was written to" run "$T/fifo.ini"
cat "$T/study.ini" >"$T/fifo.ini" &
run run "$T/fifo.ini" --dry-run
check "a pipe that somebody writes to" is "$rc" 0
wait
ends "endless study" 2 "has more than" run /dev/zero
ends "endless workload" 2 "has more than" explain /dev/zero
mkdir "$T/zero"
ln -s /dev/zero "$T/zero/rows.csv"
ends "endless rows" 2 "has more than" diff "$T/zero" "$T/zero"
ends "endless counts" 2 "has more than" counts /dev/zero
ends "endless measurements" 2 "has more than" calibrate /dev/zero -o "$T/mine.ini"
check "endless measurements: nothing written" test ! -e "$T/mine.ini"
mkdir "$T/nul"
printf 'study,metric\na\0b,c\n' >"$T/nul/rows.csv"
ends "NUL byte in a table" 2 "rows.csv:2: found a NUL byte" plot "$T/nul"

printf 'study,metric\na,"\033]0;owned\007"\n' >"$T/nul/rows.csv"
ends "an escape in a table" 2 "rows.csv:2: found byte 0x1b" diff "$T/nul" "$T/nul"

# --- too much -----------------------------------------------------------------------------------

# 11 lines of the longest time there can be in one line are 1.1e19 ps and fit; 20 do not.
long_vm()
{
    printf '[vm]\nram = 4M\n[timeline]\nvcpu0 = enter\nvmm = reinit all\nvcpu0 = enter\n'
    yes 'vcpu0 = compute 1000000s' | head -n "$1"
}
long_vm 11 >"$T/long.ini"
run run "$T/study.ini" --set "workload=$T/long.ini" --set draws=0 --set strategy=none \
    --set backing=4k --set metrics=window_ns -o "$T/long" -q
check "116 days: status" is "$rc" 0
check "116 days: no wrap" grep -qE 'window_ns,ns,0,0,(1100000000000[0-9.]*|1\.100000000000[0-9]*e\+16),' "$T/long/rows.csv"
long_vm 20 >"$T/long.ini"
ends "231 days" 1 "does not fit 64 bits" explain "$T/long.ini" --strategy none
# A scenario that fails is named, kept and passed over: the other has its rows.
{
    printf '[study]\nname = mixed\ndraws = 8\nshifts = 2\nmetrics = window_ns\n[axes]\n'
    printf 'workload = recorded-4k, ./long.ini\nmachine = neoverse-n1\nkernel = 6.1\nstrategy = unmap, none\n'
} >"$T/mixed.ini"
for words in "failed and have no rows" "resuming: 2 of 2 cells" "the first: workload=./long.ini"; do
    run run "$T/mixed.ini" -o "$T/mixed"
    check "a scenario fails: status" is "$rc" 1
    check "a scenario fails: $words" says err "$words"
    check "a scenario fails: the other's rows" is "$(grep -c ',recorded-4k,' "$T/mixed/rows.csv")" 2
    check "a scenario fails: it has none" is "$(grep -c 'long.ini' "$T/mixed/rows.csv")" 0
done
check "a scenario fails: run.json" grep -q 'long.ini.*does not fit 64 bits' "$T/mixed/run.json"
# So do the analyses.
analysis_passes()
{
    local words=$1
    shift
    run "$@" -m window --set strategy=unmap,eager -o "$T/mixed-$1"
    check "a scenario fails: $1: status" is "$rc" 1
    check "a scenario fails: $1: says so" says err "scenarios failed $words; the first: workload=./long.ini, "
    check "a scenario fails: $1: in one line" one_line
    check "a scenario fails: $1: answers for the other" grep -q recorded-4k "$T/mixed-$1/$1.csv"
}
analysis_passes "and have no winner" map "$T/mixed.ini" --x workload --y kernel
check "a scenario fails: map: the other's winner" grep -q ',recorded-4k,.*,eager,B,' "$T/mixed-map/map.csv"
check "a scenario fails: map: no winner" grep -q ',./long.ini,.*,!,.*all: a simulation failed' "$T/mixed-map/map.csv"
analysis_passes "and what they are part of is left out" breakeven "$T/mixed.ini" --axis exit_ns --from 100 --to 200 --steps 2
check "a scenario fails: breakeven: nothing of it" is "$(grep -c 'long.ini' "$T/mixed-breakeven/breakeven.csv")" 0
analysis_passes "and are left out" sensitivity "$T/mixed.ini" --points 16
analysis_passes "and have no ladder" advise "$T/mixed.ini"
check "a scenario fails: advise: no ladder" is "$(grep -c 'long.ini' "$T/mixed-advise/advise.csv")" 0

# A memo answers for what is left, says what it leaves out and why, and claims nothing of it: here one
# value of an axis makes the simulated time pass 64 bits.
{
    printf '[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = write ram 4M\nvmm = reinit all\n'
    printf 'vcpu0 = enter\nvcpu0 = write ram 4M\n'
    yes 'vcpu0 = compute 1000000s' | head -n 18
    printf 'vcpu0 = compute 446743s\n'
} >"$T/edge.ini"
{
    printf '[study]\nname = edge\nquestion = which\ndraws = 8\nshifts = 2\nmetrics = window_ns\n[set]\nkernel = 6.1\n'
    printf '[axes]\nworkload = ./edge.ini\nmachine = neoverse-n1\nexit_ns = 100, 2000, 1ms\nstrategy = unmap, eager\n'
    printf '[memo]\nbreakeven = exit_ns\ncase = exit_ns=2000\n'
} >"$T/edge-study.ini"
why='exit_ns=1000000, strategy=unmap: simulated time: [0-9]* + [0-9]* does not fit 64 bits'
for command in memo report; do
    run "$command" "$T/edge-study.ini" -o "$T/edge-$command" -q
    memo=$T/edge-$command/memo.md
    check "a scenario fails: $command: status" is "$rc" 1
    check "a scenario fails: $command: one line" one_line
    check "a scenario fails: $command: the answer" grep -q '^Cheapest of all .*: mappings kept at re-init' "$memo"
    check "a scenario fails: $command: left out" grep -q "^- a scenario: ${why//_/.*}" "$memo"
    check "a scenario fails: $command: in memo.json" grep -q "\"a scenario: $why\"" "$T/edge-$command/memo.json"
    check "a scenario fails: $command: crossings are not known" grep -q 'exit_ns. is not known: simulations failed' "$memo"
    check "nothing is read: $command: not judged" grep -q 'Nothing reads it: safety is not judged' "$memo"
done
check "a scenario fails: report: the tables are there, too" test -s "$T/edge-report/map.csv" -a -s "$T/edge-report/breakeven.csv"
mkdir "$T/memos" && mv "$T/edge-memo" "$T/memos/edge"
run memo "$T/memos" --overview
check "a scenario fails: the page over memos" grep -q 'Simulations failed: the memo says what is left out' "$T/memos/README.md"
run memo "$T/edge-study.ini" --set exit_ns=1ms -o "$T/edge-none" -q
check "all scenarios fail: memo: status" is "$rc" 1
check "all scenarios fail: memo: why" says err "simulated time: "
check "all scenarios fail: memo: no memo" test ! -e "$T/edge-none/memo.md"
for shard in 1 2; do
    run run "$T/mixed.ini" -o "$T/shards" --shard "$shard/2" -q
done
run merge "$T/shards" -o "$T/merged"
check "a scenario fails in a shard: status" is "$rc" 1
check "a scenario fails in a shard: the same rows" cmp -s "$T/mixed/rows.csv" "$T/merged/rows.csv"
check "a scenario fails in a shard: named" says err "the first: workload=./long.ini"

printf '[vm]\nipa_bits = 52\n[boot]\nfootprint = 1024T\n' >"$T/huge.ini"
ends "1 PiB at the highest cost of a line" 1 "64 bits" \
    explain "$T/huge.ini" --strategy eager --set dc_absent_ns=100us --set dc_clean_ratio=100
run run "$T/study.ini" --set "workload=$T/huge.ini" --set dc_absent_ns=100us -o "$T/huge" -q
check "1 PiB in a study: status" is "$rc" 1
check "1 PiB in a study: one line" one_line
check "1 PiB in a study: no rows" test ! -e "$T/huge/rows.csv"

export S2FLUSH_MEMORY=1M
ends "memory" 2 "may be used" run "$T/study.ini" --set draws=4096 -o "$T/much"
check "memory: nothing written" test ! -e "$T/much"
ends "memory: dry run" 2 "may be used" run "$T/study.ini" --set draws=4096 --dry-run
ends "memory: breakeven" 2 "may be used" \
    breakeven "$T/study.ini" --axis touched --from 0 --to 1 --steps 1000 --set draws=4096
ends "memory: map" 2 "the map takes up to" \
    map "$T/study.ini" --x backing --y machine --set draws=4096 -o "$T/much"
ends "memory: sensitivity" 2 "the sensitivity takes up to" \
    sensitivity "$T/study.ini" --points 65536 -o "$T/much"
ends "memory: memo" 2 "may be used" memo "$T/study.ini" --set draws=4096 -o "$T/much"
check "memory: nothing written, again" test ! -e "$T/much"
export S2FLUSH_MEMORY=60M
ends "memory: what events cost at each draw" 2 "may be used" \
    run "$T/study.ini" --set draws=65536 --set shifts=8 --jobs 1 -o "$T/much"
export S2FLUSH_MEMORY=lots
ends "memory: no size" 2 "S2FLUSH_MEMORY" run "$T/study.ini" -o "$T/much"
unset S2FLUSH_MEMORY
run run "$T/study.ini" --dry-run
check "dry run: rows and memory" grep -q '^[0-9]* rows, about .* of memory' "$T/out"
cat >"$T/wide.ini" <<END
[study]
draws = 0
shifts = 1
[axes]
workload = $T/vm.ini
machine = neoverse-n1
strategy = unmap
vcpus = 1..400 +1
touched = 0..0.4 +0.001
END
ends "more rows than can be read back" 2 "name the metrics" run "$T/wide.ini" --dry-run

# --- writing elsewhere --------------------------------------------------------------------------

cd "$T" || exit 2
for name in ../stolen /stolen a/../../stolen .hidden ..; do
    sed "s|^draws = 4|&\nname = $name|" study.ini >named.ini
    ends "study named $name" 2 "expected a name without '/'" run named.ini -q
    ends "study set to $name" 2 "expected a name without '/'" run study.ini --set "name=$name" -q
done
check "nothing was written" test ! -e "$T/results" -a ! -e "$T/../stolen"
ln -s nowhere astray
run run study.ini -o astray -q
check "a link that leads nowhere: status" is "$rc" 2
check "a link that leads nowhere: named" says err "astray: is a link that leads nowhere"
rm astray
(ulimit -s 128; run run study.ini -o small -q; exit "$rc")
check "a small stack: status" is "$?" 1
(ulimit -s 128; "$S2FLUSH" list costs) >"$T/out" 2>"$T/err"
check "a small stack: the way out" says err "ulimit -s 512"

echo precious >victim
mkdir trap
ln -s ../victim trap/rows.csv
ln -s ../victim trap/run.json
# The program keeps the shell's number, so that the names of its temporary files are known.
(
    for file in rows.csv run.json; do
        ln -s ../victim "trap/.$file.$BASHPID"
    done
    exec "$S2FLUSH" run study.ini -o trap -q
) 2>"$T/err"
rc=$?
check "links in the way: status" is "$rc" 0
check "links in the way: not followed" is "$(cat victim)" precious
check "links in the way: replaced" cmp -s trap/rows.csv plain/rows.csv

# --- spreadsheets -------------------------------------------------------------------------------

# From a file's name to the cells of a table and back.
for name in '=HYPERLINK("a")' '+cmd' '@SUM(A1)'; do
    sed "s|^draws = 4|&\nname = ${name//&/\\&}|" study.ini >named.ini
    run run named.ini -o cells -q --fresh
    check "cell $name: status" is "$rc" 0
    check "cell $name: is no formula" is "$(sed -n 2p cells/rows.csv | cut -c 1-2 | tr -d '"')" \
        "'$([ "${name:0:1}" = = ] || echo "${name:0:1}")"
    run diff cells cells
    check "cell $name: reads back" is "$rc" 0
done

# --- gnuplot ------------------------------------------------------------------------------------

if command -v gnuplot >/dev/null; then
    "$S2FLUSH" run first-light --set draws=4 --set shifts=2 -o light -q 2>"$T/err"
    # shown COLUMN...: the rows with the text in place of these columns' values.
    shown()
    {
        mkdir -p shown
        TEXT=$text awk -F, -v OFS=, -v columns="$*" 'NR == 1 { print; next } {
            split(columns, column, " ")
            for (i in column) $column[i] = "\"" ENVIRON["TEXT"] "\""
            print }' light/rows.csv >shown/rows.csv
    }
    # Each of these as study and kernel, which pictures show as they are, and as the machine, which
    # must be a plain name. None may come to pass.
    kernel=$(head -n 1 light/rows.csv | tr , '\n' | grep -nx kernel | cut -d: -f1)
    machine=$(head -n 1 light/rows.csv | tr , '\n' | grep -nx machine | cut -d: -f1)
    for text in '`touch owned`' "'.system('touch owned').'" '""; system(""touch owned""); #""' \
        '%s%n%n%n</text><script>alert(1)</script>'; do
        shown 1 "$kernel"
        run plot shown
        check "gnuplot: $text: status" is "$rc" 0
        check "gnuplot: $text: not run" test ! -e owned -a ! -e shown/owned
        check "gnuplot: $text: no markup" test -z "$(grep -l '<script' shown/*.svg)"
        rm -rf shown
        shown "$machine"
        run plot shown
        check "gnuplot: machine $text: not run" test "$rc" -le 2 -a ! -e owned -a ! -e shown/owned
        rm -rf shown
    done
    # Scripts that lie where the program is called are a stranger's.
    mkdir -p bench/plots
    cp "$HERE"/bench/plots/*.gp bench/plots/
    echo 'system("touch owned")' >>bench/plots/style.gp
    run plot light
    check "gnuplot: scripts of the current folder: status" is "$rc" 0
    check "gnuplot: scripts of the current folder: not run" test ! -e owned -a ! -e light/owned
    # Without any font the pictures come as they can; the rows are untouched.
    cp light/rows.csv rows.kept
    echo '<fontconfig></fontconfig>' >no-fonts.xml
    rc=0
    FONTCONFIG_FILE=$T/no-fonts.xml "$S2FLUSH" plot light >"$T/out" 2>"$T/err" || rc=$?
    check "no font: status" test "$rc" -le 1
    check "no font: the rows stay" cmp -s light/rows.csv rows.kept
else
    echo "ok gnuplot # SKIP no gnuplot"
fi
exit "$failed"
