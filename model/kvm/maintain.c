/* Cache maintenance by the guest, and what of a guest is judged without being played. */
#include "core/coro.h"
#include "core/units.h"
#include "kvm/stall.h"

struct maintain {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t at, end;
    enum maintenance maintenance;
    bool dsb;
};

/* Whether an instruction on that leaf goes through: DC IVAC needs write permission, the
 * others any (D7.5.9.2). */
static bool passes(const struct leaves *leaves, enum maintenance maintenance)
{
    return leaves->writable || maintenance != GUEST_INVALIDATE;
}

/* It is IMPLEMENTATION DEFINED whether an IC instruction takes a translation fault
 * (D7.5.9.1): these do not. */
static bool faults(enum maintenance maintenance)
{
    return maintenance != ICACHE_VA && maintenance != ICACHE_ALL;
}

static void maintain_mapped(struct actor *actor, struct maintain *maintain,
                            const struct leaves *leaves)
{
    struct kvm *kvm = maintain->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, maintain->at);
    uint64_t stop = u64_min(leaves->end, maintain->end);
    uint64_t start = memslot_hva(slot, maintain->at);
    memory_maintain(actor, kvm->memory, start, start + (stop - maintain->at), maintain->maintenance,
                    maintain->dsb);
    maintain->at = stop;
}

/* Goes on by a part of the range, or faults (AWAIT). Where there is no memory, KVM skips the
 * instruction (io_mem_abort's caller asks kvm_vcpu_dabt_is_cm). */
static void maintain_part(struct actor *actor, struct maintain *maintain)
{
    struct kvm *kvm = maintain->kvm;
    struct leaves leaves;
    uint64_t next = maintain->end;
    const struct memslot *slot = kvm_slot_at(kvm, maintain->at);
    bool mapped = slot && stage2_lookup(&kvm->stage2, maintain->at, &leaves, &next);
    if (mapped && passes(&leaves, maintain->maintenance)) {
        stall_over(actor, kvm, maintain->vcpu);
        maintain_mapped(actor, maintain, &leaves);
    } else if (slot && !slot->read_only && faults(maintain->maintenance)) {
        maintain->vcpu->pending = NULL;
        kvm_fault(actor, kvm, maintain->vcpu, maintain->at, maintain->end, ACCESS_WRITE, mapped);
    } else {
        actor_charge(actor, EV_exits, faults(maintain->maintenance) ? 1 : 0);
        maintain->at = u64_min(next, maintain->end);
    }
}

static CORO(maintain)
{
    struct maintain *my = CORO_LOCALS(maintain);
    CORO_BEGIN;
    while (my->at < my->end) {
        AWAIT(maintain_part(actor, my));
    }
    if (my->dsb) {
        memory_maintain_end(actor, my->kvm->memory, my->maintenance);
    }
    CORO_END;
}

void kvm_maintain(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
                  uint64_t bytes, enum maintenance maintenance, bool dsb)
{
    vcpu->step_pages = 1;
    kvm->touches++;
    CORO_CALL(actor, maintain, .kvm = kvm, .vcpu = vcpu, .at = ipa, .end = ipa + bytes,
              .maintenance = maintenance, .dsb = dsb);
}

/* --- declared --- */

/* The next mapped part of a range, as memory; false where there is none. */
static bool next_mapped(struct kvm *kvm, uint64_t *at, uint64_t end, uint64_t *start,
                        uint64_t *stop)
{
    struct leaves leaves;
    while (*at < end && stage2_next(&kvm->stage2, *at, end, &leaves)) {
        uint64_t from = u64_max(leaves.start, *at), to = u64_min(leaves.end, end);
        const struct memslot *slot = kvm_slot_at(kvm, from);
        *at = to;
        if (slot) {
            *start = memslot_hva(slot, from);
            *stop = *start + (to - from);
            return true;
        }
    }
    return false;
}

void kvm_declare_access(struct kvm *kvm, const struct kvm_vcpu *vcpu, uint64_t ipa, uint64_t bytes,
                        enum guest_access access, uint32_t density)
{
    struct oracle *oracle = &kvm->memory->oracle;
    enum path path = kvm_guest_path(kvm, vcpu, access);
    enum reader reader = access == ACCESS_FETCH ? READER_FETCH
                         : vcpu->mmu_on         ? READER_GUEST_ON
                                                : READER_GUEST_OFF;
    uint64_t at = ipa, start, stop;
    while (next_mapped(kvm, &at, ipa + bytes, &start, &stop)) {
        if (access == ACCESS_WRITE) {
            oracle_write(oracle, start, stop, path, true);
        } else {
            uint64_t lines = (stop - start) / CACHE_PAGE_BYTES * density;
            oracle_read(oracle, start, stop, lines, reader, path);
        }
    }
}

void kvm_declare_maintenance(struct kvm *kvm, uint64_t ipa, uint64_t bytes,
                             enum maintenance maintenance)
{
    uint64_t at = ipa, start, stop;
    for (uint32_t i = 0; maintenance == ICACHE_ALL && i < kvm->slot_count; i++) {
        const struct host_area *area = &kvm->slots[i].area;
        oracle_maintain(&kvm->memory->oracle, area->start, area->end, maintenance, true);
    }
    while (next_mapped(kvm, &at, ipa + bytes, &start, &stop)) {
        oracle_maintain(&kvm->memory->oracle, start, stop, maintenance, true);
    }
}
