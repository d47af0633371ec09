/* What the host's memory management does to a VM: MMU notifiers, pages
 * exchanged, memory dropped or filled, slots deleted. */
#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/lines.h"
#include "kvm/reach.h"

/* The part of a host range that a slot maps, as IPA; false where none. */
static bool slot_part(const struct memslot *slot, struct host_range range, uint64_t *start,
                      uint64_t *end)
{
    uint64_t low = range.start > slot->area.start ? range.start : slot->area.start;
    uint64_t stop = slot->area.start + slot->bytes;
    uint64_t high = range.end < stop ? range.end : stop;
    if (!slot->live || low >= high) {
        return false;
    }
    *start = slot->ipa + (low - slot->area.start);
    *end = slot->ipa + (high - slot->area.start);
    return true;
}

/* --- notifiers --- */

struct notify {
    struct kvm *kvm;
    struct host_range range;
    uint64_t start, end;
    uint32_t slot, was_site;
    bool replaced, began;
};

/* change_pte: the new page is mapped read-only if its table is in place; no
 * memory is at hand to build one. */
static void set_spte(struct actor *actor, struct notify *notify)
{
    struct kvm *kvm = notify->kvm;
    struct leaves page = {.start = notify->start, .end = notify->end, .level = LEAF_PAGE};
    struct leaves there;
    uint64_t next;
    const struct memslot *slot = &kvm->slots[notify->slot];
    uint64_t start = memslot_hva(slot, page.start);
    bool maps = stage2_has_table(&kvm->stage2, page.start) &&
                !stage2_lookup(&kvm->stage2, page.start, &there, &next);
    bool early = kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER;
    uint64_t levels = kvm->stage2.geometry.levels;
    uint64_t whole = kvm->kernel->value[SWITCH_MAP_POST] ? 2 * levels - 1 : levels;
    actor_at(actor, page.start, page.end - page.start);
    actor_charge(actor, EV_set_spte, 1);
    actor_charge(actor, EV_map_calls, 1);
    actor_charge(actor, EV_map_4k, 1);
    actor_charge(actor, EV_walk_map, maps ? whole : stage2_depth(&kvm->stage2, page.start) + 1ull);
    if (maps) {
        actor_charge(actor, EV_map_bytes, page.end - page.start);
        stage2_map(&kvm->stage2, page);
        reach_map(kvm, &page);
    }
    bool asked = maps || early;
    bool cleans = asked && kvm->strategy->fault_cleans && !kvm->fwb;
    if (cleans || (asked && kvm->fwb && !kvm->strategy->ideal)) {
        actor_charge(actor, EV_cmo_op_calls, 1);
    }
    if (cleans) {
        memory_clean(actor, kvm->memory, start, start + (page.end - page.start), 1);
    }
}

/* Its sequence number, and the first leaf that it takes away. */
static void touch_lines(struct actor *actor, const struct notify *notify)
{
    struct kvm *kvm = notify->kvm;
    struct leaves there;
    lines_change_sequence(actor, kvm);
    if (stage2_next(&kvm->stage2, notify->start, notify->end, &there)) {
        lines_touch(actor, kvm, LINE_ENTRY, there.start, there.level, 1);
        lines_touch(actor, kvm, LINE_TABLE, there.start, there.level, 1);
    }
}

/* From here to the end of the notifier no fault gets past the lock. */
static void notify_unmap(struct actor *actor, struct notify *notify)
{
    struct kvm *kvm = notify->kvm;
    kvm->invalidating += notify->began ? 0 : 1;
    notify->began = true;
    for (uint32_t i = 0; notify->replaced && kvm->copiers > 0 && i < kvm->vcpu_count; i++) {
        if (kvm->vcpus[i].copying > 0 && kvm->vcpus[i].copying == notify->range.start) {
            kvm->vcpus[i].copying = 0;
            kvm->copiers--;
        }
    }
    actor_charge(actor, EV_gfn_unmap, 1);
    touch_lines(actor, notify);
    kvm_unmap_range(actor, kvm, notify->start, notify->end);
}

