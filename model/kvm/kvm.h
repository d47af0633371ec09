/*
 * kvm - one VM as KVM/arm64 keeps it, and what KVM does to it.
 *
 * The operations are coroutines of actors (core/coro.h), called with AWAIT. Each
 * does what the kernel does in the kernel's order, under the kernel's locks, and
 * charges each part; which part is done follows from the kernel's switches, the
 * strategy's row and the machine's capabilities.
 */
#ifndef S2FLUSH_KVM_KVM_H
#define S2FLUSH_KVM_KVM_H

#include "core/histogram.h"
#include "core/resource.h"
#include "kvm/kernel.h"
#include "kvm/stage2.h"
#include "kvm/strategy.h"
#include "machine/memory.h"
#include "vm/host.h"

#define KVM_SLOTS 16
#define KVM_VCPUS 512
#define KVM_LINES 512
#define KVM_LINE_KINDS 3

/* vCPUs that race for memory are played leaf by leaf where all of them have no more than so many to
 * do in a touch; where there are more, several are one. A range operation on such memory goes leaf
 * by leaf where it has few. */
#define KVM_RACE_LEAVES (UINT64_C(1) << 22)
#define KVM_RACE_RANGE_LEAVES (UINT64_C(1) << 18)

/* A memory slot: [ipa, ipa + bytes) is the VMM's memory from hva on. */
struct memslot {
    uint64_t ipa, bytes;
    struct host_area area; /* area.start is the slot's hva */
    bool code; /* holds the guest's own code: its faults are counted apart */
    bool read_only;
    bool live;
    uint64_t mapped_bytes; /* by faults so far, whether still mapped or not */
};

/* The access that a guest faulted for. A fault on many leaves takes it to the
 * cache page by page with its other work. */
struct pending_access {
    uint32_t density; /* lines of each 4 KiB that it uses */
    uint64_t start, end; /* memory with which it has been to the cache already */
    struct touch_counts met; /* what it met there */
};

/* Since when a vCPU cannot run its guest, and how long it had waited for single holds then. */
struct stall {
    ps_t start, single_wait;
};

/* Locks whose readers meet at its cache line. */
enum kvm_lock { KVM_MMAP_LOCK, KVM_MMU_LOCK, KVM_LOCKS };

/* A fault's hold of mmu_lock. */
struct turn {
    ps_t end, hold_ps;
    uint64_t leaves; /* for which it stood */
    bool queued;
};

struct kvm_vcpu {
    uint32_t index;
    bool has_run; /* survives re-init */
    bool tvm; /* VM-register writes trap */
    bool mmu_on; /* the guest's stage 1 and caches are on */
    bool icache_on; /* SCTLR_EL1.I with the MMU off */
    bool noncacheable; /* its data accesses go through a Non-cacheable mapping, MMU on */
    bool live; /* it entered the guest since its last re-init, */
    bool in_guest; /* and was not stopped since, for another vCPU's */
    uint64_t stretch_bytes; /* that it touches between two waits for signals, in all */
    uint64_t step_pages; /* of its present touch, that one fault may stand for among others */
    uint64_t race_pages; /* and where others race for them */
    bool raced; /* they did so, in that touch */
    bool touch_began; /* it has faulted in that touch */
    bool waits; /* for a signal, before that touch */
    uint64_t seen_touches; /* when it looked at the others last, and met none in its touch: */
    uint64_t step_among; /* a step's pages among them, */
    bool beside_leaves; /* of whom one goes leaf by leaf */
    uint64_t touch_at, touch_end; /* what is left of that touch, or the next one as far as it is
                                     known; 0, 0: there is none */
    struct stall stall; /* by faults, of `stalled` instructions (kvm/stall.h) */
    uint64_t stalled; /* 0: there is none under way */
    struct pending_access *pending; /* the access that its fault is for; NULL: none */
    /* Its last walk: to which last-level table, after how many TLB invalidations, and after how
     * many of the whole VMID. */
    uint64_t walked_table, walked_after, walked_after_all;
    bool prefaulting; /* its faults are the VMM's, ahead of its run */
    struct lock hugetlb_mutex; /* of hugetlb pages that it has the host clear, */
    uint64_t clearing_start, clearing_end; /* and which these are at the moment */
    uint64_t copying; /* the page that its fault puts in the zero page's place; 0: none */
    uint64_t seen_updates[KVM_LOCKS]; /* of a lock's line when it updated it last */
    uint64_t sequence; /* the notifiers' sequence number when it read it last */
    struct turn turn; /* of its last fault */
    uint64_t varied; /* faults of it that took a drawn part of their time so far */
};

