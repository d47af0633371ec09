#include "run/sim.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"
#include "machine/price.h"
#include "run/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each map of memory state (stage 2, host, oracle) may need the timeline's
 * ranges. */
#define STATE_MAPS 3

#define STEPS_MIN 64
#define STEPS_MAX 128
#define STEPS_OF_SEVERAL_VMS 256
#define TOUCH_STEPS_MIN 16

/* From above this on, a run in exact fidelity is declined. */
#define EXACT_MEMORY_BYTES (16 * GIB)

#define SMALL_MEMORY_BYTES (64 * MIB)

/* Each slot of each VM has a stretch of the host's numbers to itself. */
#define HVA_SHIFT 53

static void *zeroed(size_t count, size_t size)
{
    return alloc_zeroed(count, size, "parts of a simulation");
}

/* Line by line, a GiB takes about a second. The first slot is the VM's RAM; what
 * firmware needs beside it is not worth a word. */
static bool exact_possible(const struct point *point, struct error *err)
{
    const struct vm_shape *vm = &point->timeline->vm;
    uint64_t bytes = vm->slots[0].bytes * vm->copies, others = 0;
    for (uint32_t i = 1; i < vm->slot_count; i++) {
        others += vm->slots[i].bytes * vm->copies; /* 127 times 16 times 4 PiB fit */
    }
    bytes = others > bytes ? others : bytes;
    char found[48], max[48];
    if (!point->exact || bytes <= EXACT_MEMORY_BYTES) {
        return true;
    }
    return error_input(
        err, NULL,
        "%s: fidelity exact plays every line and takes up to %s of guest memory, found "
        "%s; "
        "fidelity fast takes any",
        point->timeline->name, unit_format_whole(EXACT_MEMORY_BYTES, UNIT_BYTES, max, sizeof max),
        unit_format_whole(bytes, UNIT_BYTES, found, sizeof found));
}

/* Threads that help with the strategy's flush, beside the one that starts it. */
static uint32_t helpers_of(const struct point *point)
{
    bool flushes = point->strategy->flush_at != FLUSH_NONE;
    return flushes && point->strategy->workers > 1 ? (uint32_t)point->strategy->workers - 1 : 0;
}

static uint64_t actors_of(const struct point *point)
{
    return point->timeline->vm.copies *
           (uint64_t)(point->timeline->script_count + helpers_of(point));
}

/* Of all actors' ledgers, in all phases. */
static uint64_t ledger_bytes(const struct point *point)
{
    uint64_t ledger = (uint64_t)SITES * EVENT_KINDS + SITES + RESOURCES + 1;
    return actors_of(point) * point->timeline->phase_count * ledger * sizeof(uint64_t);
}

/* Of the memory's state and of what the caches hold. */
static uint64_t range_bytes(const struct point *point)
{
    const struct platform *platform = point->platform;
    uint64_t runs = timeline_intervals(point->timeline) * point->timeline->vm.copies;
    return (STATE_MAPS + (platform->sockets > 1)) * runs * sizeof(struct interval) +
           cache_memory(point->exact, platform->cache_bytes, platform->line_bytes, 4 * runs);
}

uint64_t sim_untouched(const struct point *point)
{
    return ledger_bytes(point) / 4 * 3 + range_bytes(point) / 3 * 2;
}

uint64_t sim_memory(const struct point *point)
{
    const struct timeline *timeline = point->timeline;
    uint64_t copies = timeline->vm.copies;
    uint64_t own = sizeof(struct sim) + 2 * WINDOW_CELLS * sizeof(uint64_t) +
                   HISTOGRAM_CLASSES * sizeof(struct histogram_class) +
                   timeline->phase_count * sizeof(struct phase_record);
    return own + copies * sizeof(struct kvm) + actors_of(point) * sizeof(struct actor) +
           ledger_bytes(point) + range_bytes(point) +
           copies * timeline->signals * sizeof(struct signal) + timeline->ops * sizeof(struct op);
}

