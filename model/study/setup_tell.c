/* The resolved configuration of a setup, key by key, and the hash of it. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/units.h"
#include "study/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define VALUE_BYTES 512

bool setup_cost_unit(const char *name, enum unit *unit)
{
    for (int id = 0; id < COSTS; id++) {
        if (strcmp(cost_name[id], name) == 0) {
            *unit = cost_entry[id].unit;
            return true;
        }
    }
    return false;
}

static void tell(setting_fn each, void *context, const char *section, const char *key,
                 const char *value, const char *note)
{
    struct setting_line line = {section, key, value, note};
    each(context, &line);
}

static void tell_options(const struct option_row *table, size_t count, const void *values,
                         const char *section, setting_fn each, void *context)
{
    for (size_t i = 0; i < count; i++) {
        char value[VALUE_BYTES];
        option_format(&table[i], values, value, sizeof value);
        tell(each, context, section ? section : table[i].section, table[i].name, value,
             table[i].source);
    }
}

void setup_tell_workload(const struct workload *workload, setting_fn each, void *context)
{
    tell_options(workload_options, workload_option_count, workload_values(workload), NULL, each,
                 context);
}

static void tell_cost(const struct platform *platform, enum cost_id id, setting_fn each,
                      void *context)
{
    const struct cost *cost = &platform->cost[id];
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"low", cost->low}, {"mode", cost->mode}, {"high", cost->high}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char value[64];
        unit_format(numbers[i].value, cost_entry[id].unit, value, sizeof value);
        tell(each, context, cost_name[id], numbers[i].key, value, NULL);
    }
    tell(each, context, cost_name[id], "source", cost->source, NULL);
    tell(each, context, cost_name[id], "evidence", cost->evidence, NULL);
}

static void tell_whole(uint64_t value, enum unit unit, const char *key, setting_fn each,
                       void *context)
{
    char text[64];
    unit_format_whole(value, unit, text, sizeof text);
    tell(each, context, "machine", key, text, NULL);
}

void setup_tell_platform(const struct platform *platform, setting_fn each, void *context)
{
    char clock[64];
    tell(each, context, "machine", "name", platform->name, NULL);
    tell(each, context, "machine", "title", platform->title, NULL);
    tell_whole(platform->cores, UNIT_NONE, "cores", each, context);
    tell(each, context, "machine", "clock_ghz",
         unit_format(platform->clock_ghz, UNIT_GHZ, clock, sizeof clock), NULL);
    tell_whole(platform->cache_bytes, UNIT_BYTES, "cache_bytes", each, context);
    tell_whole(platform->cache_ways, UNIT_NONE, "cache_ways", each, context);
    tell_whole(platform->line_bytes, UNIT_BYTES, "line_bytes", each, context);
    const struct {
        const char *key;
        bool set;
    } caps[] = {{"fwb", platform->fwb},
                {"dic", platform->dic},
                {"tlbirange", platform->tlbirange},
                {"vhe", platform->vhe},
                {"lpa2", platform->lpa2}};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        tell(each, context, "machine", caps[i].key, caps[i].set ? "yes" : "no",
             platform->caps_source);
    }
    for (int id = 0; id < COSTS; id++) {
        tell_cost(platform, (enum cost_id)id, each, context);
    }
}

void setup_tell_kernel(const struct kernel *kernel, setting_fn each, void *context)
{
    tell(each, context, "kernel", "name", kernel->name, NULL);
    for (int which = 0; which < KERNEL_SWITCHES; which++) {
        const struct kernel_rule *in_force = NULL, *own = NULL;
        for (size_t i = 0; i < kernel_rule_count; i++) {
            const struct kernel_rule *rule = &kernel_rules[i];
            if ((int)rule->which != which) {
                continue;
            }
            in_force = rule->code == kernel->value[which] ? rule : in_force;
            own = rule->since <= kernel->version ? rule : own;
        }
        bool overridden = in_force && own && in_force->code != own->code;
        tell(each, context, "kernel", kernel_switch_name[which], in_force ? in_force->value : "?",
             overridden ? "overridden"
             : own      ? own->source
                        : NULL);
    }
}

void setup_tell_strategy(const struct strategy *strategy, setting_fn each, void *context)
{
    char caveat[STRATEGY_CAVEAT_BYTES];
    tell(each, context, "strategy", "name", strategy->name, NULL);
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *row = &strategy_options[i];
        bool own = strcmp(row->name, "caveat") == 0;
        tell_options(row, own ? 0 : 1, strategy, "strategy", each, context);
    }
    tell(each, context, "strategy", "caveat", strategy_caveat(strategy, caveat, sizeof caveat),
         NULL);
    tell(each, context, "strategy", "upstream", strategy->upstream ? "yes" : "no", NULL);
}

/* --- the hash --- */

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

/* Field by field: what lies between them in memory is not defined. */
static void hash_op(XXH3_state_t *state, const struct op *op)
{
    const uint64_t fields[] = {op->kind, op->access, op->on,     op->density, op->phase,
                               op->ipa,  op->bytes,  op->stride, op->count,   op->n};
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
    const uint64_t fields[] = {vm->granule_bytes, vm->ipa_bits,  vm->vcpus,
                               vm->copies,        vm->s1_levels, vm->s1_page_bytes};
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

static XXH3_state_t *new_state(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) == XXH_ERROR) {
        error_fatal("out of memory for a hash");
    }
    return state;
}

struct setup_hasher {
    XXH3_state_t *state;
};

struct setup_hasher *setup_hash_begin(const struct setup *setup, const char *study)
{
    struct setup_hasher *begun = alloc_raw(1, sizeof *begun, "hashes");
    begun->state = new_state();
    hash_text(begun->state, study);
    hash_text(begun->state, setup->exact ? "exact" : "fast");
    hash_text(begun->state, setup->preemptible ? "preemptible" : "");
    setup_tell_workload(setup->workload, hash_line, begun->state);
    setup_tell_platform(&setup->platform, hash_line, begun->state);
    setup_tell_kernel(&setup->kernel, hash_line, begun->state);
    return begun;
}

void setup_hash_finish(const struct setup_hasher *begun, const struct strategy *strategy,
                       const struct timeline *timeline, char text[SETUP_HASH])
{
    XXH3_state_t *state = new_state();
    XXH3_copyState(state, begun->state);
    setup_tell_strategy(strategy, hash_line, state);
    hash_timeline(state, timeline);
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

void setup_hash(const struct setup *setup, const struct timeline *timeline, const char *study,
                char text[SETUP_HASH])
{
    struct setup_hasher *begun = setup_hash_begin(setup, study);
    setup_hash_finish(begun, setup->strategy, timeline, text);
    setup_hash_free(begun);
}
