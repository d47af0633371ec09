/*
 * hold - the hold model: take the earliest of n pending events, schedule it
 * again an exponential time later.
 *
 *   hold calendar|floor N COUNT
 *
 * The increments come from a table drawn beforehand, so that no generator is
 * measured. The floor walks that table and adds up, without an event list.
 */
#include "bench.h"
#include "exponential.h"

#include <string.h>

#include "core/calendar.h"
#include "core/error.h"
#include "core/rng.h"

enum { TABLE = 1 << 14 };
#define MEAN_PS 1e9

static ps_t increments[TABLE];

static void draw_increments(void)
{
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    rng_stream(rng, 1, 0, 0, 0);
    exponential_init();
    for (int i = 0; i < TABLE; i++) {
        increments[i] = (ps_t)exponential_draw(rng, MEAN_PS);
    }
    gsl_rng_free(rng);
}

static void hold_calendar(uint32_t n, uint64_t count)
{
    struct calendar cal;
    uint64_t check = 0;
    calendar_init(&cal, n);
    for (uint32_t i = 0; i < n; i++) {
        calendar_push(&cal, increments[i % TABLE] + i / TABLE, i);
    }
    uint64_t started = bench_clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        ps_t time;
        uint32_t id;
        calendar_pop(&cal, &time, &id);
        check += time ^ id;
        calendar_push(&cal, time + increments[i % TABLE], id);
    }
    bench_report(started, check);
    calendar_free(&cal);
}

static void hold_floor(uint32_t n, uint64_t count)
{
    uint64_t check = 0;
    ps_t time = 0;
    uint64_t started = bench_clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        check += time ^ n;
        time += increments[i % TABLE];
    }
    bench_report(started, check);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        error_fatal("usage: hold calendar|floor N COUNT");
    }
    uint32_t n = (uint32_t)bench_number(argv[2]);
    uint64_t count = bench_number(argv[3]);
    draw_increments();
    if (strcmp(argv[1], "calendar") == 0) {
        hold_calendar(n, count);
    } else {
        hold_floor(n, count);
    }
    return 0;
}
