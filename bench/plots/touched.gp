# Added boot time by touched share at one footprint, with the crossings of the
# strategies that unmap and eager: one panel for each leaf size and machine.
#
#! output touched
#! axis machine 1 3
#! axis backing 0 3
#! axis touched 3 512
#! axis footprint 0 64
#! axis strategy 2 12
#! metric added_boot_ns

rows = "rows.csv"
AT_FOOTPRINT = 2.0**34
RIVAL = "eager"
UNMAPPING = "unmap-lazy unmap"

# --- the rows -----------------------------------------------------------------

mine(z) = strcol("metric") eq "added_boot_ns"
backing(z) = has("backing") ? strcol("backing") : "-"
footprint(z) = has("footprint") ? strcol("footprint") : "-"
machines = ""; backings = ""; footprints = ""; strategies = ""; shares = ""; kernel = ""; draws = 0
note(z) = (place(machines, strcol("machine")) == 0 ? machines = machines." ".strcol("machine") : 0, \
           place(backings, backing(0)) == 0 ? backings = backings." ".backing(0) : 0, \
           place(shares, strcol("touched")) == 0 ? shares = shares." ".strcol("touched") : 0, \
           place(footprints, footprint(0)) == 0 ? footprints = footprints." ".footprint(0) : 0, \
           place(strategies, strcol("strategy")) == 0 ? strategies = strategies." ".strcol("strategy") : 0, \
           kernel = strcol("kernel"), draws = column("n"), 0)
stats rows using (mine(0) ? note(0) : 0) nooutput
M = words(machines); B = words(backings); S = words(strategies); T = words(shares)
size = word(footprints, 1)
do for [i=1:words(footprints)] {
    if (size ne "-" && abs(log(real(word(footprints, i)) / AT_FOOTPRINT)) < abs(log(real(size) / AT_FOOTPRINT))) { size = word(footprints, i) }
}

at(m, b, s, t) = (((m - 1) * B + b - 1) * S + s - 1) * T + t
array mid[M * B * S * T]; array low[M * B * S * T]; array high[M * B * S * T]
array stale[S]; array leans[S]; array paper[S]; array colour[S]; array band[S]; array dash[S]; array mark[S]; condition = ""; left_out = ""
do for [s=1:S] {
    stale[s] = 0; leans[s] = 0; paper[s] = "no"
    k = kind_of(word(strategies, s))
    colour[s] = STRATEGY_COLOUR[k]; band[s] = pale(colour[s]); dash[s] = STRATEGY_DASH[k]; mark[s] = STRATEGY_MARK[k]
}
judge(s, v) = (v eq "stale" ? stale[s] = 1 : 0, v eq "only-if" ? (leans[s] = 1, condition = strcol("condition")) : 0, \
               strcol("hypothetical") ne "no" ? paper[s] = strcol("hypothetical") : 0)
keep(s) = (i_at = at(place(machines, strcol("machine")), place(backings, backing(0)), s, place(shares, strcol("touched"))), \
           mid[i_at] = column("n") > 0 ? column("p50") : column("mode"), \
           low[i_at] = column("n") > 0 ? column("p10") : mid[i_at], \
           high[i_at] = column("n") > 0 ? column("p90") : mid[i_at], judge(s, strcol("verdict")), 0)
stats rows using (mine(0) && footprint(0) eq size ? keep(place(strategies, strcol("strategy"))) : 0) nooutput
do for [s=1:S] { left_out = left_out.(stale[s] ? (strlen(left_out) ? ", " : "").word(strategies, s) : "") }

# --- the crossings ------------------------------------------------------------

