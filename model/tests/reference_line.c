#include "reference_line.h"

int line_without = -1;
#define HAS(name) (line_without != LINE_RULE_##name)
#define IF(rule, events) (HAS(rule) ? (events) : 0u)
#define IF_NOT(rule, events) (HAS(rule) ? 0u : (events))

/* --- operations --- */

enum route { BACK, NC, OFF, OFF_I, COHERENT, PAST, NONE };

static bool through_caches(enum route route, const struct line_hardware *hw)
{
    bool off = route == OFF || route == OFF_I, guest = off || route == BACK || route == NC;
    bool forced = (guest && hw->fwb && HAS(FWB_FORCES)) || (off && hw->dc && HAS(DC_FORCES));
    bool past = route == PAST || (route == NC && HAS(NC_STAYS)) ||
                (route == OFF && HAS(OFF_IS_PAST)) || (route == OFF_I && !HAS(OFF_BY_I));
    return forced || !past;
}

#define WRITES (cached ? WRITE : WRITE_PAST)
#define DEVICE_WRITES_AT (HAS(DMA_AT_POU) ? WRITE_AT_POU : WRITE)
#define READS (cached ? IF(READS_FILL, DATA_FILL) : 0u)
#define FETCHES (cached ? FETCH | IF(FETCHES_FILL_UNIFIED, UNIFIED_FILL) : FETCH_PAST)
#define TO_POC (DATA_DOWN | UNIFIED_DOWN)
#define CLEANS_TO_POC IF(CLEANS, TO_POC)
#define DROPS_ALL IF(DROPS, DROP)
#define DROPS_CODE IF(DROPS_ICACHES, ICACHE_GOES)

static const struct {
    enum route route;
    enum { NOTHING, DATA, CODE } reads;
} operations[] = {
#define LINE_OPERATION(name, route, reads, does, text) {route, reads},
    LINE_OPERATIONS(LINE_OPERATION)
#undef LINE_OPERATION
};

unsigned line_does(enum line_operation operation, const struct line_hardware *hw)
{
    bool cached = through_caches(operations[operation].route, hw);
    bool vipt = hw->vipt && HAS(VIPT_MISSES);
    const unsigned does[] = {
#define LINE_OPERATION(name, route, reads, does, text) does,
        LINE_OPERATIONS(LINE_OPERATION)
#undef LINE_OPERATION
    };
    return does[operation];
}

bool line_waits(enum line_operation operation)
{
    bool no_dsb = operation == LINE_CLEANS_DROPS_NO_DSB || operation == LINE_ICACHE_NO_DSB;
    return no_dsb && HAS(DSB_COMPLETES);
}

/* --- events --- */

static enum bytes found(const struct line_state *s, bool cached)
{
    return cached && s->data.bytes      ? s->data.bytes
           : cached && s->unified.bytes ? s->unified.bytes
                                        : s->memory;
}

/* By a fetch that misses in the I-cache. */
static enum bytes found_code(struct line_state s, bool cached, const struct line_hardware *hw)
{
    bool sees_data = (hw->idc && HAS(IDC_UNIFIES)) || (hw->fwb && HAS(FWB_UNIFIES));
    s.data.bytes = sees_data ? s.data.bytes : ABSENT;
    return found(&s, cached);
}

static void age(enum bytes *bytes)
{
    *bytes = *bytes ? OLD : ABSENT;
}

/* Wherever bytes are, they are old now; the new ones come to one place. */
static void write(struct line_state *s, enum event event)
{
    bool stays = event == WRITE_PAST ? false : event == WRITE ? HAS(WRITES_STAY) : HAS(DMA_STAYS);
    if (HAS(WRITES_AGE_COPIES)) {
        age(&s->data.bytes);
        age(&s->unified.bytes);
    }
    if (HAS(WRITES_AGE_ICACHES)) {
        age(&s->icache);
    }
    s->memory = stays ? OLD : NEW;
    if (event == WRITE) {
        s->data = (struct copy){NEW, stays};
    } else if (event == WRITE_AT_POU) {
        s->data = (struct copy){ABSENT, false};
        s->unified = (struct copy){NEW, stays};
    }
}

