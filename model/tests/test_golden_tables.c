/* What the analyses of two small studies said when the model was last looked at: of each table, and
 * of what each prints, the number of lines and a digest. */
#include "check.h"
#include "core/error.h"
#include "golden.h"
#include "study_files.h"

#include "report/analyses.h"
#include "study/advise.h"
#include "study/breakeven.h"
#include "study/sensitivity.h"
#include "study/study.h"
#include "study/target.h"
#include "study/winner_map.h"

#include <inttypes.h>
#include <xxhash.h>

/* Strategies that need what the machine lacks, read stale bytes or exist only on paper among them.
 */
static const char *const studies[] = {
    "[study]\ndraws = 8\nshifts = 4\n[set]\nfootprint = 4M\nbacking = 4k\n[axes]\n"
    "workload = generated-boot\nmachine = neoverse-n1\nvcpus = 1, 3\n"
    "strategy = eager, unmap, unmap-lazy, hybrid, none, fwb\ntouched = 0.1, 0.4, 0.9\n",
    "[study]\ndraws = 12\nshifts = 4\n[axes]\n"
    "workload = generated-boot\nmachine = altra-max-2s\nbacking = thp\nkernel = 6.1, "
    "5.10\n"
    "footprint = 2M, 16M, 64M\nstrategy = eager, unmap, reinit-lazy-vmall-toggle0, eager-workers\n",
};
static const char *const axes[] = {"touched", "footprint"};

static const char *place; /* which study, along which axis */
static struct study study;
static struct sweep sweep = {.jobs = 1};
static struct error err;

/* A line for what `write` writes. */
static void put_digest(FILE *out, const char *name, void (*write)(FILE *out, const void *results),
                       const void *results)
{
    char *text = NULL;
    size_t length = 0, lines = 0;
    FILE *in_memory = open_memstream(&text, &length);
    assert_non_null(in_memory);
    write(in_memory, results);
    assert_int_equal(fclose(in_memory), 0);
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    assert_true(lines > 1);
    fprintf(out, "%s,%s,%zu,%016" PRIx64 "\n", place, name, lines,
            (uint64_t)XXH3_64bits(text, length));
    free(text);
}

static void put(FILE *out, const struct analysis_report *report, const void *results)
{
    for (size_t i = 0; i < 2 && report->table[i].name; i++) {
        put_digest(out, report->table[i].name, report->table[i].write, results);
    }
    put_digest(out, "printed", report->print, results);
}

static void expect_good(bool good)
{
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static void put_ranges(FILE *out, const char *axis, const char *from, const char *to)
{
    struct breakeven_results crossings;
    struct target_results target;
    const double limits[] = {2e6, 3e5};
    struct breakeven_request request = {
        .axis = axis, .from = from, .to = to, .steps = from ? 4 : 0};
    expect_good(breakeven_run(&study, &request, &sweep, test_store(), &crossings, &err));
    put(out, &breakeven_report, &crossings);
    breakeven_free(&crossings);
    expect_good(target_run(&study, &request, limits, 2, &sweep, test_store(), &target, &err));
    put(out, &target_report, &target);
    target_free(&target);
}

static void put_maps(FILE *out, const char *axis)
{
    static const struct winner_map_request requests[] = {
        {.metric = METRIC_added_boot_ns},
        {.metric = METRIC_window_ns, .sound = true},
        {.metric = METRIC_stall_p99_ns, .what_if = true},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct winner_map_results map;
        struct winner_map_request request = requests[i];
        request.x = axis;
        expect_good(winner_map_run(&study, &request, &sweep, test_store(), &map, &err));
        put(out, &map_report, &map);
        winner_map_free(&map);
    }
}

static void put_rest(FILE *out)
{
    struct sensitivity_results sensitivity;
    struct advise_results advice;
    struct sensitivity_request what = {.metric = METRIC_added_boot_ns, .points = 32};
    struct advise_request advise = {
        .metric = METRIC_added_boot_ns, .changes_max = 2, .hardware = true};
    expect_good(sensitivity_run(&study, &what, &sweep, test_store(), &sensitivity, &err));
    put(out, &sensitivity_report, &sensitivity);
    sensitivity_free(&sensitivity);
    expect_good(advise_run(&study, &advise, &sweep, test_store(), &advice, &err));
    put(out, &advise_report, &advice);
    advise_free(&advice);
}

static void analyses_say_what_they_did(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs("study,table,lines,digest\n", out);
    for (size_t i = 0; i < 2; i++) {
        place = axes[i];
        read_good(&study, studies[i]);
        put_ranges(out, axes[i], NULL, NULL);
        put_maps(out, axes[i]);
        put_rest(out);
        study_free(&study);
    }
    read_good(&study, studies[1]);
    place = "a range of footprint";
    put_ranges(out, "footprint", "1M", "64M");
    place = "a range of a cost";
    put_ranges(out, "dc_dirty_ratio", "1", "4");
    study_free(&study);
    assert_int_equal(fclose(out), 0);
    golden_expect("model/tests/golden_tables.csv", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(analyses_say_what_they_did)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
