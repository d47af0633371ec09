/*
 * baseline - the straight line that a model of a published table has to beat.
 *
 * Rows that differ in one number only, the bytes or the vCPUs, are a series.
 * The line goes through the series' rows of role fit: by least squares where
 * there are two or more, through the origin where there is one. A series
 * without any takes the table's line over bytes times vCPUs.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_BASELINE_H
#define S2FLUSH_CHECK_PUBLISHED_BASELINE_H

#include "check/published/published.h"

/* What the line says for a row, in the row's unit. False where no row of its
 * table may be fitted. */
bool baseline_predict(const struct published_set *set, const struct published *row, double *value);

#endif
