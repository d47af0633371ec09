#include "check.h"

#include "core/units.h"
#include "vm/host.h"

/* Blocks of 16 pages: the rules do not depend on how large a huge page is. */
#define PAGE (4 * KIB)
#define BLOCK (16 * PAGE)

struct bench {
    struct pool pool;
    struct host host;
    struct host_area area;
};

static struct bench bench_of(enum backing backing, uint64_t start, uint64_t end)
{
    struct bench bench = {.area = {start, end, backing, PAGE, BLOCK}};
    return bench;
}

static void bench_init(struct bench *bench, enum huge_zero_write how)
{
    interval_map_pool_init(&bench->pool, 512);
    host_init(&bench->host, &bench->pool, how);
}

static enum host_state state_of(struct bench *bench, uint64_t at)
{
    uint64_t end;
    return (enum host_state)interval_map_value(&bench->host.state, at, &end);
}

static bool huge_state_of(struct bench *bench, uint64_t at)
{
    enum host_state state = state_of(bench, at);
    return state == HOST_HUGE || state == HOST_HUGE_ZERO || state == HOST_HUGE_READ;
}

static struct host_access touch(struct bench *bench, uint64_t at, uint64_t limit, bool write)
{
    return host_touch(&bench->host, &bench->area, at, limit, write);
}

static void expect_access(struct host_access got, uint64_t start, uint64_t end, uint64_t unit,
                          bool writable, uint64_t fresh)
{
    assert_int_equal(got.start, start);
    assert_int_equal(got.end, end);
    assert_int_equal(got.unit_bytes, unit);
    assert_int_equal(got.writable, writable);
    assert_int_equal(got.fresh_bytes, fresh);
}

static void expect_notified(struct host_access got, int i, uint64_t start, uint64_t end)
{
    assert_true(i < (int)got.notified);
    assert_int_equal(got.notify[i].start, start);
    assert_int_equal(got.notify[i].end, end);
}

static void nothing_was_notified(struct host_access got)
{
    assert_int_equal(got.notified, 0);
    assert_false(got.replaced);
}

static void small_memory_reads_the_zero_page_and_copies_it_on_write(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_4K, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    struct host_access got = touch(&bench, PAGE + 8, 4 * PAGE, false);
    expect_access(got, PAGE, 4 * PAGE, PAGE, false, 0);
    nothing_was_notified(got);
    got = touch(&bench, 2 * PAGE, 4 * BLOCK, true);
    expect_access(got, 2 * PAGE, 3 * PAGE, PAGE, true, PAGE);
    assert_int_equal(got.notified, 1);
    expect_notified(got, 0, 2 * PAGE, 3 * PAGE);
    assert_true(got.replaced);
    got = touch(&bench, 4 * PAGE, 4 * BLOCK, true);
    expect_access(got, 4 * PAGE, 4 * BLOCK, PAGE, true, 4 * BLOCK - 4 * PAGE);
    nothing_was_notified(got);
    expect_access(touch(&bench, 5 * PAGE, 7 * PAGE, false), 5 * PAGE, 7 * PAGE, PAGE, true, 0);
    pool_free(&bench.pool);
}

static void shared_memory_allocates_on_read(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_SHARED, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    expect_access(touch(&bench, 0, 2 * PAGE, false), 0, 2 * PAGE, PAGE, true, 2 * PAGE);
    expect_access(touch(&bench, 0, 2 * PAGE, true), 0, 2 * PAGE, PAGE, true, 0);
    host_drop(&bench.host, &bench.area, 0, 4 * BLOCK);
    assert_int_equal(state_of(&bench, 0), HOST_EMPTY);
    pool_free(&bench.pool);
}

static void huge_pages_come_on_the_first_write(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_THP, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    expect_access(touch(&bench, PAGE, 2 * PAGE, true), 0, BLOCK, BLOCK, true, BLOCK);
    expect_access(touch(&bench, 3 * PAGE, BLOCK, true), 0, BLOCK, BLOCK, true, 0);
    expect_access(touch(&bench, BLOCK, 4 * BLOCK, true), BLOCK, 4 * BLOCK, BLOCK, true, 3 * BLOCK);
    host_drop(&bench.host, &bench.area, 0, BLOCK);
    assert_int_equal(state_of(&bench, 0), HOST_EMPTY);
    expect_access(touch(&bench, 0, PAGE, true), 0, BLOCK, BLOCK, true, BLOCK);
    pool_free(&bench.pool);
}

