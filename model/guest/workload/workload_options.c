/* Every key of a workload file: what it is, its default, and where that comes
 * from. */
#include "guest/workload/workload.h"
#include "guest/workload/workload_values.h"

#include <stddef.h>
#include <string.h>

#define RAM_BACKING_CHOICES(X) \
    BACKING_CHOICES(X) X(BACKINGS, "as-recorded", "4k where nothing is recorded")

/* What the recorded direct boot at 4 KiB leaves says, and the one at UEFI. */
#define DIRECT "recorded boot n1-q-256m-c1-4k-f128: "

#define KEY(section_, field) \
    .section = (section_), .name = #field, OPTION_FIELD(struct workload_values, field)
#define WHOLE(section_, field, unit_, low_, high_) \
    KEY(section_, field), .unit = (unit_), .low = (low_), .high = (high_)
#define SHARE(section_, field) KEY(section_, field), .unit = UNIT_RATIO, .low = 0, .high = 1
#define CHOICE(section_, field, LIST) KEY(section_, field), .choices = CHOICES_OF(LIST)

#define BYTES_MAX 4503599627370496.0 /* 4 PiB, the largest IPA space */

const struct option_row workload_options[] = {
    {KEY("workload", name), .fallback = "",
     .help = "the name in explain and run.json; the file's own where it is empty"},
    {KEY("workload", title), .fallback = "", .help = "what it is, for people"},
    {KEY("workload", recording), .fallback = "",
     .help = "a recorded boot to play, from this file's folder on"},
    {CHOICE("workload", play, PLAY_CHOICES), .fallback = "serial",
     .help = "[timeline] lines one after another, or ordered by signals only"},

    {WHOLE("vm", ram, UNIT_BYTES, 4096, BYTES_MAX), .fallback = "256M",
     .help = "guest memory; [boot]: as much as the footprint needs, where it is not given"},
    {WHOLE("vm", ram_ipa, UNIT_ADDRESS, 0, BYTES_MAX), .fallback = "1G",
     .help = "where it begins in the guest's address space", .source = "QEMU's virt machine"},
    {WHOLE("vm", ram_misalign, UNIT_BYTES, 0, 1 << 30), .fallback = "0",
     .help = "guest address less VMM address, modulo the block size: other than 0, no blocks"},
    {CHOICE("vm", granule, GRANULE_CHOICES), .fallback = "4K",
     .help = "the host's page size, and that of stage 2"},
    {WHOLE("vm", ipa_bits, UNIT_NONE, 32, 52), .fallback = "40",
     .help = "size of the guest's address space; more where RAM needs it and it is not given"},
    {WHOLE("vm", vcpus, UNIT_NONE, 1, 512), .fallback = "1", .help = "vCPUs"},
    {WHOLE("vm", copies, UNIT_NONE, 1, TIMELINE_COPIES), .fallback = "1",
     .help = "VMs of this shape that do all of it side by side on one host"},
    {CHOICE("vm", backing, RAM_BACKING_CHOICES), .fallback = "as-recorded",
     .help = "host pages behind RAM; as-recorded: 4k where nothing is recorded"},
    {WHOLE("vm", s1_levels, UNIT_NONE, 1, 5), .fallback = "4",
     .help = "table levels of the guest's own translation",
     .source = "48-bit addresses of Linux with 4 KiB pages"},
    {WHOLE("vm", s1_page, UNIT_BYTES, 0, 1 << 30), .fallback = "0",
     .help = "pages that the guest's own tables map; 0: as large as stage 2's leaves",
     .source = "assumed: Linux maps its memory by large blocks"},
    {SHARE("vm", off_access_share), .fallback = "0.3",
     .help = "memory accesses per guest instruction while its MMU is off", .source = "assumed"},
    {WHOLE("vm", off_access_bytes, UNIT_BYTES, 1, 64), .fallback = "16",
     .help = "of one access while its MMU is off, where a line used takes as many as fill it",
     .source = "two registers at a time (LDP, STP); a kexec that copied 25 MiB with its MMU off in "
               "0.44 s comes to 134 ns each then (kexec list, 2019-07-31)"},
    {CHOICE("vm", guest_maintenance, GUEST_CHOICES), .fallback = "linux",
     .help = "cache maintenance by the guest of a recorded or generated boot",
     .source = "Linux 5.10 to 7.1: head.S, flush.c (guest/linux_guest.h)"},
    {CHOICE("vm", placement, PLACEMENT_CHOICES), .fallback = "spread",
     .help = "on which of the host's sockets the vCPUs run; memory is where it is used first",
     .source = "load balancing of unbound threads (kernel/sched/fair.c)"},
    {KEY("vm", reset_stops_vcpus), .fallback = "yes",
     .help = "all vCPUs stand still from a reset's first re-init until each enters again",
     .source = "QEMU pauses all vCPUs before a system reset (main_loop_should_exit)"},
    {WHOLE("vm", density, UNIT_NONE, 1, 64), .fallback = "32",
     .help = "cache lines that an access uses of each 4 KiB it touches", .source = "assumed"},
    {WHOLE("vm", vm_registers, UNIT_NONE, 0, 1000), .fallback = "10",
     .help = "VM registers that a vCPU writes before it turns its MMU on",
     .source = "assumed: TTBR0, TTBR1, TCR, MAIR and the like, unverified"},

    {CHOICE("boot", firmware, FIRMWARE_CHOICES), .fallback = "direct",
     .help = "the VMM loads the kernel itself, or firmware that loads it"},
    {KEY("boot", reset), .fallback = "yes",
     .help = "a use and a reset come before the boot; no: it is the VM's first"},
    {WHOLE("boot", footprint, UNIT_BYTES, 1 << 20, BYTES_MAX), .fallback = "179M",
     .help = "guest memory in use, and mapped, at the reset; reset = no: what the boot touches, by "
             "default 51.3M, 3/128 of RAM, and 64M where RAM ends above 4G",
     .source = DIRECT "178.9 MiB; what boots of 256 MiB, 1 GiB and 4 GiB touch: 57.5, 78, 210 MiB"},
    {WHOLE("boot", rewrite, UNIT_BYTES, 0, BYTES_MAX), .fallback = "34M",
     .help = "what the VMM writes again at the reset; 1M with UEFI, where it is not given",
     .source = "recorded boots: 34.2 MiB direct, 1.0 MiB with UEFI"},
    {SHARE("boot", touched), .fallback = "32%",
     .help = "share of the footprint that the second boot touches; by default what a boot of that "
             "RAM does: 51M, 3/128 of RAM, and 64M where RAM ends above 4G; reset = no: 100%",
     .source = "recorded boots: 57.5 of 179 MiB, 78 of 842 MiB, 210 of 3282 MiB"},
    {WHOLE("boot", extents, UNIT_NONE, 1, 4096), .fallback = "127",
     .help = "pieces in which it touches them; fewer where they would be under 2 MiB",
     .source = DIRECT "its pages are 127 ranges"},
    {CHOICE("boot", order, BOOT_ORDER_CHOICES), .fallback = "recorded",
     .help = "the order of the pieces; recorded: as a recorded boot's, scaled",
     .source = "recorded boot n1-q-256m-c1-4k-f128"},
    {KEY("boot", zipf_exponent), .low = 0, .high = 4, .fallback = "1",
     .help = "how strongly order = zipf comes back to the same pieces", .source = "assumed"},
    {SHARE("boot", write_share), .fallback = "53%",
     .help = "share of the pieces that are written first, the rest is read",
     .source = DIRECT "7851 of 14717 faults"},
    {WHOLE("boot", execute, UNIT_BYTES, 0, BYTES_MAX), .fallback = "6624K",
     .help = "how much of what it touches is executed too, after the first access",
     .source = DIRECT "278 fetch and 1378 execute-permission faults; it does not grow with memory"},
    {WHOLE("boot", execute_places, UNIT_NONE, 1, 4096), .fallback = "11",
     .help = "pieces over which that spreads",
     .source = "recorded boots: 11 leaves of 2 MiB at 256 MiB, 1 GiB and 4 GiB of RAM"},
    {WHOLE("boot", mmu_on_bytes, UNIT_BYTES, 4096, BYTES_MAX), .fallback = "36K",
     .help = "what the first vCPU touches before its MMU is on; 4K with UEFI",
     .source = "recorded boots: 9 pages, which are 10 MiB of 2 MiB leaves; UEFI: one leaf"},
    {WHOLE("boot", mmu_on_places, UNIT_NONE, 1, 512), .fallback = "5",
     .help = "places, 2 MiB or more apart, over which these pages spread; 1 with UEFI",
     .source = "recorded boots: 5 leaves of 2 MiB"},
    {WHOLE("boot", mmu_off_insns, UNIT_INSNS, 0, 1e15), .fallback = "4426",
     .help = "instructions up to there; 712 with UEFI", .source = DIRECT "4426"},
    {WHOLE("boot", secondaries_after, UNIT_BYTES, 0, BYTES_MAX), .fallback = "33M",
     .help = "memory that the first vCPU touches before the others come up; by default 29M (UEFI "
             "168M), a 64th of RAM, and 64M where RAM ends above 4G",
     .source =
         "recorded boots: 32.8 MiB at 256 MiB of RAM (n1-q-256m-c2-4k-f0), 172 MiB with UEFI; "
         "memory map and bounce buffer as n1-q-4096m-c1-2m-f3072 touches them"},
    {WHOLE("boot", secondaries_after_min, UNIT_BYTES, 0, BYTES_MAX), .fallback = "31M",
     .help = "low end of what it may be; by default without bounce buffer and with a memory map "
             "of 2M, or secondaries_after where that is given",
     .source = "inferred: CONFIG_DEFERRED_STRUCT_PAGE_INIT leaves most of the memory map to later"},
    {WHOLE("boot", secondaries_after_max, UNIT_BYTES, 0, BYTES_MAX), .fallback = "37M",
     .help = "high end of what it may be; by default another 64th of RAM more, or "
             "secondaries_after where that is given",
     .source = "inferred: page extensions and hash tables, up to as much as the memory map"},
    {SHARE("boot", cached), .fallback = "100%",
     .help = "share of the footprint in the caches at the reset, as far as there is room",
     .source = "assumed"},
    {SHARE("boot", dirty), .fallback = "30%", .help = "share of that which is dirty",
     .source = "assumed"},
    {WHOLE("boot", insns_per_page, UNIT_INSNS, 0, 1e12), .fallback = "60770",
     .help = "guest instructions for each 4 KiB it touches",
     .source = DIRECT "894.35 M over 14717 pages"},
    {CHOICE("boot", dirty_log, BOOT_LOG_CHOICES), .fallback = "no",
     .help = "dirty logging from before the reset to after the rewrite (reset) or the boot"},
    {WHOLE("boot", later_passes, UNIT_NONE, 0, 1000), .fallback = "0",
     .help = "how often the guest then reads again what its boot touched"},
    {WHOLE("boot", seed, UNIT_NONE, 0, 1e15), .fallback = "1", .help = "of random and zipf order"},
};
const size_t workload_option_count = sizeof workload_options / sizeof *workload_options;

static const struct {
    const char *key, *instead;
} former_keys[] = {
    {"secondary_mmu_on", "a share of what is touched is no longer a key, expected "
                         "secondaries_after, the bytes that the first vCPU touches before the "
                         "others come up (by default from RAM)"},
};

const char *workload_former_key(const char *key)
{
    for (size_t i = 0; i < sizeof former_keys / sizeof *former_keys; i++) {
        if (strcmp(former_keys[i].key, key) == 0) {
            return former_keys[i].instead;
        }
    }
    return NULL;
}
