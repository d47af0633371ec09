# Break-even: what each strategy costs along an axis, with bands, and where two
# cross; one panel a case.
#
# A column `decides` in breakeven.csv says which crossings to mark (all, without it): memos
# mark those that change which strategy is cheapest, and those of the strategies that they compare.
#
#! output breakeven
#! table breakeven-curves.csv

crossings = "breakeven.csv"
cases = 0; array case_name[64]; metric = ""; axis_ = ""; unit_ = ""; names = ""; least_x = 1e300; most_x = -1e300; drawn = 0
array least_y[64]; array most_y[64]; array found[64]
find_case(s) = (f_ = 0, sum [k_=1:cases] (case_name[k_] eq s ? (f_ = k_) : 0), f_)
# The median of the draws lies in their band, what all modes give need not.
mid_of(z) = strlen(strcol("p50")) ? column("p50") : column("mode")
at_of(z) = strlen(strcol("p50")) ? column("p50") : column("at")
low_of(z) = strlen(strcol("p10")) ? column("p10") : column("mode")
# Of a line's last cell gnuplot tells nothing where it is empty.
high_of(z) = strlen(strcol("p10")) ? column("p90") : column("mode")
note(z) = (metric = strcol("metric"), axis_ = strcol("axis"), unit_ = strcol("unit"), drawn = drawn + strlen(strcol("p10")), \
    find_case(strcol("case")) == 0 && cases < 64 ? (cases = cases + 1, case_name[cases] = strcol("case"), least_y[cases] = 1e300, most_y[cases] = 0, found[cases] = 0) : 0, \
    place(names, strcol("strategy")) == 0 ? names = names." ".strcol("strategy") : 0, \
    least_x = column("x") < least_x ? column("x") : least_x, most_x = column("x") > most_x ? column("x") : most_x, \
    c_ = find_case(strcol("case")), \
    least_y[c_] = low_of(0) > 0 && low_of(0) < least_y[c_] ? low_of(0) : least_y[c_], \
    most_y[c_] = high_of(0) > most_y[c_] ? high_of(0) : most_y[c_], 0)
stats table using (note(0)) nooutput
all_ = cases
if (cases > 6) { cases = 6 }
S = words(names)

