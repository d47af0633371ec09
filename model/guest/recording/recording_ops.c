/* Recordings: rows to operations, phase by phase. */
#include "core/alloc.h"
#include "core/error.h"
#include "guest/recording/recording_linux.h"
#include "guest/recording/recording_rows.h"

#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE (4 * KIB)

/* Where in a VM's life a row stands. */
enum stage { STAGE_BEFORE, STAGE_BOOT, STAGE_USE, STAGE_RESET };

struct vcpu_state {
    bool entered; /* since the last (re-)init */
    bool mmu_on;
    size_t entered_at; /* the row */
};

struct builder {
    const struct rows *rows;
    const struct recording_keys *keys;
    struct timeline *timeline;
    struct recording_info *info;
    enum stage stage;
    uint32_t boots; /* begun so far */
    size_t last_reinit; /* the row of the last re-init of this reset */
    uint64_t reset_insns; /* the guest's, up to the row behind it */
    uint32_t reinits; /* in this reset */
    uint64_t insns; /* the guest's, added so far */
    uint32_t last_vcpu; /* the one that acted last */
    struct vcpu_state *vcpus;
    bool gone[TIMELINE_SLOTS];
    struct recording_linux linux_guest;
};

static void add(struct builder *builder, uint32_t actor, struct op op)
{
    timeline_add(builder->timeline, actor == ROW_VMM ? SCRIPT_VMM : actor, op);
}

/* --- stages --- */

static void begin_stage(struct builder *builder, enum stage stage)
{
    static const char *const names[] = {"before", "boot", "use", "reset"};
    char name[PHASE_NAME];
    builder->boots += stage == STAGE_BOOT;
    if (stage == STAGE_BOOT) {
        recording_linux_boot(&builder->linux_guest);
    }
    builder->stage = stage;
    if (stage == STAGE_BEFORE) {
        snprintf(name, sizeof name, "%s", names[stage]);
    } else {
        snprintf(name, sizeof name, "%s%u", names[stage], builder->boots);
    }
    timeline_phase(builder->timeline, name);
}

/* Instructions that a vCPU executed since the last ones were added. */
static void add_insns(struct builder *builder, uint32_t vcpu, uint64_t until)
{
    if (until > builder->insns) {
        add(builder, vcpu, (struct op){.kind = OP_INSNS, .n = until - builder->insns});
        builder->insns = until;
    }
}

/* A reset begins: where it ends is known from its last re-init. What vCPUs
 * still execute in it, on their way out, comes before the first one. */
static void begin_reset(struct builder *builder, size_t at)
{
    const struct rows *rows = builder->rows;
    size_t i = at;
    begin_stage(builder, STAGE_RESET);
    builder->reinits = 0;
    builder->last_reinit = at;
    for (; i < rows->count && rows->row[i].op != ROW_READY; i++) {
        if (i > at && rows->row[i].op == ROW_SYSTEM_EVENT) {
            break;
        }
        if (rows->row[i].op == ROW_REINIT) {
            builder->last_reinit = i;
        }
    }
    i = builder->last_reinit;
    builder->reset_insns = rows->row[i + 1 < rows->count ? i + 1 : i].insns;
    while (i + 1 < rows->count && rows->row[i + 1].actor == ROW_VMM &&
           rows->row[i + 1].insns <= builder->reset_insns) {
        i++;
    }
    if (i > at && builder->vcpus[builder->last_vcpu].entered) {
        add_insns(builder, builder->last_vcpu, rows->row[i].insns);
    }
}

/* Whether a row ends the stage that the row before it belongs to. What the VMM writes after the
 * guest has run again belongs to the boot. */
static void follow_stage(struct builder *builder, size_t index)
{
    const struct recording_row *row = &builder->rows->row[index];
    bool running = builder->stage == STAGE_BOOT || builder->stage == STAGE_USE;
    bool late = row->op == ROW_VMM_WRITE && row->insns > builder->reset_insns;
    if (builder->stage == STAGE_BEFORE && (row->op == ROW_VMM_WRITE || recording_is_guest(row))) {
        begin_stage(builder, STAGE_BOOT);
    } else if (builder->stage == STAGE_RESET && index > builder->last_reinit &&
               (row->actor != ROW_VMM || late)) {
        begin_stage(builder, STAGE_BOOT);
    } else if (running && row->op == ROW_REINIT) {
        begin_reset(builder, index);
    }
}

/* --- rows --- */

static void add_toggle(struct builder *builder, uint32_t vcpu, bool on)
{
    if (on && !builder->vcpus[vcpu].mmu_on) {
        recording_linux_turns_on(&builder->linux_guest, vcpu);
    }
    if (on && builder->keys->vm_registers > 0) {
        add(builder, vcpu, (struct op){.kind = OP_VMREGS, .n = builder->keys->vm_registers});
    }
    add(builder, vcpu, (struct op){.kind = OP_MMU, .on = on});
    if (on && !builder->vcpus[vcpu].mmu_on) {
        recording_linux_is_on(&builder->linux_guest, vcpu);
    }
    builder->vcpus[vcpu].mmu_on = on;
}

