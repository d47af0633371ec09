# What all plots share: terminal, type, colours, axes, and a few functions.
#
# `s2flush plot` runs gnuplot in the folder of the rows, with this file first and
# then one script. Before both it sets
#   format   svg or png
#   out      the file to write
#   table    the file to draw
#   each     the value that this picture is of, with `#! each`; else empty
# and the scripts' folder in GNUPLOT_LIB, where they find what they load.
# By hand, in the folder of the rows, with SCRIPTS for this one:
#   GNUPLOT_LIB=SCRIPTS gnuplot -e "out = 'curves.svg'" SCRIPTS/style.gp SCRIPTS/curves.gp
# A script says in its head what it needs, one wish a line:
#   #! output NAME          the picture's name
#   #! table NAME           the file that it draws, in place of rows.csv
#   #! axis NAME LOW HIGH   a column with LOW to HIGH different values, LOW 0: or
#                           none of that name; every axis column without such a
#                           line must have one value
#   #! metric NAME          a metric that must be in the rows
#   #! each COLUMN FILLED   a picture for each value of COLUMN, named after it, of the
#                           rows that have something in FILLED; no study's rows then

if (!exists("format")) { format = "svg" }
if (!exists("out")) { out = "plot.".format }
if (!exists("table")) { table = "rows.csv" }
if (!exists("each")) { each = "" }

set encoding utf8
set datafile separator comma
set datafile missing ""
set datafile columnheaders

# DejaVu Sans comes with `make deps`; names may hold underscores, so no markup.
terminal_at(w, h) = format eq "svg" \
    ? sprintf("set terminal svg size %d,%d noenhanced font 'DejaVu Sans,13' background '#ffffff'", w, h) \
    : sprintf("set terminal pngcairo size %d,%d noenhanced font 'DejaVu Sans,10'", w, h)

# Okabe and Ito's colours, which most colour-blind readers can tell apart. In
# this order dark and light take turns, so that neighbours part in grey, too.
BLUE = 0x0072B2; SKY = 0x56B4E9; GREEN = 0x009E73; ORANGE = 0xE69F00
RED = 0xD55E00; YELLOW = 0xF0E442; PURPLE = 0xCC79A7; INK = 0x222222; FAINT = 0x666666

# A quarter of a colour on white: not every viewer of SVG does transparency.
quarter(c) = (c & 255) / 4 + 191
pale(c) = (quarter(c >> 16) << 16) + (quarter(c >> 8) << 8) + quarter(c)

set border 3 lc rgb 0x999999 lw 0.8
set tics out nomirror textcolor rgb 0x444444
set grid noxtics noytics
unset key

# Time for people: three digits are what these numbers can bear.
human(ns) = ns < 0   ? "-".human(-ns) : \
            ns < 1e3 ? sprintf("%.3g ns", ns) : \
            ns < 1e6 ? sprintf("%.3g µs", ns / 1e3) : \
            ns < 1e9 ? sprintf("%.3g ms", ns / 1e6) : \
            ns < 1e12 ? sprintf("%.3g s", ns / 1e9) : sprintf("%.3g min", ns / 6e10)

# A decade of an axis in ns.
decade_text(d) = d < 12 ? human(10.0**d) : sprintf("%.0f s", 10.0**(d - 9))

# The place of a word in a list; 0 where it is not in it.
place(list, s) = (place_ = 0, sum [i_=1:words(list)] (word(list, i_) eq s ? (place_ = i_) : 0), place_)

# Sizes for people, in powers of two.
size_text(b) = b >= 2**40 ? sprintf("%g TiB", b / 2**40) : b >= 2**30 ? sprintf("%g GiB", b / 2**30) : \
               b >= 2**20 ? sprintf("%g MiB", b / 2**20) : sprintf("%g KiB", b / 2**10)

# Leaves by the backing's name, where the granule is 4 KiB.
leaf_text(b) = b eq "4k" ? "4 KiB leaves" : b eq "thp" || b eq "hugetlb" ? "2 MiB leaves" : \
               b eq "hugetlb-1g" ? "1 GiB leaves" : "backing ".b

# One colour, dash and mark for each strategy in all plots; others are grey.
STRATEGIES = "unmap unmap-lazy eager eager-toggle1 fwb eager-naive none unmap-vmall lazy-vmall hybrid eager-workers recreate ranged dirty-log"
array STRATEGY_COLOUR[15] = [BLUE, GREEN, RED, PURPLE, INK, 0x808080, 0x808080, SKY, 0x7A9A01, ORANGE, 0x8C2D04, 0x6A51A3, 0x808080, 0x808080, 0x808080]
array STRATEGY_DASH[15] = [1, 2, 1, 4, 3, 5, 5, 2, 3, 4, 5, 2, 3, 4, 1]
array STRATEGY_MARK[15] = [7, 5, 9, 11, 13, 6, 4, 7, 5, 9, 11, 13, 6, 4, 8]
kind_of(s) = place(STRATEGIES, s) == 0 ? 15 : place(STRATEGIES, s)

# Whether the rows have a column of that name: an axis that a script can do
# without has LOW 0 in its head.
COLUMNS = ""
note_column(i) = (COLUMNS = COLUMNS." ".columnhead(i), 0)
stats table every ::0::0 using (sum [i_=1:48] note_column(i_), 0) nooutput
has(c) = place(COLUMNS, c) > 0

# The parts of the added time as pictures show them, in the order in which they
# are stacked, with a letter that tells them apart without colour.
PARTS = 7
PART_LETTERS = "U A F S T I G"
array PART_LABEL[PARTS] = ["lines at unmap", "lines at the fault", "lines flushed, at re-init or MMU on", \
    "fault and unmap software", "TLB invalidation", "I-cache", "guest: fetching again, uncached, walks"]
array PART_COLOUR[PARTS] = [BLUE, SKY, GREEN, ORANGE, RED, YELLOW, PURPLE]
part_group(m) = m eq "part_lines_unmap_ns" ? 1 : \
    m eq "part_lines_fault_ns" ? 2 : \
    m eq "part_lines_flush_ns" || m eq "part_lines_toggle_ns" ? 3 : \
    m eq "part_fault_path_ns" || m eq "part_unmap_path_ns" || m eq "part_flush_path_ns" || m eq "part_traps_ns" || m eq "part_waits_ns" ? 4 : \
    m eq "part_tlbi_ns" ? 5 : \
    m eq "part_icache_ns" ? 6 : \
    m eq "part_refetch_ns" || m eq "part_uncached_ns" || m eq "part_walks_ns" || m eq "part_other_ns" ? 7 : 0
