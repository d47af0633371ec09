#include "check.h"

#include "core/tails.h"

enum { READ, WRITE, WAIT, KINDS };

/* A stall of an actor with these counts. */
static void stall(struct tails *tails, uint32_t actor, uint64_t reads, uint64_t writes)
{
    tails_begin(tails, actor, TAIL_MARK_STALL);
    tails_add(tails, READ, reads);
    tails_add(tails, WRITE, writes);
    tails_end(tails, actor, TAIL_STALL, 0, false);
}

static const uint64_t *total_of(const struct tails *tails, size_t i)
{
    return tails->counts + tails->tail[i].total;
}

/* The same counts are one, however they came to be and whoever had them. */
static void the_same_is_kept_once(void **state)
{
    struct tails tails;
    (void)state;
    tails_init(&tails, 2, KINDS);
    stall(&tails, 0, 3, 1);
    tails_add(&tails, WAIT, 7);
    stall(&tails, 1, 3, 1);
    stall(&tails, 0, 1, 3);
    tails_begin(&tails, 0, TAIL_MARK_HOLD);
    tails_add(&tails, WRITE, 1);
    tails_add(&tails, READ, 3);
    tails_end(&tails, 0, TAIL_HOLD, 0, false);
    assert_int_equal(tails.count, 3);
    assert_int_equal(tails.tail[0].times, 2);
    assert_int_equal(total_of(&tails, 0)[READ], 3);
    assert_int_equal(total_of(&tails, 0)[WRITE], 1);
    assert_int_equal(total_of(&tails, 0)[WAIT], 0);
    assert_int_equal(tails.tail[1].times, 1);
    assert_int_equal(tails.tail[2].what, TAIL_HOLD);
    tails_free(&tails);
}

/* One that stands for many, with a part that comes once, is another than one without. */
static void a_part_that_comes_once(void **state)
{
    struct tails tails;
    (void)state;
    tails_init(&tails, 1, KINDS);
    for (int once = 0; once < 2; once++) {
        tails_begin(&tails, 0, TAIL_MARK_STALL);
        tails_add(&tails, READ, 8);
        tails_begin(&tails, 0, TAIL_MARK_ONCE);
        tails_add(&tails, WRITE, 2);
        tails_end(&tails, 0, TAIL_STALL, 4, once == 1);
    }
    assert_int_equal(tails.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tails.tail[i].alike, 4);
        assert_int_equal(total_of(&tails, i)[READ], 8);
        assert_int_equal(total_of(&tails, i)[WRITE], 2);
        assert_int_equal(tails.counts[tails.tail[i].once + READ], 0);
        assert_int_equal(tails.counts[tails.tail[i].once + WRITE], i == 1 ? 2 : 0);
    }
    tails_free(&tails);
}

/* What is under way at a clear counts whole. */
static void what_is_under_way_goes_on(void **state)
{
    struct tails tails;
    (void)state;
    tails_init(&tails, 1, KINDS);
    stall(&tails, 0, 9, 9);
    tails_begin(&tails, 0, TAIL_MARK_STALL);
    tails_add(&tails, READ, 1);
    tails_clear(&tails);
    assert_int_equal(tails.count, 0);
    tails_add(&tails, READ, 1);
    tails_end(&tails, 0, TAIL_STALL, 0, false);
    assert_int_equal(tails.count, 1);
    assert_int_equal(total_of(&tails, 0)[READ], 2);
    tails_free(&tails);
}

/* It grows to its limit, finds what it has again, and says when there was more. */
static void more_than_are_kept(void **state)
{
    enum { LIMIT = 16384 };
    struct tails tails;
    (void)state;
    tails_init(&tails, 1, KINDS);
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < LIMIT; i++) {
            stall(&tails, 0, i, LIMIT - i);
        }
    }
    assert_int_equal(tails.count, LIMIT);
    assert_false(tails.full);
    for (size_t i = 0; i < LIMIT; i++) {
        assert_int_equal(tails.tail[i].times, 2);
        assert_int_equal(total_of(&tails, i)[READ], i);
    }
    stall(&tails, 0, 0, 0);
    assert_true(tails.full);
    stall(&tails, 0, 5, LIMIT - 5);
    assert_int_equal(tails.tail[5].times, 3);
    tails_clear(&tails);
    assert_false(tails.full);
    tails_free(&tails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_kept_once),
        cmocka_unit_test(a_part_that_comes_once),
        cmocka_unit_test(what_is_under_way_goes_on),
        cmocka_unit_test(more_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
