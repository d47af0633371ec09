# Added boot time by strategy, broken down by cause: one panel for each machine
# and workload.
#
#! output added-boot
#! axis machine 1 3
#! axis workload 1 3
#! axis strategy 2 12
#! metric added_boot_ns
#! metric part_lines_unmap_ns
#! metric part_lines_fault_ns
#! metric part_lines_flush_ns
#! metric part_lines_toggle_ns
#! metric part_tlbi_ns
#! metric part_fault_path_ns
#! metric part_unmap_path_ns
#! metric part_flush_path_ns
#! metric part_icache_ns
#! metric part_refetch_ns
#! metric part_uncached_ns
#! metric part_traps_ns
#! metric part_walks_ns
#! metric part_other_ns
#! metric part_waits_ns

rows = "rows.csv"

# --- the rows: which panels there are, and what stands in them ----------------

machines = ""; workloads = ""; strategies = ""; kernel = ""; study = ""; draws = 0
note(s) = (place(machines, strcol("machine")) == 0 ? machines = machines." ".strcol("machine") : 0, \
           place(workloads, strcol("workload")) == 0 ? workloads = workloads." ".strcol("workload") : 0, \
           place(strategies, strcol("strategy")) == 0 ? strategies = strategies." ".strcol("strategy") : 0, \
           kernel = strcol("kernel"), study = strcol("study"), draws = column("n"), 0)
stats rows using (note(0)) nooutput
M = words(machines); W = words(workloads); S = words(strategies)

# Without draws only the modes are known.
size_of(n) = n > 0 ? column("mean") : column("mode")
cell(z) = ((place(machines, strcol("machine")) - 1) * W + place(workloads, strcol("workload")) - 1) * S \
       + place(strategies, strcol("strategy"))
N = M * W * S
array part[N * PARTS]; array total[N]; array low[N]; array high[N]; array verdict[N]; array paper[N]; leans = ""
do for [i=1:N*PARTS] { part[i] = 0 }
add(g) = g == 0 ? 0 : (at_ = (cell(0) - 1) * PARTS + g, part[at_] = part[at_] + size_of(column("n")))
head(m) = m ne "added_boot_ns" ? 0 : (at_ = cell(0), total[at_] = size_of(column("n")), \
    low[at_] = column("n") > 0 ? column("p10") : NaN, high[at_] = column("n") > 0 ? column("p90") : NaN, \
    verdict[at_] = strcol("verdict"), verdict[at_] eq "only-if" ? leans = strcol("condition") : 0, paper[at_] = strcol("hypothetical"), 0)
stats rows using (add(part_group(strcol("metric"))), head(strcol("metric")), 0) nooutput

# --- the finding --------------------------------------------------------------

sound(i) = verdict[i] ne "stale" && paper[i] eq "no"
shipped = place(strategies, "unmap")
array won[S]; array only[S]
do for [s=1:S] { won[s] = 0; only[s] = 0 }
least = 1e300; most = 0
do for [c=0:M*W-1] {
    best = 0
    do for [s=1:S] {
        if (sound(c * S + s) && (best == 0 || total[c * S + s] < total[c * S + best])) { best = s }
    }
    if (best > 0) {
        won[best] = won[best] + 1
        only[best] = only[best] + (verdict[c * S + best] eq "only-if")
        if (shipped > 0) {
            ratio = total[c * S + shipped] / total[c * S + best]
            least = ratio < least ? ratio : least
            most = ratio > most ? ratio : most
        }
    }
}
kinds = 0; wins = ""; winner = ""
leaning = 0
do for [k=M*W:1:-1] { do for [s=1:S] {
    if (won[s] == k) {
        kinds = kinds + 1
        leaning = leaning + only[s]
        winner = word(strategies, s)
        wins = wins.(kinds > 1 ? ", " : "").winner.sprintf(" in %d of %d", won[s], M * W) \
             .(only[s] > 0 ? (only[s] == won[s] ? " (only-if)" : sprintf(" (%d only-if)", only[s])) : "")
    }
} }
range_text(a, b) = sprintf("%.2g", a) eq sprintf("%.2g", b) ? sprintf("%.2g", a) : sprintf("%.2g to %.2g", a, b)
finding = kinds == 0 ? "No strategy that exists on these machines is sound" : \
    shipped == 0 ? "The cheapest sound strategy".(kinds == 1 ? " is ".winner : ": ".wins) : \
    most < 1.005 ? "What Linux ships (unmap) is the cheapest sound strategy" : \
    sprintf("What Linux ships (unmap) adds %s times what %s does%s", range_text(least, most), \
            kinds == 1 ? winner : leaning > 0 ? "the cheapest strategy" : "the cheapest sound strategy", \
            leaning > 0 ? ", if its condition holds" : "")
detail = (kinds > 1 || leaning > 0) && shipped > 0 ? "Cheapest: ".wins.". " : ""

# --- the picture --------------------------------------------------------------

widest = 0
do for [i=1:N] {
    end_ = high[i] == high[i] && high[i] > total[i] ? high[i] : total[i]
    widest = end_ > widest ? end_ : widest
}
scale = widest < 1e7 ? 1e3 : widest < 1e10 ? 1e6 : 1e9
unit = widest < 1e7 ? "µs" : widest < 1e10 ? "ms" : "s"

