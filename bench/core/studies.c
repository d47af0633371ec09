/*
 * studies - what is asked of small studies, each time of a store that is empty, in memory.
 *
 *   studies ASKED STUDY TIMES
 *
 * ASKED: map, breakeven, target, sensitivity, advise; again is a map of a store that has all
 * (TIMES of the second, after one that is not counted). STUDY: serial (nobody waits: what happened
 * is priced again), contended (vCPUs wait for each other: all draws are played), fitted (some of
 * them are). The check value is made of figures that the analyses come to.
 */
#include "bench.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "study/advise.h"
#include "study/breakeven.h"
#include "study/sensitivity.h"
#include "study/target.h"
#include "study/winner_map.h"

static const struct {
    const char *name, *text;
} studies[] = {
    {"serial", "[study]\ndraws = 8\nshifts = 2\n[set]\nvcpus = 1\nfootprint = 4M\n"
               "workload = generated-boot\nbacking = 4k\n"
               "[axes]\nmachine = neoverse-n1, kunpeng-920\n"
               "strategy = unmap, eager, unmap-lazy, fwb\ntouched = 10%, 50%\n"},
    {"contended", "[study]\ndraws = 8\nshifts = 4\n[set]\nworkload = generated-boot\nbacking = 4k\n"
                  "vcpus = 3\nfootprint = 8M\nsecondaries_after = 2M\n[axes]\n"
                  "machine = neoverse-n1\nstrategy = unmap, eager\n"
                  "touched = 50%, 100%\n"},
    {"fitted", "[study]\ndraws = 18\nshifts = 6\ndraws_min = 8\n[set]\nworkload = generated-boot\n"
               "backing = 4k\nvcpus = 3\nfootprint = 8M\nsecondaries_after = 2M\n[axes]\n"
               "machine = neoverse-n1\nstrategy = unmap, eager\n"
               "touched = 50%, 100%\n"},
    {"many", "[study]\ndraws = 20\nshifts = 2\n[set]\nworkload = generated-boot\nbacking = 4k\n"
             "vcpus = 2\nfootprint = 2M\nsecondaries_after = 1M\ntouched = 100%\n[axes]\n"
             "machine = neoverse-n1\nstrategy = unmap, eager\n"},
};

static struct study study;
static struct sweep sweep = {.jobs = 1};
static struct error err;

static void need(bool good)
{
    if (!good) {
        error_fatal("%s", err.text);
    }
}

static void read_study(const char *name)
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    const struct study_changes none = {NULL, 0};
    snprintf(path, sizeof path, "%s/studies-%d.ini", folder ? folder : "/tmp", (int)getpid());
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        if (strcmp(studies[i].name, name) == 0) {
            FILE *out = fopen(path, "w");
            if (!out || fputs(studies[i].text, out) < 0 || fclose(out) != 0) {
                error_fatal("cannot write %s", path);
            }
            need(study_read(&study, path, &none, &err));
            (void)unlink(path);
            return;
        }
    }
    error_fatal("no such study: %s", name);
}

static double ask_map(struct store *store)
{
    struct winner_map_results results;
    struct winner_map_request request = {.x = "touched", .metric = METRIC_window_ns};
    double sum = 0;
    need(winner_map_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.groups.count * results.x_count * results.y_count; i++) {
        sum += results.cell[i].best.value;
    }
    winner_map_free(&results);
    return sum;
}

static struct breakeven_request along(void)
{
    return (struct breakeven_request){
        .axis = "dc_dirty_ratio", .from = "1", .to = "8", .steps = 3, .metric = METRIC_window_ns};
}

static double ask_breakeven(struct store *store)
{
    struct breakeven_results results;
    const struct breakeven_request request = along();
    double sum = 0;
    need(breakeven_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.count; i++) {
        sum += isfinite(results.row[i].at) ? 1e9 * results.row[i].at : 1;
    }
    breakeven_free(&results);
    return sum;
}

static double ask_target(struct store *store)
{
    static const double limits[] = {3e7, 2.5e7};
    struct target_results results;
    const struct breakeven_request request = along();
    double sum = 0;
    need(target_run(&study, &request, limits, 2, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.count; i++) {
        sum += isfinite(results.row[i].at) ? 1e9 * results.row[i].at : 1;
    }
    target_free(&results);
    return sum;
}

static double ask_sensitivity(struct store *store)
{
    struct sensitivity_results results;
    struct sensitivity_request request = {.metric = METRIC_added_boot_ns, .points = 16};
    double sum = 0;
    need(sensitivity_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.groups.count; i++) {
        sum += fabs(results.cell[i].mean);
    }
    sensitivity_free(&results);
    return sum;
}

static double ask_advise(struct store *store)
{
    struct advise_results results;
    struct advise_request request = {.metric = METRIC_added_boot_ns, .changes_max = 1};
    double sum = 0;
    need(advise_run(&study, &request, &sweep, store, &results, &err));
    for (size_t i = 0; i < results.groups.count * HARDWARES; i++) {
        sum += (double)(results.ladder[i].played + 1000 * results.ladder[i].count);
    }
    advise_free(&results);
    return sum;
}

static double ask_anew(double (*ask)(struct store *store))
{
    struct store *store = store_in_memory();
    double sum = ask(store);
    need(store_close(store, &err));
    return sum;
}

static void play_again(uint64_t times)
{
    struct store *store = store_in_memory();
    double sum = ask_map(store);
    uint64_t started = bench_clock_ns();
    for (uint64_t i = 0; i < times; i++) {
        sum += ask_map(store);
    }
    bench_report(started, (uint64_t)sum);
    need(store_close(store, &err));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*ask)(struct store *store);
    } asked[] = {{"map", ask_map},
                 {"breakeven", ask_breakeven},
                 {"target", ask_target},
                 {"sensitivity", ask_sensitivity},
                 {"advise", ask_advise}};
    if (argc != 4) {
        error_fatal("usage: studies map|again|breakeven|target|sensitivity|advise "
                    "serial|contended|fitted TIMES");
    }
    uint64_t times = bench_number(argv[3]);
    read_study(argv[2]);
    if (strcmp(argv[1], "again") == 0) {
        play_again(times);
        return 0;
    }
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        if (strcmp(argv[1], asked[i].name) == 0) {
            double sum = 0;
            uint64_t started = bench_clock_ns();
            for (uint64_t k = 0; k < times; k++) {
                sum += ask_anew(asked[i].ask);
            }
            bench_report(started, (uint64_t)sum);
            return 0;
        }
    }
    error_fatal("nothing of that name is asked: %s", argv[1]);
}
