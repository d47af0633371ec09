/* The traces of random operations on random VMs, and of reboots of many vCPUs, when the model was
 * last looked at: each event in its order, with when and where it happened and under which lock.
 * What runs come to says nothing of these. */
#include "check.h"
#include "core/error.h"
#include "golden.h"
#include "play.h"
#include "random_case.h"
#include "scene.h"

#include "run/trace.h"

#include <inttypes.h>
#include <xxhash.h>

#define SCENES 200
#define BYTES 64
#define MANY 2 /* seeds of each kind with many vCPUs */
#define FIRST 0xf8 /* from all operations */

static void put_trace(FILE *out, const char *name, const struct point *point)
{
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    char *text = NULL;
    size_t length = 0, lines = 0;
    FILE *in_memory = open_memstream(&text, &length);
    assert_true(sim && in_memory);
    sim_init(sim, point);
    trace_start(sim, in_memory, 0, UINT64_MAX);
    if (!sim_run(sim, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    assert_int_equal(fclose(in_memory), 0);
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    fprintf(out, "%s,%s,%s,%zu,%016" PRIx64 "\n", name, point->strategy->name,
            point->exact ? "exact" : "fast", lines, (uint64_t)XXH3_64bits(text, length));
    free(text);
    sim_free(sim);
    free(sim);
}

/* As of test_golden_scenes. */
static bool put_scene(FILE *out, uint64_t seed)
{
    static struct scene scene;
    static struct choices choices;
    uint8_t bytes[BYTES] = {FIRST};
    char name[48];
    struct error err = {0};
    struct dice dice = dice_of(seed + 7000);
    for (size_t i = 1; i < BYTES; i++) {
        bytes[i] = (uint8_t)roll(&dice, 256);
    }
    choices_begin(&choices, bytes, BYTES);
    scene_choose(&scene, &choices);
    choices_put_workload(&choices);
    struct workload *workload = workload_of_text(choices.text, &err);
    bool built = workload && workload_build(workload, &scene.timeline, &err);
    struct point exact = scene_point(&scene, true), fast = scene_point(&scene, false);
    bool possible = built && sim_possible(&exact, &err);
    snprintf(name, sizeof name, "scene %" PRIu64, seed);
    if (possible) {
        put_trace(out, name, seed % 4 == 0 ? &exact : &fast);
    }
    if (built) {
        timeline_free(&scene.timeline);
    }
    workload_free(workload);
    return possible;
}

static void put_many(FILE *out)
{
    for (int kind = 0; kind < RANDOM_KINDS; kind++) {
        uint64_t seeds = random_kind_is_long((enum random_kind)kind) ? MANY : 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct random_case of;
            char name[48];
            random_case_make(&of, (enum random_kind)kind, seed + 50);
            snprintf(name, sizeof name, "%s %" PRIu64, random_kind_name[kind], seed);
            struct point point = random_case_point(&of, false);
            put_trace(out, name, &point);
            random_case_free(&of);
        }
    }
}

static void traces_are_what_they_were(void **state)
{
    char *text = NULL;
    size_t length = 0;
    unsigned played = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs("case,strategy,fidelity,lines,digest\n", out);
    for (uint64_t seed = 1; seed <= SCENES; seed++) {
        played += put_scene(out, seed);
    }
    put_many(out);
    assert_int_equal(fclose(out), 0);
    assert_true(played > SCENES / 4);
    golden_expect("model/tests/golden_trace.csv", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(traces_are_what_they_were)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
