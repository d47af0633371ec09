#!/bin/bash
# Memos from outside: what stands in them, what is escaped, and what is refused. Prints "ok NAME" or
# "not ok NAME: why" for each case.
set -u
. "$(dirname "$0")/cases.sh"

has() { grep -qF -- "$2" "$1"; }
lacks() { ! grep -qF -- "$2" "$1"; }

# --- a small study ------------------------------------------------------------------------------

W="$T/we|rd <b>\`x\`.ini"
cat >"$W" <<'EOF'
[workload]
title = small
[vm]
ram = 64M
[boot]
footprint = 4M
rewrite = 1M
EOF
study() # what stands below [memo]
{
    cat <<EOF
[study]
name = small
title = <script>alert(1)</script> | \`tick\` **x** [a](b)
question = Is a < b & "c" > 'd'?
draws = 8
shifts = 2
[axes]
workload = $W
machine = kunpeng-920
backing = 4k, thp
touched = 10%, 50%, 100%
footprint = 1M..16M x4
strategy = unmap, eager, eager-naive, eager-toggle1, fwb, none, o|d<b>d
[strategy o|d<b>d]
title = as <b>bold</b> as | this
flush_at = first_run
[memo]
$1
EOF
}
study 'breakeven = touched
map = footprint, touched
case = footprint=4M touched=50%
by = backing
compare = unmap, eager-toggle1' >"$T/study.ini"

D=$T/d
run run "$T/study.ini" -o "$D" -q
run memo "$T/study.ini" -o "$D" -q
check "memo: status" test "$rc" -eq 0
check "memo: quiet" test ! -s "$T/err"
check "memo: files" test "$(cd "$D" && echo memo*)" = \
    "memo-curve.svg memo-published.svg memo-swings-2.svg memo-swings.svg memo.html memo.json memo.md"
section() { sed -n "/^## $2/,/^## /p" "$1/memo.md"; }
# What it says comes from the store: a table that was edited has no say.
cp "$D/memo.md" "$T/memo.kept" && cp "$D/rows.csv" "$T/rows.kept"
awk -F, -v OFS=, 'NR > 1 { for (i = 10; i <= 16; i++) $i *= 3; $NF = 7 } { print }' "$T/rows.kept" >"$D/rows.csv"
run memo "$T/study.ini" -o "$D" -q
check "memo: beside edited rows: status" is "$rc" 0
check "memo: beside edited rows: the same" cmp -s "$D/memo.md" "$T/memo.kept"
check "memo: beside edited rows: they differ" test -n "$(cmp "$D/rows.csv" "$T/rows.kept" 2>&1)"
cp "$T/rows.kept" "$D/rows.csv"
section "$D" 1 >"$T/answer"
# The answer is the first paragraph of its section, in at most 60 words.
answer_words() { sed -n '3p' "$T/answer" | wc -w; }
check "memo: a short answer" test "$(answer_words)" -gt 10 -a "$(answer_words)" -le 60
check "memo: of all strategies" grep -q 'Cheapest of all [0-9]* strategies' "$T/answer"
check "memo: against Linux" grep -qE '[0-9] [mun]*s instead of |; Linux [0-9]' "$T/answer"
check "memo: in the words of the field" lacks "$T/answer" "="
check "memo: no strategy's name in the answer" test -z "$(sed -n 3p "$T/answer" | grep -oE '`[a-z0-9-]*`')"
check "memo: what it rests on" grep -qi 'model errs by\|model error\|unchecked\|published' "$T/answer"
check "memo: the ladder begins with Linux" grep -q '^| 4 KiB leaves | 0 | Linux as it is | ' "$D/memo.md"
check "memo: how sure" grep -q 'in all draws\|% of draws' "$T/answer"
for fact in "4 MiB in use" "1 vCPU" "50 % touched again" "Linux " "kunpeng-920"; do
    check "memo: the scenario: $fact" has "$T/answer" "$fact"
done
check "memo: what is incoherent is said to be" has "$D/memo.md" "no: stale bytes are read"
check "memo: what was seen by running" grep -q \
    '^| `none` |.*; seen on patched [0-9.]* under emulation: old bytes are read in [0-9]* of [0-9]* runs' "$D/memo.md"
mkdir -p "$T/data/bench/kvm/proof"
awk -F, -v OFS=, '$4 == "eager" { $1 = "6.99"; $9 = 5 } $4 != "none" { print }' \
    bench/kvm/proof/linux.csv >"$T/data/bench/kvm/proof/linux.csv"
S2FLUSH_DATA=$T/data run memo "$T/study.ini" -o "$D" -q
check "memo: its words are the table's" grep -qE \
    '^\| `eager` \|.*seen on patched 6.99 under emulation: old bytes are read in ([0-9]+) of \1 runs' "$D/memo.md"
check "memo: no row, no word" test -z "$(grep '^| `none` |.* seen on' "$D/memo.md")"
run memo "$T/study.ini" -o "$D" -q
check "memo: what is hypothetical is, too" has "$D/memo.md" "if it had FWB"
# shellcheck disable=SC2016 # backticks are Markdown's
for strategy in none eager-naive fwb; do
    check "memo: $strategy wins nowhere" lacks "$T/answer" "\`$strategy\` costs least"
done
for name in "1 Answer" "2 Figure" "3 Strategies" "4 What would change the answer" \
    "5 How well the model does" "6 Machines and kernels" "7 Conditions" "8 The scenario" "9 Data"; do
    check "memo: section $name" has "$D/memo.md" "## $name"
    check "page: section $name" has "$D/memo.html" "<h2>$name"
    check "page: contents: $name" grep -qF ">$name</a>" "$D/memo.html"
done
check "memo: published measurements of the machine" has "$D/memo.md" "| kunpeng-4k | kunpeng-920 |"
awk -F, '$3 == "predict" && $9 != "" { print "| " $1 " | " }' results/validate/validate.csv | sort -u >"$T/tables"
check "memo: published tables: some" test "$(wc -l <"$T/tables")" -gt 5
check "memo: each published table with predicted rows" is \
    "$(grep -vFf <(grep -o '^| [a-z0-9-]* | ' "$D/memo.md") "$T/tables")" ""
check "memo: and all rows of no other" test "$(grep -c '| unnamed-2023 | unmap |' "$D/memo.md")" -eq 0
check "memo: the line to repeat it" has "$D/memo.md" "s2flush memo $T/study.ini -o $D"
check "memo: the lines for a timeline" has "$D/memo.md" "--strategy unmap"
check "memo: lines to repeat it are lines" grep -q '^<pre><code>s2flush run ' "$D/memo.html"
# The lines that show it over time do.
while read -r line; do
    rc=0
    (cd "$T" && eval "${line/#s2flush/\"\$S2FLUSH\"}" --timeline-limit 200) >"$T/out" 2>"$T/err" || rc=$?
    name=${line##*--timeline }
    check "memo: it makes $name" test "$rc" -eq 0 -a -s "$T/$name"
done < <(sed -n 's/^    \(s2flush explain .*\)/\1/p' "$D/memo.md")
# So do those of a study in another folder with a machine, a strategy and settings of its own.
mkdir "$T/own"
cp "$T/we|rd <b>\`x\`.ini" "$T/own/vm.ini"
sed 's/^name = .*/name = my-board/' "$(dirname "$0")/../machine/platforms/neoverse-n1.ini" >"$T/own/board.ini"
cat >"$T/own/study.ini" <<'EOF'
[study]
draws = 2
shifts = 1
[axes]
workload = ./vm.ini
machine = kunpeng-920, ./board.ini
kernel = 6.1, 7.3
backing = 4k, thp
strategy = unmap, mine
workers = 3, 5
dc_absent_ns = 4, 8
[strategy mine]
base = eager
[memo]
by = backing, machine
case = kernel=7.3
sensitivity = no
EOF
run memo "$T/own/study.ini" -o "$T/own" -q
explained=0
while read -r line; do
    rc=0
    (cd "$T" && eval "${line/#s2flush/\"\$S2FLUSH\"}" --timeline-limit 200) >"$T/out" 2>"$T/err" || rc=$?
    check "memo: a study elsewhere: ${line##*--timeline } is made" test "$rc" -eq 0
    check "memo: a study elsewhere: with its settings" grep -qE '^ +(set +)?(workers = 5|dc_absent_ns = 8)' "$T/out"
    explained=$((explained + 1))
done < <(sed -n 's/^    \(s2flush explain .*\)/\1/p' "$T/own/memo.md")
check "memo: a study elsewhere: both lines" is "$explained" 2
check "memo: a study elsewhere: its own strategy" has "$T/own/memo.md" "--study $T/own/study.ini --strategy mine"
check "memo: the machine that figures are of" grep -q "measurements of kunpeng-920 the model errs" "$T/own/memo.md"
check "memo: of the only machine" lacks "$T/answer" "rror on "
check "memo: a file of a machine is called by its name" has "$T/own/memo.md" "No figure of board is published."
# A platform by another name is the machine that figures are of; one of its class, or core, is not.
sed 's/^machine = .*/machine = kunpeng-920, altra, graviton2/; s/^kernel = .*/kernel = 7.3/; /^workers/d; /^dc_absent/d
    s/^case = .*/case = kernel=7.3 backing=4k/; s/^by = .*/by = machine/' "$T/own/study.ini" >"$T/own/altra.ini"
run memo "$T/own/altra.ini" -o "$T/altra" -q
check "memo: another name of a machine: status" is "$rc" 0
check "memo: another name of a machine: its figures" lacks "$T/altra/memo.md" "No figure of altra is published."
check "memo: the name of a class: none" has "$T/altra/memo.md" "No figure of graviton2 is published."
for picture in "(memo-published.svg)" "(memo-published-2.svg)"; do
    check "memo: a picture for each such machine $picture" is "$(grep -cF "$picture" "$T/altra/memo.md")" 1
done
# What a [timeline] says no default of a [boot] says in its place: not in the memo, not in pictures.
cat >"$T/own/lines.ini" <<'EOF'
[vm]
ram = 16M
[timeline]
vcpu0 = enter
vcpu0 = mmu on
vcpu0 = write ram 8M
vmm = reinit all
vcpu0 = enter
vcpu0 = read ram 1M
vcpu0 = mmu on
vcpu0 = write ram 4M
EOF
printf '%s\n' '[study]' 'draws = 2' 'shifts = 1' '[axes]' 'workload = ./lines.ini' 'machine = kunpeng-920' \
    'backing = 4k, thp' 'strategy = unmap, eager, eager-toggle1' >"$T/own/lines-study.ini"
run report "$T/own/lines-study.ini" -o "$T/lines" -q
check "memo: a timeline: status" is "$rc" 0
check "memo: a timeline: no memory of a boot in pictures" is "$(grep -lE 'in use|touched again' "$T"/lines/*.svg)" ""
check "memo: a timeline: no setting of a boot" is "$(grep -cE '`(footprint|touched|vm_registers)`' "$T/lines/memo.md")" 0
check "memo: a timeline: nor in run.json" lacks "$T/lines/run.json" '"footprint"'
check "memo: a timeline: what it has" has "$T/lines/run.json" '"ram": "16M"'
section "$T/own" 6 | grep '^| [^m-]' | cut -d'|' -f2 >"$T/elsewhere"
check "memo: each machine and kernel has one line" is "$(sort -u "$T/elsewhere" | wc -l) $(wc -l <"$T/elsewhere")" "8 8"
check "memo: a line says its machine once" test -z "$(grep -E '(Linux|kunpeng|board).*, \1' "$T/elsewhere")"
check "memo: pictures of several cases say of which" grep -q '^!\[2 MiB leaves: what each assumption' "$D/memo.md"
check "memo: links the rows" has "$D/memo.md" "[rows.csv](rows.csv)"
for name in best linux; do
    check "memo: links a timeline: $name" has "$D/memo.md" "](timeline-$name.json)"
    check "memo: and it is there: $name" grep -q '"traceEvents"' "$D/timeline-$name.json"
done
check "memo: names the study" has "$D/memo.md" "\`$T/study.ini\`: the study"
mkdir -p "$T/some/where"
(cd "$T" && "$S2FLUSH" memo study.ini -o some/where -q)
check "memo: links the study" has "$T/some/where/memo.md" "](../../study.ini): the study"
check "memo: no map, no link" lacks "$D/memo.md" "(map.csv)"
# What the memo says is what the rows say.
row() # strategy, column: of the case with 2 MiB leaves
{
    python3 - "$D/rows.csv" "$1" "$2" <<'EOF2'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    if (row["strategy"], row["metric"], row["backing"]) == (sys.argv[2], "added_boot_ns", "thp") and \
            float(row["touched"]) == 0.5 and float(row["footprint"]) == 4194304:
        print("%.2g" % (float(row[sys.argv[3]]) / 1e6))
EOF2
}
if command -v python3 >/dev/null; then
    # shellcheck disable=SC2016 # backticks are Markdown's
    check "memo: the rows' median" grep -qE "^\| \`unmap\` \(Linux\) .* $(row unmap p50)[0-9.]* ms" "$D/memo.md"
else
    echo "ok memo: the rows' median # SKIP no python3"
fi

# --- all of it in one process -------------------------------------------------------------------

R=$T/r
for command in run breakeven map sensitivity; do
    run "$command" "$T/study.ini" -o "$R.each" --jobs 1
done
run memo "$T/study.ini" -o "$R.each" --jobs 1
run report "$T/study.ini" -o "$R" --jobs 2
check "report: status" test "$rc" -eq 0
check "report: nothing on stdout" test ! -s "$T/out"
check "report: nothing is played twice" grep -q ' simulations, 0 of them again$' "$T/err"
for table in rows.csv map.csv breakeven.csv breakeven-curves.csv sensitivity.csv information.csv; do
    check "report: $table" cmp -s "$R/$table" "$R.each/$table"
done
check "report: the memo" test -s "$R/memo.md" -a "$(grep -c . "$R/memo.md")" -eq "$(grep -c . "$R.each/memo.md")"
run report "$T/study.ini" -o "$R" -q
check "report: again: status" test "$rc" -eq 0
check "report: again: the same rows" cmp -s "$R/rows.csv" "$R.each/rows.csv"

# A study without [memo], footprint and touched, of a workload beside it: no map has two axes then.
printf '[vm]\nram = 64M\nvcpus = 3\nbacking = 4k\n[boot]\nfootprint = 8M\nrewrite = 1M\ntouched = 1\nsecondaries_after = 2M\n' >"$T/own.ini"
printf '[study]\ndraws = 16\ndraws_min = 8\nshifts = 8\nmetrics = added_boot_ns\n' >"$T/bare.ini"
printf '[axes]\nworkload = ./own.ini\nmachine = kunpeng-920\nstrategy = unmap, eager\n' >>"$T/bare.ini"
run report "$T/bare.ini" -o "$T/bare" -v "$T/none.csv" -q
check "report: no such table: status" test "$rc" -eq 2
check "report: no such table: nothing is played" test ! -e "$T/bare"
run report "$T/bare.ini" -o "$T/bare" -v "$T/bare.ini" -q
check "report: no table: status" test "$rc" -eq 2
check "report: no table: what was played is kept" test -s "$T/bare/samples.db"
run report "$T/bare.ini" -o "$T/bare"
check "report: without [memo]: status" test "$rc" -eq 0
check "report: without [memo]: nothing was played again" grep -q '^resuming: ' "$T/err"
check "report: without [memo]: a memo" has "$T/bare/memo.md" "## 1 Answer"
check "report: one case: no column for it" lacks "$T/bare/memo.md" "| case |"
check "report: one case: it is not counted" lacks "$T/bare/memo.md" "of 1 cases"
check "report: a file's name without its path" lacks "$T/bare/memo.md" "in use, ./own.ini"
check "report: code in a sentence is code" has "$T/bare/memo.md" '(`fitted` in rows.csv)'

study 'breakeven = touched
case = footprint=4M touched=50%
by = backing
what_if = yes' >"$T/paper.ini"
run memo "$T/paper.ini" -o "$T/paper" -q
section "$T/paper" 1 >"$T/answer"
check "with hardware: against Linux" grep -q 'FWB adds .*; without it the cheapest (.*) adds .*; Linux adds ' "$T/answer"
check "with hardware: a short answer" test "$(answer_words)" -le 60

# --- what else an answer may be about -------------------------------------------------------------

study 'about = limits
metric = pause
breakeven = footprint
targets = 1us, 1s
case = touched=50%
by = backing' >"$T/limits.ini"
run memo "$T/limits.ini" -o "$T/limits" -q
check "limits: status" test "$rc" -eq 0
section "$T/limits" 1 >"$T/answer"
check "limits: a short answer" test "$(answer_words)" -le 60
check "limits: what was asked comes first" grep -qE '^The largest footprint keeping Linux under 1 us and 1 s: ' "$T/answer"
check "limits: and what it is today" grep -q 'holds mmu.*lock for up to ' "$T/answer"
check "limits: a model's error is nothing to measure" lacks "$T/answer" misfit
check "limits: a table" has "$T/limits/memo.md" "under 1 us"
study 'about = readers
case = footprint=4M touched=50%
by = backing' >"$T/readers.ini"
run memo "$T/readers.ini" -o "$T/readers" -q
section "$T/readers" 1 >"$T/answer"
check "readers: who reads stale bytes" grep -q 'is not enough: the guest reads.* stale bytes' "$T/answer"
study 'about = shares
metric = window
case = footprint=4M touched=50%
by = backing' >"$T/shares.ini"
run memo "$T/shares.ini" -o "$T/shares" -q
section "$T/shares" 1 >"$T/answer"
check "shares: of cleaning" grep -qE 'Cleaning takes [0-9]+( to [0-9]+)? % and faults [0-9]+( to [0-9]+)? % of the time with 4 KiB leaves' "$T/answer"
check "shares: one facet against another" grep -qE '2 MiB leaves take [0-9.]+ times as long\.' "$T/answer"
study 'about = costs
case = footprint=4M touched=50%' >"$T/costs.ini"
run memo "$T/costs.ini" -o "$T/costs" -q
section "$T/costs" 1 >"$T/answer"
check "costs: which to measure" grep -q 'Measure first: [A-Z].* (`\|no single cost changes' "$T/answer"
study 'about = one
breakeven = touched
case = footprint=4M touched=50%
by = backing
compare = unmap, eager-toggle1' >"$T/one.ini"
run memo "$T/one.ini" -o "$T/one" -q
section "$T/one" 1 >"$T/answer"
check "one: against all others" grep -qE '^What Linux does costs [0-9.]+( to [0-9.]+)? times as much as the cheapest other' "$T/answer"
study 'case = footprint=4M machine=kunpeng-920
by = touched' | sed 's/^touched = .*/touched = 0, 1%, 10%, 50%, 100%/; s/^backing = .*/backing = 4k/;
    s/^strategy = .*/strategy = reinit-lazy-vmall-toggle0, eager, recreate/' >"$T/ranges.ini"
run memo "$T/ranges.ini" -o "$T/ranges" -q
section "$T/ranges" 1 >"$T/answer"
check "cases in a row are a range" grep -qE '(from|up to) [0-9]+ % touched again' "$T/answer"

study 'breakeven = workers
case = footprint=4M touched=50%
compare = unmap, unmap-lazy' | sed 's/^footprint = 1M.*/&\nworkers = 1, 4/; s/^strategy = .*/strategy = unmap, unmap-lazy, eager/' \
    >"$T/workers.ini"
run memo "$T/workers.ini" -o "$T/workers" -q
check "an axis that is nothing to the compared: status" test "$rc" -eq 0

# --- few strategies, no draws, no case ------------------------------------------------------------

run memo "$T/study.ini" --set draws=0 -o "$T/modes" -q
check "without draws: status" test "$rc" -eq 0
check "without draws: all pictures" lacks "$T/modes/memo.md" "No picture"
check "without draws: how sure is not known" has "$T/modes/memo.md" "how sure the answer is is not known"
run memo "$T/study.ini" --set strategy=unmap,unmap-lazy -o "$T/two" -q
check "assumptions of the workload, too" grep -qE '^\| `(dirty|density|cached|off_access_share|zipf_exponent)` \|' \
    "$T/two/memo.md"
run memo "$T/paper.ini" --set strategy=none,eager-naive -o "$T/nobody" -q
check "no strategy can win: status" test "$rc" -eq 0
check "no strategy can win: said" has "$T/nobody/memo.md" "No coherent strategy exists"
run memo "$T/study.ini" --set strategy=unmap --set draws=0 -o "$T/alone" -q
check "one strategy: status" test "$rc" -eq 0
sed '/^\[memo\]/,$d' "$T/study.ini" >"$T/plain.ini"
run memo "$T/plain.ini" -o "$T/plain" -q
check "no [memo]: status" test "$rc" -eq 0
check "no [memo]: says what it took" has "$T/plain/memo.md" "The study names no touched for its answer"
grep -vE '^title = <script|^question' "$T/study.ini" >"$T/untold.ini"
run memo "$T/untold.ini" --set workload=generated-boot --set draws=0 -o "$T/untold" -q
check "a study that does not say what it asks" has "$T/untold/memo.md" "Which strategy costs least?"

# --- what is escaped ------------------------------------------------------------------------------

check "page: no script but its own" test "$(grep -c "<script" "$D/memo.html")" -eq "$(grep -c "<script nonce=\"s2flush\">" "$D/memo.html")"
check "page: no foreign tag" lacks "$D/memo.html" "d<b>"
check "page: nothing from outside" test -z "$(grep -oE "(src|href)=[\"'][^#\"'][^\"']*" \
    "$D/memo.html" | grep -v '^href="data:,' | grep -v '^href="rows.csv' | grep -vE '^href="(run.json|samples.db|timeline-)')"
