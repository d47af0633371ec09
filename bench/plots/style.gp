# What all plots share: terminal, type, colours, axes, and a few functions.
#
# `s2flush plot` runs gnuplot in the folder of the rows, with this file first and
# then one script. Before both it sets
#   format   svg or png
#   out      the file to write
# A script says in its head what it needs, one wish a line:
#   #! output NAME          the picture's name
#   #! axis NAME LOW HIGH   a column with LOW to HIGH different values; every axis
#                           column without such a line must have one value
#   #! metric NAME          a metric that must be in the rows

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

set border 3 lc rgb 0x999999 lw 0.8
set tics out nomirror textcolor rgb 0x444444
set grid noxtics noytics
unset key

# Time for people: three digits are what these numbers can bear.
human(ns) = ns < 0   ? "-".human(-ns) : \
            ns < 1e3 ? sprintf("%.3g ns", ns) : \
            ns < 1e6 ? sprintf("%.3g µs", ns / 1e3) : \
            ns < 1e9 ? sprintf("%.3g ms", ns / 1e6) : sprintf("%.3g s", ns / 1e9)

# The place of a word in a list; 0 where it is not in it.
place(list, s) = (place_ = 0, sum [i_=1:words(list)] (word(list, i_) eq s ? (place_ = i_) : 0), place_)
