/* What signals say about the order of operations, whatever they cost. */
#include "core/alloc.h"
#include "guest/workload/workload_operands.h"

#include <stdlib.h>

/* Operations of the VMM and of vCPU 0 that are over. */
enum { OF_VMM, OF_VCPU0, WATCHED };

struct over {
    size_t ops[WATCHED];
};

struct order {
    const struct timeline *timeline;
    struct over *known; /* [script] at its next operation */
    struct over *sent; /* [signal] */
    bool *raised; /* [signal] */
    size_t *next; /* [script] */
    struct over *prefault; /* [VMM's operation] before it */
    struct over *touch; /* [vCPU 0's operation] before it */
};

static void take_over(struct over *known, const struct over *other)
{
    for (int i = 0; i < WATCHED; i++) {
        known->ops[i] = other->ops[i] > known->ops[i] ? other->ops[i] : known->ops[i];
    }
}

/* Goes over one operation of a script; false where it waits. */
static bool pass(struct order *order, uint32_t script)
{
    const struct op *op = &order->timeline->scripts[script].ops[order->next[script]];
    struct over *known = &order->known[script];
    if (op->kind == OP_WAIT && !order->raised[op->n]) {
        return false;
    }
    if (op->kind == OP_WAIT) {
        take_over(known, &order->sent[op->n]);
    }
    if (script == 0) {
        order->prefault[order->next[script]] = *known;
    } else if (script == 1) {
        order->touch[order->next[script]] = *known;
    }
    order->next[script]++;
    if (script < WATCHED) {
        known->ops[script] = order->next[script];
    }
    if (op->kind == OP_SIGNAL) {
        order->sent[op->n] = *known;
        order->raised[op->n] = true;
    }
    return true;
}

static void pass_all(struct order *order)
{
    const struct timeline *timeline = order->timeline;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < timeline->script_count; i++) {
            while (order->next[i] < timeline->scripts[i].count && pass(order, i)) {
                moved = true;
            }
        }
    }
}

/* The first touch that does not come before a prefault has to come behind it; all
 * that follow do, then. */
static bool stands_alone(const struct order *order, size_t prefault)
{
    const struct script *vcpu = &order->timeline->scripts[1];
    size_t at = order->prefault[prefault].ops[OF_VCPU0];
    while (at < vcpu->count && vcpu->ops[at].kind != OP_TOUCH &&
           vcpu->ops[at].kind != OP_MAINTAIN) {
        at++;
    }
    return at == vcpu->count || order->touch[at].ops[OF_VMM] > prefault;
}

size_t workload_crowded_prefault(const struct timeline *timeline)
{
    const struct script *vmm = &timeline->scripts[0];
    size_t found = 0;
    struct order order = {
        .timeline = timeline,
        .known = alloc_zeroed(timeline->script_count, sizeof *order.known, "scripts"),
        .sent = alloc_zeroed(timeline->signals, sizeof *order.sent, "signals"),
        .raised = alloc_zeroed(timeline->signals, sizeof *order.raised, "signals"),
        .next = alloc_zeroed(timeline->script_count, sizeof *order.next, "scripts"),
        .prefault = alloc_zeroed(vmm->count, sizeof *order.prefault, "operations"),
        .touch = alloc_zeroed(timeline->scripts[1].count, sizeof *order.touch, "operations")};
    pass_all(&order);
    while (found < vmm->count &&
           (vmm->ops[found].kind != OP_PREFAULT || stands_alone(&order, found))) {
        found++;
    }
    free(order.known);
    free(order.sent);
    free(order.raised);
    free(order.next);
    free(order.prefault);
    free(order.touch);
    return found == vmm->count ? SIZE_MAX : found;
}

/* --- what is over when the VM is destroyed --- */

/* Which operation raises a signal. */
struct raised_by {
    uint32_t script;
    size_t index;
};

static struct raised_by *find_raisers(const struct timeline *timeline)
{
    struct raised_by *raiser = alloc_zeroed(timeline->signals, sizeof *raiser, "signals");
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        const struct script *script = &timeline->scripts[i];
        for (size_t k = 0; k < script->count; k++) {
            if (script->ops[k].kind == OP_SIGNAL) {
                raiser[script->ops[k].n] = (struct raised_by){i, k};
            }
        }
    }
    return raiser;
}

/* How much of each script must be over before the VMM's operation: what the waits up to there
 * wait for, and what that waits for. */
static void count_over(const struct timeline *timeline, size_t *over)
{
    struct raised_by *raiser = find_raisers(timeline);
    size_t *looked = alloc_zeroed(timeline->script_count, sizeof *looked, "scripts");
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < timeline->script_count; i++) {
            for (; looked[i] < over[i]; looked[i]++) {
                const struct op *op = &timeline->scripts[i].ops[looked[i]];
                if (op->kind == OP_WAIT && over[raiser[op->n].script] <= raiser[op->n].index) {
                    over[raiser[op->n].script] = raiser[op->n].index + 1;
                    moved = true;
                }
            }
        }
    }
    free(raiser);
    free(looked);
}

static bool does_nothing(const struct op *op)
{
    return op->kind == OP_SIGNAL || op->kind == OP_WAIT || op->kind == OP_COMPUTE;
}

uint32_t workload_outlives_vm(const struct timeline *timeline)
{
    const struct script *vmm = &timeline->scripts[0];
    size_t *over = alloc_zeroed(timeline->script_count, sizeof *over, "scripts");
    uint32_t found = UINT32_MAX;
    while (over[0] < vmm->count && vmm->ops[over[0]].kind != OP_TEARDOWN) {
        over[0]++;
    }
    if (over[0] < vmm->count) {
        count_over(timeline, over);
        for (uint32_t i = 1; i < timeline->script_count && found == UINT32_MAX; i++) {
            const struct script *script = &timeline->scripts[i];
            while (over[i] < script->count && does_nothing(&script->ops[over[i]])) {
                over[i]++;
            }
            found = over[i] < script->count ? script->vcpu : UINT32_MAX;
        }
    }
    free(over);
    return found;
}
