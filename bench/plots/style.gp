# What all plots share: terminal, type, colours, axes, and a few functions.
#
# The program runs gnuplot in the folder of the table, with this file first and then one script.
# Before both it sets
#   format   svg or png
#   out      the file to write
#   table    the file to draw
#   each     the value that this picture is of, where a table has several; else empty
# and the scripts' folder in GNUPLOT_LIB, where they find what they load.
# By hand, in the folder of the table, with SCRIPTS for this one:
#   GNUPLOT_LIB=SCRIPTS gnuplot -e "table = 'validate.csv'; each = 'kunpeng-4k'; out = 'k.svg'" \
#       SCRIPTS/style.gp SCRIPTS/validate.gp

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
BLUE = 0x0072B2; SKY = 0x3A9BD6; GREEN = 0x009E73; ORANGE = 0xE69F00
RED = 0xD55E00; YELLOW = 0xF0E442; PURPLE = 0xCC79A7; INK = 0x222222; FAINT = 0x666666

# A quarter of a colour on white: not every viewer of SVG does transparency.
quarter(c) = (c & 255) / 4 + 191
pale(c) = (quarter(c >> 16) << 16) + (quarter(c >> 8) << 8) + quarter(c)

set border 3 lc rgb 0x999999 lw 0.8
set tics out nomirror textcolor rgb 0x444444
set grid noxtics noytics
unset key
