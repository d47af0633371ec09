#include "guest/benchmark/benchmark.h"

#include "core/error.h"
#include "core/invariant.h"
#include "core/units.h"

#define PAGE (4 * KIB)
#define BLOCK (2 * MIB)

/* Where the test memory lies; the guest's own pages are below it. */
#define REGION_IPA (UINT64_C(64) * GIB)
#define TABLES_IPA GIB

/* Of the part of a region that is not built, this much still passes through the
 * caches: more than any of them holds. */
#define REST_IPA (UINT64_C(960) * GIB)
#define REST_MOST GIB

const char *const benchmark_name[BENCHMARKS + 1] = {
    [BENCHMARK_PAGE_TABLE] = "page_table",
    [BENCHMARK_DIRTY_LOG] = "dirty_log",
    [BENCHMARK_TEARDOWN] = "teardown",
};

const char *const benchmark_phase_name[BENCHMARK_PHASES + 1] = {
    [BENCHMARK_CREATE] = "create",   [BENCHMARK_UPDATE] = "update",
    [BENCHMARK_ADJUST] = "adjust",   [BENCHMARK_UNMAP] = "unmap",
    [BENCHMARK_PROTECT] = "protect", [BENCHMARK_DIRTY] = "dirty",
    [BENCHMARK_AGAIN] = "again",     [BENCHMARK_EXIT] = "exit",
    [BENCHMARK_WALK] = "walk",       [BENCHMARK_POPULATE] = "populate",
    [BENCHMARK_GET] = "get",         [BENCHMARK_CLEAR] = "clear",
};

static uint64_t backing_bytes(enum backing backing)
{
    return backing == BACKING_HUGETLB_1G                        ? GIB
           : backing == BACKING_4K || backing == BACKING_SHARED ? PAGE
                                                                : BLOCK;
}

static enum benchmark_kind kind_of(enum benchmark_phase phase)
{
    switch (phase) {
    case BENCHMARK_CREATE:
    case BENCHMARK_UPDATE:
    case BENCHMARK_ADJUST:
    case BENCHMARK_UNMAP:
        return BENCHMARK_PAGE_TABLE;
    case BENCHMARK_POPULATE:
    case BENCHMARK_PROTECT:
    case BENCHMARK_DIRTY:
    case BENCHMARK_AGAIN:
    case BENCHMARK_GET:
    case BENCHMARK_CLEAR:
        return BENCHMARK_DIRTY_LOG;
    case BENCHMARK_EXIT:
    case BENCHMARK_WALK:
        return BENCHMARK_TEARDOWN;
    case BENCHMARK_PHASES:
        break;
    }
    return BENCHMARKS;
}

bool benchmark_check(const struct benchmark *benchmark, struct error *err)
{
    bool dirty = benchmark->kind == BENCHMARK_DIRTY_LOG;
    if (benchmark->kind != kind_of(benchmark->phase)) {
        return error_input(err, NULL, "%s has no phase %s", benchmark_name[benchmark->kind],
                           benchmark_phase_name[benchmark->phase]);
    }
    if (benchmark->vcpus == 0 || benchmark->vcpus > 512) {
        return error_input(err, NULL, "%u vCPUs, the model takes 1 to 512", benchmark->vcpus);
    }
    uint64_t unit = backing_bytes(benchmark->backing);
    uint64_t all = dirty ? benchmark->bytes * benchmark->vcpus : benchmark->bytes;
    if (benchmark->bytes == 0 || benchmark->bytes % unit != 0 || benchmark->bytes > 512 * GIB ||
        all > 768 * GIB) {
        return error_input(err, NULL, "a region of %llu bytes on pages of %llu",
                           (unsigned long long)benchmark->bytes, (unsigned long long)unit);
    }
    if (dirty && (benchmark->stride < PAGE || benchmark->stride % PAGE != 0 ||
                  benchmark->bytes % benchmark->stride != 0)) {
        return error_input(err, NULL, "a stride of %llu bytes",
                           (unsigned long long)benchmark->stride);
    }
    return true;
}

uint64_t benchmark_unit(const struct benchmark *benchmark)
{
    uint64_t unit = backing_bytes(benchmark->backing);
    return benchmark->kind == BENCHMARK_DIRTY_LOG && benchmark->stride > unit ? benchmark->stride
                                                                              : unit;
}

/* --- one timeline under construction --- */

