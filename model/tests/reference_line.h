/*
 * reference_line - one line of memory: what may hold it, what is done to it, and what may
 * become of it by itself. It knows nothing of the oracle. reference_set.h plays it on
 * every state that the line may be in.
 */
#ifndef S2FLUSH_TESTS_REFERENCE_LINE_H
#define S2FLUSH_TESTS_REFERENCE_LINE_H

#include <stdbool.h>

enum bytes { ABSENT, OLD, NEW };

struct copy {
    enum bytes bytes;
    bool dirty; /* to be written back */
};

struct line_state {
    enum bytes memory; /* OLD or NEW */
    struct copy data; /* in data caches, before the point of unification (PoU) */
    struct copy unified; /* in unified caches between it and the point of coherency (PoC) */
    enum bytes icache; /* in the I-cache of the core that fetches next */
};

/* All that can happen to a state; several at once happen in this order. */
enum event {
    WRITE = 1, /* through the caches */
    WRITE_AT_POU = 2, /* through them, by a device */
    WRITE_PAST = 4, /* past them */
    RENEW = 8, /* other memory takes its place */
    DATA_DOWN = 16, /* from data caches to the unified ones */
    UNIFIED_DOWN = 32, /* from these to memory */
    DROP = 64, /* from all of them, dirty or not */
    DATA_GO = 128, /* what is clean leaves data caches */
    UNIFIED_GO = 256, /* and unified ones */
    ICACHE_GOES = 512,
    FETCH = 1024, /* into the I-cache, through the caches */
    FETCH_PAST = 2048, /* past them */
    DATA_FILL = 4096,
    UNIFIED_FILL = 8192
};

/* X(name, by which route, what it reads, what happens at once, text). IF(rule, events) are
 * those events, but for where a test takes the rule out. */
#define LINE_OPERATIONS(X)                                                                      \
    X(GUEST_WRITES, BACK, NOTHING, WRITES, "guest writes, MMU on")                              \
    X(GUEST_WRITES_NC, NC, NOTHING, WRITES, "guest writes, MMU on, Non-cacheable")              \
    X(GUEST_WRITES_OFF, OFF, NOTHING, WRITES, "guest writes, MMU off")                          \
    X(GUEST_READS, BACK, DATA, READS, "guest reads, MMU on")                                    \
    X(GUEST_READS_NC, NC, DATA, READS, "guest reads, MMU on, Non-cacheable")                    \
    X(GUEST_READS_OFF, OFF, DATA, READS, "guest reads, MMU off")                                \
    X(GUEST_FETCHES, BACK, CODE, FETCHES, "guest fetches, MMU on")                              \
    X(GUEST_FETCHES_OFF, OFF, CODE, FETCHES, "guest fetches, MMU off, SCTLR_EL1.I = 0")         \
    X(GUEST_FETCHES_OFF_I, OFF_I, CODE, FETCHES, "guest fetches, MMU off, SCTLR_EL1.I = 1")     \
    X(HOST_WRITES, COHERENT, NOTHING, WRITES, "host writes")                                    \
    X(HOST_WRITES_PAST, PAST, NOTHING, WRITES, "host writes, mismatched Non-cacheable")         \
    X(HOST_READS, COHERENT, DATA, READS, "host reads")                                          \
    X(HOST_READS_PAST, PAST, DATA, READS, "host reads, mismatched Non-cacheable")               \
    X(DEVICE_WRITES, COHERENT, NOTHING, DEVICE_WRITES_AT, "coherent device writes")             \
    X(DEVICE_WRITES_PAST, PAST, NOTHING, WRITES, "non-coherent device writes")                  \
    X(DEVICE_READS, COHERENT, DATA, READS, "coherent device reads")                             \
    X(DEVICE_READS_PAST, PAST, DATA, READS, "non-coherent device reads")                        \
    X(CLEANS_POC, NONE, NOTHING, CLEANS_TO_POC, "DC CVAC; DSB")                                 \
    X(CLEANS_POU, NONE, NOTHING, IF(CLEANS_AT_POU, DATA_DOWN), "DC CVAU; DSB")                  \
    X(CLEANS_DROPS, NONE, NOTHING, CLEANS_TO_POC | DROPS_ALL, "DC CIVAC; DSB")                  \
    X(CLEANS_DROPS_NO_DSB, NONE, NOTHING, CLEANS_TO_POC | DROPS_ALL, "DC CIVAC, no DSB")        \
    X(GUEST_DROPS, NONE, NOTHING, IF(GUEST_CLEANS, TO_POC) | DROPS_ALL, "guest: DC IVAC; DSB")  \
    X(HOST_DROPS, NONE, NOTHING, IF_NOT(DROPS_DIRTY, TO_POC) | DROPS_ALL, "host: DC IVAC; DSB") \
    X(ICACHE_VA, NONE, NOTHING, DROPS_CODE, "IC IVAU of the address it is fetched by; DSB")     \
    X(ICACHE_OTHER_VA, NONE, NOTHING, vipt ? 0 : DROPS_CODE, "IC IVAU of another address; DSB") \
    X(ICACHE_WHOLE, NONE, NOTHING, DROPS_CODE, "IC IALLUIS; DSB")                               \
    X(ICACHE_NO_DSB, NONE, NOTHING, DROPS_CODE, "IC IALLUIS, no DSB")                           \
    X(FRESH_PAGE, NONE, NOTHING, IF(FRESH_IS_NEW, RENEW),                                       \
      "the host exchanges the page for a fresh one")                                            \
    X(MAPS, NONE, NOTHING, 0, "stage 2 maps it")                                                \
    X(MAPS_CODE, NONE, NOTHING, 0, "stage 2 maps it executable")                                \
    X(UNMAPS, NONE, NOTHING, 0, "stage 2 maps it no longer")                                    \
    X(TLBI, NONE, NOTHING, 0, "TLBI; DSB")                                                      \
    X(RESET_BEGINS, NONE, NOTHING, 0, "a reset begins: vCPUs stand still, or should")           \
    X(OTHER_ACTS, NONE, NOTHING, 0, "a vCPU that it has not reached yet acts")                  \
    X(RESET_ENDS, NONE, NOTHING, 0, "it reaches the last vCPU")                                 \
    X(ENTERS, NONE, NOTHING, 0, "a vCPU enters, MMU off")                                       \
    X(TURNS_ON, NONE, NOTHING, 0, "it turns its MMU on")

