#!/bin/bash
# What a memo's page lets its reader move: its script alone, in node, and the page in headless
# Chromium against the program. Each is skipped where it is not installed (make deps-page), unless
# PAGE=required.
set -u
: "${S2FLUSH:?set it to the program under test}"
here=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
failed=0

missing() # NAME PROGRAM
{
    if [ "${PAGE:-}" = required ]; then
        echo "not ok $1: no $2"
        failed=1
    else
        echo "ok $1 # SKIP no $2"
    fi
}

if command -v node >/dev/null; then
    node --test --test-reporter=tap "$here/whatif.test.js" >"$T/tap" 2>&1 || failed=1
    sed -nE 's/^(not ok|ok) [0-9]+ - (.*)/\1 script: \2/p' "$T/tap"
else
    missing script node
fi

if ! command -v chromium >/dev/null || ! command -v python3 >/dev/null; then
    missing page "chromium or python3"
    exit "$failed"
fi

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
name = page
question = Which strategy adds least to a small guest's reboot?
draws = 32
shifts = 8
[axes]
workload = $T/small.ini
machine = kunpeng-920
backing = 4k, thp
strategy = unmap, eager, eager-workers, reinit-lazy, reinit-lazy-vmall, eager-toggle1
touched = 10%, 50%, 100%
[memo]
breakeven = touched
case = touched=50%
by = backing
EOF
if ! "$S2FLUSH" memo "$T/study.ini" -o "$T/d" -q 2>"$T/out"; then
    echo "not ok page: memo: $(head -n 1 "$T/out")"
    exit 1
fi
sed 's/^touched = .*/touched = 50%/; /^breakeven\|^case/d' "$T/study.ini" >"$T/case.ini"
python3 "$here/whatif.py" chromium "$T/d/memo.html" "$S2FLUSH" "$T/case.ini" 100 "$T/rows" || failed=1
exit "$failed"
