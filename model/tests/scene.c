/* Scenes by choices. */
#include "scene.h"
#include "core/error.h"

#include "core/invariant.h"
#include "core/units.h"

static void choose_machine(struct choices *choices, struct scene *scene)
{
    static struct platform base;
    struct error err = {0};
    if (base.cores == 0) {
        INVARIANT(platform_load("neoverse-n1", &base, &err), "%s", err.text);
    }
    static const uint64_t caches[] = {256 * KIB, 0, MIB, 64 * KIB};
    static const uint64_t lines[] = {64, 64, 128, 32};
    scene->platform = base;
    scene->platform.cache_bytes = caches[choose(choices, 4)];
    scene->platform.line_bytes = lines[choose(choices, 4)];
    scene->platform.cache_ways = 1 + choose(choices, 16);
    unsigned flags = choose(choices, 32);
    scene->platform.fwb = flags & 1;
    scene->platform.dic = flags & 2;
    scene->platform.vhe = flags & 4;
    scene->platform.tlbirange = flags & 8;
    scene->platform.lpa2 = flags & 16;
    platform_modes(&scene->platform, scene->value);
    /* One cost far off: free, or very dear. */
    unsigned cost = choose(choices, COSTS);
    scene->value[cost] *= choose(choices, 3) == 2 ? 100 : 1;
}

static void choose_kernel(struct choices *choices, struct scene *scene)
{
    static const char *const versions[] = {"5.10", "5.14", "5.15", "6.1",  "6.2",  "6.5",
                                           "6.6",  "6.7",  "6.10", "6.12", "6.13", "7.3"};
    struct error err = {0};
    INVARIANT(kernel_resolve(ONE_OF(choices, versions), &scene->kernel, &err), "%s", err.text);
    const struct kernel_rule *rule = &kernel_rules[choose(choices, (unsigned)kernel_rule_count)];
    if (choose(choices, 4) == 3) {
        scene->kernel.value[rule->which] = rule->code;
    }
}

/* A built-in row, or any mixture of what a study may set. */
static void choose_strategy(struct choices *choices, struct scene *scene)
{
    static const uint64_t chunks[] = {0, 0, 0, 4 * KIB, 64 * KIB, 2 * MIB, 6 * MIB, GIB};
    unsigned all = (unsigned)(strategy_count + strategy_more_count);
    unsigned row = choose(choices, all + 2);
    scene->strategy = row < strategy_count ? strategy_rows[row]
                      : row < all          ? strategy_more[row - strategy_count]
                                           : strategy_ideal;
    scene->preemptible = choose(choices, 2);
    if (choices->more) {
        scene->strategy.chunk = chunks[choose(choices, 8)];
    }
    if (row <= all) {
        return;
    }
    struct strategy *own = &scene->strategy;
    uint64_t chunk = own->chunk;
    unsigned flags = choose(choices, 256);
    *own = (struct strategy){.name = "own",
                             .reinit_icache = flags & 2,
                             .reinit_unmap_cleans = flags & 4,
                             .notifier_unmap_cleans = flags & 1,
                             .fault_cleans = flags & 8,
                             .recreate = flags & 32,
                             .fwb = flags & 64,
                             .chunk = chunk};
    own->reinit_tlbi = flags & 16 ? REINIT_TLBI_VM : REINIT_TLBI_LEAF;
    own->flush_at = (enum flush_at)choose(choices, 3);
    own->toggle = (enum toggle)choose(choices, 3);
    own->reinit_unmap = (enum reinit_unmap)choose(choices, 4);
    own->flush_leaves = (enum flush_leaves)choose(choices, 3);
    own->flush_record = (enum flush_record)choose(choices, 4);
    own->workers = choose(choices, 4);
}

void scene_choose(struct scene *scene, struct choices *choices)
{
    choose_machine(choices, scene);
    choose_kernel(choices, scene);
    choose_strategy(choices, scene);
}

struct point scene_point(const struct scene *scene, bool exact)
{
    return (struct point){.timeline = &scene->timeline,
                          .platform = &scene->platform,
                          .value = scene->value,
                          .kernel = &scene->kernel,
                          .strategy = &scene->strategy,
                          .exact = exact,
                          .preemptible = scene->preemptible};
}
