#include "run/sim.h"

#include "machine/price.h"

#include <stdlib.h>
#include <string.h>

/* Each map of memory state (stage 2, host, oracle) may need the timeline's
 * ranges. */
#define STATE_MAPS 3

static void *zeroed(size_t count, size_t size)
{
    void *array = calloc(count ? count : 1, size);
    if (!array) {
        die("out of memory for a simulation");
    }
    return array;
}

static void init_vm(struct sim *sim)
{
    const struct vm_shape *vm = &sim->point->timeline->vm;
    struct geometry geometry;
    struct error err;
    if (!geometry_init(&geometry, vm->granule_bytes, vm->ipa_bits, &err)) {
        die("%s", err.text); /* checked where the timeline was read */
    }
    kvm_init(&sim->kvm, sim->point->kernel, sim->point->strategy, &sim->memory, &geometry,
             &sim->pool, vm->vcpus);
    sim->kvm.batch_leaves = sim->point->exact ? 1 : UINT64_MAX;
    sim->kvm.preemptible = sim->point->preemptible;
    sim->kvm.s1_levels = vm->s1_levels;
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        const struct slot_shape *shape = &vm->slots[i];
        /* Slots lie far apart in the VMM's memory. */
        uint64_t hva = ((uint64_t)(i + 1) << 54) + shape->ipa - shape->misalign;
        struct memslot slot = {.ipa = shape->ipa,
                               .bytes = shape->bytes,
                               .code = shape->code,
                               .read_only = shape->read_only,
                               .area = {.start = hva,
                                        .end = hva + shape->bytes,
                                        .backing = shape->backing,
                                        .page_bytes = geometry.page_bytes,
                                        .block_bytes = geometry.leaf_bytes[LEAF_BLOCK]}};
        kvm_add_slot(&sim->kvm, slot);
    }
}

void sim_init(struct sim *sim, const struct point *point)
{
    const struct timeline *timeline = point->timeline;
    double insns[EVENT_KINDS];
    memset(sim, 0, sizeof *sim);
    sim->point = point;
    sim->reinit_ps = sim->first_insn_ps = UINT64_MAX;
    kvm_path_lengths(point->platform->vhe, insns);
    price_events(point->platform, point->value, insns, timeline->script_count, sim->price);
    struct ledger_shape shape = {.actors = timeline->script_count,
                                 .phases = timeline->phase_count,
                                 .sites = SITES,
                                 .kinds = EVENT_KINDS,
                                 .resources = RESOURCES};
    ledger_init(&sim->ledger, shape, sim->price);
    engine_init(&sim->engine, &sim->ledger, timeline->script_count);
    size_t runs = timeline_runs(timeline);
    run_pool_init(&sim->pool, STATE_MAPS * runs);
    sim->cache = cache_new(point->exact, point->platform->cache_bytes,
                           point->platform->cache_ways, point->platform->line_bytes, 4 * runs);
    memory_init(&sim->memory, point->platform, point->value, sim->cache, &sim->pool, &sim->engine);
    init_vm(sim);
    sim->signals = zeroed(timeline->signals, sizeof *sim->signals);
    sim->window = zeroed(SITES * EVENT_KINDS, sizeof *sim->window);
    sim->before = zeroed(SITES * EVENT_KINDS, sizeof *sim->before);
    sim->phases = zeroed(timeline->phase_count, sizeof *sim->phases);
}

void sim_free(struct sim *sim)
{
    memory_free(&sim->memory);
    cache_free(sim->cache);
    run_pool_free(&sim->pool);
    engine_free(&sim->engine);
    ledger_free(&sim->ledger);
    free(sim->signals);
    free(sim->window);
    free(sim->before);
    free(sim->phases);
}

/* --- playing a script --- */

struct playing {
    struct sim *sim;
    const struct script *script;
    size_t next;
    uint64_t piece; /* of a touch with a stride */
};

static void note_mapped(struct sim *sim, uint32_t phase, bool before)
{
    struct phase_record *record = &sim->phases[phase];
    uint64_t mapped = sim->kvm.stage2.map.covered;
    if (before && !record->seen) {
        record->seen = true;
        record->mapped_start_bytes = mapped;
    }
    record->mapped_end_bytes = mapped;
}

