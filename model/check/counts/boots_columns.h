/*
 * boots_columns - what a played recording says for each column of phases.csv.
 */
#ifndef S2FLUSH_CHECK_COUNTS_BOOTS_COLUMNS_H
#define S2FLUSH_CHECK_COUNTS_BOOTS_COLUMNS_H

#include "guest/recording/recording.h"
#include "run/recorded.h"

struct error;

/* A recording and, once played, what came out. */
struct boots_played {
    struct recording_info info;
    struct timeline timeline;
    struct platform platform;
    struct kernel kernel;
    struct recorded *run; /* NULL: not played */
    bool read;
};

/* Reads a recording and resolves the kernel and CPU it was recorded on. */
bool boots_read(struct boots_played *played, const char *recording, struct error *err);

/* Plays it. */
bool boots_run(struct boots_played *played, struct error *err);

/* Also for one that was not read or not played, as long as it is zeroed. */
void boots_free(struct boots_played *played);

/* The timeline's phase of that name, or NO_PHASE: all its counts are 0. */
#define NO_PHASE (UINT32_MAX - 1)
uint32_t boots_phase(const struct boots_played *played, const char *name);

enum boot_column {
    BOOT_GUEST_INSNS,
    BOOT_FAULTS,
    BOOT_FAULT_W,
    BOOT_FAULT_R,
    BOOT_FAULT_X,
    BOOT_PERM_X,
    BOOT_PERM_W,
    BOOT_FAULT_NONE,
    BOOT_TOUCHED,
    BOOT_MAPPED_START,
    BOOT_MAPPED_END,
    BOOT_REINITS,
    BOOT_MMU_ON_FLUSH,
    BOOT_UNMAP_VM,
    BOOT_SETWAY,
    BOOT_UNMAPS,
    BOOT_UNMAPS_MIB,
    BOOT_MEMSLOTS,
    BOOT_VMM_WRITE,
    BOOT_DC_CIVAC,
    BOOT_IC_IVAU,
    BOOT_COLUMNS
};

struct boot_count {
    const char *name; /* in phases.csv */
    bool text; /* several values in one cell; empty says that there were none */
    enum event_kind kind[3]; /* whose sum it is */
    uint32_t kinds;
    bool by_slots; /* outside of whole-VM unmaps: of slots that go, and notifiers */
    uint64_t (*count)(const struct boots_played *played, uint32_t phase); /* NULL: events */
    double scale; /* what one unit of the column is in counts; 1: a whole number */
    void (*format)(const struct boots_played *played, const struct boot_count *column,
                   uint32_t phase, char *buf, size_t size);
};

extern const struct boot_count boot_columns[BOOT_COLUMNS];

/* Columns that no mechanism of the model gives, and why. */
struct boot_gap {
    const char *name, *reason;
};
extern const struct boot_gap boot_unclaimed[];
extern const size_t boot_unclaimed_count;

#endif
