/* Ladders: every number of every rung against what its strategy comes to, the order of rungs and
 * who is one against all policies of the space. */
#include "core/error.h"
#include "store_files.h"

#include "study/advise.h"
#include "study/verdict.h"

#include <math.h>
#include <sqlite3.h>

#define DRAWS_MAX 20
#define RUNS_MAX (1 + DRAWS_MAX)

static struct study study;
static struct advise_results results;

static void advise(const char *text, const struct advise_request *request)
{
    struct error err = {0};
    if (!read_study(&study, text, NULL, 0, &err) ||
        !advise_run(&study, request, &(struct sweep){.jobs = 1}, test_store(), &results, &err)) {
        fail_msg("%s", err.text);
    }
}

static void end(void)
{
    advise_free(&results);
    study_free(&study);
}

/* --- what a ladder stands on --- */

/* The scenario of a ladder, with the hardware that it asks about. */
struct bench {
    struct sweep sweep;
    struct evaluator evaluator;
    struct scenario scenario;
    size_t runs;
    enum metric metric;
};

static void give(struct platform *platform, enum advise_hardware hardware)
{
    platform->fwb |= hardware == HARDWARE_FWB || hardware == HARDWARE_FWB_DIC;
    platform->dic |= hardware == HARDWARE_DIC || hardware == HARDWARE_FWB_DIC;
    platform->tlbirange |= hardware == HARDWARE_RANGE_TLBI;
}

static void open_bench(struct bench *bench, size_t group, enum advise_hardware hardware,
                       struct scenario_key other)
{
    struct error err = {0};
    *bench = (struct bench){.sweep = {.jobs = 1}, .metric = results.request.metric};
    evaluator_open(&bench->evaluator, &study, &bench->sweep, test_store());
    assert_true(scenario_open(&bench->scenario, &bench->evaluator,
                              groups_point(&results.groups, group), other, &err));
    give(&bench->scenario.setup.platform, hardware);
    bench->runs = bench->scenario.runs;
}

static void close_bench(struct bench *bench)
{
    scenario_close(&bench->scenario);
    evaluator_close(&bench->evaluator);
}

static void values_of(struct bench *bench, const struct strategy *strategy, enum metric metric,
                      double *values)
{
    struct error err = {0};
    if (!evaluate_metric(&bench->scenario, metric, &strategy, 1, values, &err)) {
        fail_msg("%s", err.text);
    }
}

/* Of the draws; without any, the value at the modes. */
static double quantile_of(const double *values, size_t runs, double f)
{
    double own[RUNS_MAX];
    if (runs == 1) {
        return values[0];
    }
    memcpy(own, values + 1, (runs - 1) * sizeof *own);
    return stats_quantile(own, runs - 1, f);
}

static void same(const char *what, double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : !(found == expected)) {
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
    }
}

static void same_band(const char *what, struct advise_band band, const double *values, size_t runs)
{
    same(what, band.p10, quantile_of(values, runs, 0.1));
    same(what, band.p50, quantile_of(values, runs, 0.5));
    same(what, band.p90, quantile_of(values, runs, 0.9));
}

/* --- one rung --- */

static void same_gain(const char *what, const double *before, const double *after, size_t runs,
                      struct advise_band gain, double probability)
{
    double by[RUNS_MAX] = {0}, won = 0;
    for (size_t run = 0; run < runs; run++) {
        by[run] = before[run] - after[run];
        won += run > 0 && by[run] > 0;
    }
    same_band(what, gain, by, runs);
    same(what, probability, runs > 1 ? won / (double)(runs - 1) : NAN);
}

static void same_changes(const struct advise_rung *first, const struct advise_rung *before,
                         const struct advise_rung *rung)
{
    struct kernel_change change[STRATEGY_KEYS];
    assert_int_equal(rung->changes, kernel_changes(&first->strategy, &rung->strategy, change));
    for (size_t i = 0; i < rung->changes; i++) {
        bool kept = false;
        assert_string_equal(rung->change[i].key, change[i].key);
        assert_string_equal(rung->change[i].value, change[i].value);
        for (size_t k = 0; before && k < before->changes; k++) {
            kept |= strcmp(before->change[k].key, change[i].key) == 0 &&
                    strcmp(before->change[k].value, change[i].value) == 0;
        }
        assert_int_equal(rung->kept[i], kept);
    }
}