static void a_huge_zero_page_splits_when_written(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_THP, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    expect_access(touch(&bench, 0, 2 * BLOCK, false), 0, 2 * BLOCK, BLOCK, false, 0);
    struct host_access got = touch(&bench, 3 * PAGE, 2 * BLOCK, true);
    expect_access(got, 3 * PAGE, 4 * PAGE, PAGE, true, PAGE);
    assert_int_equal(got.notified, 2);
    expect_notified(got, 0, 0, BLOCK);
    expect_notified(got, 1, 3 * PAGE, 4 * PAGE);
    assert_true(got.replaced);
    assert_int_equal(state_of(&bench, 0), HOST_ZERO);
    assert_int_equal(state_of(&bench, BLOCK), HOST_HUGE_ZERO);
    expect_access(touch(&bench, 0, BLOCK, false), 0, 3 * PAGE, PAGE, false, 0);
    pool_free(&bench.pool);
}

static void a_huge_zero_page_gives_way_to_a_huge_page(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_THP, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_ALLOCATES);
    touch(&bench, 0, 2 * BLOCK, false);
    struct host_access got = touch(&bench, BLOCK + PAGE, 4 * BLOCK, true);
    expect_access(got, BLOCK, 2 * BLOCK, BLOCK, true, BLOCK);
    assert_int_equal(got.notified, 1);
    expect_notified(got, 0, BLOCK, 2 * BLOCK);
    assert_false(got.replaced);
    assert_int_equal(state_of(&bench, 0), HOST_HUGE_ZERO);
    pool_free(&bench.pool);
}

static void hugetlb_pages_come_on_any_access(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_HUGETLB, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    expect_access(touch(&bench, 0, 2 * BLOCK, false), 0, 2 * BLOCK, BLOCK, false, 2 * BLOCK);
    struct host_access got = touch(&bench, PAGE, PAGE + 1, true);
    expect_access(got, 0, BLOCK, BLOCK, true, 0);
    nothing_was_notified(got);
    expect_access(touch(&bench, BLOCK, 2 * BLOCK, false), BLOCK, 2 * BLOCK, BLOCK, false, 0);
    expect_access(touch(&bench, 2 * BLOCK, 3 * BLOCK, true), 2 * BLOCK, 3 * BLOCK, BLOCK, true,
                  BLOCK);
    host_drop(&bench.host, &bench.area, 0, 4 * BLOCK);
    assert_int_equal(bench.host.state.covered, 0);
    pool_free(&bench.pool);
}

