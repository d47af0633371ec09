#include "random_case.h"
#include "core/error.h"

#include <string.h>

#include "core/units.h"
#include "guest/workload/workload.h"
#include "machine/misfit.h"
#include "study/draws.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *const random_kind_name[RANDOM_KINDS] = {
    [RANDOM_SERIAL] = "serial",          [RANDOM_GENERATED] = "generated",
    [RANDOM_PARALLEL] = "parallel",      [RANDOM_RACE] = "race",
    [RANDOM_MANY] = "many vCPUs",        [RANDOM_PIECES] = "many pieces",
    [RANDOM_MANY_RACE] = "race of many",
};

/* One seed in so many is of a kind that takes long, each. */
#define MANY_IN 250

bool random_kind_is_long(enum random_kind kind)
{
    return kind == RANDOM_MANY || kind == RANDOM_PIECES || kind == RANDOM_MANY_RACE;
}

enum random_kind random_kind_of(uint64_t seed)
{
    static const enum random_kind few[] = {RANDOM_MANY, RANDOM_MANY_RACE, RANDOM_PIECES};
    static const enum random_kind others[] = {RANDOM_SERIAL, RANDOM_GENERATED, RANDOM_PARALLEL,
                                              RANDOM_RACE};
    uint64_t at = seed % MANY_IN;
    return at < COUNT(few) ? few[at] : others[seed % COUNT(others)];
}

/* --- machine, kernel, strategy --- */

/* Every cost anywhere between its low and its high, or all at their modes. */
static void choose_costs(struct dice *dice, struct random_case *of)
{
    bool modes = chance(dice, 30);
    platform_modes(&of->platform, of->value);
    /* A misfit is a factor on prices and asks nothing of the engine. */
    for (int id = 0; id < COSTS && !modes; id++) {
        if (misfit_is((enum cost_id)id)) {
            continue;
        }
        of->value[id] = draw_quantile(&of->platform.cost[id], (double)roll(dice, 1025) / 1024);
    }
    of->even = chance(dice, 50);
    if (of->even) {
        of->value[COST_dc_dirty_ratio] = 1;
    }
}

/* The caches are as small against the memory as real ones are. */
static void choose_machine(struct dice *dice, struct random_case *of)
{
    static const char *const machines[] = {"altra-max-2s", "cortex-a72",        "kunpeng-920",
                                           "neoverse-n1",  "neoverse-v1-nodic", "neoverse-v1"};
    static const char *const kernels[] = {"5.10", "5.14", "6.1", "6.2", "6.6", "6.12", "7.3"};
    struct error err = {0};
    assert_true(platform_load(machines[roll(dice, COUNT(machines))], &of->platform, &err));
    assert_true(kernel_resolve(kernels[roll(dice, COUNT(kernels))], &of->kernel, &err));
    uint64_t each = chance(dice, 10) ? 0 : (4 * MIB) << roll(dice, 3); /* of a socket */
    of->platform.cache_bytes = each * of->platform.sockets;
    choose_costs(dice, of);
    of->preemptible = chance(dice, 30);
    of->strategy = roll(dice, strategy_count + 1) == 0 ? strategy_ideal
                                                       : strategy_rows[roll(dice, strategy_count)];
}

/* --- a recorder's operations --- */

void random_shape(struct dice *dice, struct kvmcase_shape *shape)
{
    static const enum backing backings[] = {BACKING_4K, BACKING_THP, BACKING_THP, BACKING_HUGETLB,
                                            BACKING_SHARED};
    static const uint64_t units[] = {4 * KIB, 64 * KIB, 2 * MIB};
    struct error err = {0};
    *shape = (struct kvmcase_shape){.backing = backings[roll(dice, COUNT(backings))]};
    shape->mem_mib = 1 + roll(dice, 9);
    shape->mem_mib += shape->backing == BACKING_HUGETLB ? shape->mem_mib % 2 : 0;
    shape->slot_offset_bytes = units[roll(dice, 3)] * roll(dice, 3);
    if (chance(dice, 30)) {
        shape->slot_offset_bytes += 0x30000000 - (1 + roll(dice, 4)) * MIB;
    }
    shape->vcpus = 1 + roll(dice, 3);
    assert_true(kvmcase_check(shape, NULL, &err));
    assert_null(kvmcase_unsupported(shape));
}

