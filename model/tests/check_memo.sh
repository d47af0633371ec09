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
for command in run breakeven map sensitivity; do
    run "$command" "$T/study.ini" -o "$D"
    check "$command takes its defaults from [memo]" test "$rc" -eq 0
done
check "breakeven: along touched" has "$D/breakeven.csv" ",touched,ratio,"
check "map: over footprint and touched" has "$D/map.csv" ",footprint,4194304,touched,0.5,"
check "sensitivity: of the compared" has "$D/sensitivity.csv" ",ns,unmap,eager-toggle1,"
run memo "$D" -q
check "memo: status" test "$rc" -eq 0
check "memo: quiet" test ! -s "$T/err"
check "memo: files" test "$(cd "$D" && echo memo*)" = \
    "memo-curve.svg memo-map.svg memo-tornado.svg memo.html memo.md"
head -n 10 "$D/memo.md" >"$T/head"
check "memo: the answer is in the first ten lines" grep -q '^\*\*2 The answer\.\*\* .*`' "$T/head"
check "memo: one for each backing" test "$(grep -c '^- \*\*.* backing:' "$D/memo.md")" -eq 2
check "memo: says the case" has "$T/head" "4 MiB in use"
check "memo: says how sure" has "$T/head" "of 8 draws"
check "memo: what is incoherent is said to be" has "$D/memo.md" "**incoherent, never wins**"
check "memo: what is hypothetical is, too" has "$D/memo.md" "hypothetical: if it had FWB"
# shellcheck disable=SC2016 # backticks are Markdown's
for strategy in none eager-naive fwb; do
    check "memo: $strategy wins nowhere" lacks "$T/head" "\`$strategy\` adds least"
done
for section in "3 Decision map" "4 What it costs" "5 What would change" "6 What was validated" \
    "7 Assumptions" "8 How to repeat it"; do
    check "memo: section $section" has "$D/memo.md" "## $section"
    check "page: section $section" has "$D/memo.html" "<h2>$section"
done
check "memo: validation" has "$D/memo.md" "| unmap-4k |"
check "memo: no share below zero" lacks "$D/memo.md" "| -0.00 |"
check "memo: the lines to repeat it" has "$D/memo.md" "s2flush map $T/study.ini --x footprint"
# shellcheck disable=SC2016 # backticks are Markdown's
check "memo: pairs that do not cross say who costs less" \
    grep -qE '^\| 4k backing \| `eager` \| `unmap` \| [0-9.]+ to [0-9.]+ \| 100 % \|' "$D/memo.md"
check "memo: and nothing of below and above" test "$(grep -c 'cheaper below' "$D/memo.md")" -le 1
check "memo: the seed" has "$D/memo.md" "seed 1, 8 draws in 2 shifts"

check "memo: no range where the study's values were looked at" lacks "$D/memo.md" "--from"
cp -r "$D" "$T/ranged"
run breakeven "$T/study.ini" --axis footprint --from 1M --to 64M --steps 4 -o "$T/ranged"
run memo "$T/ranged" -q
check "memo: from where to where, if that was asked for" has "$T/ranged/memo.md" \
    "--axis footprint --from 1048576 --to 67108864 --steps 4 -o"
grep -vE '^title = <script|^question' "$T/study.ini" >"$T/untold.ini"
run run "$T/untold.ini" -o "$T/untold" --set workload=generated-boot --set draws=0 -q
run memo "$T/untold" -q
check "memo: a study that does not say what it asks" grep -q '^\*\*1 The question\.\*\* Which strategy' "$T/untold/memo.md"

# --- what stands beside the answer ---------------------------------------------------------------

study 'breakeven = footprint
targets = 100us, 1s
case = footprint=4M touched=50% backing=thp
by = footprint, backing
compare = eager, unmap
against = eager-toggle1, unmap
also = lines, writeback_bytes
sensitivity = all' >"$T/more.ini"
M=$T/more
for command in run breakeven map sensitivity; do
    run "$command" "$T/more.ini" -o "$M"
    check "more: $command" test "$rc" -eq 0
    cp "$T/err" "$T/err.$command"
