# Many workloads side by side: added boot time by strategy, a row of dots for each
# workload, one panel for each machine. The time is logarithmic.
#
#! output cases
#! axis machine 1 3
#! axis workload 4 32
#! axis backing 0 3
#! axis strategy 2 12
#! metric added_boot_ns

rows = "rows.csv"

# --- the rows -----------------------------------------------------------------

mine(z) = strcol("metric") eq "added_boot_ns"
backing(z) = has("backing") && strcol("backing") ne "as-recorded" ? " on ".leaf_text(strcol("backing")) : ""
# A case is a workload and its backing; its place counts cases and not words.
array case_name[128]; cases = 0
find_case(s) = (f_ = 0, sum [i_=1:cases] (case_name[i_] eq s ? (f_ = i_) : 0), f_)
case_of(z) = strcol("workload").backing(0)
machines = ""; strategies = ""; kernel = ""; draws = 0
note(z) = (place(machines, strcol("machine")) == 0 ? machines = machines." ".strcol("machine") : 0, \
           find_case(case_of(0)) == 0 && cases < 128 ? (cases = cases + 1, case_name[cases] = case_of(0)) : 0, \
           place(strategies, strcol("strategy")) == 0 ? strategies = strategies." ".strcol("strategy") : 0, \
           kernel = strcol("kernel"), draws = column("n"), 0)
stats rows using (mine(0) ? note(0) : 0) nooutput
M = words(machines); S = words(strategies); C = cases

at(m, c, s) = ((m - 1) * C + c - 1) * S + s
N = M * C * S
array mid[N]; array low[N]; array high[N]; array state[N]; array paper[N]; condition = ""
do for [i=1:N] { mid[i] = 0; state[i] = "" }
keep(i) = (mid[i] = column("n") > 0 ? column("p50") : column("mode"), \
           low[i] = column("n") > 0 ? column("p10") : mid[i], high[i] = column("n") > 0 ? column("p90") : mid[i], \
           state[i] = strcol("verdict"), state[i] eq "only-if" ? condition = strcol("condition") : 0, \
           paper[i] = strcol("hypothetical") ne "no", 0)
stats rows using (mine(0) ? keep(at(place(machines, strcol("machine")), find_case(case_of(0)), place(strategies, strcol("strategy")))) : 0) nooutput

# A recorded boot on large pages is the same on large pages: such a case is not
# drawn twice. What is drawn, in order:
array kept[C]; K = 0
do for [c=1:C] {
    same = 0
    do for [k=1:K] {
        if (word(case_name[kept[k]], 1) eq word(case_name[c], 1)) {
            same = same || (sum [m=1:M] sum [s=1:S] (mid[at(m, c, s)] != mid[at(m, kept[k], s)])) == 0
        }
    }
    if (!same) { K = K + 1; kept[K] = c }
}

# --- the finding --------------------------------------------------------------

shipped = place(strategies, "unmap")
array won[S]; least = 1e300; most = 0; judged = 0; leaning = 0; ties = 0
do for [s=1:S] { won[s] = 0 }
sound(i) = state[i] ne "" && state[i] ne "stale" && !paper[i]
do for [m=1:M] { do for [k=1:K] {
    best = 0; near = 0; c = kept[k]
    do for [s=1:S] {
        if (sound(at(m, c, s)) && (best == 0 || mid[at(m, c, s)] < mid[at(m, c, best)])) { best = s }
    }
    do for [s=1:S] { near = near + (best > 0 && sound(at(m, c, s)) && mid[at(m, c, s)] <= 1.01 * mid[at(m, c, best)]) }
    judged = judged + (best > 0)
    if (near > 1) { ties = ties + 1 }
    if (best > 0) {
        won[best] = won[best] + (near == 1)
        leaning = leaning + (near == 1 && state[at(m, c, best)] eq "only-if")
        ratio = shipped == 0 || mid[at(m, c, best)] <= 0 ? 1 : mid[at(m, c, shipped)] / mid[at(m, c, best)]
        least = ratio < least ? ratio : least
        most = ratio > most ? ratio : most
    }
} }
wins = ""
do for [k=judged:1:-1] { do for [s=1:S] {
    if (won[s] == k) { wins = wins.(strlen(wins) ? ", " : "").word(strategies, s).sprintf(" in %d of %d", won[s], judged) }
} }
finding = judged == 0 ? "No strategy that exists there is sound" : shipped == 0 ? "Least is added by ".wins : \
    sprintf("What Linux ships (unmap) adds %.2g to %.2g times what the cheapest strategy does", least, most)

# --- the picture --------------------------------------------------------------

