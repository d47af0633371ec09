/*
 * oracle_rules - the rules by which the oracle judges, each with its source.
 *
 * Sections are those of the Arm Architecture Reference Manual, DDI 0487 K.a and later.
 * "Data caches" are all data and unified caches before the point of coherency (PoC);
 * all agents that reach them through cacheable mappings see one copy (Inner Shareable).
 *
 * oracle.c asks RULE(NAME) in the one place where a rule acts. A test builds it with
 * another RULE, leaves each rule out in turn and finds a sequence of operations whose
 * verdict then is wrong (tests/test_reference.c).
 */
#ifndef S2FLUSH_MACHINE_ORACLE_RULES_H
#define S2FLUSH_MACHINE_ORACLE_RULES_H

/* X(name, rule, source) */
#define ORACLE_RULES(X)                                                                          \
    X(MEMORY_LAGS,                                                                               \
      "bytes written through the caches may be missing in memory until a clean "                 \
      "to the PoC",                                                                              \
      "B2.16: after writing with the Write-Back attribute, clean")                               \
    X(POU_LAGS,                                                                                  \
      "they may be missing at the point of unification (PoU) until a clean to the "              \
      "PoU",                                                                                     \
      "D7.5.8.1.2")                                                                              \
    X(IDC, "not where CTR_EL0.IDC is 1 in effect: fetches see what data accesses see",           \
      "CTR_EL0: 1 also where CLIDR_EL1.LoUU and LoUIS are 0")                                    \
    X(FWB_IDC, "FEAT_S2FWB has that effect: no level has to be cleaned to the PoU",              \
      "CLIDR_EL1.LoUU and LoUIS are 0 with FEAT_S2FWB")                                          \
    X(ONE_COPY, "a write through the caches leaves no older copy in any data cache", "D7.5.1")   \
    X(READ_ALLOCATES, "a read or fetch through the caches may leave a copy in a data cache",     \
      "D7.5.1")                                                                                  \
    X(FILL,                                                                                      \
      "a copy may be there at any time, by speculation, while any cacheable mapping of "         \
      "the memory exists: the host's linear map always does",                                    \
      "D7.5.1")                                                                                  \
    X(OLD_COPY, "a write past the caches makes the copies in them old",                          \
      "B2.16: before reading with a cacheable attribute, invalidate")                            \
    X(WRITE_BACK, "a dirty line is written back at any time, also over newer bytes in memory",   \
      "B2.16: before writing without the Write-Back attribute, clean or invalidate; D7.5.1")     \
    X(CLEAN_BACK, "a clean of an old dirty line writes it over them", "D7.5.8.1.2")              \
    X(PAST, "bytes written past the caches are in memory", "B2.16")                              \
    X(CLEAN_POC, "DC CVAC brings a dirty line to memory and leaves a clean copy", "D7.5.9.5")    \
    X(CLEAN_POU, "DC CVAU brings it to the PoU only", "D7.5.9.11")                               \
    X(INVALIDATE, "DC CIVAC and DC IVAC leave no copy in any data cache", "D7.5.9.5")            \
    X(INVALIDATE_DROPS, "DC IVAC by the host may drop a dirty line's bytes", "D7.5.8.1.2")       \
    X(GUEST_INVALIDATE, "DC IVAC by a guest cleans, too: HCR_EL2.VM is 1", "D7.5.9.2")           \
    X(DSB, "maintenance has an effect to rely on once a DSB has completed it", "D7.5.9.15")      \
    X(FETCH_FILLS,                                                                               \
      "an I-cache may keep what was fetched, also through a Non-cacheable or "                   \
      "disabled stage 1",                                                                        \
      "D7.5.7")                                                                                  \
    X(FETCH_OLD, "and if that was old, it stays old", "D7.5.7")                                  \
    X(ICACHE_LAGS,                                                                               \
      "bytes written by anybody may be missing in I-caches until these are "                     \
      "invalidated",                                                                             \
      "D7.5.7")                                                                                  \
    X(DIC, "not where CTR_EL0.DIC is 1", "CTR_EL0")                                              \
    X(FETCH_AHEAD,                                                                               \
      "while a vCPU runs, its I-cache may be filled by speculation from any "                    \
      "executable leaf",                                                                         \
      "D7.5.1")                                                                                  \
    X(ICACHE_INVALIDATE,                                                                         \
      "IC IALLUIS leaves no copy in any I-cache; IC IALLU of a guest the "                       \
      "same: HCR_EL2.FB is 1",                                                                   \
      "D7.5.9.12, D7.5.9.13")                                                                    \
    X(ICACHE_VA, "IC IVAU leaves none of the addresses given", "D7.5.9.13")                      \
    X(ICACHE_ALIAS, "and none of other addresses of the same memory, but not in a VIPT I-cache", \
      "D7.5.9.13, note b")                                                                       \
    X(TLB, "a leaf that was unmapped is a mapping as long as TLB entries of it may be left",     \
      "Translation Lookaside Buffers")                                                           \
    X(TLBI, "none is once a DSB has completed their invalidation", "TLB maintenance")            \
    X(RUN_ON, "a vCPU that runs on during a reset may read, write and execute what it reaches",  \
      "")                                                                                        \
    X(MMU_OFF, "data accesses with the MMU off are Device-nGnRnE, and go past the caches",       \
      "D8.2.12.1")                                                                               \
    X(FETCH_OFF,                                                                                 \
      "so do fetches with the MMU off where SCTLR_EL1.I is 0; where it is 1 they "               \
      "are cacheable",                                                                           \
      "D8.2.12.1, D7.5.5")                                                                       \
    X(NONCACHEABLE, "stage 1 Non-cacheable stays so over a Write-Back stage 2", "D8.6")          \
    X(FWB, "with FEAT_S2FWB and MemAttr 0b110 all accesses of the guest are Write-Back", "D8.6") \
    X(DC, "with HCR_EL2.DC all accesses with the MMU off are Write-Back", "D7.5.5")              \
    X(DEVICE_POC, "what a coherent device writes may stay in a cache before the PoC", "D7.5.12") \
    X(DEVICE_POU, "where instruction fetches find it", "D7.5.8.1.2")                             \
    X(FRESH, "pages that the host gave up come back new to all", "")

#define ORACLE_RULE_NAME(name, rule, source) RULE_##name,
enum oracle_rule { ORACLE_RULES(ORACLE_RULE_NAME) ORACLE_RULE_COUNT };
#undef ORACLE_RULE_NAME

/* All of them hold. */
#ifndef RULE
#define RULE(name) true
#endif

#endif
