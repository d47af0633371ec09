#include "team.h"

#include "common.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct member {
    struct team *team;
    size_t index;
    pthread_t thread;
};

struct team {
    size_t threads;
    struct member *members;
    pthread_barrier_t line; /* the members and the one who runs the team */
    atomic_size_t started; /* members at the start of a step, over all steps */
    size_t steps;
    void (*step)(size_t member, void *context);
    void *context;
};

/* The affinity at the start: later this thread may have pinned itself. */
static const cpu_set_t *allowed(void)
{
    static cpu_set_t set;
    static int known;
    if (!known) {
        if (sched_getaffinity(0, sizeof set, &set) != 0) {
            CPU_ZERO(&set);
            CPU_SET(0, &set);
        }
        known = 1;
    }
    return &set;
}

size_t team_cores(void)
{
    return (size_t)CPU_COUNT(allowed());
}

void team_pin(size_t core)
{
    const cpu_set_t *set = allowed();
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, set) || core-- > 0) {
            continue;
        }
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0) {
            die(PROBE_FAILED, "a thread can't be pinned to CPU %zu", cpu);
        }
        return;
    }
}

/* A barrier wakes its sleepers one after the other, some microseconds apart, which
 * is longer than a short step: the last bit of waiting is done awake. */
static void leave_together(struct team *team)
{
    atomic_fetch_add(&team->started, 1);
    size_t here;
    do {
        here = atomic_load(&team->started);
    } while (here < team->steps * team->threads);
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    team_pin(member->index);
    for (;;) {
        pthread_barrier_wait(&team->line);
        if (!team->step) {
            return NULL;
        }
        leave_together(team);
        team->step(member->index, team->context);
        pthread_barrier_wait(&team->line);
    }
}

struct team *team_start(size_t threads)
{
    struct team *team = must_alloc(sizeof *team);
    (void)allowed(); /* known before any thread asks */
    team->threads = threads;
    team->members = must_alloc(threads * sizeof *team->members);
    pthread_barrier_init(&team->line, NULL, (unsigned)threads + 1);
    for (size_t i = 0; i < threads; i++) {
        team->members[i] = (struct member){.team = team, .index = i};
        int failed = pthread_create(&team->members[i].thread, NULL, live, &team->members[i]);
        if (failed) {
            die(PROBE_FAILED, "thread %zu can't be started: %s", i, strerror(failed));
        }
    }
    return team;
}

void team_run(struct team *team, void (*step)(size_t member, void *context), void *context)
{
    team->step = step;
    team->context = context;
    team->steps++;
    pthread_barrier_wait(&team->line);
    pthread_barrier_wait(&team->line);
}

void team_stop(struct team *team)
{
    team->step = NULL;
    pthread_barrier_wait(&team->line);
    for (size_t i = 0; i < team->threads; i++) {
        pthread_join(team->members[i].thread, NULL);
    }
    pthread_barrier_destroy(&team->line);
    free(team->members);
    free(team);
}