/* The name of a row that does the same; none, where none does. */
static void same_name(const struct advise_rung *rung)
{
    struct error err;
    if (rung->strategy.name[0]) {
        const struct strategy *row = strategy_find(rung->strategy.name, &err);
        assert_non_null(row);
        assert_int_equal(kernel_changes(row, &rung->strategy, NULL), 0);
        return;
    }
    for (size_t i = 0; i < strategy_count; i++) {
        assert_int_not_equal(kernel_changes(&strategy_rows[i], &rung->strategy, NULL), 0);
    }
}

/* All numbers of a rung; `before` is whom it gains on, NULL for the first. */
static void expect_rung(struct bench *bench, const struct advise_rung *first,
                        const struct advise_rung *before, const struct advise_rung *rung)
{
    double cost[RUNS_MAX], less[RUNS_MAX], cpu[RUNS_MAX], pause[RUNS_MAX];
    struct strategy_verdict verdict;
    struct error err = {0};
    values_of(bench, &rung->strategy, bench->metric, cost);
    values_of(bench, &rung->strategy, METRIC_cpu_ns, cpu);
    values_of(bench, &rung->strategy, METRIC_pause_ns, pause);
    same("mode", rung->mode, cost[0]);
    same_band("cost", rung->cost, cost, bench->runs);
    same_band("processor time", rung->cpu_ns, cpu, bench->runs);
    same_band("pause", rung->pause_ns, pause, bench->runs);
    if (bench->runs > 1) {
        struct quantile_error error = stats_quantile_error(cost + 1, bench->runs - 1);
        same("error", rung->cost_error.p50, error.p50);
        same("error", rung->cost_error.ends, error.ends);
        error = stats_quantile_error(pause + 1, bench->runs - 1);
        same("error of the pause", rung->pause_error.p50, error.p50);
    }
    if (before) {
        values_of(bench, &before->strategy, bench->metric, less);
        values_of(bench, &rung->strategy, bench->metric, cost);
        same_gain("gain", less, cost, bench->runs, rung->gain, rung->probability);
    } else {
        same("probability", rung->probability, NAN);
    }
    assert_true(evaluate_verdict(&bench->scenario, &rung->strategy, &verdict, &err));
    assert_int_equal(rung->verdict.worst, verdict.worst);
    assert_int_equal(rung->verdict.conditions, verdict.conditions);
    same_changes(first, before, rung);
    same_name(rung);
}

/* The coherent rung with the most changes that are no more than so many. */
static const struct advise_rung *beside(const struct advise_ladder *ladder, size_t changes)
{
    size_t at = 0;
    for (size_t i = 0; i < ladder->count; i++) {
        at = ladder->rung[i].changes <= changes ? i : at;
    }
    return &ladder->rung[at];
}

/* Which rungs need the guest's own maintenance: some reader fares worse than with what Linux does
 * where there is none. */
static void expect_needs(const struct advise_ladder *ladder, size_t group,
                         enum advise_hardware hardware)
{
    struct bench bench;
    struct error err = {0};
    open_bench(&bench, group, hardware, (struct scenario_key){"guest_maintenance", "none"});
    const struct trial *base = evaluate_trial(&bench.scenario, &ladder->rung[0].strategy, &err);
    assert_non_null(base);
    for (size_t i = 0; i < ladder->count + ladder->conditional_count; i++) {
        const struct advise_rung *rung =
            i < ladder->count ? &ladder->rung[i] : &ladder->conditional[i - ladder->count];
        const struct trial *trial = evaluate_trial(&bench.scenario, &rung->strategy, &err);
        bool worse = false;
        for (int reader = 0; reader < READERS; reader++) {
            worse |= trial->verdict[reader].outcome > COHERENT &&
                     trial->verdict[reader].outcome > base->verdict[reader].outcome;
        }
        assert_int_equal(rung->needs_guest, worse);
    }
    close_bench(&bench);
}

/* --- ladders --- */

