#include "check/published/predict_draws.h"

#include "check/published/predict.h"
#include "core/alloc.h"
#include "kvm/kvm.h"
#include "machine/price.h"
#include "study/draw_fit.h"
#include "study/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So many draws are played before there is a fit, a quarter more each time it is off; */
#define DRAWS_MIN 8

/* or so few, and two more, where it is off by this share of what it may be. */
#define DRAWS_FEW 4
#define OFF_FEW 0.1

/* Where a fit is off by so many times what it may be, no quarter more helps. */
#define OFF_FAR 20

static const char what_for[] = "draws of a row";

struct drawing {
    const struct published *row;
    const double (*value)[COSTS];
    struct drawn_times *times;
    const struct drawn_times *other; /* another row's, to which this one's may be nearer than to its
                                        events; or NULL */
    struct draw_fit fit;
    double *apart; /* [draws]: how far its events' shares are from those of the nearest known one */
    double *miss, *fitted; /* [draws] */
    double nearest; /* by what the last fit was off at best */
    size_t *next; /* [draws]: to be played at once */
};

/* Plays the first draw, whose events are counted for all. */
static bool open_drawing(struct drawing *drawing, size_t draws, struct error *err)
{
    double insns[EVENT_KINDS];
    uint64_t events[EVENT_KINDS];
    if (!predict_events(drawing->row, drawing->value[0], &drawing->times->ps[0], events, err)) {
        return false;
    }
    struct event_count counts[EVENT_KINDS];
    struct trial trial = {.counts = counts};
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        counts[trial.count] = (struct event_count){
            .site = SITE_FAULT, .kind = (enum event_kind)kind, .n = events[kind]};
        trial.count += events[kind] > 0;
    }
    struct draw_fit_run *run = alloc_zeroed(draws, sizeof *run, what_for);
    ps_t(*price)[EVENT_KINDS] = alloc_zeroed(draws, sizeof *price, what_for);
    kvm_path_lengths(drawing->row->platform->vhe, insns);
    for (size_t i = 0; i < draws; i++) {
        price_events(drawing->row->platform, drawing->value[i], insns, price[i]);
        run[i] =
            (struct draw_fit_run){.trial = &trial, .costs = drawing->value[i], .price = price[i]};
    }
    draw_fit_open(&drawing->fit, run, draws);
    free(price);
    free(run);
    return true;
}

/* Notes that a draw is known. */
static void know(struct drawing *drawing, size_t draw)
{
    const struct draw_fit *fit = &drawing->fit;
    drawing->times->known[draw] = true;
    for (size_t i = 0; i < fit->runs; i++) {
        double square = 0;
        for (size_t a = 0; a < fit->columns; a++) {
            double off = fit->x[i * fit->columns + a] - fit->x[draw * fit->columns + a];
            square += off * off;
        }
        drawing->apart[i] = fmin(drawing->apart[i], square);
    }
}

/* The one that is least like any that is known. */
static size_t farthest(const struct drawing *drawing)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < drawing->fit.runs; i++) {
        if (!drawing->times->known[i] &&
            (found == SIZE_MAX || drawing->apart[i] > drawing->apart[found])) {
            found = i;
        }
    }
    return found;
}

static bool play_next(void *context, size_t part, struct error *err)
{
    const struct drawing *drawing = context;
    size_t draw = drawing->next[part];
    return predict_events(drawing->row, drawing->value[draw], &drawing->times->ps[draw], NULL, err);
}

static bool play_more(struct drawing *drawing, size_t more, struct error *err)
{
    for (size_t i = 0; i < more; i++) {
        drawing->next[i] = farthest(drawing);
        know(drawing, drawing->next[i]);
    }
    return sweep_parts(&(struct sweep){0}, more, play_next, drawing, err);
}

/* Fits what is not known, as a multiple of the times that the fit has for events; returns by what
 * that is off. The first draw's events are its own, which is why it does not count. */
