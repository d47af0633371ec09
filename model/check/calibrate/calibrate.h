/*
 * calibrate - a machine's unit costs from measurements on it.
 *
 * All rows of a file are fitted at once: nonlinear least squares in the logarithm of the
 * costs and of the measurements, each row in units of what it may be off.
 *
 * Costs that no row depends on, or whose effects the rows cannot tell apart, are never
 * given a value: the calibration names them and says why.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_CALIBRATE_H
#define S2FLUSH_CHECK_CALIBRATE_CALIBRATE_H

#include "check/calibrate/measurements.h"

struct calibration {
    enum cost_id id[COSTS]; /* fitted */
    double value[COSTS], before[COSTS];
    double standard_error[COSTS]; /* of the logarithm */
    double correlation[COSTS][COSTS]; /* by place in id */
    bool direct[COSTS]; /* one row says it, with its own spread */
    double low[COSTS], high[COSTS];
    /* By cost: the rows do not tell it apart from another. One of them takes part in the
     * search, so that the rest come out right, and none is given a value. */
    bool shared[COSTS];
    size_t costs, rows;
    double max_pct; /* largest residual */
    size_t max_row;
    /* Costs that were to be fitted where the rows allow it, and why they were not. */
    char left[COSTS][200];
    size_t left_count;
};

/* Fits the costs named, or (none named) those that the rows of a probe can tell (of a
 * VM's phases: better than the base's range, and that the base does not mark as
 * measured), or that the base marks as fitted. A named cost that the rows do not tell is
 * bad input. */
bool calibrate(const struct measurements *found, const struct platform *base,
               const enum cost_id *named, size_t named_count, struct calibration *fit,
               struct error *err);

/* The base with the fitted costs in it, their sources naming the file, and shared
 * paths that were not fitted within the limits that the rows set; `name` is
 * the platform's new one. */
void calibration_apply(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, const char *name, struct platform *result);

/* Values, errors, correlations, what was left; for people. */
void calibration_print(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, FILE *out);

#endif
