#include "run/play.h"

#include "core/invariant.h"
#include "kvm/dirty_log.h"
#include "run/watch.h"

static void note_mapped(struct sim *sim, uint32_t phase, bool before)
{
    struct phase_record *record = &sim->phases[phase];
    uint64_t mapped = 0, touched = 0;
    for (uint32_t i = 0; i < sim->point->timeline->vm.copies; i++) {
        mapped += sim_vm(sim, i)->stage2.map.covered;
        touched += sim_vm(sim, i)->slots[0].mapped_bytes;
    }
    if (before && !record->seen) {
        record->seen = true;
        record->mapped_start_bytes = mapped;
        record->touched_start_bytes = touched;
    }
    record->mapped_end_bytes = mapped;
    record->touched_end_bytes = touched;
}

/* The first re-init opens the window in which costs and verdicts count. */
static void open_window(struct sim *sim, struct actor *actor)
{
    if (sim->reinit_ps == UINT64_MAX) {
        sim->reinit_ps = actor->now;
        sim->memory.oracle.judging = true;
        for (uint32_t i = 0; i < sim->point->timeline->vm.copies; i++) {
            struct lock *lock = &sim_vm(sim, i)->mmu_lock;
            lock->longest_write_ps = lock->longest_read_ps = 0;
        }
        histogram_clear(&sim->stalls);
        ledger_vector(&sim->ledger, sim->before);
        sim->waited_before_ps = ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL);
    }
}

static void record_reinit(struct sim *sim, const struct kvm *kvm, const struct op *op)
{
    if (sim->reinit_count < sizeof sim->reinits / sizeof *sim->reinits) {
        sim->reinits[sim->reinit_count++] =
            (struct reinit_record){.vcpu = (uint32_t)op->n,
                                   .phase = op->phase,
                                   .unmapped_bytes = kvm->last_unmapped_bytes};
    }
}

static uint32_t density_of(const struct sim *sim, const struct op *op)
{
    uint32_t all = (uint32_t)(CACHE_PAGE_BYTES / sim->point->platform->line_bytes);
    return op->density == 0 || op->density > all ? all : op->density;
}