static void expect_order(const struct advise_ladder *ladder)
{
    assert_int_equal(ladder->rung[0].changes, 0);
    for (size_t i = 1; i < ladder->count; i++) {
        assert_true(ladder->rung[i].changes > ladder->rung[i - 1].changes);
        assert_true(ladder->rung[i].verdict.worst <= COHERENT);
        assert_true(ladder->rung[i - 1].cost.p50 - ladder->rung[i].cost.p50 >=
                    ADVISE_GAIN_MIN * ladder->rung[i - 1].cost.p50);
    }
    for (size_t i = 0; i < ladder->conditional_count; i++) {
        const struct advise_rung *rung = &ladder->conditional[i];
        assert_int_equal(rung->verdict.worst, ONLY_IF);
        assert_true(rung->cost.p50 < beside(ladder, rung->changes)->cost.p50);
        assert_true(i == 0 || rung->cost.p50 < rung[-1].cost.p50);
        assert_true(i == 0 || rung->changes > rung[-1].changes);
    }
    assert_int_equal(ladder->played + ladder->stale + ladder->dominated + ladder->no_gain +
                         ladder->dear + ladder->impossible,
                     ladder->policies);
}

/* Of each number of changes no policy is cheaper than the ladder has it: of those that are
 * coherent, and of those that are so under a condition at most. */
static void expect_cheapest(struct bench *bench, const struct advise_ladder *ladder,
                            size_t changes_max)
{
    struct policy_space space;
    policy_space_init(&space, &ladder->rung[0].strategy, &ladder->facts, changes_max);
    assert_int_equal(space.count, ladder->policies);
    for (size_t i = 0; i < space.count; i++) {
        double cost[RUNS_MAX];
        struct strategy_verdict verdict;
        struct error err = {0};
        const struct policy *policy = &space.policies[i];
        values_of(bench, &policy->strategy, bench->metric, cost);
        assert_true(evaluate_verdict(&bench->scenario, &policy->strategy, &verdict, &err));
        double median = quantile_of(cost, bench->runs, 0.5);
        double stands = beside(ladder, policy->changes)->cost.p50;
        if (verdict.worst <= COHERENT) {
            assert_true(median >= stands * (1 - 2 * ADVISE_GAIN_MIN));
        }
        for (size_t k = 0; k < ladder->conditional_count; k++) {
            const struct advise_rung *rung = &ladder->conditional[k];
            stands = rung->changes <= policy->changes ? fmin(stands, rung->cost.p50) : stands;
        }
        if (verdict.worst <= ONLY_IF) {
            assert_true(median >= stands * (1 - 2 * ADVISE_GAIN_MIN));
        }
    }
    policy_space_free(&space);
}

/* What hardware gains on top of the machine's own last rung. */
static void expect_hardware(size_t group, enum advise_hardware hardware)
{
    const struct advise_ladder *own = advise_ladder(&results, group, HARDWARE_OWN);
    const struct advise_ladder *with = advise_ladder(&results, group, hardware);
    double last[2][RUNS_MAX];
    for (int turn = 0; turn < 2; turn++) {
        struct bench bench;
        const struct advise_ladder *ladder = turn ? with : own;
        open_bench(&bench, group, turn ? hardware : HARDWARE_OWN, (struct scenario_key){0});
        values_of(&bench, &ladder->rung[ladder->count - 1].strategy, bench.metric, last[turn]);
        close_bench(&bench);
    }
    same_gain("hardware", last[0], last[1], 1 + study.draws, with->hardware_gain,
              with->hardware_probability);
}

static void expect_ladder(size_t group, enum advise_hardware hardware)
{
    const struct advise_ladder *ladder = advise_ladder(&results, group, hardware);
    struct bench bench;
    assert_non_null(ladder);
    open_bench(&bench, group, hardware, (struct scenario_key){0});
    for (size_t i = 0; i < ladder->count; i++) {
        expect_rung(&bench, &ladder->rung[0], i > 0 ? &ladder->rung[i - 1] : NULL,
                    &ladder->rung[i]);
    }
    for (size_t i = 0; i < ladder->conditional_count; i++) {
        const struct advise_rung *rung = &ladder->conditional[i];
        expect_rung(&bench, &ladder->rung[0], beside(ladder, rung->changes), rung);
    }
    expect_order(ladder);
    expect_cheapest(&bench, ladder, results.request.changes_max);
    close_bench(&bench);
    expect_needs(ladder, group, hardware);
    expect_hardware(group, hardware);
}

