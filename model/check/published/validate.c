#include "check/published/validate.h"

#include "check/published/baseline.h"
#include "check/published/predict_draws.h"
#include "core/alloc.h"
#include "core/error.h"
#include "study/draws.h"
#include "study/stats.h"
#include "study/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1
#define SHIFTS 4
#define Z10 1.2816 /* standard deviations from the median to the 10th or 90th percentile */
#define STEP 1.1 /* by which a kind of cost is made larger to see how the time follows */

/* Before the draws come the modes, and these with each misfit a step up. */
#define FURTHER (1 + (size_t)MISFITS)

/* A row of which the draws' logarithms have a larger standard deviation than this is predicted with
 * so many times the draws, the first among them: of 32 the median is off by 5 % then, of 256 by
 * 2 %. */
#define SPREAD_WIDE 0.25
#define WIDE_DRAWS 8

static const char what_for[] = "values of a validation";

static double percent(double value, double of)
{
    return 100 * (value / of - 1);
}

/* --- a host's costs under every draw --- */

struct drawn {
    const struct published *row; /* one on that host */
    double (*values)[COSTS]; /* [FURTHER + draws] */
};

struct drawing {
    const struct published_set *set, *fitted; /* in which to look for a host's fit rows */
    const struct misfit_rows *misfits; /* as the program has them */
    uint64_t draws;
    const bool *wanted; /* [set->count]; NULL: all rows */
    struct drawn *hosts;
    size_t count;
    struct drawn_times *times; /* [set->count] */
    const struct drawing *before; /* with fewer draws, the first of these, for these rows and
                                     others; or NULL */
};

static bool is_wanted(const struct drawing *drawing, size_t row)
{
    return drawing->set->rows[row].refusal[0] == '\0' && (!drawing->wanted || drawing->wanted[row]);
}

/* All but the model's error, which comes on top of what the draws say; FURTHER before them. */
static void complete_values(const struct platform *platform, uint64_t draws,
                            double (*values)[COSTS])
{
    for (size_t i = 0; i < FURTHER; i++) {
        platform_modes(platform, values[i]);
    }
    for (size_t kind = 0; kind < MISFITS; kind++) {
        for (uint64_t i = 0; i < FURTHER + draws; i++) {
            values[i][misfit_cost[kind]] = i == 1 + kind ? STEP : 1;
        }
    }
}

/* The draws of a host whose fitted costs follow its fit rows. Where no rows say anything of its
 * costs their ranges stand. */
static bool follow_fit(const struct drawing *drawing, const char *host, double (*points)[COSTS],
                       double (*values)[COSTS], struct error *err)
{
    struct host_fit *fit = alloc_zeroed(1, sizeof *fit, what_for);
    bool found = host_fit_standing(drawing->set, host, fit, err) ||
                 (fit->costs == 0 && host_fit_standing(drawing->fitted, host, fit, err));
    bool ok =
        found ? !fit->identified ||
                    host_fit_draws(fit, drawing->draws, (const double(*)[COSTS])points, values, err)
              : fit->costs == 0;
    free(fit);
    return ok;
}

/* NULL: none yet. */
static struct drawn *drawn_for(const struct drawing *drawing, const struct published *row)
{
    size_t i = 0;
    while (i < drawing->count && drawing->hosts[i].row->platform != row->platform) {
        i++;
    }
    return i < drawing->count ? &drawing->hosts[i] : NULL;
}

/* Where a draw of a plan stands: those that a plan of `first` draws has as well come first. */
static size_t place_of(size_t draw, size_t draws, size_t first)
{
    size_t each = draws / SHIFTS, own = first / SHIFTS;
    size_t shift = draw / each, at = draw % each;
    return at < own ? shift * own + at : first + shift * (each - own) + at - own;
}

