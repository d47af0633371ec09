# Nanoseconds of one operation on our calendar, on peers and without an event list.
#   gnuplot -e "csv='bench.csv'; out='PREFIX'; finding='TITLE'" bench.gp
set datafile separator ','
set key below horizontal height 0.5
set logscale x
set xrange [0.2:30000]
set yrange [0.4:6.6]
set xlabel 'ns per operation, the minimum of the repetitions (logarithmic)'
set ytics ('hold, 10 pending' 6, 'hold, 1,000' 5, 'hold, 100,000' 4, 'hold, 1,000,000' 3, \
    'M/M/1 event, own generator' 2, 'M/M/1 event, mt19937' 1) scale 0
set grid xtics ytics lc rgb '#dddddd' lt 1
set border 1 lc rgb '#888888'
set xtics nomirror
set title finding font ',13'

hold(n) = n <= 10 ? 6 : n == 1000 ? 5 : n == 1e5 ? 4 : 3
place(what, n) = what[1:4] eq 'hold' ? hold(n) : strstrt(what, 'mt19937') ? 1 : 2
# Our figures stand once for each thing they are held against, so one is chosen.
chosen(by) = by ne ': calendar' || strstrt(strcol(5), 'no event list')
at(by) = strcol(3)[1:6] eq 'ns_min' && strstrt(strcol(1), by) && chosen(by) ? column(4) : NaN

array who[4] = ['no event list', ': calendar', 'Python heapq', 'SimPy']
array name[4] = ['no event list (floor)', 'our calendar', 'Python heapq', 'SimPy']
array colour[4] = ['#999999', '#0072b2', '#e69f00', '#d55e00']
array shape[4] = [13, 7, 5, 9]

do for [format in 'svg png'] {
    if (format eq 'svg') {
        set terminal svg size 900,480 font 'DejaVu Sans,11' background rgb 'white'
    } else {
        set terminal pngcairo size 1350,720 font 'DejaVu Sans,11' fontscale 1.4 background rgb 'white'
    }
    set output out.'.'.format
    plot for [i=1:4] csv skip 1 using (at(who[i])):(place(strcol(1), column(2))) \
            with points pt shape[i] ps 1.4 lc rgb colour[i] title name[i], \
        for [i=1:4] csv skip 1 using (at(who[i])):(place(strcol(1), column(2)) + 0.28): \
            (sprintf(column(4) < 10 ? '%.1f' : '%.0f', column(4))) \
            with labels font ',9' tc rgb colour[i] notitle
    unset output
}
