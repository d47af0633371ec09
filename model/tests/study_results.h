/*
 * study_results - what the points of a study come to, for tests that look at them.
 */
#ifndef S2FLUSH_TESTS_STUDY_RESULTS_H
#define S2FLUSH_TESTS_STUDY_RESULTS_H

#include "check.h"

#include "report/run_json.h"
#include "study/execute.h"

#include <stdlib.h>

struct study_results {
    struct point_result *points; /* by point */
    size_t count;
    struct store_sum sum;
    struct store *store; /* in memory */
};

static inline const bool *all_metrics(void)
{
    static bool all[METRICS];
    struct error err;
    assert_true(metric_select("", all, NULL, &err));
    return all;
}

static inline void take_result(void *context, const struct stored_point *point)
{
    struct study_results *results = context;
    results->points[point->point] = point->result;
}

/* Plays a study in memory; the caller frees the results where this was true. */
static inline bool study_results_of(const struct study *study, unsigned jobs,
                                    struct study_results *results, struct error *err)
{
    struct store_about about;
    struct sweep sweep = {.jobs = jobs};
    *results = (struct study_results){.count = study->points};
    assert_true(run_about(study, (struct shard){1, 1}, "csv", &about, err));
    results->store = store_open(NULL, &about, false, err);
    store_about_free(&about);
    assert_non_null(results->store);
    if (!study_execute(study, &sweep, results->store, all_metrics(), err)) {
        store_drop(results->store);
        return false;
    }
    results->sum = store_sum(results->store);
    results->points = calloc(study->points, sizeof *results->points);
    assert_non_null(results->points);
    assert_true(store_each_point(results->store, take_result, results, err));
    return true;
}

static inline void study_results_free(struct study_results *results)
{
    free(results->points);
    store_drop(results->store);
}

#endif
