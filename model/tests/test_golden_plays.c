/* What the analyses of small studies play, keep in their store and come to, when the model was last
 * looked at: of each table of the store the number of rows and a digest, and of each analysis a
 * digest of all its figures, those that no report prints among them. */
#include "core/error.h"
#include "golden.h"
#include "store_files.h"

#include "study/advise.h"
#include "study/advise_search.h"
#include "study/breakeven.h"
#include "study/sensitivity.h"
#include "study/target.h"
#include "study/winner_map.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <xxhash.h>

#define GUEST "workload = generated-boot\nbacking = 4k\n"
#define WAITING \
    GUEST "vcpus = 3\nfootprint = 8M\nsecondaries_after = 2M\n[axes]\nmachine = neoverse-n1\n"

/* Nobody waits; vCPUs wait for each other, and all draws are played; draws are fitted; tails are
 * asked for. */
static const struct small {
    const char *name, *text;
    bool hardware;
    size_t asked; /* so many of the analyses, in their order */
    /* What is asked otherwise than of most: */
    const char *axis, *from, *to, *pair, *of, *x, *y;
    bool what_if, sound;
    bool advises; /* beside these */
    size_t points; /* of a sensitivity, where they are others than of most */
    bool fails; /* simulations of some cells do */
} studies[] = {
    {.name = "serial",
     .text =
         "[study]\ndraws = 8\nshifts = 2\n[set]\nvcpus = 1\nfootprint = 4M\ntouched = 50%\n" GUEST
         "[axes]\nmachine = neoverse-n1, kunpeng-920\nstrategy = unmap, eager, none, fwb\n"
         "rewrite = 0, 1M, 4M\n",
     .hardware = true,
     .asked = 7},
    {.name = "contended",
     .text = "[study]\ndraws = 8\nshifts = 4\n[set]\n" WAITING
             "strategy = unmap, eager, hybrid, eager-workers\ntouched = 50%, 100%\n",
     .asked = 7},
    {.name = "fitted",
     .text =
         "[study]\ndraws = 24\nshifts = 8\ndraws_min = 8\nmetrics = added_boot_ns, cpu_ns, faults\n"
         "[set]\ntouched = 100%\n" WAITING
         "strategy = unmap, eager, eager-workers, reinit-lazy-vmall-toggle0\n",
     .asked = 6},
    {.name = "tails",
     .text = "[study]\ndraws = 6\nshifts = 2\ndraws_min = 2\nmetrics = pause_ns, stall_p99_ns\n"
             "[set]\ntouched = 100%\n" WAITING "strategy = unmap, eager\n",
     .asked = 4},
    /* No draws: all is at the modes. */
    {.name = "modes",
     .text = "[study]\ndraws = 0\n[set]\n" GUEST
             "vcpus = 1\ntouched = 50%\n[axes]\nmachine = neoverse-n1, "
             "kunpeng-920\nstrategy = fwb, eager, unmap, none, unmap-lazy\nrewrite = 0, 512K\n"
             "footprint = 1M, 4M\n",
     .asked = 6,
     .axis = "rewrite",
     .from = "64K",
     .to = "1M",
     .of = "unmap,eager",
     .x = "footprint",
     .y = "rewrite",
     .what_if = true},
    {.name = "one draw",
     .text = "[study]\ndraws = 1\nshifts = 1\n[set]\n" GUEST
             "vcpus = 1\nfootprint = 1M\ntouched = 50%\n[axes]\nmachine = neoverse-n1\n"
             "strategy = unmap, eager, unmap-lazy\nrewrite = 512K\n",
     .asked = 6,
     .axis = "footprint",
     .from = "1M",
     .to = "8M",
     .points = 12},
    /* Few draws, which do not agree; one shift, which has no interval. */
    {.name = "undecided",
     .text = "[study]\ndraws = 9\nshifts = 1\n[set]\n" GUEST
             "vcpus = 1\nfootprint = 2M\n[axes]\nmachine = "
             "neoverse-n1, altra-max-2s\nstrategy = unmap, unmap-lazy, eager-workers, "
             "reinit-lazy-vmall-toggle0\n"
             "touched = 70%, 95%\n",
     .asked = 6,
     .axis = "dc_dirty_ratio",
     .from = "1",
     .to = "4",
     .pair = "unmap,eager-workers",
     .x = "touched",
     .sound = true},
    /* So many draws that the first of them are looked at before others are played. */
    {.name = "many draws",
     .text = "[study]\ndraws = 18\nshifts = 2\n[set]\ntouched = 100%\n" WAITING
             "strategy = unmap, eager\n",
     .asked = 1,
     .advises = true},
    /* No more than are looked at. */
    {.name = "few draws",
     .text = "[study]\ndraws = 16\nshifts = 2\n[set]\ntouched = 100%\n" WAITING
             "strategy = unmap, eager\n",
     .advises = true},
    {.name = "two VMs",
     .text = "[study]\ndraws = 2\nshifts = 1\n[set]\n" GUEST
             "vcpus = 2\ncopies = 2\nfootprint = 2M\ntouched = 50%\n[axes]\nmachine = neoverse-n1\n"
             "strategy = unmap, eager\n",
     .asked = 1},
    /* A kernel that lives in EL1, with other paths; strategies that nothing above has. */
    {.name = "without VHE",
     .text = "[study]\ndraws = 3\nshifts = 1\n[set]\n" GUEST
             "vcpus = 1\nfootprint = 2M\ntouched = 60%\n[axes]\nmachine = cortex-a72\n"
             "kernel = 5.10, 6.12\nstrategy = unmap, recreate, reinit-lazy-range, unmap-range, "
             "loaded\n",
     .asked = 1},
    {.name = "failing",
     .text = "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
             "exit_ns = 100, 1ms, 200\nbacking = 4k, thp\nstrategy = unmap, eager\n",
     .asked = 6,
     .axis = "exit_ns",
     .from = "100",
     .to = "1ms",
     .x = "exit_ns",
     .fails = true},
};

