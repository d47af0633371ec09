/*
 * shadow - for each line of memory, what caches may hold of it besides the newest bytes.
 *
 * Two answers are kept. One takes only what accesses bring into caches; the other also what
 * speculation may: any line into data caches at any time, and into I-caches all of a page that
 * is executed. In both, whatever may be evicted or written back counts as having been, and as not
 * having been.
 */
#ifndef S2FLUSH_PROOF_SHADOW_H
#define S2FLUSH_PROOF_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_BYTES UINT64_C(64)
#define PAGE_BYTES UINT64_C(4096)

/* X(name, rule); a run may leave one out, to see that it is needed. */
#define SHADOW_RULES(X)                                                           \
    X(MEMORY_LAGS, "what is written through the caches may be missing in memory") \
    X(POU_LAGS, "and at the point of unification (PoU)")                          \
    X(COPY, "an access through the caches leaves a copy")                         \
    X(FILL, "speculation may, at any time")                                       \
    X(OLD_COPY, "a write past the caches makes copies old")                       \
    X(WRITE_BACK, "a dirty line may be written back over newer bytes in memory")  \
    X(CLEAN, "a clean brings dirty lines to memory")                              \
    X(CLEAN_POU, "or to the PoU")                                                 \
    X(DROP, "an invalidation leaves no copy in data caches")                      \
    X(DSB, "maintenance has its effect with the DSB behind it")                   \
    X(CODE, "a fetch leaves a copy in I-caches")                                  \
    X(CODE_AHEAD, "of the whole page, by speculation")                            \
    X(OLD_CODE, "a write makes that copy old")                                    \
    X(ICACHE, "IC IALLU, IALLUIS and IVAU take copies from I-caches")             \
    X(ZERO, "DC ZVA writes")                                                      \
    X(OFF, "data accesses with the MMU off or SCTLR.C = 0 go past the caches")    \
    X(OFF_FETCH, "so do fetches where SCTLR.I = 0")                               \
    X(FORCED, "not in a guest with HCR_EL2.FWB or, with its MMU off, HCR_EL2.DC")

#define SHADOW_RULE(name, rule) SHADOW_##name,
enum shadow_rule { SHADOW_RULES(SHADOW_RULE) SHADOW_RULE_COUNT };
#undef SHADOW_RULE
extern int shadow_without; /* -1: none is left out */
#define SHADOW_HAS(name) (shadow_without != SHADOW_##name)
bool shadow_leave_out(const char *name);

/* Who wrote: for reports. */
struct shadow_writer {
    uint64_t pc;
    uint8_t who, vcpu;
};

/* What a reader may get. */
enum shadow_found { FOUND_NEW, FOUND_OLD_AHEAD, FOUND_OLD };
enum shadow_where { IN_MEMORY, IN_DATA_CACHE, AT_POU, IN_ICACHE, NOWHERE };
struct shadow_answer {
    enum shadow_found found; /* old bytes, if anything was read ahead; old bytes */
    enum shadow_where where; /* they are */
    struct shadow_writer writer; /* of the newest */
};

/* The RAM; only addresses in it may be given to what follows. CTR_EL0.IDC and .DIC. */
bool shadow_init(uint64_t base, uint64_t bytes);
bool shadow_holds(uint64_t address);
void shadow_caches(bool idc, bool dic);

/* One access within a line; `past`: past the caches. Data are old by lines, code by instructions,
 * for literals stand beside them. */
void shadow_write(uint64_t address, uint64_t bytes, bool past, struct shadow_writer writer);
struct shadow_answer shadow_read(uint64_t address, bool past);
struct shadow_answer shadow_fetch(uint64_t address, uint64_t bytes, bool past);

/* Maintenance, which is done when the vCPU's next DSB comes. */
enum shadow_op {
    DO_CLEAN_POC,
    DO_CLEAN_POU,
    DO_CLEAN_DROP,
    DO_DROP,
    DO_ICACHE_LINE,
    DO_ICACHE_ALL
};
void shadow_maintain(unsigned vcpu, enum shadow_op op, uint64_t address);
void shadow_dsb(unsigned vcpu);

/* Grows with everything that may make a line old for a fetch that was right before. */
extern uint64_t shadow_code_changes;

#endif
