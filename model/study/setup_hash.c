/* Hashes of a setup: of all that its rows say, and of what a simulation gets of it. */
#include "core/alloc.h"
#include "core/error.h"
#include "study/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct setup_hasher {
    XXH3_state_t *state;
    bool fresh; /* of a play: no vCPU is re-inited once it has entered */
};

static XXH3_state_t *new_state(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) == XXH_ERROR) {
        error_fatal("out of memory for a hash");
    }
    return state;
}

static struct setup_hasher *begin(void)
{
    struct setup_hasher *begun = alloc_raw(1, sizeof *begun, "hashes");
    begun->state = new_state();
    return begun;
}

/* A copy of what was begun, to go on with. */
static XXH3_state_t *go_on(const struct setup_hasher *begun)
{
    XXH3_state_t *state = new_state();
    XXH3_copyState(state, begun->state);
    return state;
}

static void finish(XXH3_state_t *state, char text[SETUP_HASH])
{
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(text, SETUP_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}

void setup_hash_free(struct setup_hasher *begun)
{
    XXH3_freeState(begun->state);
    free(begun);
}

/* --- all that a row says --- */

static void hash_text(XXH3_state_t *state, const char *text)
{
    XXH3_128bits_update(state, text, strlen(text) + 1);
}

/* Notes and sources say where a value comes from and change no result. */
static void hash_line(void *context, const struct setting_line *line)
{
    if (strcmp(line->key, "source") != 0 && strcmp(line->key, "evidence") != 0) {
        hash_text(context, line->section);
        hash_text(context, line->key);
        hash_text(context, line->value);
    }
}

/* What is added to a timeline goes into the hashes, too. */
_Static_assert(sizeof(struct op) == 56 && sizeof(struct slot_shape) == 32, "see hash_op");
_Static_assert(sizeof(struct vm_shape) == 72 + TIMELINE_SLOTS * sizeof(struct slot_shape),
               "see hash_shape and hash_rest_of_shape");

/* Field by field: what lies between them in memory is not defined. */
static void hash_op(XXH3_state_t *state, const struct op *op)
{
    const uint64_t fields[] = {op->kind,     op->access,  op->on,    op->past, op->no_dsb,
                               op->declared, op->density, op->phase, op->ipa,  op->bytes,
                               op->stride,   op->count,   op->n};
    XXH3_128bits_update(state, fields, sizeof fields);
}

static void hash_shape(XXH3_state_t *state, const struct vm_shape *vm)
{
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        const struct slot_shape *slot = &vm->slots[i];
        const uint64_t fields[] = {slot->ipa,     slot->bytes, slot->misalign,
                                   slot->backing, slot->code,  slot->read_only};
        XXH3_128bits_update(state, fields, sizeof fields);
    }
    const uint64_t fields[] = {vm->granule_bytes,   vm->ipa_bits,  vm->vcpus,
                               vm->copies,          vm->s1_levels, vm->s1_page_bytes,
                               vm->off_access_bytes};
    XXH3_128bits_update(state, fields, sizeof fields);
}

static void hash_timeline(XXH3_state_t *state, const struct timeline *timeline)
{
    hash_shape(state, &timeline->vm);
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        const struct script *script = &timeline->scripts[i];
        XXH3_128bits_update(state, &script->vcpu, sizeof script->vcpu);
        for (size_t op = 0; op < script->count; op++) {
            hash_op(state, &script->ops[op]);
        }
    }
}

struct setup_hasher *setup_hash_begin(const struct setup *setup, const char *study)
{
    struct setup_hasher *begun = begin();
    hash_text(begun->state, study);
    hash_text(begun->state, setup->exact ? "exact" : "fast");
    hash_text(begun->state, setup->preemptible ? "preemptible" : "");
    setup_list_workload(setup->workload, hash_line, begun->state);
    setup_list_platform(&setup->platform, hash_line, begun->state);
    setup_list_kernel(&setup->kernel, hash_line, begun->state);
    return begun;
}

void setup_hash_finish(const struct setup_hasher *begun, const struct strategy *strategy,
                       const struct timeline *timeline, char text[SETUP_HASH])
{
    XXH3_state_t *state = go_on(begun);
    setup_list_strategy(strategy, hash_line, state);
    hash_timeline(state, timeline);
    finish(state, text);
}