bool sim_possible(const struct point *point, struct error *err)
{
    const struct vm_shape *vm = &point->timeline->vm;
    uint32_t helpers = helpers_of(point);
    if (helpers > 0 && point->strategy->chunk > 0) {
        return error_input(err, NULL,
                           "%s: found workers %u and a chunk, expected one of them: the lock is "
                           "held as long as any of them is at work",
                           point->strategy->name, helpers + 1);
    }
    uint64_t actors = (uint64_t)vm->copies * (vm->vcpus + 1u + helpers);
    if (actors > point->platform->cores && helpers > 0) {
        return error_input(
            err, NULL, "%s: with %u more threads for %s it needs %llu cores, %s has %llu",
            point->timeline->name, helpers, point->strategy->name, (unsigned long long)actors,
            point->platform->name, (unsigned long long)point->platform->cores);
    }
    if (actors > point->platform->cores) {
        return error_input(err, NULL,
                           "%s: %u %s of %u vCPUs and a VMM need %llu cores, %s has %llu",
                           point->timeline->name, vm->copies, vm->copies == 1 ? "VM" : "VMs, each",
                           vm->vcpus, (unsigned long long)actors, point->platform->name,
                           (unsigned long long)point->platform->cores);
    }
    /* What every machine has need not be asked for each run. */
    uint64_t bytes = sim_memory(point);
    return exact_possible(point, err) &&
           (bytes <= SMALL_MEMORY_BYTES ||
            alloc_allowed(bytes, point->timeline->name,
                          "fewer operations, phases, vCPUs or copies take less", err));
}

const char *sim_actor_name(const struct sim *sim, uint32_t actor, char *buf, size_t size)
{
    const struct timeline *timeline = sim->point->timeline;
    uint32_t scripts = timeline->vm.copies * timeline->script_count;
    uint32_t helper = actor < scripts ? 0 : (actor - scripts) % sim->kvm.worker_count + 1;
    uint32_t vcpu = helper ? 0 : timeline->scripts[actor % timeline->script_count].vcpu;
    size_t used = 0;
    if (timeline->vm.copies > 1) {
        used = (size_t)snprintf(buf, size, "%" PRIu32 ": ", sim_actor_vm(sim, actor));
    }
    if (helper) {
        snprintf(buf + used, size - used, "helper %" PRIu32, helper);
    } else if (vcpu == SCRIPT_VMM) {
        snprintf(buf + used, size - used, "VMM");
    } else {
        snprintf(buf + used, size - used, "vCPU %" PRIu32, vcpu);
    }
    return buf;
}

uint32_t sim_actor_vm(const struct sim *sim, uint32_t actor)
{
    const struct timeline *timeline = sim->point->timeline;
    uint32_t scripts = timeline->vm.copies * timeline->script_count;
    return actor < scripts ? actor / timeline->script_count
                           : (actor - scripts) / sim->kvm.worker_count;
}

struct kvm *sim_vm(struct sim *sim, uint32_t index)
{
    return index == 0 ? &sim->kvm : &sim->more[index - 1];
}

/* In how many steps what is touched between two waits, or what a range operation finds mapped, is
 * taken in fast fidelity while others are at work: by so much of it, at most, another is let in too
 * early or too late. The more vCPUs there are, the shorter is the part of a run in which all of
 * them are, and the more a step is of it; VMs may come to their resets a step apart. */
static uint64_t steps_among(const struct vm_shape *vm)
{
    return vm->copies > 1 ? STEPS_OF_SEVERAL_VMS
                          : u64_min(u64_max(UINT64_C(4) * vm->vcpus, STEPS_MIN), STEPS_MAX);
}

/* So many at least for each touch of many: a step's queue is the longer the more vCPUs there are,
 * and once more where each fault excludes the others. */
static uint64_t touch_steps_among(const struct vm_shape *vm, const struct kernel *kernel)
{
    bool reads = kernel->value[SWITCH_FAULT_LOCK] == FAULT_LOCK_READ;
    uint64_t steps = u64_max(reads ? vm->vcpus : 2 * vm->vcpus, TOUCH_STEPS_MIN);
    return vm->copies > 1 ? 0 : u64_min(steps, steps_among(vm));
}

