/* Study files: lists and ranges, axes, settings, and what is refused how. */
#include "core/error.h"
#include "study_files.h"

#include "study/groups.h"

/* --- value lists --- */

static const struct value_kind bytes = {.number = true, .whole = true, .unit = UNIT_BYTES};
static const struct value_kind ratio = {.number = true, .unit = UNIT_RATIO};
static const struct value_kind words = {0};

static void expect_values(struct value_kind kind, const char *text, const char *expected)
{
    struct values values;
    struct error err;
    char all[1024] = "";
    if (!values_parse(text, kind, NULL, &values, &err)) {
        fail_msg("'%s': %s", text, err.text);
    }
    for (size_t i = 0; i < values.count; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? "|" : "", values.text[i]);
    }
    assert_string_equal(all, expected);
    values_free(&values);
}

static void expect_refused(struct value_kind kind, const char *text, const char *part)
{
    struct values values;
    struct error err = {0};
    struct source_location at = {.file = "f.ini", .line = 7, .key = "key"};
    assert_false(values_parse(text, kind, &at, &values, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "f.ini:7: key: "));
    if (!strstr(err.text, part)) {
        fail_msg("'%s' said '%s', not '%s'", text, err.text, part);
    }
}

static void lists(void **state)
{
    (void)state;
    expect_values(words, " a ,b,  6.1 fault_lock=read ", "a|b|6.1 fault_lock=read");
    expect_values(bytes, "128M, 1.5K", "134217728|1536");
    expect_values(ratio, "0, 1%, 10%, 0.5", "0|0.01|0.1|0.5");
    expect_refused(words, "", "empty value");
    expect_refused(words, "a,,b", "empty value");
    expect_refused(words, "a, b, a", "found 'a' twice");
    expect_refused(ratio, "0.1, 10%", "twice in the list");
    expect_refused(bytes, "12x", "found '12x'");
    expect_refused(bytes, "0.3", "whole number");
}

static void ranges(void **state)
{
    (void)state;
    expect_values(bytes, "1M..8M x2", "1048576|2097152|4194304|8388608");
    expect_values(bytes, "1K..7K x2", "1024|2048|4096");
    expect_values(bytes, "1K..3K +1K, 1M", "1024|2048|3072|1048576");
    expect_values(ratio, "0..1 +0.1", "0|0.1|0.2|0.3|0.4|0.5|0.6|0.7|0.8|0.9|1");
    expect_values(ratio, "0%..30% +10%", "0|0.1|0.2|0.3");
    expect_values(ratio, "1e+3..1e+5 x10", "1000|10000|100000");
    expect_refused(bytes, "1M..8M", "without a step");
    expect_refused(bytes, "8M..1M x2", "expected one that ends");
    expect_refused(bytes, "1M..8M x1", "expected one that ends");
    expect_refused(bytes, "0..8M x2", "expected one that ends");
    expect_refused(ratio, "0..1 +0", "expected one that ends");
    expect_refused(ratio, "0..1 +0.0001", "more than 4096");
    expect_refused(bytes, "1..10 x1.5", "whole numbers");
}

/* --- study files --- */

#define GOOD "[axes]\nworkload = %s\nmachine = neoverse-n1\n"

static void expect_bad_study(const char *format, const char *part)
{
    struct study study;
    struct error err = {0};
    bool good = read_study(&study, format, NULL, 0, &err);
    study_free(&study);
    assert_false(good);
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, part)) {
        fail_msg("said '%s', not '%s'", err.text, part);
    }
    assert_null(strchr(err.text, '\n'));
}

