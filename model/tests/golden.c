/* Golden runs. */
#include "golden.h"
#include "check.h"
#include "core/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

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

void golden_print(FILE *out, const char *name, const char *strategy, const struct point *point)
{
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    assert_non_null(sim);
    sim_init(sim, point);
    if (!sim_run(sim, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    fprintf(out,
            "%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%016" PRIx64 ",%" PRIu64 ",%" PRIu64
            "\n",
            name, strategy, point->exact ? "exact" : "fast", sim->end_ps, sim_window_ps(sim),
            sim_cpu_ps(sim), sim->engine.overlapped ? "yes" : "no", digest(sim), sim->engine.steps,
            sim->engine.events);
    sim_free(sim);
    free(sim);
}

/* --- against the file --- */

static char *golden_text(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *in = fopen(path, "r");
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

void golden_expect(const char *path, const char *text)
{
    const char *accept = getenv("S2FLUSH_GOLDEN");
    if (accept && strcmp(accept, "accept") == 0) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        assert_true(fputs(text, out) >= 0);
        assert_int_equal(fclose(out), 0);
    }
    char *golden = golden_text(path), *is = strdup(text);
    assert_non_null(is);
    unsigned differences = count_differences(golden, is);
    if (differences > 0) {
        print_error("%u lines differ from %s; `make golden` accepts them\n", differences, path);
    }
    free(golden);
    free(is);
    assert_int_equal(differences, 0);
}