static void notify_end(struct actor *actor, struct kvm *kvm)
{
    lines_change_sequence(actor, kvm);
    kvm->invalidating--;
    kvm->invalidations++;
    actor_unlock(actor, &kvm->mmu_lock);
}

static CORO(notify)
{
    struct notify *my = CORO_LOCALS(notify);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = SITE_NOTIFIER;
    for (; my->slot < kvm->slot_count; my->slot++) {
        if (!slot_part(&kvm->slots[my->slot], my->range, &my->start, &my->end)) {
            continue;
        }
        AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
        AWAIT(notify_unmap(actor, my));
        AWAIT(actor_unlock(actor, &kvm->mmu_lock));
        if (my->replaced && kvm->kernel->value[SWITCH_SET_SPTE]) {
            AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
            AWAIT(set_spte(actor, my));
            AWAIT(actor_unlock(actor, &kvm->mmu_lock));
        }
    }
    if (my->began) { /* the lock is taken once more to say that it is over */
        AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
        AWAIT(notify_end(actor, kvm));
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_notify(struct actor *actor, struct kvm *kvm, struct host_range range, bool replaced)
{
    CORO_CALL(actor, notify, .kvm = kvm, .range = range, .replaced = replaced);
}

/* --- memory dropped --- */

struct drop {
    struct kvm *kvm;
    uint32_t slot, notified;
};

/* How often MADV_DONTNEED of a slot's memory notifies. */
static uint32_t drop_notifications(const struct kvm *kvm, const struct memslot *slot)
{
    if (!backing_is_hugetlb(slot->area.backing)) {
        return 1;
    }
    switch ((enum hugetlb_drop)kvm->kernel->value[SWITCH_HUGETLB_DROP]) {
    case HUGETLB_DROP_REFUSED:
        return 0;
    case HUGETLB_DROP_TWICE:
        return 2;
    case HUGETLB_DROP_ONCE:
        return 1;
    }
    return 1;
}

/* Of the structures of one huge page, 32 KiB from those of the next, and of its entry: by how many
 * distinct lines more there are with one more page (bench/kvm/emulate/zap.sh). Those of small pages
 * and of THP, of which all 512 structures are gone through, follow one another. */
#define HUGETLB_LINES 4

/* The host gives back the pages that it holds. Huge pages of hugetlb go one by
 * one, back to their pool; those of THP take their share of the LRU with them. */
static void charge_zap(struct actor *actor, struct kvm *kvm, const struct host_area *area)
{
    bool thp = area->backing == BACKING_THP;
    uint64_t end;
    for (uint64_t at = area->start; at < area->end; at = end) {
        enum host_state state = (enum host_state)interval_map_value(&kvm->host.state, at, &end);
        end = end < area->end ? end : area->end;
        if (state == HOST_SMALL) {
            actor_charge(actor, EV_host_zap, (end - at) / area->page_bytes);
        } else if (state == HOST_HUGE || state == HOST_HUGE_READ) {
            uint64_t pages = (end - at) / area->block_bytes;
            actor_charge(actor, thp ? EV_host_zap_huge : EV_host_zap_hugetlb, pages);
            actor_charge(actor, EV_host_lines, thp ? 0 : pages * HUGETLB_LINES);
        }
    }
}

void kvm_give_back(struct actor *actor, struct kvm *kvm, uint32_t slot)
{
    const struct host_area *area = &kvm->slots[slot].area;
    charge_zap(actor, kvm, area);
    actor_charge(actor, EV_host_tlbi, 1);
    host_drop(&kvm->host, area, area->start, area->end);
    oracle_forget(&kvm->memory->oracle, area->start, area->end);
}

static CORO(drop)
{
    struct drop *my = CORO_LOCALS(drop);
    struct kvm *kvm = my->kvm;
    const struct memslot *slot = &kvm->slots[my->slot];
    struct host_range range = {slot->area.start, slot->area.end};
    CORO_BEGIN;
    for (; my->notified < drop_notifications(kvm, slot); my->notified++) {
        AWAIT(kvm_notify(actor, kvm, range, false));
    }
    if (my->notified > 0) {
        kvm_give_back(actor, kvm, my->slot);
    }
    CORO_END;
}

void kvm_drop(struct actor *actor, struct kvm *kvm, uint32_t slot)
{
    CORO_CALL(actor, drop, .kvm = kvm, .slot = slot);
}

/* --- memory filled by the VMM --- */

struct fill {
    struct kvm *kvm;
    uint64_t at, end; /* memory addresses */
    uint32_t slot;
    struct host_range notify[2];
    uint32_t notified, notifying;
    bool replaced;
};

/* One stretch of equal host state: its pages allocated, its bytes written. */
static void fill_stretch(struct actor *actor, struct fill *fill)
{
    struct kvm *kvm = fill->kvm;
    struct host_area *area = &kvm->slots[fill->slot].area;
    struct host_access got = host_touch(&kvm->host, area, fill->at, fill->end, true);
    uint64_t start = fill->at;
    uint64_t stop = got.end < fill->end ? got.end : fill->end;
    fill->at = stop;
    fill->notified = got.notified;
    fill->notifying = 0;
    fill->replaced = got.replaced;
    for (uint32_t i = 0; i < got.notified; i++) {
        fill->notify[i] = got.notify[i];
    }
    uint32_t all = (uint32_t)(CACHE_PAGE_BYTES / kvm->memory->platform->line_bytes);
    struct access access = {.start = start,
                            .end = stop,
                            .density = all,
                            .write = true,
                            .path = PATH_CACHED,
                            .reader = READER_HOST};
    actor_charge(actor, EV_vmm_bytes, (stop - start) / KIB);
    if (got.fresh_bytes > 0) {
        actor_charge(actor, EV_host_alloc, (got.end - got.start) / got.unit_bytes);
        memory_access(actor, kvm->memory, &access);
        memory_zero(actor, kvm->memory, got.start, got.end, got.end, got.end);
    } else {
        memory_access(actor, kvm->memory, &access);
    }
}

static void fill_notify(struct actor *actor, struct fill *fill)
{
    uint32_t i = fill->notifying++;
    bool last = fill->notifying == fill->notified;
    kvm_notify(actor, fill->kvm, fill->notify[i], last && fill->replaced);
}

static CORO(fill)
{
    struct fill *my = CORO_LOCALS(fill);
    CORO_BEGIN;
    while (my->at < my->end) {
        AWAIT(fill_stretch(actor, my));
        while (my->notifying < my->notified) {
            AWAIT(fill_notify(actor, my));
        }
    }
    CORO_END;
}

void kvm_fill(struct actor *actor, struct kvm *kvm, uint64_t ipa, uint64_t bytes)
{
    /* The VMM's own mapping stays when it takes the slot away. */
    struct memslot *slot = kvm_slot_of(kvm, ipa);
    INVARIANT(slot && bytes <= slot->bytes - (ipa - slot->ipa), "fill of [%#llx, +%llu)",
              (unsigned long long)ipa, (unsigned long long)bytes);
    uint64_t at = memslot_hva(slot, ipa);
    CORO_CALL(actor, fill, .kvm = kvm, .at = at, .end = at + bytes,
              .slot = (uint32_t)(slot - kvm->slots));
}

/* --- slots deleted --- */

struct slot_delete {
    struct kvm *kvm;
    uint32_t slot, was_site;
};

static CORO(slot_delete)
{
    struct slot_delete *my = CORO_LOCALS(slot_delete);
    struct kvm *kvm = my->kvm;
    struct memslot *slot = &kvm->slots[my->slot];
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = SITE_SLOT;
    actor_charge(actor, EV_slot_deletes, 1);
    AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
    /* It is invalid before it is unmapped (kvm_invalidate_memslot): a fault that gets the lock
     * meanwhile, or waits for it, must not map the slot again. */
    slot->live = false;
    AWAIT(kvm_unmap_range(actor, kvm, slot->ipa, slot->ipa + slot->bytes));
    AWAIT(actor_unlock(actor, &kvm->mmu_lock));
    actor->site = my->was_site;
    CORO_END;
}

void kvm_slot_delete(struct actor *actor, struct kvm *kvm, uint32_t slot)
{
    CORO_CALL(actor, slot_delete, .kvm = kvm, .slot = slot);
}
