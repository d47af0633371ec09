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

/* What all VMs have mapped, and of it the guests by their touches. */
static void add_mapped(struct sim *sim, uint64_t *mapped, uint64_t *touched)
{
    for (uint32_t i = 0; i < sim->point->timeline->vm.copies; i++) {
        const struct kvm *kvm = sim_vm(sim, i);
        *mapped += kvm->stage2.map.covered;
        *touched += kvm->slots[0].mapped_bytes;
    }
}

static void note_start(struct sim *sim, const struct op *op)
{
    struct phase_record *record = &sim->phases[op->phase];
    if (op->kind != OP_WAIT && !record->seen) {
        record->seen = true;
        add_mapped(sim, &record->mapped_start_bytes, &record->touched_start_bytes);
    }
}

/* The phase ends with the last operation of any of its actors. */
static void note_end(struct sim *sim, const struct op *op)
{
    struct phase_record *record = &sim->phases[op->phase];
    if (--record->ops_left == 0) {
        add_mapped(sim, &record->mapped_end_bytes, &record->touched_end_bytes);
    }
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

static uint64_t piece_ipa(const struct play *play, const struct op *op)
{
    return op->ipa + play->piece * op->stride;
}

static uint32_t density_of(const struct sim *sim, const struct op *op)
{
    uint32_t all = (uint32_t)(CACHE_PAGE_BYTES / sim->point->platform->line_bytes);
    return op->density == 0 || op->density > all ? all : op->density;
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

static enum maintenance host_maintenance(const struct op *op)
{
    enum maintenance maintenance = guest_maintenance[op->access];
    return maintenance == GUEST_INVALIDATE ? INVALIDATE
           : maintenance == ICACHE_VA      ? ICACHE_ALIAS
                                           : maintenance;
}

/* --- operations: each begins one, or a piece of it (AWAIT) --- */

static void enter(struct play *play, struct actor *actor, const struct op *op)
{
    struct kvm_vcpu *vcpu = actor->owner;
    (void)op;
    watch_mark(actor, MARK_ENTER, vcpu->index);
    kvm_enter(actor, play->kvm, vcpu);
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
        kvm_touch(actor, play->kvm, vcpu, piece_ipa(play, op), op->bytes, access, density);
    }
}

/* Past the caches each memory access among them waits. */
static void run_insns(struct play *play, struct actor *actor, const struct op *op)
{
    const struct kvm_vcpu *vcpu = actor->owner; /* NULL: the VMM's */
    actor_charge(actor, EV_guest_insns, op->n);
    if (vcpu && kvm_guest_path(play->kvm, vcpu, ACCESS_READ) == PATH_UNCACHED) {
        double accesses = (double)op->n * play->sim->point->timeline->vm.off_access_share;
        actor_charge(actor, EV_uncached, (uint64_t)accesses);
    }
}

static void compute(struct play *play, struct actor *actor, const struct op *op)
{
    (void)play;
    actor_charge(actor, EV_compute_ps, op->n);
}

static void set_mmu(struct play *play, struct actor *actor, const struct op *op)
{
    struct kvm_vcpu *vcpu = actor->owner;
    watch_mark(actor, op->on ? MARK_MMU_ON : MARK_MMU_OFF, vcpu->index);
    kvm_toggle(actor, play->kvm, vcpu, op->on);
}

static void write_vmregs(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_vmregs(actor, play->kvm, actor->owner, op->n);
}

static void set_way(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_setway(actor, play->kvm, actor->owner, op->n);
}

static void fill(struct play *play, struct actor *actor, const struct op *op)
{
    uint64_t *filled = &play->sim->phases[op->phase].filled_bytes;
    *filled = u64_add(*filled, op->bytes, "filled bytes");
    kvm_fill(actor, play->kvm, op->ipa, op->bytes);
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

static void maintain(struct play *play, struct actor *actor, const struct op *op)
{
    enum maintenance maintenance = guest_maintenance[op->access];
    if (op->declared) {
        kvm_declare_maintenance(play->kvm, op->ipa, op->bytes, maintenance);
    } else if (maintenance == ICACHE_ALL) {
        kvm_icache_all(actor, play->kvm);
    } else {
        kvm_maintain(actor, play->kvm, actor->owner, piece_ipa(play, op), op->bytes, maintenance,
                     !op->no_dsb);
    }
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

static void reinit(struct play *play, struct actor *actor, const struct op *op)
{
    if (!play->sim->point->timeline->window) {
        open_window(play->sim, actor);
    }
    watch_mark(actor, MARK_REINIT, op->n);
    kvm_reinit(actor, play->kvm, (uint32_t)op->n);
}

static void drop(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_drop(actor, play->kvm, (uint32_t)op->n);
}

static void notify(struct play *play, struct actor *actor, const struct op *op)
{
    const struct memslot *slot = kvm_slot_at(play->kvm, op->ipa);
    if (slot) {
        uint64_t start = memslot_hva(slot, op->ipa);
        kvm_notify(actor, play->kvm, (struct host_range){start, start + op->bytes}, op->on);
    }
}

static void delete_slot(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_slot_delete(actor, play->kvm, (uint32_t)op->n);
}

static void add_slot(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_slot_add(actor, play->kvm, (uint32_t)op->n);
}

static void dirty_log(struct play *play, struct actor *actor, const struct op *op)
{
    static const enum log_start start[] = {[LOG_ON_PROTECT] = LOG_START_PROTECT,
                                           [LOG_ON_SPLIT] = LOG_START_SPLIT,
                                           [LOG_ON_ALL_DIRTY] = LOG_START_ALL_DIRTY,
                                           [LOG_ON_ALL_DIRTY_SPLIT] = LOG_START_ALL_DIRTY_SPLIT};
    kvm_dirty_log(actor, play->kvm, op->on, start[op->n]);
}

static void dirty_get(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_dirty_get(actor, play->kvm, op->on);
}

static void dirty_clear(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_dirty_clear(actor, play->kvm, op->ipa, op->ipa + op->bytes);
}

static void tear_down(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_teardown(actor, play->kvm, op->on);
}

static void raise_signal(struct play *play, struct actor *actor, const struct op *op)
{
    actor_raise(actor, &play->signals[op->n]);
}

static void wait_for(struct play *play, struct actor *actor, const struct op *op)
{
    actor_wait(actor, &play->signals[op->n]);
}

static void prefault(struct play *play, struct actor *actor, const struct op *op)
{
    kvm_prefault(actor, play->kvm, piece_ipa(play, op), op->bytes);
}

static void begin_window(struct play *play, struct actor *actor, const struct op *op)
{
    (void)op;
    open_window(play->sim, actor);
}

struct op_row {
    void (*begin)(struct play *play, struct actor *actor, const struct op *op);
    bool in_guest; /* a vCPU that does it runs in the guest */
    bool in_pieces; /* one touch of many, each */
    bool may_hold; /* mmu_lock, for something else than a fault of its vCPU */
};

static const struct op_row op_rows[] = {
    [OP_ENTER] = {.begin = enter, .may_hold = true},
    [OP_TOUCH] = {.begin = touch, .in_guest = true, .in_pieces = true},
    [OP_INSNS] = {.begin = run_insns, .in_guest = true},
    [OP_COMPUTE] = {.begin = compute},
    [OP_MMU] = {.begin = set_mmu, .in_guest = true, .may_hold = true},
    [OP_VMREGS] = {.begin = write_vmregs, .in_guest = true},
    [OP_SETWAY] = {.begin = set_way, .in_guest = true, .may_hold = true},
    [OP_FILL] = {.begin = fill, .may_hold = true},
    [OP_FILL_UNCACHED] = {.begin = outside_access},
    [OP_HOST_READ] = {.begin = outside_access},
    [OP_HOST_READ_UNCACHED] = {.begin = outside_access},
    [OP_DEVICE_READ] = {.begin = outside_access},
    [OP_DEVICE_WRITE] = {.begin = outside_access},
    [OP_MAINTAIN] = {.begin = maintain, .in_guest = true, .in_pieces = true},
    [OP_HOST_MAINTAIN] = {.begin = host_maintain},
    [OP_ICACHE] = {.begin = set_icache, .in_guest = true},
    [OP_REINIT] = {.begin = reinit, .may_hold = true},
    [OP_DROP] = {.begin = drop, .may_hold = true},
    [OP_NOTIFY] = {.begin = notify, .may_hold = true},
    [OP_SLOT_DELETE] = {.begin = delete_slot, .may_hold = true},
    [OP_SLOT_ADD] = {.begin = add_slot, .may_hold = true},
    [OP_DIRTY_LOG] = {.begin = dirty_log, .may_hold = true},
    [OP_TEARDOWN] = {.begin = tear_down, .may_hold = true},
    [OP_SIGNAL] = {.begin = raise_signal},
    [OP_WAIT] = {.begin = wait_for},
    [OP_PREFAULT] = {.begin = prefault, .in_pieces = true},
    [OP_WINDOW] = {.begin = begin_window},
    [OP_DIRTY_GET] = {.begin = dirty_get, .may_hold = true},
    [OP_DIRTY_CLEAR] = {.begin = dirty_clear, .may_hold = true},
};
_Static_assert(sizeof op_rows / sizeof *op_rows == OP_KINDS, "an operation without a row");

static const struct op_row *row_of(const struct op *op)
{
    const struct op_row *row = &op_rows[op->kind];
    INVARIANT(row->begin, "operation %d cannot be played", op->kind);
    return row;
}

/* One operation less may hold the lock. Behind the last one readers' steps need not grow again: no
 * writer comes any more who would wait for them. */
static void end_hold(struct kvm *kvm)
{
    INVARIANT(kvm->single_ops > 0, "%s: more holds than operations", kvm->mmu_lock.name);
    if (--kvm->single_ops == 0) {
        lock_expect_no_writer(&kvm->mmu_lock);
    }
}

static uint64_t piece_count(const struct op *op)
{
    return row_of(op)->in_pieces ? op->count : 1;
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
        note_start(my->sim, op);
        actor->phase = op->phase;
        if (actor->owner) {
            expect_touch(my, actor->owner);
            if (my->next == 0 || op[-1].kind == OP_WAIT) {
                ((struct kvm_vcpu *)actor->owner)->stretch_bytes = bytes_until_wait(my);
            }
        }
        actor_at(actor, 0, 0);
        if (actor->owner && row_of(op)->in_guest) {
            reach_act(my->kvm, actor->owner);
        }
        for (my->piece = 0; my->piece < piece_count(op); my->piece++) {
            AWAIT(row_of(op)->begin(my, actor, op));
            end_piece(my, actor, op);
        }
        if (row_of(op)->may_hold) {
            end_hold(my->kvm);
        }
        note_end(my->sim, op);
    }
    CORO_END;
}

void play_script(struct actor *actor, struct sim *sim, struct kvm *kvm, struct signal *signals,
                 const struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        kvm->single_ops += row_of(&script->ops[i])->may_hold;
        sim->phases[script->ops[i].phase].ops_left++;
    }
    CORO_CALL(actor, play, .sim = sim, .kvm = kvm, .signals = signals, .script = script);
}