struct kvm {
    const struct kernel *kernel;
    const struct strategy *strategy;
    struct memory *memory;
    bool fwb; /* stage 2 forces write-back: hardware and strategy */
    bool preemptible; /* mmu_lock is given up at chunk ends when others wait */
    bool dirty_log, clear_splits; /* logging is on; what is cleared of it is split, too */
    uint64_t steps; /* in how many the leaves of one touch or range operation are taken where
                       others are at work, who get their turns in between; 0: leaf by leaf */
    uint64_t touch_steps; /* in how many one touch is taken at the least, where the vCPU has many
                             before it waits; 0: as many as that */
    ps_t page_hold_ps; /* how long a fault has held mmu_lock for each page, at most */
    uint32_t s1_levels; /* stage-1 levels that the guest's walks read */
    uint64_t s1_page_bytes; /* what one stage-1 leaf maps; 0: as much as the stage-2 leaf, and
                               every leaf then costs a whole walk a touch */
    uint64_t s1_hot_pages; /* that a vCPU needs besides the data, with s1_page_bytes */

    struct stage2 stage2;
    struct host host;
    struct memslot slots[KVM_SLOTS];
    uint32_t slot_count;
    struct lock mmu_lock;
    struct lock_line {
        struct server server; /* a lock's own cache line, which every reader changes */
        uint64_t updates; /* so far, by all */
    } line[KVM_LOCKS];
    struct line_owners {
        uint64_t begins[KVM_LINES / 64]; /* where a run of lines begins, a bit each; in the first
                                            place one does */
        uint64_t first[KVM_LINES]; /* of a run: a line, and who touched them all last */
    } owners[KVM_LINE_KINDS]; /* of the lines that mmu_lock protects (kvm/lines.h), those that were
                                 last of interest */
    uint64_t sequence; /* changes of the notifiers' sequence number, */
    uint32_t sequence_by; /* and whose the last one was */
    uint64_t invalidations; /* by MMU notifiers so far: a fault under way then retries */
    uint64_t invalidating; /* notifiers under way: so does any fault that comes */
    struct actor *workers; /* that help with the strategy's flush; NULL: none */
    struct signal worker_done[STRATEGY_WORKERS_MAX];
    uint32_t worker_count;
    uint32_t vcpu_count;
    uint32_t copiers; /* vCPUs whose fault puts a page in the zero page's place */
    uint64_t touches; /* how often a vCPU's touch began, ended or took other steps */
    uint64_t single_ops; /* operations to come that may hold mmu_lock other than for a fault */
    bool flush_pending; /* the strategy's first-run flush is due */
    bool flushing; /* it is under way; whoever else enters waits for `flushed` */
    struct signal flushed;
    bool toggled; /* a toggle has flushed since the last re-init */
    bool resetting; /* some vCPU was re-initialised, none has entered since */
    struct oracle_vcpus running; /* as the oracle knows it: kvm/reach.h */

    double drawn_ps[2]; /* mean of the part of a fault's path that is drawn, of translation and
                           permission faults; 0: a path always takes as long */
    struct histogram *stalls; /* in ps, kvm/stall.h; NULL: not kept */

    uint64_t last_unmapped_bytes; /* by the last re-init */
    bool notified; /* a notifier, or a slot that goes, has unmapped a leaf */

