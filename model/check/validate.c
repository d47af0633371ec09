#include "check/validate.h"

#include "check/baseline.h"
#include "check/predict.h"
#include "core/alloc.h"
#include "core/error.h"
#include "study/draws.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1
#define SHIFTS 4

static double percent(double value, double of)
{
    return 100 * (value / of - 1);
}

/* --- a host's costs under every draw --- */

struct drawn {
    const struct platform *platform;
    double (*values)[COSTS];
};

struct drawing {
    const struct published_set *set, *fitted; /* in which to look for a host's fit rows */
    struct discrepancy off;
    uint64_t draws;
    struct drawn *hosts;
    size_t count;
};

static bool find_fit(const struct drawing *drawing, const char *host, struct fit *fit,
                     struct error *err)
{
    return fit_standing(drawing->set, host, fit, err) ||
           (fit->costs == 0 && fit_standing(drawing->fitted, host, fit, err));
}

static bool follow_fit(const struct drawing *drawing, const char *host, double (*points)[COSTS],
                       double (*values)[COSTS], struct error *err)
{
    struct fit fit;
    bool ok = true;
    if (!find_fit(drawing, host, &fit, err)) {
        return fit.costs == 0; /* no rows tell its costs: their ranges stand */
    }
    if (!fit.told) {
        return true;
    }
#pragma omp parallel for schedule(dynamic)
    for (uint64_t i = 0; i < drawing->draws; i++) {
        struct error own;
        if (!fit_draw(&fit, points[i], values[i], &own)) {
#pragma omp critical
            {
                ok = false;
                *err = own;
            }
        }
    }
    return ok;
}

static bool draw_host(struct drawing *drawing, const struct published *row, struct error *err)
{
    struct draw_plan plan = {.seed = SEED, .draws = drawing->draws, .shifts = SHIFTS};
    struct drawn *made = &drawing->hosts[drawing->count++];
    double(*points)[COSTS] = alloc_zeroed(drawing->draws, sizeof *points, "values of a validation");
    *made = (struct drawn){row->platform, alloc_zeroed(drawing->draws, sizeof *made->values,
                                                       "values of a validation")};
    draw_points(&plan, row->platform->name, points);
    draw_costs(&plan, row->platform, made->values);
    bool ok = follow_fit(drawing, row->host, points, made->values, err);
    free(points);
    return ok;
}

/* Rows on one host are under the same draws. NULL where a fit row gets stuck. */
static const struct drawn *drawn_for(struct drawing *drawing, const struct published *row,
                                     struct error *err)
{
    for (size_t i = 0; i < drawing->count; i++) {
        if (drawing->hosts[i].platform == row->platform) {
            return &drawing->hosts[i];
        }
    }
    return draw_host(drawing, row, err) ? &drawing->hosts[drawing->count - 1] : NULL;
}

static void drawing_free(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++) {
        free(drawing->hosts[i].values);
    }
    free(drawing->hosts);
}

/* --- rows --- */

/* The row's time under every draw, sorted. */
static bool sorted_times(const struct published *row, const struct drawn *drawn, uint64_t draws,
                         double *times, struct error *err)
{
    bool ok = true;
#pragma omp parallel for schedule(dynamic)
    for (uint64_t i = 0; i < draws; i++) {
        struct error own;
        if (!predict_ps(row, drawn->values[i], &times[i], &own)) {
#pragma omp critical
            {
                ok = false;
                *err = own;
            }
        }
    }
    gsl_sort(times, 1, draws);
    return ok;
}

static double quantile(const struct published *row, uint64_t draws, const double *times, double q)
{
    return gsl_stats_quantile_from_sorted_data(times, 1, draws, q) / row->unit_ps;
}

/* A band's half, as a factor: that of the draws, with what the model is off by and
 * what the published figure lost in rounding. */
static double widened(double factor, const struct published *row, struct discrepancy off)
{
    const double q = 0.9;
    double unit = off.freedom > 0 ? gsl_cdf_tdist_Pinv(q, off.freedom) : gsl_cdf_ugaussian_Pinv(q);
    double rounding = gsl_cdf_ugaussian_Pinv(q) * row->rounding / sqrt(3); /* evenly spread */
    return exp(hypot(hypot(log(factor), unit * off.sd), rounding));
}

static bool predict_row(const struct published_set *set, const struct published *row,
                        struct drawing *drawing, double *times, struct prediction *made,
                        struct error *err)
{
    uint64_t draws = drawing->draws;
    const struct drawn *drawn = drawn_for(drawing, row, err);
    if (!drawn || !sorted_times(row, drawn, draws, times, err)) {
        return false;
    }
    double low = quantile(row, draws, times, 0.1), high = quantile(row, draws, times, 0.9);
    made->p50 = quantile(row, draws, times, 0.5);
    made->p10 = made->p50 / widened(made->p50 / low, row, drawing->off);
    made->p90 = made->p50 * widened(high / made->p50, row, drawing->off);
    made->error_pct = percent(made->p50, row->value);
    made->inside = row->value >= made->p10 && row->value <= made->p90;
    made->has_line = baseline_predict(set, row, &made->line);
    made->line_error_pct = percent(made->line, row->value);
    return true;
}

bool validate(const struct published_set *set, const struct published_set *fitted, uint64_t draws,
              struct validation *validation, struct error *err)
{
    double *times = alloc_zeroed(draws, sizeof *times, "values of a validation");
    struct drawing drawing = {.set = set, .fitted = fitted, .draws = draws};
    drawing.hosts =
        alloc_zeroed(set->platform_count, sizeof *drawing.hosts, "values of a validation");
    *validation = (struct validation){
        set, alloc_zeroed(set->count, sizeof *validation->rows, "values of a validation"), {0, 0}};
    bool ok = fit_discrepancy(fitted, &drawing.off, err);
    validation->off = drawing.off;
    for (size_t i = 0; ok && i < set->count; i++) {
        if (set->rows[i].refusal[0] == '\0') {
            ok = predict_row(set, &set->rows[i], &drawing, times, &validation->rows[i], err);
        }
    }
    drawing_free(&drawing);
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
    double *bands = alloc_zeroed(set->count, sizeof *bands, "values of a validation");
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
