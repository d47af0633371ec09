# Winner map: the cheapest coherent strategy over two axes, one panel a case.
#
#! output map
#! table map.csv

array SX[40]; array SY[40]
cases = 0; array case_name[64]; last_case = ""
xs = 0; ys = 0; xkey = ""; ykey = ""; draws = 0; metric = ""; wins = ""; leans = ""
find_x(v) = (f_ = 0, sum [k_=1:xs] (SX[k_] eq v ? (f_ = k_) : 0), f_)
find_y(v) = (f_ = 0, sum [k_=1:ys] (SY[k_] eq v ? (f_ = k_) : 0), f_)
find_case(s) = (f_ = 0, sum [k_=1:cases] (case_name[k_] eq s ? (f_ = k_) : 0), f_)
note(z) = (xkey = strcol("x_key"), ykey = strcol("y_key"), draws = column("n"), metric = strcol("metric"), \
    find_case(strcol("case")) == 0 && cases < 64 ? (cases = cases + 1, case_name[cases] = strcol("case")) : 0, \
    find_x(strcol("x")) == 0 && xs < 40 ? (xs = xs + 1, SX[xs] = strcol("x")) : 0, \
    find_y(strcol("y")) == 0 && ys < 40 ? (ys = ys + 1, SY[ys] = strcol("y")) : 0, \
    strlen(strcol("winner")) && place(wins, strcol("winner")) == 0 ? wins = wins." ".strcol("winner") : 0, \
    strlen(strcol("condition")) ? leans = strcol("condition") : 0, 0)
stats table using (note(0)) nooutput
all_ = cases
if (cases > 12) { cases = 12 }

N = cases * xs * ys
array who[N]; array letter[N]; array decided[N]; array margin[N]; array only[N]
cell(z) = (c_ = find_case(strcol("case")), c_ == 0 ? 0 : ((c_ - 1) * ys + find_y(strcol("y")) - 1) * xs + find_x(strcol("x")))
fill(i) = i == 0 ? 0 : (who[i] = strcol("winner"), letter[i] = strcol("letter"), decided[i] = strcol("decided") eq "yes", \
    margin[i] = strlen(strcol("margin_log2")) ? column("margin_log2") : 1, only[i] = strcol("verdict") eq "only-if", 0)
stats table using (fill(cell(0))) nooutput

# --- the finding ---------------------------------------------------------------

W = words(wins); array won[W > 0 ? W : 1]; array lean[W > 0 ? W : 1]; array code[W > 0 ? W : 1]
do for [w=1:W] { won[w] = 0; lean[w] = 0 }
open_ = 0
do for [i=1:N] {
    open_ = open_ + !decided[i]
    w = place(wins, who[i])
    if (w > 0) { won[w] = won[w] + 1; lean[w] = lean[w] + only[i]; code[w] = letter[i] }
}
best = W > 0 ? 1 : 0
do for [w=1:W] { best = won[w] > won[best] ? w : best }
finding = W == 0 ? "No coherent strategy exists on these machines" : \
    sprintf("%s costs least in %.0f %% of the cells%s", word(wins, best), 100.0 * won[best] / N, \
            lean[best] == won[best] ? ", if its condition holds" : lean[best] > 0 ? ", in part only if its condition holds" : "") \
    .(open_ > 0 ? sprintf("; %.0f %% have no clear winner", 100.0 * open_ / N) : "; every cell has a clear winner")
if (draws == 0) { finding = W == 0 ? finding : sprintf("%s costs least in %.0f %% of the cells, at the modes", word(wins, best), 100.0 * won[best] / N) }

# --- the picture ---------------------------------------------------------------

columns_ = cases < 2 ? 1 : cases < 7 ? 2 : 3
rows_ = (cases + columns_ - 1) / columns_
cell_w = xs <= 8 ? 52 : xs <= 14 ? 40 : 28
cell_h = ys <= 14 ? 26 : 20
left_px = 92; panel_w = left_px + xs * cell_w + 24
named_px = 0; do for [c=1:cases] { named_px = strlen(case_name[c]) * 6.8 + 24 > named_px ? strlen(case_name[c]) * 6.8 + 24 : named_px }
panel_w = named_px > panel_w ? named_px : panel_w; panel_h = ys * cell_h + 92
head_px = leans eq "" ? 84 : 102; foot_px = 30 + 24 * ((W + 1) / 2)
wide = columns_ * panel_w; wide = wide < 980 ? 980 : wide
tall = head_px + rows_ * panel_h + foot_px
eval terminal_at(wide, tall)
set output out
set multiplot