done
check "breakeven: says that it looks at the case" has "$T/err.breakeven" "touched=0.5"
check "breakeven: looks at the case alone" lacks "$M/breakeven.csv" ",1,footprint,"
check "sensitivity: all situations where [memo] says so" test ! -s "$T/err.sensitivity"
check "sensitivity: they are there" has "$M/sensitivity.csv" ",thp,0.1,1048576,"
check "breakeven: a row for each limit" test "$(cut -d, -f1-12 "$M/target.csv" | grep -cE ',(eager),(1e\+05|100000|1e\+09|1000000000)$')" -eq 4
run breakeven "$T/more.ini" --all -o "$T/all"
check "breakeven --all: the others, too" has "$T/all/breakeven.csv" ",0.1,footprint,"
run memo "$M" -q
check "more: status" test "$rc" -eq 0
head -n 6 "$M/memo.md" >"$T/head.more"
check "more: the costs that decide come first" grep -q '^\*\*2 The answer\.\*\* .*apart hangs on' "$T/head.more"
check "more: the limits" has "$T/head.more" "100 us and 1 s"
check "more: places by both axes" grep -qE '(thp|4k)/(1|4|16) MiB|(1|4|16) MiB/(thp|4k)|whatever the backing and footprint' "$T/head.more"
check "more: what is saved" grep -qE 'saves .* against|costs .* more than' "$T/head.more"
check "more: an answer for each pair of values" test "$(grep -c '^- \*\*.* in use\|^- \*\*.* backing' "$M/memo.md")" -eq 6
check "more: metrics beside the answer" has "$M/memo.md" "lines cleaned"
check "more: what it is held against" grep -q '^- \*\*.*eager-toggle1.*what Linux does' "$M/memo.md"
cp -r "$M" "$T/kept"
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    NR > 1 { $at["status"] = "all values from"; $at["at"] = 4194304; $at["sure"] = 16777216; $at["share"] = 0.5 }
    { print }' "$M/target.csv" >"$T/kept/target.csv"
run memo "$T/kept" -q
check "limits: in how many draws, and where in enough of them" has "$T/kept/memo.md" \
    "any from 4 MiB (in 50 % of the draws; 16 MiB in 90 %)"
study 'case = footprint=4M touched=50%
by = backing
compare = eager, eager-naive' >"$T/same.ini"
for command in run sensitivity; do run "$command" "$T/same.ini" -o "$T/same"; done
sed -i '2,$d' "$T/same/sensitivity.csv" # as of a pair that never differs
run plot "$T/same"
check "a pair that never differs is drawn" test "$rc" -eq 0
run memo "$T/same" -q
check "a pair that never differs is told" has "$T/same/memo.md" "No cost decides"

study 'breakeven = touched
map = footprint, touched
case = footprint=4M touched=50%' >"$T/modes.ini"
for command in run breakeven map; do run "$command" "$T/modes.ini" --set draws=0 -o "$T/modes"; done
run memo "$T/modes" -q
check "without draws: status" test "$rc" -eq 0
check "without draws: all pictures" lacks "$T/modes/memo.md" "No picture"
check "without draws: the curves" has "$T/modes/memo-curve.svg" "every cost at its mode"
run breakeven "$T/modes.ini" --set strategy=unmap --set draws=0 -o "$T/nobody"
run plot "$T/nobody"
check "nothing to compare is drawn" test "$rc" -eq 0
check "nothing to compare is said" has "$T/nobody/breakeven.svg" "No two strategies"

