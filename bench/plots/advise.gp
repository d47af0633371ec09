# Ladders of kernel changes: what Linux does, the cheapest coherent strategy with each number of
# changes, and in grey those that need a condition; one panel a case.
#
#! output advise
#! table advise.csv

SHOWN = 10
cases = 0; array case_name[64]; array situation[64]; metric = ""; draws = 0
find_case(s) = (f_ = 0, sum [k_=1:cases] (case_name[k_] eq s ? (f_ = k_) : 0), f_)
own(z) = strlen(strcol("hardware")) == 0
note(z) = (metric = strcol("metric"), draws = column("n"), find_case(strcol("case")) == 0 && cases < 64 ? \
    (cases = cases + 1, case_name[cases] = strcol("case"), situation[cases] = strcol("situation")) : 0, 0)
stats table using (note(0)) nooutput
all_ = cases
if (cases > 8) { cases = 8 }

N = cases * SHOWN
array name[N]; array mid[N]; array low[N]; array high[N]; array kind[N]; array won[N]
array used[cases]
do for [c=1:cases] { used[c] = 0 }
cost(z) = strlen(strcol("p50")) ? column("p50") : column("mode")
spell(z) = column("changes") == 0 ? "today" : sprintf("%d change%s: %s", column("changes"), column("changes") > 1 ? "s" : "", \
    strlen(strcol("strategy")) ? strcol("strategy") : strcol("keys"))
fill(c) = c == 0 || c > cases || !own(0) || used[c] == SHOWN ? 0 : (used[c] = used[c] + 1, i_ = (c - 1) * SHOWN + used[c], \
    name[i_] = spell(0), mid[i_] = cost(0), low[i_] = strlen(strcol("p10")) ? column("p10") : cost(0), \
    high[i_] = strlen(strcol("p90")) ? column("p90") : cost(0), kind[i_] = strcol("rung"), \
    won[i_] = strlen(strcol("probability")) ? column("probability") : -1, 0)
stats table using (fill(int(find_case(strcol("case"))))) nooutput

# --- the finding ---------------------------------------------------------------

factor_low = 1e300; factor_high = 0; steps_low = 100; steps_high = 0; FIRST = 1e300; LAST = 0
do for [c=1:cases] {
    best = -1; steps = 0; today = 0
    do for [r=1:used[c]] {
        i = (c - 1) * SHOWN + r
        FIRST = low[i] > 0 && low[i] < FIRST ? low[i] : FIRST
        LAST = high[i] > LAST ? high[i] : LAST
        today = kind[i] eq "upstream" ? mid[i] : today
        if (kind[i] eq "coherent") { best = mid[i]; steps = word(name[i], 1) + 0 }
    }
    if (best > 0) {
        factor_low = today / best < factor_low ? today / best : factor_low
        factor_high = today / best > factor_high ? today / best : factor_high
        steps_low = steps < steps_low ? steps : steps_low
        steps_high = steps > steps_high ? steps : steps_high
    }
}
span(a, b, form) = sprintf(form, a) eq sprintf(form, b) ? sprintf(form, a) : sprintf(form, a)." to ".sprintf(form, b)
finding = factor_high == 0 ? "No change of the kernel gains anything" : \
    sprintf("%s change%s of the kernel cost %s times less than today's", span(steps_low, steps_high, "%.0f"), \
            steps_high > 1 ? "s" : "", span(factor_low, factor_high, "%.3g"))

# --- the picture ---------------------------------------------------------------

bar_px = 24; head_px = 70; foot_px = 46; rows = 0
do for [c=1:cases] { rows = rows + used[c] + 2 }
wide = 1060; tall = head_px + rows * bar_px + foot_px
eval terminal_at(wide, tall)
set output out
big = format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"
set label 1 finding at screen 16.0 / wide, 1 - 22.0 / tall left font big textcolor rgb INK
set label 2 sprintf("By %s. ", metric).(draws > 0 ? sprintf("Medians of %d draws of the machine's costs, bands from 10 to 90 %%, the same draws for all.", draws) \
    : "Every cost at its mode.").(all_ > cases ? sprintf(" The first %d of %d situations.", cases, all_) : "") \
    at screen 16.0 / wide, 1 - 48.0 / tall left font small textcolor rgb FAINT
set lmargin at screen 0.46; set rmargin at screen 0.95
set tmargin at screen 1 - head_px * 1.0 / tall; set bmargin at screen foot_px * 1.0 / tall
set logscale x
set xrange [FIRST * 0.8 : LAST * 1.25]
set yrange [rows : 0]
unset ytics
set border 1
set grid xtics lc rgb 0xdddddd
unset xtics
set xtics () nomirror font small
do for [d=0:14] { if (10.0**d >= FIRST * 0.8 && 10.0**d <= LAST * 1.25) { set xtics add (decade_text(d) 10.0**d) } }
set xlabel metric font small textcolor rgb FAINT

TAG = 10; at_row = 0.6
array y[N]
do for [c=1:cases] {
    set label TAG "".situation[c] at screen 16.0 / wide, first at_row left font small textcolor rgb INK
    TAG = TAG + 1; at_row = at_row + 1
    do for [r=1:used[c]] {
        i = (c - 1) * SHOWN + r
        y[i] = at_row
        tint_ = kind[i] eq "only-if" ? FAINT : INK
        shown = name[i].(kind[i] eq "only-if" ? " *" : "")
        set label TAG "".(strlen(shown) > 58 ? shown[1:55]."..." : shown) at screen 34.0 / wide, first at_row left font small textcolor rgb tint_
        set label TAG + 1 human(mid[i]) at first high[i] * 1.04, first at_row left font small textcolor rgb tint_
        TAG = TAG + 2; at_row = at_row + 1
    }
    at_row = at_row + 1
}
set label TAG "* only if a condition holds" at screen 16.0 / wide, screen 14.0 / tall left font small textcolor rgb FAINT
# Points of a kind by index, all panels together; what is not there is missing.
index_(x) = int(x + 0.5)
there(i) = i >= 1 && i <= N ? (i - 1) % SHOWN < used[(i - 1) / SHOWN + 1] : 0
word_of(k) = word("upstream coherent only-if", k)
is(x, k) = there(index_(x)) ? kind[index_(x)] eq word_of(k) : 0
set samples N
set style line 1 pt 7 ps 1 lw 2 lc rgb BLUE
set style line 2 pt 7 ps 1 lw 2 lc rgb GREEN
set style line 3 pt 6 ps 1 lw 2 lc rgb 0x808080
plot for [k=1:3] '+' using (is($0 + 1, k) ? mid[index_($0 + 1)] : NaN):(is($0 + 1, k) ? y[index_($0 + 1)] : NaN): \
    (is($0 + 1, k) ? low[index_($0 + 1)] : NaN):(is($0 + 1, k) ? high[index_($0 + 1)] : NaN) with xerrorbars ls k notitle
set output
