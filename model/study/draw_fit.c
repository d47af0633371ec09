#include "study/draw_fit.h"

#include "core/alloc.h"
#include "core/units.h"
#include "machine/price.h"
#include "study/ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char what_for[] = "values of a fit";

/* Kinds of events, four shared paths, how late, and each timeline. */
enum { PATH_LINES = EVENT_KINDS, PATH_WRITEBACK, PATH_ZERO, PATH_TLBI, LATE, TIMELINE };
#define TIMELINES (1 + DRAW_STRATA)

#define CANDIDATES ((size_t)TIMELINE + TIMELINES)

/* A share that stays below it in all runs tells nothing. */
#define SHARE_MIN 0.005

/* How far a timeline's own level may go, to how far `late` may. */
#define OWN_LEVEL 0.3

/* Adds the times of a run's events, `sign` 1, or takes them off, -1. */
static void add_times(const struct draw_fit_run *run, const struct trial *trial, double sign,
                      double time[CANDIDATES])
{
    double lines = 0, written = 0, zeroed = 0, broadcast_ps = 0;
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_count *count = &trial->counts[i];
        double n = (double)count->n;
        bool line = count->kind == EV_line_absent || count->kind == EV_line_clean ||
                    count->kind == EV_line_dirty;
        bool broadcast = count->kind == EV_tlbi_calls || count->kind == EV_tlbi_range ||
                         count->kind == EV_tlbi_vmid || count->kind == EV_tlbi_third;
        double alone_ps = n * (double)run->price[count->kind];
        time[count->kind] += sign * alone_ps;
        broadcast_ps += broadcast ? alone_ps : 0;
        lines += line ? n : 0;
        written += count->kind == EV_writeback_bytes ? n : 0;
        zeroed += count->kind == EV_zero_bytes ? n : 0;
    }
    const double ps = sign * (double)PS_PER_NS;
    time[PATH_LINES] += lines * price_cmo_path_ns(run->costs, 1) * ps;
    time[PATH_WRITEBACK] += price_writeback_ns(run->costs, (uint64_t)written) * ps;
    time[PATH_ZERO] += zeroed * price_zero_path_ns(run->costs, KIB) * ps;
    time[PATH_TLBI] += sign * (double)price_tlbi_path(run->costs, (ps_t)broadcast_ps);
}

static double guest_time(const struct draw_fit_run *run)
{
    double time = 0;
    for (size_t i = 0; i < run->trial->count; i++) {
        const struct event_count *count = &run->trial->counts[i];
        bool guest = count->site == SITE_GUEST;
        time += guest ? (double)count->n * (double)run->price[count->kind] : 0;
    }
    return time;
}

/* The shares of one run; returns what its events take, in ps. */
static double take_shares(const struct draw_fit_run *run, double share[CANDIDATES])
{
    double events = 0;
    memset(share, 0, CANDIDATES * sizeof *share);
    add_times(run, run->trial, 1, share);
    if (run->less) {
        add_times(run, run->less, -1, share);
    }
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        events += fabs(share[kind]);
    }
    /* vCPUs come up when the guest has done so much. */
    double guest = run->less ? events : guest_time(run);
    share[LATE] = run->late * guest;
    share[TIMELINE + run->stratum] = OWN_LEVEL * guest;
    for (size_t i = 0; i < CANDIDATES; i++) {
        share[i] = events > 0 ? share[i] / events : 0;
    }
    return events;
}

/* Whether a candidate is a column: it is something somewhere, and not the same everywhere. */
static bool tells(const double *share, size_t runs, size_t candidate)
{
    double low = share[candidate], high = low, max = 0;
    for (size_t run = 0; run < runs; run++) {
        double own = share[run * CANDIDATES + candidate];
        low = fmin(low, own);
        high = fmax(high, own);
        max = fmax(max, fabs(own));
    }
    return max >= SHARE_MIN && high > low;
}

void draw_fit_open(struct draw_fit *fit, const struct draw_fit_run *run, size_t runs)
{
    size_t column[CANDIDATES];
    double *share = alloc_zeroed(runs * CANDIDATES, sizeof *share, what_for);
    *fit = (struct draw_fit){.runs = runs,
                             .events = alloc_zeroed(runs, sizeof *fit->events, what_for),
                             .group = alloc_zeroed(runs, sizeof *fit->group, what_for)};
    for (size_t i = 0; i < runs; i++) {
        fit->events[i] = take_shares(&run[i], share + i * CANDIDATES);
    }
    for (size_t i = 0; i < CANDIDATES; i++) {
        if (tells(share, runs, i)) {
            column[fit->columns++] = i;
        }
    }
    fit->x = alloc_zeroed(runs * fit->columns + 1, sizeof *fit->x, what_for);
    for (size_t i = 0; i < runs; i++) {
        for (size_t a = 0; a < fit->columns; a++) {
            fit->x[i * fit->columns + a] = share[i * CANDIDATES + column[a]];
        }
    }
    free(share);
}

void draw_fit_close(struct draw_fit *fit)
{
    free(fit->events);
    free(fit->x);
    free(fit->group);
    *fit = (struct draw_fit){0};
}

static double sum_of(const double *slope, const double *x, size_t columns)
{
    double sum = 0;
    for (size_t a = 0; a < columns; a++) {
        sum += slope[a] * x[a];
    }
    return sum;
}

void draw_fit_values(const struct draw_fit *fit, const bool *known, double *value, double *miss)
{
    size_t n = 0, columns = fit->columns;
    double *y = alloc_zeroed(fit->runs, sizeof *y, what_for);
    double *own = alloc_zeroed(fit->runs, sizeof *own, what_for);
    double *x = alloc_zeroed(fit->runs * columns + 1, sizeof *x, what_for);
    double *slope = alloc_zeroed(columns + 1, sizeof *slope, what_for);
    double level = 0;
    for (size_t i = 0; i < fit->runs; i++) {
        if (known[i]) {
            y[n] = fit->events[i] > 0 ? value[i] / fit->events[i] : 0;
            memcpy(x + n++ * columns, fit->x + i * columns, columns * sizeof *x);
        }
    }
    struct ridge_data data = {.x = x, .y = y, .group = fit->group, .n = n, .columns = columns};
    (void)ridge_fit(&data, slope, own);
    for (size_t i = 0; i < n; i++) {
        level += (y[i] - sum_of(slope, x + i * columns, columns)) / (double)n;
    }
    for (size_t i = 0, at = 0; i < fit->runs; i++) {
        if (known[i]) {
            miss[i] = own[at++] * fit->events[i];
        } else {
            double ratio = level + sum_of(slope, fit->x + i * columns, columns);
            value[i] = ratio * fit->events[i];
        }
    }
    free(y);
    free(own);
    free(x);
    free(slope);
}
