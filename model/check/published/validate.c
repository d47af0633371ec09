#include "check/published/validate.h"

#include "check/published/baseline.h"
#include "check/published/predict.h"
#include "core/alloc.h"
#include "core/error.h"
#include "study/draws.h"
#include "study/stats.h"
#include "study/sweep.h"

#include <gsl/gsl_cdf.h>
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

/* The draws of a host whose fitted costs follow its fit rows. */
struct following {
    struct host_fit fit;
    double (*points)[COSTS], (*values)[COSTS];
};

static bool follow_draw(void *context, size_t draw, struct error *err)
{
    const struct following *following = context;
    return host_fit_draw(&following->fit, following->points[draw], following->values[draw], err);
}

static bool follow_fit(const struct drawing *drawing, const char *host, double (*points)[COSTS],
                       double (*values)[COSTS], struct error *err)
{
    struct following *following = alloc_zeroed(1, sizeof *following, "values of a validation");
    struct host_fit *fit = &following->fit;
    following->points = points;
    following->values = values;
    bool found = host_fit_standing(drawing->set, host, fit, err) ||
                 (fit->costs == 0 && host_fit_standing(drawing->fitted, host, fit, err));
    /* Where no rows say anything of its costs their ranges stand. */
    bool ok = found ? !fit->identified || sweep_parts(&(struct sweep){0}, drawing->draws,
                                                      follow_draw, following, err)
                    : fit->costs == 0;
    free(following);
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

/* The row's time under every draw. */
struct timing {
    const struct published *row;
    const struct drawn *drawn;
    double *times;
};

static bool time_draw(void *context, size_t draw, struct error *err)
{
    const struct timing *timing = context;
    return predict_ps(timing->row, timing->drawn->values[draw], &timing->times[draw], err);
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
    struct timing timing = {row, drawn, times};
    if (!drawn || !sweep_parts(&(struct sweep){0}, draws, time_draw, &timing, err)) {
        return false;
    }
    double low = stats_quantile(times, draws, 0.1) / row->unit_ps;
    double high = stats_quantile(times, draws, 0.9) / row->unit_ps;
    made->p50 = stats_quantile(times, draws, 0.5) / row->unit_ps;
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
    bool ok = host_fit_discrepancy(fitted, &drawing.off, err);
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
    score->max_pct = fmax(score->max_pct, error);
    if (made->has_line) {
        score->lines++;
        score->line_mean_pct += line;
        score->line_max_pct = fmax(score->line_max_pct, line);
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
        score.band = stats_quantile(bands, score.rows, 0.5);
        score.mean_pct /= (double)score.rows;
    }
    if (score.lines > 0) {
        score.line_mean_pct /= (double)score.lines;
    }
    free(bands);
    return score;
}
