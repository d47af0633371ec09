#!/bin/bash
# The tree against what it says of itself: commands in README.md, targets in `make help`, links
# between documents, and includes against the layers. Runs from the root of the tree.
set -u
. "$(dirname "$0")/cases.sh"

# all NAME: nothing is left over in $T/bad, which holds what breaks the rule.
all()
{
    check "$1" is "$(tr '\n' ' ' <"$T/bad")" ""
}

mapfile -t documents < <(find README.md model workloads bench -name '*.md')

# --- commands -----------------------------------------------------------------------------------

run --help
sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' "$T/out" | grep -vx s2flush | sort >"$T/commands"
check "commands: some" test -s "$T/commands"

sed -n '/^## Use/,/^## /s/^    s2flush \([a-z]*\) .*/\1/p;/^## Use/,/^## /s/^    s2flush \([a-z]*\)$/\1/p' \
    README.md | sort -u >"$T/used"
comm -3 "$T/commands" "$T/used" >"$T/bad"
all "commands: README names each"

# As `s2flush NAME` or build/s2flush NAME at the beginning of a line or of code in a sentence.
grep -ohE '(^ +|`|^)(build/)?s2flush [a-z]+' "${documents[@]}" | sed 's/.* //' | sort -u |
    grep -vxFf "$T/commands" >"$T/bad"
all "commands: no document names another"

# --- targets ------------------------------------------------------------------------------------

# Not as an outer make -C would have it, which says into which folder it goes.
env -u MAKEFLAGS -u MFLAGS make -s help SANITIZE= VALGRIND= >"$T/help"
sed -n '/^$/q; s/^  \([a-z_.-]*\) .*/\1/p' "$T/help" | sort >"$T/told"
sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep -x '[a-z_.-]*' | sort >"$T/targets"
comm -3 "$T/targets" "$T/told" >"$T/bad"
all "make help: each target"

awk '/^$/ { exit } length > 100 || !/^  [a-z_.-]+ +[^ ]/' "$T/help" >"$T/bad"
all "make help: one short line each"

grep -ohE '(^    |`)make [a-z][a-z -]*' "${documents[@]}" | sed 's/.*make //; s/  .*//' |
    tr ' ' '\n' | grep . | sort -u | grep -vxFf "$T/targets" | grep -vx build >"$T/bad"
all "make: no document names another target"

# --- links --------------------------------------------------------------------------------------

for file in "${documents[@]}"; do
    grep -oE '\]\([^)]*\)' "$file" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^[a-z]*://' |
        while read -r link; do
            [ -z "$link" ] || [ -e "$(dirname "$file")/$link" ] || echo "$file:$link"
        done
done >"$T/bad"
all "links: each leads to a file"

