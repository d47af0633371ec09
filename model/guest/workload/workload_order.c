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