    struct locked_leaves {
        uint64_t start, end;
    } locked[KVM_VCPUS]; /* by the fault of each vCPU; side by side, since all are looked at */
    uint64_t locked_vcpus[KVM_VCPUS / 64]; /* whose are, a bit each */
    struct kvm_vcpu vcpus[KVM_VCPUS]; /* last, since all but vcpu_count are never looked at */
};

/* --- set-up --- */

/* A VM with no slots; every vCPU initialised once, not run. How its guest's walks read
 * stage 1 (s1_levels and so on) is the caller's to say: none of it is set. */
void kvm_init(struct kvm *kvm, const struct kernel *kernel, const struct strategy *strategy,
              struct memory *memory, const struct geometry *geometry, struct pool *pool,
              uint32_t vcpu_count);

/* Adds a slot and returns its index. `area.start` is where it lies in the
 * VMM's memory. */
uint32_t kvm_add_slot(struct kvm *kvm, struct memslot slot);

/* The memory address behind an IPA of a slot. */
static inline uint64_t memslot_hva(const struct memslot *slot, uint64_t ipa)
{
    return slot->area.start + (ipa - slot->ipa);
}

static inline uint64_t kvm_leaf_bytes(const struct kvm *kvm, enum leaf_level level)
{
    return kvm->stage2.geometry.leaf_bytes[level];
}

/* The live slot that holds an IPA, or NULL. */
static inline struct memslot *kvm_slot_at(struct kvm *kvm, uint64_t ipa)
{
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        struct memslot *slot = &kvm->slots[i];
        if (slot->live && ipa >= slot->ipa && ipa - slot->ipa < slot->bytes) {
            return slot;
        }
    }
    return NULL;
}

/* The same, whether it is live or not. */
struct memslot *kvm_slot_of(struct kvm *kvm, uint64_t ipa);

/* Instructions of the kernel's paths by event kind, for price_events; NAN where a kind has none. */
void kvm_path_lengths(bool vhe, double insns[EVENT_KINDS]);

/* Makes the time of a fault's path vary from fault to fault as it does on machines:
 * a part of its price becomes the mean of an exponential draw, which keeps actors
 * that do the same from going in step. Lowers the two prices by that part. */
void kvm_vary_faults(struct kvm *kvm, ps_t price[EVENT_KINDS]);

/* --- operations: AWAIT each, but for those that say otherwise --- */

/* KVM_ARM_VCPU_INIT of one vCPU. */
void kvm_reinit(struct actor *actor, struct kvm *kvm, uint32_t vcpu);

/* A vCPU enters the guest; does the strategy's first-run flush if it is due. */
void kvm_enter(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu);

/* The guest writes SCTLR so that its MMU and caches go on or off. */
void kvm_toggle(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, bool on);

/* The guest writes other VM registers n times: no AWAIT. */
void kvm_vmregs(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t n);

/* The guest executes n set/way operations. */
void kvm_setway(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t n);

/* What a guest does in [ipa, ipa + bytes). */
enum guest_access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* How it reaches memory, as stage 1 and stage 2 together say. */
enum path kvm_guest_path(const struct kvm *kvm, const struct kvm_vcpu *vcpu,
                         enum guest_access access);

static inline bool kvm_leaves_permit(const struct leaves *leaves, enum guest_access access)
{
    return access == ACCESS_WRITE   ? leaves->writable
           : access == ACCESS_FETCH ? leaves->executable
                                    : true;
}

/* The guest accesses a range, `density` lines of each 4 KiB: faults as needed,
 * then the accesses themselves. */
void kvm_touch(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
               uint64_t bytes, enum guest_access access, uint32_t density);

/* The guest maintains caches by VA in a range: what is not mapped faults, as a write
 * (kvm_is_write_fault), and so does DC IVAC on what it may not write. */
void kvm_maintain(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
                  uint64_t bytes, enum maintenance maintenance, bool dsb);

/* One IC IALLUIS, for all of the VM's memory. */
void kvm_icache_all(struct actor *actor, struct kvm *kvm);

