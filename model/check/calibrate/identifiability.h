/*
 * identifiability - which costs measurements tell, and which they cannot tell apart.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_IDENTIFIABILITY_H
#define S2FLUSH_CHECK_CALIBRATE_IDENTIFIABILITY_H

#include "check/calibrate/calibrate.h"

#include <gsl/gsl_matrix.h>

/* Played times come from whole events in a certain order, so that a derivative
 * needs a step in a cost's logarithm that is more than rounding. */
#define IDENTIFIABILITY_STEP 0.01

/* A cost of the fit that the rows do not tell, by its place in it, and why; -1: they tell all.
 * `effect`, the residuals' derivatives (rows x costs), is scaled to the rows' logarithms.
 * `shared` names, by cost, those that the rows do not tell apart. */
int identifiability_worst(const struct measurements *found, const struct calibration *fit,
                          gsl_matrix *effect, bool shared[COSTS], char *why, size_t size);

#endif
