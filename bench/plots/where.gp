# Where the added time goes, in shares, by footprint: a row of panels for each
# software strategy that is sound, a column for each leaf size and machine, at the
# touched share nearest to a tenth.
#
#! output where
#! axis machine 1 3
#! axis backing 0 3
#! axis touched 0 64
#! axis footprint 4 64
#! axis strategy 1 12
#! metric added_boot_ns
#! metric part_lines_unmap_ns
#! metric part_lines_fault_ns
#! metric part_lines_flush_ns
#! metric part_tlbi_ns
#! metric part_fault_path_ns
#! metric part_icache_ns
#! metric part_refetch_ns

rows = "rows.csv"
AT_TOUCHED = 0.1
SHOWN = "unmap unmap-lazy eager"

# --- the rows -----------------------------------------------------------------

backing(z) = has("backing") ? strcol("backing") : "-"
touched(z) = has("touched") ? strcol("touched") : "-"
machines = ""; backings = ""; footprints = ""; strategies = ""; others = ""; shares = ""; kernel = ""; draws = 0
note(z) = (place(machines, strcol("machine")) == 0 ? machines = machines." ".strcol("machine") : 0, \
           place(backings, backing(0)) == 0 ? backings = backings." ".backing(0) : 0, \
           place(shares, touched(0)) == 0 ? shares = shares." ".touched(0) : 0, \
           place(footprints, strcol("footprint")) == 0 ? footprints = footprints." ".strcol("footprint") : 0, \
           place(strategies, strcol("strategy")) == 0 && place(SHOWN, strcol("strategy")) > 0 ? strategies = strategies." ".strcol("strategy") : 0, \
           place(others, strcol("strategy")) == 0 && words(others) < 3 ? others = others." ".strcol("strategy") : 0, \
           kernel = strcol("kernel"), draws = column("n"), 0)
stats rows using (strcol("metric") eq "added_boot_ns" ? note(0) : 0) nooutput
# Of a study with none of these the first three of its own.
if (words(strategies) == 0) { strategies = others }
M = words(machines); B = words(backings); S = words(strategies); F = words(footprints)
share = word(shares, 1)
do for [i=1:words(shares)] {
    if (abs(real(word(shares, i)) - AT_TOUCHED) < abs(real(share) - AT_TOUCHED)) { share = word(shares, i) }
}

at(m, b, s, f) = (((m - 1) * B + b - 1) * S + s - 1) * F + f
N = M * B * S * F
array part[N * PARTS]; array whole[N]
do for [i=1:N*PARTS] { part[i] = 0.0 }
do for [i=1:N] { whole[i] = 0.0 }
add(g) = (i_at = at(place(machines, strcol("machine")), place(backings, backing(0)), \
                    place(strategies, strcol("strategy")), place(footprints, strcol("footprint"))), \
          v_at = column("n") > 0 ? column("mean") : column("mode"), \
          part[(i_at - 1) * PARTS + g] = part[(i_at - 1) * PARTS + g] + v_at, 0)
taken(z) = part_group(strcol("metric")) > 0 && touched(0) eq share && place(strategies, strcol("strategy")) > 0
stats rows using (taken(0) ? add(part_group(strcol("metric"))) : 0) nooutput
# A part that a strategy saves is not a share of what it adds.
do for [i=1:N] { do for [g=1:PARTS] {
    k = (i - 1) * PARTS + g
    part[k] = part[k] > 0 ? part[k] : 0.0
    whole[i] = whole[i] + part[k]
} }
portion(i, g) = whole[i] > 0 ? part[(i - 1) * PARTS + g] / whole[i] : 0.0

# --- the finding: the largest part of what the first strategy adds --------------

array finding[B]
do for [b=1:B] {
    best = 1; most = -1.0
    do for [g=1:PARTS] {
        all = sum [m=1:M] portion(at(m, b, 1, F), g)
        if (all > most) { best = g; most = all }
    }
    least = 1.0; most = 0.0
    do for [m=1:M] {
        v = portion(at(m, b, 1, F), best)
        least = v < least ? v : least
        most = v > most ? v : most
    }
    range = sprintf("%.0f", 100 * least) eq sprintf("%.0f", 100 * most) ? sprintf("%.0f %%", 100 * most) \
        : sprintf("%.0f to %.0f %%", 100 * least, 100 * most)
    finding[b] = (backings eq " -" ? "" : leaf_text(word(backings, b)).": ") \
        .sprintf("%s of what %s adds at %s goes into %s", range, word(strategies, 1), size_text(real(word(footprints, F))), PART_LABEL[best])
}

# --- the picture --------------------------------------------------------------

