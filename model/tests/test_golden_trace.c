/* The traces of random operations on random VMs, and of reboots of many vCPUs, when the model was
 * last looked at: each event in its order, with when and where it happened and under which lock.
 * What runs come to says nothing of these, nor of how much work it was to play them. */
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
    fprintf(out, "%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%zu,%zu,%016" PRIx64 "\n", name,
            point->strategy->name, point->exact ? "exact" : "fast", sim->engine.steps,
            sim->engine.events, sim->pool.live, lines, (uint64_t)XXH3_64bits(text, length));
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

/* Chunks of unmaps, flushes and logs begin and end inside slots of GiBs that begin anywhere. */
#define LARGE                                                                                      \
    "[workload]\nplay = concurrent\n[vm]\nram = 2561M\nram_ipa = 0x5ff00000\nvcpus = 2\n"          \
    "granule = %s\nbacking = %s\n[slot more]\nipa = 0x13fe10000\nbytes = 1100M\nbacking = 4k\n"    \
    "[timeline]\nphase = use\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 2560M\n"            \
    "vcpu0 = write more+1M 20M\nvcpu0 = write more+1014M 20M\nvcpu0 = fetch ram+1500M 3M\nvcpu0 "  \
    "= signal used\nvcpu1 = wait "                                                                 \
    "used\n"                                                                                       \
    "vcpu1 = enter\nvcpu1 = mmu on\nvcpu1 = write ram+100M 32M every 1G times 2\n"                 \
    "vcpu1 = signal log\nphase = logs\nvmm = wait log\nvmm = window\nvmm = dirty-log on\n"         \
    "vmm = signal logs\nvcpu0 = wait logs\nvcpu0 = write ram+1020M 8M\nvcpu0 = write more 40K\n"   \
    "vcpu0 = signal wrote\nvmm = wait wrote\nvmm = dirty-log round\nvmm = dirty-log clear ram+1G " \
    "1025M\n"                                                                                      \
    "vmm = dirty-log off\nphase = notify\nvmm = notify ram+1023M 1026M\nvmm = notify more+3M "     \
    "64K\n"                                                                                        \
    "vmm = slot-delete more\nvmm = slot-add more\nvmm = prefault ram+1023M 2M\n"                   \
    "phase = boot\nvmm = reinit all\nvmm = fill ram+64M 40M\nvmm = signal go\nvcpu0 = wait go\n"   \
    "vcpu0 = enter\nvcpu0 = write ram+64M 64K\nvcpu0 = mmu on\nvcpu0 = read ram 1100M\n"           \
    "vcpu0 = write ram+1G 1M every 300M times 5\nvcpu1 = wait go\nvcpu1 = enter\nvcpu1 = mmu on\n" \
    "vcpu1 = read ram+1023M 64M\nvcpu1 = write more 2M every 512M times 3\n"

static void put_large(FILE *out)
{
    static const char *const machines[] = {"neoverse-n1", "neoverse-v1", "altra-max-2s"};
    static const char *const kernels[] = {"5.10", "6.1", "7.1"};
    static const char *const granules[] = {"4K", "16K"};
    static const char *const backings[] = {"thp", "hugetlb", "hugetlb-1g"};
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        const struct strategy *strategy =
            i < strategy_count ? &strategy_rows[i] : &strategy_more[i - strategy_count];
        struct stage stage;
        struct timeline timeline;
        struct error err = {0};
        char text[4096], name[64];
        stage_init(&stage, machines[i % 3], kernels[i / 3 % 3]);
        stage.preemptible = i % 2;
        snprintf(text, sizeof text, LARGE, granules[i % 5 == 4],
                 backings[i % 7 == 3 ? 2 : i / 2 % 2]);
        struct workload *workload = workload_good(text);
        build(workload, &timeline);
        struct point point = {.timeline = &timeline,
                              .platform = &stage.platform,
                              .value = stage.value,
                              .kernel = &stage.kernel,
                              .strategy = strategy,
                              .preemptible = stage.preemptible};
        snprintf(name, sizeof name, "large %s %s", machines[i % 3], kernels[i / 3 % 3]);
        if (sim_possible(&point, &err)) {
            put_trace(out, name, &point);
        }
        timeline_free(&timeline);
        workload_free(workload);
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
    fputs("case,strategy,fidelity,steps,events,ranges,lines,digest\n", out);
    for (uint64_t seed = 1; seed <= SCENES; seed++) {
        played += put_scene(out, seed);
    }
    put_many(out);
    put_large(out);
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
