/* Robust least squares over the rows, and what they cannot tell apart. */
#include "check/paths/paths.h"

#include "check/least_squares.h"
#include "core/error.h"
#include "kvm/kvm.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>
#include <math.h>

/* A term whose counts others make up to this share of their size adds nothing
 * that the rows could tell. Counts are whole numbers: real differences are far
 * larger, and rounding far smaller. */
#define SAME_SHARE 1e-6

/* Less than that is rounding and no share. */
#define MIN_WEIGHT 1e-5

/* The terms chosen so far, by their place in the fit. */
struct chosen {
    int term[PATH_TERMS];
    size_t count;
};

/* Rows are weighted by dividing them by what they may be off. */
static double weighted(const struct path_rows *rows, size_t row, int term)
{
    return rows->x[row][term] / rows->sigma[row];
}

static double norm_of(const struct path_rows *rows, int term)
{
    double square = 0;
    for (size_t row = 0; row < rows->count; row++) {
        square += pow(weighted(rows, row, term), 2);
    }
    return sqrt(square);
}

/* Columns of very different size would spoil the numbers; each is scaled to 1. */
static gsl_matrix *design(const struct path_rows *rows, const struct chosen *chosen)
{
    gsl_matrix *x = gsl_matrix_alloc(rows->count, chosen->count);
    for (size_t k = 0; k < chosen->count; k++) {
        double norm = norm_of(rows, chosen->term[k]);
        for (size_t row = 0; row < rows->count; row++) {
            gsl_matrix_set(x, row, k, weighted(rows, row, chosen->term[k]) / norm);
        }
    }
    return x;
}

/* Whether the chosen terms make a further one up; then with which shares. */
static bool made_up(const struct path_rows *rows, const struct chosen *chosen, int term,
                    double carried_by[PATH_TERMS])
{
    if (chosen->count == 0 || chosen->count >= rows->count) {
        return chosen->count > 0;
    }
    double norm = norm_of(rows, term), square = 0;
    gsl_matrix *x = design(rows, chosen);
    gsl_vector *y = gsl_vector_alloc(rows->count), *c = gsl_vector_alloc(chosen->count);
    gsl_matrix *covariance = gsl_matrix_alloc(chosen->count, chosen->count);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(rows->count, chosen->count);
    for (size_t row = 0; row < rows->count; row++) {
        gsl_vector_set(y, row, weighted(rows, row, term) / norm);
    }
    gsl_multifit_linear(x, y, c, covariance, &square, work);
    bool same = sqrt(fmax(0, square)) < SAME_SHARE;
    for (size_t k = 0; same && k < chosen->count; k++) {
        double weight = gsl_vector_get(c, k);
        double share = weight * norm / norm_of(rows, chosen->term[k]);
        carried_by[chosen->term[k]] = fabs(weight) > MIN_WEIGHT ? share : 0;
    }
    gsl_multifit_linear_free(work);
    gsl_matrix_free(covariance);
    gsl_matrix_free(x);
    gsl_vector_free(y);
    gsl_vector_free(c);
    return same;
}

/* In the order of the table, so that what comes first carries what comes later. */
static void choose(const struct path_rows *rows, struct path_fit *fit, struct chosen *chosen)
{
    for (int term = 0; term < PATH_TERMS; term++) {
        struct path_estimate *estimate = &fit->term[term];
        for (size_t row = 0; row < rows->count; row++) {
            estimate->rows += rows->x[row][term] != 0;
        }
        if (estimate->rows > 0 && !made_up(rows, chosen, term, estimate->carried_by)) {
            estimate->fitted = true;
            chosen->term[chosen->count++] = term;
        }
    }
}

static void read_off(const struct path_rows *rows, const struct chosen *chosen, const gsl_vector *c,
                     const gsl_matrix *covariance, struct path_fit *fit)
{
    for (size_t i = 0; i < chosen->count; i++) {
        int a = chosen->term[i];
        fit->term[a].insns = gsl_vector_get(c, i) / norm_of(rows, a);
        fit->term[a].standard_error = sqrt(gsl_matrix_get(covariance, i, i)) / norm_of(rows, a);
        for (size_t k = 0; k < chosen->count; k++) {
            int b = chosen->term[k];
            fit->covariance[a][b] =
                gsl_matrix_get(covariance, i, k) / norm_of(rows, a) / norm_of(rows, b);
        }
    }
}

static double fitted_insns(const struct path_rows *rows, const struct path_fit *fit, size_t row)
{
    double sum = 0;
    for (int term = 0; term < PATH_TERMS; term++) {
        sum += fit->term[term].fitted ? rows->x[row][term] * fit->term[term].insns : 0;
    }
    return sum;
}

