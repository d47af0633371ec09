/*
 * reference_line - one line of memory in every state that hardware may bring it into.
 *
 * A state is what memory, the data caches before the point of unification (PoU), the
 * unified caches between it and the point of coherency and two I-caches hold: the newest
 * bytes or older ones. A step plays one operation on every state of a set, and then lets
 * happen, in any order and number, all that may happen by itself. It knows nothing of the
 * oracle, which knows no states.
 */
#ifndef S2FLUSH_TESTS_REFERENCE_LINE_H
#define S2FLUSH_TESTS_REFERENCE_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, what is done, by which route, text) */
#define LINE_OPERATIONS(X)                                                           \
    X(GUEST_WRITES, WRITE, BACK, "guest writes, MMU on")                             \
    X(GUEST_WRITES_NC, WRITE, NC, "guest writes, MMU on, Non-cacheable")             \
    X(GUEST_WRITES_OFF, WRITE, OFF, "guest writes, MMU off")                         \
    X(GUEST_READS, READ, BACK, "guest reads, MMU on")                                \
    X(GUEST_READS_NC, READ, NC, "guest reads, MMU on, Non-cacheable")                \
    X(GUEST_READS_OFF, READ, OFF, "guest reads, MMU off")                            \
    X(GUEST_FETCHES, FETCH, BACK, "guest fetches, MMU on")                           \
    X(GUEST_FETCHES_OFF, FETCH, OFF, "guest fetches, MMU off, SCTLR_EL1.I = 0")      \
    X(GUEST_FETCHES_OFF_I, FETCH, OFF_I, "guest fetches, MMU off, SCTLR_EL1.I = 1")  \
    X(HOST_WRITES, WRITE, HOST, "host writes")                                       \
    X(HOST_WRITES_PAST, WRITE, PAST, "host writes, mismatched Non-cacheable")        \
    X(HOST_READS, READ, HOST, "host reads")                                          \
    X(HOST_READS_PAST, READ, PAST, "host reads, mismatched Non-cacheable")           \
    X(DEVICE_WRITES, WRITE, COHERENT_DMA, "coherent device writes")                  \
    X(DEVICE_WRITES_PAST, WRITE, DMA, "non-coherent device writes")                  \
    X(DEVICE_READS, READ, COHERENT_DMA, "coherent device reads")                     \
    X(DEVICE_READS_PAST, READ, DMA, "non-coherent device reads")                     \
    X(CLEANS_POC, CLEAN, POC, "DC CVAC; DSB")                                        \
    X(CLEANS_POU, CLEAN, POU, "DC CVAU; DSB")                                        \
    X(CLEANS_DROPS, CLEAN_AND_DROP, POC, "DC CIVAC; DSB")                            \
    X(CLEANS_DROPS_NO_DSB, CLEAN_AND_DROP, NO_DSB, "DC CIVAC, no DSB")               \
    X(GUEST_DROPS, DROP, BACK, "guest: DC IVAC; DSB")                                \
    X(HOST_DROPS, DROP, HOST, "host: DC IVAC; DSB")                                  \
    X(ICACHE_VA, DROP_ICACHES, BACK, "IC IVAU of the address it is fetched by; DSB") \
    X(ICACHE_OTHER_VA, DROP_ICACHES, ALIAS, "IC IVAU of another address; DSB")       \
    X(ICACHE_WHOLE, DROP_ICACHES, WHOLE, "IC IALLUIS; DSB")                          \
    X(ICACHE_NO_DSB, DROP_ICACHES, NO_DSB, "IC IALLUIS, no DSB")                     \
    X(FRESH_PAGE, RENEW, HOST, "the host exchanges the page for a fresh one")        \
    X(MAPS, MAP, HOST, "stage 2 maps it")                                            \
    X(MAPS_CODE, MAP_CODE, HOST, "stage 2 maps it executable")                       \
    X(UNMAPS, UNMAP, HOST, "stage 2 maps it no longer")                              \
    X(TLBI, END_TLB, HOST, "TLBI; DSB")                                              \
    X(RESET_BEGINS, STOP, HOST, "a reset begins: vCPUs stand still, or should")      \
    X(OTHER_ACTS, RUN_IN_RESET, BACK, "a vCPU that it has not reached yet acts")     \
    X(RESET_ENDS, STOP_ALL, HOST, "it reaches the last vCPU")                        \
    X(ENTERS, RUN, OFF, "a vCPU enters, MMU off")                                    \
    X(TURNS_ON, RUN, BACK, "it turns its MMU on")

#define LINE_OPERATION(name, what, route, text) LINE_##name,
enum line_operation { LINE_OPERATIONS(LINE_OPERATION) LINE_OPERATION_COUNT };
#undef LINE_OPERATION

struct line_hardware {
    bool fwb, dc, idc, dic, vipt;
};

/* What may happen by itself, beyond write-backs and evictions. */
#define MAY_FILL 1u /* speculative data fills */
#define MAY_FETCH 2u /* speculative instruction fetches */
#define MAY_RUN 4u /* vCPUs that a reset has not reached yet run on */

#define LINE_STATES 450
struct line_set {
    uint64_t states[(LINE_STATES + 63) / 64];
    bool mapped, code, left, left_code; /* by stage 2; by TLB entries left of it */
    bool running, past, others; /* a vCPU runs, MMU off; one may that should stand still */
};

/* Memory at rest, with the newest bytes in it, and what may have happened to that. */
void line_rest(struct line_set *set, const struct line_hardware *hw, unsigned may);

/* One operation, and all that may happen by itself after it. */
void line_step(struct line_set *set, enum line_operation operation, const struct line_hardware *hw,
               unsigned may);

/* Whether an operation reads; whether it then may read old bytes. */
bool line_reads(enum line_operation operation);
bool line_reads_old(const struct line_set *set, enum line_operation operation,
                    const struct line_hardware *hw);

/* What the reference consists of; a test takes out one at a time (-1: none). */
#define LINE_RULES(X)                                                                              \
    X(WRITES_STAY)                                                                                 \
    X(WRITES_AGE_COPIES)                                                                           \
    X(WRITES_AGE_ICACHES) X(READS_FILL) X(FETCHES_FILL_UNIFIED) X(FETCHES_FILL_ICACHES)            \
        X(FETCHES_HIT_ICACHES) X(DIRTY_MOVES) X(DIRTY_IS_WRITTEN_BACK) X(FILLS_AHEAD)              \
            X(FETCHES_AHEAD) X(RUNNING_WRITES) X(RUNNING_FETCHES) X(TLB_REACHES) X(TLBI_ENDS)      \
                X(CLEANS) X(CLEANS_AT_POU) X(DROPS) X(DROPS_DIRTY) X(GUEST_CLEANS)                 \
                    X(DSB_COMPLETES) X(DROPS_ICACHES) X(VIPT_MISSES) X(IDC_UNIFIES) X(FWB_UNIFIES) \
                        X(DIC_FOLLOWS) X(FWB_FORCES) X(DC_FORCES) X(OFF_IS_PAST) X(OFF_BY_I)       \
                            X(NC_STAYS) X(DMA_STAYS) X(DMA_AT_POU) X(FRESH_IS_NEW)
#define LINE_RULE(name) LINE_RULE_##name,
enum line_rule { LINE_RULES(LINE_RULE) LINE_RULE_COUNT };
#undef LINE_RULE
extern int line_without;

#endif
