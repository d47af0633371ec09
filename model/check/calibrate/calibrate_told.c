/* What measurements tell of costs, and what they cannot tell apart. */
#include "check/calibrate/calibrate_parts.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

/* A row whose logarithm moves by less than that with a cost's does not depend on
 * it; and costs whose effects on all rows agree to this degree are one. */
#define LEAST_EFFECT 0.002
#define WORST_CONDITION 300

/* By central differences. */
bool calibrate_effects(struct calibrate_problem *problem, const gsl_vector *x, gsl_matrix *effect)
{
    size_t n = problem->found->count;
    gsl_vector *moved = gsl_vector_alloc(x->size);
    gsl_vector *above = gsl_vector_alloc(n), *below = gsl_vector_alloc(n);
    bool good = true;
    for (size_t i = 0; good && i < x->size; i++) {
        gsl_vector_memcpy(moved, x);
        gsl_vector_set(moved, i, gsl_vector_get(x, i) + CALIBRATE_STEP);
        good = calibrate_residuals(moved, problem, above) == GSL_SUCCESS;
        gsl_vector_set(moved, i, gsl_vector_get(x, i) - CALIBRATE_STEP);
        good = good && calibrate_residuals(moved, problem, below) == GSL_SUCCESS;
        for (size_t row = 0; good && row < n; row++) {
            double difference = gsl_vector_get(above, row) - gsl_vector_get(below, row);
            gsl_matrix_set(effect, row, i,
                           difference / (2 * CALIBRATE_STEP) * problem->found->rows[row].off);
        }
    }
    gsl_vector_free(moved);
    gsl_vector_free(above);
    gsl_vector_free(below);
    return good;
}

/* A cost that moves no row, as its place in the fit; -1: none. */
static int without_effect(const gsl_matrix *effect)
{
    for (size_t i = 0; i < effect->size2; i++) {
        double most = 0;
        for (size_t row = 0; row < effect->size1; row++) {
            most = fmax(most, fabs(gsl_matrix_get(effect, row, i)));
        }
        if (most < LEAST_EFFECT) {
            return (int)i;
        }
    }
    return -1;
}

/* The combination of costs that moves the rows least, with all costs' effects
 * scaled to one size, and how many times less that is than the most. */
static double weakest(const gsl_matrix *effect, double part[COSTS])
{
    size_t p = effect->size2, n = effect->size1 > p ? effect->size1 : p;
    gsl_matrix *u = gsl_matrix_calloc(n, p), *v = gsl_matrix_alloc(p, p);
    gsl_vector *singular = gsl_vector_alloc(p), *work = gsl_vector_alloc(p);
    for (size_t i = 0; i < p; i++) {
        gsl_vector_const_view column = gsl_matrix_const_column(effect, i);
        double norm = gsl_blas_dnrm2(&column.vector);
        for (size_t row = 0; row < effect->size1; row++) {
            gsl_matrix_set(u, row, i, gsl_matrix_get(effect, row, i) / norm);
        }
    }
    gsl_linalg_SV_decomp(u, v, singular, work);
    for (size_t i = 0; i < p; i++) {
        part[i] = gsl_matrix_get(v, i, p - 1);
    }
    double least = gsl_vector_get(singular, p - 1);
    double condition = least > 0 ? gsl_vector_get(singular, 0) / least : INFINITY;
    gsl_matrix_free(u);
    gsl_matrix_free(v);
    gsl_vector_free(singular);
    gsl_vector_free(work);
    return condition;
}

/* Cores that never filled a shared path still say how narrow it can be at most. */
static void name_idle(const struct measurements *found, enum cost_id id, char *why, size_t size)
{
    if (id == COST_cmo_path_ns && found->cmo_path_most_ns > 0) {
        snprintf(why, size, "cmo_path_ns: no row waits for it, so it is at most %.3g ns",
                 found->cmo_path_most_ns);
    } else if (id == COST_writeback_gbps && found->writeback_least_gbps > 0) {
        snprintf(why, size, "writeback_gbps: no row waits for it, so it is at least %.3g GB/s",
                 found->writeback_least_gbps);
    } else {
        snprintf(why, size, "%s: no row depends on it", cost_name[id]);
    }
}

/* Names the costs that have a part in it; returns the last of them. */
static size_t name_parts(const struct calibration *fit, const double part[COSTS],
                         bool shared[COSTS], char *text, size_t size)
{
    size_t used = 0, last = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        if (fabs(part[i]) > 0.2 && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     cost_name[fit->id[i]]);
            shared[fit->id[i]] = true;
            last = i;
        }
    }
    return last;
}

int calibrate_not_told(const struct calibrate_problem *problem, const gsl_matrix *effect,
                       bool shared[COSTS], char *why, size_t size)
{
    const struct calibration *fit = problem->fit;
    double part[COSTS] = {0};
    char names[400] = "";
    int idle = without_effect(effect);
    if (idle >= 0) {
        name_idle(problem->found, fit->id[idle], why, size);
        return idle;
    }
    double condition = weakest(effect, part);
    if (fit->costs <= problem->found->count && condition < WORST_CONDITION) {
        return -1;
    }
    size_t last = name_parts(fit, part, shared, names, sizeof names);
    if (fit->costs > problem->found->count) {
        snprintf(why, size, "%.150s: %zu costs for %zu rows", names, fit->costs,
                 problem->found->count);
    } else {
        snprintf(why, size, "%.150s: the rows do not tell them apart", names);
    }
    return (int)last;
}
