/*
 * oracle - whether a reader of guest memory can get old bytes.
 *
 * It judges by what the architecture allows, not by what one replacement policy
 * would do: a dirty line may be written back at any time or never, a clean one
 * may be dropped, and speculation may bring a line into any cache that a mapping
 * lets it into. The rules are in oracle_rules.h, each with its source; a model of
 * one line that knows nothing of them holds them to account (tests/reference_line.h).
 *
 * What may be so of a range of memory is a set of facts (oracle.c). Each fact is
 * kept for several cases: what may be so if nothing is fetched speculatively, if
 * data are, if instructions are, if both are, and if vCPUs that should stand still
 * during a reset run on. A verdict's conditions follow from them.
 *
 * A write is taken to cover its whole range, also where a touch uses only some
 * lines of each page.
 */
#ifndef S2FLUSH_MACHINE_ORACLE_H
#define S2FLUSH_MACHINE_ORACLE_H

#include "core/interval_map.h"

#define READER_TABLE(X)                                      \
    X(READER_GUEST_OFF, "guest data, MMU off")               \
    X(READER_GUEST_ON, "guest data, MMU on")                 \
    X(READER_FETCH, "guest fetch") /* of instructions */     \
    X(READER_HOST, "host") /* the VMM and the host kernel */ \
    X(READER_DEVICE, "device") /* coherent or not */

#define OUTCOME_TABLE(X) \
    X(NOT_READ, "not-read") X(COHERENT, "coherent") X(ONLY_IF, "only-if") X(STALE, "stale")

#define ORACLE_WORD(value, word) value,
enum reader { READER_TABLE(ORACLE_WORD) READERS };
enum outcome { OUTCOME_TABLE(ORACLE_WORD) };
#undef ORACLE_WORD

/* What a verdict rests on. */
#define CONDITION_NO_FILL 1u /* no speculative data fill */
#define CONDITION_NO_FETCH 2u /* no speculative instruction fetch */
#define CONDITION_NOT_BOTH 4u /* not one after the other */
#define CONDITION_STILL 8u /* vCPUs stand still during a reset, as the workload says */

struct verdict {
    enum outcome outcome;
    uint64_t lines_read;
    uint64_t lines_stale; /* lines that may be old */
    uint64_t lines_conditional; /* lines that are right only under the conditions */
    unsigned conditions;
};

/* How an access reaches memory. */
enum path {
    PATH_CACHED, /* through the caches */
    PATH_UNCACHED, /* past them */
};

/* What stage 1 of a guest says of an access. */
enum stage1 {
    STAGE1_CACHEABLE, /* MMU on, Normal Write-Back */
    STAGE1_NONCACHEABLE, /* MMU on, Normal Non-cacheable */
    STAGE1_OFF_DATA, /* MMU off, data: Device-nGnRnE */
    STAGE1_OFF_FETCH, /* MMU off, fetch, SCTLR_EL1.I = 0: Normal Non-cacheable */
    STAGE1_OFF_FETCH_CACHED, /* MMU off, fetch, SCTLR_EL1.I = 1: Normal Write-Through */
};

enum maintenance {
    CLEAN_POC, /* DC CVAC */
    CLEAN_POU, /* DC CVAU */
    CLEAN_INVALIDATE, /* DC CIVAC */
    INVALIDATE, /* DC IVAC by the host */
    GUEST_INVALIDATE, /* DC IVAC by a guest */
    ICACHE_VA, /* IC IVAU of the addresses that fetches use */
    ICACHE_ALIAS, /* IC IVAU of other addresses of the same memory */
    ICACHE_ALL, /* IC IALLUIS */
};

/* What decides how caches behave. */
struct oracle_traits {
    uint64_t line_bytes;
    bool dic, idc; /* CTR_EL0.DIC, .IDC */
    bool vipt; /* CTR_EL0.L1Ip: the I-cache is indexed by virtual address */
    bool fwb; /* stage 2 forces Write-Back (FEAT_S2FWB, MemAttr 0b110) */
    bool dc; /* HCR_EL2.DC */
    bool still; /* vCPUs that a reset has not reached yet stand still meanwhile */
};

/* Which vCPUs run of the guest whose memory a range is. */
struct oracle_vcpus {
    bool cached, past; /* some whose fetches go through the caches; past them */
    bool others; /* some may that should stand still, or that run on in a reset */
};

