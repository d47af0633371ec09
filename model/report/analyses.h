/*
 * analyses - what the analyses of a study found: as tables, and in words for a terminal.
 */
#ifndef S2FLUSH_REPORT_ANALYSES_H
#define S2FLUSH_REPORT_ANALYSES_H

#include <stdio.h>

/* The tables by the names of their files; the second one may be missing. Each function takes the
 * results of its analysis: struct breakeven_results and so on. */
struct analysis_report {
    struct {
        const char *name;
        void (*write)(FILE *out, const void *results);
    } table[2];
    void (*print)(FILE *out, const void *results);
};

/* A row for each crossing, and for each pair without one; numbers of the axis in base units. Then
 * the compared strategies along the axis: what a curve is drawn of. */
extern const struct analysis_report breakeven_report;

/* A row for each group and strategy; empty cells where no value keeps the limit. */
extern const struct analysis_report target_report;

/* A row for each cell; `letter` stands for the winner, the same in the whole table: strategies of
 * the study in their order, A and on. Printed, it is in letters: lower case where it is undecided,
 * `*` behind a winner that depends on a condition, `-` where none can win. */
extern const struct analysis_report map_report;

/* A row for each cell and cost that changes something there; `rank` is by the width of the
 * tornado's bar, 1 the widest. Then one for each machine and cost with some spread; `rank` is by
 * the gain. Printed are the costs that matter most, and the one to measure first. */
extern const struct analysis_report sensitivity_report;

/* A row for each rung; then the same as JSON. */
extern const struct analysis_report advise_report;

#endif