static void bad_studies(void **state)
{
    (void)state;
    expect_bad_study(GOOD "touched += 1%\n",
                     "study.ini:4: touched +: adds to an axis that is not there, expected touched "
                     "= ... above it");
    expect_bad_study(GOOD "touched = 1%, 2%\ntouched += 3%, 0.02\n", "found '0.02' twice");
    expect_bad_study(GOOD "machin = a\n",
                     "study.ini:4: machin: no workload key, cost or strategy key 'machin' "
                     "(did you mean machine?)");
    expect_bad_study(GOOD "touchd = 0.5\n", "(did you mean touched?)");
    expect_bad_study(GOOD "tlbi_n = 500\n", "(did you mean tlbi_ns?)");
    expect_bad_study(GOOD "strategy = eagre\n", "study.ini:4: strategy: no strategy 'eagre' "
                                                "(did you mean eager?)");
    expect_bad_study(GOOD "kernel = 6.x\n", "study.ini:4: kernel: ");
    expect_bad_study(GOOD "kernel = 6.1 fault_lock=rea\n", "(did you mean read?)");
    expect_bad_study(GOOD "touched = 0.5, 2\n", "study.ini:4: touched: ");
    expect_bad_study(GOOD "tlbi_ns = -1\n", "study.ini:4: tlbi_ns: ");
    expect_bad_study(GOOD "touched = 0.5\ntouched = 0.2\n", "study.ini:5: touched: stands twice");
    expect_bad_study(GOOD "touched = 0.5\n[set]\ntouched = 0.2\n", "it is an axis too");
    expect_bad_study(GOOD "[set]\nvcpus = 1\nvcpus = 2\n", "study.ini:6: vcpus: stands twice");
    expect_bad_study(GOOD "[set]\nvcpus = none\n", "study.ini:5: vcpus: found 'none'");
    expect_bad_study(GOOD "[sets]\nvcpus = 1\n", "(did you mean set?)");
    expect_bad_study("x = 1\n", "stands before any [section]");
    expect_bad_study("[study]\ndraw = 1\n", "(did you mean draws?)");
    expect_bad_study("[study]\nfidelity = fest\n" GOOD, "(did you mean fast?)");
    expect_bad_study("[study]\ndraws = 10\nshifts = 4\n" GOOD, "expected a multiple");
    expect_bad_study("[axes]\nmachine = neoverse-n1\n", "workload: missing");
    expect_bad_study("[axes]\nworkload = %s\n", "machine: missing");
    expect_bad_study("[axes]\nworkload = %s\nmachine = neoverse-n3\n", "neoverse-n1");
    expect_bad_study(GOOD "tlbi_ns = 1..4000 +1\ntlbi_local_ns = 1..100 +1\n", "more than 200000");
}

static void bad_strategies(void **state)
{
    (void)state;
    expect_bad_study(GOOD "[strategy eager]\ntoggle = none\n", "built-in row");
    expect_bad_study(GOOD "[strategy Eager]\ntoggle = none\n", "is eager but for capital letters");
    expect_bad_study(GOOD "[strategy mine]\nbase = unmap\n[strategy Mine]\nbase = fwb\n",
                     "is mine but for capital letters");
    expect_bad_study(GOOD "[strategy a b]\ntoggle = none\n", "expected a name");
    expect_bad_study(GOOD "[strategy mine]\ntogle = none\n", "(did you mean toggle?)");
    expect_bad_study(GOOD "[strategy mine]\ntoggle = nine\n", "(did you mean none?)");
    expect_bad_study(GOOD "[strategy mine]\nbase = unmpa\n", "did you mean unmap?");
    expect_bad_study(GOOD "[strategy mine]\nbase = mine\n", "no strategy 'mine'");
    expect_bad_study(GOOD "[strategy mine]\ntoggle = none\nbase = unmap\n",
                     "study.ini:6: base: follows toggle");
}

/* Former names say what came in their place, in sections and on axes. */
static void renamed_keys(void **state)
{
    (void)state;
    expect_bad_study(GOOD "[strategy mine]\ncmo_at_unmap = no\n",
                     "study.ini:5: cmo_at_unmap: is no key any more, expected reinit_unmap_cleans");
    expect_bad_study(GOOD "cmo_at_fault = no\n", "expected fault_cleans");
    expect_bad_study(GOOD "[set]\ntlbi_whole = yes\n", "expected reinit_tlbi = vm");
    expect_bad_study(GOOD "[strategy mine]\nunmap_leaves = all\n", "expected reinit_unmap = all");
    expect_bad_study(GOOD "[strategy mine]\nreinit_unmap = yes\n",
                     "(valid: none, all, pages, blocks)");
}

