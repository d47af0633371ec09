/* Recordings: the memory slots that comments and rows imply, and the stores of
 * the VMM into them that have no rows. */
#include "core/error.h"
#include "guest/recording/recording_rows.h"

#include "core/units.h"

#define BLOCK (2 * MIB)
#define FLASH_BYTES (64 * MIB)
#define DEVICE_ALIGN (64 * KIB) /* QEMU's steal-time region, the largest page */

struct found {
    struct slot_shape slot[TIMELINE_SLOTS];
    uint32_t count;
    uint32_t grows; /* slots from here on follow from touches and can grow */
};

#define NO_SLOT UINT32_MAX

static uint32_t slot_around(const struct found *found, uint64_t ipa)
{
    for (uint32_t i = 0; i < found->count; i++) {
        if (ipa >= found->slot[i].ipa && ipa - found->slot[i].ipa < found->slot[i].bytes) {
            return i;
        }
    }
    return NO_SLOT;
}

static bool add(struct found *found, const struct rows *rows, const struct recording_row *row,
                uint64_t ipa, uint64_t bytes, struct error *err)
{
    if (found->count == TIMELINE_SLOTS) {
        return error_input(err, &(struct source_location){rows->path, row ? row->line : 0, "ipa"},
                           "more than %d memory slots", TIMELINE_SLOTS);
    }
    found->slot[found->count++] = (struct slot_shape){.ipa = ipa, .bytes = bytes};
    return true;
}

/* Slots that the VMM deletes and adds bring their size with them. */
static bool add_switched(struct found *found, const struct rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct recording_row *row = &rows->row[i];
        if (row->op == ROW_MEMSLOT && row->bytes > 0 && slot_around(found, row->ipa) == NO_SLOT &&
            !add(found, rows, row, row->ipa, row->bytes, err)) {
            return false;
        }
    }
    found->grows = found->count;
    return true;
}

/* Other memory that was mapped or exchanged: a slot around it, as small as the
 * VMM can make one on any page size. */
static bool add_touched(struct found *found, const struct rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct recording_row *row = &rows->row[i];
        if ((!recording_is_leaf(row) && row->op != ROW_NOTIFIER) ||
            slot_around(found, row->ipa) != NO_SLOT) {
            continue;
        }
        uint64_t start = row->ipa - row->ipa % DEVICE_ALIGN;
        uint64_t end = row->ipa + row->bytes + DEVICE_ALIGN - 1;
        end -= end % DEVICE_ALIGN;
        bool grown = false;
        for (uint32_t k = found->grows; k < found->count && !grown; k++) {
            grown = found->slot[k].ipa + found->slot[k].bytes == start;
            found->slot[k].bytes += grown ? end - start : 0;
        }
        if (!grown && !add(found, rows, row, start, end - start, err)) {
            return false;
        }
    }
    return true;
}

/* Outside RAM the rows say how the host backs a slot: with huge pages where a
 * block was mapped. */
static void set_backings(struct found *found, const struct rows *rows)
{
    for (uint32_t i = 1; i < found->count; i++) {
        found->slot[i].backing = BACKING_4K;
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct recording_row *row = &rows->row[i];
        uint32_t slot = recording_is_leaf(row) ? slot_around(found, row->ipa) : NO_SLOT;
        if (slot != NO_SLOT && slot != 0 && row->bytes >= BLOCK) {
            found->slot[slot].backing = row->bytes >= GIB ? BACKING_HUGETLB_1G : BACKING_THP;
        }
    }
}

/* --- stores without rows --- */

/* The row before `index` that mapped something in the same block, or `index`. */
static size_t mapped_before(const struct rows *rows, size_t index)
{
    uint64_t block = rows->row[index].ipa / BLOCK;
    for (size_t i = index; i-- > 0;) {
        if (recording_is_leaf(&rows->row[i]) && rows->row[i].ipa / BLOCK == block) {
            return i;
        }
    }
    return index;
}

/*
 * A block outside RAM that was mapped whole and comes back in small pages was
 * the huge zero page, and the VMM has stored into it meanwhile (a flash that is
 * programmed; rows show stores into RAM only). It does so while the slot is
 * gone, since that is how it catches the guest's commands: the store goes with
 * the last deletion, or where none is with the touch.
 */
static void note_stores(const struct found *found, struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct recording_row *row = &rows->row[i];
        uint32_t slot = recording_is_leaf(row) ? slot_around(found, row->ipa) : NO_SLOT;
        if (slot == NO_SLOT || slot == 0 || found->slot[slot].backing != BACKING_THP ||
            row->bytes >= BLOCK) {
            continue;
        }
        size_t last = mapped_before(rows, i), at = i;
        if (last == i || rows->row[last].bytes < BLOCK) {
            continue;
        }
        for (size_t k = i; k-- > last && at == i;) {
            const struct recording_row *other = &rows->row[k];
            bool gone = other->op == ROW_MEMSLOT && other->bytes == 0 &&
                        other->ipa == found->slot[slot].ipa;
            at = gone ? k : i;
        }
        rows->row[at].stored = true;
        rows->row[at].stored_at = row->ipa;
    }
}

/* --- all together --- */

bool recording_slots(struct rows *rows, const struct recording_info *info,
                     const struct recording_keys *keys, struct vm_shape *vm, struct error *err)
{
    struct found found = {0};
    if (!add(&found, rows, NULL, info->ram_start, info->ram_bytes, err)) {
        return false;
    }
    /* Two flash chips at the bottom, which the guest reads as memory and writes
     * through the VMM. */
    for (uint64_t i = 0; info->uefi && i < 2; i++) {
        if (!add(&found, rows, NULL, i * FLASH_BYTES, FLASH_BYTES, err)) {
            return false;
        }
        found.slot[found.count - 1].read_only = true;
    }
    if (!add_switched(&found, rows, err) || !add_touched(&found, rows, err)) {
        return false;
    }
    set_backings(&found, rows);
    note_stores(&found, rows);
    found.slot[0].backing = keys->backing == BACKINGS ? info->backing : (enum backing)keys->backing;
    for (uint32_t i = 0; i < found.count; i++) {
        struct error reason;
        if (!vm_shape_slot(vm, found.slot[i], &reason)) {
            return error_input(err, &(struct source_location){.file = rows->path}, "%s",
                               reason.text);
        }
    }
    return true;
}
