/*
 * play - a workload played on a machine, for tests that look at what came out.
 */
#ifndef S2FLUSH_TESTS_PLAY_H
#define S2FLUSH_TESTS_PLAY_H

#include "check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "guest/workload/workload.h"
#include "run/sim.h"

/* A machine and a kernel, with every cost at its mode. */
struct stage {
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    bool preemptible;
};

static inline void stage_init(struct stage *stage, const char *platform, const char *kernel)
{
    struct error err = {0};
    bool good = platform_load(platform, &stage->platform, &err) &&
                kernel_resolve(kernel, &stage->kernel, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
    platform_modes(&stage->platform, stage->value);
    stage->preemptible = false;
}

static inline struct strategy strategy_row(const char *name)
{
    struct error err;
    const struct strategy *row = strategy_find(name, &err);
    assert_non_null(row);
    return *row;
}

static inline struct workload *workload_of(const char *name)
{
    struct error err = {0};
    struct workload *workload = workload_read(name, &err);
    if (!workload) {
        print_error("%s\n", err.text);
    }
    assert_non_null(workload);
    return workload;
}

static inline void set_key(struct workload *workload, const char *key, const char *text)
{
    struct error err = {0};
    bool good = workload_set(workload, key, text, NULL, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static inline void build(const struct workload *workload, struct timeline *timeline)
{
    struct error err = {0};
    bool good = workload_build(workload, timeline, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

/* Writes a workload file into the test's own folder and reads it; NULL with a
 * line in err where it is refused. */
static inline struct workload *workload_of_text(const char *text, struct error *err)
{
    char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/s2flush-test-%d.ini", folder ? folder : "/tmp", (int)getpid());
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    struct workload *workload = workload_read(path, err);
    remove(path);
    return workload;
}

/* The workload that a good text is. */
static inline struct workload *workload_good(const char *text)
{
    struct error err = {0};
    struct workload *workload = workload_of_text(text, &err);
    if (!workload) {
        print_error("%s\n", err.text);
    }
    assert_non_null(workload);
    return workload;
}

/* Plays it to the end; the caller frees the simulation with sim_free, free. */
static inline struct sim *play(const struct stage *stage, const struct timeline *timeline,
                               const struct strategy *strategy, bool exact)
{
    struct point point = {.timeline = timeline,
                          .platform = &stage->platform,
                          .value = stage->value,
                          .kernel = &stage->kernel,
                          .strategy = strategy,
                          .exact = exact,
                          .preemptible = stage->preemptible};
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    assert_non_null(sim);
    sim_init(sim, &point);
    /* The point is the caller's; what is looked at afterwards must not need it. */
    bool good = sim_run(sim, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
    sim->point = NULL;
    return sim;
}

static inline void play_free(struct sim *sim)
{
    sim_free(sim);
    free(sim);
}

#endif
