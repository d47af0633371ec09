#include "machine/oracle.h"

#include "machine/oracle_rules.h"

#define ORACLE_WORD(value, word) [value] = (word),
const char *const reader_name[READERS] = {READER_TABLE(ORACLE_WORD)};
const char *const outcome_name[] = {OUTCOME_TABLE(ORACLE_WORD)};
#undef ORACLE_WORD

#define NO_FILL "no speculative data fill before a write past the caches"
#define NO_FETCH "no speculative instruction fetch before a write"
#define NOT_BOTH "no speculative data fill, or no speculative instruction fetch of what it filled"
#define STILL "all vCPUs stand still during a reset"

const char *oracle_conditions_text(unsigned conditions)
{
    static const char *const speculation[] = {"",       NO_FILL, NO_FETCH, NO_FILL "; " NO_FETCH,
                                              NOT_BOTH, NO_FILL, NO_FETCH, NO_FILL "; " NO_FETCH};
    static const char *const and_still[] = {STILL,
                                            NO_FILL "; " STILL,
                                            NO_FETCH "; " STILL,
                                            NO_FILL "; " NO_FETCH "; " STILL,
                                            NOT_BOTH "; " STILL,
                                            NO_FILL "; " STILL,
                                            NO_FETCH "; " STILL,
                                            NO_FILL "; " NO_FETCH "; " STILL};
    return (conditions & CONDITION_STILL ? and_still : speculation)[conditions % CONDITION_STILL];
}

/* --- cases and facts --- */

/* What else may happen besides what the timeline says. */
enum {
    CASE_QUIET = 1, /* no speculation */
    CASE_FILL = 2, /* speculative data fills */
    CASE_FETCH = 4, /* speculative instruction fetches */
    CASE_BOTH = 8, /* both */
    CASE_RUN = 16, /* vCPUs that should stand still run on, no speculation */
    CASE_RUN_BOTH = 32, /* and all speculation */
    CASES = 6,
    ALL_CASES = 63,
    WITH_FILL = CASE_FILL | CASE_BOTH | CASE_RUN_BOTH,
    WITH_FETCH = CASE_FETCH | CASE_BOTH | CASE_RUN_BOTH,
    WITH_RUN = CASE_RUN | CASE_RUN_BOTH,
};

/* In which cases something may be so of a range. The whole fits into the value of an
 * interval, where it is changed in place: an access to a page comes by here several times. */
union line {
    uint64_t value; /* 0 is memory at rest that no guest reaches */
    struct {
        uint64_t dirty : CASES; /* a dirty line is in a data cache: memory may lack its bytes */
        uint64_t old_dirty : CASES; /* ... and is older than memory */
        uint64_t copy : CASES; /* a copy is in a data cache by an access; by speculation always */
        uint64_t old_copy : CASES; /* a copy in a data cache is older than memory */
        uint64_t lost : CASES; /* the newest bytes are nowhere any more */
        uint64_t unclean : CASES; /* the newest bytes have not reached the PoU */
        uint64_t fetched : CASES; /* a copy is in an I-cache */
        uint64_t old_fetched : CASES; /* a copy in an I-cache is old */

        uint64_t loaded : 1; /* part of what is dirty was written by another than the guest */
        uint64_t mapped : 1, executable : 1; /* by a leaf of stage 2 */
        uint64_t left : 1, left_executable : 1; /* by TLB entries of a leaf that is gone */
        uint64_t run_cached : 1, run_past : 1, run_others : 1; /* struct oracle_vcpus */
    };
};
_Static_assert(sizeof(union line) == sizeof(uint64_t), "a line's facts are an interval's value");

/* --- what may happen at any time --- */

static bool has_dic(const struct oracle_traits *traits)
{
    return traits->dic && RULE(DIC);
}

static bool has_idc(const struct oracle_traits *traits)
{
    return (traits->idc && RULE(IDC)) || (traits->fwb && RULE(FWB_IDC));
}

static bool forces_cached(const struct oracle_traits *traits)
{
    return traits->fwb && RULE(FWB);
}

/* When what a reader past the caches finds may be old. */
static uint8_t memory_old(const union line *line)
{
    return line->dirty | line->lost;
}

