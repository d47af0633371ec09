#!/bin/bash
# Mistakes of new users, each answered by one line that names the way out: mistakes.txt has them.
# Prints "ok NAME" or "not ok NAME: why" for each.
set -u
table=$(dirname "$(realpath "$0")")/mistakes.txt
. "$(dirname "$0")/cases.sh"
export S2FLUSH_DATA=${S2FLUSH_DATA:-$PWD}
S2FLUSH=$(realpath "$S2FLUSH")
mkdir "$T/here" "$T/here/empty"
cd "$T/here" || exit 2
touch other.txt
echo 'KVM_CREATE_MAPPINGS: total execution time: 0.2s' >output.txt
printf '[machine]\nname = board\n' >board.ini
printf '[vm]\nram = 1G\n[boot]\nfootprint = 16M\n' >vm.ini
printf '[study]\ndraws = 8\n[axes]\nmachine = neoverse-n1\nworkload = ./vm.ini\n' >study.ini

while IFS='|' read -r command words; do
    case $command in '#'* | '') continue ;; esac
    command=$(sed 's/ *$//' <<<"$command")
    words=${words# }
    read -ra arguments <<<"$command"
    rc=0
    (ulimit -t 60 && exec "$S2FLUSH" "${arguments[@]}") >"$T/out" 2>"$T/err" </dev/null || rc=$?
    check "$command: status" is "$rc" 2
    check "$command: one line" one_line
    check "$command: says '$words'" says err "$words"
done <"$table"
check "nothing is written" is "$(ls -A | tr '\n' ' ')" "board.ini empty other.txt output.txt study.ini vm.ini "
exit $failed
