/*
 * workload_values - what the keys of a workload file set, and the parts of a
 * workload that its own files share.
 */
#ifndef S2FLUSH_GUEST_WORKLOAD_WORKLOAD_VALUES_H
#define S2FLUSH_GUEST_WORKLOAD_WORKLOAD_VALUES_H

#include "core/units.h"
#include "guest/timeline.h"

enum play { PLAY_SERIAL, PLAY_CONCURRENT };
enum firmware { FIRMWARE_DIRECT, FIRMWARE_UEFI };

/* In which order the second boot touches its extents. */
enum boot_order { ORDER_SEQUENTIAL, ORDER_STRIDED, ORDER_RANDOM, ORDER_ZIPF, ORDER_RECORDED };

/* When dirty logging is on in a generated reboot, and until when. */
enum boot_log { BOOT_LOG_NO, BOOT_LOG_RESET, BOOT_LOG_BOOT };

struct workload_values {
    char name[96], title[160], recording[512];
    int play;

    uint64_t ram, ram_ipa, ram_misalign, ipa_bits, vcpus, copies;
    uint64_t s1_levels, s1_page, density, vm_registers;
    int granule, backing; /* backing: enum backing, or BACKINGS for "as recorded" */
    double off_access_share;

    int firmware, order, dirty_log;
    uint64_t footprint, rewrite, extents, seed;
    double touched, write_share, cached, dirty, secondary_mmu_on, zipf_exponent;
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
                        const char *value, const struct place *at, struct error *err);

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
