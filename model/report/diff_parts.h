/*
 * diff_parts - what the files behind diff.h share; not for others.
 */
#ifndef S2FLUSH_REPORT_DIFF_PARTS_H
#define S2FLUSH_REPORT_DIFF_PARTS_H

#include "report/diff.h"

/* Whether a column has one value only; so it has where there are no rows. */
bool diff_constant(const struct csv *rows, int column);

#endif
