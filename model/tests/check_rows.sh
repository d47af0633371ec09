#!/bin/bash
# The rows of studies are the same bytes on every system, by every compiler and with any number of threads:
# their digests are kept in rows.csv beside this script. Where the model says something else on purpose,
# `check_rows.sh --update` (`make golden`) accepts what they are now.
set -u
here=$(dirname "$0")
# shellcheck source=model/tests/cases.sh
. "$here/cases.sh"
kept=$here/rows.csv

# What the numbers of rows go through differs: draws, sums, quantiles, vCPUs that wait, stalls, keys of strategies.
studies='any-workload=8 dirty-log=1 first-light=4 reference=2 q04-what-fwb-saves=2 q08-flush-workers=1'

echo study,draws,sha256 >"$T/rows.csv"
for study in $studies; do
    run run "${study%=*}" --set "draws=${study#*=}" --set shifts=1 -q -o "$T/rows"
    check "rows of ${study%=*}: status" is "$rc" 0
    echo "${study%=*},${study#*=},$(sha256sum <"$T/rows/rows.csv" | cut -d' ' -f1)" >>"$T/rows.csv"
    rm -rf "$T/rows"
done
[ "${1:-}" != --update ] || cp "$T/rows.csv" "$kept"
while IFS= read -r line; do
    check "rows of ${line%%,*}: the same bytes" grep -qxF "$line" "$kept"
done < <(tail -n +2 "$T/rows.csv")
check "rows: all studies" is "$(wc -l <"$kept")" "$(wc -l <"$T/rows.csv")"
exit "$failed"
