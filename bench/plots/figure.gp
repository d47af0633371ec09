# A figure, from the data file that report/chart lays out: panels in the units of
# their axes, and over all of them the texts, in points of the picture from the top left.
#
# The file has a block for each panel, two blank lines between them; columns, apart by tabs:
#   kind   0 of the panel, 1 a point of a line, 2 of a band, 3 a mark, 4 a rule, 5 a box, 6 a text
#   style  what it looks like: a number of the tables below
#   x, y, x2, y2, text
# A panel begins with two rows of kind 0: its ranges (style: 1, and 1 more where x, 2 more where y
# is logarithmic), and where it is, in shares of the picture from the lower left (style 0).
# Drawn by `s2flush memo` and `s2flush plot` alone.

set datafile separator tab
unset datafile columnheaders

WIDTH = 0; HEIGHT = 0
stats table index 0 using ($1 == 0 ? (WIDTH = $3, HEIGHT = $4, 0) : 0) nooutput
stats table using ($1 == 0 ? 1 : NaN) nooutput
PANELS = STATS_blocks - 1

# Points are a picture's pixels: two each in a PNG, whose fonts are in points of 1/72 inch.
if (format eq "svg") {
    eval terminal_at(WIDTH, HEIGHT)
} else {
    eval sprintf("set terminal pngcairo size %d,%d noenhanced font 'DejaVu Sans,10' fontscale 1.5 pointscale 2 linewidth 2 background '#ffffff'", 2 * WIDTH, 2 * HEIGHT)
}
set output out
unset border
unset tics
unset key
set style fill solid noborder

# By style 0 to 7 as chart.h has them; then what was measured, the ring of a crossing, the hollow
# end of a swing.
array COLOUR[11] = [INK, BLUE, RED, GREEN, 0xAA4A85, SKY, ORANGE, 0x808080, RED, INK, INK]
array MARK[11] = [7, 5, 9, 11, 6, 4, 8, 10, 13, 6, 6]
array SIZE[11] = [0.75, 0.65, 0.85, 0.85, 0.75, 0.7, 0.85, 0.85, 0.85, 1, 0.75]
set linetype 11 dt 1; set linetype 12 dt (14, 6); set linetype 13 dt 1; set linetype 14 dt (3, 5)
set linetype 15 dt (16, 5, 3, 5); set linetype 16 dt (9, 4); set linetype 17 dt (22, 6); set linetype 18 dt (2, 7)
array RULE_COLOUR[4] = [FAINT, FAINT, 0x888888, 0xE4E4E4]
array RULE_DASH[4] = [2, 1, 1, 1]
tint(c, share) = (int(255 - share * (255 - (c >> 16))) << 16) + (int(255 - share * (255 - ((c >> 8) & 255))) << 8) + int(255 - share * (255 - (c & 255)))
# Of parts dark and light take turns: neighbours part in grey, too.
array PART[8] = [0.5, 0.7, 0.32, 0.7, 0.5, 0.42, 0.5, 0.8]
box_colour(s) = s < 8 ? tint(COLOUR[int(s) + 1], 0.2) : tint(COLOUR[int(s) - 7], PART[int(s) - 7])

kind(k) = int(column(1)) == k
style(k, s) = kind(k) && int(column(2)) == s
TEXT = 12.5; HEAD = 16
font_of(k) = k == 2 ? sprintf("DejaVu Sans:Bold,%g", TEXT) : k == 3 ? sprintf("DejaVu Sans:Bold,%g", HEAD) : \
             k == 4 ? sprintf("DejaVu Sans,%g", TEXT - 1) : sprintf("DejaVu Sans,%g", TEXT)
text_colour(k) = k == 1 ? FAINT : INK
centre_of(k) = 0.35 * (k == 3 ? HEAD : TEXT) # above the base line

# Draws the rows of a kind and style, where there are any: gnuplot complains of plots without a
# point.
STYLES = 16
array COUNT[6 * STYLES]
slot(k, s) = STYLES * (int(k) - 1) + int(s) + 1
there(k, s) = COUNT[slot(k, s)] > 0
count(z) = $1 > 0 && $2 >= 0 ? (COUNT[slot($1, $2)] = COUNT[slot($1, $2)] + 1) : 0

array LOW[2]; array HIGH[2]; array FROM[2]; array TO[2]
set multiplot
do for [p = 1:PANELS] {
    FLAGS = 0
    unset logscale
    set xrange [*:*]; set yrange [*:*] # stats heeds them
    do for [i = 1:6 * STYLES] { COUNT[i] = 0 }
    stats table index p using ($1 == 0 && $2 > 0 ? (FLAGS = int($2) - 1, LOW[1] = $3, LOW[2] = $4, HIGH[1] = $5, HIGH[2] = $6, 0) : \
        $1 == 0 ? (FROM[1] = $3, FROM[2] = $4, TO[1] = $5, TO[2] = $6, 0) : count(0)) nooutput
    set lmargin at screen FROM[1]; set rmargin at screen TO[1]
    set bmargin at screen FROM[2]; set tmargin at screen TO[2]
    set xrange [LOW[1]:HIGH[1]]; set yrange [LOW[2]:HIGH[2]]
    if (FLAGS & 1) { set logscale x }
    if (FLAGS & 2) { set logscale y }
    do for [s = 0:15] {
        if (there(5, s)) { plot table index p using (style(5, s) ? ($3 + $5) / 2 : NaN):4:3:5:4:6 with boxxyerror fs solid noborder lc rgb box_colour(s) }
    }
    do for [s = 0:7] {
        if (there(2, s)) { plot table index p using (style(2, s) ? $3 : NaN):4:6 with filledcurves fs transparent solid 0.16 noborder lc rgb COLOUR[s + 1] }
    }
    do for [s = 3:0:-1] {
        if (there(4, s)) { plot table index p using (style(4, s) ? $3 : NaN):4:($5 - $3):($6 - $4) with vectors nohead lw 0.8 dt RULE_DASH[s + 1] lc rgb RULE_COLOUR[s + 1] }
    }
    do for [s = 0:7] {
        if (there(1, s)) { plot table index p using (style(1, s) ? $3 : NaN):4 with lines lt s + 11 lw 1.6 lc rgb COLOUR[s + 1] }
    }
    do for [s = 0:10] {
        if (there(3, s)) { plot table index p using (style(3, s) ? $3 : NaN):4 with points pt MARK[s + 1] ps SIZE[s + 1] lw 1.4 lc rgb COLOUR[s + 1] }
    }
    do for [k = 0:4] {
        if (there(6, 3 * k)) { plot table index p using (style(6, 3 * k) ? $3 : NaN):($4 - centre_of(k)):7 with labels left font font_of(k) textcolor rgb text_colour(k) }
        if (there(6, 3 * k + 1)) { plot table index p using (style(6, 3 * k + 1) ? $3 : NaN):($4 - centre_of(k)):7 with labels center font font_of(k) textcolor rgb text_colour(k) }
        if (there(6, 3 * k + 2)) { plot table index p using (style(6, 3 * k + 2) ? $3 : NaN):($4 - centre_of(k)):7 with labels right font font_of(k) textcolor rgb text_colour(k) }
    }
}
unset multiplot
