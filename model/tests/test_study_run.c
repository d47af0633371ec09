/* Playing studies: pricing again is playing again, parts add up, and threads
 * change nothing. */
#include "core/error.h"
#include "study_files.h"

#include "core/csv.h"
#include "report/rows.h"
#include "study/draws.h"
#include "study_results.h"

#include <math.h>

#define DRAWS 16

/* One strategy at the modes, as every draw starts from it. */
struct rig {
    struct setup setup;
    struct timeline timeline;
    struct trial base;
    double modes[COSTS], drawn[DRAWS][COSTS];
};

static void rig_open(struct rig *rig, const struct study *study, size_t point)
{
    struct error err;
    struct draw_plan draws = {.seed = 5, .draws = DRAWS, .shifts = 1};
    assert_true(study_setup(study, point, &rig->setup, &err));
    assert_true(workload_build(rig->setup.workload, &rig->timeline, &err));
    platform_modes(&rig->setup.platform, rig->modes);
    draw_costs(&draws, &rig->setup.platform, rig->drawn);
    assert_true(trial_play(&rig->setup, &rig->timeline, rig->modes, &rig->base, &err));
}

static void rig_close(struct rig *rig)
{
    trial_free(&rig->base);
    timeline_free(&rig->timeline);
    setup_free(&rig->setup);
}

static void expect_same(const struct rig *rig, const double *value)
{
    struct histogram stalls;
    struct error err;
    ps_t price[EVENT_KINDS];
    struct trial again;
    struct times played, priced;
    trial_prices(&rig->setup, value, price);
    assert_true(trial_play(&rig->setup, &rig->timeline, value, &again, &err));
    trial_times(&again, price, &played);
    histogram_init(&stalls);
    trial_reprice(&rig->base, price, &stalls, &priced);
    histogram_free(&stalls);
    assert_memory_equal(again.price, price, sizeof price);
    assert_int_equal(played.window_ps, priced.window_ps);
    assert_int_equal(played.cpu_ps, priced.cpu_ps);
    assert_true(priced.has_tail);
    assert_int_equal(played.tail.pause_ps, priced.tail.pause_ps);
    assert_int_equal(played.tail.stall_p50_ps, priced.tail.stall_p50_ps);
    assert_int_equal(played.tail.stall_p99_ps, priced.tail.stall_p99_ps);
    assert_int_equal(played.tail.stall_max_ps, priced.tail.stall_max_ps);
    assert_int_equal(played.tail.first_insn_ps, priced.tail.first_insn_ps);
    assert_memory_equal(played.part, priced.part, sizeof played.part);
    ps_t sum = 0;
    for (int part = 0; part < PARTS; part++) {
        sum += priced.part[part];
    }
    assert_int_equal(sum, priced.window_ps);
    trial_free(&again);
}

/* How many draws could be priced again. */
static size_t expect_same_tails(const struct study *study, size_t point)
{
    struct rig rig;
    size_t same = 0;
    rig_open(&rig, study, point);
    for (int i = 0; i < DRAWS; i += 4) {
        ps_t price[EVENT_KINDS];
        trial_prices(&rig.setup, rig.drawn[i], price);
        if (trial_can_reprice(&rig.base, &rig.setup, rig.drawn[i], price)) {
            expect_same(&rig, rig.drawn[i]);
            same++;
        }
    }
    rig_close(&rig);
    return same;
}

static void pricing_is_playing(void **state)
{
    struct study study;
    size_t same = 0;
    (void)state;
    read_good_study(&study, "neoverse-n1, cortex-a72", 0);
    for (size_t point = 0; point < study.points; point++) {
        struct rig rig;
        rig_open(&rig, &study, point);
        for (int i = -1; i < DRAWS; i++) {
            const double *value = i < 0 ? rig.modes : rig.drawn[i];
            ps_t price[EVENT_KINDS];
            trial_prices(&rig.setup, value, price);
            if (trial_can_reprice(&rig.base, &rig.setup, value, price)) {
                expect_same(&rig, value);
                same++;
            }
        }
        rig_close(&rig);
    }
    assert_true(same > study.points * DRAWS / 4);
    study_free(&study);
}

/* A shared path that is slower than one core makes even one actor wait, and
 * that is no matter of prices. */
static void slow_paths_are_played(void **state)
{
    struct study study;
    struct rig rig;
    struct error err;
    ps_t price[EVENT_KINDS];
    struct trial again;
    (void)state;
    read_good_study(&study, "neoverse-n1", 0);
    rig_open(&rig, &study, 0);
    rig.modes[COST_cmo_path_ns] = 50;
    trial_prices(&rig.setup, rig.modes, price);
    assert_false(trial_can_reprice(&rig.base, &rig.setup, rig.modes, price));
    assert_true(trial_play(&rig.setup, &rig.timeline, rig.modes, &again, &err));
    assert_true(again.window_ps > rig.base.window_ps);
    trial_free(&again);
    rig_close(&rig);
    study_free(&study);
}