check "memo: no script" lacks "$D/memo.md" "<script"
check "memo: the title is text" has "$D/memo.md" '\*\*x\*\* \[a\](b)'
check "memo: table rows have their header's cells" test -z "$(sed 's/\\|//g' "$D/memo.md" |
    awk '/^\|/ { n = gsub(/\|/, "|"); if (before && n != before) print; before = n; next }
         { before = 0 }')"
check "pictures: no script" lacks "$D/memo-curve.svg" "<script"

# --- one page over several ------------------------------------------------------------------------

mkdir "$T/all"
cp -r "$D" "$T/all/one"
cp -r "$T/shares" "$T/all/two"
run memo --overview "$T/all" -q
check "overview: status" test "$rc" -eq 0
check "overview: leads to each memo" has "$T/all/README.md" "](one/memo.md)"
check "overview: answers" grep -q 'Cheapest of all [0-9]* strategies' "$T/all/README.md"
check "overview: machines against questions" grep -q '^| question | kunpeng-920 |$' "$T/all/README.md"
check "overview: what costs least on each, and Linux" \
    test "$(sed 's/\\|//g' "$T/all/README.md" |
        grep -cE '^\| [^|]* \| [^|]*: [0-9.]+ [mun]?s; Linux [0-9.]+ [mun]?s \|$')" -eq 2
