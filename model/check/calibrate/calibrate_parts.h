/*
 * calibrate_parts - what the files of the calibration share: the residuals
 * that the fit makes small, and the judgement of what they tell.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_CALIBRATE_PARTS_H
#define S2FLUSH_CHECK_CALIBRATE_CALIBRATE_PARTS_H

#include "check/calibrate/calibrate.h"
#include "core/error.h"

#include <gsl/gsl_matrix.h>
#include <stdbool.h>
#include <stddef.h>

/* Played times come from whole events in a certain order, so that a derivative
 * needs a step in a cost's logarithm that is more than rounding. */
#define CALIBRATE_STEP 0.01

struct calibrate_problem {
    const struct measurements *found;
    const struct calibration *fit;
    const struct platform *base;
    double value[COSTS]; /* of the costs that are not fitted */
    struct error err;
    bool failed; /* a benchmark could not be played: err says why */
};

/* Residuals in units of what a row may be off, for GSL: x holds logarithms, the
 * context is a problem. */
int calibrate_residuals(const gsl_vector *x, void *context, gsl_vector *f);

/* How each row's logarithm moves with each cost's: rows x costs. */
bool calibrate_effects(struct calibrate_problem *problem, const gsl_vector *x, gsl_matrix *effect);

/* A cost that the rows do not tell, by its place in the fit, and why; -1: all are
 * told. `shared` names, by cost, those that they do not tell apart. */
int calibrate_not_told(const struct calibrate_problem *problem, const gsl_matrix *effect,
                       bool shared[COSTS], char *why, size_t size);

/* What a row of `probe machine` should say at these costs, in the unit of what it
 * measured: ns, GB/s, ns a line. */
double observation_probed(const struct observation *seen, const double value[COSTS]);

/* Sets what a probe's flushes say of shared paths, and where the search begins. */
void measurements_judge(struct measurements *found);

/* Puts the named costs, or those that the rows are made of, into the fit. */
bool calibrate_choose(const struct measurements *found, const struct platform *base,
                      const enum cost_id *named, size_t named_count, struct calibration *fit,
                      struct error *err);

/* Notes a cost that was not fitted, and why. */
void calibration_leave(struct calibration *fit, const char *why);

/* Makes room for one more row, all zero. */
struct observation *measurements_row(struct measurements *found);

/* A cell that must be a number above 0; a blank one is 0 where none is needed. */
bool measurements_number(const struct csv *table, size_t row, const char *column, bool needed,
                         double *value, struct error *err);

/* The cells of the 10th and the 90th percentile, in order; 0: blank. */
bool measurements_spread(const struct csv *table, size_t row, const char *low, const char *high,
                         double *p10, double *p90, struct error *err);

/* What a median is off by, relative, given the percentiles of its samples. */
double measurements_off(double median, double p10, double p90);

/* The rows of `probe vm --times`. */
bool calibrate_read_times(const char *path, const struct platform *base, struct measurements *found,
                          struct error *err);

#endif