static void place_draws(const struct drawing *drawing, const struct platform *platform,
                        double (*points)[COSTS], double (*values)[COSTS])
{
    size_t draws = drawing->draws, first = drawing->before ? drawing->before->draws : draws;
    struct draw_plan plan = {.seed = SEED, .draws = draws, .shifts = SHIFTS};
    double(*drawn)[COSTS] = alloc_zeroed(draws, sizeof *drawn, what_for);
    draw_points(&plan, platform->name, drawn);
    for (size_t i = 0; i < draws; i++) {
        size_t place = place_of(i, draws, first);
        memcpy(points[place], drawn[i], sizeof *points);
        draw_at(platform, drawn[i], values[place]);
    }
    free(drawn);
}

/* Rows on one host are under the same draws. */
static bool draw_host(void *context, size_t part, struct error *err)
{
    const struct drawing *drawing = context;
    const struct drawn *made = &drawing->hosts[part];
    const struct published *row = made->row;
    double(*points)[COSTS] = alloc_zeroed(drawing->draws, sizeof *points, what_for);
    place_draws(drawing, row->platform, points, made->values + FURTHER);
    complete_values(row->platform, drawing->draws, made->values);
    bool ok = follow_fit(drawing, row->host, points, made->values + FURTHER, err);
    if (drawing->before) {
        /* What has been played of them is at these very costs. */
        memcpy(made->values, drawn_for(drawing->before, row)->values,
               (FURTHER + drawing->before->draws) * sizeof *made->values);
    }
    free(points);
    return ok;
}

static void find_hosts(struct drawing *drawing)
{
    const struct published_set *set = drawing->set;
    drawing->count = 0;
    drawing->hosts = alloc_zeroed(set->platform_count, sizeof *drawing->hosts, what_for);
    drawing->times = alloc_zeroed(set->count, sizeof *drawing->times, what_for);
    for (size_t i = 0; i < set->count; i++) {
        if (is_wanted(drawing, i) && !drawn_for(drawing, &set->rows[i])) {
            struct drawn *made = &drawing->hosts[drawing->count++];
            *made = (struct drawn){&set->rows[i], alloc_zeroed(FURTHER + drawing->draws,
                                                               sizeof *made->values, what_for)};
        }
    }
}

static void drawing_free(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++) {
        free(drawing->hosts[i].values);
    }
    for (size_t i = 0; i < drawing->set->count; i++) {
        drawn_times_free(&drawing->times[i]);
    }
    free(drawing->hosts);
    free(drawing->times);
}

/* --- rows --- */

/* A band's half, as a factor: that of the draws, with what the model is off by and
 * what the published figure itself is off by. */
static double widened(double factor, const struct published *row, double off)
{
    return exp(hypot(hypot(log(factor), Z10 * off), Z10 * row->error));
}

/* The standard deviation of the row's logarithm that the model's error makes, as the other tables
 * have it. */
static double misfit_of(const struct published *row, const struct prediction *made,
                        const struct misfit_rows *misfits)
{
    double deviation[MISFITS], square = 0;
    misfit_deviations(misfits, row->table, deviation);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        square += made->share[kind] * made->share[kind] * deviation[kind] * deviation[kind];
    }
    return sqrt(square);
}

/* From the times at FURTHER costs and at the draws'. */
static void take_times(const struct published *row, const double *times, uint64_t draws,
                       const struct misfit_rows *misfits, struct prediction *made)
{
    /* Quantiles change the order, in which another row may be fitted to these. */
    double *drawn = alloc_zeroed(draws, sizeof *drawn, what_for);
    memcpy(drawn, times + FURTHER, draws * sizeof *drawn);
    double sorted[3] = {stats_quantile(drawn, draws, 0.1), stats_quantile(drawn, draws, 0.5),
                        stats_quantile(drawn, draws, 0.9)};
    free(drawn);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        made->share[kind] = fmax(0, log(times[1 + kind] / times[0]) / log(STEP));
    }
    double off = misfit_of(row, made, misfits);
    made->spread = log(sorted[2] / sorted[0]) / (2 * Z10);
    made->p50 = sorted[1] / row->unit_ps;
    made->p10 = made->p50 / widened(sorted[1] / sorted[0], row, off);
    made->p90 = made->p50 * widened(sorted[2] / sorted[1], row, off);
    made->error_pct = percent(made->p50, row->value);
    made->inside = (row->bound == BOUND_ABOVE || row->value >= made->p10) &&
                   (row->bound == BOUND_BELOW || row->value <= made->p90);
}

