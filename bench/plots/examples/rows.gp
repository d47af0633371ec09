# Added boot over an axis with its band: gnuplot -c rows.gp DIR/rows.csv AXIS STRATEGY OUT.svg
set datafile separator comma
set datafile columnheaders
set terminal svg size 640,400 background '#ffffff'
set output ARG4
set logscale xy
set xlabel ARG2 noenhanced
set ylabel "added to the reboot, ms"
mine(c) = strcol("metric") eq "added_boot_ns" && strcol("strategy") eq ARG3 ? column(c) : NaN
plot ARG1 using (mine(ARG2)):(mine("p50") / 1e6):(mine("p10") / 1e6):(mine("p90") / 1e6) with yerrorbars title ARG3 noenhanced
