# Curves of one metric by footprint, both logarithmic; curves.gp and pause.gp say
# which (METRIC), and how it is called: LEAST of the best, SHIPPED of what Linux
# does, MEANS of what it is.

rows = "rows.csv"
AT_TOUCHED = 0.1

# --- the rows: which panels there are, and what stands in them ----------------

mine(z) = strcol("metric") eq METRIC
backing(z) = has("backing") ? strcol("backing") : "-"
touched(z) = has("touched") ? strcol("touched") : "-"
machines = ""; backings = ""; footprints = ""; strategies = ""; shares = ""
kernel = ""; draws = 0
note(z) = (place(machines, strcol("machine")) == 0 ? machines = machines." ".strcol("machine") : 0, \
           place(backings, backing(0)) == 0 ? backings = backings." ".backing(0) : 0, \
           place(shares, touched(0)) == 0 ? shares = shares." ".touched(0) : 0, \
           place(footprints, strcol("footprint")) == 0 ? footprints = footprints." ".strcol("footprint") : 0, \
           place(strategies, strcol("strategy")) == 0 ? strategies = strategies." ".strcol("strategy") : 0, \
           kernel = strcol("kernel"), draws = column("n"), 0)
stats rows using (mine(0) ? note(0) : 0) nooutput
M = words(machines); B = words(backings); S = words(strategies); F = words(footprints)

share = word(shares, 1)
do for [i=1:words(shares)] {
    if (abs(real(word(shares, i)) - AT_TOUCHED) < abs(real(share) - AT_TOUCHED)) { share = word(shares, i) }
}

cell(z) = (((place(machines, strcol("machine")) - 1) * B + place(backings, backing(0)) - 1) * S \
        + place(strategies, strcol("strategy")) - 1) * F + place(footprints, strcol("footprint"))
N = M * B * S * F
array mid[N]; array low[N]; array high[N]
array stale[S]; array leans[S]; array paper[S]; condition = ""
array colour[S]; array band[S]; array dash[S]; array mark[S]
do for [s=1:S] {
    stale[s] = 0; leans[s] = 0; paper[s] = "no"
    k = kind_of(word(strategies, s))
    colour[s] = STRATEGY_COLOUR[k]; band[s] = pale(colour[s]); dash[s] = STRATEGY_DASH[k]; mark[s] = STRATEGY_MARK[k]
}
judge(s, v) = (v eq "stale" ? stale[s] = 1 : 0, v eq "only-if" ? (leans[s] = 1, condition = strcol("condition")) : 0, \
               strcol("hypothetical") ne "no" ? paper[s] = strcol("hypothetical") : 0)
keep(i) = (mid[i] = column("n") > 0 ? column("p50") : column("mode"), \
           low[i] = column("n") > 0 ? column("p10") : mid[i], high[i] = column("n") > 0 ? column("p90") : mid[i], \
           judge(place(strategies, strcol("strategy")), strcol("verdict")), 0)
stats rows using (mine(0) && touched(0) eq share ? keep(cell(0)) : 0) nooutput
at(m, b, s, f) = (((m - 1) * B + b - 1) * S + s - 1) * F + f

# --- the finding --------------------------------------------------------------

# Of two that are equal the one without a condition is better.
beats(v, best, leaning, best_leaning) = abs(v - best) > 1e-3 * best ? v < best : leaning < best_leaning
times_text(x) = x < 10 ? sprintf("%.2g", x) : sprintf("%.0f", x)

