#include "guest/timeline.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"
#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>

void vm_shape_defaults(struct vm_shape *vm, uint32_t vcpus)
{
    *vm = (struct vm_shape){.granule_bytes = 4 * KIB,
                            .ipa_bits = 40,
                            .vcpus = vcpus,
                            .copies = 1,
                            .s1_levels = 3,
                            .reset_stops_vcpus = true,
                            .off_access_share = 0.3,

                            .off_access_bytes = 16};
}

bool vm_shape_slot(struct vm_shape *vm, struct slot_shape slot, struct error *err)
{
    if (vm->slot_count == TIMELINE_SLOTS) {
        return error_input(err, NULL, "more than %d memory slots", TIMELINE_SLOTS);
    }
    uint64_t top = UINT64_C(1) << vm->ipa_bits;
    if (slot.bytes == 0 || slot.ipa > top || slot.bytes > top - slot.ipa) {
        return error_input(err, NULL, "slot [%#llx, +%llu) does not lie within %u bits of IPA",
                           (unsigned long long)slot.ipa, (unsigned long long)slot.bytes,
                           vm->ipa_bits);
    }
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        const struct slot_shape *other = &vm->slots[i];
        if (slot.ipa < other->ipa + other->bytes && other->ipa < slot.ipa + slot.bytes) {
            return error_input(err, NULL, "slot at %#llx overlaps the one at %#llx",
                               (unsigned long long)slot.ipa, (unsigned long long)other->ipa);
        }
    }
    vm->slots[vm->slot_count++] = slot;
    return true;
}

static void *grown(void *array, size_t bytes)
{
    void *larger = alloc_checked(realloc(array, bytes), "a timeline");
    return larger;
}

void timeline_init(struct timeline *timeline, const char *name, bool serial, uint32_t vcpus)
{
    *timeline = (struct timeline){.serial = serial, .script_count = vcpus + 1};
    snprintf(timeline->name, sizeof timeline->name, "%s", name);
    vm_shape_defaults(&timeline->vm, vcpus);
    timeline->scripts = alloc_checked(calloc(vcpus + 1, sizeof *timeline->scripts), "a timeline");
    timeline->scripts[0].vcpu = SCRIPT_VMM;
    for (uint32_t i = 0; i < vcpus; i++) {
        timeline->scripts[i + 1].vcpu = i;
    }
    timeline->last_script = UINT32_MAX;
    timeline_phase(timeline, "");
}

void timeline_free(struct timeline *timeline)
{
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        free(timeline->scripts[i].ops);
    }
    free(timeline->scripts);
    free(timeline->phases);
    *timeline = (struct timeline){0};
}

uint32_t timeline_phase(struct timeline *timeline, const char *name)
{
    bool unused = timeline->phase_count == 1 && timeline->phases[0][0] == '\0' &&
                  timeline->last_script == UINT32_MAX;
    if (!unused && timeline->phase_count == TIMELINE_PHASES) {
        timeline->full = true;
        return timeline->phase;
    }
    if (!unused) {
        timeline->phase_count++;
        timeline->phases = grown(timeline->phases, (size_t)timeline->phase_count * PHASE_NAME);
    }
    uint32_t index = timeline->phase_count - 1;
    snprintf(timeline->phases[index], PHASE_NAME, "%s", name);
    timeline->phase = index;
    return index;
}

static bool op_has_pieces(const struct op *op)
{
    return op->kind == OP_TOUCH || op->kind == OP_PREFAULT || op->kind == OP_MAINTAIN;
}

/* What is left out is more than one piece: a timeline that is full stays so. */
static bool has_room(struct timeline *timeline, const struct op *op)
{
    bool many = op_has_pieces(op) && op->count > 1;
    uint64_t pieces = many ? op->count : 1;
    timeline->full |= pieces > TIMELINE_OPS - timeline->ops;
    timeline->ops += timeline->full ? 0 : pieces;
    return !timeline->full;
}

static void append(struct timeline *timeline, struct script *script, struct op op)
{
    if (!has_room(timeline, &op)) {
        return;
    }
    if (script->count == script->room) {
        script->room = script->room ? script->room * 2 : 16;
        script->ops = grown(script->ops, script->room * sizeof *script->ops);
    }
    op.phase = timeline->phase;
    timeline->window |= op.kind == OP_WINDOW;
    script->ops[script->count++] = op;
}

