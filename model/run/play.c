#include "run/play.h"

#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/dirty_log.h"
#include "kvm/reach.h"
#include "run/watch.h"

/* Operations among which a vCPU's next touch is looked for. */
#define LOOK_AHEAD 8

struct play {
    struct sim *sim;
    struct kvm *kvm;
    struct signal *signals; /* of its VM */
    const struct script *script;
    size_t next;
    uint64_t piece; /* how often the operation has come up so far */
};

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

/* Opens the window in which costs and verdicts count, once. */
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
        sections_clear(&sim->sections);
        if (sim->engine.tails) {
            tails_clear(&sim->tails);
            tails_begin(&sim->tails, 0, TAIL_MARK_FIRST);
        }
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
static void outside_access(struct play *play, struct actor *actor, const struct op *op)
{
    const struct memslot *slot = kvm_slot_at(play->kvm, op->ipa);
    INVARIANT(slot, "no slot at %#llx", (unsigned long long)op->ipa);
    bool device = op->kind == OP_DEVICE_READ || op->kind == OP_DEVICE_WRITE;
    bool uncached = op->past || op->kind == OP_FILL_UNCACHED || op->kind == OP_HOST_READ_UNCACHED;
    uint64_t start = memslot_hva(slot, op->ipa);
    struct access access = {.start = start,
                            .end = start + op->bytes,
                            .density = density_of(play->sim, op),
                            .write = op->kind == OP_FILL_UNCACHED || op->kind == OP_DEVICE_WRITE,
                            .path = uncached ? PATH_UNCACHED : PATH_CACHED,
                            .reader = device ? READER_DEVICE : READER_HOST};
    if (!device) {
        actor_charge(actor, EV_vmm_bytes, op->bytes / KIB);
    }
    memory_access(actor, &play->sim->memory, &access);
}

/* Guest instructions; past the caches each memory access among them waits. */
static void run_insns(struct play *play, struct actor *actor, const struct kvm_vcpu *vcpu,
                      uint64_t n)
{
    actor_charge(actor, EV_guest_insns, n);
    if (vcpu && kvm_guest_path(play->kvm, vcpu, ACCESS_READ) == PATH_UNCACHED) {
        double accesses = (double)n * play->sim->point->timeline->vm.off_access_share;
        actor_charge(actor, EV_uncached, (uint64_t)accesses);
    }
}

static void note_first_insn(struct sim *sim, const struct actor *actor)
{
    if (sim->reinit_ps != UINT64_MAX && sim->first_insn_ps == UINT64_MAX) {
        sim->first_insn_ps = actor->now;
        if (sim->engine.tails) {
            tails_end(&sim->tails, 0, TAIL_FIRST, 1, false);
        }
    }
}

static void notify(struct actor *actor, struct kvm *kvm, const struct op *op)
{
    const struct memslot *slot = kvm_slot_at(kvm, op->ipa);
    if (slot) {
        uint64_t start = memslot_hva(slot, op->ipa);
        kvm_notify(actor, kvm, (struct host_range){start, start + op->bytes}, op->on);
    }
}

static void fill(struct play *play, struct actor *actor, const struct op *op)
{
    uint64_t *filled = &play->sim->phases[op->phase].filled_bytes;
    *filled = u64_add(*filled, op->bytes, "filled bytes");
    kvm_fill(actor, play->kvm, op->ipa, op->bytes);
}

static void reinit(struct play *play, struct actor *actor, const struct op *op)
{
    if (!play->sim->point->timeline->window) {
        open_window(play->sim, actor);
    }
    watch_mark(actor, MARK_REINIT, op->n);
    kvm_reinit(actor, play->kvm, (uint32_t)op->n);
}

static enum guest_access access_of(enum touch_access access)
{
    switch (access) {
    case TOUCH_READ:
        return ACCESS_READ;
    case TOUCH_WRITE:
        return ACCESS_WRITE;
    case TOUCH_FETCH:
        return ACCESS_FETCH;
    }
    return ACCESS_READ;
}