static void keys_without_effect(void **state)
{
    (void)state;
    expect_bad_study(GOOD "[strategy mine]\nflush_record = leaves\n",
                     "study.ini:5: flush_record: has no effect with flush_at = none");
    expect_bad_study(GOOD "[strategy mine]\nworkers = 4\n", "workers: has no effect");
    expect_bad_study(GOOD "[strategy mine]\nbase = eager\nreinit_tlbi = vm\n",
                     "study.ini:6: reinit_tlbi: has no effect with reinit_unmap = none");
    expect_bad_study(GOOD "[strategy mine]\nbase = fwb\ntoggle = every\n",
                     "toggle: has no effect with fwb = yes");
    expect_bad_study(GOOD "[strategy mine]\nbase = reinit-lazy-vmall-toggle0\nflush_by = range\n",
                     "flush_by: has no effect with flush_at = none and toggle = none");
}

/* Of the command line: a value with which all runs come to the same is refused; one that the key
 * has anyway may be said, and so may one that acts at some point only. */
static void settings_that_come_to_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *study, *set, *answer; /* NULL: taken */
    } rows[] = {
        {"q09-restore-and-migration", "off_access_share=0.15",
         "--set: off_access_share: changes nothing: with 0.15 the runs of this study come to the "
         "same as with 0.3; expected another value"},
        {"any-workload", "extents=255", "come to the same as with 127"},
        {"any-workload", "extents=4", NULL},
        {"any-workload", "extents=127", NULL},
        {"any-workload", "reset_stops_vcpus=no", "changes nothing"},
        {"any-workload", "reset_stops_vcpus=yes", NULL},
        {"any-workload", "ram_misalign=64K", "changes nothing"},
        {"any-workload", "ram_misalign=4M",
         "found misalign 4096K, expected less than the largest leaf, 2048K"},
        {"any-workload", "secondaries_after_max=1G", "vcpus = 1"},
        {"q02-page-size", "ram_misalign=64K", NULL},
        {"q06-range-limited", "recording=other",
         "recording: found 'other' beside a [boot], which says what is played; expected"},
        {"first-light", "recording=other", "and there is no "},
        {"first-light", "recording=other", "expected the path of a recorded boot's CSV"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct study study;
        struct error err = {0};
        bool taken =
            study_read(&study, rows[i].study, &(struct study_changes){&rows[i].set, 1}, &err);
        study_free(&study);
        if (taken != !rows[i].answer || (!taken && !strstr(err.text, rows[i].answer))) {
            fail_msg("%s --set %s: '%s'", rows[i].study, rows[i].set, taken ? "taken" : err.text);
        }
    }
}

/* So may a strategy's: with one vCPU its first is every one, but `every` is what unmap has. */
static void values_that_a_strategy_has_anyway(void **state)
{
    static const char *const toggles[] = {"toggle=every", "toggle=none", "toggle=first"};
    (void)state;
    for (size_t i = 0; i < sizeof toggles / sizeof *toggles; i++) {
        const char *set[] = {toggles[i], "strategy=unmap"};
        struct study study;
        struct error err = {0};
        bool taken = study_read(&study, "any-workload", &(struct study_changes){set, 2}, &err);
        study_free(&study);
        assert_int_equal(taken, i < 2);
        assert_true(taken || strstr(err.text, "toggle: changes nothing"));
    }
}

/* A base says what is done; what the section says stands over it, and names it. */
static void strategies_from_a_base(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study,
                           GOOD "[strategy first]\nbase = unmap\ntoggle = first\n"
                                "[strategy more]\nbase = first\nreinit_unmap_cleans = no\n"
                                "title = a title\n[strategy same]\nbase = fwb\n"
                                "workers = 0\n",
                           NULL, 0, &err));
    const struct strategy *first = &study.own[0], *more = &study.own[1], *same = &study.own[2];
    assert_int_equal(first->reinit_unmap, UNMAP_ALL);
    assert_int_equal(first->toggle, TOGGLE_FIRST);
    assert_true(first->reinit_unmap_cleans && !first->upstream);
    assert_string_equal(first->title, "unmap with toggle = first");
    assert_int_equal(more->toggle, TOGGLE_FIRST);
    assert_false(more->reinit_unmap_cleans);
    assert_string_equal(more->title, "a title");
    assert_true(same->fwb && !same->upstream);
    assert_string_equal(same->title, "fwb");
    study_free(&study);
}

