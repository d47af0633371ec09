#include "check.h"

#include "core/units.h"
#include "machine/oracle.h"
#include "worst.h"

#define PAGE (4 * KIB)
#define LINES 64 /* of a page */

/* A history is a list of what happened to one page, in order. */
enum deed {
    DONE,
    GUEST_WRITES,
    GUEST_WRITES_PAST,
    VMM_WRITES,
    VMM_WRITES_PAST,
    GUEST_READS,
    GUEST_READS_PAST,
    GUEST_FETCHES,
    MAPPED,
    FLUSH,
    ICACHE,
    FORGET,
};

#define DEEDS 8

struct bench {
    struct pool pool;
    struct oracle oracle;
};

/* Every vCPU that could fetch does. Guest and host reach memory through the caches. */
static void bench_init(struct bench *bench, bool dic, bool idc)
{
    interval_map_pool_init(&bench->pool, 64);
    oracle_init(&bench->oracle, &bench->pool,
                (struct oracle_traits){.line_bytes = 64, .dic = dic, .idc = idc, .still = true});
}

static void read_page(struct oracle *oracle, enum reader reader, enum path path)
{
    oracle_read(oracle, 0, PAGE, LINES, reader, path);
}

static void act(struct oracle *oracle, enum deed deed)
{
    switch (deed) {
    case GUEST_WRITES:
    case GUEST_WRITES_PAST:
        oracle_write(oracle, 0, PAGE, deed == GUEST_WRITES ? PATH_CACHED : PATH_UNCACHED, true);
        break;
    case VMM_WRITES:
    case VMM_WRITES_PAST:
        oracle_write(oracle, 0, PAGE, deed == VMM_WRITES ? PATH_CACHED : PATH_UNCACHED, false);
        break;
    case GUEST_READS:
        read_page(oracle, READER_GUEST_ON, PATH_CACHED);
        break;
    case GUEST_READS_PAST:
        read_page(oracle, READER_GUEST_OFF, PATH_UNCACHED);
        break;
    case GUEST_FETCHES:
        read_page(oracle, READER_FETCH, PATH_CACHED);
        break;
    case MAPPED:
        oracle_map(oracle, 0, PAGE, true);
        oracle_run(oracle, 0, PAGE, (struct oracle_vcpus){.cached = true});
        break;
    case FLUSH:
        oracle_maintain(oracle, 0, PAGE, CLEAN_INVALIDATE, true);
        break;
    case ICACHE:
        oracle_maintain(oracle, 0, PAGE, ICACHE_VA, true);
        break;
    default:
        oracle_forget(oracle, 0, PAGE);
        break;
    }
}

/* What a reader sees after a history, by itself. */
static enum outcome seen_after(const enum deed deeds[DEEDS], bool dic, bool idc, enum reader reader,
                               enum path path)
{
    struct bench bench;
    bench_init(&bench, dic, idc);
    for (int i = 0; i < DEEDS && deeds[i] != DONE; i++) {
        act(&bench.oracle, deeds[i]);
    }
    bench.oracle.judging = true;
    read_page(&bench.oracle, reader, path);
    enum outcome outcome = bench.oracle.verdict[reader].outcome;
    assert_int_equal(oracle_worst(&bench.oracle), outcome);
    pool_free(&bench.pool);
    return outcome;
}

struct rule {
    enum deed deeds[DEEDS];
    enum outcome cached, past; /* guest data through and past the caches */
};

static void expect_rules(const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum outcome cached =
            seen_after(rules[i].deeds, false, false, READER_GUEST_ON, PATH_CACHED);
        enum outcome past =
            seen_after(rules[i].deeds, false, false, READER_GUEST_OFF, PATH_UNCACHED);
        if (cached != rules[i].cached || past != rules[i].past) {
            fail_msg("rule %zu: %s and %s", i, outcome_name[cached], outcome_name[past]);
        }
        /* The host and devices see what every cacheable reader sees. */
        assert_int_equal(seen_after(rules[i].deeds, false, false, READER_HOST, PATH_CACHED),
                         cached);
        assert_int_equal(seen_after(rules[i].deeds, false, false, READER_DEVICE, PATH_CACHED),
                         cached);
    }
}

