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

/* or so few, where it is off by this share of what it may be. */
#define DRAWS_FEW 4
#define OFF_FEW 0.1

static const char what_for[] = "draws of a row";

struct drawing {
    const struct published *row;
    const double (*value)[COSTS];
    double *ps; /* [draws] */
    const double *other; /* [draws]: another row's times, to which this one's may be nearer than to
                            its events; or NULL */
    struct draw_fit fit;
    bool *known; /* [draws]: played */
    double *apart; /* [draws]: how far its events' shares are from those of the nearest known one */
    double *miss, *fitted; /* [draws] */
    size_t *next; /* [draws]: to be played at once */
};

/* Plays the first draw, whose events are counted for all. */
static bool open_drawing(struct drawing *drawing, size_t draws, struct error *err)
{
    double insns[EVENT_KINDS];
    uint64_t events[EVENT_KINDS];
    if (!predict_events(drawing->row, drawing->value[0], &drawing->ps[0], events, err)) {
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
    drawing->known[draw] = true;
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
        if (!drawing->known[i] &&
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
    return predict_events(drawing->row, drawing->value[draw], &drawing->ps[draw], NULL, err);
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
    double squares = 0, n = 0;
    draw_fit_values(fit, drawing->known, ps, drawing->miss);
    for (size_t i = 1; i < fit->runs; i++) {
        double off = drawing->known[i] ? drawing->miss[i] / ps[i] : 0;
        squares += off * off;
        n += drawing->known[i];
        if (!(ps[i] > 0)) {
            return INFINITY;
        }
    }
    return sqrt(squares / n);
}

/* Fits it to the events or to the other row, whichever is nearer. */
static double fit_nearest(const struct drawing *drawing)
{
    size_t bytes = drawing->fit.runs * sizeof *drawing->ps;
    memcpy(drawing->fitted, drawing->ps, bytes);
    double off = fit_rest(drawing, &drawing->fit, drawing->ps);
    if (drawing->other) {
        struct draw_fit fit = drawing->fit;
        fit.events = (double *)drawing->other;
        double own = fit_rest(drawing, &fit, drawing->fitted);
        if (own < off) {
            memcpy(drawing->ps, drawing->fitted, bytes);
            off = own;
        }
    }
    return off;
}

static bool play_until_fitted(struct drawing *drawing, struct error *err)
{
    size_t draws = drawing->fit.runs, known = 1;
    bool done = false;
    know(drawing, 0);
    while (!done && known < draws) {
        size_t to = known < DRAWS_FEW   ? DRAWS_FEW
                    : known < DRAWS_MIN ? DRAWS_MIN
                                        : known + known / 4;
        to = to < draws ? to : draws;
        if (!play_more(drawing, to - known, err)) {
            return false;
        }
        known = to;
        double share = known < DRAWS_MIN ? OFF_FEW : 1;
        done = known == draws || fit_nearest(drawing) <= share * PREDICT_OFF;
    }
    return true;
}

bool predict_draws(const struct published *row, const double (*value)[COSTS], size_t draws,
                   const double *other, double *ps, struct error *err)
{
    struct drawing drawing = {.row = row,
                              .value = value,
                              .other = other,
                              .ps = ps,
                              .known = alloc_zeroed(draws, sizeof *drawing.known, what_for),
                              .apart = alloc_zeroed(draws, sizeof *drawing.apart, what_for),
                              .miss = alloc_zeroed(draws, sizeof *drawing.miss, what_for),
                              .fitted = alloc_zeroed(draws, sizeof *drawing.fitted, what_for),
                              .next = alloc_zeroed(draws, sizeof *drawing.next, what_for)};
    for (size_t i = 0; i < draws; i++) {
        drawing.apart[i] = INFINITY;
    }
    bool good = open_drawing(&drawing, draws, err) && play_until_fitted(&drawing, err);
    draw_fit_close(&drawing.fit);
    free(drawing.known);
    free(drawing.apart);
    free(drawing.miss);
    free(drawing.fitted);
    free(drawing.next);
    return good;
}