static void axes_and_points(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study,
                           "[axes]\nstrategy = unmap, mine\nworkload = %s\ntouched = 0.1, 0.5, 1\n"
                           "[set]\nmachine = kunpeng-920\nvcpus = 2\n"
                           "[strategy mine]\ntitle = my own\nflush_at = first_run\n",
                           NULL, 0, &err));
    assert_int_equal(study.points, 6);
    assert_int_equal(study_cells(&study), 3);
    /* Those that the file does not name stand before the others. */
    assert_string_equal(study.axes[0].name, "machine");
    assert_string_equal(study.axes[1].name, "kernel");
    assert_string_equal(study.axes[2].name, "strategy");
    assert_string_equal(study.strategies[1]->title, "my own");
    assert_int_equal(study.strategies[1]->flush_at, FLUSH_FIRST_RUN);
    bool seen[6] = {false};
    for (size_t cell = 0; cell < 3; cell++) {
        for (size_t s = 0; s < 2; s++) {
            size_t point = study_point(&study, cell, s);
            assert_true(point < 6 && !seen[point]);
            seen[point] = true;
            assert_int_equal(study_digit(study.role[AXIS_STRATEGY], point), s);
            assert_int_equal(study_digit(&study.axes[4], point), cell);
        }
    }
    study_free(&study);
}

/* A list of any length goes on in further lines. */
static void an_axis_goes_on(void **state)
{
    struct study study;
    (void)state;
    read_good(&study, GOOD "strategy = unmap\ntouched = 1%, 2%\nbacking = 4k, thp\n"
                           "touched += 3%..5% +1%\ntouched += 10%\n");
    assert_int_equal(study.points, 12);
    const struct axis *touched = groups_axis(&study, "touched");
    assert_string_equal(touched->values.text[4], "0.05");
    assert_string_equal(touched->values.text[5], "0.1");
    study_free(&study);
}

static void all_strategies_by_default(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study, GOOD "[strategy mine]\ntoggle = none\n", NULL, 0, &err));
    assert_int_equal(study.points, strategy_count + 1);
    assert_string_equal(study.strategies[strategy_count]->name, "mine");
    study_free(&study);
}

static bool has_strategy(const struct study *study, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < study->role[AXIS_STRATEGY]->values.count; i++) {
        assert_string_equal(study->strategies[i]->name, study->role[AXIS_STRATEGY]->values.text[i]);
        found |= strcmp(study->strategies[i]->name, name) == 0;
    }
    return found;
}

/* `strategy = coherent`: by what readers may see, and not by a list. */
static void coherent_rows_by_rule(void **state)
{
    struct study study;
    struct error err;
    static const char text[] =
        "[axes]\nworkload = %s\nmachine = neoverse-n1\nbacking = %s\nstrategy = coherent%s\n"
        "[strategy mine]\nbase = unmap\nreinit_tlbi = range\ntoggle = first\n"
        "[strategy wrong]\nbase = unmap\nfault_cleans = no\n";
    char own[1024], shared[1024], named[1024];
    (void)state;
    snprintf(own, sizeof own, text, small_workload(), "4k", "");
    snprintf(shared, sizeof shared, text, small_workload(), "shm", "");
    snprintf(named, sizeof named, text, small_workload(), "shm", ", eager, wrong");
    assert_true(read_study(&study, own, NULL, 0, &err));
    assert_true(has_strategy(&study, "unmap") && has_strategy(&study, "unmap-lazy"));
    assert_true(has_strategy(&study, "reinit-lazy") && has_strategy(&study, "mine"));
    assert_true(has_strategy(&study, "eager-toggle1"));
    assert_false(has_strategy(&study, "none"));
    assert_false(has_strategy(&study, "fwb") || has_strategy(&study, "wrong"));
    assert_int_equal(study.points, study.role[AXIS_STRATEGY]->values.count);
    study_free(&study);
    assert_true(read_study(&study, shared, NULL, 0, &err));
    assert_true(has_strategy(&study, "reinit-lazy") && has_strategy(&study, "unmap"));
    assert_false(has_strategy(&study, "unmap-lazy"));
    study_free(&study);
    /* What is named stays, whatever it is. */
    assert_true(read_study(&study, named, NULL, 0, &err));
    assert_true(has_strategy(&study, "eager") && has_strategy(&study, "wrong"));
    assert_false(has_strategy(&study, "none"));
    study_free(&study);
    expect_bad_study(GOOD "[strategy coherent]\nbase = unmap\n", "is the rule for a set of rows");
}