# Where the line through (x0, d0) and (x1, d1) is 0; NaN where it is not between.
zero(x0, d0, x1, d1) = d0 * d1 > 0 || d0 == d1 ? NaN : x0 + (x1 - x0) * d0 / (d0 - d1)
x_of(t) = 100 * real(word(shares, t))
rival = place(strategies, RIVAL)
R = words(UNMAPPING)
array cross[M * B * R]; array cross_low[M * B * R]; array cross_high[M * B * R]; array tells[B]
do for [b=1:B] {
    said = ""
    do for [r=1:R] {
        s = place(strategies, word(UNMAPPING, r)); least = 1e9; most = -1e9; nowhere = 0; wins = 0
        do for [m=1:M] {
            k = ((m - 1) * B + b - 1) * R + r
            cross[k] = NaN; cross_low[k] = NaN; cross_high[k] = NaN
            if (s > 0 && rival > 0) {
                do for [t=2:T] {
                    i = at(m, b, s, t - 1); j = at(m, b, s, t); p = at(m, b, rival, t - 1); q = at(m, b, rival, t)
                    x = zero(x_of(t - 1), mid[i] - mid[p], x_of(t), mid[j] - mid[q])
                    cross[k] = x == x ? x : cross[k]
                    x = zero(x_of(t - 1), high[i] - low[p], x_of(t), high[j] - low[q])
                    cross_low[k] = x == x ? x : cross_low[k]
                    x = zero(x_of(t - 1), low[i] - high[p], x_of(t), low[j] - high[q])
                    cross_high[k] = x == x ? x : cross_high[k]
                }
                if (cross[k] == cross[k]) {
                    least = cross[k] < least ? cross[k] : least
                    most = cross[k] > most ? cross[k] : most
                } else {
                    nowhere = nowhere + 1
                    wins = wins + (mid[at(m, b, s, T)] < mid[at(m, b, rival, T)])
                }
            }
        }
        if (s > 0 && rival > 0) {
            range = sprintf("%.0f", least) eq sprintf("%.0f", most) ? sprintf("%.0f %%", most) : sprintf("%.0f to %.0f %%", least, most)
            than = strlen(said) ? "" : " than ".RIVAL.(leans[rival] ? " (only-if)" : "")
            said = said.(strlen(said) ? "; " : "").word(strategies, s) \
                .(nowhere == 0 ? " adds less".than." up to ".range." touched" : \
                  nowhere == M ? (wins == M ? " adds less".than : wins == 0 ? " adds more".than : " adds less".than." on some machines")." at every share" : \
                  " adds less".than." up to ".range." touched on ".sprintf("%d of %d machines", M - nowhere, M))
        }
    }
    tells[b] = said
}

# --- the picture --------------------------------------------------------------

panel_wide = 350; panel_tall = 270; names_px = 190; gap_tall = 74
head_px = 62 + 24 * B + (condition ne "" || left_out ne "") * 18
wide = 76 + M * (panel_wide + names_px); tall = head_px + B * (panel_tall + gap_tall) + 12
eval terminal_at(wide, tall)
set output out
set multiplot
sx(px) = px / (1.0 * wide)
sy(px) = 1 - px / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,16" : "DejaVu Sans,12"
plain = format eq "svg" ? "DejaVu Sans,13" : "DejaVu Sans,10"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"

do for [b=1:B] {
    line = (backings eq " -" ? "" : leaf_text(word(backings, b)).": ").tells[b]
    set label b line at screen sx(16), screen sy(22 + 24 * (b - 1)) left font big textcolor rgb INK
}
y = 24 * B + 16
line = (size eq "-" ? "" : sprintf("Footprint %s. ", size_text(real(size)))) \
    .sprintf("Added: first re-init call to the end, less the same without maintenance. Kernel %s.", kernel)
set label 10 line at screen sx(16), screen sy(y) left font small textcolor rgb FAINT
line = draws > 0 ? sprintf("Lines: median of %d draws of the machine's costs; bands: p10 to p90. Dots: where the medians cross; whiskers: where the bands overlap.", draws) \
    : "Lines: every cost at its mode. Dots: where they cross."
set label 11 line at screen sx(16), screen sy(y + 18) left font small textcolor rgb FAINT
line = (left_out eq "" ? "" : "Left out, for the guest may read stale bytes: ".left_out.". ") \
    .(condition eq "" ? "" : "only-if: sound if ".condition.".")
if (line ne "") { set label 12 line at screen sx(16), screen sy(y + 36) left font small textcolor rgb FAINT }

set xrange [x_of(1) : x_of(T)]
set xtics font small format "%g %%"
set grid ytics lc rgb 0xe8e8e8 lw 0.6
name_gap = 15

