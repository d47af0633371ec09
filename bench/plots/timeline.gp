# One run over time, from the table that `s2flush explain --timeline FILE.svg`
# makes: a lane for each thread. Drawn by that command alone; `s2flush plot` has
# no table of this kind, so that there is no wish in this head.

TITLE = ""; SUBTITLE = ""; XLABEL = ""; WIDTH = 1; LANES = 1; KEYS = 1
kind(s) = strcol("kind") eq s
stats table using ( \
    kind("title") ? (TITLE = strcol("text"), 0) : \
    kind("subtitle") ? (SUBTITLE = strcol("text"), 0) : \
    kind("xlabel") ? (XLABEL = strcol("text"), 0) : \
    kind("extent") ? (WIDTH = column("x0"), LANES = column("y0"), KEYS = column("class"), 0) : 0) nooutput

# By class, the first of which is 0: busy at a site, then waiting for a resource.
array COLOUR[15] = [0xC4C4C4, ORANGE, BLUE, GREEN, SKY, PURPLE, YELLOW, 0x8C6D31, 0x808080, \
    pale(RED), pale(GREEN), pale(PURPLE), pale(ORANGE), pale(YELLOW), pale(BLUE)]
array HATCH[15] = [0, 0, 0, 0, 0, 0, 0, 0, 0, RED, GREEN, PURPLE, ORANGE, YELLOW, BLUE]
colour(c) = COLOUR[int(c) + 1]
hatch(c) = HATCH[int(c) + 1]

KEY_ROWS = int((KEYS + 2) / 3)
LANE_PX = LANES > 4 ? 44.0 : 64.0
TALL = 152 + 24 * KEY_ROWS + LANE_PX * (LANES + 0.16)
eval terminal_at(1000, TALL)
set output out

set lmargin at screen 0.095
set rmargin at screen 0.975
set tmargin at screen 1 - 64.0 / TALL
set bmargin at screen 74.0 / TALL
set label 1 TITLE at screen 0.018, screen 1 - 20.0 / TALL font ",15" textcolor rgb INK
set label 2 SUBTITLE at screen 0.018, screen 1 - 44.0 / TALL textcolor rgb FAINT
NOTE = "Percentages are of all that threads do and wait for. White is idle; pale and hatched is waiting; each column shows its shares."
set label 3 NOTE at screen 0.018, screen 14.0 / TALL font ",10" textcolor rgb FAINT
set border 1
set xrange [0:WIDTH]
set yrange [-0.16:LANES + (24.0 * KEY_ROWS + 14) / LANE_PX]
unset ytics
set xlabel XLABEL offset 0, 0.4
set style fill solid noborder

# A key's place: three in a row between title and lanes.
key_x(i) = WIDTH * (0.006 + 0.345 * i)
key_y(r) = LANES + (24 * (KEY_ROWS - 1 - r) + 16) / LANE_PX
pick(s, v) = kind(s) ? v : NaN

plot \
  table using (pick("busy", column("x0"))):(column("y0")):(column("x0")):(column("x1")):(column("y0")):(column("y1")):(colour(column("class"))) with boxxyerror fs solid noborder lc rgb variable, \
  table using (pick("wait", column("x0"))):(column("y0")):(column("x0")):(column("x1")):(column("y0")):(column("y1")):(colour(column("class"))) with boxxyerror fs solid noborder lc rgb variable, \
  table using (pick("wait", column("x0"))):(column("y0")):(column("x0")):(column("x1")):(column("y0")):(column("y1")):(hatch(column("class"))) with boxxyerror fs transparent pattern 4 noborder lc rgb variable, \
  table using (pick("lane", 0)):(column("y0")):(strcol("text")) with labels right offset -1, 0 textcolor rgb INK, \
  table using (kind("keybusy") || kind("keywait") ? key_x(column("x0")) : NaN):(key_y(column("y0"))):(colour(column("class"))) with points pt 5 ps 1.5 lc rgb variable, \
  table using (pick("keywait", key_x(column("x0")))):(key_y(column("y0"))):(hatch(column("class"))) with points pt 4 ps 1.5 lc rgb variable, \
  table using (kind("keybusy") || kind("keywait") ? key_x(column("x0")) : NaN):(key_y(column("y0"))):(strcol("text")) with labels left offset 1.2, 0 textcolor rgb INK