static struct kvmcase_op choose_operation(struct dice *dice, const struct kvmcase_shape *shape)
{
    static const enum kvmcase_verb verbs[] = {
        KVMCASE_WRITE, KVMCASE_WRITE, KVMCASE_WRITE,  KVMCASE_READ,    KVMCASE_READ,
        KVMCASE_CALL,  KVMCASE_CALL,  KVMCASE_EXIT,   KVMCASE_INIT,    KVMCASE_INIT,
        KVMCASE_FILL,  KVMCASE_DROP,  KVMCASE_MMU_ON, KVMCASE_MMU_OFF, KVMCASE_SETWAY};
    uint64_t pages = shape->mem_mib * (MIB / KVMCASE_PAGE);
    struct kvmcase_op op = {.verb = verbs[roll(dice, COUNT(verbs))]};
    op.vcpu = op.verb == KVMCASE_SETWAY ? 0 : roll(dice, shape->vcpus);
    op.first = roll(dice, pages);
    op.stride = chance(dice, 50) ? 1 : chance(dice, 50) ? 1 + roll(dice, 9) : roll(dice, 700);
    uint64_t room = op.stride == 0 ? 3 : (pages - 1 - op.first) / op.stride + 1;
    op.count = chance(dice, 40) ? room : roll(dice, room + 1);
    return op;
}

void random_operations(struct dice *dice, const struct kvmcase_shape *shape,
                       struct timeline *timeline)
{
    struct kvmcase kvmcase;
    struct error err = {0};
    uint64_t operations = 3 + roll(dice, 12);
    kvmcase_begin(&kvmcase, shape, timeline, "random");
    for (uint64_t i = 0; i < operations; i++) {
        struct kvmcase_op op = choose_operation(dice, shape);
        uint32_t phase;
        assert_true(kvmcase_add(&kvmcase, "row", &op, &phase, NULL, &err));
        assert_int_equal(phase, i + 1);
    }
}

static void make_serial(struct dice *dice, struct timeline *timeline)
{
    struct kvmcase_shape shape;
    random_shape(dice, &shape);
    random_operations(dice, &shape, timeline);
}

/* --- generated reboots --- */