static uint8_t data_old(const union line *line)
{
    return line->old_copy | line->lost;
}

/* When what is fetched on a miss in the I-cache may be. */
static uint8_t fetch_old(const union line *line, const struct oracle_traits *traits, enum path path)
{
    uint8_t unclean = has_idc(traits) ? 0 : line->unclean;
    return path == PATH_CACHED ? data_old(line) | unclean : memory_old(line);
}

static void write_icache(union line *line, uint8_t cases)
{
    if (RULE(ICACHE_LAGS)) {
        line->old_fetched |= line->fetched & cases;
    }
}

/* A copy of what is there now comes into I-caches and, through the caches, into a
 * unified one on the way. */
static void fill_icache(union line *line, const struct oracle_traits *traits, enum path path,
                        uint8_t cases)
{
    if (path == PATH_CACHED && RULE(READ_ALLOCATES)) {
        line->copy |= cases;
    }
    if (has_dic(traits)) {
        return;
    }
    line->fetched |= RULE(FETCH_FILLS) ? cases : 0;
    line->old_fetched |= RULE(FETCH_OLD) ? cases & fetch_old(line, traits, path) : 0;
}

/* vCPUs that run on write through the caches, or don't, in those cases. */
static void run_on(union line *line, uint8_t cases)
{
    line->dirty |= cases;
    line->unclean |= cases;
    line->copy |= cases;
}

/* What may have happened by itself since the last operation. */
static void let_happen(union line *line, const struct oracle_traits *traits)
{
    bool reached = line->mapped || (line->left && RULE(TLB));
    bool executable = line->executable || (line->left_executable && RULE(TLB));
    uint8_t others = traits->still ? WITH_RUN : ALL_CASES;
    others = reached && line->run_others && RULE(RUN_ON) ? others : 0;
    if (others == 0 && !executable) { /* nothing can happen */
        return;
    }
    run_on(line, others);
    if (executable) {
        uint8_t ahead = RULE(FETCH_AHEAD) ? WITH_FETCH : 0;
        fill_icache(line, traits, PATH_CACHED, others | (line->run_cached ? ahead : 0));
        uint8_t past = others | (line->run_past ? ahead : 0);
        fill_icache(line, traits, PATH_UNCACHED, forces_cached(traits) ? 0 : past);
    }
    write_icache(line, others);
}

/* --- operations on a range --- */

static void write_cached(union line *line, bool device)
{
    bool lags = (device && RULE(DEVICE_POC)) || (!device && RULE(MEMORY_LAGS));
    bool at_pou = device ? RULE(DEVICE_POU) : !RULE(POU_LAGS);
    if (RULE(ONE_COPY)) {
        line->old_dirty = line->old_copy = line->lost = 0;
    }
    line->dirty = lags ? ALL_CASES : 0;
    line->unclean = at_pou ? 0 : ALL_CASES;
    line->copy = ALL_CASES;
    write_icache(line, ALL_CASES);
}

static void write_past(union line *line)
{
    uint8_t copy = line->copy | (RULE(FILL) ? WITH_FILL : 0);
    line->old_copy = RULE(OLD_COPY) ? copy : 0;
    line->old_dirty = line->dirty;
    if (!RULE(WRITE_BACK)) {
        line->dirty = line->old_dirty = 0;
    }
    if (RULE(PAST)) {
        line->lost = line->unclean = 0;
    }
    write_icache(line, ALL_CASES);
}

static void clean_poc(union line *line)
{
    if (RULE(CLEAN_POC)) {
        line->lost |= RULE(CLEAN_BACK) ? line->old_dirty : 0;
        line->dirty = line->old_dirty = line->unclean = 0;
        line->loaded = false;
    }
}

static void clean_invalidate(union line *line)
{
    clean_poc(line);
    if (RULE(INVALIDATE)) {
        line->copy = line->old_copy = 0;
    }
}

static void invalidate(union line *line)
{
    line->lost |= RULE(INVALIDATE_DROPS) ? line->dirty : 0;
    clean_invalidate(line);
}

