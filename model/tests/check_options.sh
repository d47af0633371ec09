#!/bin/bash
# Every option of every subcommand with every kind of mistake, as --help lists them, and a sample
# of bad keys from end to end: status 2, one line on stderr that says what would be right, nothing
# on stdout, and no file. Prints "ok" or "not ok" lines, and how many were tried.
set -u
: "${S2FLUSH:?set it to the program under test}"
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
export TMPDIR=$T LC_ALL=C
failed=0 tried=0

# bad WORDS ARGUMENTS...: the program refuses these, in a line with all of WORDS (a pattern).
bad()
{
    local words=$1 rc=0
    shift
    tried=$((tried + 1))
    (cd "$T/here" && exec "$S2FLUSH" "$@") >"$T/out" 2>"$T/err" </dev/null || rc=$?
    if [ "$rc" -ne 2 ] || [ -s "$T/out" ] || [ "$(wc -l <"$T/err")" -ne 1 ] ||
        ! grep -Eq "^s2flush: .*($words)" "$T/err" || [ -n "$(ls -A "$T/here")" ]; then
        echo "not ok $*: status $rc ($(head -c 300 "$T/err" | tr '\n' '|'))"
        failed=$((failed + 1))
        rm -rf "$T/here" && mkdir "$T/here"
    fi
}

right='expected|did you mean|valid:'
mkdir "$T/here" "$T/results"
cat >"$T/small.ini" <<'END'
[workload]
title = small
[boot]
footprint = 4M
rewrite = 1M
END
cat >"$T/study.ini" <<END
[study]
draws = 0
[axes]
workload = $T/small.ini
machine = neoverse-n1
touched = 0, 50%, 100%
END
"$S2FLUSH" run "$T/study.ini" --quiet -o "$T/results" || exit 2
head -n 30 bench/kvm/counts.csv >"$T/counts.csv"

# What a subcommand needs beside the option that is wrong.
declare -A words=(
    [run]="$T/study.ini" [explain]="$T/small.ini" [list]='costs' [plot]="$T/results"
    [breakeven]="$T/study.ini" [map]="$T/study.ini" [sensitivity]="$T/study.ini"
    [diff]="$T/results $T/results" [counts]="$T/counts.csv" [validate]='' [paths]="$T/counts.csv"
    [calibrate]="$T/counts.csv" [merge]="$T/results"
)
# Options that it needs, where they are not the ones that are wrong.
declare -A more=([breakeven]='--axis=touched' [calibrate]='--output=x.ini')

# The subcommands, as the program's own help lists them.
commands=$("$S2FLUSH" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')

# option COMMAND NAME VALUE REPEATABLE: all mistakes with that option. VALUE is empty for a flag.
option()
{
    local command=$1 name=$2 value=$3 repeatable=$4 given wrong
    # shellcheck disable=SC2206 # words are several
    local rest=(${words[$command]-} ${more[$command]-})
    case $command-$name in
        breakeven-axis | calibrate-output | calibrate-check) rest=("${words[$command]}") ;;
        explain-from | explain-to) rest+=(--trace) ;; # of no effect without it
    esac
    bad 'no option|found' "$command" "${rest[@]}" "--${name}xyz"
    if [ -z "$value" ]; then
        bad 'expected no value' "$command" "${rest[@]}" "--$name=1"
        bad 'expected once' "$command" "--$name" "--$name" "${rest[@]}"
        return
    fi
    bad "--$name: found no value, expected" "$command" "${rest[@]}" "--$name"
    given="--$name=1"
    [ "$repeatable" = yes ] || bad 'expected once' "$command" "${rest[@]}" "$given" "$given"
    [[ $name = output || $name = misfit ]] || bad "$right|cannot be" "$command" "${rest[@]}" "--$name=@@"
    bad "$right|cannot be" "$command" "${rest[@]}" "--$name="
    [ "$value" = N ] || return
    for wrong in -1 1.5 99999999999999999999999 nan 0x10 '1 2' 1e400 inf; do
        bad "--$name: found '$wrong', expected" "$command" "${rest[@]}" "--$name=$wrong"
    done
}

for command in $commands; do
    before=$failed
    help=$("$S2FLUSH" "$command" --help)
    while read -r name value; do
        repeatable=no
        grep -A 3 -e "--${name}[= ]" <<<"$help" | sed '2,${/--/,$d}' | grep -qi repeatable && repeatable=yes
        option "$command" "$name" "$value" "$repeatable"
    done < <(sed -n 's/^ \{2,6\}\(-[a-zA-Z], \)\{0,1\}--\([a-z-]*\)\(=\([^ ]*\)\)\{0,1\}  *.*/\2 \4/p' <<<"$help" |
        grep -v -e '^help' -e '^usage')
    bad 'no option' "$command" -Z
    [ "$failed" -ne "$before" ] || echo "ok options of $command"
done

# Keys from end to end: a file with each, and each from the command line.
mistakes=('' abc nan -1 '1, 2' 0x10 1e999 '3 apples' '--' "\$(id)")
before=$failed
number=0
keys=$("$S2FLUSH" list keys | sed -n -e '/^\[study\]/q' -e 's/^  \([a-z][a-z0-9_]*\)  .*/\1/p' |
    grep -v -x -e name -e title -e recording -e touched)
for key in $keys $("$S2FLUSH" list costs | sed -n 's/^  \([a-z][a-z0-9_]*\)  .*/\1/p'); do
    wrong=${mistakes[number++ % ${#mistakes[@]}]}
    bad "--set: $key: .*($right)" run "$T/study.ini" --set "$key=$wrong" -o out
    { cat "$T/study.ini"; printf '[set]\n%s = %s\n' "$key" "$wrong"; } >"$T/bad.ini"
    bad "bad.ini:8: $key: .*($right)" run "$T/bad.ini" -o out
    bad "bad.ini:8: $key: .*($right)" breakeven "$T/bad.ini" --axis touched -o out
done
[ "$number" -gt 30 ] || { echo "not ok keys: found only $number" && failed=1000; }
[ "$failed" -ne "$before" ] || echo "ok $number keys from end to end"

echo "bad inputs tried: $tried (command line)"
[ "$failed" -eq 0 ]
