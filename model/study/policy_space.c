#include "study/policy_space.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"
#include "kvm/kernel_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 8

/* How many threads and which chunk are tried. */
#define SOME_WORKERS "4"
#define SOME_CHUNK "2M"

const struct strategy *policy_upstream(bool fwb)
{
    for (size_t i = 0; i < strategy_count; i++) {
        if (strategy_rows[i].upstream && strategy_rows[i].fwb == fwb) {
            return &strategy_rows[i];
        }
    }
    INVARIANT(false, "no row is what Linux does");
    return NULL;
}

/* --- the values of a key that are tried --- */

static bool both_sizes(const struct policy_facts *facts)
{
    return facts->pages && facts->blocks;
}

/* Why a value is not tried; NULL: it is. */
static const char *left_out(const char *key, const char *value, const struct policy_facts *facts)
{
    const struct {
        const char *key, *value;
        bool tried;
        const char *why;
    } rules[] = {
        {"reinit_unmap", "pages", both_sizes(facts), "all leaves have one size"},
        {"reinit_unmap", "blocks", both_sizes(facts), "all leaves have one size"},
        {"flush_leaves", "pages", both_sizes(facts), "all leaves have one size"},
        {"flush_leaves", "blocks", both_sizes(facts), "all leaves have one size"},
        {"notifier_unmap_cleans", "no", facts->notifiers, "nothing is unmapped but by re-inits"},
        {"flush_record", "leaves", facts->logged,
         "nothing logs writes, so that its cost is not known"},
        {"flush_record", "ranges", facts->logged,
         "nothing logs writes, so that its cost is not known"},
        {"flush_by", "range", facts->range_commands, "the machine has no such commands"},
        {"recreate", "yes", false, "what the guest left in memory would be gone"},
        {"workers", SOME_WORKERS, facts->spare_cores >= 3, "the machine has no cores to spare"},
        {"chunk", SOME_CHUNK, facts->holds, "how long mmu_lock is held is not asked"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].key, key) == 0 && strcmp(rules[i].value, value) == 0) {
            return rules[i].tried ? NULL : rules[i].why;
        }
    }
    return NULL;
}

/* All values of a key; a number's are picked. */
static size_t values_of(const struct option_row *key, const char *values[VALUES_MAX])
{
    size_t count = 0;
    switch (key->kind) {
    case OPTION_FLAG:
        values[count++] = "no";
        values[count++] = "yes";
        break;
    case OPTION_CHOICE:
        for (const struct choice *choice = key->choices; choice->word; choice++) {
            INVARIANT(count < VALUES_MAX, "%s has more values", key->name);
            values[count++] = choice->word;
        }
        break;
    case OPTION_WHOLE:
        values[count++] = key->fallback;
        values[count++] = strcmp(key->name, "workers") == 0 ? SOME_WORKERS : SOME_CHUNK;
        break;
    case OPTION_REAL:
    case OPTION_TEXT:
        break;
    }
    return count;
}

/* A key and the values of it that are tried. */
struct dimension {
    const struct option_row *key;
    const char *values[VALUES_MAX];
    size_t count;
};

/* Whether FWB is used is the machine's to say. */
static bool is_dimension(const struct option_row *key)
{
    return key->kind != OPTION_TEXT && strcmp(key->name, "fwb") != 0;
}

static size_t find_dimensions(const struct policy_facts *facts,
                              struct dimension dimensions[STRATEGY_KEYS])
{
    size_t count = 0;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const char *values[VALUES_MAX];
        struct dimension *dimension = &dimensions[count];
        size_t all =
            is_dimension(&strategy_options[i]) ? values_of(&strategy_options[i], values) : 0;
        *dimension = (struct dimension){.key = &strategy_options[i]};
        for (size_t v = 0; v < all; v++) {
            if (!left_out(dimension->key->name, values[v], facts)) {
                dimension->values[dimension->count++] = values[v];
            }
        }
        count += dimension->count > 1;
    }
    return count;
}

/* --- combinations --- */

/* Nothing is mapped that a flush could take. */
static bool flushes_nothing_mapped(const struct strategy *strategy,
                                   const struct policy_facts *facts)
{
    return strategy->flush_at != FLUSH_NONE && strategy->reinit_unmap == UNMAP_ALL &&
           !facts->mapped_ahead;
}

static struct strategy combination(const struct strategy *from, const struct dimension *dimensions,
                                   size_t count, size_t number)
{
    struct strategy strategy = *from;
    struct error err;
    for (size_t i = 0; i < count; i++) {
        const char *value = dimensions[i].values[number % dimensions[i].count];
        bool set = option_set(dimensions[i].key, value, &strategy, NULL, &err);
        INVARIANT(set, "%s = %s", dimensions[i].key->name, value);
        number /= dimensions[i].count;
    }
    return strategy;
}

/* Whether a key that has no effect has another value than its default: another combination
 * says the same. */
