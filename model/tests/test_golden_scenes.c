/* What random operations on random VMs came to when the model was last looked at: all operations,
 * kernels with one switch changed, strategies of any mixture, costs far off. */
#include "check.h"
#include "core/error.h"
#include "golden.h"
#include "play.h"
#include "random_case.h"
#include "scene.h"

#include <inttypes.h>

#define SCENES 600
#define BYTES 64
#define MANY 6 /* seeds of each kind with many vCPUs */
#define FIRST 0xf8 /* from all operations */

static void fill(uint8_t bytes[BYTES], uint64_t seed)
{
    struct dice dice = dice_of(seed);
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)roll(&dice, 256);
    }
    bytes[0] = FIRST;
}

/* Many are refused: operations that do not fit, waits for ever. Returns whether this one is played.
 */
static bool print_scene(FILE *out, uint64_t seed)
{
    static struct scene scene;
    static struct choices choices;
    uint8_t bytes[BYTES];
    char name[48];
    struct error err = {0};
    fill(bytes, seed);
    choices_begin(&choices, bytes, BYTES);
    scene_choose(&scene, &choices);
    choices_put_workload(&choices);
    struct workload *workload = workload_of_text(choices.text, &err);
    bool built = workload && workload_build(workload, &scene.timeline, &err);
    struct point exact = scene_point(&scene, true), fast = scene_point(&scene, false);
    bool possible = built && sim_possible(&exact, &err);
    snprintf(name, sizeof name, "scene %" PRIu64, seed);
    if (possible) {
        golden_print(out, name, scene.strategy.name, &exact);
        golden_print(out, name, scene.strategy.name, &fast);
    }
    if (built) {
        timeline_free(&scene.timeline);
    }
    workload_free(workload);
    return possible;
}

/* Reboots of many vCPUs, whose touches and flushes take several steps of many leaves. */
static void print_many(FILE *out)
{
    for (int kind = 0; kind < RANDOM_KINDS; kind++) {
        uint64_t seeds = random_kind_is_long((enum random_kind)kind) ? MANY : 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct random_case of;
            char name[48];
            random_case_make(&of, (enum random_kind)kind, seed);
            snprintf(name, sizeof name, "%s %" PRIu64, random_kind_name[kind], seed);
            struct point point = random_case_point(&of, false);
            golden_print(out, name, of.strategy.name, &point);
            random_case_free(&of);
        }
    }
}

static void scenes_come_to_what_they_did(void **state)
{
    char *text = NULL;
    size_t length = 0;
    unsigned played = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs(GOLDEN_COLUMNS, out);
    for (uint64_t seed = 1; seed <= SCENES; seed++) {
        played += print_scene(out, seed);
    }
    print_many(out);
    assert_int_equal(fclose(out), 0);
    assert_true(played > SCENES / 4);
    golden_expect("model/tests/golden_scenes.csv", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scenes_come_to_what_they_did)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
