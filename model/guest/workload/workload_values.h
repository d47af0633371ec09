/*
 * workload_values - what the keys of a workload file set, and the parts of a
 * workload that its own files share.
 */
#ifndef S2FLUSH_GUEST_WORKLOAD_WORKLOAD_VALUES_H
#define S2FLUSH_GUEST_WORKLOAD_WORKLOAD_VALUES_H

#include "core/option.h"
#include "guest/timeline.h"

struct error;
struct source_location;

#define PLAY_CHOICES(X)                                                    \
    X(PLAY_SERIAL, "serial", "one operation after another, as they stand") \
    X(PLAY_CONCURRENT, "concurrent", "each actor its own, in order by signals")
CHOICE_ENUM(play, PLAY_CHOICES);

/* What the guest of a recorded or generated boot does about caches. */
#define GUEST_CHOICES(X)                       \
    X(GUEST_LINUX, "linux", "what Linux does") \
    X(GUEST_WITHOUT, "none", "nothing")
CHOICE_ENUM(guest_maintenance_by, GUEST_CHOICES);

#define GRANULE_CHOICES(X)                    \
    X(GRANULE_4K, "4K", "blocks of 2 MiB")    \
    X(GRANULE_16K, "16K", "blocks of 32 MiB") \
    X(GRANULE_64K, "64K", "blocks of 512 MiB")
CHOICE_ENUM(granule, GRANULE_CHOICES);

#define FIRMWARE_CHOICES(X)                                  \
    X(FIRMWARE_DIRECT, "direct", "the VMM loads the kernel") \
    X(FIRMWARE_UEFI, "uefi", "firmware runs first and loads it")
CHOICE_ENUM(firmware, FIRMWARE_CHOICES);

/* In which order the second boot touches its extents. */
#define BOOT_ORDER_CHOICES(X)                                           \
    X(ORDER_SEQUENTIAL, "sequential", "by address")                     \
    X(ORDER_STRIDED, "strided", "every so many")                        \
    X(ORDER_RANDOM, "random", "shuffled")                               \
    X(ORDER_ZIPF, "zipf", "shuffled, and some of them again and again") \
    X(ORDER_RECORDED, "recorded", "as a recorded boot's, scaled")
CHOICE_ENUM(boot_order, BOOT_ORDER_CHOICES);

/* When dirty logging is on in a generated reboot, and until when. */
#define BOOT_LOG_CHOICES(X)                                            \
    X(BOOT_LOG_NO, "no", "never")                                      \
    X(BOOT_LOG_RESET, "reset", "from before the reset to the rewrite") \
    X(BOOT_LOG_BOOT, "boot", "to the end of the boot")
CHOICE_ENUM(boot_log, BOOT_LOG_CHOICES);

struct workload_values {
    char name[96], title[160], recording[512];
    enum play play;

    uint64_t ram, ram_ipa, ram_misalign, ipa_bits, vcpus, copies;
    uint64_t s1_levels, s1_page, density, vm_registers;
    enum granule granule;
    enum backing backing; /* BACKINGS: as recorded */
    double off_access_share;
    uint64_t off_access_bytes;
    enum guest_maintenance_by guest_maintenance;
    enum placement placement;
    bool reset_stops_vcpus;

    enum firmware firmware;
    enum boot_order order;
    enum boot_log dirty_log;
    bool reset;
    uint64_t footprint, rewrite, extents, seed;
    double touched, write_share, cached, dirty, zipf_exponent;
    uint64_t secondaries_after, secondaries_after_min, secondaries_after_max;
    uint64_t mmu_on_bytes, execute, execute_places, mmu_on_places, mmu_off_insns, insns_per_page,
        later_passes;
};

/* A slot of the VM under the name that [timeline] lines use. */
struct named_slot {
    char name[48];
    unsigned line; /* where the file begins it; 0: the RAM */
    struct slot_shape shape;
};

struct slot_list {
    struct named_slot slots[TIMELINE_SLOTS];
    uint32_t count;
};

/* A line of [timeline] as it stands in the file. */
struct script_line {
    unsigned line;
    char *actor; /* "phase", "vmm", "vcpu0", ... */
    char *text;
};

struct script_lines {
    struct script_line *lines;
    size_t count, room;
};

#define WORKLOAD_KEYS 64

struct workload {
    char path[4096];
    struct workload_values values;
    bool given[WORKLOAD_KEYS]; /* by place in workload_options */
    struct slot_list slots; /* [slot NAME]; the RAM is no part of it */
    struct script_lines lines;
    unsigned timeline_line, boot_line; /* where those sections begin; 0: nowhere */
};

/* Whether the file, a study or the command line set that key. */
bool workload_given(const struct workload *workload, const char *key);

/* Takes one line of a section [slot NAME]. */
bool workload_slot_line(struct slot_list *list, const char *slot_name, const char *name,
                        const char *value, const struct source_location *at, struct error *err);

/* Refuses keys and slots that a recording answers itself. */
bool workload_check_recorded(const struct workload *workload, struct error *err);

/* The pages that all addresses and sizes of a workload are whole numbers of. */
#define WORKLOAD_PAGE UINT64_C(4096)

/* Adds the operations of [timeline] lines to an empty timeline whose VM is set
 * up. `slots` are the VM's, by the same indices. False with one line that
 * names file and line. */
bool workload_play_lines(const char *file, const struct script_lines *lines,
                         const struct slot_list *slots, uint16_t density, struct timeline *timeline,
                         struct error *err);

#endif