static void play_in_chunks(struct rig *rig, const char *name, struct trial *played)
{
    struct error err;
    const struct strategy *row = strategy_find(name, &err);
    assert_non_null(row);
    struct strategy strategy = *row;
    strategy.chunk = 64 * KIB;
    struct setup setup = rig->setup;
    setup.strategy = &strategy;
    assert_true(trial_play(&setup, &rig->timeline, rig->modes, played, &err));
}

/* How often the lock was given up, of what counts for a part. */
static uint64_t yields_in(const struct trial *played, enum part_id part)
{
    uint64_t yields = 0;
    for (size_t i = 0; i < played->count; i++) {
        const struct event_count *count = &played->counts[i];
        yields += count->part == part && count->kind == EV_lock_yields ? count->n : 0;
    }
    return yields;
}

/* Giving the lock up is the part of who does it, the unmap or a flush; what a flush
 * cleans is another. */
static void a_chunks_end_is_its_walkers_part(void **state)
{
    struct study study;
    struct rig rig;
    struct trial unmap, eager;
    struct times times;
    (void)state;
    read_good_study(&study, "neoverse-n1", 0);
    rig_open(&rig, &study, 0);
    play_in_chunks(&rig, "unmap", &unmap);
    uint64_t yields = trial_count(&unmap, SITE_REINIT, EV_lock_yields);
    assert_true(yields > 0);
    assert_int_equal(yields_in(&unmap, PART_unmap_path), yields);
    play_in_chunks(&rig, "eager", &eager);
    assert_true(yields_in(&eager, PART_flush_path) > 0);
    assert_int_equal(yields_in(&eager, PART_unmap_path), 0);
    trial_times(&eager, eager.price, &times);
    assert_true(times.part[PART_lines_flush] > 0);
    trial_free(&unmap);
    trial_free(&eager);
    rig_close(&rig);
    study_free(&study);
}