/* The VMM reads what the guest wrote with its MMU off: lazy ways need what no one promises. */
static const char *read_by_vmm(void)
{
    static char path[512];
    write_file("read.ini",
               "[vm]\nram = 6M\nbacking = shm\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
               "vcpu0 = write ram 4M\nvmm = reinit all\nvcpu0 = enter\nvcpu0 = write ram+2M 64K\n"
               "vmm = read ram 4M\nvcpu0 = mmu on\nvcpu0 = read ram 1M\n",
               path, sizeof path);
    return path;
}

/* One vCPU, by blocks and by pages of a file; with rungs under a condition. */
static void rungs_of_serial_runs(void **state)
{
    const struct advise_request request = {.metric = METRIC_added_boot_ns, .changes_max = 3};
    size_t conditional = 0, rungs = 0;
    char text[1024];
    (void)state;
    snprintf(text, sizeof text,
             "[study]\ndraws = 8\nshifts = 2\n[axes]\nworkload = %%s, %s\nmachine = neoverse-n1\n"
             "strategy = unmap\n",
             read_by_vmm());
    advise(text, &request);
    assert_int_equal(results.groups.count, 2);
    for (size_t group = 0; group < 2; group++) {
        const struct advise_ladder *ladder = advise_ladder(&results, group, HARDWARE_OWN);
        expect_ladder(group, HARDWARE_OWN);
        rungs += ladder->count;
        conditional += ladder->conditional_count;
        assert_null(advise_ladder(&results, group, HARDWARE_FWB));
    }
    print_message("%zu rungs, %zu under a condition\n", rungs, conditional);
    assert_true(rungs > 3 && conditional > 1);
    end();
}

/* Of another metric, without draws. */
static void rungs_without_draws(void **state)
{
    static const enum metric metrics[] = {METRIC_pause_ns, METRIC_cpu_ns};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct advise_request request = {.metric = metrics[i], .changes_max = 2};
        advise("[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = kunpeng-920\n"
               "strategy = unmap\n",
               &request);
        const struct advise_ladder *ladder = advise_ladder(&results, 0, HARDWARE_OWN);
        struct bench bench;
        open_bench(&bench, 0, HARDWARE_OWN, (struct scenario_key){0});
        for (size_t k = 0; k < ladder->count; k++) {
            expect_rung(&bench, &ladder->rung[0], k > 0 ? &ladder->rung[k - 1] : NULL,
                        &ladder->rung[k]);
        }
        expect_cheapest(&bench, ladder, 2);
        close_bench(&bench);
        expect_order(ladder);
        end();
    }
}

static int take_number(void *context, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(size_t *)context = strtoul(values[0], NULL, 10);
    return 0;
}

/* Where vCPUs wait for each other every draw is a play. Of a policy there are the one at the modes,
 * the first few draws that show that it is far from the cheapest, the first ones, or all; and all
 * of few. */
static void rungs_of_contended_runs(void **state)
{
    const struct advise_request request = {.metric = METRIC_window_ns, .changes_max = 1};
    struct policy_space space;
    struct bench bench;
    struct error err = {0};
    size_t runs[1 + DRAWS_MAX + 1] = {0};
    sqlite3 *file = NULL;
    char path[512];
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 20\nshifts = 4\n[axes]\nworkload = generated-boot\n"
                           "machine = kunpeng-920\nstrategy = unmap\n[set]\nfootprint = 12M\n"
                           "backing = 4k\nvcpus = 3\nsecondaries_after = 2M\n",
                           NULL, 0, &err));
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_true(advise_run(&study, &request, &(struct sweep){.jobs = 1}, store, &results, &err));
    close_good(store);
    const struct advise_ladder *ladder = advise_ladder(&results, 0, HARDWARE_OWN);
    path_of("a.db", path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    open_bench(&bench, 0, HARDWARE_OWN, (struct scenario_key){0});
    policy_space_init(&space, &ladder->rung[0].strategy, &ladder->facts, request.changes_max);
    for (size_t i = 0; i < space.count; i++) {
        char hash[SETUP_HASH], sql[200];
        size_t count = 0;
        assert_true(evaluate_hash(&bench.scenario, &space.policies[i].strategy, 0, hash, &err));
        snprintf(sql, sizeof sql, "SELECT count(*) FROM play WHERE play_hash = '%s'", hash);
        assert_int_equal(sqlite3_exec(file, sql, take_number, &count, NULL), SQLITE_OK);
        assert_true(count <= 1 + DRAWS_MAX);
        runs[count]++;
    }
    sqlite3_close(file);
    policy_space_free(&space);
    close_bench(&bench);
    print_message("of %zu policies %zu are not played, %zu once, %zu a few times, %zu more, %zu in "
                  "all draws\n",
                  ladder->policies, runs[0], runs[1], runs[1 + ADVISE_FEW_DRAWS],
                  runs[1 + ADVISE_FIRST_DRAWS], runs[1 + DRAWS_MAX]);
    assert_int_equal(runs[0] + runs[1] + runs[1 + ADVISE_FEW_DRAWS] + runs[1 + ADVISE_FIRST_DRAWS] +
                         runs[1 + DRAWS_MAX],
                     ladder->policies);
    assert_true(runs[0] >= ladder->policies - ladder->played && runs[1] > 0);
    assert_true(runs[1 + DRAWS_MAX] >= ladder->count);
    assert_true(runs[1 + DRAWS_MAX] <= ladder->count + ladder->conditional_count + 2);
    expect_ladder(0, HARDWARE_OWN);
    remove_file("a.db");
    end();
}

