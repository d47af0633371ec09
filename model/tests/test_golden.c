/* What many small runs came to when the model was last looked at. Whoever
 * changes what the model says sees here how much of it, and accepts it with
 * `make golden`. */
#include "core/error.h"
#include "play.h"
#include "random_case.h"

#include <dirent.h>
#include <inttypes.h>
#include <xxhash.h>

#define GOLDEN "model/tests/golden.csv"
#define SEEDS 25
#define SHOWN 10

/* --- one run as a line --- */

static void digest_verdicts(XXH3_state_t *state, const struct sim *sim)
{
    const struct verdict *verdict = sim->memory.oracle.verdict;
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *of = &verdict[reader];
        const uint64_t said[] = {(uint64_t)of->outcome, of->lines_read, of->lines_stale,
                                 of->lines_conditional, of->conditions};
        XXH3_64bits_update(state, said, sizeof said);
    }
}

/* Everything that a report could show: counts, waiting, idling, the window, what
 * stage 2 held, what readers may see. */
static uint64_t digest(const struct sim *sim)
{
    const struct ledger *ledger = &sim->ledger;
    size_t cells = (size_t)ledger->shape.actors * ledger->shape.phases;
    XXH3_state_t *state = XXH3_createState();
    assert_non_null(state);
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, ledger->counts,
                       cells * ledger->shape.sites * ledger->shape.kinds * sizeof(uint64_t));
    XXH3_64bits_update(state, ledger->waits, cells * ledger->shape.resources * sizeof(ps_t));
    XXH3_64bits_update(state, ledger->idle, cells * sizeof(ps_t));
    XXH3_64bits_update(state, sim->window, WINDOW_CELLS * sizeof(uint64_t));
    for (uint32_t i = 0; i < sim->reinit_count; i++) {
        XXH3_64bits_update(state, &sim->reinits[i].unmapped_bytes, sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < ledger->shape.phases; i++) {
        const struct phase_record *phase = &sim->phases[i];
        const uint64_t held[] = {phase->mapped_start_bytes, phase->mapped_end_bytes,
                                 phase->filled_bytes, phase->touched_start_bytes,
                                 phase->touched_end_bytes};
        XXH3_64bits_update(state, held, sizeof held);
    }
    digest_verdicts(state, sim);
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}

static void tell(FILE *out, const char *name, const char *strategy, const struct point *point)
{
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    assert_non_null(sim);
    sim_init(sim, point);
    if (!sim_run(sim, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    fprintf(out, "%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%016" PRIx64 "\n", name, strategy,
            point->exact ? "exact" : "fast", sim->end_ps, sim_window_ps(sim), sim_cpu_ps(sim),
            sim->engine.overlapped ? "yes" : "no", digest(sim));
    sim_free(sim);
    free(sim);
}

/* --- the runs --- */

static void tell_random(FILE *out)
{
    for (int kind = 0; kind < RANDOM_KINDS; kind++) {
        uint64_t seeds = random_kind_is_long((enum random_kind)kind) ? 0 : SEEDS;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct random_case of;
            char name[48];
            random_case_make(&of, (enum random_kind)kind, seed);
            snprintf(name, sizeof name, "%s %" PRIu64, random_kind_name[kind], seed);
            for (int exact = 0; exact < 2; exact++) {
                struct point point = random_case_point(&of, exact);
                tell(out, name, of.strategy.name, &point);
            }
            random_case_free(&of);
        }
    }
}

/* Strategies, machines and kernels, of each what differs. */
static const struct setting {
    const char *strategy, *machine, *kernel;
} settings[] = {
    {"unmap", "altra-max-2s", "6.1"},  {"eager", "neoverse-v1-nodic", "6.12"},
    {"hybrid", "cortex-a72", "5.10"},  {"eager-workers", "kunpeng-920", "6.6"},
    {"fwb", "neoverse-v1", "7.3"},     {"dirty-log", "altra-max-2s", "6.2"},
    {"ranged", "neoverse-n1", "5.18"},
};

static void tell_workload(FILE *out, const char *name)
{
    struct timeline timeline;
    struct workload *workload = workload_of(name);
    build(workload, &timeline);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct stage stage;
        struct error err;
        struct strategy strategy = strategy_row(settings[i].strategy);
        stage_init(&stage, settings[i].machine, settings[i].kernel);
        struct point point = {.timeline = &timeline,
                              .platform = &stage.platform,
                              .value = stage.value,
                              .kernel = &stage.kernel,
                              .strategy = &strategy};
        if (sim_possible(&point, &err)) {
            tell(out, name, strategy.name, &point);
        } else {
            fprintf(out, "%s,%s,impossible,,,,,\n", name, strategy.name);
        }
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* Recorded boots are long, and have tests of their own. */
static int written_workloads(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".ini") == 0 && strncmp(entry->d_name, "recorded", 8) != 0;
}

static void tell_workloads(FILE *out)
{
    struct dirent **entries = NULL;
    int count = scandir("workloads", &entries, written_workloads, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        tell_workload(out, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* --- against the file --- */

static char *golden_text(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *in = fopen(GOLDEN, "r");
    assert_non_null(in);
    assert_true(getdelim(&text, &length, '\0', in) > 0);
    assert_int_equal(fclose(in), 0);
    return text;
}

static unsigned count_differences(char *was, char *is)
{
    unsigned differences = 0;
    char *was_rest = NULL, *is_rest = NULL;
    char *old = strtok_r(was, "\n", &was_rest), *new = strtok_r(is, "\n", &is_rest);
    for (; old || new;
         old = strtok_r(NULL, "\n", &was_rest), new = strtok_r(NULL, "\n", &is_rest)) {
        bool same = old && new &&strcmp(old, new) == 0;
        if (!same && differences++ < SHOWN) {
            print_error("was %s\nis  %s\n", old ? old : "nothing", new ? new : "nothing");
        }
    }
    return differences;
}

static void runs_come_to_what_they_did(void **state)
{
    const char *accept = getenv("S2FLUSH_GOLDEN");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs("case,strategy,fidelity,end_ps,window_ps,cpu_ps,overlapped,digest\n", out);
    tell_random(out);
    tell_workloads(out);
    assert_int_equal(fclose(out), 0);
    if (accept && strcmp(accept, "accept") == 0) {
        FILE *golden = fopen(GOLDEN, "w");
        assert_non_null(golden);
        assert_int_equal(fwrite(text, 1, length, golden), length);
        assert_int_equal(fclose(golden), 0);
    }
    char *golden = golden_text();
    unsigned differences = count_differences(golden, text);
    if (differences > 0) {
        print_error("%u runs differ from " GOLDEN "; `make golden` accepts them\n", differences);
    }
    free(golden);
    free(text);
    assert_int_equal(differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_come_to_what_they_did)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