/* What can happen to a range; all functions below come down to these. */
enum operation {
    DO_WRITE,
    DO_WRITE_PAST,
    DO_DEVICE_WRITE,
    DO_READ,
    DO_SHARED,
    DO_CLEAN_POC,
    DO_CLEAN_POU,
    DO_CLEAN_INVALIDATE,
    DO_INVALIDATE,
    DO_ICACHE,
    DO_MAP,
    DO_UNMAP,
    DO_TLBI,
    DO_RUN,
    DO_FORGET,
};

struct oracle_call {
    enum operation operation;
    uint64_t start, end;
    bool by_guest; /* of DO_WRITE and DO_WRITE_PAST */
    bool cleaned; /* of DO_SHARED */
    bool executable; /* of DO_MAP */
    struct oracle_vcpus vcpus; /* of DO_RUN */
    enum reader reader; /* of DO_READ, with what follows */
    enum path path;
    uint64_t lines; /* of the whole read: they are spread evenly */
};

/* Where the bytes come from that are old. */
enum old_bytes {
    OLD_IN_MEMORY, /* the newest ones are dirty in a data cache */
    OLD_IN_CACHE, /* memory is newer than a copy in a data cache */
    OLD_AT_POU, /* the newest ones have not reached the PoU */
    OLD_IN_ICACHE,
    OLD_EVERYWHERE, /* the newest ones were lost */
};

/* Hears of every call before it takes effect, and what is judged of each part of a read:
 * `old` is set where it may be old. */
struct oracle_log {
    void (*called)(struct oracle_log *log, const struct oracle_call *call);
    void (*judged)(struct oracle_log *log, const struct oracle_call *part, enum outcome outcome,
                   enum old_bytes old);
};

struct oracle {
    struct interval_map state;
    struct oracle_traits traits;
    bool off; /* no one asks: it keeps nothing */
    bool judging; /* reads count: from the first re-init on */
    struct verdict verdict[READERS];
    struct oracle_log *log; /* NULL: none */
};

extern const char *const reader_name[READERS];
extern const char *const outcome_name[];

/* Conditions in words, parted by semicolons; "" for none. */
const char *oracle_conditions_text(unsigned conditions);

void oracle_init(struct oracle *oracle, struct pool *pool, struct oracle_traits traits);

/* Stage 1 combined with stage 2, which maps memory Normal Write-Back as KVM does. */
enum path oracle_path(const struct oracle *oracle, enum stage1 stage1);

/* Any of the calls that follow, as a log heard it. */
void oracle_do(struct oracle *oracle, const struct oracle_call *call);

/* [start, end) was written by the guest, or by the VMM or host kernel. */
void oracle_write(struct oracle *oracle, uint64_t start, uint64_t end, enum path path,
                  bool by_guest);

/* A device wrote it. */
void oracle_device_write(struct oracle *oracle, uint64_t start, uint64_t end, bool coherent);

/* [start, end) was read, of which `lines` lines count in the verdict. A device that
 * is not coherent reads past the caches. */
void oracle_read(struct oracle *oracle, uint64_t start, uint64_t end, uint64_t lines,
                 enum reader reader, enum path path);

/* Memory behind a file is shared with others, who read it when they like, whether a
 * workload says so or not: the host, through the page cache, and a device that writes it
 * to a disk. Judged as if they read [start, end) now; `cleaned`: the kernel takes the
 * mapping from the guest first, and that cleans. */
void oracle_shared(struct oracle *oracle, uint64_t start, uint64_t end, bool cleaned);

/* Maintenance of a range, with the DSB that completes it or without. */
void oracle_maintain(struct oracle *oracle, uint64_t start, uint64_t end,
                     enum maintenance maintenance, bool dsb);

/* Stage 2 maps the range; where it may be executed, fetches may be ahead of the guest. */
void oracle_map(struct oracle *oracle, uint64_t start, uint64_t end, bool executable);

/* Stage 2 maps it no longer; TLBs may still hold it, until they are invalidated. */
void oracle_unmap(struct oracle *oracle, uint64_t start, uint64_t end);
void oracle_tlbi(struct oracle *oracle, uint64_t start, uint64_t end);

void oracle_run(struct oracle *oracle, uint64_t start, uint64_t end, struct oracle_vcpus vcpus);

/* The host gave the range's pages up: whoever comes next gets fresh ones. */
void oracle_forget(struct oracle *oracle, uint64_t start, uint64_t end);

/* The first part of [start, end) that was written through the caches since it
 * was last cleaned: what a complete record of all writes would tell, or
 * (`loaded`) one of the VMM's and the host's only. False where there is none. */
bool oracle_unclean(struct oracle *oracle, uint64_t start, uint64_t end, bool loaded,
                    uint64_t *from, uint64_t *to);

#endif
