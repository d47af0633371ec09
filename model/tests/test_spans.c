#include "check.h"

#include <string.h>

#include "core/spans.h"

#define LANES 5
#define CLASSES 7
#define IDLE 6

/* What was put in, added up. */
struct sums {
    ps_t part[LANES][CLASSES], now[LANES];
    uint64_t tally[LANES][SPAN_TALLIES];
};

static void put_random(struct spans *spans, struct sums *sums, struct dice *dice, int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t lane = (uint32_t)roll(dice, LANES), span_class = (uint32_t)roll(dice, CLASSES);
        uint32_t tally = (uint32_t)roll(dice, SPAN_TALLIES);
        ps_t ps = chance(dice, 10) ? roll(dice, 100000000) : roll(dice, 3000);
        uint64_t n = roll(dice, 100);
        spans_tally(spans, lane, tally, n);
        spans_add(spans, lane, (uint32_t)(i / 2000), span_class, ps);
        sums->part[lane][span_class] += ps;
        sums->now[lane] += ps;
        sums->tally[lane][tally] += n;
    }
    spans_end(spans);
}

static void expect_sums(const struct spans *spans, const struct sums *sums)
{
    struct sums found = {0};
    for (size_t i = 0; i < spans->count; i++) {
        const struct span *span = &spans->span[i];
        ps_t all = 0;
        assert_int_equal(span->start, found.now[span->lane]);
        for (uint32_t span_class = 0; span_class < SPAN_CLASSES; span_class++) {
            all += span->part[span_class];
        }
        for (uint32_t span_class = 0; span_class < CLASSES; span_class++) {
            found.part[span->lane][span_class] += span->part[span_class];
        }
        for (uint32_t tally = 0; tally < SPAN_TALLIES; tally++) {
            found.tally[span->lane][tally] += span->tally[tally];
        }
        assert_int_equal(all, span->ps);
        assert_true(span->ps > 0 && span->stands_for > 0);
        found.now[span->lane] += span->ps;
    }
    assert_memory_equal(&found, sums, sizeof found);
}

static uint64_t stood_for(const struct spans *spans)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < spans->count; i++) {
        sum += spans->span[i].stands_for;
    }
    return sum;
}

/* Whatever the limit: no gaps, no overlaps, and every sum exact. */
static void sums_are_kept_at_any_limit(void **state)
{
    static const size_t limits[] = {1, 20, 100, 1000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct dice dice = dice_of(i);
        struct spans spans;
        static struct sums sums;
        memset(&sums, 0, sizeof sums);
        spans_init(&spans, LANES, limits[i]);
        put_random(&spans, &sums, &dice, 10000);
        expect_sums(&spans, &sums);
        assert_true(spans.count <= limits[i] || spans.count <= 2 * LANES + 2);
        assert_true((spans.grain > 0) == (limits[i] < 10000));
        assert_in_range(stood_for(&spans), 8000, 10000);
        spans_free(&spans);
    }
}

static void what_continues_is_one_span(void **state)
{
    struct spans spans;
    (void)state;
    spans_init(&spans, 2, 10);
    spans_tally(&spans, 0, 1, 5);
    spans_add(&spans, 0, 0, 2, 10);
    spans_add(&spans, 1, 0, 2, 4);
    spans_tally(&spans, 0, 1, 6);
    spans_add(&spans, 0, 0, 2, 20);
    spans_add(&spans, 0, 1, 2, 30); /* another phase */
    spans_until(&spans, 0, 1, 3, 100);
    spans_tally(&spans, 0, 1, 7); /* took no time, and nothing follows */
    spans_end(&spans);
    assert_int_equal(spans.count, 4);
    assert_int_equal(spans.span[0].ps, 30);
    assert_int_equal(spans.span[0].stands_for, 1);
    assert_int_equal(spans.span[0].tally[1], 11);
    assert_int_equal(spans.span[2].start, 30);
    assert_int_equal(spans.span[3].ps, 40);
    assert_int_equal(spans.span[3].tally[1], 7);
    assert_int_equal(span_class(&spans.span[3]), 3);
    spans_free(&spans);
}

/* Long spans stay what they are while short ones are put together. */
static void long_spans_stay(void **state)
{
    struct spans spans;
    size_t found = 0;
    (void)state;
    spans_init(&spans, 1, 100);
    for (int i = 0; i < 5000; i++) {
        bool wide = i % 1000 == 500;
        spans_add(&spans, 0, 0, wide ? 5 : (uint32_t)i % 2, wide ? UINT64_C(1000000000) : 1000);
    }
    for (size_t i = 0; i < spans.count; i++) {
        found += spans.span[i].ps == 1000000000 && spans.span[i].stands_for == 1;
    }
    assert_int_equal(found, 5);
    assert_true(spans.count <= 100);
    spans_free(&spans);
}

static void marks_beyond_the_limit_are_counted(void **state)
{
    struct spans spans;
    (void)state;
    spans_init(&spans, 1, 4);
    spans_add(&spans, 0, 0, 0, 7);
    for (uint64_t i = 0; i < 10; i++) {
        spans_mark(&spans, 0, 3, i);
    }
    assert_int_equal(spans.mark_count, 4);
    assert_int_equal(spans.marks_left_out, 6);
    assert_int_equal(spans.marks[3].n, 3);
    assert_int_equal(spans.marks[3].at, 7);
    spans_free(&spans);
}

static void run_backward(void)
{
    struct spans spans;
    spans_init(&spans, 1, 4);
    spans_add(&spans, 0, 0, 0, 7);
    spans_until(&spans, 0, 0, 0, 6);
}

static void a_lane_never_runs_backward(void **state)
{
    (void)state;
    expect_abort(run_backward);
}

static void a_class_has_most(void **state)
{
    (void)state;
    for (uint32_t most = 0; most < SPAN_CLASSES; most++) {
        struct span span = {0};
        for (uint32_t i = 0; i < SPAN_CLASSES; i++) {
            span.part[i] = i == most ? 40 : 7 + i;
        }
        assert_int_equal(span_class(&span), most);
    }
    const struct span even = {.part = {[3] = 5, [7] = 5}}, none = {0};
    assert_int_equal(span_class(&even), 3);
    assert_int_equal(span_class(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_kept_at_any_limit),
        cmocka_unit_test(what_continues_is_one_span),
        cmocka_unit_test(long_spans_stay),
        cmocka_unit_test(marks_beyond_the_limit_are_counted),
        cmocka_unit_test(a_lane_never_runs_backward),
        cmocka_unit_test(a_class_has_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