/* The first re-init opens the window in which costs and verdicts count. */
static void open_window(struct sim *sim, struct actor *actor)
{
    if (sim->reinit_ps == UINT64_MAX) {
        sim->reinit_ps = actor->now;
        sim->memory.oracle.judging = true;
        ledger_vector(&sim->ledger, sim->before);
    }
}

static void record_reinit(struct sim *sim, const struct op *op)
{
    if (sim->reinit_count < sizeof sim->reinits / sizeof *sim->reinits) {
        sim->reinits[sim->reinit_count++] =
            (struct reinit_record){.vcpu = (uint32_t)op->n,
                                   .phase = op->phase,
                                   .unmapped_bytes = sim->kvm.last_unmapped_bytes};
    }
}

static uint32_t density_of(const struct sim *sim, const struct op *op)
{
    uint32_t all = (uint32_t)(CACHE_PAGE_BYTES / sim->point->platform->line_bytes);
    return op->density == 0 || op->density > all ? all : op->density;
}

/* An access by the VMM or a device to a range of guest memory. */
static void outside_access(struct sim *sim, struct actor *actor, const struct op *op, bool write,
                           enum path path, enum reader reader)
{
    const struct memslot *slot = kvm_slot_at(&sim->kvm, op->ipa);
    INVARIANT(slot, "no slot at %#llx", (unsigned long long)op->ipa);
    uint64_t start = slot->area.start + (op->ipa - slot->ipa);
    struct access access = {.start = start,
                            .end = start + op->bytes,
                            .density = density_of(sim, op),
                            .write = write,
                            .path = path,
                            .reader = reader};
    if (reader == READER_HOST) {
        actor_charge(actor, EV_vmm_bytes, op->bytes / KIB);
    }
    memory_access(actor, &sim->memory, &access);
}

/* Guest instructions; past the caches each memory access among them waits. */
static void run_insns(struct sim *sim, struct actor *actor, const struct kvm_vcpu *vcpu, uint64_t n)
{
    actor_charge(actor, EV_guest_insns, n);
    if (vcpu && kvm_guest_path(&sim->kvm, vcpu) == PATH_UNCACHED) {
        double accesses = (double)n * sim->point->timeline->vm.off_access_share;
        actor_charge(actor, EV_uncached, (uint64_t)accesses);
    }
}

static void note_first_insn(struct sim *sim, const struct actor *actor, const struct kvm_vcpu *vcpu)
{
    if (vcpu && sim->reinit_ps != UINT64_MAX && sim->first_insn_ps == UINT64_MAX) {
        sim->first_insn_ps = actor->now;
    }
}

/* Begins an operation. True where it is done but for what it asked of the
 * engine; a touch of several pieces comes again for each. */