/* Where draws are fitted a metric that only plays tell is played in all of them: what rungs cost
 * and gain is what their strategies come to, and who is one has no cheaper policy beside it. */
static void rungs_of_what_no_fit_tells(void **state)
{
    const struct advise_request request = {.metric = METRIC_pause_ns, .changes_max = 1};
    double before[RUNS_MAX], cost[RUNS_MAX];
    struct bench bench;
    (void)state;
    advise("[study]\ndraws = 12\nshifts = 4\ndraws_min = 2\nmetrics = added_boot_ns\n[axes]\n"
           "workload = generated-boot\nmachine = kunpeng-920\nstrategy = unmap\n[set]\n"
           "footprint = 4M\nbacking = 4k\nvcpus = 3\nsecondaries_after = 2M\n",
           &request);
    const struct advise_ladder *ladder = advise_ladder(&results, 0, HARDWARE_OWN);
    open_bench(&bench, 0, HARDWARE_OWN, (struct scenario_key){0});
    assert_true(evaluate_fits(&bench.scenario));
    assert_in_range(ladder->count, 2, 2);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct advise_rung *rung = &ladder->rung[i];
        values_of(&bench, &rung->strategy, METRIC_pause_ns, cost);
        same("mode", rung->mode, cost[0]);
        same_band("cost", rung->cost, cost, bench.runs);
        if (i > 0) {
            same_gain("gain", before, cost, bench.runs, rung->gain, rung->probability);
        }
        memcpy(before, cost, sizeof before);
    }
    expect_order(ladder);
    expect_cheapest(&bench, ladder, 1);
    close_bench(&bench);
    end();
}

/* Of what costs nothing in any case there is nothing to gain: on a machine with CTR_EL0.DIC
 * instructions need no invalidation. */
static void nothing_is_gained_on_nothing(void **state)
{
    const struct advise_request request = {.metric = METRIC_part_icache_ns, .changes_max = 2};
    (void)state;
    advise("[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\nmachine = neoverse-v1\n"
           "strategy = unmap\n",
           &request);
    const struct advise_ladder *ladder = advise_ladder(&results, 0, HARDWARE_OWN);
    assert_int_equal(ladder->count, 1);
    assert_int_equal(ladder->conditional_count, 0);
    assert_true(ladder->rung[0].cost.p50 == 0);
    end();
}

/* --- hardware --- */