check "overview: an answer is one sentence" test -z "$(sed -n '/## Answers/,/## Mach/p' "$T/all/README.md" |
    sed 's/\\|//g' | sed -nE 's/^\| \[[^|]*\| ([^|]*) \|.*/\1/p' | grep '\. ')"
check "overview: no script" lacks "$T/all/index.html" "<script"
cp "$T/all/README.md" "$T/page.kept"
run memo --overview "$T/all" -q
check "overview: again: the same" cmp -s "$T/all/README.md" "$T/page.kept"
for name in README.md index.html; do
    echo "someone's own" >"$T/all/$name"
    refused "overview: someone's own $name" "all/$name: is there and no page of" memo --overview "$T/all"
    check "overview: someone's own $name: is left" grep -qx "someone's own" "$T/all/$name"
    run memo --overview "$T/all" -o "$T/page" -q
    check "overview: someone's own $name: another folder" has "$T/page/README.md" "](one/memo.md)"
    rm "$T/all/$name"
done
refused "overview: no memos" "has no folder with a memo.json" memo --overview "$T/bin-none"
echo '{}' >"$T/all/two/memo.json"
refused "overview: no memo" "two/memo.json: expected what" memo --overview "$T/all"

# --- the same bytes -------------------------------------------------------------------------------

cp "$D/memo.html" "$T/first.html"
run memo "$T/study.ini" -o "$D" -q --jobs 3
check "memo: the same for any number of threads" cmp -s "$T/first.html" "$D/memo.html"
mkdir "$T/bin"
rc=0
PATH=$T/bin "$S2FLUSH" memo "$T/study.ini" -o "$T/dull" -q >"$T/out" 2>"$T/err" || rc=$?
check "no gnuplot: status" test "$rc" -eq 0
check "no gnuplot: says so" has "$T/dull/memo.md" "No picture: gnuplot is not installed"
check "no gnuplot: names no folder that is gone" lacks "$T/dull/memo.md" "s2flush-figure"
check "no gnuplot: no picture" test -z "$(echo "$T"/dull/*.svg | grep -v '\*')"