bar_px = 26; head_px = 112; foot_px = 84; gap_px = 74
# Room for the longest name of a strategy.
longest = 0
do for [s=1:S] { longest = strlen(word(strategies, s)) > longest ? strlen(word(strategies, s)) : longest }
names_px = 8 * longest + 26 > 130 ? 8 * longest + 26 : 130
wide = names_px + 530 * M; tall = head_px + W * (S * bar_px + gap_px) + foot_px
eval terminal_at(wide, tall)
set output out
set multiplot

sx(px) = px / (1.0 * wide)
sy(px) = 1 - px / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,18" : "DejaVu Sans,14"
plain = format eq "svg" ? "DejaVu Sans,13" : "DejaVu Sans,10"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"

set label 1 finding at screen sx(16), screen sy(24) left font big textcolor rgb INK
set label 2 detail.sprintf("Added boot time: from the first re-init call to the end, less the same without any maintenance. Kernel %s.", kernel) \
    at screen sx(16), screen sy(50) left font small textcolor rgb FAINT
set label 3 draws > 0 ? sprintf("Bars: mean over %d draws of the machine's costs. Whiskers: p10 to p90, the uncertainty of these costs and no run-to-run noise.", draws) \
    : "Bars: every cost at its mode." at screen sx(16), screen sy(68) left font small textcolor rgb FAINT
if (leans ne "") {
    set label 4 "only-if: sound if ".leans."." at screen sx(16), screen sy(86) left font small textcolor rgb FAINT
}

# The key: letter and colour as in the bars, over two lines at the foot.
key_step = (wide - 32) / 4.0
do for [g=1:PARTS] {
    kx = 16 + ((g - 1) % 4) * key_step; ky = tall - 46 + ((g - 1) / 4) * 24
    set object g rectangle from screen sx(kx), screen sy(ky - 8) to screen sx(kx + 18), screen sy(ky + 8) \
        fc rgb PART_COLOUR[g] fs solid 1 border rgb INK lw 0.5
    set label 10 + g word(PART_LETTERS, g) at screen sx(kx + 9), screen sy(ky) center font small textcolor rgb (g == 1 ? 0xffffff : INK) front
    set label 30 + g PART_LABEL[g] at screen sx(kx + 24), screen sy(ky) left font small textcolor rgb INK
}

set xrange [0 : widest / scale * 1.42]
set yrange [S + 0.5 : 0.5]
set xtics font small
unset ytics
set xlabel sprintf("added boot time [%s]", unit) font small textcolor rgb FAINT offset 0, 0.5

whole(i) = total[i] > 0 ? total[i] : 0
tell(i) = human(total[i]).(verdict[i] eq "stale" ? "  INCOHERENT" : "  ".verdict[i]).(paper[i] eq "no" ? "" : ", ".paper[i])

first_object = 100; first_label = 100
do for [m=1:M] { do for [w=1:W] {
    top = head_px + (w - 1) * (S * bar_px + gap_px) + 30
    left_px = names_px + (m - 1) * 530
    set lmargin at screen sx(left_px)
    set rmargin at screen sx(left_px + 500)
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + S * bar_px)
    set title sprintf("%s on %s", word(workloads, w), word(machines, m)) font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
    o = first_object; l = first_label; a = 1
    do for [s=1:S] {
        i = ((m - 1) * W + w - 1) * S + s
        x = 0.0
        if (m == 1) {
            set label l word(strategies, s) at 0, s right offset -0.7, 0 font plain textcolor rgb INK
            l = l + 1
        }
        stale = verdict[i] eq "stale"
        do for [g=1:PARTS] {
            size = part[(i - 1) * PARTS + g] / scale
            if (size > 0) {
                if (stale) {
                    set object o rectangle from x, s - 0.36 to x + size, s + 0.36 fc rgb pale(PART_COLOUR[g]) fs solid 1 border rgb 0x888888 lw 0.5 dt 3
                } else {
                    set object o rectangle from x, s - 0.36 to x + size, s + 0.36 fc rgb PART_COLOUR[g] fs solid 1 border rgb INK lw 0.5
                }
                if (size > widest / scale * 0.045) {
                    set label l word(PART_LETTERS, g) at x + size / 2, s - 0.06 center font small textcolor rgb (g == 1 && !stale ? 0xffffff : INK) front
                    l = l + 1
                }
                o = o + 1
                x = x + size
            }
        }
        end_ = whole(i) / scale
        if (high[i] == high[i] && high[i] - low[i] > widest * 0.004) {
            set arrow a from low[i] / scale, s + 0.27 to high[i] / scale, s + 0.27 heads size screen 0.0025, 90 lw 1.4 lc rgb 0x000000 front
            a = a + 1
            end_ = high[i] / scale > end_ ? high[i] / scale : end_
        }
        set label l tell(i) at end_, s left offset 0.7, 0 font small textcolor rgb (stale ? FAINT : INK) front
        l = l + 1
    }
    if (w < W) { unset xlabel } else { set xlabel sprintf("added boot time [%s]", unit) font small textcolor rgb FAINT offset 0, 0.5 }
    plot NaN notitle
    do for [i=first_object:o] { unset object i }
    do for [i=first_label:l] { unset label i }
    do for [i=1:a] { unset arrow i }
    if (m == 1 && w == 1) {
        do for [i=1:4] { unset label i }
        do for [g=1:PARTS] { unset object g; unset label 10 + g; unset label 30 + g }
    }
} }
unset multiplot
set output