static const enum maintenance guest_maintenance[] = {
    [MAINTAIN_CLEAN] = CLEAN_POC,
    [MAINTAIN_CLEAN_POU] = CLEAN_POU,
    [MAINTAIN_CLEAN_INVALIDATE] = CLEAN_INVALIDATE,
    [MAINTAIN_INVALIDATE] = GUEST_INVALIDATE,
    [MAINTAIN_ICACHE] = ICACHE_VA,
    [MAINTAIN_ICACHE_ALL] = ICACHE_ALL,
};

static void maintain(struct play *play, struct actor *actor, const struct op *op)
{
    enum maintenance maintenance = guest_maintenance[op->access];
    if (maintenance == ICACHE_ALL) {
        kvm_icache_all(actor, play->kvm);
    } else {
        kvm_maintain(actor, play->kvm, actor->owner, op->ipa + play->piece * op->stride, op->bytes,
                     maintenance, !op->no_dsb);
    }
}

static enum maintenance host_maintenance(const struct op *op)
{
    enum maintenance maintenance = guest_maintenance[op->access];
    return maintenance == GUEST_INVALIDATE ? INVALIDATE
           : maintenance == ICACHE_VA      ? ICACHE_ALIAS
                                           : maintenance;
}

/* By the host's own address of the memory. */
static void host_maintain(struct play *play, struct actor *actor, const struct op *op)
{
    const struct memslot *slot = kvm_slot_at(play->kvm, op->ipa);
    INVARIANT(slot, "no slot at %#llx", (unsigned long long)op->ipa);
    uint64_t start = memslot_hva(slot, op->ipa);
    memory_maintain(actor, play->kvm->memory, start, start + op->bytes, host_maintenance(op),
                    !op->no_dsb);
}

/* A VM register like others; it has an effect while the MMU is off. */
static void set_icache(struct play *play, struct actor *actor, const struct op *op)
{
    struct kvm_vcpu *vcpu = actor->owner;
    kvm_vmregs(actor, play->kvm, vcpu, 1);
    vcpu->icache_on = op->on || vcpu->mmu_on;
    reach_mode(play->kvm);
}

static void touch(struct play *play, struct actor *actor, const struct op *op)
{
    struct kvm_vcpu *vcpu = actor->owner;
    uint32_t density = density_of(play->sim, op);
    enum guest_access access = access_of((enum touch_access)op->access);
    vcpu->noncacheable = op->past;
    if (op->declared) {
        kvm_declare_access(play->kvm, vcpu, op->ipa, op->bytes, access, density);
    } else {
        kvm_touch(actor, play->kvm, vcpu, op->ipa + play->piece * op->stride, op->bytes, access,
                  density);
    }
}

/* Whether a vCPU that does it runs in the guest. */
static bool acts(const struct op *op)
{
    return op->kind == OP_TOUCH || op->kind == OP_MAINTAIN || op->kind == OP_INSNS ||
           op->kind == OP_MMU || op->kind == OP_ICACHE || op->kind == OP_VMREGS ||
           op->kind == OP_SETWAY;
}

static const enum log_start log_start[] = {[LOG_ON_PROTECT] = LOG_START_PROTECT,
                                           [LOG_ON_SPLIT] = LOG_START_SPLIT,
                                           [LOG_ON_ALL_DIRTY] = LOG_START_ALL_DIRTY,
                                           [LOG_ON_ALL_DIRTY_SPLIT] = LOG_START_ALL_DIRTY_SPLIT};

