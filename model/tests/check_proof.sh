#!/bin/bash
# What kernels did under emulation, as bench/kvm/proof/linux.csv and linux-counts.csv have it, beside what
# the model says of the same policies now: each verdict, and the counts in all columns that it claims.
set -u
here=$(dirname "$0")
# shellcheck source=model/tests/cases.sh
. "$here/cases.sh"
here=$(cd "$here/../../bench/kvm/proof" && pwd)
s2flush=$S2FLUSH
# shellcheck source=bench/kvm/proof/verdicts.sh
. "$here/verdicts.sh"

# A boot's rows of the table of counts, one count a line.
counts_of() {
    awk -F, -v boot="$1" '
        NR == 1 { for (c = 5; c <= NF; c++) name[c] = $c }
        $1 "," $2 "," $3 == boot {
            for (c = 5; c <= NF; c++) if ($c != "") print "count", $4, name[c], $c
        }' "$here/linux-counts.csv"
}

boots=0
while IFS=, read -r kernel policy _ strategy guest page detector _ old _ equal cells _; do
    what="$policy, $guest, $page"
    read -ra play <<<"$(workload_of "$guest" "$page" "$kernel" "$T")"
    check "$what: verdict" agree "$detector" \
        "$(modelled "${play[0]}" neoverse-n1 "$strategy" "${play[@]:1}")"
    check "$what: old lines as the verdict says" is "$((old > 0))" "$([[ $detector == '- - - -' ]]; echo $?)"
    counts_of "$policy,$guest,$page" >"$T/counts"
    [ -s "$T/counts" ] || continue
    boots=$((boots + 1))
    found=$(counted "$T/counts" "${play[0]}" "$strategy" "${play[@]:1}" 2>"$T/differences" | cut -d, -f1,2)
    check "$what: counts" is "$found $(head -n 1 "$T/differences")" "$cells,$cells "
    check "$what: counts when it was run" is "$equal" "$cells"
done < <(tail -n +2 "$here/linux.csv")
check "boots that counted" is "$((boots >= 60))" 1
awk -f "$here/linux/table.awk" "$here/linux.csv" >"$T/table"
check "README.md has the table as it was run" diff "$T/table" <(grep -E '^\| (policy \||`[a-z0-9-]*` \| [a-z]* \| [24])|^(\|---){11}\|$' "$here/README.md")
exit "$failed"
