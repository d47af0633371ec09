/* What a run may be spared, from its counts, by hand: of each place and kind, and which of it
 * another strategy spares. */
#include "check.h"
#include "study/advise_bound.h"
#include "study/policy_space.h"

#include <math.h>

#define NS PS_PER_NS

/* Lines of 8, 16 and 32 ns; a line that was dropped costs a miss. */
static struct trial run_of_all(void)
{
    static struct event_count counts[] = {
        {.site = SITE_REINIT, .kind = EV_line_clean, .n = 10},
        {.site = SITE_REINIT, .kind = EV_cmo_calls, .n = 2},
        {.site = SITE_REINIT, .kind = EV_tlbi_calls, .n = 3},
        {.site = SITE_REINIT, .kind = EV_hyp_calls, .n = 1},
        {.site = SITE_REINIT, .kind = EV_exits, .n = 4},
        {.site = SITE_REINIT, .kind = EV_icache_lines, .n = 6},
        {.site = SITE_FLUSH, .kind = EV_line_dirty, .n = 5},
        {.site = SITE_FLUSH, .kind = EV_walk_flush, .n = 7},
        {.site = SITE_FLUSH, .kind = EV_ic_ialluis, .n = 1},
        {.site = SITE_TOGGLE, .kind = EV_line_absent, .n = 9},
        {.site = SITE_TOGGLE, .kind = EV_walk_flush, .n = 3},
        {.site = SITE_TOGGLE, .kind = EV_icache_lines, .n = 2},
        {.site = SITE_NOTIFIER, .kind = EV_line_dirty, .n = 1},
        {.site = SITE_SLOT, .kind = EV_range_cmo_kib, .n = 4},
        {.site = SITE_SLOT, .kind = EV_tlbi_calls, .n = 5},
        {.site = SITE_FAULT, .kind = EV_line_clean, .n = 20},
        {.site = SITE_FAULT, .kind = EV_exits, .n = 8},
        {.site = SITE_GUEST, .kind = EV_guest_misses, .n = 30},
        {.site = SITE_GUEST, .kind = EV_guest_remote, .n = 4},
        {.site = SITE_SETWAY, .kind = EV_line_clean, .n = 2},
        {.site = SITE_VMM, .kind = EV_cmo_calls, .n = 3},
    };
    struct trial trial = {.counts = counts, .count = sizeof counts / sizeof *counts};
    trial.price[EV_line_absent] = 8 * NS;
    trial.price[EV_line_clean] = 16 * NS;
    trial.price[EV_line_dirty] = 32 * NS;
    trial.price[EV_cmo_calls] = 100 * NS;
    trial.price[EV_range_cmo_kib] = 3 * NS;
    trial.price[EV_tlbi_calls] = 700 * NS;
    trial.price[EV_hyp_calls] = 90 * NS;
    trial.price[EV_exits] = 500 * NS;
    trial.price[EV_icache_lines] = 5 * NS;
    trial.price[EV_ic_ialluis] = 50 * NS;
    trial.price[EV_walk_flush] = 2 * NS;
    trial.price[EV_guest_misses] = 40 * NS;
    trial.price[EV_guest_remote] = 60 * NS;
    trial.cleaned_before[SITE_REINIT] = 6;
    trial.cleaned_before[SITE_SLOT] = 2;
    trial.cleaned_before[SITE_FAULT] = 100;
    trial.cleaned_before[SITE_GUEST] = 50;
    return trial;
}

static void what_a_run_has_to_spare(void **state)
{
    /* Events, and a miss of 60 ns for each line that was dropped, of 34 misses at most. */
    static const double expected[ADVISE_SPARES] = {
        [SPARE_REINIT_CLEANS] = 10 * 16 + 2 * 100 + (10 + 6) * 60,
        [SPARE_NOTIFIER_CLEANS] = 32 + 4 * 3 + (1 + 2) * 60,
        [SPARE_FAULT_CLEANS] = 20 * 16 + 34 * 60,
        [SPARE_TOGGLE] = 9 * 8 + 3 * 2 + 9 * 60,
        [SPARE_ICACHE] = 6 * 5 + 50,
        [SPARE_TLBI] = 3 * 700 + 90,
        [SPARE_FLUSH] = 5 * 32 + 7 * 2 + 5 * 60,
        /* Clean lines cost 8 ns more than absent ones, dirty ones 24, wherever they are. */
        [SPARE_STATES] = (10 + 20 + 2) * 8 + (5 + 1) * 24,
    };
    struct trial trial = run_of_all();
    struct advise_spares spares = advise_spares_of(&trial);
    (void)state;
    for (int i = 0; i < ADVISE_SPARES; i++) {
        if (fabs(spares.ns[i] - expected[i]) > 1e-9) {
            fail_msg("spare %d: %.3f ns, expected %.3f", i, spares.ns[i], expected[i]);
        }
    }
    trial.count = 0;
    spares = advise_spares_of(&trial);
    for (int i = 0; i < ADVISE_SPARES; i++) {
        assert_true(spares.ns[i] == 0); /* no miss, nothing dropped */
    }
}

