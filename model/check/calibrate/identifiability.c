/* What measurements tell of costs, and what they cannot tell apart. */
#include "check/calibrate/identifiability.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

/* A row whose logarithm moves by less than that with a cost's does not depend on
 * it; and costs whose effects on all rows agree to this degree are one. */
#define MIN_EFFECT 0.002
#define MAX_CONDITION 300

/* A cost that moves no row, as its place in the fit; -1: none. */
static int without_effect(const gsl_matrix *effect)
{
    for (size_t i = 0; i < effect->size2; i++) {
        double max = 0;
        for (size_t row = 0; row < effect->size1; row++) {
            max = fmax(max, fabs(gsl_matrix_get(effect, row, i)));
        }
        if (max < MIN_EFFECT) {
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
    double smallest = gsl_vector_get(singular, p - 1);
    double condition = smallest > 0 ? gsl_vector_get(singular, 0) / smallest : INFINITY;
    gsl_matrix_free(u);
    gsl_matrix_free(v);
    gsl_vector_free(singular);
    gsl_vector_free(work);
    return condition;
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

int identifiability_worst(const struct measurements *found, const struct calibration *fit,
                          gsl_matrix *effect, bool shared[COSTS], char *why, size_t size)
{
    double part[COSTS] = {0};
    char names[400] = "";
    /* The effects are of residuals; what counts is by how much a row's logarithm moves. */
    for (size_t row = 0; row < effect->size1; row++) {
        gsl_vector_view moves = gsl_matrix_row(effect, row);
        gsl_vector_scale(&moves.vector, found->rows[row].off);
    }
    int idle = without_effect(effect);
    if (idle >= 0) {
        enum cost_id id = fit->id[idle];
        /* Cores that never filled a shared path still say how narrow it can be at most. */
        bool driven = fit->value[idle] < fit->before[idle] / 10;
        if (!measurements_path_limit(found, id, why, size)) {
            snprintf(why, size, "%s: %s", cost_name[id],
                     driven ? "the rows are faster than it allows, and drive it to nothing"
                            : "no row depends on it");
        }
        return idle;
    }
    double condition = weakest(effect, part);
    if (fit->costs <= found->count && condition < MAX_CONDITION) {
        return -1;
    }
    size_t last = name_parts(fit, part, shared, names, sizeof names);
    if (fit->costs > found->count) {
        snprintf(why, size, "%.150s: %zu costs for %zu rows", names, fit->costs, found->count);
    } else {
        snprintf(why, size, "%.150s: the rows do not tell them apart", names);
    }
    return (int)last;
}
