/* Playing a recorded boot, and counting it as phases.csv does. */
#include "check/counts/boots_columns.h"

#include <stdio.h>
#include <string.h>

/* The costs come from this machine; counts depend on none of them. */
#define COSTS_OF "neoverse-n1"

/* --- playing --- */

bool boots_read(struct boots_played *played, const char *recording, struct error *err)
{
    /* How much of a page is used changes no count, so the least will do. */
    const struct recording_keys keys = {.density = 1, .vm_registers = 0, .backing = BACKINGS};
    struct platform base;
    played->read = recording_read(recording, &keys, &played->timeline, &played->info, err);
    if (!played->read || !platform_load(COSTS_OF, &base, err) ||
        !platform_as_cpu(played->info.cpu, &base, &played->platform, err) ||
        !kernel_resolve(played->info.kernel, &played->kernel, err)) {
        return false;
    }
    return true;
}

bool boots_run(struct boots_played *played, struct error *err)
{
    played->run = recorded_play(&played->timeline, &played->platform, &played->kernel, err);
    return played->run != NULL;
}

void boots_free(struct boots_played *played)
{
    recorded_free(played->run);
    if (played->read) {
        timeline_free(&played->timeline);
    }
}

uint32_t boots_phase(const struct boots_played *played, const char *name)
{
    for (uint32_t i = 0; i < played->timeline.phase_count; i++) {
        if (strcmp(played->timeline.phases[i], name) == 0) {
            return i;
        }
    }
    return NO_PHASE;
}

/* --- counting --- */

/* A column's events at a site, or at all of them (LEDGER_ALL). */
static uint64_t events(const struct boots_played *played, const struct boot_count *column,
                       uint32_t phase, uint32_t site)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < column->kinds && phase != NO_PHASE; i++) {
        n += sim_count(&played->run->sim, phase, site, column->kind[i]);
    }
    return n;
}

static const struct phase_record *record_of(const struct boots_played *played, uint32_t phase)
{
    static const struct phase_record none;
    return phase == NO_PHASE ? &none : &played->run->sim.phases[phase];
}

static uint64_t touched(const struct boots_played *played, uint32_t phase)
{
    const struct phase_record *record = record_of(played, phase);
    return record->touched_end_bytes - record->touched_start_bytes;
}

static uint64_t mapped_start(const struct boots_played *played, uint32_t phase)
{
    return record_of(played, phase)->mapped_start_bytes;
}

static uint64_t mapped_end(const struct boots_played *played, uint32_t phase)
{
    return record_of(played, phase)->mapped_end_bytes;
}

/* What the timeline has of a phase: slots switched, or bytes written to RAM. */
static uint64_t in_timeline(const struct boots_played *played, uint32_t phase, bool slots)
{
    const struct recording_info *info = &played->info;
    uint64_t n = 0;
    for (uint32_t i = 0; i < played->timeline.script_count; i++) {
        const struct script *script = &played->timeline.scripts[i];
        for (size_t k = 0; k < script->count; k++) {
            const struct op *op = &script->ops[k];
            bool slot = op->kind == OP_SLOT_DELETE || op->kind == OP_SLOT_ADD;
            bool fill = op->kind == OP_FILL && op->ipa >= info->ram_start &&
                        op->ipa - info->ram_start < info->ram_bytes;
            if (op->phase == phase) {
                n += slots ? slot : fill ? op->bytes : 0;
            }
        }
    }
    return n;
}

static uint64_t memslots(const struct boots_played *played, uint32_t phase)
{
    return in_timeline(played, phase, true);
}

static uint64_t vmm_write(const struct boots_played *played, uint32_t phase)
{
    return in_timeline(played, phase, false);
}

/* --- as text --- */

static void format_count(const struct boots_played *played, const struct boot_count *column,
                         uint32_t phase, char *buf, size_t size)
{
    uint64_t n = column->count      ? column->count(played, phase)
                 : column->by_slots ? events(played, column, phase, SITE_SLOT) +
                                          events(played, column, phase, SITE_NOTIFIER)
                                    : events(played, column, phase, LEDGER_ALL);
    if (column->scale > 1) {
        snprintf(buf, size, "%.2f", (double)n / column->scale);
    } else {
        snprintf(buf, size, "%llu", (unsigned long long)n);
    }
}

/* "vcpu0:36 vcpu1:33576": what each vCPU's toggles flushed. */
static void format_toggles(const struct boots_played *played, const struct boot_count *column,
                           uint32_t phase, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t vcpu = 0; phase != NO_PHASE && vcpu < played->info.vcpus; vcpu++) {
        struct ledger_slice slice = {vcpu + 1, phase, SITE_TOGGLE, EV_flush_vm_calls};
        if (ledger_count(&played->run->sim.ledger, slice) == 0 || used >= size) {
            continue;
        }
        slice.kind = EV_flush_bytes;
        uint64_t bytes = ledger_count(&played->run->sim.ledger, slice);
        used += (size_t)snprintf(buf + used, size - used, "%svcpu%u:%.0f", used ? " " : "", vcpu,
                                 (double)bytes / column->scale);
    }
}