# --- what README quotes -------------------------------------------------------------------------

top=$(cd "$(dirname "$0")/../.." && pwd)
quoted=$(sed -n '/^\*\*Three small changes/,/^$/p' "$top/README.md")
check "README: quotes figures" test "$(grep -oE '[0-9.]+ (m?s|%) \([0-9.]+[^)]* to [^)]*\)' <<<"$quoted" | wc -l)" -ge 4
while read -r figure; do
    check "README: $figure is in the memo" has "$top/results/questions/q01-reboot-without-fwb/memo.md" "$figure"
done < <(grep -oE '[0-9.]+ (m?s|%) \([0-9.]+[^)]* to [^)]*\)' <<<"$quoted")
for study in "$top"/workloads/questions/q*.ini; do
    name=$(basename "$study" .ini)
    check "README: links the memo of $name" has "$top/README.md" "(results/questions/$name/memo.md)"
    check "memo of $name is there" test -s "$top/results/questions/$name/memo.md"
done

# --- what is refused ----------------------------------------------------------------------------

refused "no study" "expected a study" memo
refused "no such study" "no-such" memo "$T/no-such.ini"
refused "no validation" "no-such.csv" memo "$T/study.ini" --validation "$T/no-such.csv" -o "$T/none"
check "no validation: no memo" test ! -e "$T/none"