/* Begins an operation, or a piece of it (AWAIT). */
static void begin(struct actor *actor, struct play *play, const struct op *op)
{
    struct kvm *kvm = play->kvm;
    struct kvm_vcpu *vcpu = actor->owner; /* NULL: the VMM's */
    uint64_t ipa = op->ipa + play->piece * op->stride;
    switch ((enum op_kind)op->kind) {
    case OP_ENTER:
        watch_mark(actor, MARK_ENTER, vcpu->index);
        kvm_enter(actor, kvm, vcpu);
        return;
    case OP_TOUCH:
        touch(play, actor, op);
        return;
    case OP_MAINTAIN:
        if (op->declared) {
            kvm_declare_maintenance(kvm, op->ipa, op->bytes, guest_maintenance[op->access]);
        } else {
            maintain(play, actor, op);
        }
        return;
    case OP_HOST_MAINTAIN:
        host_maintain(play, actor, op);
        return;
    case OP_ICACHE:
        set_icache(play, actor, op);
        return;
    case OP_PREFAULT:
        kvm_prefault(actor, kvm, ipa, op->bytes);
        return;
    case OP_INSNS:
        run_insns(play, actor, vcpu, op->n);
        return;
    case OP_COMPUTE:
        actor_charge(actor, EV_compute_ps, op->n);
        return;
    case OP_MMU:
        watch_mark(actor, op->on ? MARK_MMU_ON : MARK_MMU_OFF, vcpu->index);
        kvm_toggle(actor, kvm, vcpu, op->on);
        return;
    case OP_VMREGS:
        kvm_vmregs(actor, kvm, vcpu, op->n);
        return;
    case OP_SETWAY:
        kvm_setway(actor, kvm, vcpu, op->n);
        return;
    case OP_FILL:
        fill(play, actor, op);
        return;
    case OP_FILL_UNCACHED:
    case OP_HOST_READ:
    case OP_HOST_READ_UNCACHED:
    case OP_DEVICE_READ:
    case OP_DEVICE_WRITE:
        outside_access(play, actor, op);
        return;
    case OP_REINIT:
        reinit(play, actor, op);
        return;
    case OP_DROP:
        kvm_drop(actor, kvm, (uint32_t)op->n);
        return;
    case OP_NOTIFY:
        notify(actor, kvm, op);
        return;
    case OP_SLOT_DELETE:
        kvm_slot_delete(actor, kvm, (uint32_t)op->n);
        return;
    case OP_SLOT_ADD:
        kvm_slot_add(actor, kvm, (uint32_t)op->n);
        return;
    case OP_DIRTY_LOG:
        kvm_dirty_log(actor, kvm, op->on, log_start[op->n]);
        return;
    case OP_DIRTY_GET:
        kvm_dirty_get(actor, kvm, op->on);
        return;
    case OP_DIRTY_CLEAR:
        kvm_dirty_clear(actor, kvm, op->ipa, op->ipa + op->bytes);
        return;
    case OP_TEARDOWN:
        kvm_teardown(actor, kvm, op->on);
        return;
    case OP_WINDOW:
        open_window(play->sim, actor);
        return;
    case OP_SIGNAL:
        actor_raise(actor, &play->signals[op->n]);
        return;
    case OP_WAIT:
        actor_wait(actor, &play->signals[op->n]);
        return;
    case OP_KINDS:
        return;
    }
}

/* Whether it may hold mmu_lock for something else than a fault of its vCPU. */
static bool may_hold_lock(const struct op *op)
{
    switch ((enum op_kind)op->kind) {
    case OP_ENTER:
    case OP_MMU:
    case OP_SETWAY:
    case OP_FILL:
    case OP_REINIT:
    case OP_DROP:
    case OP_NOTIFY:
    case OP_SLOT_DELETE:
    case OP_SLOT_ADD:
    case OP_DIRTY_LOG:
    case OP_DIRTY_GET:
    case OP_DIRTY_CLEAR:
    case OP_TEARDOWN:
        return true;
    case OP_TOUCH:
    case OP_INSNS:
    case OP_COMPUTE:
    case OP_VMREGS:
    case OP_FILL_UNCACHED:
    case OP_HOST_READ:
    case OP_HOST_READ_UNCACHED:
    case OP_DEVICE_READ:
    case OP_DEVICE_WRITE:
    case OP_MAINTAIN:
    case OP_HOST_MAINTAIN:
    case OP_ICACHE:
    case OP_SIGNAL:
    case OP_WAIT:
    case OP_PREFAULT:
    case OP_WINDOW:
    case OP_KINDS:
        return false;
    }
    return false;
}

