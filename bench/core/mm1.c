/*
 * mm1 - one server with a queue, arrivals at rate 0.9 and service at rate 1.
 *
 *   mm1 calendar|floor xoshiro|mt19937 CUSTOMERS
 *
 * Each customer is two events, an arrival and a departure. The floor computes
 * the same times in the system by Lindley's recursion. Gaps and services come
 * from a stream each, so that both ways add up to the very same picosecond.
 */
#include "bench.h"
#include "exponential.h"

#include <gsl/gsl_randist.h>
#include <string.h>

#include "core/calendar.h"
#include "core/error.h"
#include "core/rng.h"

#define SERVICE_PS 1e9
#define GAP_PS (SERVICE_PS / 0.9)

enum { ARRIVAL, DEPARTURE };

struct mm1 {
    struct calendar cal;
    double (*draw)(gsl_rng *rng, double mean);
    gsl_rng *gaps, *services;
    ps_t now;
    uint64_t to_come, in_system;
    uint64_t sojourn_ps; /* of all customers: what the number in the system adds up to */
};

typedef void (*handler)(struct mm1 *mm1);

static double draw_gsl(gsl_rng *rng, double mean)
{
    return gsl_ran_exponential(rng, mean);
}

/* By way of a signed number, which is one instruction and not six. */
static inline ps_t draw_ps(const struct mm1 *mm1, gsl_rng *rng, double mean)
{
    return (ps_t)(int64_t)mm1->draw(rng, mean);
}

static void schedule(struct mm1 *mm1, uint32_t what, gsl_rng *rng, double mean)
{
    calendar_push(&mm1->cal, mm1->now + draw_ps(mm1, rng, mean), what);
}

static void arrival(struct mm1 *mm1)
{
    if (--mm1->to_come > 0) {
        schedule(mm1, ARRIVAL, mm1->gaps, GAP_PS);
    }
    if (mm1->in_system++ == 0) {
        schedule(mm1, DEPARTURE, mm1->services, SERVICE_PS);
    }
}

static void departure(struct mm1 *mm1)
{
    if (--mm1->in_system > 0) {
        schedule(mm1, DEPARTURE, mm1->services, SERVICE_PS);
    }
}

static uint64_t by_calendar(struct mm1 *mm1)
{
    static const handler handlers[] = {[ARRIVAL] = arrival, [DEPARTURE] = departure};
    ps_t time;
    uint32_t what;
    calendar_init(&mm1->cal, 2);
    schedule(mm1, ARRIVAL, mm1->gaps, GAP_PS);
    while (calendar_pop(&mm1->cal, &time, &what)) {
        mm1->sojourn_ps += mm1->in_system * (time - mm1->now);
        mm1->now = time;
        handlers[what](mm1);
    }
    calendar_free(&mm1->cal);
    return mm1->sojourn_ps;
}

static uint64_t by_recursion(struct mm1 *mm1)
{
    ps_t wait = 0, before = 0, total = 0;
    for (; mm1->to_come > 0; mm1->to_come--) {
        ps_t gap = draw_ps(mm1, mm1->gaps, GAP_PS);
        wait = before > gap ? before - gap : 0;
        before = wait + draw_ps(mm1, mm1->services, SERVICE_PS);
        total += before;
    }
    return total;
}

static gsl_rng *generator(bool ours, uint64_t stream)
{
    gsl_rng *rng = gsl_rng_alloc(ours ? rng_xoshiro256ss : gsl_rng_mt19937);
    if (ours) {
        rng_stream(rng, 1, stream, 0, 0);
    } else {
        gsl_rng_set(rng, stream + 1);
    }
    return rng;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        error_fatal("usage: mm1 calendar|floor xoshiro|mt19937 CUSTOMERS");
    }
    exponential_init();
    bool ours = strcmp(argv[2], "xoshiro") == 0;
    struct mm1 mm1 = {.draw = ours ? exponential_draw : draw_gsl,
                      .gaps = generator(ours, 0),
                      .services = generator(ours, 1),
                      .to_come = bench_number(argv[3])};
    uint64_t started = bench_clock_ns();
    uint64_t check = strcmp(argv[1], "calendar") == 0 ? by_calendar(&mm1) : by_recursion(&mm1);
    bench_report(started, check);
    gsl_rng_free(mm1.gaps);
    gsl_rng_free(mm1.services);
    return 0;
}
