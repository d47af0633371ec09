#include "machine/oracle.h"

/* The state of a range as bits of a run's value; 0 is memory at rest. */
enum {
    UNCLEAN = 1,
    COPIED = 2,
    ALIAS_FILL = 4, /* a stale copy exists if the range was filled speculatively */
    ALIAS_SURE = 8, /* a stale copy was allowed by an access */
    LOST = 16,
    FETCHED = 32,
    I_STALE = 64,
    LOADED = 128,
};

const char *const reader_name[READERS] = {
    [READER_GUEST_OFF] = "guest data, MMU off",
    [READER_GUEST_ON] = "guest data, MMU on",
    [READER_FETCH] = "guest fetch",
    [READER_HOST] = "host",
    [READER_DEVICE] = "device",
};

const char *const outcome_name[] = {
    [NOT_READ] = "not-read",
    [COHERENT] = "coherent",
    [ONLY_IF] = "only-if",
    [STALE] = "stale",
};

void oracle_init(struct oracle *oracle, struct pool *pool, uint64_t line_bytes, bool dic)
{
    *oracle = (struct oracle){.line_bytes = line_bytes, .dic = dic};
    interval_map_init(&oracle->state, pool);
}

/* Another agent wrote: what the I-cache may hold of the range is old. */
static uint64_t rewritten_code(uint64_t value)
{
    return value & FETCHED ? I_STALE : 0;
}

struct writing {
    bool mark_code, by_guest;
};

static uint64_t cached_write(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    const struct writing *writing = context;
    (void)start, (void)end;
    uint64_t kept = value & (FETCHED | I_STALE | (writing->by_guest ? LOADED : 0));
    uint64_t loaded = writing->by_guest ? 0 : LOADED;
    return kept | UNCLEAN | COPIED | loaded | (writing->mark_code ? rewritten_code(value) : 0);
}

/* A write past the caches makes any cached copy old. A dirty one may later be
 * written back over it. */
static uint64_t uncached_write(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    const struct writing *writing = context;
    (void)start, (void)end;
    uint64_t kept = value & (FETCHED | I_STALE | UNCLEAN | COPIED | LOADED);
    uint64_t alias = value & (UNCLEAN | COPIED) ? ALIAS_SURE : ALIAS_FILL;
    return kept | alias | (writing->mark_code ? rewritten_code(value) : 0);
}

void oracle_write(struct oracle *oracle, uint64_t start, uint64_t end, enum path path,
                  bool by_guest)
{
    struct writing writing = {.mark_code = !by_guest && !oracle->dic, .by_guest = by_guest};
    interval_map_change change = path == PATH_CACHED ? cached_write : uncached_write;
    interval_map_update(&oracle->state, start, end, change, &writing);
}

/* Cleaning an old dirty line over newer bytes in memory loses those bytes. */
static uint64_t flushed(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    (void)start, (void)end, (void)context;
    bool loses = (value & UNCLEAN) && (value & ALIAS_SURE);
    return (value & (FETCHED | I_STALE | LOST)) | (loses ? LOST : 0);
}

void oracle_flush(struct oracle *oracle, uint64_t start, uint64_t end)
{
    interval_map_update(&oracle->state, start, end, flushed, NULL);
}

static uint64_t icache_dropped(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    (void)start, (void)end, (void)context;
    return value & ~(uint64_t)(FETCHED | I_STALE);
}

void oracle_icache(struct oracle *oracle, uint64_t start, uint64_t end)
{
    interval_map_update(&oracle->state, start, end, icache_dropped, NULL);
}

static uint64_t made_executable(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    (void)start, (void)end, (void)context;
    return value | FETCHED;
}

void oracle_executable(struct oracle *oracle, uint64_t start, uint64_t end)
{
    interval_map_update(&oracle->state, start, end, made_executable, NULL);
}

void oracle_forget(struct oracle *oracle, uint64_t start, uint64_t end)
{
    interval_map_set(&oracle->state, start, end, 0);
}

/* What a reader by that path may see of a range in that state. */
static enum outcome judge(uint64_t value, enum reader reader, enum path path)
{
    if (value & LOST) {
        return STALE;
    }
    if (reader == READER_FETCH && (value & I_STALE)) {
        return STALE;
    }
    if (path == PATH_UNCACHED) {
        return value & UNCLEAN ? STALE : COHERENT;
    }
    if (value & ALIAS_SURE) {
        return STALE;
    }
    return value & ALIAS_FILL ? ONLY_IF : COHERENT;
}

static unsigned condition_of(enum reader reader)
{
    bool guest = reader == READER_GUEST_OFF || reader == READER_GUEST_ON || reader == READER_FETCH;
    return guest ? CONDITION_NO_FILL : CONDITION_ANONYMOUS;
}

static void book(struct verdict *verdict, enum outcome outcome, uint64_t lines, unsigned condition)
{
    verdict->outcome = outcome > verdict->outcome ? outcome : verdict->outcome;
    verdict->lines_read += lines;
    if (outcome == STALE) {
        verdict->lines_stale += lines;
    } else if (outcome == ONLY_IF) {
        verdict->lines_conditional += lines;
        verdict->conditions |= condition;
    }
}

struct reading {
    struct oracle *oracle;
    enum reader reader;
    enum path path;
    uint64_t bytes, lines; /* of the whole read: lines are spread evenly */
};

static uint64_t read_range(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    const struct reading *reading = context;
    struct oracle *oracle = reading->oracle;
    if (oracle->judging) {
        double part = (double)(end - start) / (double)reading->bytes;
        uint64_t lines = (uint64_t)(part * (double)reading->lines + 0.5);
        book(&oracle->verdict[reading->reader], judge(value, reading->reader, reading->path), lines,
             condition_of(reading->reader));
    }
    uint64_t copy = reading->path == PATH_CACHED ? COPIED : 0;
    uint64_t code = reading->reader == READER_FETCH ? FETCHED : 0;
    return value | copy | code;
}

void oracle_read(struct oracle *oracle, uint64_t start, uint64_t end, uint64_t lines,
                 enum reader reader, enum path path)
{
    struct reading reading = {oracle, reader, path, end - start, lines};
    interval_map_update(&oracle->state, start, end, read_range, &reading);
}

void oracle_shared(struct oracle *oracle, uint64_t start, uint64_t end, bool cleaned)
{
    uint64_t stop;
    for (uint64_t at = start; oracle->judging && at < end; at = stop) {
        uint64_t value = interval_map_value(&oracle->state, at, &stop);
        stop = stop < end ? stop : end;
        value = cleaned ? flushed(value, at, stop, NULL) : value;
        for (int reader = READER_HOST; reader <= READER_DEVICE; reader++) {
            book(&oracle->verdict[reader], judge(value, (enum reader)reader, PATH_CACHED),
                 (stop - at) / oracle->line_bytes, CONDITION_NO_FILL);
        }
    }
}

enum outcome oracle_worst(const struct oracle *oracle)
{
    enum outcome worst = NOT_READ;
    for (int i = 0; i < READERS; i++) {
        worst = oracle->verdict[i].outcome > worst ? oracle->verdict[i].outcome : worst;
    }
    return worst;
}

bool oracle_unclean(struct oracle *oracle, uint64_t start, uint64_t end, bool loaded,
                    uint64_t *from, uint64_t *to)
{
    uint64_t wanted = loaded ? UNCLEAN | LOADED : UNCLEAN;
    bool found = false;
    uint64_t stop;
    for (uint64_t at = start; at < end; at = stop) {
        bool unclean = (interval_map_value(&oracle->state, at, &stop) & wanted) == wanted;
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