shipped = place(strategies, "unmap")
array finding[B]
do for [b=1:B] {
    array won[S]
    do for [s=1:S] { won[s] = 0 }
    least = 1e300; most = 0
    do for [m=1:M] { do for [f=1:F] {
        best = 0
        do for [s=1:S] {
            if (!stale[s] && paper[s] eq "no" && (best == 0 || beats(mid[at(m, b, s, f)], mid[at(m, b, best, f)], leans[s], leans[best]))) { best = s }
        }
        if (best > 0) {
            won[best] = won[best] + 1
            if (shipped > 0) {
                ratio = mid[at(m, b, shipped, f)] / mid[at(m, b, best, f)]
                least = ratio < least ? ratio : least
                most = ratio > most ? ratio : most
            }
        }
    } }
    best = 1
    do for [s=1:S] { if (won[s] > won[best]) { best = s } }
    finding[b] = won[best] == 0 ? "no strategy that exists there is sound" : \
        word(strategies, best).(leans[best] ? " (only-if)" : "")." ".LEAST." " \
        .(won[best] == M * F ? "at every size" : sprintf("in %d of %d cases", won[best], M * F)) \
        .(shipped == 0 || shipped == best ? "" : sprintf("; %s %s to %s times as %s", SHIPPED, times_text(least), times_text(most), METRIC eq "pause_ns" ? "long" : "much"))
}

left_out = ""
do for [s=1:S] { left_out = left_out.(stale[s] ? (strlen(left_out) ? ", " : "").word(strategies, s) : "") }

# --- the picture --------------------------------------------------------------

# The scale is for what can be had: what needs other hardware may lie below it. Where
# nothing can, it is for all.
lowest = 1e300; highest = 0
can(s) = !stale[s] && paper[s] eq "no"
some = (sum [s=1:S] can(s)) > 0
do for [m=1:M] { do for [b=1:B] { do for [s=1:S] { do for [f=1:F] {
    if (can(s) || !some) {
        v = low[at(m, b, s, f)]
        if (v > 0 && v < lowest) { lowest = v }
        highest = high[at(m, b, s, f)] > highest ? high[at(m, b, s, f)] : highest
    }
} } } }
if (highest == 0) { lowest = 1; highest = 10 }
decade_low = log10(lowest) - 0.4; decade_high = log10(highest) + 0.1

panel_wide = 350; panel_tall = 300; head_px = 62 + 24 * B + (condition ne "" || left_out ne "") * 18; names_px = 150
wide = 76 + M * (panel_wide + names_px); tall = head_px + B * (panel_tall + 74) + 12
eval terminal_at(wide, tall)
set output out
set multiplot
sx(px) = px / (1.0 * wide)
sy(px) = 1 - px / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,16" : "DejaVu Sans,12"
plain = format eq "svg" ? "DejaVu Sans,13" : "DejaVu Sans,10"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"

do for [b=1:B] {
    line = (backings eq " -" ? "" : leaf_text(word(backings, b)).": ").finding[b]
    set label b line at screen sx(16), screen sy(22 + 24 * (b - 1)) left font big textcolor rgb INK
}
y = 24 * B + 16
line = (share eq "-" ? "" : sprintf("%g %% of the footprint touched again after the reboot. ", real(share) * 100)) \
    .MEANS.sprintf(" Kernel %s.", kernel)
set label 10 line at screen sx(16), screen sy(y) left font small textcolor rgb FAINT
line = (draws > 0 ? sprintf("Lines: median of %d draws of the machine's costs; bands: p10 to p90, their uncertainty and no run-to-run noise.", draws) \
    : "Lines: every cost at its mode.").sprintf(" Figures: at %s.", size_text(real(word(footprints, F))))
set label 11 line at screen sx(16), screen sy(y + 18) left font small textcolor rgb FAINT
line = (left_out eq "" ? "" : "Left out, for the guest may read stale bytes: ".left_out.". ") \
    .(condition eq "" ? "" : "only-if: sound if ".condition.".")
if (line ne "") {
    set label 12 line at screen sx(16), screen sy(y + 36) left font small textcolor rgb FAINT
}

first_x = real(word(footprints, 1)); last_x = real(word(footprints, F))
set logscale x 2
set logscale y 10
set xrange [first_x / 1.05 : last_x * 1.05]
set yrange [10**decade_low : 10**decade_high]
set xtics () font small
do for [f=1:F:3] { set xtics add (size_text(real(word(footprints, f))) real(word(footprints, f))) }
set mxtics 1
set grid ytics lc rgb 0xe8e8e8 lw 0.6