bad_memo() # name, words, what stands below [memo]
{
    study "$3" >"$T/bad.ini"
    refused "[memo] $1" "$2" run "$T/bad.ini" -o "$T/bad"
    check "[memo] $1: where" grep -q "bad.ini:[0-9]*: " "$T/err"
}
bad_memo "unknown key" "(did you mean breakeven?)" 'breakevn = touched'
bad_memo "no such axis" "(did you mean touched?)" 'breakeven = touchd'
bad_memo "no numbers" "no numbers to look along" 'breakeven = backing'
bad_memo "one axis" "expected two axes" 'map = footprint'
bad_memo "no such value" "expected one of the axis's values" 'case = footprint=3M'
bad_memo "no such axis in case" "no axis of this study" 'case = vcpus=3'
bad_memo "no value" "expected axis=value" 'case = touched'
bad_memo "no such strategy" "(did you mean eager?)" 'compare = eagr, unmap'
bad_memo "one strategy" "expected two strategies" 'compare = eager'
bad_memo "a count" "is no time" 'metric = lines'
bad_memo "no such metric" "'linse'" 'also = linse'
bad_memo "no time" "expected up to 8 times" 'breakeven = touched
targets = soon'
bad_memo "limits along nothing" "needs breakeven" 'targets = 5ms'
bad_memo "the strategies" "are what is compared" 'by = strategy'
bad_memo "twice" "stands twice" 'by = backing
by = touched'
bad_memo "no kind of answer" "readers" 'about = nothing'
bad_memo "no yes or no" "expected yes or no" 'what_if = maybe'

exit "$failed"