/* Pages go with madvise, the table that held them stays: no huge page again. */
static void a_table_stays_when_its_pages_go(void **state)
{
    (void)state;
    struct bench bench = bench_of(BACKING_THP, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    touch(&bench, 0, PAGE, false);
    touch(&bench, 0, PAGE, true);
    host_drop(&bench.host, &bench.area, 0, 4 * BLOCK);
    assert_int_equal(state_of(&bench, 0), HOST_TABLE);
    assert_int_equal(state_of(&bench, BLOCK - 1), HOST_TABLE);
    assert_int_equal(state_of(&bench, BLOCK), HOST_EMPTY);
    expect_access(touch(&bench, 0, 4 * BLOCK, true), 0, BLOCK, PAGE, true, BLOCK);
    pool_free(&bench.pool);
}

/* Only a block that lies whole within the area can be huge, and small pages of
 * the piece before it say nothing of the blocks behind. */
static void pieces_at_the_ends_are_small(void **state)
{
    (void)state;
    uint64_t start = 3 * PAGE, end = 2 * BLOCK + 5 * PAGE;
    struct bench bench = bench_of(BACKING_THP, start, end);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    expect_access(touch(&bench, start, end, true), start, BLOCK, PAGE, true, BLOCK - start);
    expect_access(touch(&bench, BLOCK, end, true), BLOCK, 2 * BLOCK, BLOCK, true, BLOCK);
    expect_access(touch(&bench, 2 * BLOCK + PAGE, end, true), 2 * BLOCK + PAGE, end, PAGE, true,
                  4 * PAGE);
    assert_int_equal(state_of(&bench, 2 * BLOCK), HOST_TABLE);
    assert_int_equal(state_of(&bench, end), HOST_EMPTY);
    assert_int_equal(state_of(&bench, 0), HOST_EMPTY);
    pool_free(&bench.pool);
}

/* Writes to all of it; returns what was fresh and adds up what notifiers were told of. */
static uint64_t fill(struct bench *bench, uint64_t end, uint64_t *notified)
{
    uint64_t fresh = 0;
    for (uint64_t at = 0; at < end;) {
        struct host_access access = touch(bench, at, end, true);
        for (uint32_t i = 0; i < access.notified; i++) {
            *notified += access.notify[i].end - access.notify[i].start;
        }
        fresh += access.fresh_bytes;
        at = access.end;
    }
    return fresh;
}

static void filling_reports_what_it_replaced(void **state)
{
    (void)state;
    uint64_t notified = 0;
    struct bench bench = bench_of(BACKING_4K, 0, 4 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    touch(&bench, 2 * PAGE, 5 * PAGE, false);
    assert_int_equal(fill(&bench, BLOCK - PAGE / 2, &notified), BLOCK);
    assert_int_equal(notified, 3 * PAGE);
    assert_int_equal(fill(&bench, BLOCK, &notified), 0);
    assert_int_equal(notified, 3 * PAGE);
    pool_free(&bench.pool);
}

static void an_access_outside_of_the_area(void)
{
    struct bench bench = bench_of(BACKING_4K, BLOCK, 2 * BLOCK);
    bench_init(&bench, HUGE_ZERO_SPLITS);
    touch(&bench, 2 * BLOCK, 3 * BLOCK, false);
}

static void accesses_outside_abort(void **state)
{
    (void)state;
    expect_abort(an_access_outside_of_the_area);
}

/* However far it may go, and whatever memory of another area lies behind and is in the same state.
 */
static void an_access_ends_with_its_area(void **state)
{
    static const enum backing all[] = {BACKING_4K, BACKING_THP, BACKING_HUGETLB,
                                       BACKING_HUGETLB_SHARED, BACKING_SHARED};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (int write = 0; write < 2; write++) {
            struct bench bench = bench_of(all[i], BLOCK, 3 * BLOCK);
            struct bench behind = bench_of(all[i], 3 * BLOCK, 5 * BLOCK);
            bench_init(&bench, HUGE_ZERO_SPLITS);
            for (uint64_t at = 3 * BLOCK; at < 5 * BLOCK;) {
                struct host_access got =
                    host_touch(&bench.host, &behind.area, at, 9 * BLOCK, write);
                assert_true(got.end > at && got.end <= 5 * BLOCK);
                at = got.end;
            }
            for (int turn = 0; turn < 2; turn++) {
                for (uint64_t at = BLOCK; at < 3 * BLOCK;) {
                    struct host_access got = touch(&bench, at, 9 * BLOCK, write);
                    assert_true(got.end > at && got.end <= 3 * BLOCK);
                    at = got.end;
                }
            }
            /* All of it is alike then, and taken at once up to its end. */
            expect_access(touch(&bench, 2 * BLOCK, 9 * BLOCK, false), 2 * BLOCK, 3 * BLOCK,
                          huge_state_of(&bench, 2 * BLOCK) ? BLOCK : PAGE,
                          write || all[i] >= BACKING_HUGETLB_SHARED, 0);
            pool_free(&bench.pool);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_memory_reads_the_zero_page_and_copies_it_on_write),
        cmocka_unit_test(shared_memory_allocates_on_read),
        cmocka_unit_test(huge_pages_come_on_the_first_write),
        cmocka_unit_test(a_huge_zero_page_splits_when_written),
        cmocka_unit_test(a_huge_zero_page_gives_way_to_a_huge_page),
        cmocka_unit_test(hugetlb_pages_come_on_any_access),
        cmocka_unit_test(a_table_stays_when_its_pages_go),
        cmocka_unit_test(pieces_at_the_ends_are_small),
        cmocka_unit_test(filling_reports_what_it_replaced),
        cmocka_unit_test(an_access_ends_with_its_area),
        cmocka_unit_test(accesses_outside_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