# No rows: there was nothing to compare.
if (cases == 0) {
    eval terminal_at(1000, 120)
    set output out
    unset border; unset xtics; unset ytics
    set xrange [0:1]; set yrange [0:1]
    set label 1 "No two strategies are coherent and exist on this machine" at screen 0.02, screen 0.5 left \
        font (format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13") textcolor rgb INK
    plot NaN notitle
    set output
    exit
}

# Crossings, and what there is to say where there is none.
HEADS = ""
note_head(i) = (HEADS = HEADS." ".columnhead(i), 0)
stats crossings every ::0::0 using (sum [i_=1:48] note_head(i_), 0) nooutput
decides = place(HEADS, "decides") > 0
marked(z) = decides ? strcol("decides") eq "yes" : 1
crossed = 0; array cross_case[200]; array cross_at[200]; array cross_low[200]; array cross_high[200]; array cross_pair[200]; array cross_y[200]
pairs = 0; open_ = 0; array open_text[64]
do for [c=1:64] { open_text[c] = "" }
take(c) = c == 0 || c > cases ? 0 : (pairs = pairs + 1, \
    strcol("status") eq "crossing" && marked(0) && strlen(strcol("at").strcol("p50")) && crossed < 200 ? (crossed = crossed + 1, cross_case[crossed] = c, \
        cross_at[crossed] = at_of(0), cross_low[crossed] = strlen(strcol("p10")) ? column("p10") : NaN, cross_high[crossed] = strlen(strcol("p90")) ? column("p90") : NaN, \
        cross_pair[crossed] = strcol("a")." and ".strcol("b"), cross_y[crossed] = NaN, found[c] = found[c] + 1) : 0, \
    strcol("status") eq "undecided" && marked(0) ? (open_ = open_ + 1, open_text[c] = open_text[c].(open_text[c] eq "" ? "" : "; ").strcol("a")." and ".strcol("b")) : 0, 0)
stats crossings using (take(find_case(strcol("case")))) nooutput

# The height of each crossing, from the curve of the first of the two.
first_of(s) = word(s, 1)
last_x = NaN; last_y = NaN; last_key = ""
height(k) = (key_ = strcol("case")."|".strcol("strategy"), \
    key_ eq last_key && strcol("case") eq case_name[cross_case[k]] && strcol("strategy") eq first_of(cross_pair[k]) && last_x <= cross_at[k] && column("x") >= cross_at[k] \
        ? cross_y[k] = last_y + (mid_of(0) - last_y) * (cross_at[k] - last_x) / (column("x") - last_x) : 0, \
    last_key = key_, last_x = column("x"), last_y = mid_of(0), 0)
do for [k=1:crossed] { stats table using (height(k)) nooutput }

x_text(v) = unit_ eq "bytes" ? size_near(v) : axis_ eq "touched" || unit_ eq "ratio" ? sprintf("%.3g %%", 100 * v) : unit_ eq "ns" ? human(v) : sprintf("%.3g", v)
size_near(b) = b >= 2**40 ? sprintf("%.3g TiB", b / 2**40) : b >= 2**30 ? sprintf("%.3g GiB", b / 2**30) : sprintf("%.3g MiB", b / 2**20)
mark_text(k) = sprintf("%s at %s", cross_pair[k], x_text(cross_at[k]))
finding = decides && crossed == 0 && open_ > 0 ? sprintf("Who is cheapest along %s is undecided in part", axis_) : \
    decides && crossed == 0 ? sprintf("The cheapest strategy stays the same along %s", axis_) : \
    decides && crossed < 4 ? "Break-even along ".axis_.": ".mark_text(1).(crossed > 1 ? "; ".mark_text(2) : "").(crossed > 2 ? "; ".mark_text(3) : "") : \
    decides ? sprintf("%d break-even points along %s decide", crossed, axis_) : crossed == 0 ? sprintf("No two strategies cross along %s", axis_).(open_ > 0 ? sprintf("; %d of %d pairs %s undecided", open_, pairs, open_ == 1 ? "is" : "are") : "") : \
    crossed == 1 ? sprintf("%s break even at %s = %s", cross_pair[1], axis_, x_text(cross_at[1])) : \
    sprintf("%d of %d pairs of strategies cross along %s", crossed, pairs, axis_).(open_ > 0 ? sprintf(", %d %s undecided", open_, open_ == 1 ? "is" : "are") : "")

# Where each line ends, by case and strategy; names that would overlap are
# pushed apart.
array ends[6 * S]; array ends_at[6 * S]
do for [i=1:6*S] { ends[i] = NaN }
put_end(c, s) = c == 0 || c > cases || s == 0 || column("x") < most_x * 0.99999 ? 0 : (ends[(c - 1) * S + s] = mid_of(0), 0)
stats table using (put_end(find_case(strcol("case")), place(names, strcol("strategy")))) nooutput
do for [c=1:cases] {
    room = log(most_y[c] * 1.5 / (least_y[c] / 1.3)) * 0.05
    do for [s=1:S] { i = (c - 1) * S + s; ends_at[i] = ends[i] > 0 ? log(ends[i]) : -1e9 - s }
    do for [pass=1:40] { do for [s=1:S] { do for [t=1:S] {
        i = (c - 1) * S + s; j = (c - 1) * S + t
        if (s != t && ends_at[i] > -1e8 && ends_at[j] > -1e8) {
            above_ = ends_at[i] > ends_at[j] || (ends_at[i] == ends_at[j] && s > t)
            if (above_ && ends_at[i] - ends_at[j] < room) {
                push = (room - (ends_at[i] - ends_at[j])) / 2 + 1e-6
                ends_at[i] = ends_at[i] + push
                ends_at[j] = ends_at[j] - push
            }
        }
    } } }
}

wide = 1000; head_px = 72; panel_h = 400; tall = head_px + cases * panel_h
eval terminal_at(wide, tall)
set border 3
set output out
set multiplot
px(x) = x / (1.0 * wide)
py(y) = 1 - y / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"
set label 1 finding at screen px(16), screen py(22) left font big textcolor rgb INK
set label 2 ("By ".metric.". ").(drawn > 0 ? "Lines: medians. Bands: p10 to p90 of the machine's costs. Draws are shared, so a crossing is surer than bands look." : "Lines: every cost at its mode.") \
    .(all_ > cases ? sprintf(" First %d of %d situations.", cases, all_) : "") \
    at screen px(16), screen py(46) left font small textcolor rgb FAINT
log_x = unit_ eq "bytes" && least_x > 0
if (log_x) { set logscale x 2 }
set logscale y
set xrange [log_x ? least_x * 0.9999 : least_x : log_x ? most_x * (most_x / least_x)**0.36 : most_x + 0.36 * (most_x - least_x)]
do for [c=1:cases] {
    y0 = head_px + (c - 1) * panel_h + 26
    set tmargin at screen py(y0); set bmargin at screen py(y0 + panel_h - 86)
    set lmargin at screen px(86); set rmargin at screen px(wide - 20)
    floor_ = least_y[c] / 1.3; ceil_ = most_y[c] * 1.5
    set yrange [floor_ : ceil_]
    set title case_name[c] font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.6
    set xlabel (axis_.(open_text[c] eq "" ? "" : "        undecided: ".open_text[c])) font small textcolor rgb FAINT offset 0, 0.4
    unset xtics; set xtics nomirror font small
    if (log_x) {
        set xtics ()
        do for [e=20:44] { if (2**e >= least_x * 0.999 && 2**e <= most_x * 1.001) { set xtics add (size_text(2**e) 2**e) } }
    } else {
        if (axis_ eq "touched" || unit_ eq "ratio") {
            set xtics ()
            span = most_x - least_x
            step_ = span <= 0.55 ? 0.1 : span <= 1.2 ? 0.2 : span <= 12 ? 1 : 10
            do for [i=0:100] { if (i * step_ >= least_x - 1e-9 && i * step_ <= most_x + 1e-9) { set xtics add (sprintf("%.0f %%%%", 100 * i * step_) i * step_) } }
        }
    }
    unset ytics; set ytics nomirror () font small
    do for [e=0:14] { do for [m in "1 3"] {
        v = m * 10.0**e
        if (v > floor_ && v < ceil_) { set ytics add (human(v) v) }
    } }
    l = 1000
    do for [k=1:crossed] {
        if (cross_case[k] == c) {
            set arrow l from cross_at[k], floor_ to cross_at[k], cross_y[k] nohead lw 0.8 dt 3 lc rgb INK
            set label l "" at cross_at[k], cross_y[k] point pt 7 ps 1.3 lc rgb INK front
            bar = floor_ * (ceil_ / floor_)**(0.03 + 0.055 * ((l - 1000) / 2))
            if (cross_low[k] == cross_low[k]) {
                set arrow l + 1 from cross_low[k], bar to cross_high[k], bar heads size screen 0.003, 90 lw 1.5 lc rgb INK front
            }
            set label l + 1 sprintf("%s: %s", cross_pair[k], x_text(cross_at[k])).(cross_low[k] == cross_low[k] ? sprintf(" (%s to %s)", x_text(cross_low[k]), x_text(cross_high[k])) : "") \
                at (cross_high[k] == cross_high[k] ? cross_high[k] : cross_at[k]), bar left offset 0.8, 0 font small textcolor rgb INK front
            if ((cross_high[k] == cross_high[k] ? cross_high[k] : cross_at[k]) > (log_x ? least_x * (most_x / least_x)**0.7 : least_x + 0.7 * (most_x - least_x))) {
                set label l + 1 at (cross_low[k] == cross_low[k] ? cross_low[k] : cross_at[k]), bar right offset -0.8, 0
            }
            l = l + 2
        }
    }
    band(s, v) = strcol("case") eq case_name[c] && strcol("strategy") eq word(names, s) && v > 0 ? v : NaN
    do for [s=1:S] {
        if (ends_at[(c - 1) * S + s] > -1e8) {
            set label 2000 + s word(names, s) at most_x, exp(ends_at[(c - 1) * S + s]) left offset 0.7, 0 font small textcolor rgb STRATEGY_COLOUR[kind_of(word(names, s))]
        }
    }
    if (drawn > 0) {
        plot for [s=1:S] table using (column("x")):(band(s, column("p10"))):(band(s, column("p90"))) with filledcurves fc rgb STRATEGY_COLOUR[kind_of(word(names, s))] fs transparent solid 0.18 noborder notitle, \
            for [s=1:S] table using (column("x")):(band(s, mid_of(0))) with lines lw 2 dt STRATEGY_DASH[kind_of(word(names, s))] lc rgb STRATEGY_COLOUR[kind_of(word(names, s))] notitle
    } else {
        plot for [s=1:S] table using (column("x")):(band(s, mid_of(0))) with lines lw 2 dt STRATEGY_DASH[kind_of(word(names, s))] lc rgb STRATEGY_COLOUR[kind_of(word(names, s))] notitle
    }
    do for [i=1000:l] { unset arrow i; unset label i }
    do for [s=1:S] { i = 2000 + s; unset label i }
    if (c == 1) { unset label 1; unset label 2 }
}
unset multiplot
set output
