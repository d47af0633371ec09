#!/bin/bash
# The examples that read rows with other programs, each where that is installed, and the scripts of
# `plot` by hand as its help says.
set -u
. "$(dirname "$0")/cases.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
examples=$top/bench/plots/examples
run run reference --set draws=8 --set machine=kunpeng-920 --set backing=4k --set touched=10% \
    --set footprint=128M,1G,8G,64G --set strategy=unmap,eager,none -o "$T/d" -q
check "rows: status" is "$rc" 0

# The median of `unmap` at 1 GiB in ms, to three decimals, as the rows have it.
median=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i }
    $c["metric"] == "added_boot_ns" && $c["strategy"] == "unmap" && $c["footprint"] == 1073741824 {
        printf "%.3f", $c["p50"] / 1e6 }' "$T/d/rows.csv" | sed 's/0*$//; s/\.$//')
check "rows: the median" test -n "$median"

python=
for one in python3 /usr/bin/python3; do
    [ -z "$python" ] && "$one" -c 'import pandas' 2>/dev/null && python=$one
done
if [ -n "$python" ]; then
    "$python" "$examples/rows.py" "$T/d/rows.csv" >"$T/out" 2>"$T/err"
    check "pandas: the median" says out ",$median"
    check "pandas: nothing stale" test "$(grep -c none "$T/out")" -eq 0
    check "pandas: quiet" silent err
else
    echo "ok pandas # SKIP no pandas"
fi
if command -v Rscript >/dev/null; then
    Rscript "$examples/rows.R" "$T/d/rows.csv" >"$T/out" 2>"$T/err"
    check "R: the median" says out ",$median"
    check "R: quiet" silent err
else
    echo "ok R # SKIP no R"
fi
if command -v gnuplot >/dev/null; then
    gnuplot -c "$examples/rows.gp" "$T/d/rows.csv" footprint unmap "$T/rows.svg" >"$T/out" 2>"$T/err"
    check "gnuplot: draws" grep -q '^</svg>' "$T/rows.svg"
    check "gnuplot: names the axis" grep -q footprint "$T/rows.svg"
    check "gnuplot: quiet" silent err
    scripts=$top/bench/plots
    mkdir "$T/v"
    head -n 12 "$top/results/validate/validate.csv" >"$T/v/validate.csv"
    run plot "$T/v" -q
    picture=$(echo "$T"/v/*.svg | cut -d' ' -f1)
    cp "$picture" "$T/validate.svg"
    name=$(basename "$picture" .svg)
    (cd "$T/v" && LC_ALL=C.UTF-8 GNUPLOT_LIB=$scripts gnuplot \
        -e "out = 'validate.svg'; table = 'validate.csv'; each = '${name#validate-}'" \
        "$scripts/style.gp" "$scripts/validate.gp") >"$T/out" 2>"$T/err"
    check "plot by hand: quiet" silent err
    check "plot by hand: the same picture" cmp -s "$T/v/validate.svg" "$T/validate.svg"
else
    echo "ok gnuplot # SKIP no gnuplot"
fi
exit "$failed"