static void execute(const struct study *study, unsigned jobs, struct study_results *results)
{
    struct error err;
    bool good = study_results_of(study, jobs, results, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static void parts_add_up(void **state)
{
    struct study study;
    struct study_results results;
    (void)state;
    read_good_study(&study, "neoverse-n1", 8);
    execute(&study, 1, &results);
    for (size_t i = 0; i < results.count; i++) {
        const struct spread *metric = results.points[i].metric;
        double mode = 0, mean = 0;
        for (int m = 0; m < METRICS; m++) {
            bool part = strncmp(metric_name[m], "part_", 5) == 0;
            mode += part ? metric[m].mode : 0;
            mean += part ? metric[m].mean : 0;
        }
        double added = metric[METRIC_added_boot_ns].mode;
        assert_true(fabs(mode - added) <= 1e-9 * fabs(added) + 1e-6);
        assert_true(fabs(mean - metric[METRIC_added_boot_ns].mean) <= 1e-6 * fabs(mean) + 1e-6);
        assert_true(metric[METRIC_part_waits_ns].mode == 0);
        assert_int_equal(metric[METRIC_added_boot_ns].n, 8);
    }
    study_results_free(&results);
    study_free(&study);
}

struct row_context {
    FILE *out;
    enum rows_format format;
    const struct store_about *about;
};

static void print_point(void *context, const struct stored_point *point)
{
    const struct row_context *rows = context;
    rows_point(rows->out, rows->format, rows->about, point);
}

static char *rows_of(const struct study *study, unsigned jobs, enum rows_format format)
{
    struct study_results results;
    char *text = NULL;
    size_t size = 0;
    struct error err;
    execute(study, jobs, &results);
    struct row_context rows = {open_memstream(&text, &size), format, store_about(results.store)};
    assert_non_null(rows.out);
    rows_columns(rows.out, rows.about);
    assert_true(store_each_point(results.store, print_point, &rows, &err));
    assert_int_equal(fclose(rows.out), 0);
    study_results_free(&results);
    return text;
}

static void threads_change_nothing(void **state)
{
    (void)state;
    for (int format = ROWS_CSV; format <= ROWS_JSONL; format++) {
        struct study study;
        read_good_study(&study, "neoverse-n1, kunpeng-920", 8);
        char *one = rows_of(&study, 1, (enum rows_format)format);
        char *two = rows_of(&study, 2, (enum rows_format)format);
        char *five = rows_of(&study, 5, (enum rows_format)format);
        assert_true(strlen(one) > 10000);
        assert_string_equal(one, two);
        assert_string_equal(one, five);
        free(one);
        free(two);
        free(five);
        study_free(&study);
    }
}

/* What is known without draws is known; what is not is not made up. */
static void without_draws(void **state)
{
    struct study study;
    struct study_results results;
    (void)state;
    read_good_study(&study, "neoverse-n1", 0);
    execute(&study, 1, &results);
    for (size_t i = 0; i < results.count; i++) {
        assert_true(results.points[i].metric[METRIC_added_boot_ns].known);
        assert_int_equal(results.points[i].metric[METRIC_added_boot_ns].n, 0);
        assert_true(results.points[i].metric[METRIC_pause_ns].known);
    }
    study_results_free(&results);
    study_free(&study);
}

/* The same configuration has the same hash; anything that matters changes it. */
static void hashes(void **state)
{
    static const char *const set[] = {"seed=2", "tlbi_ns=1501", "touched=75%", "fidelity=exact",
                                      "kernel=6.1 fault_lock=read"};
    const int sets = sizeof set / sizeof *set;
    struct study study;
    struct study_results results;
    struct error err;
    char first[SETUP_HASH] = "", again[SETUP_HASH] = "";
    (void)state;
    for (int i = -2; i < sets; i++) {
        assert_true(read_study(&study,
                               "[study]\ndraws = 0\n[axes]\nworkload = %s\n"
                               "machine = neoverse-n1\nstrategy = unmap, eager\n",
                               i < 0 ? NULL : &set[i], i < 0 ? 0 : 1, &err));
        execute(&study, 1, &results);
        memcpy(i == -2 ? first : again, results.points[0].hash, SETUP_HASH);
        assert_int_equal(strlen(results.points[0].hash), 32);
        assert_string_not_equal(results.points[0].hash, results.points[1].hash);
        if (i >= -1) {
            assert_int_equal(strcmp(first, again) == 0, i == -1);
        }
        study_results_free(&results);
        study_free(&study);
    }
}

/* The first cell that fails is the one that is reported. */
static void first_error_wins(void **state)
{
    struct study study;
    struct study_results results;
    struct error one, many;
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = cortex-a72\n"
                           "vcpus = 1, 200, 300, 400\n",
                           NULL, 0, &one));
    assert_false(study_results_of(&study, 1, &results, &one));
    assert_false(study_results_of(&study, 4, &results, &many));
    assert_string_equal(one.text, many.text);
    study_free(&study);
}

/* Too much for exact fidelity is refused before anything is played. */
static void exact_declines(void **state)
{
    static const char *const set[] = {"ram=16G, 17G", "fidelity=exact"};
    struct study study;
    struct study_results results;
    struct error err;
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 0\n[axes]\nworkload = %s\nram = 1G\n"
                           "machine = neoverse-n1\nstrategy = unmap\n",
                           set, 1, &err));
    execute(&study, 1, &results);
    study_results_free(&results);
    study_free(&study);
    assert_true(read_study(&study,
                           "[study]\ndraws = 0\n[axes]\nworkload = %s\nram = 1G\n"
                           "machine = neoverse-n1\nstrategy = unmap\n",
                           set, 2, &err));
    assert_false(study_results_of(&study, 1, &results, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "16G"));
    assert_non_null(strstr(err.text, "17G"));
    study_free(&study);
}

/* Holds and stalls of all draws are those of playing each, to the picosecond: of long and short
 * ones, in chunks and whole, with flushes at MMU-on and for set/way, of every strategy. */
static void tails_are_those_of_playing(void **state)
{
    static const char *const sets[][3] = {
        {"backing=4k", "kernel=6.1"},   {"backing=thp", "kernel=6.12"},
        {"backing=4k", "kernel=5.10"},  {"backing=hugetlb-1g", "ram=1G"},
        {"backing=4k", "chunk=256K"},   {"backing=thp", "chunk=16M"},
        {"granule=16K", "backing=thp"}, {"backing=4k", "machine=neoverse-v1"},
        {"fidelity=exact", "ram=32M"},  {"workload=s12-locked-memory", NULL},
        {"workload=recorded-4k", NULL}, {"workload=s01-microvm", NULL},
    };
    size_t same = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct study study;
        read_good_with(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = kunpeng-920\n",
                       sets[i], sets[i][1] ? 2 : 1);
        for (size_t point = 0; point < study.points; point++) {
            same += expect_same_tails(&study, point);
        }
        study_free(&study);
    }
    assert_true(same > 100);
}

/* The same of every draw of two studies that ask for pauses (S2FLUSH_CASES=all), or of one in some
 * thousand. */