static void init_vm(struct sim *sim, uint32_t index)
{
    const struct vm_shape *vm = &sim->point->timeline->vm;
    struct kvm *kvm = sim_vm(sim, index);
    struct geometry geometry;
    struct error err;
    if (!geometry_init(&geometry, vm->granule_bytes, vm->ipa_bits, &err)) {
        error_fatal("%s", err.text); /* checked where the timeline was read */
    }
    kvm_init(kvm, sim->point->kernel, sim->point->strategy, &sim->memory, &geometry, &sim->pool,
             vm->vcpus);
    kvm->steps = sim->point->exact ? 0 : steps_among(vm);
    kvm->touch_steps = touch_steps_among(vm, sim->point->kernel);
    kvm->preemptible = sim->point->preemptible;
    kvm->s1_levels = vm->s1_levels;
    kvm->s1_page_bytes = vm->s1_page_bytes;
    kvm->s1_hot_pages = vm->s1_hot_pages;
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        const struct slot_shape *shape = &vm->slots[i];
        /* Slots lie far apart in the VMM's memory. */
        uint64_t area = (uint64_t)index * TIMELINE_SLOTS + i + 1;
        uint64_t hva = (area << HVA_SHIFT) + shape->ipa - shape->misalign;
        bool gig = shape->backing == BACKING_HUGETLB_1G && geometry.leaf_bytes[LEAF_GIG] > 0;
        struct memslot slot = {
            .ipa = shape->ipa,
            .bytes = shape->bytes,
            .code = shape->code,
            .read_only = shape->read_only,
            .area = {.start = hva,
                     .end = hva + shape->bytes,
                     .backing = shape->backing,
                     .page_bytes = geometry.page_bytes,
                     .block_bytes = geometry.leaf_bytes[gig ? LEAF_GIG : LEAF_BLOCK]}};
        kvm_add_slot(kvm, slot);
    }
}

void sim_init(struct sim *sim, const struct point *point)
{
    const struct timeline *timeline = point->timeline;
    double insns[EVENT_KINDS];
    memset(sim, 0, offsetof(struct sim, reinits));
    sim->point = point;
    sim->reinit_ps = sim->first_insn_ps = UINT64_MAX;
    kvm_path_lengths(point->platform->vhe, insns);
    uint32_t copies = timeline->vm.copies;
    uint32_t actors = copies * timeline->script_count;
    if (point->price) {
        memcpy(sim->price, point->price, sizeof sim->price);
    } else {
        price_events(point->platform, point->value, insns, sim->price);
    }
    uint32_t helpers = helpers_of(point) * copies;
    struct ledger_shape shape = {.actors = actors + helpers,
                                 .phases = timeline->phase_count,
                                 .sites = SITES,
                                 .kinds = EVENT_KINDS,
                                 .resources = RESOURCES};
    ledger_init(&sim->ledger, shape, sim->price);
    engine_init(&sim->engine, &sim->ledger, actors + helpers);
    size_t runs = timeline_intervals(timeline) * copies;
    interval_map_pool_init(&sim->pool, (STATE_MAPS + (point->platform->sockets > 1)) * runs);
    for (uint64_t i = 0; i < point->platform->sockets; i++) {
        sim->cache[i] =
            cache_new(point->exact, point->platform->cache_bytes / point->platform->sockets,
                      point->platform->cache_ways, point->platform->line_bytes, 4 * runs);
    }
    memory_init(&sim->memory, point->platform, point->value, sim->cache, &sim->pool, &sim->engine);
    sim->memory.past_bytes = timeline->vm.off_access_bytes;
    sim->memory.oracle.traits.still = timeline->vm.reset_stops_vcpus;
    sim->memory.oracle.off = point->unjudged && point->strategy->flush_record == RECORD_NONE;
    sim->more = alloc_raw(copies, sizeof *sim->more, "parts of a simulation");
    for (uint32_t i = 0; i < copies; i++) {
        init_vm(sim, i);
        /* They stand behind all scripts' actors. */
        struct kvm *kvm = sim_vm(sim, i);
        kvm->worker_count = helpers_of(point);
        kvm->stalls = &sim->stalls;
        kvm->mmu_lock.in_tails = true;
        kvm->workers = sim->engine.actors + actors + (size_t)i * kvm->worker_count;
    }
    if (point->varied) {
        INVARIANT(copies == 1, "%u VMs share the prices of faults that vary", copies);
        kvm_vary_faults(&sim->kvm, sim->price);
    }
    histogram_init(&sim->stalls);
    if (point->tails) {
        tails_init(&sim->tails, actors + helpers, EVENT_KINDS);
        sim->engine.tails = &sim->tails;
        sim->engine.sections = &sim->sections;
        sim->engine.observed = true;
    }
    sim->signals = zeroed(copies * timeline->signals, sizeof *sim->signals);
    sim->window = zeroed(WINDOW_CELLS, sizeof *sim->window);
    sim->before = zeroed(WINDOW_CELLS, sizeof *sim->before);
    sim->phases = zeroed(timeline->phase_count, sizeof *sim->phases);
}