static void changes(void **state)
{
    static const char *const set[] = {"draws=0", "machine=kunpeng-920,neoverse-n1", "vcpus=2",
                                      "tlbi_ns=700"};
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study, GOOD "[set]\nvcpus = 4\n", set, 4, &err));
    assert_int_equal(study.draws, 0);
    assert_string_equal(study.platforms[0].name, "kunpeng-920");
    assert_int_equal(study.role[AXIS_MACHINE]->values.count, 2);
    assert_true(study.platforms[1].cost[COST_tlbi_ns].low == 700);
    assert_true(study.platforms[1].cost[COST_tlbi_ns].high == 700);
    assert_int_equal(study.setting_count, 2);
    study_free(&study);
}

static void bad_changes(void **state)
{
    static const char *const set[] = {"vcpus",    "=2",      "vcpu=2",    "vcpus=two",
                                      "machine=", "seed=-1", "workloa=x", "metric=x"};
    static const char *const said[] = {"expected key=value",
                                       "expected key=value",
                                       "(did you mean vcpus?)",
                                       "--set: vcpus: ",
                                       "empty value",
                                       "--set: seed: ",
                                       "(did you mean workload?)",
                                       "(did you mean metrics?)"};
    (void)state;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        struct study study;
        struct error err = {0};
        assert_false(read_study(&study, GOOD, &set[i], 1, &err));
        study_free(&study);
        if (!strstr(err.text, said[i])) {
            fail_msg("--set %s said '%s'", set[i], err.text);
        }
    }
}

static void axes_reach_the_setup(void **state)
{
    struct study study;
    struct setup setup;
    struct error err;
    (void)state;
    assert_true(read_study(&study, GOOD "strategy = fwb\ncopy_gbps = 6, 9\ntouched = 0.25\n", NULL,
                           0, &err));
    assert_true(study_setup(&study, 1, &setup, &err));
    assert_true(setup.platform.cost[COST_copy_gbps].mode == 9);
    assert_string_equal(setup_hypothetical(&setup.platform, setup.strategy), "if it had FWB");
    setup.platform.fwb = true;
    assert_null(setup_hypothetical(&setup.platform, setup.strategy));
    assert_non_null(setup_hypothetical(&setup.platform, &strategy_rows[0]));
    setup_free(&setup);
    study_free(&study);
}

/* Keys of a strategy that are set one after another all stand, each with its last value. */
static void keys_of_a_strategy_add_up(void **state)
{
    static const char *const set[][2] = {
        {"workers", "2"}, {"chunk", "2M"}, {"workers", "4"}, {"chunk", "4M"}};
    struct error err;
    struct setup setup = {.strategy = strategy_find("eager", &err)};
    (void)state;
    assert_non_null(setup.strategy);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        assert_true(setup_set(&setup, set[i][0], set[i][1], NULL, &err));
    }
    assert_int_equal(setup.changes, 2);
    assert_int_equal(setup.strategy->workers, 4);
    assert_int_equal(setup.strategy->chunk, 4 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(ranges),
        cmocka_unit_test(bad_studies),
        cmocka_unit_test(bad_strategies),
        cmocka_unit_test(renamed_keys),
        cmocka_unit_test(keys_without_effect),
        cmocka_unit_test(settings_that_come_to_the_same),
        cmocka_unit_test(values_that_a_strategy_has_anyway),
        cmocka_unit_test(strategies_from_a_base),
        cmocka_unit_test(axes_and_points),
        cmocka_unit_test(an_axis_goes_on),
        cmocka_unit_test(all_strategies_by_default),
        cmocka_unit_test(coherent_rows_by_rule),
        cmocka_unit_test(changes),
        cmocka_unit_test(bad_changes),
        cmocka_unit_test(axes_reach_the_setup),
        cmocka_unit_test(keys_of_a_strategy_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