struct predicting {
    struct drawing drawing;
    struct validation *validation;
};

/* Rows that differ in the number of vCPUs or in size alone: where many wait for one thing their
 * times keep their ratios. */
static bool alike(const struct published *a, const struct published *b)
{
    const struct benchmark *x = &a->benchmarked, *y = &b->benchmarked;
    return a->platform == b->platform && x->kind == y->kind && x->phase == y->phase &&
           x->backing == y->backing && x->stride == y->stride && x->eager_split == y->eager_split &&
           memcmp(a->kernel.value, b->kernel.value, sizeof a->kernel.value) == 0 &&
           strcmp(a->strategy.name, b->strategy.name) == 0 &&
           a->strategy.fault_cleans == b->strategy.fault_cleans;
}

/* The same thing under the same conditions, measured twice. */
static bool same(const struct published *a, const struct published *b)
{
    return alike(a, b) && a->benchmarked.vcpus == b->benchmarked.vcpus &&
           a->benchmarked.bytes == b->benchmarked.bytes;
}

/* The times that a drawing already has of a row's first so many draws. */
static void copy_times(const struct drawn_times *from, size_t draws, struct drawn_times *times)
{
    memcpy(times->ps, from->ps, draws * sizeof *times->ps);
    memcpy(times->known, from->known, draws * sizeof *times->known);
    times->off = from->off;
}

/* `behind`: a row like it whose times are there, or SIZE_MAX. */
static bool time_row(const struct drawing *drawing, size_t at, size_t behind, struct error *err)
{
    const struct published *row = &drawing->set->rows[at];
    const struct drawn_times *other = behind < SIZE_MAX ? &drawing->times[behind] : NULL;
    struct drawn_times *times = &drawing->times[at];
    size_t runs = FURTHER + drawing->draws;
    drawn_times_alloc(times, runs);
    if (other && same(row, &drawing->set->rows[behind])) {
        copy_times(other, runs, times);
        return true;
    }
    if (drawing->before) {
        copy_times(&drawing->before->times[at], FURTHER + drawing->before->draws, times);
    }
    return predict_draws(row, (const double(*)[COSTS])drawn_for(drawing, row)->values, runs, other,
                         times, err);
}

static void predict_row(const struct predicting *predicting, size_t at)
{
    const struct drawing *drawing = &predicting->drawing;
    const struct published *row = &drawing->set->rows[at];
    struct prediction *made = &predicting->validation->rows[at];
    take_times(row, drawing->times[at].ps, drawing->draws, drawing->misfits, made);
    made->has_line = baseline_predict(drawing->set, row, &made->line);
    made->line_error_pct = percent(made->line, row->value);
}

static bool is_wide(const struct prediction *made)
{
    return made->spread > SPREAD_WIDE;
}

/* Which of the rows that are like this one comes behind it, those with fewer vCPUs first, or the
 * first of them all (`behind` false); SIZE_MAX: none. */
static size_t next_alike(const struct drawing *drawing, size_t row, bool behind)
{
    const struct published *rows = drawing->set->rows;
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < drawing->set->count; i++) {
        uint64_t vcpus = rows[i].vcpus;
        bool later = !behind || vcpus > rows[row].vcpus || (vcpus == rows[row].vcpus && i > row);
        if (is_wanted(drawing, i) && later && alike(&rows[i], &rows[row]) &&
            (found == SIZE_MAX || vcpus < rows[found].vcpus)) {
            found = i;
        }
    }
    return found;
}

