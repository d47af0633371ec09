# One published table: measured points on the model's bands, and below how far the
# median is off. Open circles: rows that were fitted to; filled: rows that were predicted.

file = table
PALE = 0xBFDCEB

# The rows of the table that the model expresses, but for bounds, in the file's order.
mine(z) = strcol("table") eq each && strcol("error_pct") ne ""
names = ""; N = 0; inside = 0; predicted = 0; sum = 0; worst = 0; unit = ""; low = 1e300; high = 0
least(a, b) = a < b ? a : b
most(a, b) = a > b ? a : b
count(z) = mine(0) ? (N = N + 1, names = names." ".strcol("row"), unit = strcol("unit"), \
    low = least(low, least(column("p10"), column("measured"))), \
    high = most(high, most(column("p90"), column("measured"))), \
    strcol("role") eq "predict" ? (predicted = predicted + 1, inside = inside + (strcol("inside") eq "yes"), \
        sum = sum + abs(column("error_pct")), worst = most(worst, abs(column("error_pct")))) : 0, 0) : 0
stats file using (count(0)) nooutput

place = 0
next(z) = mine(0) ? (place = place + 1) : NaN
fitted(z) = strcol("role") eq "fit"

wide = most(720, 200 + 42 * N)
eval terminal_at(wide, 600)
set output out
finding = predicted > 0 ? sprintf("%s: mean error %.1f %%, largest %.1f %%, %d of %d predicted rows inside the band", \
    each, sum / predicted, worst, inside, predicted) : sprintf("%s: nothing predicted", each)

set multiplot
set lmargin at screen 90.0 / wide; set rmargin at screen 0.98
set xrange [0.4:N + 0.6]
set title finding noenhanced
set label 1 "bars: p10 to p90 of the model, line: p50; open: fitted, filled: predicted" \
    at graph 0.01, graph 0.97 textcolor rgb 0x666666
set tmargin at screen 0.92; set bmargin at screen 0.46
set label 2 unit at graph 0, graph 1.06 right textcolor rgb 0x444444
set logscale y
set yrange [low / 1.5:high * 2.5]
set format x ""
set xtics 1, 1, N scale 0
set boxwidth 0.55
place = 0
plot file using (next(0)):(column("p10")):(column("p10")):(column("p90")):(column("p90")) \
         with candlesticks lc rgb PALE fs solid 1 border lc rgb PALE, \
     (place = 0, file) using (next(0) - 0.275):(mine(0) ? column("p50") : NaN):(0.55):(0) \
         with vectors nohead lc rgb BLUE lw 2, \
     (place = 0, file) using (next(0)):(mine(0) && fitted(0) ? column("measured") : NaN) \
         with points pt 6 ps 1.1 lw 1.6 lc rgb INK, \
     (place = 0, file) using (next(0)):(mine(0) && !fitted(0) ? column("measured") : NaN) \
         with points pt 7 ps 1.1 lc rgb INK

unset title; unset label 1; unset label 2; unset logscale y
set tmargin at screen 0.42; set bmargin at screen 0.20
set ylabel "p50 / measured"
reach = most(25, least(100, worst * 1.15))
set yrange [-reach:reach]
set format y "%+.0f %%"
set ytics (-100, -50, -20, -10, 0, 10, 20, 50, 100)
if (reach > 60) { set ytics (-100, -50, 0, 50, 100) }
place = 0
set xtics rotate by 60 right scale 0 ("" 0)
do for [i=1:N] { set xtics add (word(names, i) i) }
plot 10 lc rgb 0xAAAAAA dt 2, -10 lc rgb 0xAAAAAA dt 2, 0 lc rgb 0x999999, \
     (place = 0, file) using (next(0)):(mine(0) && fitted(0) ? column("error_pct") : NaN) \
         with points pt 6 ps 1 lw 1.6 lc rgb RED, \
     (place = 0, file) using (next(0)):(mine(0) && !fitted(0) ? column("error_pct") : NaN) \
         with points pt 7 ps 1 lc rgb RED
unset multiplot
