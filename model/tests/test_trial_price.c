/* Trials that are made up: what they come to at other prices, and which two are the same. */
#include "check.h"
#include "machine/price.h"
#include "study/trial.h"

#include <string.h>

#define NS PS_PER_NS

/* A machine on which the paths that cores share are free, until a test says otherwise. */
static struct setup setup;
static double value[COSTS];
static ps_t price[EVENT_KINDS];

static void set_costs(void)
{
    setup.platform = (struct platform){.line_bytes = 64};
    memset(price, 0, sizeof price);
    for (int i = 0; i < COSTS; i++) {
        value[i] = 1;
    }
    value[COST_cmo_path_ns] = 0;
    value[COST_writeback_gbps] = value[COST_zero_path_gbps] = 1e6;
    price[EV_exits] = 100;
    price[EV_fault_path] = 7;
    price[EV_tlbi_calls] = 1000;
    price[EV_line_absent] = 8 * NS;
    price[EV_line_clean] = 16 * NS;
    price[EV_line_dirty] = 32 * NS;
    price[EV_zero_bytes] = 50 * NS;
}

/* --- serial runs --- */

static struct event_count counts[] = {
    {PART_fault_path, SITE_FAULT, EV_exits, 3},
    {PART_fault_path, SITE_FAULT, EV_fault_path, 10},
    {PART_tlbi, SITE_REINIT, EV_tlbi_calls, 2},
};

static struct trial serial_trial(void)
{
    return (struct trial){.serial = true, .counts = counts, .count = 3};
}

static void a_serial_run_is_its_events(void **state)
{
    struct trial trial = serial_trial();
    struct times times;
    (void)state;
    set_costs();
    memset(&times, 0xff, sizeof times);
    trial_reprice(&trial, price, NULL, &times);
    assert_int_equal(times.part[PART_fault_path], 370);
    assert_int_equal(times.part[PART_tlbi], 2000);
    assert_int_equal(times.part[PART_walks], 0);
    assert_int_equal(times.window_ps, 2370);
    assert_int_equal(times.cpu_ps, 2370);
    assert_true(times.priced && !times.fitted && !times.has_tail);
    /* As it was played: the times are its own, the parts those of its events. */
    trial.window_ps = 5000;
    trial.cpu_ps = 6000;
    trial.tail.pause_ps = 17;
    trial_times(&trial, price, &times);
    assert_int_equal(times.window_ps, 5000);
    assert_int_equal(times.cpu_ps, 6000);
    assert_int_equal(times.part[PART_tlbi], 2000);
    assert_true(times.has_tail && !times.priced && times.tail.pause_ps == 17);
    assert_int_equal(trial_count(&trial, SITE_FAULT, EV_fault_path), 10);
    assert_int_equal(trial_count(&trial, SITE_REINIT, EV_tlbi_calls), 2);
    assert_int_equal(trial_count(&trial, SITE_REINIT, EV_exits), 0);
    assert_int_equal(trial_count(&trial, SITE_FAULT, EV_tlbi_calls), 0);
}

/* The longest hold, the stalls by how often they came up, and the first access. Of a stall that
 * stands for several, what is in one of them only is that one's. */