static void forget(union line *line)
{
    if (RULE(FRESH)) {
        union line fresh = {.mapped = line->mapped,
                            .executable = line->executable,
                            .left = line->left,
                            .left_executable = line->left_executable,
                            .run_cached = line->run_cached,
                            .run_past = line->run_past,
                            .run_others = line->run_others};
        *line = fresh;
    }
}

/* --- verdicts --- */

static unsigned conditions_of(uint8_t cases)
{
    unsigned conditions = 0;
    if (!(cases & CASE_QUIET)) {
        conditions |= cases & CASE_FILL ? CONDITION_NO_FILL : 0;
        conditions |= cases & CASE_FETCH ? CONDITION_NO_FETCH : 0;
        conditions |= (cases & CASE_BOTH) && conditions == 0 ? CONDITION_NOT_BOTH : 0;
    }
    bool runs = (cases & CASE_RUN) && !(cases & CASE_QUIET);
    bool runs_both = (cases & CASE_RUN_BOTH) && !(cases & CASE_BOTH);
    return conditions | (runs || runs_both ? CONDITION_STILL : 0);
}

static enum outcome outcome_of(uint8_t cases)
{
    bool speculation = cases & (CASE_FILL | CASE_FETCH | CASE_BOTH);
    return cases & CASE_QUIET ? STALE : speculation ? ONLY_IF : COHERENT;
}

/* `cases` are those in which the lines may be old. */
static void book(struct verdict *verdict, uint8_t cases, uint64_t lines)
{
    enum outcome outcome = outcome_of(cases);
    verdict->outcome = outcome > verdict->outcome ? outcome : verdict->outcome;
    verdict->lines_read += lines;
    verdict->lines_stale += outcome == STALE ? lines : 0;
    verdict->lines_conditional += outcome == ONLY_IF ? lines : 0;
    verdict->conditions |= outcome == STALE ? 0 : conditions_of(cases);
}

/* Of lines that may be old in those cases: of several places the first that is named. */
static enum old_bytes old_bytes(const union line *line, const struct oracle_traits *traits,
                                const struct oracle_call *call, uint8_t cases)
{
    uint8_t when = cases & CASE_QUIET ? CASE_QUIET : cases;
    bool past = call->path == PATH_UNCACHED;
    if (call->reader == READER_FETCH && !(fetch_old(line, traits, call->path) & when)) {
        return OLD_IN_ICACHE;
    }
    return past && (line->dirty & when)       ? OLD_IN_MEMORY
           : !past && (line->old_copy & when) ? OLD_IN_CACHE
           : line->lost & when                ? OLD_EVERYWHERE
                                              : OLD_AT_POU;
}

/* A part of a read. */
static void judge(struct oracle *oracle, const union line *line, const struct oracle_call *part,
                  uint8_t cases)
{
    book(&oracle->verdict[part->reader], cases, part->lines);
    if (oracle->log) {
        oracle->log->judged(oracle->log, part, outcome_of(cases),
                            old_bytes(line, &oracle->traits, part, cases));
    }
}

static void read_line(struct oracle *oracle, union line *line, const struct oracle_call *call,
                      uint64_t start, uint64_t end)
{
    const struct oracle_traits *traits = &oracle->traits;
    bool fetch = call->reader == READER_FETCH;
    uint8_t old = fetch ? line->old_fetched | fetch_old(line, traits, call->path)
                  : call->path == PATH_CACHED ? data_old(line)
                                              : memory_old(line);
    if (oracle->judging) {
        struct oracle_call part = *call;
        double share = (double)(end - start) / (double)(call->end - call->start);
        part.lines = (uint64_t)(share * (double)call->lines + 0.5);
        part.start = start;
        part.end = end;
        judge(oracle, line, &part, old);
    }
    if (fetch) {
        fill_icache(line, traits, call->path, ALL_CASES);
    } else if (call->path == PATH_CACHED && RULE(READ_ALLOCATES)) {
        line->copy = ALL_CASES;
    }
}

static void judge_shared(struct oracle *oracle, const struct oracle_call *call)
{
    uint64_t stop;
    for (uint64_t at = call->start; oracle->judging && at < call->end; at = stop) {
        union line line = {interval_map_value(&oracle->state, at, &stop)};
        stop = stop < call->end ? stop : call->end;
        if (call->cleaned) {
            clean_invalidate(&line);
        }
        struct oracle_call part = *call;
        part.lines = (stop - at) / oracle->traits.line_bytes;
        part.start = at;
        part.end = stop;
        part.reader = READER_HOST;
        judge(oracle, &line, &part, data_old(&line));
        part.reader = READER_DEVICE;
        judge(oracle, &line, &part, data_old(&line));
    }
}