/* A vCPU runs: it enters the guest first where it was initialised since. */
static void guest_acts(struct builder *builder, size_t index)
{
    const struct recording_row *row = &builder->rows->row[index];
    uint32_t vcpu = row->actor;
    struct vcpu_state *state = &builder->vcpus[vcpu];
    if (!state->entered) {
        *state = (struct vcpu_state){.entered = true, .entered_at = index};
        add(builder, vcpu, (struct op){.kind = OP_ENTER});
        if (!builder->rows->toggles) {
            add_toggle(builder, vcpu, true);
        }
    }
    builder->last_vcpu = vcpu;
    add_insns(builder, vcpu, row->insns);
}

static uint32_t slot_of(const struct builder *builder, uint64_t ipa)
{
    const struct vm_shape *vm = &builder->timeline->vm;
    uint32_t i = 0;
    while (i < vm->slot_count &&
           (ipa < vm->slots[i].ipa || ipa - vm->slots[i].ipa >= vm->slots[i].bytes)) {
        i++;
    }
    return i;
}

static void add_touch(struct builder *builder, const struct recording_row *row,
                      enum touch_access access, uint64_t bytes)
{
    bool mmu_on = builder->vcpus[row->actor].mmu_on;
    recording_linux_before(&builder->linux_guest, row->actor, mmu_on, access, row->ipa, bytes);
    add(builder, row->actor,
        (struct op){.kind = OP_TOUCH,
                    .access = (uint8_t)access,
                    .density = builder->keys->density,
                    .ipa = row->ipa,
                    .bytes = bytes,
                    .stride = bytes,
                    .count = 1});
    recording_linux_after(&builder->linux_guest, row->actor, mmu_on, access, row->ipa, bytes);
}

/* A guest with its MMU off reaches little of a large leaf before it turns it
 * on: the 4 KiB recordings show 36 KiB where the 2 MiB ones show 10 MiB. So it
 * touches one page, and the leaf when its MMU is on. */
static uint64_t touched_bytes(const struct builder *builder, const struct recording_row *row)
{
    return builder->vcpus[row->actor].mmu_on || row->bytes < PAGE ? row->bytes : PAGE;
}

/* What it wrote with its MMU off (its tables, its first data) it uses with the
 * MMU on; no fault shows that, for the leaves are mapped. */
static void touch_again(struct builder *builder, uint32_t vcpu, size_t until)
{
    for (size_t i = builder->vcpus[vcpu].entered_at; i < until; i++) {
        const struct recording_row *row = &builder->rows->row[i];
        if (row->actor == vcpu && recording_is_leaf(row)) {
            add_touch(builder, row, TOUCH_READ, row->bytes);
        }
    }
}

/* Nothing was mapped: an access where no slot is or a write to a read-only one,
 * which the VMM emulates. In other memory it is a fault that lost a race and
 * came again, with a row of its own then. */
static void add_emulated(struct builder *builder, const struct recording_row *row)
{
    const struct vm_shape *vm = &builder->timeline->vm;
    uint32_t slot = slot_of(builder, row->ipa);
    if (slot == vm->slot_count || builder->gone[slot] || vm->slots[slot].read_only) {
        add_touch(builder, row, TOUCH_WRITE, 1);
    } else {
        builder->info->retries++;
    }
}

static bool add_fill(struct builder *builder, const struct recording_row *row, uint64_t ipa,
                     uint64_t bytes, struct error *err)
{
    const struct vm_shape *vm = &builder->timeline->vm;
    uint32_t slot = slot_of(builder, ipa);
    if (slot == vm->slot_count || bytes > vm->slots[slot].bytes - (ipa - vm->slots[slot].ipa)) {
        return error_input(err, &(struct source_location){builder->rows->path, row->line, "ipa"},
                           "the VMM writes [0x%llx, +%llu), which is in no memory slot",
                           (unsigned long long)ipa, (unsigned long long)bytes);
    }
    add(builder, row->actor, (struct op){.kind = OP_FILL, .ipa = ipa, .bytes = bytes});
    return true;
}

static bool add_memslot(struct builder *builder, const struct recording_row *row, struct error *err)
{
    const struct vm_shape *vm = &builder->timeline->vm;
    uint32_t slot = slot_of(builder, row->ipa);
    struct source_location at = {builder->rows->path, row->line, "ipa"};
    if (slot == vm->slot_count || vm->slots[slot].ipa != row->ipa) {
        return error_input(err, &at, "no memory slot starts at 0x%llx",
                           (unsigned long long)row->ipa);
    }
    if (row->bytes != 0 && row->bytes != vm->slots[slot].bytes) {
        at.key = "bytes";
        return error_input(err, &at, "the slot at 0x%llx changes its size from %llu to %llu",
                           (unsigned long long)row->ipa, (unsigned long long)vm->slots[slot].bytes,
                           (unsigned long long)row->bytes);
    }
    if (builder->gone[slot] && row->bytes == 0) {
        return true; /* KVM refuses to delete what is not there */
    }
    builder->gone[slot] = row->bytes == 0;
    add(builder, row->actor,
        (struct op){.kind = row->bytes ? OP_SLOT_ADD : OP_SLOT_DELETE, .n = slot});
    return true;
}