static void tails_of_studies(void **state)
{
    static const char *const names[] = {"q05-worst-pause", "reference"};
    const char *cases = getenv("S2FLUSH_CASES");
    size_t step = cases && strcmp(cases, "all") == 0 ? 1 : 997, seen = 0, same = 0;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct study study;
        struct error err;
        assert_true(study_read(&study, names[i], NULL, &err));
        struct draw_plan plan = study_draw_plan(&study);
        double(*drawn)[COSTS] = malloc(plan.draws * sizeof *drawn);
        assert_non_null(drawn);
        for (size_t point = 0; point < study.points; point++) {
            struct rig rig;
            size_t first = seen;
            seen += plan.draws;
            if (first / step == (seen - 1) / step && first % step != 0) {
                continue;
            }
            rig_open(&rig, &study, point);
            draw_costs(&plan, &rig.setup.platform, drawn);
            for (size_t draw = 0; draw < plan.draws; draw++) {
                ps_t price[EVENT_KINDS];
                trial_prices(&rig.setup, drawn[draw], price);
                if ((first + draw) % step == 0 &&
                    trial_can_reprice(&rig.base, &rig.setup, drawn[draw], price)) {
                    expect_same(&rig, drawn[draw]);
                    same++;
                }
            }
            rig_close(&rig);
        }
        free(drawn);
        study_free(&study);
    }
    print_message("tails of %zu of %zu draws are those of playing them\n", same, seen);
    assert_true(same * step > seen / 2);
}

/* Who does not ask for verdicts gets the same run, whatever the strategy: some flush by what only
 * the oracle knows. */
static void what_is_asked_changes_no_time(void **state)
{
    static const char *const sets[][3] = {{"backing=4k", "vcpus=1"}, {"backing=thp", "vcpus=3"}};
    size_t seen = 0, by_record = 0, with_tails = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct study study;
        read_good_with(
            &study,
            "[study]\ndraws = 0\n[set]\nworkload = generated-boot\n[axes]\n"
            "machine = neoverse-n1\nstrategy = unmap, eager, eager-workers, ranged, loaded, "
            "dirty-log, hybrid\n",
            sets[i], 2);
        for (size_t point = 0; point < study.points; point++) {
            struct rig rig;
            struct trial less;
            struct error err;
            rig_open(&rig, &study, point);
            for (enum trial_asked asked = TRIAL_TIMES; asked < TRIAL_VERDICTS; asked++) {
                assert_true(trial_play_priced(&rig.setup, &rig.timeline, rig.modes, rig.base.price,
                                              asked, &less, &err));
                assert_true(rig.base.judged && !less.judged);
                assert_int_equal(less.has_tails, asked == TRIAL_ALL_COSTS && rig.base.has_tails);
                assert_int_equal(less.section_count,
                                 asked == TRIAL_ALL_COSTS ? rig.base.section_count : 0);
                memcpy(less.verdict, rig.base.verdict, sizeof less.verdict);
                assert_true(trial_same_outcome(&rig.base, &less));
                assert_int_equal(rig.base.count, less.count);
                trial_free(&less);
            }
            with_tails += rig.base.has_tails;
            by_record += rig.setup.strategy->flush_record != RECORD_NONE;
            rig_close(&rig);
            seen++;
        }
        study_free(&study);
    }
    assert_true(seen == 14 && by_record >= 4 && with_tails >= 4);
}

/* How few holds and stalls differ. */
static void tails_are_few(void **state)
{
    struct study study;
    struct rig rig;
    uint64_t stalls = 0;
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n[set]\nvcpus = 1\nfootprint = 1G\n[axes]\n"
                      "workload = generated-boot\nmachine = kunpeng-920\nstrategy = unmap\n");
    rig_open(&rig, &study, 0);
    assert_true(rig.base.serial && rig.base.has_tails);
    assert_in_range(rig.base.tail_count, 2, 100);
    for (size_t i = 0; i < rig.base.tail_count; i++) {
        const struct trial_tail *tail = &rig.base.tails[i];
        stalls += tail->what == TAIL_STALL ? tail->alike * tail->times : 0;
    }
    assert_true(stalls > 1000);
    rig_close(&rig);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunks_end_is_its_walkers_part),
        cmocka_unit_test(pricing_is_playing),
        cmocka_unit_test(slow_paths_are_played),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(without_draws),
        cmocka_unit_test(hashes),
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(exact_declines),
        cmocka_unit_test(tails_are_those_of_playing),
        cmocka_unit_test(tails_of_studies),
        cmocka_unit_test(what_is_asked_changes_no_time),
        cmocka_unit_test(tails_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