/* "256.00 0.00": what each re-init unmapped. */
static void format_reinits(const struct boots_played *played, const struct boot_count *column,
                           uint32_t phase, char *buf, size_t size)
{
    const struct sim *sim = &played->run->sim;
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < sim->reinit_count; i++) {
        if (sim->reinits[i].phase == phase && used < size &&
            sim_count(sim, phase, SITE_REINIT, EV_unmap_vm_calls) > 0) {
            used += (size_t)snprintf(buf + used, size - used, "%s%.2f", used ? " " : "",
                                     (double)sim->reinits[i].unmapped_bytes / column->scale);
        }
    }
}

#define MIB_SCALE ((double)MIB)
#define COUNT(name_, count_, scale_)                                                  \
    {                                                                                 \
        .name = (name_), .count = (count_), .scale = (scale_), .format = format_count \
    }
#define EVENTS(name_, scale_, ...)                                                   \
    {                                                                                \
        .name = (name_), .kind = {__VA_ARGS__},                                      \
        .kinds = sizeof((enum event_kind[]){__VA_ARGS__}) / sizeof(enum event_kind), \
        .scale = (scale_), .format = format_count                                    \
    }
const struct boot_count boot_columns[BOOT_COLUMNS] = {
    [BOOT_GUEST_INSNS] = EVENTS("guest_insns_M", 1e6, EV_guest_insns),
    [BOOT_FAULTS] = EVENTS("faults", 1, EV_data_tr_w, EV_data_tr_r, EV_data_tr_x),
    [BOOT_FAULT_W] = EVENTS("fault_w", 1, EV_data_tr_w),
    [BOOT_FAULT_R] = EVENTS("fault_r", 1, EV_data_tr_r),
    [BOOT_FAULT_X] = EVENTS("fault_x", 1, EV_data_tr_x),
    [BOOT_PERM_X] = EVENTS("perm_x", 1, EV_data_perm_x),
    [BOOT_PERM_W] = EVENTS("perm_w", 1, EV_data_perm_w),
    [BOOT_FAULT_NONE] = EVENTS("fault_none", 1, EV_mmio_exits),
    [BOOT_TOUCHED] = COUNT("ram_touched_mib", touched, MIB_SCALE),
    [BOOT_MAPPED_START] = COUNT("mapped_start_mib", mapped_start, MIB_SCALE),
    [BOOT_MAPPED_END] = COUNT("mapped_end_mib", mapped_end, MIB_SCALE),
    [BOOT_REINITS] = EVENTS("reinits", 1, EV_reinits),
    [BOOT_MMU_ON_FLUSH] = {.name = "mmu_on_flush_kib",
                           .text = true,
                           .scale = (double)KIB,
                           .format = format_toggles},
    [BOOT_UNMAP_VM] = {.name = "unmap_vm_mib",
                       .text = true,
                       .scale = MIB_SCALE,
                       .format = format_reinits},
    [BOOT_SETWAY] = EVENTS("setway_traps", 1, EV_setway_traps),
    [BOOT_UNMAPS] = {.name = "unmaps",
                     .kind = {EV_unmap_calls},
                     .kinds = 1,
                     .by_slots = true,
                     .scale = 1,
                     .format = format_count},
    [BOOT_UNMAPS_MIB] = {.name = "unmaps_mib",
                         .kind = {EV_unmap_bytes},
                         .kinds = 1,
                         .by_slots = true,
                         .scale = MIB_SCALE,
                         .format = format_count},
    [BOOT_MEMSLOTS] = COUNT("memslot_ioctls", memslots, 1),
    [BOOT_VMM_WRITE] = COUNT("vmm_write_mib", vmm_write, MIB_SCALE),
    [BOOT_DC_CIVAC] = EVENTS("dc_civac_lines", 1, EV_line_absent, EV_line_clean, EV_line_dirty),
    [BOOT_IC_IVAU] = EVENTS("ic_ivau_lines", 1, EV_icache_lines),
};

const struct boot_gap boot_unclaimed[] = {
    {"dur_ms", "the emulated host's clock, recording included"},
    {"insns_all_M", "instructions of host, VMM and recording together"},
    {"of_which_cmo", "what the accesses were, which the rows only flag"},
    {"of_which_s1ptw", "the same"},
    {"mmio_aborts", "devices; they have no rows"},
    {"mmu_on_flush_us", "the emulated host's clock"},
    {"unmap_vm_us", "the emulated host's clock"},
};
const size_t boot_unclaimed_count = sizeof boot_unclaimed / sizeof *boot_unclaimed;