/* A notifier is an outcome where the same thread goes on with an access to that
 * memory: the model's own host answers that one. Alone, the host did it. */
static void add_notifier(struct builder *builder, size_t index)
{
    const struct rows *rows = builder->rows;
    const struct recording_row *row = &rows->row[index];
    for (size_t i = index + 1; i < rows->count; i++) {
        const struct recording_row *next = &rows->row[i];
        bool access = recording_is_leaf(next) || next->op == ROW_VMM_WRITE;
        if (next->actor != row->actor || !access) {
            continue;
        }
        if (next->ipa < row->ipa + row->bytes && row->ipa < next->ipa + next->bytes) {
            return;
        }
        break;
    }
    add(builder, row->actor,
        (struct op){.kind = OP_NOTIFY, .ipa = row->ipa, .bytes = row->bytes, .on = row->replaced});
}

/* Re-inits have no index of their own: they take the vCPUs in turn. */
static void add_reinit(struct builder *builder)
{
    uint32_t vcpu = builder->reinits++ % builder->timeline->vm.vcpus;
    builder->vcpus[vcpu].entered = false;
    add(builder, ROW_VMM, (struct op){.kind = OP_REINIT, .n = vcpu});
}

static bool add_row(struct builder *builder, size_t index, struct error *err)
{
    const struct recording_row *row = &builder->rows->row[index];
    bool use = builder->stage == STAGE_USE && builder->boots <= RECORDING_BOOTS;
    switch (row->op) {
    case ROW_PERM_X:
        if (use) {
            builder->info->last_perm_x_bytes[builder->boots - 1] = row->bytes;
        }
        add_touch(builder, row, TOUCH_FETCH, touched_bytes(builder, row));
        return true;
    case ROW_FAULT_X:
        add_touch(builder, row, TOUCH_FETCH, touched_bytes(builder, row));
        return true;
    case ROW_FAULT_W:
    case ROW_PERM_W:
        add_touch(builder, row, TOUCH_WRITE, touched_bytes(builder, row));
        return true;
    case ROW_FAULT_R:
        add_touch(builder, row, TOUCH_READ, touched_bytes(builder, row));
        return true;
    case ROW_FAULT_NONE:
        add_emulated(builder, row);
        return true;
    case ROW_MMU_ON:
        add_toggle(builder, row->actor, true);
        touch_again(builder, row->actor, index);
        return true;
    case ROW_MMU_OFF:
        add_toggle(builder, row->actor, false);
        return true;
    case ROW_SETWAY:
        add(builder, row->actor, (struct op){.kind = OP_SETWAY, .n = 1});
        return true;
    case ROW_READY:
        if (builder->stage == STAGE_BOOT) {
            begin_stage(builder, STAGE_USE);
        }
        return true;
    case ROW_SYSTEM_EVENT:
        begin_reset(builder, index);
        return true;
    case ROW_REINIT:
        add_reinit(builder);
        return true;
    case ROW_VMM_WRITE:
        return add_fill(builder, row, row->ipa, row->bytes, err);
    case ROW_MEMSLOT:
        return add_memslot(builder, row, err);
    case ROW_NOTIFIER:
        add_notifier(builder, index);
        return true;
    case ROW_OUTCOME:
        return true;
    }
    return true;
}

bool recording_ops(const struct rows *rows, const struct recording_keys *keys,
                   struct timeline *timeline, struct recording_info *info, struct error *err)
{
    struct builder builder = {.rows = rows, .keys = keys, .timeline = timeline, .info = info};
    bool fine = true;
    builder.vcpus = alloc_checked(calloc(timeline->vm.vcpus, sizeof *builder.vcpus), "a recording");
    recording_linux_init(&builder.linux_guest, timeline, keys->density, keys->linux_guest);
    begin_stage(&builder, STAGE_BEFORE);
    for (size_t i = 0; fine && i < rows->count; i++) {
        const struct recording_row *row = &rows->row[i];
        follow_stage(&builder, i);
        if (recording_is_guest(row)) {
            guest_acts(&builder, i);
        }
        fine = add_row(&builder, i, err);
        if (fine && row->stored) {
            fine = add_fill(&builder, row, row->stored_at, PAGE, err);
        }
        struct source_location at = {.file = rows->path, .line = row->line};
        fine = fine && timeline_fits(timeline, &at, err);
    }
    recording_linux_free(&builder.linux_guest);
    free(builder.vcpus);
    return fine;
}