void sim_free(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->memory.sockets.count; i++) {
        cache_free(sim->cache[i]);
    }
    memory_free(&sim->memory);
    pool_free(&sim->pool);
    engine_free(&sim->engine);
    ledger_free(&sim->ledger);
    histogram_free(&sim->stalls);
    tails_free(&sim->tails);
    sections_free(&sim->sections);
    free(sim->more);
    free(sim->signals);
    free(sim->window);
    free(sim->before);
    free(sim->phases);
}

/* On whose cores a script's actor runs. A VMM is where its first vCPU is, and VMs take turns. */
static uint8_t socket_of(const struct sim *sim, uint32_t vm, const struct script *script)
{
    bool first = script->vcpu == SCRIPT_VMM || sim->point->timeline->vm.placement == PLACEMENT_ONE;
    return (uint8_t)((vm + (first ? 0 : script->vcpu / 2)) % sim->point->platform->sockets);
}

/* An actor for a script. */
static void begin_script(struct sim *sim, uint32_t vm, uint32_t index)
{
    const struct timeline *timeline = sim->point->timeline;
    const struct script *script = &timeline->scripts[index];
    struct kvm *kvm = sim_vm(sim, vm);
    bool vmm = script->vcpu == SCRIPT_VMM;
    struct actor *actor = &sim->engine.actors[vm * timeline->script_count + index];
    actor->site = vmm ? SITE_VMM : SITE_GUEST;
    sim->memory.socket[actor->id] = socket_of(sim, vm, script);
    actor_begin(actor, vmm ? "VMM" : "vCPU", vmm ? NULL : &kvm->vcpus[script->vcpu]);
    play_script(actor, sim, kvm, sim->signals + vm * timeline->signals, script);
}

/* Those that begin by waiting come first, so that they are out of the way
 * before anybody's clock moves: the others then run alone. */
static void begin_scripts(struct sim *sim)
{
    const struct timeline *timeline = sim->point->timeline;
    for (int waiters = 1; waiters >= 0; waiters--) {
        for (uint32_t i = 0; i < timeline->script_count; i++) {
            const struct script *script = &timeline->scripts[i];
            bool waits = script->count == 0 || script->ops[0].kind == OP_WAIT;
            for (uint32_t vm = 0; vm < timeline->vm.copies && waits == waiters; vm++) {
                begin_script(sim, vm, i);
            }
        }
    }
}

bool sim_run(struct sim *sim, struct error *err)
{
    begin_scripts(sim);
    const struct actor *stuck = NULL;
    if (!engine_run(&sim->engine, &stuck)) {
        return error_run(err, "%s: %s %u waits for ever", sim->point->timeline->name, stuck->name,
                         stuck->id);
    }
    sim->end_ps = sim->engine.now;
    if (sim->engine.watch) {
        spans_end(&sim->engine.watch->did);
        spans_end(&sim->engine.watch->held);
    }
    ledger_vector(&sim->ledger, sim->window);
    for (size_t i = 0; i < WINDOW_CELLS; i++) {
        sim->window[i] -= sim->before[i];
    }
    return true;
}

ps_t sim_window_ps(const struct sim *sim)
{
    return sim->reinit_ps == UINT64_MAX ? sim->end_ps : sim->end_ps - sim->reinit_ps;
}

ps_t sim_cpu_ps(const struct sim *sim)
{
    ps_t busy = 0;
    for (size_t i = 0; i < WINDOW_CELLS; i++) {
        busy = u64_add(busy, u64_mul(sim->window[i], sim->price[i % EVENT_KINDS], "time"), "time");
    }
    ps_t waited = ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL);
    return u64_add(busy, waited - sim->waited_before_ps, "time");
}

uint64_t sim_count(const struct sim *sim, uint32_t phase, uint32_t site, enum event_kind kind)
{
    return ledger_count(&sim->ledger, (struct ledger_slice){LEDGER_ALL, phase, site, kind});
}
