/* What must hold of every generated boot, tried over seeded random cases:
 * what Linux ships is never cheaper than the lazy unmap, FWB flushes no line,
 * and more memory, more touched memory or a dearer cost never makes a boot
 * shorter, nor what coherence adds to it less.
 *
 * The added time is a difference to the same boot without maintenance. What the
 * guest's own accesses cost is in both: where that boot fetches more lines than
 * the one with maintenance (which, past the caches, fetches none), dearer memory
 * makes the difference less. That is right, so the two sides are told apart:
 * maintenance must grow, the sum of both is counted and printed. */
#include "play.h"

#define CASES 60

struct trialled {
    struct workload *workload;
    struct stage stage;
};

static const char *const sound[] = {"unmap", "unmap-lazy", "eager", "eager-toggle1", "fwb"};
#define SOUND (sizeof sound / sizeof *sound)

static void set_number(struct workload *workload, const char *key, const char *format, double value)
{
    char text[64];
    snprintf(text, sizeof text, format, value);
    set_key(workload, key, text);
}

static void set_case(struct dice *dice, struct trialled *of, unsigned vcpus)
{
    static const char *const machines[] = {"neoverse-n1", "kunpeng-920", "cortex-a72"};
    static const char *const kernels[] = {"5.10", "5.15", "6.1", "6.6", "6.12"};
    static const char *const orders[] = {"sequential", "strided", "random", "zipf", "recorded"};
    stage_init(&of->stage, machines[roll(dice, 3)], kernels[roll(dice, 5)]);
    of->workload = workload_of("generated-boot");
    set_number(of->workload, "footprint", "%.0fM", (double)(16 + 2 * roll(dice, 2000)));
    set_number(of->workload, "touched", "%.0f%%", (double)roll(dice, 90));
    set_number(of->workload, "write_share", "%.0f%%", (double)roll(dice, 101));
    set_number(of->workload, "execute", "%.0fM", (double)roll(dice, 65));
    set_number(of->workload, "dirty", "%.0f%%", (double)roll(dice, 101));
    set_number(of->workload, "seed", "%.0f", (double)(1 + roll(dice, 1000)));
    set_number(of->workload, "vcpus", "%.0f", (double)vcpus);
    set_key(of->workload, "backing", chance(dice, 50) ? "4k" : "thp");
    set_key(of->workload, "firmware", chance(dice, 50) ? "direct" : "uefi");
    set_key(of->workload, "order", orders[roll(dice, 5)]);
}

/* What a strategy's run comes to. */
struct outcome_of {
    ps_t window, guest; /* all of it; the guest's own accesses in it */
    uint64_t lines;
};

static bool is_guests(enum event_kind kind)
{
    return kind == EV_walk_reads || kind == EV_guest_insns || kind == EV_guest_misses ||
           kind == EV_guest_remote || kind == EV_uncached || kind == EV_compute_ps;
}

static struct outcome_of outcome(const struct trialled *of, const struct strategy *strategy)
{
    struct timeline timeline;
    build(of->workload, &timeline);
    struct sim *sim = play(&of->stage, &timeline, strategy, false);
    struct outcome_of result = {.window = sim_window_ps(sim)};
    for (size_t i = 0; i < (size_t)SITES * EVENT_KINDS; i++) {
        enum event_kind kind = (enum event_kind)(i % EVENT_KINDS);
        result.lines += kind >= EV_line_absent && kind <= EV_line_dirty ? sim->window[i] : 0;
        result.guest += is_guests(kind) ? sim->window[i] * sim->price[kind] : 0;
    }
    play_free(sim);
    timeline_free(&timeline);
    return result;
}

/* By strategy, in ps. */
struct times_of {
    int64_t window[SOUND], maintenance[SOUND], added[SOUND];
};

static struct times_of times_of_all(const struct trialled *of)
{
    struct times_of times;
    struct outcome_of ideal = outcome(of, &strategy_ideal);
    for (size_t s = 0; s < SOUND; s++) {
        struct strategy row = strategy_row(sound[s]);
        struct outcome_of found = outcome(of, &row);
        times.window[s] = (int64_t)found.window;
        times.added[s] = (int64_t)found.window - (int64_t)ideal.window;
        times.maintenance[s] = times.added[s] - (int64_t)found.guest + (int64_t)ideal.guest;
    }
    return times;
}

/* --- what has no exception --- */

static void shipped_is_never_cheaper_than_lazy(void **state)
{
    (void)state;
    struct dice dice = dice_of(41);
    struct strategy shipped = strategy_row("unmap"), lazy = strategy_row("unmap-lazy");
    for (uint64_t i = 0; i < some_cases(CASES); i++) {
        struct trialled of;
        set_case(&dice, &of, 1);
        assert_true(outcome(&of, &shipped).window >= outcome(&of, &lazy).window);
        assert_true(outcome(&of, &shipped).lines >= outcome(&of, &lazy).lines);
        workload_free(of.workload);
    }
}

static void fwb_flushes_no_line(void **state)
{
    (void)state;
    struct dice dice = dice_of(42);
    struct strategy fwb = strategy_row("fwb");
    for (uint64_t i = 0; i < some_cases(CASES); i++) {
        struct trialled of;
        set_case(&dice, &of, (unsigned)(1 + roll(&dice, 4)));
        assert_int_equal(outcome(&of, &fwb).lines, 0);
        workload_free(of.workload);
    }
}

/* --- monotone --- */

/* How often something came out cheaper than before. */
struct tally {
    uint64_t all, window, maintenance, added;
};