/* A strategy that does all there is. */
static struct strategy all_of_it(void)
{
    struct strategy strategy = *policy_upstream(false);
    strategy.reinit_unmap_cleans = strategy.notifier_unmap_cleans = strategy.fault_cleans = true;
    strategy.reinit_icache = true;
    strategy.toggle = TOGGLE_EVERY;
    strategy.reinit_tlbi = REINIT_TLBI_LEAF;
    strategy.flush_at = FLUSH_EACH_INIT;
    strategy.flush_leaves = FLUSH_ALL;
    strategy.flush_record = RECORD_NONE;
    strategy.workers = 1;
    return strategy;
}

/* Bit i of a sum: what may be spared of kind i. */
static double bits_by(const struct strategy *strategy, const struct strategy *other)
{
    struct advise_spares spares;
    for (int i = 0; i < ADVISE_SPARES; i++) {
        spares.ns[i] = ldexp(1, i);
    }
    return advise_cheaper_by(strategy, &spares, other);
}

static void expect_bits(const char *what, const struct strategy *one, const struct strategy *other,
                        double there, double back)
{
    double found[2] = {bits_by(one, other), bits_by(other, one)};
    if (found[0] != there || found[1] != back) {
        fail_msg("%s: %g and back %g, expected %g and %g", what, found[0], found[1], there, back);
    }
}

static void who_spares_what(void **state)
{
    const double states = ldexp(1, SPARE_STATES), flush = ldexp(1, SPARE_FLUSH);
    const struct strategy all = all_of_it();
    struct strategy less = all;
    (void)state;
    expect_bits("the same", &all, &less, 0, 0);
    less.reinit_unmap_cleans = false;
    expect_bits("unmap's clean", &all, &less, ldexp(1, SPARE_REINIT_CLEANS), 0);
    less = all;
    less.notifier_unmap_cleans = false;
    expect_bits("notifier's clean", &all, &less, ldexp(1, SPARE_NOTIFIER_CLEANS), states);
    less = all;
    less.fault_cleans = false;
    expect_bits("fault's clean", &all, &less, ldexp(1, SPARE_FAULT_CLEANS), states);
    less = all;
    less.toggle = TOGGLE_FIRST;
    expect_bits("toggle", &all, &less, ldexp(1, SPARE_TOGGLE), states);
    less = all;
    less.reinit_icache = false;
    expect_bits("I-cache", &all, &less, ldexp(1, SPARE_ICACHE), 0);
    less = all;
    less.reinit_tlbi = REINIT_TLBI_VM;
    expect_bits("TLBs", &all, &less, ldexp(1, SPARE_TLBI), ldexp(1, SPARE_TLBI));
    less = all;
    less.flush_at = FLUSH_NONE;
    expect_bits("flush", &all, &less, flush, 0);
    less = all;
    less.flush_record = RECORD_LEAVES;
    expect_bits("record", &all, &less, flush, 0);
    less = all;
    less.workers = 4;
    expect_bits("workers", &all, &less, flush + states, flush);
    less.fault_cleans = less.reinit_icache = false;
    expect_bits("several", &all, &less,
                flush + states + ldexp(1, SPARE_FAULT_CLEANS) + ldexp(1, SPARE_ICACHE),
                flush + states);
}

/* What is done in another way may cost anything. */
static void other_ways_have_no_bound(void **state)
{
    const struct strategy all = all_of_it();
    struct strategy other[5] = {all, all, all, all, all};
    (void)state;
    other[0].reinit_unmap = UNMAP_NONE;
    other[1].flush_by = FLUSH_BY_RANGE;
    other[2].recreate = !all.recreate;
    other[3].chunk = MIB;
    other[4].fwb = true;
    for (size_t i = 0; i < 5; i++) {
        assert_true(isinf(bits_by(&all, &other[i])) && isinf(bits_by(&other[i], &all)));
    }
}

static void events_of_two_runs(void **state)
{
    struct event_count one[] = {{.kind = EV_exits, .n = 7}, {.kind = EV_tlbi_calls, .n = 2}};
    struct event_count other[] = {{.kind = EV_tlbi_calls, .n = 3}};
    const struct trial a = {.counts = one, .count = 2}, b = {.counts = other, .count = 1};
    ps_t price[EVENT_KINDS] = {0};
    (void)state;
    price[EV_exits] = 500 * NS;
    price[EV_tlbi_calls] = 700 * NS;
    assert_true(advise_events_over(&a, &b, price) == 7 * 500 - 700);
    assert_true(advise_events_over(&b, &a, price) == 700 - 7 * 500);
    price[EV_exits] = 0;
    assert_true(advise_events_over(&a, &b, price) == -700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_run_has_to_spare),
        cmocka_unit_test(who_spares_what),
        cmocka_unit_test(other_ways_have_no_bound),
        cmocka_unit_test(events_of_two_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