static void tails_are_priced_again(void **state)
{
    static struct kind_count events[] = {
        {EV_exits, 4},      {EV_tlbi_calls, 2}, /* 2,400 */
        {EV_exits, 30}, /* 3,000, of three: 1,000 each */
        {EV_exits, 1}, /* 100 */
        {EV_exits, 11},     {EV_fault_path, 100}, {EV_exits, 2}, /* 1,800, of which 200 once */
        {EV_fault_path, 3}, /* 21 */
    };
    static struct trial_tail tails[] = {
        {TAIL_HOLD, 1, 5, 0, 2, 0},  {TAIL_HOLD, 3, 1, 2, 1, 0},  {TAIL_STALL, 1, 6, 3, 1, 0},
        {TAIL_STALL, 4, 1, 4, 2, 1}, {TAIL_FIRST, 1, 1, 7, 1, 0},
    };
    struct trial trial = serial_trial();
    struct histogram stalls;
    struct times times;
    (void)state;
    set_costs();
    trial.has_tails = true;
    trial.tails = tails;
    trial.tail_count = 5;
    trial.tail_events = events;
    trial.tail_event_count = 8;
    histogram_init(&stalls);
    for (int turn = 0; turn < 2; turn++) { /* what is left of the first is forgotten */
        trial_reprice(&trial, price, &stalls, &times);
        assert_true(times.has_tail);
        assert_int_equal(times.tail.pause_ps, 2400);
        /* Six of 100; of four in 1,800 three of (1,800 - 200) / 4 = 400, and one of 600. */
        assert_int_equal(stalls.count, 10);
        assert_int_equal(times.tail.stall_p50_ps, 100);
        assert_int_equal(times.tail.stall_p99_ps, 600);
        assert_int_equal(times.tail.stall_max_ps, 600);
        assert_int_equal(histogram_quantile(&stalls, 0.7), 400);
        assert_int_equal(times.tail.first_insn_ps, 21);
    }
    trial.tail_count = 1;
    trial_reprice(&trial, price, &stalls, &times);
    assert_int_equal(times.tail.stall_max_ps, 0);
    assert_true(times.tail.first_insn_ps == UINT64_MAX);
    trial.has_tails = false;
    trial_reprice(&trial, price, &stalls, &times);
    assert_false(times.has_tail);
    /* What has no tails cannot say them at other costs. */
    assert_false(trial_price(&trial, &setup, value, price, &stalls, &times));
    assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
    assert_int_equal(times.window_ps, 2370);
    trial.serial = false;
    assert_false(trial_is_for_all_costs(&trial));
    assert_false(trial_price(&trial, &setup, value, price, NULL, &times));
    histogram_free(&stalls);
}

/* A shared path that takes longer than a core does for a kind that was seen makes it wait; one of a
 * kind that was not seen is no matter. */
