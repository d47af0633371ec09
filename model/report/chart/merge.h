/*
 * merge - a figure without the panels that show what another one shows. Not for others
 * than the figure.
 */
#ifndef S2FLUSH_REPORT_CHART_MERGE_H
#define S2FLUSH_REPORT_CHART_MERGE_H

#include "report/chart/chart.h"

#define CHART_MERGED_TITLE 100

struct chart_merged {
    struct chart_lines chart;
    struct chart_panel panel[CHART_PANELS];
    char title[CHART_PANELS][CHART_MERGED_TITLE];
};

/* The same with one panel for those that differ by nothing that is seen; its title names all of
 * them. What was given must stay. */
void chart_merge(const struct chart_lines *chart, struct chart_merged *merged);

#endif