static bool begin_op(struct sim *sim, struct actor *actor, struct playing *playing,
                     const struct op *op, struct kvm_vcpu *vcpu)
{
    struct kvm *kvm = &sim->kvm;
    switch ((enum op_kind)op->kind) {
    case OP_ENTER:
        kvm_enter_begin(actor, kvm, vcpu);
        return true;
    case OP_TOUCH:
        if (playing->piece == op->count) {
            note_first_insn(sim, actor, vcpu);
            return true;
        }
        kvm_touch_begin(actor, kvm, vcpu, op->ipa + playing->piece++ * op->stride, op->bytes,
                        (enum guest_access)op->access, density_of(sim, op));
        return false;
    case OP_INSNS:
        run_insns(sim, actor, vcpu, op->n);
        return true;
    case OP_COMPUTE:
        actor_charge(actor, EV_compute_ps, op->n);
        return true;
    case OP_MMU:
        kvm_toggle_begin(actor, kvm, vcpu, op->on);
        return true;
    case OP_VMREGS:
        kvm_vmregs(actor, kvm, vcpu, op->n);
        return true;
    case OP_SETWAY:
        kvm_setway_begin(actor, kvm, vcpu, op->n);
        return true;
    case OP_FILL:
        sim->phases[op->phase].filled_bytes += op->bytes;
        kvm_fill_begin(actor, kvm, op->ipa, op->bytes);
        return true;
    case OP_FILL_UNCACHED:
        outside_access(sim, actor, op, true, PATH_UNCACHED, READER_HOST);
        return true;
    case OP_HOST_READ:
        outside_access(sim, actor, op, false, PATH_CACHED, READER_HOST);
        return true;
    case OP_HOST_READ_UNCACHED:
        outside_access(sim, actor, op, false, PATH_UNCACHED, READER_HOST);
        return true;
    case OP_DEVICE_READ:
        outside_access(sim, actor, op, false, PATH_CACHED, READER_DEVICE);
        return true;
    case OP_REINIT:
        if (playing->piece++ == 0) {
            open_window(sim, actor);
            kvm_reinit_begin(actor, kvm, (uint32_t)op->n);
            return false;
        }
        record_reinit(sim, op);
        return true;
    case OP_DROP:
        kvm_drop_begin(actor, kvm, (uint32_t)op->n);
        return true;
    case OP_NOTIFY: {
        const struct memslot *slot = kvm_slot_at(kvm, op->ipa);
        if (slot) {
            uint64_t start = slot->area.start + (op->ipa - slot->ipa);
            kvm_notify_begin(actor, kvm, (struct host_range){start, start + op->bytes}, op->on);
        }
        return true;
    }
    case OP_SLOT_DELETE:
        kvm_slot_delete_begin(actor, kvm, (uint32_t)op->n);
        return true;
    case OP_SLOT_ADD:
        kvm->slots[op->n].live = true;
        return true;
    case OP_DIRTY_LOG:
        kvm->dirty_log = op->on;
        return true;
    case OP_SIGNAL:
        actor_raise(actor, &sim->signals[op->n]);
        return true;
    case OP_WAIT:
        actor_wait(actor, &sim->signals[op->n]);
        return true;
    case OP_KINDS:
        break;
    }
    return true;
}

static void play_step(struct actor *actor, struct frame *frame)
{
    struct playing *playing = FRAME_LOCAL(frame, struct playing);
    struct sim *sim = playing->sim;
    if (playing->next > 0) {
        note_mapped(sim, playing->script->ops[playing->next - 1].phase, false);
    }
    if (playing->next == playing->script->count) {
        actor_return(actor, 0);
        return;
    }
    const struct op *op = &playing->script->ops[playing->next];
    if (op->kind != OP_WAIT) {
        note_mapped(sim, op->phase, true);
    }
    actor->phase = op->phase;
    if (begin_op(sim, actor, playing, op, actor->owner)) {
        playing->next++;
        playing->piece = 0;
    }
}

/* Puts a script's first frame in place. */
static void begin_script(struct sim *sim, uint32_t index)
{
    const struct script *script = &sim->point->timeline->scripts[index];
    bool vmm = script->vcpu == SCRIPT_VMM;
    struct actor *actor = &sim->engine.actors[index];
    actor->site = vmm ? SITE_VMM : SITE_GUEST;
    struct playing *playing = actor_begin(
        actor, vmm ? "VMM" : "vCPU", vmm ? NULL : &sim->kvm.vcpus[script->vcpu], play_step);
    *playing = (struct playing){.sim = sim, .script = script};
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
            if (waits == waiters) {
                begin_script(sim, i);
            }
        }
    }
}

bool sim_run(struct sim *sim, struct error *err)
{
    begin_scripts(sim);
    const struct actor *stuck = NULL;
    if (!engine_run(&sim->engine, &stuck)) {
        return error_run(err, "%s: %s %u waits for ever", sim->point->timeline->name, stuck->name, stuck->id);
    }
    sim->end_ps = sim->engine.now;
    ledger_vector(&sim->ledger, sim->window);
    for (size_t i = 0; i < SITES * EVENT_KINDS; i++) {
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
    for (size_t i = 0; i < SITES * EVENT_KINDS; i++) {
        busy = add_checked(busy, mul_checked(sim->window[i], sim->price[i % EVENT_KINDS], "time"),
                           "time");
    }
    return busy + ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_MMU_LOCK);
}

uint64_t sim_count(const struct sim *sim, uint32_t phase, uint32_t site, enum event_kind kind)
{
    return ledger_count(&sim->ledger, (struct ledger_slice){LEDGER_ALL, phase, site, kind});
}
