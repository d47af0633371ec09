#include "study/sweep.h"

#include "core/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

/* What a shell says of a program that a signal ended. */
#define STATUS_OF_SIGNALS 128

/*
 * The threads of one outermost sweep. They are our own, not OpenMP's: a thread of libgomp that
 * finds no part turns round for 15 ms before it sleeps, and in a report, many short sweeps with
 * serial work between them, that came to a tenth of its CPU time.
 */
struct team {
    pthread_mutex_t lock; /* of the rest, and of all counts of loops */
    pthread_cond_t changed; /* a loop has come, or has ended */
    struct loop *open; /* all that have not ended; the one that came last is first */
};

/* One loop under way. */
struct loop {
    struct team *team;
    struct loop *outer; /* the one a part of which this is; NULL: the outermost */
    struct loop *next_open;
    size_t count, begun, under_way; /* parts */
    struct sweep *sweep;
    sweep_fn part;
    void *context;
    size_t failed; /* the first part that failed; SIZE_MAX: none */
    struct error err; /* of that one */
    struct sweep_failed *passed; /* NULL: no part is passed over */
};

static _Thread_local struct loop *within; /* the loop a part of which this thread does */

/* Of what loops note of their parts, and of progress. */
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

unsigned sweep_threads(unsigned jobs)
{
    cpu_set_t set;
    if (jobs) {
        return jobs;
    }
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void note_failure(struct loop *loop, size_t part, const struct error *err)
{
    pthread_mutex_lock(&noting);
    if (part < loop->failed) {
        loop->failed = part;
        loop->err = *err;
    }
    pthread_mutex_unlock(&noting);
}

/* Whether the part is one that is passed over. */
static bool note_passed(struct loop *loop, size_t part, const struct error *err)
{
    struct sweep_failed *passed = loop->passed;
    if (!passed || !err->simulation) {
        return false;
    }
    pthread_mutex_lock(&noting);
    passed->count++;
    if (part < passed->first) {
        passed->first = part;
        passed->err = *err;
    }
    pthread_mutex_unlock(&noting);
    return true;
}

static void note_done(struct loop *loop)
{
    struct sweep *sweep = loop->sweep;
    pthread_mutex_lock(&noting);
    sweep->done += !loop->outer;
    sweep->inner_done += loop->outer != NULL;
    if (sweep->progress) {
        sweep->progress(sweep);
    }
    pthread_mutex_unlock(&noting);
}

static void note_start(struct loop *loop)
{
    struct sweep *sweep = loop->sweep;
    pthread_mutex_lock(&noting);
    if (loop->outer) {
        sweep->inner_total += loop->count;
    } else {
        sweep->done = sweep->inner_done = sweep->inner_total = 0;
        sweep->total = loop->count;
        sweep->ended = false;
    }
    if (sweep->progress) {
        sweep->progress(sweep);
    }
    pthread_mutex_unlock(&noting);
}

static void do_part(struct loop *loop, size_t part)
{
    const struct sweep *sweep = loop->sweep;
    struct error err = {.status = EXIT_RUN};
    pthread_mutex_lock(&noting);
    bool needed = part < loop->failed;
    pthread_mutex_unlock(&noting);
    if (!needed) {
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

/* Whether the loop is the other one, or in a part of it, however deep. */
static bool belongs(const struct loop *loop, const struct loop *other)
{
    while (loop && loop != other) {
        loop = loop->outer;
    }
    return loop != NULL;
}

/* Does parts until the loop's last has ended: its own and those of loops inside, the loop that came
 * last first, so that what was begun comes to its end. The team's lock is held but while a part is
 * done. */
static void do_parts(struct loop *loop)
{
    struct team *team = loop->team;
    while (loop->begun < loop->count || loop->under_way > 0) {
        struct loop *from = team->open;
        while (from && (from->begun == from->count || !belongs(from, loop))) {
            from = from->next_open;
        }
        if (!from) {
            pthread_cond_wait(&team->changed, &team->lock);
            continue;
        }
        struct loop *before = within;
        size_t part = from->begun++;
        from->under_way++;
        pthread_mutex_unlock(&team->lock);
        within = from;
        do_part(from, part);
        within = before;
        pthread_mutex_lock(&team->lock);
        if (--from->under_way == 0 && from->begun == from->count) {
            pthread_cond_broadcast(&team->changed);
        }
    }
}

/* Opens the loop for the team, helps until it has ended, and closes it. */
static void share_out(struct loop *loop)
{
    struct team *team = loop->team;
    pthread_mutex_lock(&team->lock);
    loop->next_open = team->open;
    team->open = loop;
    pthread_cond_broadcast(&team->changed);
    do_parts(loop);
    struct loop **link = &team->open;
    while (*link != loop) {
        link = &(*link)->next_open;
    }
    *link = loop->next_open;
    pthread_mutex_unlock(&team->lock);
}

static void *help(void *context)
{
    struct loop *loop = context;
    pthread_mutex_lock(&loop->team->lock);
    do_parts(loop);
    pthread_mutex_unlock(&loop->team->lock);
    return NULL;
}

/* The outermost loop: with threads of its own, as many as there are to be had. */
static void with_team(struct loop *loop)
{
    struct team team = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct sweep *sweep = loop->sweep;
    unsigned started = 0, max = sweep_threads(sweep->jobs) - 1;
    pthread_t *thread = max > 0 ? alloc_zeroed(max, sizeof *thread, "threads") : NULL;
    loop->team = &team;
    while (started < max && pthread_create(&thread[started], NULL, help, loop) == 0) {
        started++;
    }
    share_out(loop);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
    free(thread);
    sweep->ended = true;
    if (sweep->progress) {
        sweep->progress(sweep);
    }
}

static bool do_sweep(struct sweep *sweep, size_t count, sweep_fn part, void *context,
                     struct sweep_failed *passed, struct error *err)
{
    struct loop loop = {.team = within ? within->team : NULL,
                        .outer = within,
                        .count = count,
                        .sweep = sweep,
                        .part = part,
                        .context = context,
                        .failed = SIZE_MAX,
                        .passed = passed};
    note_start(&loop);
    if (loop.team) {
        share_out(&loop);
    } else {
        with_team(&loop);
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
