#include "reference_line.h"

#include <string.h>

int line_without = -1;
#define HAS(name) (line_without != LINE_RULE_##name)

enum held { ABSENT, OLD, NEW, OLD_DIRTY, NEW_DIRTY };

struct state {
    enum held memory, data, unified, icache[2];
};

enum what {
    WRITE,
    READ,
    FETCH,
    CLEAN,
    CLEAN_AND_DROP,
    DROP,
    DROP_ICACHES,
    RENEW,
    MAP,
    MAP_CODE,
    UNMAP,
    END_TLB,
    STOP,
    RUN_IN_RESET,
    STOP_ALL,
    RUN,
};
enum route { BACK, NC, OFF, OFF_I, HOST, PAST, COHERENT_DMA, DMA, POC, POU, NO_DSB, ALIAS, WHOLE };

static const struct {
    enum what what;
    enum route route;
} operations[] = {
#define LINE_OPERATION(name, what, route, text) {what, route},
    LINE_OPERATIONS(LINE_OPERATION)
#undef LINE_OPERATION
};

static int number(struct state s)
{
    return (((s.data * 5 + s.unified) * 3 + s.icache[0]) * 3 + s.icache[1]) * 2 + s.memory - OLD;
}

static struct state numbered(int n)
{
    return (struct state){.memory = OLD + n % 2,
                          .icache = {n / 6 % 3, n / 2 % 3},
                          .unified = n / 18 % 5,
                          .data = n / 90};
}

/* The first state of a set from n on; LINE_STATES behind the last. */
static int next(const struct line_set *set, int n)
{
    while (n < LINE_STATES && !(set->states[n / 64] >> n % 64 & 1)) {
        n += set->states[n / 64] >> n % 64 ? 1 : 64 - n % 64;
    }
    return n < LINE_STATES ? n : LINE_STATES;
}

static void put(struct line_set *set, struct state s)
{
    set->states[number(s) / 64] |= UINT64_C(1) << number(s) % 64;
}

static bool dirty(enum held held)
{
    return held >= OLD_DIRTY;
}

static enum held bytes(enum held held)
{
    return dirty(held) ? held - OLD_DIRTY + OLD : held;
}

static enum held aged(enum held held)
{
    return held == NEW || held == NEW_DIRTY ? held - 1 : held;
}

/* --- what accesses find --- */

static bool through(enum route route, const struct line_hardware *hw)
{
    bool forced = hw->fwb && HAS(FWB_FORCES) && route <= OFF_I;
    bool dc = hw->dc && HAS(DC_FORCES) && (route == OFF || route == OFF_I);

    bool past = route == PAST || route == DMA || (route == NC && HAS(NC_STAYS)) ||
                (route == OFF && HAS(OFF_IS_PAST)) || (route == OFF_I && !HAS(OFF_BY_I));
    return forced || dc || !past;
}

static enum held fetched(const struct state *s, bool through, const struct line_hardware *hw)
{
    bool unified = (hw->idc && HAS(IDC_UNIFIES)) || (hw->fwb && HAS(FWB_UNIFIES));
    enum held data = unified && through ? s->data : ABSENT;
    return data ? bytes(data) : s->unified && through ? bytes(s->unified) : s->memory;
}

static enum held read(const struct state *s, bool through)
{
    return s->data && through      ? bytes(s->data)
           : s->unified && through ? bytes(s->unified)
                                   : s->memory;
}

/* --- single events, each as a new state --- */

static struct state fill(struct state s, bool data)
{
    enum held *place = data ? &s.data : &s.unified;
    *place = *place ? *place : read(&s, true);
    return s;
}

static struct state fill_icache(struct state s, int i, bool through, const struct line_hardware *hw)
{
    bool keeps = HAS(FETCHES_FILL_ICACHES) && !(hw->dic && HAS(DIC_FOLLOWS));
    s.icache[i] = keeps && !s.icache[i] ? fetched(&s, through, hw) : s.icache[i];
    return s;
}

