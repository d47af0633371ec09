/*
 * validate - predictions beside published measurements.
 *
 * Every row is predicted with draws of its host's costs: those that are not
 * fitted over their ranges, the fitted ones as the fit rows then ask for, with
 * their covariance. The prediction is the draws' median, the band goes from their
 * 10th to their 90th percentile, widened by the model's own error as the other tables
 * have it (machine/misfit.h) and by the error of the published figure. A straight line
 * through the rows that may be fitted is the baseline. Only rows of role predict
 * count for or against the model, and for its error.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_VALIDATE_H
#define S2FLUSH_CHECK_PUBLISHED_VALIDATE_H

#include "check/published/host_fit.h"
#include "check/published/notes.h"
#include "machine/misfit.h"
#include "study/sweep.h"

#include <stdio.h>

struct error;

struct prediction {
    double p10, p50, p90; /* in the row's unit */
    double error_pct; /* of p50 over the measured value */
    bool inside; /* measured within p10 to p90; of a bound: the band is on its side, or reaches
                    there */
    double spread; /* standard deviation of the draws' logarithms */
    double share[MISFITS]; /* of the time, by kind of cost: by how much of 1 % it follows 1 % */
    bool has_line;
    double line, line_error_pct; /* the straight line's */
};

struct validation {
    const struct published_set *set;
    struct prediction *rows; /* one for each of the set's; not set where refused */
    struct misfit_rows misfits; /* what its rows of role predict say of the model's error */
};

/* Predicts all rows with that many draws: a sweep over the hosts and one over the rows. The
 * hosts' fitted costs follow the fit rows of `fitted`, which may be the same set. */
bool validate(const struct published_set *set, const struct published_set *fitted, uint64_t draws,
              struct sweep *sweep, struct validation *validation, struct error *err);
void validation_free(struct validation *validation);

/* What the rows of role predict of one table (all tables: NULL) come to. */
struct score {
    size_t rows, inside, refused; /* bounds apart */
    size_t bounds, bounds_kept;
    double mean_pct, max_pct; /* absolute errors */
    double line_mean_pct, line_max_pct; /* the straight line's on the same rows */
    size_t lines; /* rows for which there is a line */
    size_t lost; /* rows that the line comes closer to */
    double band; /* median of p90 / p10 */
};
struct score validation_score(const struct validation *validation, const char *table);

/* The report for people, and table,row,role,unit,measured,p10,p50,p90,error_pct,
 * inside for programs (refused rows have no numbers, bounds have no error). */
void validation_print(const struct validation *validation, const struct published_notes *notes,
                      FILE *out);
void validation_csv(const struct validation *validation, FILE *out);

#endif
