#include "core/ledger.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *zeroed(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const char *what = "ledger cells";
    uint64_t cells = u64_mul(u64_mul(a, b, what), u64_mul(c, d, what), what);
    return alloc_zeroed(cells, sizeof(uint64_t), what);
}

void ledger_init(struct ledger *ledger, struct ledger_shape shape, const ps_t *price)
{
    ledger->shape = shape;
    ledger->price = price;
    ledger->counts = zeroed(shape.actors, shape.phases, shape.sites, shape.kinds);
    ledger->used = alloc_zeroed((size_t)shape.actors * shape.phases * shape.sites,
                                sizeof *ledger->used, "ledger cells");
    ledger->waits = zeroed(shape.actors, shape.phases, shape.resources, 1);
    ledger->idle = zeroed(shape.actors, shape.phases, 1, 1);
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->counts);
    free(ledger->used);
    free(ledger->waits);
    free(ledger->idle);
}

static bool *used_of(const struct ledger *ledger, uint32_t actor, uint32_t phase, uint32_t site)
{
    const struct ledger_shape *s = &ledger->shape;
    return &ledger->used[((uint64_t)actor * s->phases + phase) * s->sites + site];
}

void ledger_wait(struct ledger *ledger, uint32_t actor, uint32_t phase, uint32_t resource, ps_t ps)
{
    const struct ledger_shape *s = &ledger->shape;
    ps_t *wait = &ledger->waits[((uint64_t)actor * s->phases + phase) * s->resources + resource];
    *wait = u64_add(*wait, ps, "waiting time");
}

void ledger_idle(struct ledger *ledger, uint32_t actor, uint32_t phase, ps_t ps)
{
    ps_t *idle = &ledger->idle[(uint64_t)actor * ledger->shape.phases + phase];
    *idle = u64_add(*idle, ps, "idle time");
}

struct selection {
    uint32_t first, last;
};

/* The indices that a slice selects of a dimension with that many. */
static struct selection selected(uint32_t index, uint32_t size)
{
    return index == LEDGER_ALL ? (struct selection){0, size} : (struct selection){index, index + 1};
}

/* Sums weight[kind] * count over a slice; NULL weights are 1. */
static uint64_t sum(const struct ledger *ledger, struct ledger_slice slice, const ps_t *weight)
{
    struct selection actors = selected(slice.actor, ledger->shape.actors);
    struct selection phases = selected(slice.phase, ledger->shape.phases);
    struct selection sites = selected(slice.site, ledger->shape.sites);
    struct selection kinds = selected(slice.kind, ledger->shape.kinds);
    uint64_t total = 0;
    for (uint32_t a = actors.first; a < actors.last; a++) {
        for (uint32_t p = phases.first; p < phases.last; p++) {
            for (uint32_t s = sites.first; s < sites.last; s++) {
                const uint64_t *counts = ledger_cell(ledger, a, p, s);
                uint32_t first = *used_of(ledger, a, p, s) ? kinds.first : kinds.last;
                for (uint32_t k = first; k < kinds.last; k++) {
                    uint64_t each = weight ? weight[k] : 1;
                    total = u64_add(total, u64_mul(counts[k], each, "ledger sum"), "ledger sum");
                }
            }
        }
    }
    return total;
}

uint64_t ledger_count(const struct ledger *ledger, struct ledger_slice slice)
{
    return sum(ledger, slice, NULL);
}

ps_t ledger_busy(const struct ledger *ledger, struct ledger_slice slice)
{
    return sum(ledger, slice, ledger->price);
}

ps_t ledger_waited(const struct ledger *ledger, uint32_t actor, uint32_t phase, uint32_t resource)
{
    struct selection actors = selected(actor, ledger->shape.actors);
    struct selection phases = selected(phase, ledger->shape.phases);
    struct selection resources = selected(resource, ledger->shape.resources);
    ps_t total = 0;
    for (uint32_t a = actors.first; a < actors.last; a++) {
        for (uint32_t p = phases.first; p < phases.last; p++) {
            uint64_t row = ((uint64_t)a * ledger->shape.phases + p) * ledger->shape.resources;
            for (uint32_t r = resources.first; r < resources.last; r++) {
                total = u64_add(total, ledger->waits[row + r], "waiting time");
            }
        }
    }
    return total;
}

ps_t ledger_idled(const struct ledger *ledger, uint32_t actor, uint32_t phase)
{
    struct selection actors = selected(actor, ledger->shape.actors);
    struct selection phases = selected(phase, ledger->shape.phases);
    ps_t total = 0;
    for (uint32_t a = actors.first; a < actors.last; a++) {
        for (uint32_t p = phases.first; p < phases.last; p++) {
            ps_t idle = ledger->idle[(uint64_t)a * ledger->shape.phases + p];
            total = u64_add(total, idle, "idle time");
        }
    }
    return total;
}

void ledger_vector(const struct ledger *ledger, uint64_t *vector)
{
    const struct ledger_shape *s = &ledger->shape;
    uint64_t cells = (uint64_t)s->actors * s->phases * s->sites;
    memset(vector, 0, (size_t)s->sites * s->kinds * sizeof *vector);
    for (uint64_t cell = 0; cell < cells; cell++) {
        uint64_t *sums = vector + cell % s->sites * s->kinds;
        for (uint32_t kind = 0; ledger->used[cell] && kind < s->kinds; kind++) {
            sums[kind] = u64_add(sums[kind], ledger->counts[cell * s->kinds + kind], "event count");
        }
    }
}