void setup_hash(const struct setup *setup, const struct timeline *timeline, const char *study,
                char text[SETUP_HASH])
{
    struct setup_hasher *begun = setup_hash_begin(setup, study);
    setup_hash_finish(begun, setup->strategy, timeline, text);
    setup_hash_free(begun);
}

/* --- what a simulation gets --- */

/* What the hash above leaves out of the shape, since a workload's settings tell it. */
static void hash_rest_of_shape(XXH3_state_t *state, const struct vm_shape *vm)
{
    XXH3_128bits_update(state, &vm->s1_hot_pages, sizeof vm->s1_hot_pages);
    XXH3_128bits_update(state, &vm->placement, sizeof vm->placement);
    XXH3_128bits_update(state, &vm->reset_stops_vcpus, sizeof vm->reset_stops_vcpus);
    XXH3_128bits_update(state, &vm->off_access_share, sizeof vm->off_access_share);
}

static void hash_machine(void *context, const struct setting_line *line)
{
    if (strcmp(line->key, "name") != 0 && strcmp(line->key, "title") != 0) {
        hash_line(context, line);
    }
}

/* Marks signals that are raised before the VMM's last re-init, or by vCPUs, which says nothing.
 * Returns false where others do re-inits. */
static bool mark_early(const struct timeline *timeline, bool *early)
{
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        const struct script *script = &timeline->scripts[i];
        bool before = script->vcpu != SCRIPT_VMM;
        for (size_t k = script->count; k-- > 0;) {
            const struct op *op = &script->ops[k];
            if (op->kind == OP_REINIT && script->vcpu != SCRIPT_VMM) {
                return false;
            }
            before |= op->kind == OP_REINIT;
            if (op->kind == OP_SIGNAL && before) {
                early[op->n] = true;
            }
        }
    }
    return true;
}

/* Whether the script waits for another signal before it enters the guest. */
static bool enters_late(const struct script *script, const bool *early)
{
    bool waited = false;
    size_t k = 0;
    for (; k < script->count && script->ops[k].kind != OP_ENTER; k++) {
        waited |= script->ops[k].kind == OP_WAIT && !early[script->ops[k].n];
    }
    return waited || k == script->count;
}

/* Whether every vCPU enters behind the last re-init, as its signals say. */
static bool is_fresh(const struct timeline *timeline)
{
    bool *early = alloc_zeroed(timeline->signals + 1, sizeof *early, "hashes");
    bool fresh = mark_early(timeline, early);
    for (uint32_t i = 0; fresh && i < timeline->script_count; i++) {
        fresh = enters_late(&timeline->scripts[i], early);
    }
    free(early);
    return fresh;
}

/* The strategy with what it does at a re-init left out. */
static struct strategy without_reinit(const struct strategy *strategy)
{
    struct strategy without = *strategy;
    without.reinit_unmap = UNMAP_NONE;
    without.reinit_icache = false;
    without.flush_at = FLUSH_NONE;
    return without;
}

struct setup_hasher *setup_play_begin(const struct setup *setup, const struct timeline *timeline)
{
    struct setup_hasher *begun = begin();
    const uint64_t how[] = {setup->exact, setup->preemptible};
    XXH3_128bits_update(begun->state, how, sizeof how);
    XXH3_128bits_update(begun->state, setup->kernel.value, sizeof setup->kernel.value);
    setup_list_machine(&setup->platform, hash_machine, begun->state);
    hash_rest_of_shape(begun->state, &timeline->vm);
    hash_timeline(begun->state, timeline);
    begun->fresh = is_fresh(timeline);
    return begun;
}

void setup_play_finish(const struct setup_hasher *begun, const struct strategy *strategy,
                       char text[SETUP_HASH])
{
    XXH3_state_t *state = go_on(begun);
    /* Records, and threads that wait for a flush, are there without one. */
    bool plain = strategy->workers <= 1 && strategy->flush_record == RECORD_NONE;
    struct strategy used = begun->fresh && plain ? without_reinit(strategy) : *strategy;
    struct strategy same = strategy_canonical(&used);
    for (size_t i = 0; i < strategy_option_count; i++) {
        char value[512];
        if (strategy_options[i].kind != OPTION_TEXT) {
            hash_text(state, option_format(&strategy_options[i], &same, value, sizeof value));
        }
    }
    XXH3_128bits_update(state, &strategy->ideal, sizeof strategy->ideal);
    finish(state, text);
}