static struct state write(struct state s, bool through, enum route route)
{
    bool device = route == COHERENT_DMA, stays = device ? HAS(DMA_STAYS) : HAS(WRITES_STAY);
    bool at_pou = device && HAS(DMA_AT_POU);
    if (HAS(WRITES_AGE_COPIES)) {
        s.data = aged(s.data), s.unified = aged(s.unified);
    }
    for (int i = 0; i < 2; i++) {
        s.icache[i] = HAS(WRITES_AGE_ICACHES) ? aged(s.icache[i]) : s.icache[i];
    }
    s.memory = through && stays ? OLD : NEW;
    if (through) {
        s.data = at_pou ? ABSENT : stays ? NEW_DIRTY : NEW;
        s.unified = at_pou ? stays ? NEW_DIRTY : NEW : s.unified;
    }
    return s;
}

static struct state clean(struct state s, bool to_poc)
{
    if (dirty(s.data)) {
        s.unified = s.data, s.data = bytes(s.data);
    }
    if (dirty(s.unified) && to_poc) {
        s.memory = s.unified = bytes(s.unified);
    }
    return s;
}

static struct state drop(struct state s)
{
    s.data = s.unified = HAS(DROPS) ? ABSENT : s.data;
    return s;
}

/* --- what may happen by itself --- */

enum { FILLS = 1, FETCHES = 2, FETCHES_PAST = 4, WRITES = 8 };

static unsigned happenings(const struct line_set *set, const struct line_hardware *hw, unsigned may)
{
    bool reached = set->mapped || (set->left && HAS(TLB_REACHES));
    bool code = set->code || (set->left_code && HAS(TLB_REACHES));
    bool others = set->others && reached && (may & MAY_RUN);
    bool demand = code && others && HAS(RUNNING_FETCHES);
    bool ahead = code && set->running && (may & MAY_FETCH) && HAS(FETCHES_AHEAD);
    bool past = demand || (ahead && set->past);
    return ((may & MAY_FILL) && HAS(FILLS_AHEAD) ? FILLS : 0) |
           (demand || (ahead && !set->past) ? FETCHES : 0) |
           (past && !(hw->fwb && HAS(FWB_FORCES)) ? FETCHES_PAST : 0) |
           (others && HAS(RUNNING_WRITES) ? WRITES : 0);
}

/* What may become of a state by one event. */
static void let_happen(struct line_set *set, struct state s, const struct line_hardware *hw,
                       unsigned what)
{
    struct state t = s;
    if (dirty(s.data) && HAS(DIRTY_MOVES)) {
        put(set, clean(s, false));
    } else if (!dirty(s.data)) { /* it goes, as it is or to where it can be fetched from */
        t.data = ABSENT;
        put(set, t);
        t.unified = t.unified ? t.unified : s.data;
        put(set, t);
    }
    t = s;
    if (dirty(s.unified) && HAS(DIRTY_IS_WRITTEN_BACK)) {
        t.memory = t.unified = bytes(t.unified);
        put(set, t);
    } else if (!dirty(s.unified)) {
        t.unified = ABSENT;
        put(set, t);
    }
    for (int i = 0; i < 2; i++) {
        t = s, t.icache[i] = ABSENT;
        put(set, t);
        put(set, what & FILLS ? fill(s, i) : s);
        put(set, what & FETCHES ? fill(s, false) : s);
        put(set, what & FETCHES ? fill_icache(s, i, true, hw) : s);
        put(set, what & FETCHES_PAST ? fill_icache(s, i, false, hw) : s);
    }
    put(set, what & WRITES ? write(s, true, BACK) : s);
}

static void add(struct line_set *set, const struct line_set *other)
{
    for (size_t i = 0; i < sizeof set->states / sizeof *set->states; i++) {
        set->states[i] |= other->states[i];
    }
}

/* Adds what may become of a set's states by any number of events, which is kept for each
 * state of each machine. */
static void close(struct line_set *set, const struct line_hardware *hw, unsigned may)
{
    static struct line_set after[8 * 16][LINE_STATES];
    static bool known[8 * 16];
    static int without = -1;
    unsigned what = happenings(set, hw, may);
    unsigned of = what + 16 * (hw->fwb + 2 * hw->idc + 4 * hw->dic);
    if (without != line_without) {
        memset(known, false, sizeof known);
        without = line_without;
    }
    for (int n = 0; n < LINE_STATES && !known[of]; n++) {
        memset(&after[of][n], 0, sizeof after[of][n]);
        put(&after[of][n], numbered(n));
        let_happen(&after[of][n], numbered(n), hw, what);
    }
    for (bool more = !known[of]; more;) {
        more = false;
        for (int n = 0; n < LINE_STATES; n++) {
            struct line_set before = after[of][n];
            for (int k = next(&before, 0); k < LINE_STATES; k = next(&before, k + 1)) {
                add(&after[of][n], &after[of][k]);
            }
            more |= memcmp(&before, &after[of][n], sizeof before) != 0;
        }
    }
    known[of] = true;
    struct line_set before = *set;
    for (int n = next(&before, 0); n < LINE_STATES; n = next(&before, n + 1)) {
        add(set, &after[of][n]);
    }
}