#define LINE_OPERATION(name, route, reads, does, text) LINE_##name,
enum line_operation { LINE_OPERATIONS(LINE_OPERATION) LINE_OPERATION_COUNT };
#undef LINE_OPERATION

struct line_hardware {
    bool fwb, dc, idc, dic, vipt;
};

void line_let(struct line_state *s, enum event event, const struct line_hardware *hw);

/* What an operation makes happen, and whether it may be still to come; whether it reads, and
 * then old bytes. */
unsigned line_does(enum line_operation operation, const struct line_hardware *hw);
bool line_waits(enum line_operation operation);
bool line_reads(enum line_operation operation);
bool line_reads_old(struct line_state s, enum line_operation operation,
                    const struct line_hardware *hw);

/* Who can reach the line, as operations change that. */
struct reach {
    bool mapped, code, left, left_code; /* by stage 2; by TLB entries left of it */
    bool running, past, others; /* a vCPU runs, MMU off; one may that should stand still */
};
void line_reach(struct reach *r, enum line_operation operation, const struct line_hardware *hw);

/* What may happen by itself then, where this is allowed. */
#define MAY_FILL 1u /* speculative data fills */
#define MAY_FETCH 2u /* speculative instruction fetches */
#define MAY_RUN 4u /* vCPUs that a reset has not reached yet run on */
unsigned line_may(struct reach r, const struct line_hardware *hw, unsigned allowed);

/* The rules; a test takes out one at a time (-1: none). */
#define LINE_RULES(X)                                                                 \
    X(WRITES_STAY, "what is written through the caches stays in them, dirty")         \
    X(WRITES_AGE_COPIES, "a write makes old what data and unified caches hold")       \
    X(WRITES_AGE_ICACHES, "and what I-caches hold")                                   \
    X(READS_FILL, "a read through the caches leaves a copy")                          \
    X(FETCHES_FILL_UNIFIED, "so does a fetch, in the unified caches")                 \
    X(FETCHES_FILL_ICACHES, "and by any route in the I-cache")                        \
    X(FETCHES_HIT_ICACHES, "which the next fetch takes it from")                      \
    X(DIRTY_MOVES, "a dirty line moves down to the unified caches at any time")       \
    X(DIRTY_IS_WRITTEN_BACK, "and on to memory")                                      \
    X(FILLS_AHEAD, "data are read ahead of any access")                               \
    X(FETCHES_AHEAD, "so are instructions, while a vCPU runs that may execute them")  \
    X(RUNNING_WRITES, "a vCPU that runs on writes what it reaches")                   \
    X(RUNNING_FETCHES, "and executes it")                                             \
    X(TLB_REACHES, "a TLB entry that is left of a mapping reaches like the mapping")  \
    X(TLBI_ENDS, "until it is invalidated")                                           \
    X(CLEANS, "DC CVAC and CIVAC bring dirty lines to memory")                        \
    X(CLEANS_AT_POU, "DC CVAU to the PoU")                                            \
    X(DROPS, "DC CIVAC and IVAC leave no copy in data and unified caches")            \
    X(DROPS_DIRTY, "DC IVAC by the host loses what is dirty")                         \
    X(GUEST_CLEANS, "by a guest it cleans: HCR_EL2.VM is 1")                          \
    X(DSB_COMPLETES, "without a DSB, maintenance may be still to come")               \
    X(DROPS_ICACHES, "IC IALLUIS and IVAU leave no copy in any I-cache")              \
    X(VIPT_MISSES, "but for IVAU of another address, where they are VIPT")            \
    X(IDC_UNIFIES, "with CTR_EL0.IDC, fetches see what data caches hold")             \
    X(FWB_UNIFIES, "so they do with FEAT_S2FWB")                                      \
    X(DIC_FOLLOWS, "with CTR_EL0.DIC, I-caches keep nothing that may be old")         \
    X(FWB_FORCES, "with FEAT_S2FWB, all accesses of the guest go through the caches") \
    X(DC_FORCES, "with HCR_EL2.DC, all with its MMU off")                             \
    X(OFF_IS_PAST, "else accesses with the MMU off go past them")                     \
    X(OFF_BY_I, "but for fetches where SCTLR_EL1.I is 1")                             \
    X(NC_STAYS, "Non-cacheable accesses go past the caches")                          \
    X(DMA_STAYS, "what a coherent device writes stays in a cache, dirty")             \
    X(DMA_AT_POU, "at the PoU")                                                       \
    X(FRESH_IS_NEW, "a fresh page holds the newest bytes, and they are in memory")
#define LINE_RULE(name, rule) LINE_RULE_##name,
enum line_rule { LINE_RULES(LINE_RULE) LINE_RULE_COUNT };
#undef LINE_RULE
extern int line_without;

#endif
