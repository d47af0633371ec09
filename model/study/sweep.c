#include "study/sweep.h"

#include <omp.h>
#include <stdint.h>

/* What a shell says of a program that a signal ended. */
#define STATUS_OF_SIGNALS 128

/* One loop under way. */
struct loop {
    struct sweep *sweep;
    sweep_fn part;
    void *context;
    bool inner;
    size_t failed; /* the first part that failed; SIZE_MAX: none */
    struct error err; /* of that one */
    struct sweep_failed *passed; /* NULL: no part is passed over */
};

unsigned sweep_threads(unsigned jobs)
{
    return jobs ? jobs : (unsigned)omp_get_num_procs();
}

static void note_failure(struct loop *loop, size_t part, const struct error *err)
{
#pragma omp critical(sweep)
    if (part < loop->failed) {
        loop->failed = part;
        loop->err = *err;
    }
}

/* Whether the part is one that is passed over. */
static bool note_passed(struct loop *loop, size_t part, const struct error *err)
{
    struct sweep_failed *passed = loop->passed;
    if (!passed || !err->simulation) {
        return false;
    }
#pragma omp critical(sweep)
    {
        passed->count++;
        if (part < passed->first) {
            passed->first = part;
            passed->err = *err;
        }
    }
    return true;
}

static void note_done(struct loop *loop)
{
    struct sweep *sweep = loop->sweep;
#pragma omp critical(sweep)
    {
        sweep->done += !loop->inner;
        sweep->inner_done += loop->inner;
        if (sweep->progress) {
            sweep->progress(sweep);
        }
    }
}

static void note_start(struct loop *loop, size_t count)
{
    struct sweep *sweep = loop->sweep;
#pragma omp critical(sweep)
    {
        sweep->inner_total += loop->inner ? count : 0;
        if (!loop->inner) {
            sweep->done = sweep->inner_done = sweep->inner_total = 0;
            sweep->total = count;
            sweep->ended = false;
        }
        if (sweep->progress) {
            sweep->progress(sweep);
        }
    }
}

static void do_part(struct loop *loop, size_t part)
{
    const struct sweep *sweep = loop->sweep;
    struct error err = {.status = EXIT_RUN};
    size_t failed;
#pragma omp critical(sweep)
    failed = loop->failed;
    if (part > failed) {
        return;
    }
    int signal = sweep->stopped ? sweep->stopped() : 0;
    if (signal) {
        error_run(&err, "interrupted");
        err.status = STATUS_OF_SIGNALS + signal;
        note_failure(loop, part, &err);
    } else if (loop->part(loop->context, part, &err) || note_passed(loop, part, &err)) {
        note_done(loop);
    } else {
        note_failure(loop, part, &err);
    }
}

/* The calling thread hands the parts out. */
static void do_parts(struct loop *loop, size_t count)
{
    for (size_t i = 0; i < count; i++) {
#pragma omp task firstprivate(i, loop)
        do_part(loop, i);
    }
}

static bool do_sweep(struct sweep *sweep, size_t count, sweep_fn part, void *context,
                     struct sweep_failed *passed, struct error *err)
{
    struct loop loop = {.sweep = sweep,
                        .part = part,
                        .context = context,
                        .inner = omp_get_level() > 0,
                        .failed = SIZE_MAX,
                        .passed = passed};
    note_start(&loop, count);
    if (loop.inner) {
#pragma omp taskgroup
        do_parts(&loop, count);
    } else {
        /* No group here: who waits for a group takes parts of that group alone, and the one thread
         * that hands out the outer parts would sleep while the other does all of an inner loop. At
         * the end of the team a thread takes whatever there is. */
#pragma omp parallel num_threads((int)sweep_threads(sweep->jobs))
#pragma omp single
        do_parts(&loop, count);
        sweep->ended = true;
        if (sweep->progress) {
            sweep->progress(sweep);
        }
    }
    if (loop.failed != SIZE_MAX) {
        *err = loop.err;
    }
    return loop.failed == SIZE_MAX;
}

bool sweep_parts(struct sweep *sweep, size_t count, sweep_fn part, void *context, struct error *err)
{
    return do_sweep(sweep, count, part, context, NULL, err);
}

bool sweep_passing(struct sweep *sweep, size_t count, sweep_fn part, void *context,
                   struct sweep_failed *failed, struct error *err)
{
    *failed = (struct sweep_failed){.of = count, .first = SIZE_MAX};
    return do_sweep(sweep, count, part, context, failed, err);
}

bool sweep_none_failed(const struct sweep_failed *failed, const char *they, struct error *err)
{
    if (failed->count == 0) {
        return true;
    }
    error_run(err, "%zu of %zu scenarios failed %s; the first: %s", failed->count, failed->of, they,
              failed->err.text);
    err->simulation = true;
    return false;
}