/* A row of less than half weight holds a tick, or something else of the host's. */
static void judge_rows(const struct path_rows *rows, const gsl_vector *weights,
                       struct path_fit *fit)
{
    for (size_t row = 0; row < rows->count; row++) {
        double off = 100 * fabs(fitted_insns(rows, fit, row) / rows->y[row] - 1);
        bool disturbed = gsl_vector_get(weights, row) < 0.5;
        fit->disturbed += disturbed;
        if (off >= fit->max_pct) {
            fit->max_pct = off;
            fit->max_row = rows->row[row];
        }
        if (!disturbed && off >= fit->max_clean_pct) {
            fit->max_clean_pct = off;
            fit->max_clean_row = rows->row[row];
        }
        for (int term = 0; term < PATH_TERMS && !disturbed; term++) {
            if (rows->x[row][term] != 0) {
                fit->term[term].max_pct = fmax(fit->term[term].max_pct, off);
            }
        }
    }
}

static bool solve(const struct path_rows *rows, const struct chosen *chosen, struct path_fit *fit,
                  struct error *err)
{
    gsl_matrix *x = design(rows, chosen);
    gsl_matrix *covariance = gsl_matrix_alloc(chosen->count, chosen->count);
    gsl_vector *y = gsl_vector_alloc(rows->count), *weights = gsl_vector_alloc(rows->count);
    gsl_vector *c = gsl_vector_alloc(chosen->count);
    for (size_t row = 0; row < rows->count; row++) {
        gsl_vector_set(y, row, rows->y[row] / rows->sigma[row]);
    }
    int status = least_squares_robust(x, y, c, covariance, weights);
    if (status == GSL_SUCCESS) {
        read_off(rows, chosen, c, covariance, fit);
        judge_rows(rows, weights, fit);
    }
    gsl_matrix_free(x);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(weights);
    gsl_vector_free(c);
    return status == GSL_SUCCESS || error_run(err, "fit of path lengths: %s", gsl_strerror(status));
}

bool path_fit(const struct path_rows *rows, struct path_fit *fit, struct error *err)
{
    struct chosen chosen = {.count = 0};
    *fit = (struct path_fit){.rows = rows->count};
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    choose(rows, fit, &chosen);
    fit->terms = chosen.count;
    bool enough = chosen.count > 0 && rows->count > chosen.count;
    bool good = enough ? solve(rows, &chosen, fit, err)
                       : error_input(err, NULL,
                                     "found %zu rows with instructions of kernel " PATHS_KERNEL
                                     ", expected more than the %zu terms to fit",
                                     rows->count, chosen.count);
    gsl_set_error_handler(handler);
    return good;
}

bool path_sum(const struct path_fit *fit, const double weight[PATH_TERMS], double *insns,
              double *standard_error)
{
    double variance = 0;
    *insns = 0;
    for (int a = 0; a < PATH_TERMS; a++) {
        if (weight[a] != 0 && !fit->term[a].fitted) {
            return false;
        }
        *insns += weight[a] * fit->term[a].insns;
        for (int b = 0; b < PATH_TERMS; b++) {
            variance += weight[a] * weight[b] * fit->covariance[a][b];
        }
    }
    *standard_error = sqrt(fmax(0, variance));
    return true;
}

/* One term as model/kvm/paths.c has it, with what is charged in ns. */
static double stands_alone(const struct path_term *term, const double insns[EVENT_KINDS], bool vhe)
{
    double sum = term->outside;
    sum += vhe ? term->traps * PATH_SWITCH_INSNS + term->tlbis * PATH_TLBI_INSNS : 0;
    for (int i = 0; i < PATH_PARTS && term->stands[i].times != 0; i++) {
        sum += term->stands[i].times * insns[term->stands[i].kind];
    }
    return sum;
}

bool path_stands(const struct path_fit *fit, enum path_world world, int term, double *insns)
{
    double length[EVENT_KINDS];
    bool vhe = world != WORLD_NVHE;
    if (!fit->term[term].fitted || path_terms[term].standing != STANDS) {
        return false;
    }
    kvm_path_lengths(vhe, length);
    *insns = stands_alone(&path_terms[term], length, vhe);
    for (int i = 0; i < PATH_TERMS; i++) {
        const struct path_term *other = &path_terms[i];
        double share = fit->term[i].carried_by[term];
        if (share != 0 && other->standing == STANDS_ELSEWHERE && other->outside == 0) {
            return false;
        }
        if (share != 0 && other->standing != STANDS_WITHIN) {
            *insns += share * stands_alone(other, length, vhe);
        }
    }
    return true;
}
