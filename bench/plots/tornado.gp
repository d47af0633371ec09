# Tornado: what each cost does between its low and its high, with its Sobol'
# indices beside it; one panel a case.
#
#! output tornado
#! table sensitivity.csv

SHOWN = 6
cases = 0; array case_name[64]; array case_a[64]; array case_b[64]; array at_modes[64]; metric = ""
find_case(s) = (f_ = 0, sum [k_=1:cases] (case_name[k_] eq s ? (f_ = k_) : 0), f_)
note(z) = (metric = strcol("metric"), find_case(strcol("case")) == 0 && cases < 64 ? \
    (cases = cases + 1, case_name[cases] = strcol("case"), case_a[cases] = strcol("a"), case_b[cases] = strcol("b"), \
     at_modes[cases] = column("at_modes")) : 0, 0)
stats table using (note(0)) nooutput

# No rows: the two never differ, whatever costs are.
if (cases == 0) {
    eval terminal_at(1060, 120)
    set output out
    unset border; unset xtics; unset ytics; unset xlabel; unset ylabel; unset key
    set xrange [0:1]; set yrange [0:1]
    set label 1 "No cost decides: the strategies compared never differ" at screen 0.02, screen 0.5 left \
        font (format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13") textcolor rgb INK
    plot NaN notitle
    set output
    exit
}

N = cases * SHOWN
array cost[N]; array low[N]; array high[N]; array range_[N]; array s_first[N]; array first_l[N]; array first_h[N]
array s_total[N]; array total_l[N]; array total_h[N]
do for [i=1:N] { cost[i] = "" }
cell(z) = (c_ = find_case(strcol("case")), c_ == 0 || c_ > cases || column("rank") > SHOWN ? 0 : (c_ - 1) * SHOWN + column("rank"))
fill(i) = i == 0 ? 0 : (cost[i] = strcol("cost"), low[i] = column("at_low"), high[i] = column("at_high"), \
    range_[i] = sprintf("%g to %g %s", column("low"), column("high"), strcol("cost_unit") eq "ratio" ? "" : strcol("cost_unit")), \
    s_first[i] = column("first"), first_l[i] = column("first_low"), first_h[i] = column("first_high"), \
    s_total[i] = column("total"), total_l[i] = column("total_low"), total_h[i] = column("total_high"), 0)
stats table using (fill(int(cell(0)))) nooutput

# --- the finding ---------------------------------------------------------------

tops = ""; array often[N]
do for [i=1:N] { often[i] = 0 }
do for [c=1:cases] {
    top = ""; most = -1
    do for [r=1:SHOWN] { i = (c - 1) * SHOWN + r; if (cost[i] ne "") { if (s_total[i] > most) { most = s_total[i]; top = cost[i] } } }
    if (place(tops, top) == 0) { tops = tops." ".top }
    often[place(tops, top)] = often[place(tops, top)] + 1
}
finding = ""
do for [k=1:words(tops)] {
    finding = finding.(k > 1 ? ", " : "").word(tops, k).(cases > 1 ? sprintf(" (in %d of %d)", often[k], cases) : "")
}
finding = "Most of the uncertainty comes from ".finding
all_ = cases # up to 64 are looked at, and the first six drawn
if (cases > 6) { cases = 6 }

# --- the picture ---------------------------------------------------------------

bar_px = 30; panel_h = SHOWN * bar_px + 104; head_px = 84
wide = 1060; tall = head_px + cases * panel_h + 10
eval terminal_at(wide, tall)
set output out
set multiplot
px(x) = x / (1.0 * wide)
py(y) = 1 - y / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"
set label 1 finding at screen px(16), screen py(22) left font big textcolor rgb INK
set label 2 sprintf("Bars: %s with one cost at its low (open) and at its high (filled), all others at their modes. Below 0 the first of two strategies is cheaper.", metric) \
    at screen px(16), screen py(46) left font small textcolor rgb FAINT
set label 3 "Right: shares of the variance, first order (circle) and total (square), with 95 % intervals from the bootstrap.".(all_ > cases ? sprintf(" The first %d of %d situations.", cases, all_) : "") \
    at screen px(16), screen py(64) left font small textcolor rgb FAINT
set yrange [SHOWN + 0.5 : 0.5]
unset ytics
do for [c=1:cases] {
    y0 = head_px + (c - 1) * panel_h + 34
    least = at_modes[c]; most = at_modes[c]
    do for [r=1:SHOWN] {
        i = (c - 1) * SHOWN + r
        if (cost[i] ne "") {
            least = low[i] < least ? low[i] : least; least = high[i] < least ? high[i] : least
            most = low[i] > most ? low[i] : most; most = high[i] > most ? high[i] : most
        }
    }
    size = abs(least) > abs(most) ? abs(least) : abs(most)
    scale = size < 1e7 ? 1e3 : size < 1e10 ? 1e6 : 1e9
    unit = size < 1e7 ? "µs" : size < 1e10 ? "ms" : "s"
    span = most > least ? most - least : 1
    set tmargin at screen py(y0); set bmargin at screen py(y0 + SHOWN * bar_px)
    set lmargin at screen px(270); set rmargin at screen px(700)
    set xrange [(least - 0.04 * span) / scale : (most + 0.04 * span) / scale]
    set xtics autofreq font small
    set xlabel sprintf("%s [%s]", metric, unit) font small textcolor rgb FAINT offset 0, 0.5
    set title (case_b[c] eq "" ? case_a[c] : case_a[c]." less ".case_b[c]).(case_name[c] eq "" ? "" : " at ".case_name[c]) font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
    o = 1000; l = 1000
    do for [r=1:SHOWN] {
        i = (c - 1) * SHOWN + r
        if (cost[i] ne "") {
            set object o rectangle from at_modes[c] / scale, r - 0.34 to low[i] / scale, r fc rgb 0xffffff fs solid 1 border rgb BLUE lw 1.2
            set object o + 1 rectangle from at_modes[c] / scale, r to high[i] / scale, r + 0.34 fc rgb BLUE fs solid 1 border rgb BLUE lw 1.2
            set label l cost[i]."  ".range_[i] at screen px(260), first r right font small textcolor rgb INK
            o = o + 2; l = l + 1
        }
    }
    set arrow 1 from at_modes[c] / scale, 0.5 to at_modes[c] / scale, SHOWN + 0.5 nohead lw 1 lc rgb INK front
    if (least < 0 && most > 0) {
        set arrow 2 from 0, 0.5 to 0, SHOWN + 0.5 nohead lw 1.4 dt 2 lc rgb RED front
    }
    plot NaN notitle
    do for [i=1000:o] { unset object i }
    do for [i=1000:l] { unset label i }
    unset arrow 1
    if (least < 0 && most > 0) { unset arrow 2 }
    unset title
    if (c == 1) { unset label 1; unset label 2; unset label 3 }

    set lmargin at screen px(750); set rmargin at screen px(1030)
    set xrange [-0.05 : 1.15]
    set xtics 0, 0.25, 1 font small
    set xlabel "share of the variance" font small textcolor rgb FAINT offset 0, 0.5
    do for [r=1:SHOWN] {
        i = (c - 1) * SHOWN + r
        if (cost[i] ne "") {
            set arrow 100 + r from first_l[i], r - 0.14 to first_h[i], r - 0.14 heads size screen 0.002, 90 lw 1.3 lc rgb INK
            set arrow 200 + r from total_l[i], r + 0.16 to total_h[i], r + 0.16 heads size screen 0.002, 90 lw 1.3 lc rgb RED
            set label 100 + r "" at s_first[i], r - 0.14 point pt 7 ps 0.9 lc rgb INK front
            set label 200 + r "" at s_total[i], r + 0.16 point pt 5 ps 0.9 lc rgb RED front
        }
    }
    plot NaN notitle
    do for [r=1:SHOWN] {
        i = (c - 1) * SHOWN + r
        if (cost[i] ne "") {
            a = 100 + r
            b = 200 + r
            unset arrow a
            unset arrow b
            unset label a
            unset label b
        }
    }
}
unset multiplot
set output