px(x) = x / (1.0 * wide)
py(y) = 1 - y / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,17" : "DejaVu Sans,13"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"
tick(key, v) = key eq "footprint" || key eq "chunk" ? size_text(v + 0.0) : key eq "touched" || key eq "dirty" ? sprintf("%g %%%%", 100 * v) : sprintf("%s", v)
shade(c, m) = m >= 1 ? c : m >= 0.32 ? half(c) : pale(c)
half_(v) = (v & 255) / 2 + 127
half(c) = (half_(c >> 16) << 16) + (half_(c >> 8) << 8) + half_(c)
ink(c, m) = m >= 1 && (c == BLUE || c == INK || c == RED || c == GREEN || c == 0x808080) ? 0xffffff : INK

set label 1 finding at screen px(16), screen py(22) left font big textcolor rgb INK
set label 2 sprintf("By %s, among coherent strategies that the machine has. Dark: the runner-up costs twice as much or more; pale: under 1.25 times.", metric) \
    at screen px(16), screen py(46) left font small textcolor rgb FAINT
set label 3 (draws > 0 ? sprintf("Hatched: cheapest in under 80 %% of %d draws of the machine's costs. Same draws for all strategies.", draws) : "Every cost at its mode.") \
    .(all_ > cases ? sprintf(" The first %d of %d situations.", cases, all_) : "") \
    at screen px(16), screen py(64) left font small textcolor rgb FAINT
if (leans ne "") {
    set label 4 "*  only if ".leans."." at screen px(16), screen py(82) left font small textcolor rgb FAINT
}
do for [w=1:W] {
    kx = 16 + ((w - 1) % 2) * wide / 2; ky = tall - foot_px + 22 + ((w - 1) / 2) * 24
    colour = STRATEGY_COLOUR[kind_of(word(wins, w))]
    set object w rectangle from screen px(kx), screen py(ky - 9) to screen px(kx + 20), screen py(ky + 9) fc rgb colour fs solid 1 border rgb INK lw 0.5
    set label 10 + w code[w] at screen px(kx + 10), screen py(ky) center font small textcolor rgb ink(colour, 1) front
    set label 30 + w sprintf("%s, cheapest in %d of %d cells", word(wins, w), won[w], N) at screen px(kx + 28), screen py(ky) left font small textcolor rgb INK
}

set xrange [0.5 : xs + 0.5]
set yrange [0.5 : ys + 0.5]
set tics scale 0
set border 0
do for [c=1:cases] {
    x0 = ((c - 1) % columns_) * panel_w + left_px
    y0 = head_px + ((c - 1) / columns_) * panel_h + 34
    set lmargin at screen px(x0); set rmargin at screen px(x0 + xs * cell_w)
    set tmargin at screen py(y0); set bmargin at screen py(y0 + ys * cell_h)
    set title case_name[c] font small textcolor rgb INK offset 0, -0.6
    unset xtics; unset ytics
    set xtics () font small; set ytics () font small
    do for [x=1:xs] { if (xs <= 8 || x % 2 == 1) { set xtics add (tick(xkey, SX[x]) x) } }
    do for [y=1:ys] { if (ys <= 20 || y % 2 == 1) { set ytics add (tick(ykey, SY[y]) y) } }
    set xlabel xkey font small textcolor rgb FAINT offset 0, 0.6
    set ylabel ykey font small textcolor rgb FAINT
    o = 1000; l = 1000
    do for [y=1:ys] { do for [x=1:xs] {
        i = ((c - 1) * ys + y - 1) * xs + x
        colour = strlen(who[i]) ? STRATEGY_COLOUR[kind_of(who[i])] : 0xffffff
        body = decided[i] ? shade(colour, margin[i]) : pale(colour)
        set object o rectangle from x - 0.5, y - 0.5 to x + 0.5, y + 0.5 fc rgb body fs solid 1 border rgb 0xffffff lw 0.8
        o = o + 1
        if (!decided[i]) {
            set object o rectangle from x - 0.47, y - 0.47 to x + 0.47, y + 0.47 fc rgb 0x555555 fs transparent pattern 4 noborder
            o = o + 1
        }
        set label l letter[i].(only[i] ? "*" : "") at x, y center font small textcolor rgb (decided[i] ? ink(colour, margin[i]) : INK) front
        l = l + 1
    } }
    plot NaN notitle
    do for [i=1000:o] { unset object i }
    do for [i=1000:l] { unset label i }
    if (c == 1) {
        do for [i=1:4] { unset label i }
        do for [w=1:W] { unset object w; unset label 10 + w; unset label 30 + w }
    }
}
unset multiplot
set output