static uint64_t note_less(const char *what, const char *key, const char *strategy, int64_t before,
                          int64_t after)
{
    if (after < before) {
        print_message("%s, more of %s: %s %.3f us instead of %.3f\n", strategy, key, what,
                      (double)after / 1e6, (double)before / 1e6);
    }
    return after < before;
}

static void compare(const struct times_of *before, const struct times_of *after, const char *key,
                    struct tally *tally)
{
    for (size_t s = 0; s < SOUND; s++) {
        tally->all++;
        tally->window += note_less("window", key, sound[s], before->window[s], after->window[s]);
        tally->maintenance +=
            note_less("maintenance", key, sound[s], before->maintenance[s], after->maintenance[s]);
        tally->added += after->added[s] < before->added[s];
    }
}

static void grow(struct trialled *of, const char *key, const char *format, double from, double to,
                 struct tally *tally)
{
    set_number(of->workload, key, format, from);
    struct times_of before = times_of_all(of);
    set_number(of->workload, key, format, to);
    struct times_of after = times_of_all(of);
    compare(&before, &after, key, tally);
    set_number(of->workload, key, format, from);
}

/* Bandwidths and misses in flight are better where they are more. */
static bool more_is_better(int cost)
{
    return strstr(cost_name[cost], "gbps") || cost == COST_overlap;
}

static void make_dearer(struct trialled *of, struct tally *tally)
{
    struct times_of before = times_of_all(of);
    for (int cost = 0; cost < COSTS; cost++) {
        double value = of->stage.value[cost];
        of->stage.value[cost] = more_is_better(cost) ? value / 1.7 : value * 1.7;
        struct times_of after = times_of_all(of);
        compare(&before, &after, cost_name[cost], tally);
        of->stage.value[cost] = value;
    }
}

static void grow_all(struct dice *dice, unsigned vcpus, int cases, struct tally *tally)
{
    for (int i = 0; i < cases; i++) {
        struct trialled of;
        set_case(dice, &of, vcpus);
        double mib = (double)(16 + 2 * roll(dice, 2000)), share = (double)roll(dice, 90);
        grow(&of, "footprint", "%.0fM", mib, mib + (double)(2 * roll(dice, 3000)), tally);
        grow(&of, "touched", "%.0f%%", share, share + (double)roll(dice, 10), tally);
        make_dearer(&of, tally);
        workload_free(of.workload);
    }
}

static void monotone_on_one_actor(void **state)
{
    (void)state;
    struct dice dice = dice_of(43);
    struct tally tally = {0};
    grow_all(&dice, 1, (int)some_cases(CASES / 3), &tally);
    print_message("one vCPU: of %llu, %llu added less by the guest's own accesses\n",
                  (unsigned long long)tally.all, (unsigned long long)tally.added);
    assert_int_equal(tally.window, 0);
    assert_int_equal(tally.maintenance, 0);
}

/* Where several actors meet, a dearer step of one may let another go first and
 * wait less: that is counted and told, and no error. */
static void nearly_monotone_on_several(void **state)
{
    (void)state;
    struct dice dice = dice_of(44);
    struct tally tally = {0};
    for (unsigned vcpus = 2; vcpus <= 4; vcpus++) {
        grow_all(&dice, vcpus, 4, &tally);
    }
    print_message("several vCPUs: of %llu, %llu took less time and %llu added less\n",
                  (unsigned long long)tally.all, (unsigned long long)tally.window,
                  (unsigned long long)tally.added);
    assert_true(tally.window < tally.all / 20);
}

/* --- what has no part in a run --- */

#define ONE_VCPU_REBOOTS                                                              \
    "phase = boot1\nvmm = fill ram 1M\nvcpu0 = enter\nvcpu0 = mmu on\n"               \
    "vcpu0 = write ram 24M\nvcpu0 = fetch ram 256K\nphase = reset1\nvmm = reinit 0\n" \
    "vmm = fill ram 1M\nphase = boot2\nvcpu0 = enter\nvcpu0 = fetch ram 64K\n"        \
    "vcpu0 = vmregs 10\nvcpu0 = mmu on\nvcpu0 = write ram 12M\nvcpu0 = read ram 20M\n"

/* A vCPU that is configured and never entered: no count, no price and no time knows of
 * it, whatever the strategy. All cores of the machine answer a broadcast invalidation,
 * not those that the VM has vCPUs for. */
static void vcpus_that_never_run_change_nothing(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, "kunpeng-920", "6.1");
    for (size_t backing = 0; backing < 2; backing++) {
        for (size_t s = 0; s < strategy_count; s++) {
            struct sim *runs[2];
            for (int many = 0; many < 2; many++) {
                char text[1024];
                struct timeline timeline;
                snprintf(text, sizeof text,
                         "[vm]\nram = 64M\nbacking = %s\nvcpus = %d\n[timeline]\n%s",
                         backing ? "thp" : "4k", many ? 16 : 1, ONE_VCPU_REBOOTS);
                struct workload *workload = workload_good(text);
                build(workload, &timeline);
                runs[many] = play(&stage, &timeline, &strategy_rows[s], false);
                timeline_free(&timeline);
                workload_free(workload);
            }
            assert_int_equal(sim_window_ps(runs[0]), sim_window_ps(runs[1]));
            assert_memory_equal(runs[0]->price, runs[1]->price, sizeof runs[0]->price);
            assert_memory_equal(runs[0]->window, runs[1]->window,
                                (size_t)SITES * EVENT_KINDS * sizeof *runs[0]->window);
            play_free(runs[0]);
            play_free(runs[1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_is_never_cheaper_than_lazy),
        cmocka_unit_test(fwb_flushes_no_line),
        cmocka_unit_test(monotone_on_one_actor),
        cmocka_unit_test(nearly_monotone_on_several),
        cmocka_unit_test(vcpus_that_never_run_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