static void memory_is_old_until_a_cached_write_is_cleaned(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {{DONE}, COHERENT, COHERENT},
        {{GUEST_WRITES}, COHERENT, STALE},
        {{VMM_WRITES}, COHERENT, STALE},
        {{VMM_WRITES, GUEST_READS}, COHERENT, STALE},
        {{VMM_WRITES, FLUSH}, COHERENT, COHERENT},
        {{VMM_WRITES, FLUSH, GUEST_READS}, COHERENT, COHERENT},
        {{VMM_WRITES, FLUSH, VMM_WRITES}, COHERENT, STALE},
        {{VMM_WRITES, ICACHE}, COHERENT, STALE},
        {{VMM_WRITES, FORGET}, COHERENT, COHERENT},
    };
    expect_rules(rules, sizeof rules / sizeof *rules);
}

/* A copy that was allowed may sit in a cache and be old; one that only a
 * speculative fill could have made is old only if there was such a fill. */
static void copies_are_old_after_a_write_past_them(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {{GUEST_WRITES_PAST}, ONLY_IF, COHERENT},
        {{GUEST_READS, GUEST_WRITES_PAST}, STALE, COHERENT},
        {{GUEST_READS_PAST, GUEST_WRITES_PAST}, ONLY_IF, COHERENT},
        {{GUEST_READS, FLUSH, GUEST_WRITES_PAST}, ONLY_IF, COHERENT},
        {{GUEST_READS, GUEST_WRITES_PAST, FLUSH}, COHERENT, COHERENT},
        {{GUEST_WRITES_PAST, FLUSH}, COHERENT, COHERENT},
        {{GUEST_WRITES_PAST, FLUSH, GUEST_READS, VMM_WRITES_PAST}, STALE, COHERENT},
        {{GUEST_READS, GUEST_WRITES_PAST, FORGET}, COHERENT, COHERENT},
    };
    expect_rules(rules, sizeof rules / sizeof *rules);
}

/* An old dirty line may be written back over newer bytes at any time. */
static void what_a_dirty_line_overwrites_is_lost(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {{VMM_WRITES, GUEST_WRITES_PAST}, STALE, STALE},
        {{VMM_WRITES, GUEST_WRITES_PAST, FLUSH}, STALE, STALE},
        {{VMM_WRITES, GUEST_WRITES_PAST, FLUSH, FLUSH}, STALE, STALE},
        {{VMM_WRITES, FLUSH, GUEST_WRITES_PAST, FLUSH}, COHERENT, COHERENT},
        {{VMM_WRITES, GUEST_WRITES_PAST, FLUSH, VMM_WRITES, FLUSH}, COHERENT, COHERENT},
        {{VMM_WRITES, GUEST_WRITES_PAST, FLUSH, FORGET}, COHERENT, COHERENT},
    };
    expect_rules(rules, sizeof rules / sizeof *rules);
}

/* Instructions that a fetch may find old: in the I-cache until it is invalidated, and
 * where IDC = 0 behind the point of unification until the data cache is cleaned. */
static void old_instructions_stay_until_invalidated(void **state)
{
    (void)state;
    static const struct {
        enum deed deeds[DEEDS];
        enum outcome neither, idc, both; /* of CTR_EL0.IDC and .DIC */
    } rules[] = {
        {{GUEST_FETCHES}, COHERENT, COHERENT, COHERENT},
        {{VMM_WRITES, GUEST_FETCHES}, STALE, COHERENT, COHERENT},
        {{VMM_WRITES, FLUSH, GUEST_FETCHES}, COHERENT, COHERENT, COHERENT},
        {{GUEST_FETCHES, VMM_WRITES}, STALE, STALE, COHERENT},
        {{MAPPED, VMM_WRITES}, STALE, ONLY_IF, COHERENT},
        {{MAPPED, VMM_WRITES, FLUSH}, ONLY_IF, ONLY_IF, COHERENT},
        {{GUEST_FETCHES, VMM_WRITES, FLUSH}, STALE, STALE, COHERENT},
        {{GUEST_FETCHES, VMM_WRITES, FLUSH, ICACHE}, COHERENT, COHERENT, COHERENT},
        {{GUEST_FETCHES, ICACHE, VMM_WRITES, FLUSH}, COHERENT, COHERENT, COHERENT},
        {{GUEST_READS, VMM_WRITES, FLUSH}, COHERENT, COHERENT, COHERENT},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const enum deed *deeds = rules[i].deeds;
        enum outcome neither = seen_after(deeds, false, false, READER_FETCH, PATH_CACHED);
        enum outcome idc = seen_after(deeds, false, true, READER_FETCH, PATH_CACHED);
        enum outcome both = seen_after(deeds, true, true, READER_FETCH, PATH_CACHED);
        if (neither != rules[i].neither || idc != rules[i].idc || both != rules[i].both) {
            fail_msg("rule %zu: %s, with IDC %s, with DIC too %s", i, outcome_name[neither],
                     outcome_name[idc], outcome_name[both]);
        }
    }
}