struct building {
    const struct benchmark *benchmark;
    struct timeline *timeline;
    uint64_t bytes; /* of the region that is built */
    uint64_t rest; /* of the part that is not */
};

static void add(struct building *building, uint32_t vcpu, struct op op)
{
    timeline_add(building->timeline, vcpu, op);
}

/* The guest reads its own page-table page for a 2 MiB stretch of the region. */
static void add_walk(struct building *building, uint32_t vcpu, uint64_t offset)
{
    add(building, vcpu,
        (struct op){.kind = OP_TOUCH,
                    .access = TOUCH_READ,
                    .density = 1,
                    .count = 1,
                    .ipa = TABLES_IPA + offset / BLOCK * PAGE,
                    .bytes = 8});
}

/* Single accesses, `stride` apart, in [start, end) of the region. */
static void add_pieces(struct building *building, uint32_t vcpu, uint64_t start, uint64_t end,
                       uint64_t stride, enum touch_access access)
{
    while (start < end) {
        uint64_t stop = start - start % BLOCK + BLOCK;
        stop = stop < end ? stop : end;
        add_walk(building, vcpu, start);
        add(building, vcpu,
            (struct op){.kind = OP_TOUCH,
                        .access = (uint8_t)access,
                        .density = 1,
                        .count = (stop - start + stride - 1) / stride,
                        .stride = stride,
                        .ipa = REGION_IPA + start,
                        .bytes = 8});
        uint64_t step = (stop - start + stride - 1) / stride * stride;
        start += step;
    }
}

/* The first line of every 4 KiB, in one go. */
static void add_stretch(struct building *building, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                        enum touch_access access)
{
    add(building, vcpu,
        (struct op){.kind = OP_TOUCH,
                    .access = (uint8_t)access,
                    .density = 1,
                    .count = 1,
                    .ipa = ipa,
                    .bytes = bytes});
}

/* Every small page of [start, end), one line each, without regard to who comes
 * between: what is mapped already or mapped by this actor alone. In stretches of a
 * small part of the page that is split or put together. */
static void add_range(struct building *building, uint32_t vcpu, uint64_t start, uint64_t end,
                      enum touch_access access)
{
    uint64_t whole = building->benchmark->backing == BACKING_HUGETLB_1G ? 16 * BLOCK : BLOCK;
    for (uint64_t at = start; at < end; at += whole) {
        uint64_t bytes = end - at < whole ? end - at : whole;
        uint64_t tables = (bytes + BLOCK - 1) / BLOCK * PAGE;
        add_stretch(building, vcpu, TABLES_IPA + at / BLOCK * PAGE, tables, TOUCH_READ);
        add_stretch(building, vcpu, REGION_IPA + at, bytes, access);
    }
}

/* The whole region at once: the same pages, for phases that are not timed. */
static void add_fill(struct building *building, uint32_t vcpu, uint64_t start, uint64_t end)
{
    uint64_t tables = (end - start + BLOCK - 1) / BLOCK * PAGE;
    add_stretch(building, vcpu, TABLES_IPA + start / BLOCK * PAGE, tables, TOUCH_READ);
    add_stretch(building, vcpu, REGION_IPA + start, end - start, TOUCH_WRITE);
}

/* Before a later phase comes to a page, the rest of the region has displaced it
 * from the caches. */
static void add_rest(struct building *building)
{
    if (building->rest > 0) {
        add(building, 0,
            (struct op){.kind = OP_TOUCH,
                        .access = TOUCH_WRITE,
                        .count = 1,
                        .ipa = REST_IPA,
                        .bytes = building->rest});
    }
}

/* --- what a vCPU does in each phase --- */

static void create_pages(struct building *building, uint32_t vcpu)
{
    enum touch_access access = vcpu % 2 == 0 ? TOUCH_WRITE : TOUCH_READ;
    add_pieces(building, vcpu, 0, building->bytes, backing_bytes(building->benchmark->backing),
               access);
}

static void update_pages(struct building *building, uint32_t vcpu)
{
    uint64_t page = backing_bytes(building->benchmark->backing);
    if (page == PAGE) {
        add_pieces(building, vcpu, 0, building->bytes, PAGE, TOUCH_WRITE);
        return;
    }
    for (uint64_t at = 0; at < building->bytes; at += page) {
        add_pieces(building, vcpu, at, at + PAGE, page, TOUCH_WRITE);
        add_range(building, vcpu, at + page / 2, at + page, TOUCH_READ);
    }
}