/* A row and those like it, one after the other. */
static bool predict_alike(void *context, size_t part, struct error *err)
{
    const struct predicting *predicting = context;
    const struct drawing *drawing = &predicting->drawing;
    if (!is_wanted(drawing, part) || next_alike(drawing, part, false) != part) {
        return true;
    }
    bool good = true;
    for (size_t row = part, behind = SIZE_MAX; good && row != SIZE_MAX;
         behind = row, row = next_alike(drawing, row, true)) {
        good = time_row(drawing, row, behind, err);
        if (good) {
            predict_row(predicting, row);
        }
    }
    /* Those of wide rows are needed again. */
    for (size_t row = part; row != SIZE_MAX; row = next_alike(drawing, row, true)) {
        if (!is_wide(&predicting->validation->rows[row])) {
            drawn_times_free(&drawing->times[row]);
        }
    }
    return good;
}

/* --- what the rows say of the model's error --- */

/* The logarithm by which a row is missed beyond what its draws and the figure's error explain. */
static double off_by(const struct published *row, const struct prediction *made)
{
    double error = log(made->p50 / row->value);
    double known = made->spread * made->spread + row->error * row->error;
    return sqrt(fmax(0, error * error - known));
}

static void take_misfits(struct validation *validation)
{
    for (size_t i = 0; i < validation->set->count; i++) {
        const struct published *row = &validation->set->rows[i];
        const struct prediction *made = &validation->rows[i];
        bool says =
            row->role == ROLE_PREDICT && row->refusal[0] == '\0' && row->bound == BOUND_NONE;
        struct misfit_row *said = says ? misfit_add(&validation->misfits) : NULL;
        if (said) {
            snprintf(said->table, sizeof said->table, "%s", row->table);
            snprintf(said->row, sizeof said->row, "%s", row->row);
            memcpy(said->share, made->share, sizeof said->share);
            said->off = off_by(row, made);
        }
    }
}

/* The rows that are wanted, under so many draws. */
static bool predict_rows(struct predicting *predicting, struct sweep *sweep, struct error *err)
{
    struct drawing *drawing = &predicting->drawing;
    return sweep_parts(sweep, drawing->count, draw_host, drawing, err) &&
           sweep_parts(sweep, drawing->set->count, predict_alike, predicting, err);
}

/* Those once more whose times are so far apart that the median of these draws says little. */
static bool predict_wide(const struct predicting *first, struct sweep *sweep, struct error *err)
{
    struct predicting predicting = *first;
    struct drawing *drawing = &predicting.drawing;
    size_t count = drawing->set->count, wide = 0;
    bool *wanted = alloc_zeroed(count, sizeof *wanted, what_for);
    for (size_t i = 0; i < count; i++) {
        wanted[i] = is_wide(&first->validation->rows[i]);
        wide += wanted[i];
    }
    bool ok = true;
    if (wide > 0) {
        drawing->wanted = wanted;
        drawing->before = &first->drawing;
        drawing->draws *= WIDE_DRAWS;
        find_hosts(drawing);
        ok = predict_rows(&predicting, sweep, err);
        drawing_free(drawing);
    }
    free(wanted);
    return ok;
}

bool validate(const struct published_set *set, const struct published_set *fitted, uint64_t draws,
              struct sweep *sweep, struct validation *validation, struct error *err)
{
    struct misfit_rows misfits;
    struct predicting first = {{.set = set, .fitted = fitted, .draws = draws, .misfits = &misfits},
                               validation};
    *validation = (struct validation){
        set, alloc_zeroed(set->count, sizeof *validation->rows, what_for), {.count = 0}};
    find_hosts(&first.drawing);
    bool ok = misfit_read(&misfits, err) && predict_rows(&first, sweep, err) &&
              predict_wide(&first, sweep, err);
    take_misfits(validation);
    drawing_free(&first.drawing);
    misfit_free(&misfits);
    if (!ok) {
        validation_free(validation);
    }
    return ok;
}

void validation_free(struct validation *validation)
{
    free(validation->rows);
    validation->rows = NULL;
    misfit_free(&validation->misfits);
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
    double *bands = alloc_zeroed(set->count, sizeof *bands, what_for);
    struct score score = {0};
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (table && strcmp(row->table, table) != 0) {
            continue;
        }
        if (row->refusal[0] != '\0') {
            score.refused++;
        } else if (row->bound != BOUND_NONE) {
            score.bounds++;
            score.bounds_kept += validation->rows[i].inside;
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