cat >"$T/nobody.ini" <<EOF
[study]
draws = 4
shifts = 2
[axes]
workload = $W
machine = kunpeng-920
strategy = none, fwb
footprint = 1M..8M x2
touched = 10%, 50%
EOF
for command in run map; do run "$command" "$T/nobody.ini" -o "$T/nothing"; done
run plot "$T/nothing" -q
check "nobody wins: drawn" test "$rc" -eq 0
run memo "$T/nothing" -q
check "nobody wins: there is a question" has "$T/nothing/memo.md" "**1 The question.** Which strategy"
check "nobody wins: none is undecided for that" has "$T/nothing/memo.md" \
    "Of all 8 situations of the study: in 8 nothing is coherent and exists."

# --- what is escaped ----------------------------------------------------------------------------

check "page: no script" lacks "$D/memo.html" "<script"
check "page: no foreign tag" lacks "$D/memo.html" "d<b>"
check "page: nothing from outside" test -z "$(grep -oE "(src|href)=[\"'][^#\"'][^\"']*" \
    "$D/memo.html" | grep -v '^href="data:,')"
check "memo: no script" lacks "$D/memo.md" "<script"
check "memo: the title is text" has "$T/head" '\*\*x\*\* \[a\](b)'
check "memo: table rows have their header's cells" test -z "$(sed 's/\\|//g' "$D/memo.md" |
    awk '/^\|/ { n = gsub(/\|/, "|"); if (before && n != before) print; before = n; next }
         { before = 0 }')"
check "pictures: no script" lacks "$D/memo-tornado.svg" "<script"
cp -r "$D" "$T/lines"
sed -i 's/"question": "/&one\\n# two\\n\\n- three\\n/' "$T/lines/run.json"
run memo "$T/lines" -q
check "memo: a line break starts no line" test "$(grep -cE '^(# two|- three)' "$T/lines/memo.md")" -eq 0

# --- the same bytes, and what is missing --------------------------------------------------------

cp "$D/memo.html" "$T/first.html"
run memo "$D" -q
check "memo: twice the same" cmp -s "$T/first.html" "$D/memo.html"
mkdir "$T/bare"
cp "$D/rows.csv" "$D/run.json" "$T/bare"
run memo "$T/bare" -o "$T/away" -q
check "bare: status" test "$rc" -eq 0
check "bare: written elsewhere" test ! -e "$T/bare/memo.md"
check "bare: answers" has "$T/away/memo.md" "adds least to the reboot"
check "bare: how sure is not known" has "$T/away/memo.md" "a map would tell"
# shellcheck disable=SC2016
for strategy in none eager-naive fwb; do
    check "bare: $strategy wins nowhere" lacks "$T/away/memo.md" "\`$strategy\` adds least"
done
for command in map breakeven sensitivity; do
    check "bare: says what $command makes" has "$T/away/memo.md" "\`s2flush $command $T/study.ini -o"
done
mkdir "$T/bin"
cp -r "$D" "$T/dull"
rm "$T"/dull/memo*
rc=0
PATH=$T/bin "$S2FLUSH" memo "$T/dull" -q >"$T/out" 2>"$T/err" || rc=$?
check "no gnuplot: status" test "$rc" -eq 0
check "no gnuplot: says so" has "$T/dull/memo.md" "No picture: gnuplot is not installed"
check "no gnuplot: the tables are there" has "$T/dull/memo.md" "The map as a table"
check "no gnuplot: no picture" test -z "$(echo "$T"/dull/*.svg | grep -v '\*')"

# A study without [memo].
sed '/^\[memo\]/,$d' "$T/study.ini" >"$T/plain.ini"
run run "$T/plain.ini" -o "$T/plain" -q
run memo "$T/plain" -q
check "plain: status" test "$rc" -eq 0
check "plain: answers for each backing" test "$(grep -c '^- \*\*.* backing:' "$T/plain/memo.md")" -eq 2
check "plain: says what it took" has "$T/plain/memo.md" "of its 3 values the middle one, 4 MiB, is taken"

# --- what README quotes -------------------------------------------------------------------------

