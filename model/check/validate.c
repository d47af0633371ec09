#include "check/validate.h"

#include "check/baseline.h"
#include "check/fit.h"
#include "check/predict.h"
#include "study/draws.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1
#define SHIFTS 4

static void *array_of(size_t count, size_t size)
{
    void *array = calloc(count ? count : 1, size);
    if (!array) {
        die("out of memory for a validation");
    }
    return array;
}

static double percent(double value, double of)
{
    return 100 * (value / of - 1);
}

/* The row's time under every draw, sorted. */
static bool sorted_times(const struct published *row, uint64_t draws, double *times,
                         struct error *err)
{
    double(*values)[COSTS] = array_of(draws, sizeof *values);
    struct draw_plan plan = {.seed = SEED, .draws = draws, .shifts = SHIFTS};
    bool ok = true;
    draw_costs(&plan, row->platform, values);
#pragma omp parallel for schedule(dynamic)
    for (uint64_t i = 0; i < draws; i++) {
        struct error own;
        if (!predict_ps(row, values[i], &times[i], &own)) {
#pragma omp critical
            {
                ok = false;
                *err = own;
            }
        }
    }
    free(values);
    gsl_sort(times, 1, draws);
    return ok;
}

static double quantile(const struct published *row, uint64_t draws, const double *times, double q)
{
    return gsl_stats_quantile_from_sorted_data(times, 1, draws, q) / row->unit_ps;
}

/* A band's half, as a factor, with the measured row's own error in it. */
static double widened(double factor)
{
    const double z90 = 1.2816; /* of the normal distribution */
    return exp(hypot(log(factor), z90 * ROW_ERROR));
}

static bool predict_row(const struct published_set *set, const struct published *row,
                        uint64_t draws, double *times, struct prediction *made, struct error *err)
{
    if (!sorted_times(row, draws, times, err)) {
        return false;
    }
    made->p50 = quantile(row, draws, times, 0.5);
    made->p10 = made->p50 / widened(made->p50 / quantile(row, draws, times, 0.1));
    made->p90 = made->p50 * widened(quantile(row, draws, times, 0.9) / made->p50);
    made->error_pct = percent(made->p50, row->value);
    made->inside = row->value >= made->p10 && row->value <= made->p90;
    made->has_line = baseline_predict(set, row, &made->line);
    made->line_error_pct = percent(made->line, row->value);
    return true;
}

bool validate(const struct published_set *set, uint64_t draws, struct validation *validation,
              struct error *err)
{
    double *times = array_of(draws, sizeof *times);
    bool ok = true;
    *validation = (struct validation){set, array_of(set->count, sizeof *validation->rows)};
    for (size_t i = 0; ok && i < set->count; i++) {
        if (set->rows[i].refusal[0] == '\0') {
            ok = predict_row(set, &set->rows[i], draws, times, &validation->rows[i], err);
        }
    }
    free(times);
    if (!ok) {
        validation_free(validation);
    }
    return ok;
}

void validation_free(struct validation *validation)
{
    free(validation->rows);
    validation->rows = NULL;
}

/* --- scores --- */

static void count_row(struct score *score, const struct prediction *made, double *band)
{
    double error = fabs(made->error_pct), line = fabs(made->line_error_pct);
    band[score->rows++] = made->p10 > 0 ? made->p90 / made->p10 : INFINITY;
    score->inside += made->inside;
    score->mean_pct += error;
    score->worst_pct = fmax(score->worst_pct, error);
    if (made->has_line) {
        score->lines++;
        score->line_mean_pct += line;
        score->line_worst_pct = fmax(score->line_worst_pct, line);
        score->lost += line < error;
    }
}

struct score validation_score(const struct validation *validation, const char *table)
{
    const struct published_set *set = validation->set;
    double *bands = array_of(set->count, sizeof *bands);
    struct score score = {0};
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (table && strcmp(row->table, table) != 0) {
            continue;
        }
        if (row->refusal[0] != '\0') {
            score.refused++;
        } else if (row->role == ROLE_PREDICT) {
            count_row(&score, &validation->rows[i], bands);
        }
    }
    if (score.rows > 0) {
        gsl_sort(bands, 1, score.rows);
        score.band = gsl_stats_median_from_sorted_data(bands, 1, score.rows);
        score.mean_pct /= (double)score.rows;
    }
    if (score.lines > 0) {
        score.line_mean_pct /= (double)score.lines;
    }
    free(bands);
    return score;
}