/* An access by the VMM or a device to a range of guest memory. */
static void outside_access(struct playing *playing, struct actor *actor, const struct op *op,
                           bool write, enum path path, enum reader reader)
{
    struct sim *sim = playing->sim;
    const struct memslot *slot = kvm_slot_at(playing->kvm, op->ipa);
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
static void run_insns(struct playing *playing, struct actor *actor, const struct kvm_vcpu *vcpu,
                      uint64_t n)
{
    actor_charge(actor, EV_guest_insns, n);
    if (vcpu && kvm_guest_path(playing->kvm, vcpu) == PATH_UNCACHED) {
        double accesses = (double)n * playing->sim->point->timeline->vm.off_access_share;
        actor_charge(actor, EV_uncached, (uint64_t)accesses);
    }
}

static void note_first_insn(struct sim *sim, const struct actor *actor)
{
    if (sim->reinit_ps != UINT64_MAX && sim->first_insn_ps == UINT64_MAX) {
        sim->first_insn_ps = actor->now;
    }
}

/* What an operation is begun with. */
struct turn {
    struct playing *playing;
    struct actor *actor;
    struct kvm *kvm;
    struct kvm_vcpu *vcpu; /* NULL: the VMM's */
};

/* Begins an operation. True where that is all but for what it asked of the
 * engine; false to come up again when that is done. */
typedef bool (*op_fn)(const struct turn *turn, const struct op *op);

static bool op_enter(const struct turn *turn, const struct op *op)
{
    watch_mark(turn->actor, MARK_ENTER, turn->vcpu->index);
    (void)op;
    kvm_enter_begin(turn->actor, turn->kvm, turn->vcpu);
    return true;
}

static bool op_touch(const struct turn *turn, const struct op *op)
{
    struct playing *playing = turn->playing;
    if (playing->piece > 0) {
        note_first_insn(playing->sim, turn->actor);
    }
    if (playing->piece == op->count) {
        return true;
    }
    kvm_touch_begin(turn->actor, turn->kvm, turn->vcpu, op->ipa + playing->piece++ * op->stride,
                    op->bytes, (enum guest_access)op->access, density_of(playing->sim, op));
    return false;
}

static bool op_insns(const struct turn *turn, const struct op *op)
{
    run_insns(turn->playing, turn->actor, turn->vcpu, op->n);
    return true;
}

static bool op_compute(const struct turn *turn, const struct op *op)
{
    actor_charge(turn->actor, EV_compute_ps, op->n);
    return true;
}

static bool op_mmu(const struct turn *turn, const struct op *op)
{
    watch_mark(turn->actor, op->on ? MARK_MMU_ON : MARK_MMU_OFF, turn->vcpu->index);
    kvm_toggle_begin(turn->actor, turn->kvm, turn->vcpu, op->on);
    return true;
}

static bool op_vmregs(const struct turn *turn, const struct op *op)
{
    kvm_vmregs(turn->actor, turn->kvm, turn->vcpu, op->n);
    return true;
}

static bool op_setway(const struct turn *turn, const struct op *op)
{
    kvm_setway_begin(turn->actor, turn->kvm, turn->vcpu, op->n);
    return true;
}

static bool op_fill(const struct turn *turn, const struct op *op)
{
    uint64_t *filled = &turn->playing->sim->phases[op->phase].filled_bytes;
    *filled = add_checked(*filled, op->bytes, "filled bytes");
    kvm_fill_begin(turn->actor, turn->kvm, op->ipa, op->bytes);
    return true;
}

static bool op_fill_uncached(const struct turn *turn, const struct op *op)
{
    outside_access(turn->playing, turn->actor, op, true, PATH_UNCACHED, READER_HOST);
    return true;
}

static bool op_host_read(const struct turn *turn, const struct op *op)
{
    outside_access(turn->playing, turn->actor, op, false, PATH_CACHED, READER_HOST);
    return true;
}

static bool op_host_read_uncached(const struct turn *turn, const struct op *op)
{
    outside_access(turn->playing, turn->actor, op, false, PATH_UNCACHED, READER_HOST);
    return true;
}

static bool op_device_read(const struct turn *turn, const struct op *op)
{
    outside_access(turn->playing, turn->actor, op, false, PATH_CACHED, READER_DEVICE);
    return true;
}

static bool op_reinit(const struct turn *turn, const struct op *op)
{
    if (turn->playing->piece++ == 0) {
        open_window(turn->playing->sim, turn->actor);
        watch_mark(turn->actor, MARK_REINIT, op->n);
        kvm_reinit_begin(turn->actor, turn->kvm, (uint32_t)op->n);
        return false;
    }
    record_reinit(turn->playing->sim, turn->kvm, op);
    return true;
}

static bool op_drop(const struct turn *turn, const struct op *op)
{
    kvm_drop_begin(turn->actor, turn->kvm, (uint32_t)op->n);
    return true;
}

static bool op_notify(const struct turn *turn, const struct op *op)
{
    const struct memslot *slot = kvm_slot_at(turn->kvm, op->ipa);
    if (slot) {
        uint64_t start = slot->area.start + (op->ipa - slot->ipa);
        kvm_notify_begin(turn->actor, turn->kvm, (struct host_range){start, start + op->bytes},
                         op->on);
    }
    return true;
}

static bool op_prefault(const struct turn *turn, const struct op *op)
{
    struct playing *playing = turn->playing;
    if (playing->piece == op->count) {
        return true;
    }
    kvm_prefault_begin(turn->actor, turn->kvm, op->ipa + playing->piece++ * op->stride, op->bytes);
    return false;
}

static bool op_slot_delete(const struct turn *turn, const struct op *op)
{
    kvm_slot_delete_begin(turn->actor, turn->kvm, (uint32_t)op->n);
    return true;
}

static bool op_slot_add(const struct turn *turn, const struct op *op)
{
    turn->kvm->slots[op->n].live = true;
    return true;
}

static bool op_dirty_log(const struct turn *turn, const struct op *op)
{
    kvm_dirty_log_begin(turn->actor, turn->kvm, op->on, op->n != 0);
    return true;
}

static bool op_teardown(const struct turn *turn, const struct op *op)
{
    (void)op;
    kvm_teardown_begin(turn->actor, turn->kvm);
    return true;
}

static bool op_signal(const struct turn *turn, const struct op *op)
{
    actor_raise(turn->actor, &turn->playing->signals[op->n]);
    return true;
}

static bool op_wait(const struct turn *turn, const struct op *op)
{
    actor_wait(turn->actor, &turn->playing->signals[op->n]);
    return true;
}

static const op_fn op_table[OP_KINDS] = {
    [OP_ENTER] = op_enter,
    [OP_TOUCH] = op_touch,
    [OP_INSNS] = op_insns,
    [OP_COMPUTE] = op_compute,
    [OP_MMU] = op_mmu,
    [OP_VMREGS] = op_vmregs,
    [OP_SETWAY] = op_setway,
    [OP_FILL] = op_fill,
    [OP_FILL_UNCACHED] = op_fill_uncached,
    [OP_HOST_READ] = op_host_read,
    [OP_HOST_READ_UNCACHED] = op_host_read_uncached,
    [OP_DEVICE_READ] = op_device_read,
    [OP_REINIT] = op_reinit,
    [OP_DROP] = op_drop,
    [OP_NOTIFY] = op_notify,
    [OP_SLOT_DELETE] = op_slot_delete,
    [OP_SLOT_ADD] = op_slot_add,
    [OP_DIRTY_LOG] = op_dirty_log,
    [OP_TEARDOWN] = op_teardown,
    [OP_SIGNAL] = op_signal,
    [OP_WAIT] = op_wait,
    [OP_PREFAULT] = op_prefault,
};

void play_step(struct actor *actor, struct frame *frame)
{
    struct playing *playing = FRAME_LOCAL(frame, struct playing);
    struct sim *sim = playing->sim;
    if (playing->next > 0) {
        note_mapped(sim, playing->script->ops[playing->next - 1].phase, false);
    }
    if (playing->next == playing->script->count) {
        actor_return(actor);
        return;
    }
    const struct op *op = &playing->script->ops[playing->next];
    struct turn turn = {playing, actor, playing->kvm, actor->owner};
    if (op->kind != OP_WAIT) {
        note_mapped(sim, op->phase, true);
    }
    actor->phase = op->phase;
    if (op_table[op->kind](&turn, op)) {
        playing->next++;
        playing->piece = 0;
    }
}