static void adjust_pages(struct building *building, uint32_t vcpu)
{
    add_range(building, vcpu, 0, building->bytes, TOUCH_READ);
}

/* In a phase that is not timed it does not matter who maps what. */
static void map_alone(struct building *building, uint32_t vcpu)
{
    if (vcpu == 0) {
        add_fill(building, vcpu, 0, building->bytes);
        add_rest(building);
    }
}

static void update_alone(struct building *building, uint32_t vcpu)
{
    if (vcpu == 0) {
        update_pages(building, vcpu);
        add_rest(building);
    }
}

static void populate(struct building *building, uint32_t vcpu)
{
    add_fill(building, vcpu, vcpu * building->bytes, (vcpu + UINT64_C(1)) * building->bytes);
}

/* Page by page, where it is timed: the others' faults come between. */
static void populate_pages(struct building *building, uint32_t vcpu)
{
    uint64_t start = vcpu * building->bytes;
    add_pieces(building, vcpu, start, start + building->bytes, PAGE, TOUCH_WRITE);
}

static void populate_rest(struct building *building, uint32_t vcpu)
{
    if (vcpu == 0) {
        add_rest(building);
    }
}

static void dirty_pages(struct building *building, uint32_t vcpu)
{
    uint64_t start = vcpu * building->bytes;
    add_pieces(building, vcpu, start, start + building->bytes, building->benchmark->stride,
               TOUCH_WRITE);
}

/* --- phases --- */

typedef void (*vcpu_part)(struct building *building, uint32_t vcpu);