panel_wide = 215; panel_tall = 150; gap_wide = 26; gap_tall = 46
head_px = 24 * B + 36; foot_px = 92
wide = 128 + M * B * (panel_wide + gap_wide); tall = head_px + S * (panel_tall + gap_tall) + foot_px
eval terminal_at(wide, tall)
set output out
set multiplot
sx(px) = px / (1.0 * wide)
sy(px) = 1 - px / (1.0 * tall)
big = format eq "svg" ? "DejaVu Sans,16" : "DejaVu Sans,12"
plain = format eq "svg" ? "DejaVu Sans,13" : "DejaVu Sans,10"
small = format eq "svg" ? "DejaVu Sans,12" : "DejaVu Sans,9"

do for [b=1:B] {
    line = finding[b]
    set label b line at screen sx(16), screen sy(22 + 24 * (b - 1)) left font big textcolor rgb INK
}
line = "Shares of the added boot time by footprint".(draws > 0 ? sprintf(", mean of %d draws of the machine's costs", draws) : ", every cost at its mode") \
    .". ".(share eq "-" ? "" : sprintf("%g %% of the footprint touched again. ", real(share) * 100)).sprintf("Kernel %s.", kernel)
set label 10 line at screen sx(16), screen sy(24 * B + 16) left font small textcolor rgb FAINT

key_step = (wide - 32) / 4.0
do for [g=1:PARTS] {
    kx = 16 + ((g - 1) % 4) * key_step; ky = tall - 44 + ((g - 1) / 4) * 24
    set object g rectangle from screen sx(kx), screen sy(ky - 8) to screen sx(kx + 18), screen sy(ky + 8) \
        fc rgb PART_COLOUR[g] fs solid 1 border rgb INK lw 0.5
    set label 20 + g word(PART_LETTERS, g) at screen sx(kx + 9), screen sy(ky) center font small textcolor rgb (g == 1 ? 0xffffff : INK) front
    set label 30 + g PART_LABEL[g] at screen sx(kx + 24), screen sy(ky) left font small textcolor rgb INK
}

set logscale x 2
set xrange [real(word(footprints, 1)) : real(word(footprints, F))]
set yrange [0 : 100]
set xtics () font small
step = F > 8 ? 6 : 3
# The first size would run into the last one of the panel beside it.
first_tick = step > 3 ? 4 : 1
do for [f=first_tick:F:step] { set xtics add (size_text(real(word(footprints, f))) real(word(footprints, f)) * (f == 1 ? 1.0001 : 1)) }
lettered = int(F * 0.8)

do for [s=1:S] { do for [b=1:B] { do for [m=1:M] {
    c = (b - 1) * M + m
    left_px = 118 + (c - 1) * (panel_wide + gap_wide)
    top = head_px + (s - 1) * (panel_tall + gap_tall) + 26
    set lmargin at screen sx(left_px)
    set rmargin at screen sx(left_px + panel_wide)
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + panel_tall)
    unset title
    if (s == 1) {
        set title (backings eq " -" ? "" : leaf_text(word(backings, b)).", ").word(machines, m) \
            font "DejaVu Sans Bold" textcolor rgb INK offset 0, -0.5
    }
    set ytics ("0 %%" 0, "" 50, "100 %%" 100) font small
    if (c > 1) { set ytics ("" 0, "" 50, "" 100) }
    if (c == 1) {
        set label 40 word(strategies, s) at screen sx(16), screen sy(top + panel_tall / 2.0) left font plain textcolor rgb INK
    }
    set print $SHARES
    l = 100
    do for [f=1:F] {
        i = at(m, b, s, f)
        text_row = word(footprints, f)
        bottom = 0.0
        do for [g=1:PARTS] {
            up = bottom + 100 * portion(i, g)
            if (f == lettered && up - bottom > 9) {
                set label l word(PART_LETTERS, g) at real(word(footprints, f)), (up + bottom) / 2.0 center font small \
                    textcolor rgb (g == 1 ? 0xffffff : INK) front
                l = l + 1
            }
            text_row = text_row.sprintf(",%.6g,%.6g", bottom, up)
            bottom = up
        }
        print text_row
    }
    unset print
    set datafile nocolumnheaders
    plot for [g=1:PARTS] $SHARES using 1:(column(2 * g)):(column(2 * g + 1)) with filledcurves lc rgb PART_COLOUR[g] fs solid 1 noborder
    set datafile columnheaders
    do for [i=1:B] { unset label i }
    do for [i=10:100+l] { unset label i }
    do for [g=1:PARTS] { unset object g }
} } }
unset multiplot
set output
