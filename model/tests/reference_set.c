#include "reference_set.h"

#include <string.h>

/* A copy is absent, old, new, old and dirty, new and dirty. */
static int number_copy(struct copy copy)
{
    return (int)copy.bytes + (copy.dirty ? 2 : 0);
}

static struct copy numbered_copy(int n)
{
    static const struct copy copies[] = {
        {ABSENT, false}, {OLD, false}, {NEW, false}, {OLD, true}, {NEW, true}};
    return copies[n];
}

static int number(struct line_state s)
{
    int copies = number_copy(s.data) * 5 + number_copy(s.unified);
    return (copies * 3 + (int)s.icache) * 2 + (s.memory == NEW);
}

static struct line_state numbered(int n)
{
    static const enum bytes bytes[] = {ABSENT, OLD, NEW};
    return (struct line_state){.memory = n % 2 ? NEW : OLD,
                               .icache = bytes[n / 2 % 3],
                               .unified = numbered_copy(n / 6 % 5),
                               .data = numbered_copy(n / 30)};
}

/* The first state of a set from n on; LINE_STATES behind the last. */
static int next(const struct line_set *set, int n)
{
    while (n < LINE_STATES && !(set->states[n / 64] >> n % 64 & 1)) {
        n++;
    }
    return n;
}

static void put(struct line_set *set, struct line_state s)
{
    int n = number(s);
    set->states[n / 64] |= UINT64_C(1) << n % 64;
}

static void add(struct line_set *set, const struct line_set *other)
{
    for (size_t i = 0; i < sizeof set->states / sizeof *set->states; i++) {
        set->states[i] |= other->states[i];
    }
}

/* What may become of each state by any number of events. Of those, 16 sets: whether there are
 * fills, fetches through the caches and past them, and writes. */
struct closure {
    unsigned events;
    struct line_set after[LINE_STATES];
};

static void close(struct closure *closure, const struct line_hardware *hw)
{
    for (int n = 0; n < LINE_STATES; n++) {
        put(&closure->after[n], numbered(n));
        for (unsigned event = 1; event <= closure->events; event *= 2) {
            struct line_state s = numbered(n);
            if (closure->events & event) {
                line_let(&s, (enum event)event, hw);
                put(&closure->after[n], s);
            }
        }
    }
    for (bool more = true; more;) {
        more = false;
        for (int n = 0; n < LINE_STATES; n++) {
            struct line_set before = closure->after[n];
            for (int k = next(&before, 0); k < LINE_STATES; k = next(&before, k + 1)) {
                add(&closure->after[n], &closure->after[k]);
            }
            more |= memcmp(before.states, closure->after[n].states, sizeof before.states) != 0;
        }
    }
}

static bool same_hardware(const struct line_hardware *a, const struct line_hardware *b)
{
    return a->fwb == b->fwb && a->dc == b->dc && a->idc == b->idc && a->dic == b->dic &&
           a->vipt == b->vipt;
}

/* Each is made once; all anew for another machine and where other rules hold. */
static const struct closure *closure_of(const struct line_hardware *hw, unsigned events)
{
    static struct closure known[16];
    static struct line_hardware of;
    static int count, without;
    if (!same_hardware(&of, hw) || without != line_without) {
        of = *hw;
        without = line_without;
        count = 0;
    }
    for (int i = 0; i < count; i++) {
        if (known[i].events == events) {
            return &known[i];
        }
    }
    struct closure *closure = &known[count++];
    memset(closure, 0, sizeof *closure);
    closure->events = events;
    close(closure, hw);
    return closure;
}

static void let_happen(struct line_set *set, const struct line_hardware *hw, unsigned may)
{
    const struct closure *closure = closure_of(hw, line_may(set->reach, hw, may));
    struct line_set before = *set;
    for (int n = next(&before, 0); n < LINE_STATES; n = next(&before, n + 1)) {
        add(set, &closure->after[n]);
    }
}

void line_set_rest(struct line_set *set, const struct line_hardware *hw, unsigned may)
{
    *set = (struct line_set){.states = {0}};
    put(set, (struct line_state){.memory = NEW});
    let_happen(set, hw, may);
}

void line_set_step(struct line_set *set, enum line_operation operation,
                   const struct line_hardware *hw, unsigned may)
{
    struct line_set to = {.reach = set->reach};
    unsigned does = line_does(operation, hw);
    line_reach(&to.reach, operation, hw);
    for (int n = next(set, 0); n < LINE_STATES; n = next(set, n + 1)) {
        struct line_state s = numbered(n);
        if (line_waits(operation)) {
            put(&to, s);
        }
        for (unsigned event = 1; event <= does; event *= 2) {
            if (does & event) {
                line_let(&s, (enum event)event, hw);
            }
        }
        put(&to, s);
    }
    let_happen(&to, hw, may);
    *set = to;
}

bool line_set_reads_old(const struct line_set *set, enum line_operation operation,
                        const struct line_hardware *hw)
{
    bool old = false;
    for (int n = next(set, 0); n < LINE_STATES && !old; n = next(set, n + 1)) {
        old = line_reads_old(numbered(n), operation, hw);
    }
    return old;
}