/* In a serial timeline the turn passes by a signal. */
static void pass_turn(struct timeline *timeline, uint32_t to)
{
    if (!timeline->serial || timeline->last_script == to || timeline->last_script == UINT32_MAX) {
        return;
    }
    struct script *from = &timeline->scripts[timeline->last_script];
    uint64_t signal = timeline_signal(timeline);
    append(timeline, from, (struct op){.kind = OP_SIGNAL, .n = signal});
    append(timeline, &timeline->scripts[to], (struct op){.kind = OP_WAIT, .n = signal});
}

void timeline_add(struct timeline *timeline, uint32_t vcpu, struct op op)
{
    uint32_t to = vcpu == SCRIPT_VMM ? 0 : vcpu + 1;
    INVARIANT(to < timeline->script_count, "vCPU %u of %u", vcpu, timeline->script_count - 1);
    pass_turn(timeline, to);
    append(timeline, &timeline->scripts[to], op);
    timeline->last_script = to;
}

uint64_t timeline_signal(struct timeline *timeline)
{
    return timeline->signals++;
}

bool timeline_fits(const struct timeline *timeline, const struct source_location *at,
                   struct error *err)
{
    return !timeline->full || error_input(err, at, "more than %llu operations or %d phases",
                                          (unsigned long long)TIMELINE_OPS, TIMELINE_PHASES);
}

static bool same_slot(const struct slot_shape *a, const struct slot_shape *b)
{
    return a->ipa == b->ipa && a->bytes == b->bytes && a->misalign == b->misalign &&
           a->backing == b->backing && a->code == b->code && a->read_only == b->read_only;
}

static bool same_vm(const struct vm_shape *a, const struct vm_shape *b)
{
    bool same =
        a->granule_bytes == b->granule_bytes && a->ipa_bits == b->ipa_bits &&
        a->vcpus == b->vcpus && a->copies == b->copies && a->s1_levels == b->s1_levels &&
        a->s1_page_bytes == b->s1_page_bytes && a->s1_hot_pages == b->s1_hot_pages &&
        a->off_access_bytes == b->off_access_bytes && a->placement == b->placement &&
        a->reset_stops_vcpus == b->reset_stops_vcpus &&
        !(a->off_access_share < b->off_access_share || a->off_access_share > b->off_access_share) &&
        a->slot_count == b->slot_count;
    for (uint32_t i = 0; i < a->slot_count && same; i++) {
        same = same_slot(&a->slots[i], &b->slots[i]);
    }
    return same;
}

static bool same_op(const struct op *a, const struct op *b)
{
    return a->kind == b->kind && a->access == b->access && a->on == b->on &&
           a->density == b->density && a->phase == b->phase && a->ipa == b->ipa &&
           a->bytes == b->bytes && a->stride == b->stride && a->count == b->count && a->n == b->n;
}

bool timeline_same(const struct timeline *a, const struct timeline *b)
{
    bool same = same_vm(&a->vm, &b->vm) && a->script_count == b->script_count &&
                a->phase_count == b->phase_count && a->signals == b->signals;
    for (uint32_t i = 0; same && i < a->script_count; i++) {
        const struct script *one = &a->scripts[i], *other = &b->scripts[i];
        same = one->vcpu == other->vcpu && one->count == other->count;
        for (size_t op = 0; same && op < one->count; op++) {
            same = same_op(&one->ops[op], &other->ops[op]);
        }
    }
    return same;
}

size_t timeline_intervals(const struct timeline *timeline)
{
    size_t ends = 64 + 8 * (size_t)timeline->vm.slot_count, runs = ends, pages = ends;
    for (uint32_t i = 0; i < timeline->vm.slot_count; i++) {
        pages += timeline->vm.slots[i].bytes / (4 * KIB);
    }
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        const struct script *script = &timeline->scripts[i];
        for (size_t k = 0; k < script->count; k++) {
            const struct op *op = &script->ops[k];
            bool pieces = op_has_pieces(op) && op->count > 1 && op->stride > op->bytes;
            runs += pieces ? 4 * op->count : 4;
        }
    }
    return runs < pages ? runs : pages;
}