static const struct small *small;
static const char *place; /* its name, and what is asked of it */
static struct study study;
static struct store *store;
static struct sweep sweep = {.jobs = 1};
static struct error err;

static void expect_good(bool good)
{
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

/* --- what the store is asked --- */

static size_t steps; /* rows read or written; when a transaction ends is a matter of time */
static bool in_exec;

/* These take SQLite's place. */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*real)(sqlite3_stmt *);
    *(void **)&real = real ? *(void **)&real : dlsym(RTLD_NEXT, "sqlite3_step");
    steps += !in_exec;
    return real(statement);
}

typedef int (*row_fn)(void *context, int columns, char **values, char **names);

int sqlite3_exec(sqlite3 *file, const char *sql, row_fn row, void *context, char **words)
{
    static int (*real)(sqlite3 *, const char *, row_fn, void *, char **);
    *(void **)&real = real ? *(void **)&real : dlsym(RTLD_NEXT, "sqlite3_exec");
    in_exec = true;
    int code = real(file, sql, row, context, words);
    in_exec = false;
    return code;
}

/* --- what the store has --- */

/* Of each table all but hashes, whose rows stand in the order of what they say. */
static const struct {
    const char *name, *sql;
} tables[] = {
    {"plays", "SELECT serial, window_ps, cpu_ps, pause_ps, stall_p50_ps, stall_p99_ps, "
              "stall_max_ps, first_insn_ps, counts, before, leaves, verdicts, tails, sections, "
              "price_ps FROM play JOIN costs USING (costs_hash) "
              "ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"},
    {"repeated", "SELECT value FROM about WHERE name = 'plays_repeated'"},
    {"costs", "SELECT cost, price_ps FROM costs ORDER BY 1, 2"},
    {"draws", "SELECT draw, stratum, cost FROM draw JOIN costs USING (costs_hash) "
              "ORDER BY 1, 2, 3"},
    {"cells", "SELECT * FROM cell ORDER BY 1"},
    {"points", "SELECT point.point, hypothetical, verdict, condition, stratum, "
               "(SELECT min(window_ps) || ' ' || count(*) FROM play WHERE play_hash = "
               "source.play_hash), (SELECT min(window_ps) || ' ' || count(*) FROM play WHERE "
               "play_hash = source.ideal_hash) FROM point LEFT JOIN source USING (point) "
               "ORDER BY 1, 5"},
    {"results",
     "SELECT point, metric, n, fitted, mode, mean, p10, p50, p90, interval_low, interval_high "
     "FROM result ORDER BY 1, 2"},
};

static void put_line(FILE *out, const char *what, size_t lines, const char *text, size_t length)
{
    fprintf(out, "%s,%s,%zu,%016" PRIx64 "\n", place, what, lines,
            (uint64_t)XXH3_64bits(text, length));
}