/* The VMM wakes all vCPUs, they do their part, it waits for the last one. */
static uint32_t run_phase(struct building *building, const char *name, vcpu_part part)
{
    struct timeline *timeline = building->timeline;
    uint32_t phase = timeline_phase(timeline, name);
    uint64_t start = timeline_signal(timeline);
    add(building, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = start});
    for (uint32_t i = 0; i < building->benchmark->vcpus; i++) {
        uint64_t done = timeline_signal(timeline);
        add(building, i, (struct op){.kind = OP_WAIT, .n = start});
        part(building, i);
        add(building, i, (struct op){.kind = OP_SIGNAL, .n = done});
        add(building, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
    return phase;
}

static uint32_t log_phase(struct building *building, bool on)
{
    uint32_t phase = timeline_phase(building->timeline, on ? "log on" : "log off");
    add(building, SCRIPT_VMM,
        (struct op){.kind = OP_DIRTY_LOG, .on = on, .n = building->benchmark->eager_split});
    return phase;
}

static void delete_slot(struct building *building, uint64_t slot)
{
    add(building, SCRIPT_VMM, (struct op){.kind = OP_SLOT_DELETE, .n = slot});
    add(building, SCRIPT_VMM, (struct op){.kind = OP_DROP, .n = slot});
}

/* kvm_vm_free: slot by slot, the test memory first, then the guest's own; then the vCPUs and the
 * VM. What stands for the rest of the region is gone before. */
static uint32_t unmap_phase(struct building *building)
{
    if (building->rest > 0) {
        timeline_phase(building->timeline, "rest");
        delete_slot(building, 2);
    }
    uint32_t phase = timeline_phase(building->timeline, "unmap");
    delete_slot(building, 0);
    delete_slot(building, 1);
    add(building, SCRIPT_VMM, (struct op){.kind = OP_TEARDOWN});
    return phase;
}

static uint32_t teardown_phases(struct building *building)
{
    run_phase(building, "boot", map_alone);
    bool walk = building->benchmark->phase == BENCHMARK_WALK;
    uint32_t phase = timeline_phase(building->timeline, walk ? "walk" : "exit");
    add(building, SCRIPT_VMM, (struct op){.kind = OP_TEARDOWN, .on = walk});
    return phase;
}

static uint32_t page_table_phases(struct building *building)
{
    enum benchmark_phase last = building->benchmark->phase;
    if (last == BENCHMARK_CREATE) {
        return run_phase(building, "create", create_pages);
    }
    run_phase(building, "create", map_alone);
    if (last == BENCHMARK_UNMAP) {
        return unmap_phase(building);
    }
    log_phase(building, true);
    if (last == BENCHMARK_UPDATE) {
        return run_phase(building, "update", update_pages);
    }
    run_phase(building, "update", update_alone);
    log_phase(building, false);
    return run_phase(building, "adjust", adjust_pages);
}

/* The VMM alone: the log of all regions, or their write permission. */
static uint32_t vmm_phase(struct building *building, const char *name, enum op_kind kind)
{
    uint32_t phase = timeline_phase(building->timeline, name);
    add(building, SCRIPT_VMM,
        (struct op){.kind = (uint8_t)kind,
                    .ipa = REGION_IPA,
                    .bytes = building->bytes * building->benchmark->vcpus});
    return phase;
}

static uint32_t dirty_log_phases(struct building *building)
{
    if (building->benchmark->phase == BENCHMARK_POPULATE) {
        return run_phase(building, "populate", populate_pages);
    }
    run_phase(building, "populate", populate);
    run_phase(building, "rest", populate_rest);
    uint32_t timed = log_phase(building, true);
    if (building->benchmark->phase == BENCHMARK_PROTECT) {
        return timed;
    }
    if (building->benchmark->phase == BENCHMARK_AGAIN) {
        run_phase(building, "first pass", dirty_pages);
        /* KVM_CLEAR_DIRTY_LOG leaves what logging does: small leaves without write permission. */
        log_phase(building, false);
        log_phase(building, true);
    }
    timed = run_phase(building, "dirty", dirty_pages);
    if (building->benchmark->phase == BENCHMARK_GET) {
        return vmm_phase(building, "get", OP_DIRTY_GET);
    }
    if (building->benchmark->phase == BENCHMARK_CLEAR) {
        return vmm_phase(building, "clear", OP_DIRTY_CLEAR);
    }
    return timed;
}

/* A vCPU has started and its MMU is on before anything is timed; it has touched
 * a page of code and one of stack of its own. */
static void start_vcpu(struct building *building, uint32_t vcpu)
{
    add(building, vcpu, (struct op){.kind = OP_ENTER});
    add(building, vcpu, (struct op){.kind = OP_MMU, .on = true});
    add(building, vcpu,
        (struct op){.kind = OP_TOUCH,
                    .access = TOUCH_WRITE,
                    .density = 1,
                    .count = 1,
                    .ipa = vcpu * PAGE,
                    .bytes = 8});
}

/* The VMM builds the guest's page tables before anybody runs (virt_pg_map of the
 * kernel's selftests writes them through its own mapping). */
static void build_tables(struct building *building, uint64_t region)
{
    timeline_phase(building->timeline, "tables");
    add(building, SCRIPT_VMM,
        (struct op){
            .kind = OP_FILL, .ipa = TABLES_IPA, .bytes = (region + BLOCK - 1) / BLOCK * PAGE});
}

static void add_slots(struct building *building, uint64_t region)
{
    struct vm_shape *vm = &building->timeline->vm;
    struct error err;
    bool fits =
        vm_shape_slot(vm,
                      (struct slot_shape){.ipa = REGION_IPA,
                                          .bytes = region,
                                          .backing = building->benchmark->backing},
                      &err) &&
        vm_shape_slot(vm,
                      (struct slot_shape){.ipa = 0,
                                          .bytes = TABLES_IPA + (region + BLOCK - 1) / BLOCK * PAGE,
                                          .backing = BACKING_4K},
                      &err) &&
        (building->rest == 0 ||
         vm_shape_slot(
             vm,
             (struct slot_shape){.ipa = REST_IPA, .bytes = building->rest, .backing = BACKING_THP},
             &err));
    INVARIANT(fits, "%s", err.text);
}

void benchmark_build(const struct benchmark *benchmark, uint64_t bytes, struct timeline *timeline,
                     uint32_t *timed)
{
    bool own = benchmark->kind == BENCHMARK_DIRTY_LOG;
    uint64_t rest = (benchmark->bytes - bytes) * (own ? benchmark->vcpus : 1);
    rest -= rest % BLOCK;
    struct building building = {benchmark, timeline, bytes, rest < REST_MOST ? rest : REST_MOST};
    timeline_init(timeline, benchmark_name[benchmark->kind], false, benchmark->vcpus);
    timeline->vm.s1_levels = 4;
    timeline->vm.s1_page_bytes = PAGE;
    timeline->vm.s1_hot_pages = 2; /* a page of code, a page of arguments */
    uint64_t region = own ? bytes * benchmark->vcpus : bytes;
    add_slots(&building, region);
    build_tables(&building, region);
    run_phase(&building, "start", start_vcpu);
    bool ends = benchmark->kind == BENCHMARK_TEARDOWN;
    *timed = own    ? dirty_log_phases(&building)
             : ends ? teardown_phases(&building)
                    : page_table_phases(&building);
}