void line_let(struct line_state *s, enum event event, const struct line_hardware *hw)
{
    bool keeps = HAS(FETCHES_FILL_ICACHES) && !(hw->dic && HAS(DIC_FOLLOWS));
    switch (event) {
    case WRITE:
    case WRITE_AT_POU:
    case WRITE_PAST:
        write(s, event);
        return;
    case RENEW:
        *s = (struct line_state){.memory = NEW};
        return;
    case DATA_DOWN: /* a dirty one in any case, a clean one where there is room */
        if (s->data.dirty || !s->unified.bytes) {
            s->unified = s->data;
            s->data.dirty = false;
        }
        return;
    case UNIFIED_DOWN:
        s->memory = s->unified.dirty ? s->unified.bytes : s->memory;
        s->unified.dirty = false;
        return;
    case DROP:
        s->data = s->unified = (struct copy){ABSENT, false};
        return;
    case DATA_GO:
        s->data.bytes = s->data.dirty ? s->data.bytes : ABSENT;
        return;
    case UNIFIED_GO:
        s->unified.bytes = s->unified.dirty ? s->unified.bytes : ABSENT;
        return;
    case ICACHE_GOES:
        s->icache = ABSENT;
        return;
    case FETCH:
    case FETCH_PAST:
        s->icache = s->icache || !keeps ? s->icache : found_code(*s, event == FETCH, hw);
        return;
    case DATA_FILL:
        s->data.bytes = found(s, true);
        return;
    case UNIFIED_FILL:
        s->unified.bytes = s->unified.bytes ? s->unified.bytes : found(s, true);
        return;
    }
}

bool line_reads(enum line_operation operation)
{
    return operations[operation].reads != NOTHING;
}

bool line_reads_old(struct line_state s, enum line_operation operation,
                    const struct line_hardware *hw)
{
    bool cached = through_caches(operations[operation].route, hw);
    bool hits = s.icache && HAS(FETCHES_HIT_ICACHES);
    enum bytes code = hits ? s.icache : found_code(s, cached, hw);
    return (operations[operation].reads == CODE ? code : found(&s, cached)) == OLD;
}

/* --- what may happen by itself --- */

void line_reach(struct reach *r, enum line_operation operation, const struct line_hardware *hw)
{
    bool unmaps = operation == LINE_UNMAPS, ends = operation == LINE_TLBI && HAS(TLBI_ENDS);
    bool stops = operation == LINE_RESET_BEGINS || operation == LINE_RESET_ENDS;
    bool runs =
        operation == LINE_OTHER_ACTS || operation == LINE_ENTERS || operation == LINE_TURNS_ON;
    r->left = (r->left || (unmaps && r->mapped)) && !ends;
    r->left_code = (r->left_code || (unmaps && r->code)) && !ends;
    r->mapped = (r->mapped || operation == LINE_MAPS || operation == LINE_MAPS_CODE) && !unmaps;
    r->code = (r->code || operation == LINE_MAPS_CODE) && !unmaps;
    if (runs || stops) {
        r->running = runs;
        r->past = operation == LINE_ENTERS && !through_caches(OFF, hw);
        r->others = operation == LINE_RESET_BEGINS || operation == LINE_OTHER_ACTS;
    }
}

unsigned line_may(struct reach r, const struct line_hardware *hw, unsigned allowed)
{
    bool reached = r.mapped || (r.left && HAS(TLB_REACHES));
    bool code = r.code || (r.left_code && HAS(TLB_REACHES));
    bool others = reached && r.others && (allowed & MAY_RUN);
    bool other_fetches = code && others && HAS(RUNNING_FETCHES);
    bool ahead = code && r.running && (allowed & MAY_FETCH) && HAS(FETCHES_AHEAD);
    bool forced = hw->fwb && HAS(FWB_FORCES);
    return DATA_GO | UNIFIED_GO | ICACHE_GOES | IF(DIRTY_MOVES, DATA_DOWN) |
           IF(DIRTY_IS_WRITTEN_BACK, UNIFIED_DOWN) |
           (allowed & MAY_FILL ? IF(FILLS_AHEAD, DATA_FILL | UNIFIED_FILL) : 0u) |
           (other_fetches || (ahead && !r.past) ? FETCH | UNIFIED_FILL : 0u) |
           ((other_fetches || (ahead && r.past)) && !forced ? FETCH_PAST : 0u) |
           (others ? IF(RUNNING_WRITES, WRITE) : 0u);
}