/* What a machine has already has no ladder of its own. */
static void what_a_machine_has_is_no_gain(void **state)
{
    static const struct {
        const char *machine;
        bool there[HARDWARES];
    } cases[] = {
        {"neoverse-n1", {true, true, true, true, true, true}},
        {"neoverse-v1-nodic", {true, false, true, true, false, true}},
        {"neoverse-v1", {true, false, false, false, false, true}},
    };
    const struct advise_request request = {
        .metric = METRIC_added_boot_ns, .changes_max = 1, .hardware = true};
    (void)state;
    advise("[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\n"
           "machine = neoverse-n1, neoverse-v1-nodic, neoverse-v1\nstrategy = unmap\n",
           &request);
    assert_int_equal(results.groups.count, 3);
    for (size_t group = 0; group < 3; group++) {
        for (int hardware = 0; hardware < HARDWARES; hardware++) {
            const struct advise_ladder *ladder =
                advise_ladder(&results, group, (enum advise_hardware)hardware);
            if ((ladder != NULL) != cases[group].there[hardware]) {
                fail_msg("%s: %s", cases[group].machine, advise_hardware_name[hardware]);
            }
            assert_int_equal(results.ladder[group * HARDWARES + (size_t)hardware].there,
                             ladder != NULL);
            if (ladder) {
                expect_ladder(group, (enum advise_hardware)hardware);
                assert_int_equal(ladder->facts.range_commands, hardware == HARDWARE_RANGE_CMO);
                assert_int_equal(ladder->rung[0].strategy.fwb, group > 0 ||
                                                                   hardware == HARDWARE_FWB ||
                                                                   hardware == HARDWARE_FWB_DIC);
            }
        }
    }
    end();
}

/* --- where it is, and what fails --- */

static void the_situation_in_words(void **state)
{
    const struct advise_request request = {.metric = METRIC_added_boot_ns, .changes_max = 0};
    (void)state;
    advise("[study]\ndraws = 0\n[axes]\nworkload = generated-boot\nmachine = neoverse-n1\n"
           "kernel = 6.1\nbacking = 4k, thp\nvcpus = 1, 2\ntouched = 0.5\nstrategy = unmap\n[set]\n"
           "footprint = 4M\n",
           &request);
    static const char *const words[] = {
        "neoverse-n1, kernel 6.1, generated-boot, 4k, 1 vCPU, touched 0.5, footprint 4M",
        "neoverse-n1, kernel 6.1, generated-boot, 4k, 2 vCPUs, touched 0.5, footprint 4M",
        "neoverse-n1, kernel 6.1, generated-boot, thp, 1 vCPU, touched 0.5, footprint 4M",
        "neoverse-n1, kernel 6.1, generated-boot, thp, 2 vCPUs, touched 0.5, footprint 4M"};
    assert_int_equal(results.groups.count, 4);
    for (size_t group = 0; group < 4; group++) {
        const struct advise_ladder *ladder = advise_ladder(&results, group, HARDWARE_OWN);
        assert_string_equal(ladder->situation, words[group]);
        assert_int_equal(ladder->count, 1); /* no change, no gain */
        assert_int_equal(ladder->policies, 1);
        assert_int_equal(ladder->changes_max, 0);
    }
    end();
}

/* Ladders whose simulations fail are not there; where none is, the first one says why. */
static void ladders_that_fail(void **state)
{
    const struct advise_request request = {.metric = METRIC_window_ns, .changes_max = 1};
    struct error err = {0};
    char text[2048];
    (void)state;
    for (int some = 1; some >= 0; some--) {
        snprintf(text, sizeof text,
                 "[study]\ndraws = 0\n[axes]\nworkload = %s\nkernel = 6.1\nmachine = neoverse-n1\n"
                 "exit_ns = %s1ms\nstrategy = unmap\n",
                 long_workload(), some ? "100, " : "");
        assert_true(read_study(&study, text, NULL, 0, &err));
        assert_int_equal(
            advise_run(&study, &request, &(struct sweep){.jobs = 1}, test_store(), &results, &err),
            some);
        if (some) {
            assert_non_null(advise_ladder(&results, 0, HARDWARE_OWN));
            assert_null(advise_ladder(&results, 1, HARDWARE_OWN));
            assert_int_equal(results.failed.count, 1);
            advise_free(&results);
        } else {
            assert_true(err.simulation);
            assert_non_null(strstr(err.text, "strategy=unmap: simulated time"));
        }
        study_free(&study);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rungs_of_serial_runs),
        cmocka_unit_test(rungs_without_draws),
        cmocka_unit_test(rungs_of_contended_runs),
        cmocka_unit_test(rungs_of_what_no_fit_tells),
        cmocka_unit_test(nothing_is_gained_on_nothing),
        cmocka_unit_test(what_a_machine_has_is_no_gain),
        cmocka_unit_test(the_situation_in_words),
        cmocka_unit_test(ladders_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