/* --- the map of ranges --- */

struct doing {
    struct oracle *oracle;
    const struct oracle_call *call;
};

static void operate(union line *line, const struct doing *doing, uint64_t start, uint64_t end)
{
    const struct oracle_call *call = doing->call;
    switch (call->operation) {
    case DO_WRITE:
        write_cached(line, false);
        line->loaded |= !call->by_guest;
        return;
    case DO_WRITE_PAST:
        write_past(line);
        return;
    case DO_DEVICE_WRITE:
        write_cached(line, true);
        line->loaded = true;
        return;
    case DO_READ:
        read_line(doing->oracle, line, call, start, end);
        return;
    case DO_SHARED:
        return;
    case DO_CLEAN_POC:
        clean_poc(line);
        return;
    case DO_CLEAN_POU:
        line->unclean = RULE(CLEAN_POU) ? 0 : line->unclean;
        return;
    case DO_CLEAN_INVALIDATE:
        clean_invalidate(line);
        return;
    case DO_INVALIDATE:
        invalidate(line);
        return;
    case DO_ICACHE:
        line->fetched = line->old_fetched = 0;
        return;
    case DO_MAP:
        line->mapped = true;
        line->executable |= call->executable;
        return;
    case DO_UNMAP:
        line->left |= line->mapped;
        line->left_executable |= line->executable;
        line->mapped = line->executable = false;
        return;
    case DO_TLBI:
        line->left &= !RULE(TLBI);
        line->left_executable &= !RULE(TLBI);
        return;
    case DO_RUN:
        line->run_cached = call->vcpus.cached;
        line->run_past = call->vcpus.past;
        line->run_others = call->vcpus.others;
        return;
    case DO_FORGET:
        forget(line);
        return;
    }
}

static uint64_t changed(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    const struct doing *doing = context;
    union line line = {value};
    operate(&line, doing, start, end);
    let_happen(&line, &doing->oracle->traits);
    return line.value;
}

void oracle_do(struct oracle *oracle, const struct oracle_call *call)
{
    struct doing doing = {oracle, call};
    if (oracle->off) {
        return;
    }
    if (oracle->log) {
        oracle->log->called(oracle->log, call);
    }
    if (call->operation == DO_SHARED) {
        judge_shared(oracle, call);
        return;
    }
    interval_map_update(&oracle->state, call->start, call->end, changed, &doing);
}

static void update(struct oracle *oracle, uint64_t start, uint64_t end, struct oracle_call call)
{
    call.start = start;
    call.end = end;
    oracle_do(oracle, &call);
}

/* --- from outside --- */

void oracle_init(struct oracle *oracle, struct pool *pool, struct oracle_traits traits)
{
    *oracle = (struct oracle){.traits = traits};
    interval_map_init(&oracle->state, pool);
}

enum path oracle_path(const struct oracle *oracle, enum stage1 stage1)
{
    const struct oracle_traits *traits = &oracle->traits;
    bool dc = traits->dc && RULE(DC);
    if (forces_cached(traits)) {
        return PATH_CACHED;
    }
    switch (stage1) {
    case STAGE1_CACHEABLE:
        return PATH_CACHED;
    case STAGE1_NONCACHEABLE:
        return RULE(NONCACHEABLE) ? PATH_UNCACHED : PATH_CACHED;
    case STAGE1_OFF_DATA:
        return RULE(MMU_OFF) && !dc ? PATH_UNCACHED : PATH_CACHED;
    case STAGE1_OFF_FETCH:
        return RULE(FETCH_OFF) && !dc ? PATH_UNCACHED : PATH_CACHED;
    case STAGE1_OFF_FETCH_CACHED:
        return RULE(FETCH_OFF) ? PATH_CACHED : PATH_UNCACHED;
    }
    return PATH_CACHED;
}