lowest = 1e300; highest = 0
do for [i=1:N] { if (state[i] ne "" && state[i] ne "stale" && !paper[i]) {
    lowest = low[i] > 0 && low[i] < lowest ? low[i] : lowest
    highest = high[i] > highest ? high[i] : highest
} }
if (highest <= 0) { lowest = 1e3; highest = 1e6 }

row_tall = 26; panel_wide = M == 1 ? 720 : 470; head_px = 122; foot_px = 92; name_px = 250
wide = name_px + M * (panel_wide + 40); tall = head_px + K * row_tall + foot_px
eval terminal_at(wide, tall)
set output out
set multiplot
sx(px) = px / (1.0 * wide)
sy(px) = 1 - px / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,16" : "DejaVu Sans,12"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"

set label 1 finding at screen sx(16), screen sy(22) left font big textcolor rgb INK
line = "Least: ".wins.(ties ? sprintf(", a tie in %d", ties) : "").(leaning ? sprintf(" (%d only-if)", leaning) : "").". A tie: within 1 %."
set label 2 line at screen sx(16), screen sy(46) left font small textcolor rgb FAINT
line = sprintf("Added boot time: first re-init call to the end, less the same without maintenance. Kernel %s. ", kernel) \
    .(draws > 0 ? sprintf("Marks: median of %d draws; whiskers: p10 to p90.", draws) : "Every cost at its mode.")
set label 3 line at screen sx(16), screen sy(64) left font small textcolor rgb FAINT
line = "Left out: what may read stale bytes, what the machine lacks".(condition eq "" ? "." : "; only-if: sound if ".condition.".")
set label 4 line at screen sx(16), screen sy(82) left font small textcolor rgb FAINT

# The strategies that are drawn: those that are sound somewhere and exist.
array shown[S]; drawn = 0
do for [s=1:S] {
    shown[s] = 0
    do for [m=1:M] { do for [c=1:C] { i = at(m, c, s); shown[s] = shown[s] || (state[i] ne "" && state[i] ne "stale" && !paper[i]) } }
    drawn = drawn + shown[s]
}
array colour[S]; array mark[S]
step = (wide - 32.0) / (drawn > 0 ? drawn : 1); k = 0
do for [s=1:S] {
    kind = kind_of(word(strategies, s))
    colour[s] = STRATEGY_COLOUR[kind]; mark[s] = STRATEGY_MARK[kind]
    if (shown[s]) {
        line = word(strategies, s)
        set label 10 + s line at screen sx(30 + k * step), screen sy(tall - 22) left font small textcolor rgb colour[s] \
            point pt mark[s] ps 1 lc rgb colour[s] offset 1, 0
        k = k + 1
    }
}
set logscale x 10
set xrange [lowest / 1.5 : highest * 1.5]
set yrange [K + 0.5 : 0.5]
set xtics () font small
do for [d=int(floor(log10(lowest))):int(ceil(log10(highest)))] { set xtics add (decade_text(d) 10.0**d) }
set grid xtics lc rgb 0xe8e8e8 lw 0.6
unset ytics
do for [m=1:M] {
    left_px = name_px + (m - 1) * (panel_wide + 40)
    set lmargin at screen sx(left_px)
    set rmargin at screen sx(left_px + panel_wide)
    set tmargin at screen sy(head_px)
    set bmargin at screen sy(head_px + K * row_tall)
    set title word(machines, m) font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
    if (m == 1) {
        do for [k=1:K] {
            line = case_name[kept[k]]
            set label 100 + k line at screen sx(left_px - 10), screen sy(head_px + (k - 0.5) * row_tall) right font small textcolor rgb INK
        }
    }
    set print $DOTS
    do for [s=1:S] {
        do for [k=1:K] {
            i = at(m, kept[k], s)
            if (shown[s] && state[i] ne "" && state[i] ne "stale" && mid[i] > 0 && !paper[i]) {
                print sprintf("%.10g,%.10g,%.10g,%g", mid[i], low[i], high[i], k + (s - (S + 1) / 2.0) * 0.1)
            } else {
                print "NaN,NaN,NaN,NaN"
            }
        }
        print ""
        print ""
    }
    unset print
    set datafile nocolumnheaders
    plot for [s=1:S] $DOTS index (s - 1) using 1:4:2:3 with xerrorbars lc rgb colour[s] pt mark[s] ps 0.8 lw 1.2
    set datafile columnheaders
    do for [i=1:4] { unset label i }
    do for [s=1:S] { unset label 10 + s }
    do for [k=1:K] { unset label 100 + k }
}
unset multiplot
set output