top=$(cd "$(dirname "$0")/../.." && pwd)
quoted=$(sed -n '/^\*\*Without FWB\*\*/,/^$/p' "$top/README.md")
check "README: quotes figures" test "$(grep -oE '[0-9.]+ (m?s|%) \([0-9.]+[^)]* to [^)]*\)' <<<"$quoted" | wc -l)" -ge 7
while read -r figure; do
    check "README: $figure is in the memo" has "$top/results/questions/q01-reboot-without-fwb/memo.md" "$figure"
done < <(grep -oE '[0-9.]+ (m?s|%) \([0-9.]+[^)]* to [^)]*\)' <<<"$quoted")
for study in "$top"/workloads/questions/q*.ini; do
    name=$(basename "$study" .ini)
    check "README: links the memo of $name" has "$top/README.md" "(results/questions/$name/memo.md)"
    check "memo of $name is there" test -s "$top/results/questions/$name/memo.md"
done

# --- what is refused ----------------------------------------------------------------------------

broken() # makes a copy of the results to break
{
    rm -rf "$T/broken"
    cp -r "$D" "$T/broken"
    rm "$T"/broken/memo*
}
no_memo() { [ -z "$(cd "$T/broken" && ls -A | grep memo)" ]; }

refused "no folder" "expected the folder" memo
refused "no results" "run.json" memo "$T/bin"
broken
rm "$T/broken/rows.csv"
refused "no rows" "rows.csv" memo "$T/broken"
broken
run map "$T/study.ini" -o "$T/broken" --set seed=2
refused "a map of another run" "map.csv:" memo "$T/broken"
check "a map of another run: why" has "$T/err" "the table is of another run"
check "a map of another run: no memo" no_memo
broken
sed -i '2,$s/,\(eager\|eager-toggle1\|unmap\),\([A-Z]\),\([0-9.]*\),\(yes\|no\),/,none,\2,\3,\4,/' "$T/broken/map.csv"
refused "an incoherent winner" "which is incoherent there" memo "$T/broken"
broken
run breakeven "$T/study.ini" -o "$T/broken" --set kernel_cpi=2
refused "curves of another run" "breakeven-curves.csv:" memo "$T/broken"
broken
run sensitivity "$T/study.ini" -o "$T/broken" --set tlbi_ns=2345
refused "a tornado of another run" "sensitivity.csv:" memo "$T/broken"
broken
run map "$T/study.ini" -o "$T/broken" --metric cpu
refused "a map of another metric" "expected added_boot_ns" memo "$T/broken"
broken
sed -i 's/^small,/other,/' "$T/broken/map.csv"
refused "a map of another study" "expected 'small'" memo "$T/broken"
broken
sed -i '$d' "$T/broken/rows.csv"
sed -i '/,added_boot_ns,/{x;s/^/x/;/^x\{3\}$/{x;d};x}' "$T/broken/rows.csv"
refused "a row is missing" "of the" memo "$T/broken"
broken
sed -i '5s/"/{/' "$T/broken/run.json"
refused "no JSON" "run.json:5" memo "$T/broken"
broken
echo '{"schema_version": 1}' >"$T/broken/run.json"
refused "empty JSON" "study.axes" memo "$T/broken"
broken
sed -i 's/,probability,/,chance,/' "$T/broken/map.csv"
refused "no column" "has no column probability" memo "$T/broken"
broken
sed -i '2s/,ns,8,/,ns,x,/' "$T/broken/map.csv"
refused "no number" "map.csv:2: n: found 'x'" memo "$T/broken"
refused "no validation" "no-such.csv" memo "$D" --validation "$T/no-such.csv"

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
bad_memo "held against nobody" "(did you mean eager?)" 'against = unmap, eagr'
bad_memo "no such metric" "(did you mean lines?)" 'also = linse'
bad_memo "no time" "expected up to 8 times" 'breakeven = touched
targets = soon'
bad_memo "limits along nothing" "needs breakeven" 'targets = 5ms'
bad_memo "the strategies" "are what is compared" 'by = strategy'
bad_memo "twice" "stands twice" 'by = backing
by = touched'
bad_memo "no yes or no" "expected yes or no" 'what_if = maybe'

exit "$failed"