/* What is mapped of a range is accessed or maintained without any cost or fault: only the
 * oracle learns of it. */
void kvm_declare_access(struct kvm *kvm, const struct kvm_vcpu *vcpu, uint64_t ipa, uint64_t bytes,
                        enum guest_access access, uint32_t density);
void kvm_declare_maintenance(struct kvm *kvm, uint64_t ipa, uint64_t bytes,
                             enum maintenance maintenance);

/* Whether a vCPU but this one (NULL: any) is at work, or will be next, on memory of that range. */
static inline bool kvm_touched_by_other(const struct kvm *kvm, const struct kvm_vcpu *vcpu,
                                        uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct kvm_vcpu *other = &kvm->vcpus[i];
        if (other != vcpu && start < other->touch_end && other->touch_at < end) {
            return true;
        }
    }
    return false;
}

/* Whether a vCPU but this one (NULL: any) touches part of [start, end), or is about to. */
static inline bool kvm_touched(const struct kvm *kvm, const struct kvm_vcpu *but, uint64_t start,
                               uint64_t end)
{
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct kvm_vcpu *vcpu = &kvm->vcpus[i];
        if (vcpu != but && !vcpu->waits && start < vcpu->touch_end && vcpu->touch_at < end) {
            return true;
        }
    }
    return false;
}

/* What the vCPU will touch next, for others who map that memory before it comes, and whether it
 * waits for a signal before; 0 bytes: that is not known. No AWAIT. */
void kvm_expect_touch(struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa, uint64_t bytes,
                      bool waits);

/* One stage-2 fault of a vCPU at `ipa`, where a leaf that is mapped forbids the
 * access or none is; takes further leaves of the same kind up to `limit`. */
void kvm_fault(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
               uint64_t limit, enum guest_access access, bool mapped);

/* The VMM has a range mapped, through the first vCPU, before that runs
 * (KVM_PRE_FAULT_MEMORY): the faults' software without their exits. */
void kvm_prefault(struct actor *actor, struct kvm *kvm, uint64_t ipa, uint64_t bytes);

/* Unmaps an IPA range; mmu_lock must be held for write, and may be given up between chunks. */
void kvm_unmap_range(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end);

/* Flushes all slots, taking mmu_lock. */
void kvm_flush_vm(struct actor *actor, struct kvm *kvm, enum site site);

/* An MMU notifier invalidates a range of the VMM's memory; with `replaced` the
 * page is then exchanged through change_pte. */
void kvm_notify(struct actor *actor, struct kvm *kvm, struct host_range range, bool replaced);

/* The VMM drops its memory behind a slot (madvise MADV_DONTNEED, or a hole). */
void kvm_drop(struct actor *actor, struct kvm *kvm, uint32_t slot);

/* Judges what the readers of memory that is shared with the guest may see of a part of a
 * slot: at any time, behind a notifier's unmap where the guest has it mapped. No AWAIT. */
void kvm_judge_shared(struct kvm *kvm, const struct memslot *slot, uint64_t start, uint64_t end,
                      bool mapped);

/* The host takes a slot's pages back; stage 2 no longer maps them. No AWAIT. */
void kvm_give_back(struct actor *actor, struct kvm *kvm, uint32_t slot);

/* The VMM ends: the VM's tables are freed as they are, its memory is given back and it is closed,
 * but where the tables alone are asked for. */
void kvm_teardown(struct actor *actor, struct kvm *kvm, bool tables_alone);

/* The VMM closes its vCPUs and the VM. No AWAIT. */
void kvm_close(struct actor *actor, const struct kvm *kvm);

/* The VMM fills a range of guest memory through its own mapping, whether the
 * slot is live or not. */
void kvm_fill(struct actor *actor, struct kvm *kvm, uint64_t ipa, uint64_t bytes);

/* The VMM deletes a slot, or brings it back. */
void kvm_slot_delete(struct actor *actor, struct kvm *kvm, uint32_t slot);

#endif