/* --- operations --- */

void line_rest(struct line_set *set, const struct line_hardware *hw, unsigned may)
{
    *set = (struct line_set){0};
    put(set, (struct state){.memory = NEW});
    close(set, hw, may);
}

static struct state done(struct state s, enum what what, enum route route,
                         const struct line_hardware *hw)
{
    bool cached = through(route, hw);
    bool loses = route == HOST ? HAS(DROPS_DIRTY) : !HAS(GUEST_CLEANS);
    switch (what) {
    case WRITE:
        return write(s, cached, route);
    case READ:
        return cached && HAS(READS_FILL) ? fill(s, true) : s;
    case FETCH:
        return cached && HAS(FETCHES_FILL_UNIFIED) ? fill(s, false) : s;
    case CLEAN:
        return (route == POU ? HAS(CLEANS_AT_POU) : HAS(CLEANS)) ? clean(s, route == POC) : s;
    case CLEAN_AND_DROP:
        return drop(HAS(CLEANS) ? clean(s, true) : s);
    case DROP:
        return drop(loses ? s : clean(s, true));
    case DROP_ICACHES:
        if (HAS(DROPS_ICACHES) && !(route == ALIAS && hw->vipt && HAS(VIPT_MISSES))) {
            s.icache[0] = s.icache[1] = ABSENT;
        }
        return s;
    case RENEW:
        return HAS(FRESH_IS_NEW) ? (struct state){.memory = NEW} : s;
    default:
        return s;
    }
}

static void control(struct line_set *set, enum what what, bool past)
{
    bool ends = what == END_TLB && HAS(TLBI_ENDS);
    bool unmap = what == UNMAP, run = what == RUN || what == RUN_IN_RESET;
    set->left = (set->left || (unmap && set->mapped)) && !ends;
    set->left_code = (set->left_code || (unmap && set->code)) && !ends;
    set->mapped = (set->mapped || what == MAP || what == MAP_CODE) && !unmap;
    set->code = (set->code || what == MAP_CODE) && !unmap;
    if (what == STOP || what == STOP_ALL || run) {
        set->running = run;
        set->past = run && past;
        set->others = what == STOP || what == RUN_IN_RESET;
    }
}

void line_step(struct line_set *set, enum line_operation operation, const struct line_hardware *hw,
               unsigned may)
{
    enum what what = operations[operation].what;
    enum route route = operations[operation].route;
    struct line_set to = *set;
    memset(to.states, 0, sizeof to.states);
    control(&to, what, !through(route, hw));
    for (int n = next(set, 0); n < LINE_STATES; n = next(set, n + 1)) {
        for (int i = 0; i < 2; i++) {
            struct state s = numbered(n);
            s = what == FETCH ? fill_icache(s, i, through(route, hw), hw) : s;
            put(&to, done(s, what, route, hw));
            if (route == NO_DSB && HAS(DSB_COMPLETES)) {
                put(&to, s); /* it has not happened yet */
            }
        }
    }
    close(&to, hw, may);
    *set = to;
}

bool line_reads(enum line_operation operation)
{
    return operations[operation].what == READ || operations[operation].what == FETCH;
}

bool line_reads_old(const struct line_set *set, enum line_operation operation,
                    const struct line_hardware *hw)
{
    bool fetch = operations[operation].what == FETCH;
    bool cached = through(operations[operation].route, hw), old = false;
    for (int n = next(set, 0); n < LINE_STATES && !old; n = next(set, n + 1)) {
        struct state s = numbered(n);
        enum held miss = fetch ? fetched(&s, cached, hw) : read(&s, cached);
        for (int i = 0; i < 2; i++) {
            enum held hit = fetch && HAS(FETCHES_HIT_ICACHES) ? s.icache[i] : ABSENT;
            old = old || (hit ? hit : miss) == OLD;
        }
    }
    return old;
}