static bool says_too_much(const struct strategy *strategy)
{
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *key = &strategy_options[i];
        char value[64];
        if (strategy_without_effect(strategy, key->name) &&
            strcmp(option_format(key, strategy, value, sizeof value), key->fallback) != 0) {
            return true;
        }
    }
    return false;
}

/* Puts those with the fewest changes first, and leaves others as they are. */
static void sort_by_changes(struct policy_space *space)
{
    struct policy *sorted = alloc_zeroed(space->count, sizeof *sorted, "policies");
    size_t at = 0;
    for (size_t changes = 0; changes <= STRATEGY_KEYS; changes++) {
        for (size_t i = 0; i < space->count; i++) {
            if (space->policies[i].changes == changes) {
                sorted[at++] = space->policies[i];
            }
        }
    }
    free(space->policies);
    space->policies = sorted;
}

/* Takes those with the most changes away until there are no more than may be tried. */
static void keep_few(struct policy_space *space)
{
    while (space->count > POLICIES_MAX) {
        size_t max = space->policies[space->count - 1].changes;
        space->changes_max = max - 1;
        while (space->policies[space->count - 1].changes == max) {
            space->count--;
        }
    }
}

void policy_space_init(struct policy_space *space, const struct strategy *upstream,
                       const struct policy_facts *facts, size_t changes_max)
{
    struct dimension dimensions[STRATEGY_KEYS];
    size_t count = find_dimensions(facts, dimensions), combined = 1;
    struct strategy from = strategy_canonical(upstream);
    for (size_t i = 0; i < count; i++) {
        combined *= dimensions[i].count;
    }
    *space = (struct policy_space){.combined = combined, .changes_max = changes_max};
    space->policies = alloc_zeroed(combined, sizeof *space->policies, "policies");
    for (size_t number = 0; number < combined; number++) {
        struct policy *policy = &space->policies[space->count];
        policy->strategy = combination(&from, dimensions, count, number);
        if (says_too_much(&policy->strategy)) {
            space->same++;
        } else if (flushes_nothing_mapped(&policy->strategy, facts)) {
            space->vain++;
        } else {
            policy->changes = kernel_changes(&from, &policy->strategy, NULL);
            space->count += policy->changes <= changes_max;
        }
    }
    sort_by_changes(space);
    keep_few(space);
}

void policy_space_free(struct policy_space *space)
{
    free(space->policies);
    *space = (struct policy_space){0};
}

void policy_space_print_fixed(const struct policy_facts *facts, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *key = &strategy_options[i];
        const char *values[VALUES_MAX], *said = NULL;
        size_t all = is_dimension(key) ? values_of(key, values) : 0;
        for (size_t v = 0; v < all && used < size; v++) {
            const char *why = left_out(key->name, values[v], facts);
            if (why && said != why) {
                used += (size_t)snprintf(text + used, size - used, "%s%s = %s (%s)",
                                         used ? "; " : "", key->name, values[v], why);
            } else if (why) {
                used +=
                    (size_t)snprintf(text + used, size - used, "; %s = %s", key->name, values[v]);
            }
            said = why ? why : said;
        }
    }
}

/* --- more and less maintenance --- */

/* Of what a record names: everything, written leaves, written pages, what was loaded. */
static int record_width(enum flush_record record)
{
    switch (record) {
    case RECORD_NONE:
        return 3;
    case RECORD_LEAVES:
        return 2;
    case RECORD_RANGES:
        return 1;
    case RECORD_LOADER:
        return 0;
    }
    return 0;
}

static int toggle_width(enum toggle toggle)
{
    switch (toggle) {
    case TOGGLE_EVERY:
        return 2;
    case TOGGLE_FIRST:
        return 1;
    case TOGGLE_NONE:
        return 0;
    }
    return 0;
}

bool policy_flushes_all_of(const struct strategy *a, const struct strategy *b)
{
    return b->flush_at == FLUSH_NONE ||
           (a->flush_at == b->flush_at && a->workers == b->workers &&
            (a->flush_leaves == FLUSH_ALL || a->flush_leaves == b->flush_leaves) &&
            record_width(a->flush_record) >= record_width(b->flush_record));
}

bool policy_toggles_all_of(const struct strategy *a, const struct strategy *b)
{
    return toggle_width(a->toggle) >= toggle_width(b->toggle);
}

bool policy_does_all_of(const struct strategy *a, const struct strategy *b)
{
    bool alike = a->reinit_unmap == b->reinit_unmap && a->reinit_tlbi == b->reinit_tlbi &&
                 a->flush_by == b->flush_by && a->recreate == b->recreate && a->chunk == b->chunk &&
                 a->fwb == b->fwb;
    return alike && a->reinit_unmap_cleans >= b->reinit_unmap_cleans &&
           a->notifier_unmap_cleans >= b->notifier_unmap_cleans &&
           a->fault_cleans >= b->fault_cleans && a->reinit_icache >= b->reinit_icache &&
           policy_toggles_all_of(a, b) && policy_flushes_all_of(a, b);
}