/* SQLite spells a number otherwise from one release to the next. */
static void put_value(FILE *out, sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_FLOAT) {
        fprintf(out, "%.9g,", sqlite3_column_double(statement, column));
        return;
    }
    const unsigned char *text = sqlite3_column_text(statement, column);
    fprintf(out, "%s,", text ? (const char *)text : "null");
}

static void put_store(FILE *out, sqlite3 *file)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *text = NULL;
        size_t length = 0, rows = 0;
        FILE *in_memory = open_memstream(&text, &length);
        sqlite3_stmt *statement;
        assert_non_null(in_memory);
        assert_int_equal(sqlite3_prepare_v2(file, tables[i].sql, -1, &statement, NULL), SQLITE_OK);
        for (; sqlite3_step(statement) == SQLITE_ROW; rows++) {
            for (int column = 0; column < sqlite3_column_count(statement); column++) {
                put_value(in_memory, statement, column);
            }
            fputc('\n', in_memory);
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
        assert_int_equal(fclose(in_memory), 0);
        if (rows > 0) {
            put_line(out, tables[i].name, rows, text, length);
        }
        free(text);
    }
}

/* --- what analyses come to --- */

static void put_numbers(FILE *out, const double *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%.7g,", value[i]);
    }
}

#define PUT(out, ...)                                 \
    put_numbers((out), (const double[]){__VA_ARGS__}, \
                sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void put_failed(FILE *out, const struct sweep_failed *failed)
{
    fprintf(out, "%zu,%s,", failed->count, failed->count ? failed->err.text : "");
}

static void put_verdict(FILE *out, const struct strategy_verdict *verdict)
{
    fprintf(out, "%d %u %s,", (int)verdict->worst, verdict->conditions,
            verdict->hypothetical ? verdict->hypothetical : "");
}

static void put_sensitivity(FILE *out)
{
    struct sensitivity_results results;
    struct sensitivity_request request = {.metric = METRIC_added_boot_ns,
                                          .points = small->points ? small->points : 16,
                                          .of = small->of,
                                          .what_if = small->what_if};
    expect_good(sensitivity_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.groups.count; i++) {
        const struct sensitivity_cell *cell = &results.cell[i];
        fprintf(out, "\n%zu,%zu,%d,%d,", cell->a, cell->b, cell->failed, (int)cell->method);
        PUT(out, cell->at_modes, cell->mean, cell->variance, cell->off.unexplained,
            cell->off.relative);
        for (int id = 0; id < COSTS; id++) {
            const struct sobol_index *index = &cell->cost[id].index;
            PUT(out, cell->cost[id].at_low, cell->cost[id].at_high, cell->cost[id].live,
                index->first, index->first_low, index->first_high, index->total, index->total_low,
                index->total_high);
        }
    }
    for (size_t machine = 0; machine < results.machines; machine++) {
        PUT(out, results.undecided[machine]);
        for (int id = 0; id < COSTS; id++) {
            const struct information *one = &results.information[machine][id];
            PUT(out, one->known, one->chance, one->gain, one->noise);
        }
    }
    put_failed(out, &results.failed);
    sensitivity_free(&results);
}

static void put_rung(FILE *out, const struct advise_rung *rung)
{
    fprintf(out, "\n%s,%zu,%d,", rung->strategy.name, rung->changes, rung->needs_guest);
    for (size_t i = 0; i < rung->changes; i++) {
        fprintf(out, "%s=%s %d,", rung->change[i].key, rung->change[i].value, rung->kept[i]);
    }
    put_verdict(out, &rung->verdict);
    PUT(out, rung->mode, rung->probability, rung->cost.p10, rung->cost.p50, rung->cost.p90,
        rung->gain.p10, rung->gain.p50, rung->gain.p90, rung->pause_ns.p10, rung->pause_ns.p50,
        rung->pause_ns.p90, rung->cpu_ns.p10, rung->cpu_ns.p50, rung->cpu_ns.p90,
        rung->cost_error.p50, rung->cost_error.ends, rung->pause_error.p50, rung->pause_error.ends);
}

static void put_advice(FILE *out)
{
    struct advise_results results;
    struct advise_request request = {
        .metric = METRIC_added_boot_ns, .changes_max = 2, .hardware = small->hardware};
    expect_good(advise_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.groups.count * HARDWARES; i++) {
        const struct advise_ladder *ladder = &results.ladder[i];
        fprintf(out, "\n%d,%s,%zu,%zu,%zu,%zu,%zu,%zu,%zu,%zu,%zu,%zu,", ladder->there,
                ladder->situation, ladder->policies, ladder->same, ladder->vain,
                ladder->changes_max, ladder->played, ladder->stale, ladder->dominated,
                ladder->no_gain, ladder->dear, ladder->impossible);
        const struct policy_facts *facts = &ladder->facts;
        PUT(out, facts->pages, facts->blocks, facts->notifiers, facts->logged, facts->mapped_ahead,
            facts->holds, facts->range_commands, (double)facts->spare_cores);
        for (size_t k = 0; k < ladder->count; k++) {
            put_rung(out, &ladder->rung[k]);
        }
        for (size_t k = 0; k < ladder->conditional_count; k++) {
            put_rung(out, &ladder->conditional[k]);
        }
        PUT(out, ladder->hardware_gain.p10, ladder->hardware_gain.p50, ladder->hardware_gain.p90,
            ladder->hardware_probability);
    }
    put_failed(out, &results.failed);
    advise_free(&results);
}

/* What the search behind an advice knows of each policy. */
static void put_policies(FILE *out)
{
    struct evaluator evaluator;
    struct scenario scenario;
    struct advise_search search;
    struct advise_request request = {.metric = METRIC_window_ns, .changes_max = 3};
    evaluator_open(&evaluator, &study, &sweep, store);
    expect_good(scenario_open(&scenario, &evaluator, 0, (struct scenario_key){0}, &err));
    expect_good(advise_search(&search, &scenario, &request, false, &err));
    for (size_t i = 0; i < search.space.count; i++) {
        const struct advise_entry *entry = &search.entry[i];
        fprintf(out, "\n%zu,%d,%d,%d,", search.space.policies[i].changes, (int)entry->state,
                entry->conditional, entry->matched);
        put_verdict(out, &entry->verdict);
        PUT(out, entry->mode, entry->min);
        put_numbers(out, entry->spares.ns, ADVISE_SPARES);
    }
    advise_search_free(&search);
    scenario_close(&scenario);
    evaluator_close(&evaluator);
}

static void put_choice(FILE *out, const struct winner_map_choice *choice)
{
    PUT(out, (double)choice->winner, (double)choice->runner_up, choice->probability, choice->margin,
        choice->value, choice->p10, choice->p90);
}

static void put_map(FILE *out)
{
    struct winner_map_results results;
    struct winner_map_request request = {.x = small->x,
                                         .y = small->y,
                                         .metric = METRIC_cpu_ns,
                                         .what_if = small->what_if,
                                         .sound = small->sound};
    size_t strategies = study.role[AXIS_STRATEGY]->values.count;
    expect_good(winner_map_run(&study, &request, &sweep, store, &results, &err));
    size_t cells = results.x_count * results.y_count;
    for (size_t i = 0; i < results.groups.count * cells; i++) {
        const struct winner_map_cell *cell = &results.cell[i];
        put_choice(out, &cell->best);
        put_choice(out, &cell->sound);
        put_verdict(out, &cell->verdict);
        for (size_t s = 0; s < strategies; s++) {
            put_verdict(out, &results.verdict[i * strategies + s]);
        }
        PUT(out, cell->decided, cell->failed, winner_map_undecided(&results, i / cells));
    }
    put_failed(out, &results.failed);
    winner_map_free(&results);
}

static struct breakeven_request along(void)
{
    return (struct breakeven_request){.axis = small->axis ? small->axis : "touched",
                                      .from = small->axis ? small->from : "10%",
                                      .to = small->axis ? small->to : "90%",
                                      .steps = 3,
                                      .metric = METRIC_window_ns,
                                      .pair = small->pair,
                                      .what_if = small->what_if};
}

static void put_curves(FILE *out, const struct breakeven_results *results)
{
    size_t strategies = study.role[AXIS_STRATEGY]->values.count;
    put_numbers(out, results->x, results->x_count);
    for (size_t i = 0; i < results->groups.count * strategies; i++) {
        PUT(out, results->compared[i]);
    }
    for (size_t i = 0; i < results->groups.count * results->x_count * strategies; i++) {
        const struct breakeven_curve *at = &results->curve[i];
        PUT(out, at->mode, at->p10, at->p50, at->p90);
    }
}

static void put_crossings(FILE *out)
{
    struct breakeven_results results;
    const struct breakeven_request request = along();
    expect_good(breakeven_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.count; i++) {
        const struct breakeven *row = &results.row[i];
        fprintf(out, "\n%zu,%zu,%zu,%d,%u,%d,%s,", row->group, row->a, row->b, (int)row->status,
                row->crossing, row->a_below, row->reason ? row->reason : "");
        PUT(out, row->at, (double)row->n, row->p10, row->p50, row->p90, row->error.p50,
            row->error.ends, row->share_crossing, row->share_a, row->share_b, row->share_other,
            row->low_ratio, row->high_ratio, row->a_wins_low, row->a_wins_high, row->conditions);
    }
    put_curves(out, &results);
    put_failed(out, &results.failed);
    put_failed(out, &results.roots_failed);
    breakeven_free(&results);
}

static void put_targets(FILE *out)
{
    static const double limits[] = {1e9, 3e7, 2.5e7, 1};
    struct target_results results;
    const struct breakeven_request request = along();
    expect_good(target_run(&study, &request, limits, 4, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.count; i++) {
        const struct target *row = &results.row[i];
        fprintf(out, "\n%zu,%zu,%d,%d,", row->group, row->strategy, row->rises, row->all);
        PUT(out, row->limit, row->at, row->sure, row->share, row->best.mode, row->best.p50,
            row->there.mode, row->there.p10, row->there.p90);
    }
    put_failed(out, &results.axis.failed);
    target_free(&results);
}

static void put_nothing(FILE *out)
{
    bool wanted[METRICS];
    expect_good(metric_select(study.metrics, wanted, NULL, &err));
    expect_good(study_execute(&study, &sweep, store, wanted, &err));
    fputs("in the store\n", out);
}

/* --- all --- */

static void put_analysis(FILE *out, const char *name, void (*ask)(FILE *out))
{
    char *text = NULL, path[512], where[64];
    size_t length = 0, lines = 1;
    sqlite3 *file;
    FILE *in_memory = open_memstream(&text, &length);
    assert_non_null(in_memory);
    remove_file("golden.db");
    store = good_store(&study, "golden.db", whole);
    steps = 0;
    ask(in_memory);
    fprintf(in_memory, "\n%zu rows read or written\n", steps);
    close_good(store);
    assert_int_equal(fclose(in_memory), 0);
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    snprintf(where, sizeof where, "%s,%s", place, name);
    const char *outer = place;
    place = where;
    put_line(out, "figures", lines, text, length);
    path_of("golden.db", path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    put_store(out, file);
    sqlite3_close(file);
    place = outer;
    remove_file("golden.db");
    free(text);
}

/* The guest computes for longer than simulated time goes where an exit takes a ms. */
static void read_small(void)
{
    char text[2048] = "[workload]\nname = long\n[vm]\nram = 4M\n[timeline]\nvcpu0 = enter\n"
                      "vcpu0 = write ram 4M\nvmm = reinit all\nvcpu0 = enter\n"
                      "vcpu0 = write ram 4M\nvcpu0 = compute 446743s\n",
         path[512];
    for (unsigned i = 0; i < 18; i++) {
        strcat(text, "vcpu0 = compute 1000000s\n");
    }
    if (!small->fails) {
        read_good(&study, small->text);
        return;
    }
    write_file("long.ini", text, path, sizeof path);
    const char *hole = strstr(small->text, "%s");
    assert_non_null(hole);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - small->text), small->text, path, hole + 2);
    read_good(&study, text);
}

static void all_is_what_it_was(void **state)
{
    static const struct {
        const char *name;
        void (*ask)(FILE *out);
    } analyses[] = {
        {"run", put_nothing},         {"sensitivity", put_sensitivity}, {"map", put_map},
        {"breakeven", put_crossings}, {"target", put_targets},          {"advise", put_advice},
        {"policies", put_policies},
    };
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs("study,asked,table,rows,digest\n", out);
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        small = &studies[i];
        place = small->name;
        read_small();
        for (size_t k = 0; k < small->asked; k++) {
            put_analysis(out, analyses[k].name, analyses[k].ask);
        }
        if (small->advises) {
            put_analysis(out, "advise", put_advice);
        }
        study_free(&study);
    }
    assert_int_equal(fclose(out), 0);
    golden_expect("model/tests/golden_plays.csv", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_is_what_it_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