/* One operation less may do so. Behind the last one readers' steps need not grow again: no writer
 * comes any more who would wait for them. */
static void end_hold(struct kvm *kvm)
{
    INVARIANT(kvm->single_ops > 0, "%s: more holds than operations", kvm->mmu_lock.name);
    if (--kvm->single_ops == 0) {
        lock_expect_no_writer(&kvm->mmu_lock);
    }
}

/* How many pieces an operation has; a piece is one touch of many. */
static uint64_t piece_count(const struct op *op)
{
    bool pieces = op->kind == OP_TOUCH || op->kind == OP_PREFAULT || op->kind == OP_MAINTAIN;
    return pieces ? op->count : 1;
}

static void end_piece(struct play *play, struct actor *actor, const struct op *op)
{
    if (op->kind == OP_TOUCH && !op->declared) {
        note_first_insn(play->sim, actor);
    } else if (op->kind == OP_REINIT) {
        record_reinit(play->sim, play->kvm, op);
    } else if (op->kind == OP_HOST_MAINTAIN && !op->no_dsb) {
        memory_maintain_end(actor, play->kvm->memory, host_maintenance(op));
    }
}

/* Tells which memory the vCPU will touch next, unless it waits before. */
static void expect_touch(const struct play *play, struct kvm_vcpu *vcpu)
{
    const struct script *script = play->script;
    uint64_t ipa = 0, bytes = 0;
    for (size_t i = play->next; i < script->count && i < play->next + LOOK_AHEAD; i++) {
        const struct op *op = &script->ops[i];
        if (op->kind == OP_WAIT && i > play->next) {
            break;
        }
        if (op->kind == OP_TOUCH && op->count > 0) {
            ipa = op->ipa;
            bytes = (op->count - 1) * op->stride + op->bytes;
            break;
        }
    }
    kvm_expect_touch(play->kvm, vcpu, ipa, bytes, script->ops[play->next].kind == OP_WAIT);
}

/* How much it touches from its next operation on until it waits. */
static uint64_t bytes_until_wait(const struct play *play)
{
    const struct script *script = play->script;
    uint64_t bytes = 0;
    for (size_t i = play->next; i < script->count; i++) {
        const struct op *op = &script->ops[i];
        if (op->kind == OP_WAIT) {
            break;
        }
        bytes += op->kind == OP_TOUCH && !op->declared ? op->count * op->bytes : 0;
    }
    return bytes;
}

static CORO(play)
{
    struct play *my = CORO_LOCALS(play);
    const struct op *op = my->script->count > 0 ? &my->script->ops[my->next] : NULL;
    CORO_BEGIN;
    for (; my->next < my->script->count; op = &my->script->ops[++my->next]) {
        if (op->kind != OP_WAIT) {
            note_mapped(my->sim, op->phase, true);
        }
        actor->phase = op->phase;
        if (actor->owner) {
            expect_touch(my, actor->owner);
            if (my->next == 0 || op[-1].kind == OP_WAIT) {
                ((struct kvm_vcpu *)actor->owner)->stretch_bytes = bytes_until_wait(my);
            }
        }
        actor_at(actor, 0, 0);
        if (actor->owner && acts(op)) {
            reach_act(my->kvm, actor->owner);
        }
        for (my->piece = 0; my->piece < piece_count(op); my->piece++) {
            AWAIT(begin(actor, my, op));
            end_piece(my, actor, op);
        }
        if (may_hold_lock(op)) {
            end_hold(my->kvm);
        }
        note_mapped(my->sim, op->phase, false);
    }
    CORO_END;
}

void play_script(struct actor *actor, struct sim *sim, struct kvm *kvm, struct signal *signals,
                 const struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        kvm->single_ops += may_hold_lock(&script->ops[i]);
    }
    CORO_CALL(actor, play, .sim = sim, .kvm = kvm, .signals = signals, .script = script);
}