/* Old instructions harm fetches only. */
static void data_does_not_come_from_the_icache(void **state)
{
    (void)state;
    static const enum deed deeds[DEEDS] = {GUEST_FETCHES, VMM_WRITES, FLUSH};
    assert_int_equal(seen_after(deeds, false, false, READER_GUEST_ON, PATH_CACHED), COHERENT);
    assert_int_equal(seen_after(deeds, false, false, READER_GUEST_OFF, PATH_UNCACHED), COHERENT);
}

static void a_fetch_past_the_caches_sees_old_memory(void **state)
{
    (void)state;
    static const enum deed deeds[DEEDS] = {VMM_WRITES};
    assert_int_equal(seen_after(deeds, false, false, READER_FETCH, PATH_UNCACHED), STALE);
    assert_int_equal(seen_after(deeds, true, true, READER_FETCH, PATH_UNCACHED), STALE);
}

static void nothing_counts_before_the_judging(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, false, false);
    oracle_write(&bench.oracle, 0, PAGE, PATH_CACHED, false);
    read_page(&bench.oracle, READER_GUEST_OFF, PATH_UNCACHED);
    assert_int_equal(oracle_worst(&bench.oracle), NOT_READ);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_OFF].lines_read, 0);
    pool_free(&bench.pool);
}

static void lines_are_counted_by_range(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, false, false);
    oracle_write(&bench.oracle, PAGE, 2 * PAGE, PATH_CACHED, false);
    oracle_write(&bench.oracle, 2 * PAGE, 4 * PAGE, PATH_UNCACHED, true);
    bench.oracle.judging = true;
    oracle_read(&bench.oracle, 0, 4 * PAGE, 40, READER_GUEST_OFF, PATH_UNCACHED);
    const struct verdict *off = &bench.oracle.verdict[READER_GUEST_OFF];
    assert_int_equal(off->outcome, STALE);
    assert_int_equal(off->lines_read, 40);
    assert_int_equal(off->lines_stale, 10);
    assert_int_equal(off->lines_conditional, 0);
    oracle_read(&bench.oracle, 0, 4 * PAGE, 40, READER_GUEST_ON, PATH_CACHED);
    const struct verdict *on = &bench.oracle.verdict[READER_GUEST_ON];
    assert_int_equal(on->outcome, ONLY_IF);
    assert_int_equal(on->lines_conditional, 20);
    assert_int_equal(on->lines_stale, 0);
    assert_int_equal(oracle_worst(&bench.oracle), STALE);
    pool_free(&bench.pool);
}

static void conditions_say_what_the_verdict_leans_on(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, false, false);
    oracle_write(&bench.oracle, 0, PAGE, PATH_UNCACHED, true);
    bench.oracle.judging = true;
    read_page(&bench.oracle, READER_GUEST_ON, PATH_CACHED);
    read_page(&bench.oracle, READER_GUEST_OFF, PATH_UNCACHED);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_ON].conditions, CONDITION_NO_FILL);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_OFF].conditions, 0);
    pool_free(&bench.pool);
}

/* Once a reader was wrong, later good reads do not mend its verdict. */
static void the_worst_outcome_stays(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, false, false);
    oracle_write(&bench.oracle, 0, PAGE, PATH_CACHED, false);
    bench.oracle.judging = true;
    read_page(&bench.oracle, READER_GUEST_OFF, PATH_UNCACHED);
    oracle_maintain(&bench.oracle, 0, PAGE, CLEAN_INVALIDATE, true);
    read_page(&bench.oracle, READER_GUEST_OFF, PATH_UNCACHED);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_OFF].outcome, STALE);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_OFF].lines_read, 2 * LINES);
    assert_int_equal(bench.oracle.verdict[READER_GUEST_OFF].lines_stale, LINES);
    pool_free(&bench.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_old_until_a_cached_write_is_cleaned),
        cmocka_unit_test(copies_are_old_after_a_write_past_them),
        cmocka_unit_test(what_a_dirty_line_overwrites_is_lost),
        cmocka_unit_test(old_instructions_stay_until_invalidated),
        cmocka_unit_test(data_does_not_come_from_the_icache),
        cmocka_unit_test(a_fetch_past_the_caches_sees_old_memory),
        cmocka_unit_test(nothing_counts_before_the_judging),
        cmocka_unit_test(lines_are_counted_by_range),
        cmocka_unit_test(conditions_say_what_the_verdict_leans_on),
        cmocka_unit_test(the_worst_outcome_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