static void a_path_that_is_slower_says_no(void **state)
{
    static const struct {
        enum event_kind seen;
        size_t cost;
        double with, slower; /* the core's pace, and slower than that */
    } cases[] = {
        {EV_line_absent, COST_cmo_path_ns, 7.9, 8.1},
        {EV_line_clean, COST_cmo_path_ns, 15.9, 16.1},
        {EV_line_dirty, COST_cmo_path_ns, 31.9, 32.1},
        {EV_line_dirty, COST_writeback_gbps, 64 / 31.9, 64 / 32.1},
        {EV_zero_bytes, COST_zero_path_gbps, 1024 / 49.9, 1024 / 50.1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial = serial_trial();
        set_costs();
        assert_true(trial_can_reprice(&trial, &setup, value, price));
        value[cases[i].cost] = cases[i].slower;
        assert_true(trial_can_reprice(&trial, &setup, value, price));
        trial.seen[cases[i].seen] = true;
        assert_false(trial_can_reprice(&trial, &setup, value, price));
        value[cases[i].cost] = cases[i].with;
        assert_true(trial_can_reprice(&trial, &setup, value, price));
        trial.serial = false;
        assert_false(trial_can_reprice(&trial, &setup, value, price));
    }
}

/* --- sections --- */

/* Two actors side by side, each of so many steps of lines on the path of which each takes a share;
 * the first waits for the other. */
static struct trial section_trial(void)
{
    static struct event_count all[] = {{PART_lines_flush, SITE_FLUSH, EV_line_clean, 50},
                                       {PART_other, SITE_FLUSH, EV_exits, 4}};
    static struct section_event events[] = {
        {EV_exits, 2},
        {EV_line_clean, 10}, /* charged, then on the path */
        {EV_line_clean, 10},
    };
    static struct section_step steps[] = {
        {.request = SECTION_FLOW, .first = 0, .charged = 1, .counted = 1},
        {.request = SECTION_WAIT, .first = 3},
        {.request = SECTION_FLOW, .first = 2, .counted = 1},
        {.request = SECTION_RAISE, .first = 3},
    };
    static struct section_turn turns[] = {{0, 2}, {1, 1}, {2, 3}, {3, 1}};
    static size_t own[] = {2, 2};
    static struct section section = {2, steps, 4, events, 3, turns, 4, own};
    struct trial trial = {.counts = all, .count = 2, .sections = &section, .section_count = 1};
    memcpy(trial.price, price, sizeof trial.price);
    trial.seen[EV_line_clean] = true;
    return trial;
}

/* On a free path: 2 x (200 + 160,000) and 3 x 160,000 side by side take the longer, 480,000. On a
 * path that half of each core's pace fills neither waits. */
static void sections_are_timed_again(void **state)
{
    const ps_t busy = 50 * 16 * NS + 4 * 100;
    struct times times;
    (void)state;
    set_costs();
    struct trial trial = section_trial();
    assert_true(trial_is_for_all_costs(&trial));
    for (int path_ns = 0; path_ns <= 8; path_ns += 4) {
        value[COST_cmo_path_ns] = path_ns;
        assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
        assert_int_equal(times.window_ps, 480 * NS);
        assert_int_equal(times.cpu_ps, busy);
        assert_int_equal(times.part[PART_lines_flush], 50 * 16 * NS);
        assert_int_equal(times.part[PART_other], 400);
        assert_true(times.priced);
    }
    /* Each takes 31/32 of the path: at 16/31 of their pace until the first one's 320 ns are done,
     * after 620 ns, then the other's last 160. */
    value[COST_cmo_path_ns] = 15.5;
    assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
    assert_in_range(times.window_ps, 780 * NS - 400, 780 * NS + 400);
    assert_in_range(times.cpu_ps, busy + 600 * NS - 800, busy + 600 * NS + 800);
    /* Slower than a core, it is played. */
    value[COST_cmo_path_ns] = 17;
    assert_false(trial_price(&trial, &setup, value, price, NULL, &times));
    value[COST_cmo_path_ns] = 4;
    /* What took no time and takes some now lets others in; the other way round, too. */
    trial.price[EV_exits] = 0;
    assert_false(trial_price(&trial, &setup, value, price, NULL, &times));
    trial.price[EV_exits] = 5;
    assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
    price[EV_exits] = 0;
    assert_false(trial_price(&trial, &setup, value, price, NULL, &times));
    trial.price[EV_exits] = 0;
    assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
}

/* What is outside of sections is added to what they take; two of them one behind the other. */
static void sections_stand_one_behind_the_other(void **state)
{
    struct event_count more[3];
    struct section twice[2];
    struct times times;
    (void)state;
    set_costs();
    struct trial trial = section_trial();
    memcpy(more, trial.counts, 2 * sizeof *more);
    more[0].n *= 2;
    more[1].n *= 2;
    more[2] = (struct event_count){PART_tlbi, SITE_FLUSH, EV_tlbi_calls, 5};
    twice[0] = twice[1] = trial.sections[0];
    trial.counts = more;
    trial.count = 3;
    trial.sections = twice;
    trial.section_count = 2;
    assert_true(trial_price(&trial, &setup, value, price, NULL, &times));
    assert_int_equal(times.window_ps, 2 * 480 * NS + 5000);
    assert_int_equal(times.cpu_ps, 2 * (50 * 16 * NS + 400) + 5000);
}

/* --- two of them --- */

static void every_outcome_counts(void **state)
{
    struct trial a = {.window_ps = 1, .cpu_ps = 2, .tail = {3, 4, 5, 6, 7}}, b = a;
    uint64_t *const fields[] = {&b.window_ps,         &b.cpu_ps,
                                &b.tail.pause_ps,     &b.tail.stall_p50_ps,
                                &b.tail.stall_p99_ps, &b.tail.stall_max_ps,
                                &b.tail.first_insn_ps};
    (void)state;
    assert_true(trial_same_outcome(&a, &b));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        ++*fields[i];
        assert_false(trial_same_outcome(&a, &b));
        --*fields[i];
    }
    for (int level = 0; level < LEAF_LEVELS; level++) {
        b.leaves[level]++;
        assert_false(trial_same_outcome(&a, &b));
        b.leaves[level]--;
    }
    for (int reader = 0; reader < READERS; reader++) {
        struct verdict *verdict = &b.verdict[reader];
        verdict->outcome = STALE;
        assert_false(trial_same_outcome(&a, &b));
        *verdict = (struct verdict){.lines_read = 1};
        assert_false(trial_same_outcome(&a, &b));
        *verdict = (struct verdict){.lines_stale = 1};
        assert_false(trial_same_outcome(&a, &b));
        *verdict = (struct verdict){.lines_conditional = 1};
        assert_false(trial_same_outcome(&a, &b));
        *verdict = (struct verdict){.lines_read = 0};
    }
    assert_true(trial_same_outcome(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_run_is_its_events),
        cmocka_unit_test(tails_are_priced_again),
        cmocka_unit_test(a_path_that_is_slower_says_no),
        cmocka_unit_test(sections_are_timed_again),
        cmocka_unit_test(sections_stand_one_behind_the_other),
        cmocka_unit_test(every_outcome_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