for file in "${documents[@]}"; do
    folder=${file%/*} name=${file##*/}
    [ "$name" != README.md ] || { name=${folder##*/}/$name folder=${folder%/*}; }
    [ "$file" = README.md ] || grep -qF "($file" README.md ||
        { [ -f "$folder/README.md" ] && grep -qF "($name" "$folder/README.md"; } || echo "$file"
done >"$T/bad"
all "links: README or its folder's leads to each document"

for file in workloads/questions/*.ini; do
    name=$(basename "$file" .ini)
    grep -qF "\`$name\`" workloads/questions/README.md || echo "$file: not in README.md"
    [ -f "results/questions/$name/rows.csv" ] || echo "$file: no results"
done >"$T/bad"
all "questions: each has a line in README and results"

# --- symbols ------------------------------------------------------------------------------------

# A letter that stands for something is said in its section to be it, by a word beside it ("*M* leaves",
# "of cost *c*") or an equation that begins with it.
awk '
    function report(    letter) {
        for (letter in used) if (!(letter in said)) print section ": " letter
        delete used
        delete said
    }
    /^    / { next }
    /^#/ { report(); section = $0; last = ""; next }
    {
        gsub(/`[^`]*`/, ";")
        gsub(/\]\([^)]*\)/, "]")
        gsub(/\*/, "")
        count = split($0, word, " ")
        for (i = 1; i <= count; i++) {
            parts = split(word[i], part, /[^A-Za-z0-9'"'"'-]+/)
            for (k = 1; k <= parts; k++) if (part[k] ~ /^[b-wyzB-Z]$/) used[part[k]] = 1
            if (word[i] !~ /^[b-wyzB-Z][,.;:]?$/) continue
            before = i > 1 ? word[i - 1] : last
            after = word[i] ~ /^.$/ && i < count ? word[i + 1] : ""
            if (before ~ /^[a-z][a-z-]+$/ || after ~ /^([a-z][a-z-]+[,.;:]?|=)$/) said[substr(word[i], 1, 1)] = 1
        }
        last = word[count]
    }
    END { report() }' model/README.md >"$T/bad"
all "symbols: each letter in the model's equations is said to be something"

# The equations of events: costs that a platform file has, other events, and words that are explained.
run list costs
awk '{ print $1 }' "$T/out" >"$T/known"
sed -n 's/^| \(`[^|]*\) |.*/\1/p' model/README.md | tr -d '`' | tr ', ' '\n\n' | grep . >>"$T/known"
sed -n '/equation for one/,/^$/s/^| `[^|]*| \([^|]*\) |.*/\1/p' model/README.md >"$T/equations"
check "symbols: equations" test "$(wc -l <"$T/equations")" -gt 40
grep -o '`[^`]*`' "$T/equations" | tr -d '`' | sort -u | grep -vxFf "$T/known" >"$T/bad"
all "symbols: equations have costs and events that there are"
sed 's/`[^`]*`//g; s/;.*//' "$T/equations" | grep -oE '[A-Za-z]+' | sort -u | grep -vxE 'x|as|ps|KiB' |
    while read -r symbol; do
        grep -qE "\*$symbol\* is |\`[^\`]*\<$symbol\>[^\`]*\` is " model/README.md || echo "$symbol"
    done >"$T/bad"
all "symbols: words in equations are said to be something"

# --- figures ------------------------------------------------------------------------------------

# README's table of strategies against the rows of q01: 16 GiB, kunpeng-920, 8 vCPUs, 10 %.
rows=results/questions/q01-reboot-without-fwb/rows.csv
awk -F, -v OFS=' ' '
    function two(ns,    unit, size, digits) {
        size = ns >= 1e9 ? 1e9 : ns >= 1e6 ? 1e6 : ns >= 1e3 ? 1e3 : 1
        unit = ns >= 1e9 ? "s" : ns >= 1e6 ? "ms" : ns >= 1e3 ? "us" : "ns"
        ns /= size
        digits = ns < 9.95 ? 1 : 0
        return sprintf("%.*f %s", digits, ns >= 99.5 ? int(ns / 10 + 0.5) * 10 : ns, unit)
    }
    FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["metric"] == "added_boot_ns" && $column["machine"] == "kunpeng-920" &&
    $column["vcpus"] == 8 && $column["touched"] == "0.1" {
        cost[$column["strategy"], $column["backing"]] = two($column["p50"])
        if ($column["verdict"] != "coherent") unsafe[$column["strategy"]] = 1
    }
    END {
        while ((getline line <"README.md") > 0) {
            if (line !~ /^\| .*\(`[a-z0-9-]*`\) \|/) continue
            count = split(line, cell, / *\| */)
            name = cell[2]
            sub(/.*\(`/, "", name)
            sub(/`\).*/, "", name)
            found++
            if (cell[3] != cost[name, "4k"] || cell[4] != cost[name, "thp"] ||
                (cell[5] == "yes") != !(name in unsafe))
                print name, cell[3], cell[4], cell[5], "rows:", cost[name, "4k"], cost[name, "thp"]
        }
        if (found < 6) print "rows found:", found
    }' "$rows" >"$T/bad"
all "figures: README's table is what the rows say"

# What it says of the published record against the table of validate.
awk -F, '
    !head && /^table,/ { for (i = 1; i <= NF; i++) column[$i] = i; head = 1; next }
    head && $column["role"] == "predict" && $column["p50"] != "" {
        all++
        inside += $column["inside"] == "yes"
        if ($column["table"] == "kunpeng-4k") {
            own++
            own_inside += $column["inside"] == "yes"
            low = $column["error_pct"] < low ? $column["error_pct"] : low
        }
    }
    END {
        getline text <"README.md"
        while ((getline line <"README.md") > 0) text = text " " line
        said = inside " of " all " predicted rows lie inside their 80 % band"
        if (!index(text, said)) print "expected:", said
        said = own_inside == 0 ? "table none of " own : "table " own_inside " of " own
        said = said sprintf(", up to %.0f %% low", -low)
        if (!index(text, said)) print "expected:", said
    }' results/validate/validate.csv >"$T/bad"
all "figures: README says what validate found"

# What it quotes of q01 besides: how many strategies, and how many draws.
memo=results/questions/q01-reboot-without-fwb/memo.md
{
    all=$(grep -oE 'of all [0-9]+' "$memo" | sed -n '1s/of all //p')
    draws=$(sed -n 's/^draws = //p' workloads/questions/q01-reboot-without-fwb.ini)
    tr '\n' ' ' <README.md | grep -qF "Of all $all strategies that KVM could have" || echo "of all $all"
    tr '\n' ' ' <README.md | grep -qF "medians of $draws draws" || echo "$draws draws"
} >"$T/bad"
all "figures: README counts as q01 does"

# The number that it cites as an example: 16 GiB, 2 MiB leaves, 10 %, kunpeng-920.
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["metric"] == "added_boot_ns" && $column["strategy"] == "unmap" && $column["backing"] == "thp" &&
    $column["machine"] == "kunpeng-920" && $column["touched"] == "0.1" && $column["footprint"] == 2 ^ 34 {
        said = sprintf("%.1f s (%.1f to %.1f) longer", $column["p50"] / 1e9, $column["p10"] / 1e9, $column["p90"] / 1e9)
    }
    END {
        while ((getline line <"README.md") > 0) found += said != "" && index(line, said) > 0
        if (found != 1) print "expected:", said
    }' results/reference/rows.csv >"$T/bad"
all "figures: README cites what the rows say"

find results -name '*.html' -size +1500k >"$T/bad"
all "results: each page is under 1.5 MB"

# --- layers -------------------------------------------------------------------------------------

# Each layer may include itself and what stands in lower rows.
awk '
    BEGIN {
        rank["core"] = 1
        rank["machine"] = rank["vm"] = 2
        rank["kvm"] = rank["guest"] = 3
        rank["run"] = 4; rank["study"] = 5; rank["check"] = 6; rank["report"] = 7; rank["cli"] = 8
    }
    match($0, /^#include "[a-z]+\//) {
        split(FILENAME, path, "/")
        from = path[2]
        to = substr($0, 11, RLENGTH - 11)
        if (!(from in rank) || !(to in rank) || (from != to && rank[to] >= rank[from]) ||
            (from == "guest" && to == "machine"))
            print FILENAME ":" $2
    }' $(find model/{core,machine,vm,kvm,guest,run,study,check,report,cli} -name '*.[ch]') >"$T/bad"
all "layers: includes run downward"

# --- a fault's cost -----------------------------------------------------------------------------

# What model/README.md names on the way from a fault to its cost: files that are there, functions in
# the file that is named behind them, events and costs with a row.
sed -n '/^## From a fault to its cost/,/^## Time/p' model/README.md >"$T/way"
way=0
while read -r name file; do
    way=$((way + 1))
    case $name in
        s2flush*) true ;;
        */NAME.ini) [ -d "model/${name%/*}" ] ;;
        */*) [ -f "model/$name" ] ;;
        EV_...) true ;;
        EV_*) grep -qw "X(${name#EV_}" model/machine/events.h ;;
        CORO*) grep -qwF "$name" model/kvm/fault.c ;;
        COST*) name=${name#COST(} && grep -qw "X(${name%)}" model/machine/platform.h ;;
        kernel_cpi) grep -qw "X($name" model/machine/platform.h ;;
        *) grep -qw "$name" "model/${file:-machine/events.h}" ;;
    esac || echo "$name $file"
done < <(tr '\n' ' ' <"$T/way" | grep -oE '`[^`]*`( +\(`[^`]*`\))?' | sed 's/` *(`/ /; s/`)$//; s/`//g') >"$T/bad"
[ "$way" -ge 20 ] || echo "names found: $way" >>"$T/bad"
all "a fault's cost: what README names on the way is there"

# --- names --------------------------------------------------------------------------------------

# A public function begins with the words of its header's name, or its first ones; with the folder's;
# or with a type that the header declares.
awk '
    function begins(name, prefix) { return name == prefix || index(name, prefix "_") == 1 }
    function named(name,    prefix, type) {
        if (begins(name, folder)) return 1
        for (type in types) if (begins(name, type)) return 1
        prefix = header
        do if (begins(name, prefix)) return 1; while (sub(/(_[a-z0-9]+|s)$/, "", prefix))
        return 0
    }
    function look(    i) {
        for (i = 1; i <= count; i++) if (!named(names[i])) print file ":" lines[i] " " names[i]
        count = 0
        delete types
    }
    FNR == 1 {
        look()
        file = FILENAME
        count = split(file, path, "/")
        header = path[count]
        folder = path[count - 1]
        sub(/\.h$/, "", header)
        count = 0
    }
    /^(struct|enum|union) [a-z0-9_]+ \{/ { types[$2] = 1 }
    /^[a-z_][A-Za-z0-9_ *]*[ *][a-z][a-z0-9_]*\(/ && !/^typedef/ {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        names[++count] = name
        lines[count] = FNR
        functions++
    }
    END { look(); if (functions < 500) print "functions found: " functions }
    ' $(find model -name '*.h' -not -path 'model/tests/*') >"$T/bad"
all "names: public functions begin as their header"

# --- the same bits everywhere -------------------------------------------------------------------

# In what rows are made of, core/portable_math is used for what the C library rounds by system. The ends of
# the model's own error are rounded to thousandths.
grep -rnE 'long double|[^a-z_](exp|log|pow|exp2|log2|log10|log1p|expm1|cbrt|hypot|sin|cos|tgamma|lgamma)l?\(|gsl_stats_(mean|sd|var|tss|abs|cov)' \
    model/{core,machine,vm,kvm,guest,run,study} --include='*.[ch]' |
    grep -vE 'portable_math|double end = exp\(sqrt|: *\*|//|/\*' >"$T/bad"
all "numbers: sums, logarithms and powers of results by portable_math"

# --- words --------------------------------------------------------------------------------------

# What the glossary does not use, one or many of it, in README, memos, --help and the list of keys,
# outside of code marks. GLOSSARY='FILES' looks in further documents.
awk -F '|' '/^## /{ words = /^## Words/ } words && NF == 5 && $4 !~ /not|---/ { print $4 }' model/README.md |
    tr ',' '\n' | sed 's/^ *//; s/ *$//' | grep . >"$T/not"
check "words: the glossary names some" test -s "$T/not"
{
    # shellcheck disable=SC2086 # file names
    cat README.md results/questions/README.md results/questions/*/memo.md ${GLOSSARY:-} | sed 's/`[^`]*`//g; s/^    .*//'
    while read -r command; do
        "$S2FLUSH" "$command" --help
    done <"$T/commands"
    "$S2FLUSH" list keys
    "$S2FLUSH" list metrics
} >"$T/prose"
while read -r word; do
    grep -oiE ".{0,20}\<${word}s?\>.{0,20}" "$T/prose"
done <"$T/not" >"$T/bad"
all "words: documents and --help use the glossary's"

exit "$failed"