void oracle_write(struct oracle *oracle, uint64_t start, uint64_t end, enum path path,
                  bool by_guest)
{
    update(oracle, start, end,
           (struct oracle_call){.operation = path == PATH_CACHED ? DO_WRITE : DO_WRITE_PAST,
                                .by_guest = by_guest});
}

void oracle_device_write(struct oracle *oracle, uint64_t start, uint64_t end, bool coherent)
{
    update(oracle, start, end,
           (struct oracle_call){.operation = coherent ? DO_DEVICE_WRITE : DO_WRITE_PAST});
}

void oracle_read(struct oracle *oracle, uint64_t start, uint64_t end, uint64_t lines,
                 enum reader reader, enum path path)
{
    update(
        oracle, start, end,
        (struct oracle_call){.operation = DO_READ, .reader = reader, .path = path, .lines = lines});
}

void oracle_shared(struct oracle *oracle, uint64_t start, uint64_t end, bool cleaned)
{
    update(oracle, start, end,
           (struct oracle_call){.operation = DO_SHARED, .path = PATH_CACHED, .cleaned = cleaned});
}

static bool reaches_icache(const struct oracle *oracle, enum maintenance maintenance)
{
    return maintenance == ICACHE_ALL  ? RULE(ICACHE_INVALIDATE)
           : maintenance == ICACHE_VA ? RULE(ICACHE_VA)
                                      : !oracle->traits.vipt || !RULE(ICACHE_ALIAS);
}

void oracle_maintain(struct oracle *oracle, uint64_t start, uint64_t end,
                     enum maintenance maintenance, bool dsb)
{
    static const enum operation operation[] = {
        [CLEAN_POC] = DO_CLEAN_POC,
        [CLEAN_POU] = DO_CLEAN_POU,
        [CLEAN_INVALIDATE] = DO_CLEAN_INVALIDATE,
        [INVALIDATE] = DO_INVALIDATE,
        [GUEST_INVALIDATE] = DO_CLEAN_INVALIDATE,
        [ICACHE_VA] = DO_ICACHE,
        [ICACHE_ALIAS] = DO_ICACHE,
        [ICACHE_ALL] = DO_ICACHE,
    };
    struct oracle_call call = {.operation = operation[maintenance]};
    if (maintenance == GUEST_INVALIDATE && !RULE(GUEST_INVALIDATE)) {
        call.operation = DO_INVALIDATE;
    }
    if ((call.operation == DO_ICACHE && !reaches_icache(oracle, maintenance)) ||
        (!dsb && RULE(DSB))) {
        return;
    }
    update(oracle, start, end, call);
}

void oracle_map(struct oracle *oracle, uint64_t start, uint64_t end, bool executable)
{
    update(oracle, start, end, (struct oracle_call){.operation = DO_MAP, .executable = executable});
}

void oracle_unmap(struct oracle *oracle, uint64_t start, uint64_t end)
{
    update(oracle, start, end, (struct oracle_call){.operation = DO_UNMAP});
}

void oracle_tlbi(struct oracle *oracle, uint64_t start, uint64_t end)
{
    update(oracle, start, end, (struct oracle_call){.operation = DO_TLBI});
}

void oracle_run(struct oracle *oracle, uint64_t start, uint64_t end, struct oracle_vcpus vcpus)
{
    update(oracle, start, end, (struct oracle_call){.operation = DO_RUN, .vcpus = vcpus});
}

void oracle_forget(struct oracle *oracle, uint64_t start, uint64_t end)
{
    update(oracle, start, end, (struct oracle_call){.operation = DO_FORGET});
}

bool oracle_unclean(struct oracle *oracle, uint64_t start, uint64_t end, bool loaded,
                    uint64_t *from, uint64_t *to)
{
    bool found = false;
    uint64_t stop;
    for (uint64_t at = start; at < end; at = stop) {
        union line line = {interval_map_value(&oracle->state, at, &stop)};
        bool unclean = (line.dirty & CASE_QUIET) && (line.loaded || !loaded);
        stop = stop < end ? stop : end;
        if (unclean && !found) {
            *from = at;
        }
        if (!unclean && found) {
            break;
        }
        found |= unclean;
        *to = found ? stop : *to;
    }
    return found;
}