# How high a value stands in its panel, in pixels.
height(v) = (log10(v) - decade_low) / (decade_high - decade_low) * panel_tall
name_gap = 15

do for [b=1:B] { do for [m=1:M] {
    left_px = 76 + (m - 1) * (panel_wide + names_px)
    top = head_px + (b - 1) * (panel_tall + 74) + 26
    set lmargin at screen sx(left_px)
    set rmargin at screen sx(left_px + panel_wide)
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + panel_tall)
    set title (backings eq " -" ? "" : leaf_text(word(backings, b))." on ").word(machines, m) \
        font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
    set ytics () font small
    do for [d=int(ceil(decade_low)):int(floor(decade_high))] { set ytics add ((m == 1 ? decade_text(d) : "") 10.0**d) }
    if (b == B) {
        set label 20 "footprint: memory in use, and mapped, at the reboot" at screen sx(left_px + panel_wide / 2.0), \
            screen sy(top + panel_tall + 48) center font small textcolor rgb FAINT
    }

    # The names at the line ends, pushed apart.
    array y_name[S]; below = 0
    do for [s=1:S] {
        v = mid[at(m, b, s, F)]
        y_name[s] = stale[s] ? -1000 * s : v < 10**decade_low ? -1000 * s : height(v)
    }
    do for [round=1:80] { do for [s=1:S] { do for [other=1:S] {
        if (s != other && y_name[s] > -500 && y_name[other] > -500 && abs(y_name[s] - y_name[other]) < name_gap) {
            push = (name_gap - abs(y_name[s] - y_name[other])) / 2.0 + 0.1
            up = y_name[s] > y_name[other] || (y_name[s] == y_name[other] && s > other)
            y_name[s] = y_name[s] + (up ? push : -push)
            y_name[other] = y_name[other] + (up ? -push : push)
        }
    } } }
    l = 100
    do for [s=1:S] {
        who = word(strategies, s).(leans[s] ? " (only-if)" : "")
        worth = mid[at(m, b, s, F)]
        if (y_name[s] > -500) {
            set label l who."  ".human(worth) at screen sx(left_px + panel_wide + 8), screen sy(top + panel_tall - y_name[s]) \
                left font small textcolor rgb colour[s] front
            if (paper[s] ne "no") {
                set label l who.", ".paper[s].", ".human(worth) at screen sx(left_px + 10), \
                    screen sy(top + panel_tall - y_name[s] - 12) left font small textcolor rgb colour[s] front
            }
        } else { if (!stale[s]) {
            set label l "▼ ".who.", ".paper[s].": ".(worth > 0 ? human(worth) : "none") at screen sx(left_px + 10), \
                screen sy(top + panel_tall - 12 - 16 * below) left font small textcolor rgb colour[s] front
            below = below + 1
        } }
        l = l + 1
    }

    set print $CURVES
    do for [s=1:S] {
        do for [f=1:F] {
            i = at(m, b, s, f)
            print sprintf("%s,%.10g,%.10g,%.10g", word(footprints, f), low[i], mid[i], high[i])
        }
        print ""
        print ""
    }
    unset print
    set datafile nocolumnheaders
    plot for [s=1:S] $CURVES index (s - 1) using 1:(stale[s] || draws == 0 ? NaN : $2):4 \
            with filledcurves lc rgb band[s] fs transparent solid 0.6 noborder, \
         for [s=1:S] $CURVES index (s - 1) using 1:(stale[s] ? NaN : $3) \
            with linespoints lc rgb colour[s] \
            dt dash[s] pt mark[s] ps 0.45 lw 1.8
    set datafile columnheaders
    do for [i=1:B] { unset label i }
    unset label 10; unset label 11; unset label 12; unset label 20
    do for [i=100:l] { unset label i }
} }
unset multiplot
set output