static void set(struct workload *workload, const char *key, const char *format, uint64_t value)
{
    char text[64];
    struct error err = {0};
    snprintf(text, sizeof text, format, (unsigned long long)value);
    if (!workload_set(workload, key, text, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

static void set_one_of(struct dice *dice, struct workload *workload, const char *key,
                       const char *const words[], size_t count)
{
    set(workload, key, words[roll(dice, count)], 0);
}

static void set_boot(struct dice *dice, struct workload *workload)
{
    static const char *const backings[] = {"4k", "thp", "thp", "hugetlb", "shm"};
    static const char *const orders[] = {"sequential", "strided", "random", "zipf", "recorded"};
    static const char *const logs[] = {"no", "no", "no", "reset", "boot"};
    static const char *const firmware[] = {"direct", "uefi"};
    uint64_t mib = 1 + roll(dice, chance(dice, 20) ? 24 : 8);
    set(workload, "footprint", "%lluM", 2 * mib);
    set(workload, "rewrite", "%lluK", 4 * roll(dice, 256 * mib));
    uint64_t touched = roll(dice, 101);
    set(workload, "touched", "%llu%%", touched);
    set(workload, "extents", "%llu", 1 + roll(dice, 40));
    set(workload, "write_share", "%llu%%", roll(dice, 101));
    set(workload, "execute", "%lluK", 4 * roll(dice, 600));
    set(workload, "mmu_on_bytes", "%lluK", 4 + 4 * roll(dice, 16));
    set(workload, "mmu_on_places", "%llu", 1 + roll(dice, 4));
    set(workload, "cached", "%llu%%", roll(dice, 101));
    set(workload, "dirty", "%llu%%", roll(dice, 101));
    set(workload, "density", "%llu", 1 + roll(dice, 64));
    set(workload, "secondaries_after", "%llu", 2 * MIB * mib * touched * roll(dice, 101) / 10000);
    set(workload, "later_passes", "%llu", chance(dice, 20) ? 1 : 0);
    set(workload, "insns_per_page", "%llu", roll(dice, 3) * 3000);
    set(workload, "seed", "%llu", roll(dice, 1000));
    set_one_of(dice, workload, "backing", backings, COUNT(backings));
    set_one_of(dice, workload, "order", orders, COUNT(orders));
    set_one_of(dice, workload, "dirty_log", logs, COUNT(logs));
    set_one_of(dice, workload, "firmware", firmware, COUNT(firmware));
}

static void make_generated(struct dice *dice, struct timeline *timeline)
{
    struct error err = {0};
    struct workload *workload = workload_read("generated-boot", &err);
    assert_non_null(workload);
    set_boot(dice, workload);
    set(workload, "vcpus", "%llu", chance(dice, 40) ? 1 : 2 + roll(dice, 5));
    set(workload, "copies", "%llu", chance(dice, 85) ? 1 : 2);
    if (!workload_build(workload, timeline, &err)) {
        fail_msg("%s", err.text);
    }
    workload_free(workload);
}

/* Each vCPU has 2 to 6 MiB to touch. The machine has as many cores as it takes. */
static void make_many(struct dice *dice, struct timeline *timeline)
{
    static const char *const backings[] = {"4k", "4k", "4k", "4k", "thp"};
    static const char *const orders[] = {"sequential", "sequential", "random"};
    struct error err = {0};
    struct workload *workload = workload_read("generated-boot", &err);
    assert_non_null(workload);
    uint64_t doublings = roll(dice, 10);
    uint64_t vcpus = (UINT64_C(1) << doublings) + roll(dice, UINT64_C(1) << doublings);
    vcpus = u64_min(vcpus, 512);
    set_boot(dice, workload);
    set(workload, "vcpus", "%llu", vcpus);
    uint64_t mib = 2 + vcpus * (2 + roll(dice, 2));
    set(workload, "footprint", "%lluM", 2 * mib);
    set(workload, "rewrite", "%lluM", roll(dice, mib));
    set(workload, "touched", "%llu%%", 40 + roll(dice, 61));
    set(workload, "extents", "%llu", 1 + roll(dice, 4));
    set_one_of(dice, workload, "backing", backings, COUNT(backings));
    set_one_of(dice, workload, "order", orders, COUNT(orders));
    if (!workload_build(workload, timeline, &err)) {
        fail_msg("%s", err.text);
    }
    workload_free(workload);
}

/* Most pieces are taken in steps; between them a vCPU computes or does not, and what it executes
 * goes leaf by leaf beside the steps of others. */
static void make_pieces(struct dice *dice, struct timeline *timeline)
{
    static const char *const orders[] = {"sequential", "random"};
    static const uint64_t insns[] = {0, 300, 3000, 10000, 60770};
    struct error err = {0};
    struct workload *workload = workload_read("generated-boot", &err);
    assert_non_null(workload);
    set_boot(dice, workload);
    uint64_t vcpus = UINT64_C(2) << roll(dice, 6), each = 2 + roll(dice, 9);
    vcpus -= roll(dice, vcpus / 2);
    uint64_t mib = u64_min(u64_max(vcpus * each * (3 + roll(dice, 6)), 64), 768);
    set(workload, "vcpus", "%llu", vcpus);
    set(workload, "footprint", "%lluM", 2 * mib);
    set(workload, "touched", "%llu%%", 50);
    set(workload, "rewrite", "%lluM", roll(dice, mib));
    set(workload, "extents", "%llu", u64_min(vcpus * each, mib / 3));
    set(workload, "secondaries_after", "%llu", MIB * roll(dice, 1 + mib / 4));
    set(workload, "insns_per_page", "%llu", insns[roll(dice, COUNT(insns))]);
    set(workload, "backing", chance(dice, 90) ? "4k" : "thp", 0);
    set(workload, "dirty_log", "no", 0);
    set_one_of(dice, workload, "order", orders, COUNT(orders));
    if (!workload_build(workload, timeline, &err)) {
        fail_msg("%s", err.text);
    }
    workload_free(workload);
}

/* --- several at once --- */

#define RAM_IPA GIB

struct crowd {
    struct dice *dice;
    struct timeline *timeline;
    uint64_t pages; /* of RAM */
    uint64_t longest; /* touch, in pages */
    uint32_t vcpus;
    bool apart; /* each vCPU keeps to a part of RAM of its own */
    bool disturbed; /* the VMM interferes while they boot */
};

static void crowd_add(struct crowd *crowd, uint32_t who, struct op op)
{
    timeline_add(crowd->timeline, who, op);
}

static void crowd_touch(struct crowd *crowd, uint32_t vcpu)
{
    struct dice *dice = crowd->dice;
    uint64_t share = crowd->apart ? crowd->pages / crowd->vcpus : crowd->pages;
    uint64_t first = roll(dice, share), room = share - first;
    uint64_t pages = 1 + roll(dice, room < crowd->longest ? room : crowd->longest);
    struct op op = {.kind = OP_TOUCH,
                    .access = (uint8_t)roll(dice, 3),
                    .density = (uint16_t)(1 + roll(dice, 64)),
                    .ipa = RAM_IPA + (first + (crowd->apart ? vcpu * share : 0)) * 4 * KIB,
                    .bytes = pages * 4 * KIB,
                    .count = 1};
    crowd_add(crowd, vcpu, op);
}

static void crowd_step(struct crowd *crowd, uint32_t vcpu, bool *on)
{
    struct dice *dice = crowd->dice;
    switch (roll(dice, 12)) {
    case 0:
        *on = !*on;
        crowd_add(crowd, vcpu, (struct op){.kind = OP_MMU, .on = *on});
        return;
    case 1:
        crowd_add(crowd, vcpu, (struct op){.kind = OP_VMREGS, .n = roll(dice, 10)});
        return;
    case 2:
        crowd_add(crowd, vcpu, (struct op){.kind = OP_SETWAY, .n = roll(dice, 10)});
        return;
    case 3:
    case 4:
        crowd_add(crowd, vcpu, (struct op){.kind = OP_INSNS, .n = roll(dice, 100000)});
        return;
    default:
        crowd_touch(crowd, vcpu);
    }
}

static void crowd_boot(struct crowd *crowd, uint32_t vcpu)
{
    bool on = chance(crowd->dice, 80);
    uint64_t steps = 2 + roll(crowd->dice, 10);
    crowd_add(crowd, vcpu, (struct op){.kind = OP_ENTER});
    crowd_add(crowd, vcpu, (struct op){.kind = OP_MMU, .on = on});
    for (uint64_t i = 0; i < steps; i++) {
        crowd_step(crowd, vcpu, &on);
    }
}

static struct op part_of_ram(struct crowd *crowd, enum op_kind kind)
{
    uint64_t first = roll(crowd->dice, crowd->pages);
    uint64_t pages = 1 + roll(crowd->dice, crowd->pages - first);
    return (struct op){
        .kind = (uint8_t)kind, .ipa = RAM_IPA + first * 4 * KIB, .bytes = pages * 4 * KIB};
}

/* What the VMM does while the guest runs. */
static void crowd_disturb(struct crowd *crowd)
{
    static const enum op_kind kinds[] = {OP_NOTIFY, OP_FILL, OP_HOST_READ, OP_DEVICE_READ};
    uint64_t times = roll(crowd->dice, 4);
    for (uint64_t i = 0; i < times; i++) {
        struct op wait = {.kind = OP_COMPUTE, .n = roll(crowd->dice, 2000) * 1000000};
        crowd_add(crowd, SCRIPT_VMM, wait);
        crowd_add(crowd, SCRIPT_VMM, part_of_ram(crowd, kinds[roll(crowd->dice, COUNT(kinds))]));
    }
}

/* All boot at once; the VMM, which may be in their way, waits for them. */
static void crowd_round(struct crowd *crowd)
{
    for (uint32_t vcpu = 0; vcpu < crowd->vcpus; vcpu++) {
        uint64_t go = timeline_signal(crowd->timeline);
        crowd_add(crowd, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
        crowd_add(crowd, vcpu, (struct op){.kind = OP_WAIT, .n = go});
        crowd_boot(crowd, vcpu);
    }
    if (crowd->disturbed) {
        crowd_disturb(crowd);
    }
    for (uint32_t vcpu = 0; vcpu < crowd->vcpus; vcpu++) {
        uint64_t done = timeline_signal(crowd->timeline);
        crowd_add(crowd, vcpu, (struct op){.kind = OP_SIGNAL, .n = done});
        crowd_add(crowd, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
}

static void crowd_reset(struct crowd *crowd)
{
    timeline_phase(crowd->timeline, "reset");
    for (uint32_t vcpu = 0; vcpu < crowd->vcpus; vcpu++) {
        crowd_add(crowd, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = vcpu});
    }
    if (chance(crowd->dice, 60)) {
        crowd_add(crowd, SCRIPT_VMM, part_of_ram(crowd, OP_FILL));
    }
    timeline_phase(crowd->timeline, "boot");
}

static void make_parallel(struct dice *dice, struct timeline *timeline)
{
    static const enum backing backings[] = {BACKING_4K, BACKING_4K, BACKING_THP, BACKING_HUGETLB,
                                            BACKING_SHARED};
    struct error err = {0};
    struct crowd crowd = {.dice = dice,
                          .timeline = timeline,
                          .pages = 512 * (1 + roll(dice, chance(dice, 20) ? 8 : 4)),
                          .vcpus = (uint32_t)(2 + roll(dice, 4)),
                          .longest = chance(dice, 75) ? 511 : 4096,
                          .apart = chance(dice, 50),
                          .disturbed = chance(dice, 30)};
    struct slot_shape ram = {.ipa = RAM_IPA,
                             .bytes = crowd.pages * 4 * KIB,
                             .misalign = chance(dice, 20) ? 64 * KIB : 0,
                             .backing = backings[roll(dice, COUNT(backings))]};
    timeline_init(timeline, "random", false, crowd.vcpus);
    assert_true(vm_shape_slot(&timeline->vm, ram, &err));
    timeline_phase(timeline, "boot");
    crowd_round(&crowd);
    crowd_reset(&crowd);
    crowd_round(&crowd);
}

/* --- on purpose at the same place --- */

/* Where a vCPU of a race begins, and how far it goes. */
static struct op race_touch(struct crowd *crowd, uint64_t shape, uint32_t vcpu)
{
    struct dice *dice = crowd->dice;
    uint64_t pages = crowd->pages, first = 0;
    switch (shape) {
    case 0: /* all from the start */
        break;
    case 1: /* some further on */
        first = roll(dice, 4) * pages / 16;
        break;
    case 2: /* in two halves */
        first = vcpu % 2 * pages / 2;
        break;
    default: /* anywhere */
        first = roll(dice, pages);
        pages = first + 1 + roll(dice, pages - first);
    }
    return (struct op){.kind = OP_TOUCH,
                       .access = (uint8_t)roll(dice, 3),
                       .density = (uint16_t)(1 + roll(dice, 64)),
                       .ipa = RAM_IPA + first * 4 * KIB,
                       .bytes = (pages - first) * 4 * KIB,
                       .count = 1};
}

static void race_round(struct crowd *crowd, uint64_t shape, bool at_once)
{
    struct dice *dice = crowd->dice;
    bool on = chance(dice, 80);
    for (uint32_t vcpu = 0; vcpu < crowd->vcpus; vcpu++) {
        uint64_t go = timeline_signal(crowd->timeline), done = timeline_signal(crowd->timeline);
        crowd_add(crowd, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
        crowd_add(crowd, vcpu, (struct op){.kind = OP_WAIT, .n = go});
        crowd_add(crowd, vcpu, (struct op){.kind = OP_ENTER});
        crowd_add(crowd, vcpu, (struct op){.kind = OP_MMU, .on = on});
        if (!at_once) {
            uint64_t ps = roll(dice, 2000) * PS_PER_US;
            crowd_add(crowd, vcpu, (struct op){.kind = OP_COMPUTE, .n = ps});
        }
        crowd_add(crowd, vcpu, race_touch(crowd, shape, vcpu));
        if (shape == 2 && vcpu % 2) {
            crowd_add(crowd, vcpu, race_touch(crowd, 0, vcpu));
        }
        crowd_add(crowd, vcpu, (struct op){.kind = OP_SIGNAL, .n = done});
    }
    for (uint32_t i = 0; i < crowd->vcpus; i++) {
        uint64_t done = crowd->timeline->signals - 1 - 2 * i;
        crowd_add(crowd, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
}

static void make_crowd_race(struct timeline *timeline, struct crowd *crowd, const uint64_t shape[2])
{
    struct dice *dice = crowd->dice;
    struct error err = {0};
    struct slot_shape ram = {.ipa = RAM_IPA,
                             .bytes = crowd->pages * 4 * KIB,
                             .backing = chance(dice, 80) ? BACKING_4K : BACKING_THP};
    timeline_init(timeline, "race", false, crowd->vcpus);
    assert_true(vm_shape_slot(&timeline->vm, ram, &err));
    timeline_phase(timeline, "boot");
    race_round(crowd, shape[0], chance(dice, 60));
    crowd_reset(crowd);
    race_round(crowd, shape[1], chance(dice, 60));
}

static void make_race(struct dice *dice, struct timeline *timeline)
{
    bool many = chance(dice, 10);
    struct crowd crowd = {.dice = dice,
                          .timeline = timeline,
                          .pages = 512 * (1 + roll(dice, many ? 2 : 8)),
                          .vcpus = (uint32_t)(many ? 8 + roll(dice, 40) : 2 + roll(dice, 6))};
    const uint64_t shape[2] = {roll(dice, 4), roll(dice, 4)};
    make_crowd_race(timeline, &crowd, shape);
}

/* All from the start to the end. */
static void make_many_race(struct dice *dice, struct timeline *timeline)
{
    uint64_t vcpus = (UINT64_C(2) << roll(dice, 6));
    struct crowd crowd = {.dice = dice,
                          .timeline = timeline,
                          .pages = 1024 * (1 + roll(dice, 8)),
                          .vcpus = (uint32_t)(vcpus - roll(dice, vcpus / 2))};
    const uint64_t shape[2] = {0, 0};
    make_crowd_race(timeline, &crowd, shape);
}

/* --- a case --- */

/* Enough for all vCPUs, a VMM and a strategy's helpers. */
#define MANY_CORES 1024

void random_case_make(struct random_case *of, enum random_kind kind, uint64_t seed)
{
    static void (*const make[RANDOM_KINDS])(struct dice * dice, struct timeline * timeline) = {
        [RANDOM_SERIAL] = make_serial,       [RANDOM_GENERATED] = make_generated,
        [RANDOM_PARALLEL] = make_parallel,   [RANDOM_RACE] = make_race,
        [RANDOM_MANY] = make_many,           [RANDOM_PIECES] = make_pieces,
        [RANDOM_MANY_RACE] = make_many_race,
    };
    struct dice dice = dice_of(seed);
    memset(of, 0, sizeof *of);
    of->kind = kind;
    choose_machine(&dice, of);
    of->platform.cores = random_kind_is_long(kind) ? MANY_CORES : of->platform.cores;
    make[kind](&dice, &of->timeline);
}

void random_case_free(struct random_case *of)
{
    timeline_free(&of->timeline);
}

struct point random_case_point(const struct random_case *of, bool exact)
{
    return (struct point){.timeline = &of->timeline,
                          .platform = &of->platform,
                          .value = of->value,
                          .kernel = &of->kernel,
                          .strategy = &of->strategy,
                          .exact = exact,
                          .preemptible = of->preemptible};
}
