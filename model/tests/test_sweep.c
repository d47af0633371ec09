/* Sweeps: every part is done once by whichever thread, the first error is the one that is
 * reported, and threads without a part of the outer loop take those of inner ones. */
#include "check.h"

#include "core/error.h"
#include "study/sweep.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define OUTER 5
#define INNER 40

struct job {
    struct sweep sweep;
    unsigned done[OUTER][INNER];
    atomic_uint at_once; /* parts that have been begun */
};

struct row {
    struct job *job;
    size_t outer;
};

static bool inner_part(void *context, size_t part, struct error *err)
{
    const struct row *row = context;
    (void)err;
#pragma omp atomic
    row->job->done[row->outer][part]++;
    return true;
}

static bool outer_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    struct row row = {job, part};
    return sweep_parts(&job->sweep, INNER, inner_part, &row, err);
}

static void all_parts_are_done_once(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct job job = {.sweep = {.jobs = jobs}};
        struct error err;
        assert_true(sweep_parts(&job.sweep, OUTER, outer_part, &job, &err));
        for (size_t i = 0; i < (size_t)OUTER * INNER; i++) {
            assert_int_equal(job.done[i / INNER][i % INNER], 1);
        }
        assert_int_equal(job.sweep.done, OUTER);
        assert_int_equal(job.sweep.inner_done, OUTER * INNER);
        assert_true(job.sweep.ended);
    }
}

static bool shared_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    (void)part;
    (void)err;
    atomic_fetch_add(&job->at_once, 1);
    while (atomic_load(&job->at_once) < 2) {
        sched_yield();
    }
    return true;
}

static bool single_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    (void)part;
    return sweep_parts(&job->sweep, 2, shared_part, job, err);
}

/* A study of one heavy cell keeps all threads busy: its two plays end only when two threads are
 * at them. */
static void threads_share_the_parts_of_one(void **state)
{
    struct job job = {.sweep = {.jobs = 2}};
    struct error err;
    (void)state;
    assert_true(sweep_parts(&job.sweep, 1, single_part, &job, &err));
}

static bool waiting_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    return part > 0 ? shared_part(job, part, err)
                    : sweep_parts(&job->sweep, 1, shared_part, job, err);
}

/* Of two outer parts one is an inner loop: it waits for the other, which the second thread does. */
static void inner_and_outer_parts_go_on_side_by_side(void **state)
{
    struct job job = {.sweep = {.jobs = 2}};
    struct error err;
    (void)state;
    assert_true(sweep_parts(&job.sweep, 2, waiting_part, &job, &err));
    assert_int_equal(job.sweep.done, 2);
    assert_int_equal(job.sweep.inner_done, 1);
}

static bool deep_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    (void)part;
    return atomic_fetch_add(&job->at_once, 1) >= 3 * 3 * 3
               ? true
               : sweep_parts(&job->sweep, 3, deep_part, job, err);
}

/* However deep loops lie in one another, and whoever waits for whom: all come to an end. */
static void loops_in_loops_end(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 8; jobs++) {
        struct job job = {.sweep = {.jobs = jobs}};
        struct error err;
        assert_true(sweep_parts(&job.sweep, 3, deep_part, &job, &err));
        assert_int_equal(job.sweep.inner_done, job.sweep.inner_total);
        assert_true(atomic_load(&job.at_once) >= 3 * 3 * 3);
    }
}

/* No parts are no work, outside and inside. */
static bool empty_part(void *context, size_t part, struct error *err)
{
    struct job *job = context;
    (void)part;
    return sweep_parts(&job->sweep, 0, empty_part, job, err);
}

static void no_parts_are_done_at_once(void **state)
{
    struct job job = {.sweep = {.jobs = 3}};
    struct error err;
    (void)state;
    assert_true(sweep_parts(&job.sweep, 0, empty_part, &job, &err));
    assert_true(job.sweep.ended);
    assert_true(sweep_parts(&job.sweep, 4, empty_part, &job, &err));
    assert_int_equal(job.sweep.done, 4);
}

static bool failing_part(void *context, size_t part, struct error *err)
{
    (void)context;
    return part % 7 != 3 || error_run(err, "part %zu", part);
}

static void the_first_error_is_reported(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct sweep sweep = {.jobs = jobs};
        struct error err;
        assert_false(sweep_parts(&sweep, 100, failing_part, NULL, &err));
        assert_string_equal(err.text, "part 3");
        assert_int_equal(err.status, EXIT_RUN);
    }
}

static int two(void)
{
    return 2;
}

static void a_signal_ends_it(void **state)
{
    struct job job = {.sweep = {.jobs = 2, .stopped = two}};
    struct error err;
    (void)state;
    assert_false(sweep_parts(&job.sweep, OUTER, outer_part, &job, &err));
    assert_string_equal(err.text, "interrupted");
    assert_int_equal(err.status, 130);
    for (size_t i = 0; i < (size_t)OUTER * INNER; i++) {
        assert_int_equal(job.done[i / INNER][i % INNER], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_are_done_once),
        cmocka_unit_test(threads_share_the_parts_of_one),
        cmocka_unit_test(inner_and_outer_parts_go_on_side_by_side),
        cmocka_unit_test(loops_in_loops_end),
        cmocka_unit_test(no_parts_are_done_at_once),
        cmocka_unit_test(the_first_error_is_reported),
        cmocka_unit_test(a_signal_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
