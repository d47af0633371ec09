/*
 * platform - a machine as data: its capabilities and what its operations cost.
 *
 * A platform file gives every cost as low, mode and high with unit, source and
 * evidence. A run uses one value for each (the mode, or a draw between low and
 * high); price.h turns those values into the price of each event.
 */
#ifndef S2FLUSH_MACHINE_PLATFORM_H
#define S2FLUSH_MACHINE_PLATFORM_H

#include "core/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;
struct source_location;

/* X(name, unit, min, max, help): every cost that a platform file must give, but for the misfits:
 * these are the model's, not the machine's, and factors on prices (misfit.h). A draw has a
 * dimension for each cost in this order: one that comes last leaves the others' draws alone. */
#define COST_TABLE(X)                                                                              \
    X(kernel_cpi, UNIT_NONE, 0.05, 100, "cycles per instruction of the host kernel's paths")       \
    X(guest_cpi, UNIT_NONE, 0.05, 100, "cycles per instruction of the guest, caches warm")         \
    X(exit_ns, UNIT_NS, 0, 1e6, "guest to host kernel and back, the bare trap")                    \
    X(hvc_ns, UNIT_NS, 0, 1e6, "nVHE host to EL2 and back; 0 with VHE")                            \
    X(dc_absent_ns, UNIT_NS, 0, 1e5, "DC CIVAC of a line in no cache, per line of a sweep")        \
    X(dc_clean_ratio, UNIT_RATIO, 0, 100, "clean line over absent line")                           \
    X(dc_dirty_ratio, UNIT_RATIO, 0, 100, "dirty line over clean line")                            \
    X(dsb_ns, UNIT_NS, 0, 1e6, "the DSB that ends one maintenance range")                          \
    X(cmo_path_ns, UNIT_NS, 0, 1e5, "per line, the floor of the path that all cores share")        \
    X(writeback_gbps, UNIT_GBPS, 0.01, 1e5, "write-back bandwidth that all cores share")           \
    X(ic_line_ns, UNIT_NS, 0, 1e5, "IC IVAU per line")                                             \
    X(ic_all_ns, UNIT_NS, 0, 1e7, "IC IALLUIS and its DSB")                                        \
    X(tlbi_ns, UNIT_NS, 0, 1e7, "IPAS2E1IS; DSB; VMALLE1IS; DSB; ISB, with no other core at it")   \
    X(tlbi_local_ns, UNIT_NS, 0, 1e6, "the same sequence for the own core only")                   \
    X(tlbi_range_ns, UNIT_NS, 0, 1e7, "a range invalidation sequence")                             \
    X(memory_ns, UNIT_NS, 1, 1e5, "load latency from memory")                                      \
    X(overlap, UNIT_NONE, 1, 1000, "misses in flight at once when a guest fetches lines again")    \
    X(uncached_ns, UNIT_NS, 0, 1e6, "one guest access past the caches")                            \
    X(walk_read_ns, UNIT_NS, 0, 1e5, "one table read of the hardware walker")                      \
    X(zero_gbps, UNIT_GBPS, 0.01, 1e5, "fresh pages cleared by one core of the host")              \
    X(zero_path_gbps, UNIT_GBPS, 0.01, 1e6, "fresh pages cleared by all cores together")           \
    X(copy_gbps, UNIT_GBPS, 0.01, 1e5, "images copied by one core of the VMM")                     \
    X(lock_handover_ns, UNIT_NS, 0, 1e6, "a contended lock passing to the next waiter")            \
    X(line_move_ns, UNIT_NS, 0, 1e5, "a line that another core changed, fetched to change it")     \
    X(range_cmo_ns, UNIT_NS, 0, 1e7, "a command that cleans a physical range, whatever its size")  \
    X(range_cmo_gbps, UNIT_GBPS, 0.01, 1e6, "memory that such commands cover in a time")           \
    X(tlbi_path_ratio, UNIT_RATIO, 0, 100, "part of tlbi_ns before the next core's can begin")     \
    X(path_misfit, UNIT_RATIO, 0.01, 100, "the model's error in the kernel's paths, traps, walks") \
    X(lines_misfit, UNIT_RATIO, 0.01, 100, "the same in cache maintenance")                        \
    X(tlbi_misfit, UNIT_RATIO, 0.01, 100, "the same in TLB invalidation")                          \
    X(wait_misfit, UNIT_RATIO, 0.01, 100, "the same in what passes from core to core with a lock") \
    X(access_misfit, UNIT_RATIO, 0.01, 100, "the same in accesses of guest, VMM and host")         \
    X(remote_ratio, UNIT_RATIO, 0.01, 100, "a line of another socket's memory over one's own")

enum cost_id {
#define COST_ENUM(name, unit, min, max, help) COST_##name,
    COST_TABLE(COST_ENUM)
#undef COST_ENUM
        COSTS
};

extern const char *const cost_name[COSTS];

/* The cost of that name; COSTS: there is none. */
enum cost_id cost_find(const char *name);

/* What a row of the table says of a cost beside its name. */
struct cost_entry {
    enum unit unit;
    double min, max;
    const char *help;
};
extern const struct cost_entry cost_entry[COSTS];

struct cost {
    double low, mode, high;
    /* Of a fitted cost: what it was thought to be before the fit, two standard
     * deviations either way; the fit takes it as one more measurement. 0: none. */
    double prior_low, prior_high;
    char source[192];
    char evidence[16];
    char basis[192];
    unsigned given; /* which of these keys stood in the file, a bit each */
    unsigned line; /* where the last of them stood */
};

struct platform {
    char name[48];
    char base[48]; /* whose costs it has where its file gives none; "": of no other */
    char title[96];
    char caps_source[192];
    char caps_evidence[16];
    char note[192];
    uint64_t cores;
    uint64_t sockets; /* each with an equal part of the cores and of the cache */
    double clock_ghz;
    uint64_t cache_bytes; /* in which a guest's line can sit before memory */
    uint64_t cache_ways;
    uint64_t line_bytes;
    bool fwb, dic, idc, tlbirange, vhe, lpa2;
    bool erratum_4118414; /* a TLB invalidation must be broadcast a third time */
    bool vipt; /* the L1 I-cache is virtually indexed and may hold aliases */
    struct cost cost[COSTS];
    uint32_t given; /* which keys of [machine] stood in the file, a bit each */
};

/* The keys of [machine]; those without a default must be in the file. */
extern const struct option_row platform_options[];
extern const size_t platform_option_count;

/* Reads a platform file and checks that every cost is there and in order
 * (low <= mode <= high), with a source, and that no key of [machine] is missing. */
bool platform_read(const char *path, struct platform *platform, struct error *err);

/* Writes a platform as a file that platform_read reads to the same. */
void platform_write(const struct platform *platform, FILE *out);

/* Reads the platform of that name: a path to a file, or the name of one under
 * the data folder's platforms/. An unknown name suggests the nearest. */
bool platform_load(const char *name, struct platform *platform, struct error *err);

/* What takes the place of a cost that earlier versions had; NULL: there was none. */
const char *platform_former_cost(const char *name);

/* Sets one cost to a fixed value (low = mode = high), as `--set` does. */
bool platform_override(struct platform *platform, const char *cost, const char *text,
                       const struct source_location *at, struct error *err);

/* All modes, into value[COSTS]. */
void platform_modes(const struct platform *platform, double value[COSTS]);

/* A copy with the capabilities of a recorded CPU (`cpus.ini`: cortex-a72,
 * neoverse-n1, max, ...) and the costs of `base`. */
bool platform_as_cpu(const char *cpu, const struct platform *base, struct platform *platform,
                     struct error *err);

#endif
