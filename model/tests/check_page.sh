#!/bin/bash
# Opens a memo's page in headless Chromium: page.py says what it looks at. Skipped where Chromium is
# not installed (make deps-page), unless PAGE=required.
set -u
: "${S2FLUSH:?set it to the program under test}"
here=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT

missing=
for program in chromium python3; do
    command -v "$program" >/dev/null || missing=${missing:-$program}
done
if [ -n "$missing" ]; then
    if [ "${PAGE:-}" = required ]; then
        echo "not ok page: no $missing"
        exit 1
    fi
    echo "ok page # SKIP no $missing"
    exit 0
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
title = <img src="http://localhost:1/x.png" onerror="console.error(1)"> as a title
question = Which strategy adds least to a small guest's reboot?
draws = 8
shifts = 2
[axes]
workload = $T/small.ini
machine = kunpeng-920, neoverse-n1
backing = 4k, thp
touched = 0, 10%, 50%, 100%
footprint = 1M..64M x4
[memo]
breakeven = touched
map = footprint, touched
case = footprint=4M touched=50% machine=kunpeng-920
by = backing
EOF
if ! "$S2FLUSH" memo "$T/study.ini" -o "$T/d" -q 2>"$T/out"; then
    echo "not ok page: memo: $(head -n 1 "$T/out")"
    exit 1
fi
# What make deps-page puts there.
export AXE=${AXE:-$here/../../build/page/node_modules/axe-core/axe.min.js}
python3 "$here/page.py" chromium "$T/d/memo.html" 4 || failed=1
# The memos that are kept: PAGES=all looks at all of them, which takes minutes.
cd "$here/../.." || exit 2
pages=(results/questions/index.html)
[ "${PAGES:-}" != all ] || pages+=(results/questions/*/memo.html)
python3 "$here/page.py" chromium --paper "${pages[@]}" || failed=1
exit "${failed:-0}"