do for [b=1:B] {
    highest = 0
    do for [m=1:M] { do for [s=1:S] { do for [t=1:T] {
        v = high[at(m, b, s, t)]
        highest = !stale[s] && v > highest ? v : highest
    } } }
    scale = highest < 2e6 ? 1e3 : highest < 2e9 ? 1e6 : 1e9
    unit = highest < 2e6 ? "µs" : highest < 2e9 ? "ms" : "s"
    top_value = highest / scale * 1.2 # with room for what is said of the crossings
    set yrange [0 : top_value]
    height(v) = v / scale / top_value * panel_tall
    do for [m=1:M] {
        left_px = 76 + (m - 1) * (panel_wide + names_px)
        top = head_px + (b - 1) * (panel_tall + gap_tall) + 26
        set lmargin at screen sx(left_px)
        set rmargin at screen sx(left_px + panel_wide)
        set tmargin at screen sy(top)
        set bmargin at screen sy(top + panel_tall)
        set title (backings eq " -" ? "" : leaf_text(word(backings, b))." on ").word(machines, m) \
            font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
        if (m == 1) { set ytics autofreq font small format "%g ".unit } else { set ytics autofreq font small format "" }
        if (b == B) {
            set label 20 "share of the footprint that is touched after the reboot" at screen sx(left_px + panel_wide / 2.0), \
                screen sy(top + panel_tall + 48) center font small textcolor rgb FAINT
        }
        array y_name[S]
        do for [s=1:S] { y_name[s] = stale[s] ? -1000 * s : height(mid[at(m, b, s, T)]) }
        do for [round=1:80] { do for [s=1:S] { do for [other=1:S] {
            if (s != other && y_name[s] > -500 && y_name[other] > -500 && abs(y_name[s] - y_name[other]) < name_gap) {
                push = (name_gap - abs(y_name[s] - y_name[other])) / 2.0 + 0.1
                up = y_name[s] > y_name[other] || (y_name[s] == y_name[other] && s > other)
                y_name[s] = y_name[s] + (up ? push : -push)
                y_name[other] = y_name[other] + (up ? -push : push)
            }
        } } }
        l = 100
        do for [s=1:S] { if (!stale[s]) {
            who = word(strategies, s).(leans[s] ? " (only-if)" : "").(paper[s] eq "no" ? "" : ", ".paper[s])
            line = who."  ".human(mid[at(m, b, s, T)])
            set label l line at screen sx(left_px + panel_wide + 8), screen sy(top + panel_tall - y_name[s]) \
                left font small textcolor rgb colour[s] front
            l = l + 1
        } }
        # The crossings: a dot, a hairline down to the axis, a whisker, the figure.
        a = 1; above = 0
        do for [r=1:R] {
            k = ((m - 1) * B + b - 1) * R + r; s = place(strategies, word(UNMAPPING, r))
            if (s > 0 && rival > 0) {
                x = cross[k]
                if (x == x) {
                    t = 2
                    do for [i=2:T] { if (x_of(i) < x) { t = i + 1 } }
                    y0 = mid[at(m, b, rival, t - 1)]; y1 = mid[at(m, b, rival, t)]
                    y = (y0 + (y1 - y0) * (x - x_of(t - 1)) / (x_of(t) - x_of(t - 1))) / scale
                    from = cross_low[k] == cross_low[k] ? cross_low[k] : x_of(1)
                    to = cross_high[k] == cross_high[k] ? cross_high[k] : x_of(T)
                    set arrow a from x, 0 to x, y nohead lw 0.8 lc rgb colour[s] front
                    if (draws > 0) { set arrow a + 1 from from, y to to, y heads size screen 0.003, 90 lw 1.2 lc rgb colour[s] front }
                    a = a + 2
                    set object 50 + r circle at x, y size screen 0.005 fc rgb colour[s] fs solid 1 border rgb 0xffffff front
                    line = word(strategies, s).sprintf(" = ".RIVAL." at %.0f %%", x).(draws > 0 ? sprintf(" (%.0f to %.0f)", from, to) : "")
                } else {
                    line = "no crossing of ".word(strategies, s)." and ".RIVAL
                }
                set label l line at screen sx(left_px + 12), screen sy(top + 14 + 16 * above) left font small textcolor rgb colour[s] front
                above = above + 1
                l = l + 1
            }
        }
        set print $CURVES
        do for [s=1:S] {
            do for [t=1:T] {
                i = at(m, b, s, t)
                print sprintf("%.6g,%.10g,%.10g,%.10g", x_of(t), low[i] / scale, mid[i] / scale, high[i] / scale)
            }
            print ""
            print ""
        }
        unset print
        set datafile nocolumnheaders
        plot for [s=1:S] $CURVES index (s - 1) using 1:(stale[s] || draws == 0 ? NaN : $2):4 \
                with filledcurves lc rgb band[s] fs transparent solid 0.6 noborder, \
             for [s=1:S] $CURVES index (s - 1) using 1:(stale[s] ? NaN : $3) \
                with linespoints lc rgb colour[s] dt dash[s] pt mark[s] ps 0.45 lw 1.8
        set datafile columnheaders
        do for [i=1:B] { unset label i }
        unset label 10; unset label 11; unset label 12; unset label 20
        do for [i=100:l] { unset label i }
        do for [i=1:a] { unset arrow i }
        do for [i=1:R] { unset object 50 + i }
    }
}
unset multiplot
set output
