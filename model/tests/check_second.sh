#!/bin/bash
# The program against bench/second, an implementation of the model of its own, over seeded random
# scenarios, machines and costs; and that the two differ where a term is left out. Skipped where
# python3 is not installed.
#   SECOND_CASES=300 SECOND_SEED=2 model/tests/check_second.sh
set -u
here=$(dirname "$0")
# shellcheck source=model/tests/cases.sh
. "$here/cases.sh"

if ! command -v python3 >/dev/null; then
    echo "ok second: equal # SKIP no python3"
    exit 0
fi

# compare ARGUMENTS...: leaves stdout, stderr and the status in $T/out, $T/err, $rc.
compare()
{
    rc=0
    PYTHONDONTWRITEBYTECODE=1 python3 "$here/../../bench/second/compare.py" "$S2FLUSH" \
        "$here/../machine/platforms" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
}

cases=${SECOND_CASES:-20}
compare --cases "$cases" --seed "${SECOND_SEED:-1}"
grep ' differs: \|^    ' "$T/out"
check "second: equal to 1e-9" is "$rc" 0
check "second: all cases compared" says out "$cases cases compared, 0 differ"

compare --cases 2 --seed "${SECOND_SEED:-1}" --machine kunpeng-920
check "second: equal on kunpeng-920" says out "2 cases compared, 0 differ"

# A term that second.py leaves out must be seen: the barriers of the maintenance, the walk of a fault,
# the invalidation of TLBs, the trap, the tables that are freed.
for event in cmo_calls walk_reads tlbi_calls exits s2_tables_free; do
    compare --cases 2 --seed 3 --first 4 --without "$event"
    check "second: without $event it differs" is "$rc" 1
    check "second: without $event it says where" says out " differs: "
done

exit "$failed"