static double fit_rest(const struct drawing *drawing, const struct draw_fit *fit, double *ps)
{
    const bool *known = drawing->times->known;
    double squares = 0, n = 0;
    draw_fit_values(fit, known, ps, drawing->miss);
    for (size_t i = 1; i < fit->runs; i++) {
        double off = known[i] ? drawing->miss[i] / ps[i] : 0;
        squares += off * off;
        n += known[i];
        if (!(ps[i] > 0)) {
            return INFINITY;
        }
    }
    return sqrt(squares / n);
}

/* How many are played after so many. */
static size_t next_known(size_t known, size_t draws)
{
    size_t next = known < DRAWS_FEW ? DRAWS_FEW : known < DRAWS_MIN ? known + 2 : known + known / 4;
    return next < draws ? next : draws;
}

/* Notes those that are known; returns how many. */
static size_t know_all(struct drawing *drawing)
{
    size_t known = 0;
    drawing->times->known[0] = true;
    for (size_t i = 0; i < drawing->fit.runs; i++) {
        drawing->apart[i] = INFINITY;
    }
    for (size_t i = 0; i < drawing->fit.runs; i++) {
        if (drawing->times->known[i]) {
            know(drawing, i);
            known++;
        }
    }
    return known;
}

/* Fits what is not known to so many that are, by the events or by the other row, whichever is
 * nearer of those that are near enough: what that one is off by itself counts, too. False: neither
 * is. */
static bool fits(struct drawing *drawing, size_t known)
{
    struct drawn_times *times = drawing->times;
    double most = known < DRAWS_MIN ? OFF_FEW * PREDICT_OFF : PREDICT_OFF;
    struct draw_fit by = drawing->fit;
    times->off = drawing->nearest = INFINITY;
    for (int way = 0; way < (drawing->other ? 2 : 1); way++) {
        memcpy(drawing->fitted, times->ps, by.runs * sizeof *times->ps);
        by.events = way == 0 ? drawing->fit.events : drawing->other->ps;
        double off = fit_rest(drawing, &by, drawing->fitted);
        double both = way == 0 ? off : hypot(off, drawing->other->off);
        drawing->nearest = fmin(drawing->nearest, off);
        if (off <= most && both <= PREDICT_OFF && both < times->off) {
            memcpy(times->ps, drawing->fitted, by.runs * sizeof *times->ps);
            times->off = both;
        }
    }
    return times->off < INFINITY;
}

static bool play_until_fitted(struct drawing *drawing, struct error *err)
{
    size_t known = know_all(drawing), draws = drawing->fit.runs;
    while (known < draws && (known < DRAWS_FEW || !fits(drawing, known))) {
        bool far = known >= DRAWS_MIN && drawing->nearest > OFF_FAR * PREDICT_OFF;
        size_t next = far ? draws : next_known(known, draws);
        if (!play_more(drawing, next - known, err)) {
            return false;
        }
        known = next;
    }
    drawing->times->off = known < draws ? drawing->times->off : 0;
    return true;
}

bool predict_draws(const struct published *row, const double (*value)[COSTS], size_t draws,
                   const struct drawn_times *other, struct drawn_times *times, struct error *err)
{
    struct drawing drawing = {.row = row,
                              .value = value,
                              .other = other,
                              .times = times,
                              .apart = alloc_zeroed(draws, sizeof *drawing.apart, what_for),
                              .miss = alloc_zeroed(draws, sizeof *drawing.miss, what_for),
                              .fitted = alloc_zeroed(draws, sizeof *drawing.fitted, what_for),
                              .next = alloc_zeroed(draws, sizeof *drawing.next, what_for)};
    bool good = open_drawing(&drawing, draws, err) && play_until_fitted(&drawing, err);
    draw_fit_close(&drawing.fit);
    free(drawing.apart);
    free(drawing.miss);
    free(drawing.fitted);
    free(drawing.next);
    return good;
}

void drawn_times_alloc(struct drawn_times *times, size_t draws)
{
    *times = (struct drawn_times){.ps = alloc_zeroed(draws, sizeof *times->ps, what_for),
                                  .known = alloc_zeroed(draws, sizeof *times->known, what_for)};
}

void drawn_times_free(struct drawn_times *times)
{
    free(times->ps);
    free(times->known);
    *times = (struct drawn_times){0};
}
