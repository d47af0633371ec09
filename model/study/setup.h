/*
 * setup - one point of a study, resolved: which workload, machine, kernel and
 * strategy, with every key that was set. What a run needs except for the
 * values that are drawn.
 */
#ifndef S2FLUSH_STUDY_SETUP_H
#define S2FLUSH_STUDY_SETUP_H

#include "guest/workload/workload.h"
#include "kvm/kernel.h"
#include "kvm/strategy.h"
#include "machine/platform.h"
#include "study/values.h"

struct error;
struct source_location;

/* Keys of [strategy] that a point has otherwise than its row. */
#define SETUP_CHANGES 16
struct strategy_change {
    const struct option_row *key;
    char text[64];
};

/* Stays where it was filled: it points into itself. */
struct setup {
    struct workload *workload; /* owned */
    struct platform platform;
    struct kernel kernel;
    const struct strategy *strategy; /* setup_use puts it there */
    struct strategy changed; /* the row with what was changed in it */
    struct strategy_change change[SETUP_CHANGES];
    size_t changes;
    bool exact;
    bool preemptible;
};

void setup_free(struct setup *setup);

/* Reads "6.1" or "6.1 fault_lock=read cmo_place=every_racer". */
bool setup_kernel(const char *text, const struct source_location *at, struct kernel *kernel,
                  struct error *err);

/* What a key of an axis or of --set belongs to. */
enum key_owner { KEY_NOBODY, KEY_WORKLOAD, KEY_COST, KEY_STRATEGY };
enum key_owner setup_key_owner(const char *key);

/* What the values of a key are; of a key without an owner: texts. */
struct value_kind setup_key_kind(const char *key);

/* Puts a strategy into the setup, with the keys of [strategy] that were set in
 * place of its own; the yardstick stays as it is. */
void setup_use(struct setup *setup, const struct strategy *row);

/* Sets a key of the workload, a cost of the machine or a key of [strategy] of
 * whatever strategy is used. An unknown key is an error that suggests the
 * nearest. */
bool setup_set(struct setup *setup, const char *key, const char *text,
               const struct source_location *at, struct error *err);

/* Spells the value that such a key has, a cost's mode; empty where it is no such key. */
void setup_value(const struct setup *setup, const char *key, char *buf, size_t size);

/* Fills err for an unknown key; `more` are names valid beside those
 * of workloads and costs. Returns false. */
bool setup_unknown_key(const char *key, const char *const *more, size_t more_count,
                       const struct source_location *at, struct error *err);

/* Why a key that was set, or one of the machine's costs, changes nothing in what this point plays
 * or takes, and the way out; NULL: it does. The setup has its strategy. */
const char *setup_without_effect(const struct setup *setup, const char *key);

/* Why the combination exists only on paper ("if it had FWB"), or NULL. */
const char *setup_hypothetical(const struct platform *platform, const struct strategy *strategy);

/* --- the resolved configuration, key by key --- */

/* One setting. `note` says where the value comes from, or is NULL. */
struct setting_line {
    const char *section, *key, *value, *note;
};
typedef void (*setting_fn)(void *context, const struct setting_line *line);

void setup_list_workload(const struct workload *workload, setting_fn each, void *context);
/* Only what says something of it: no default of what a recording or a [timeline] says. */
void setup_list_said(const struct workload *workload, setting_fn each, void *context);
/* All but the costs. */
void setup_list_machine(const struct platform *platform, setting_fn each, void *context);
void setup_list_platform(const struct platform *platform, setting_fn each, void *context);
void setup_list_kernel(const struct kernel *kernel, setting_fn each, void *context);
void setup_list_strategy(const struct strategy *strategy, setting_fn each, void *context);

/* A hash of all that determines what the point's rows say: every setting above
 * and the operations of its timeline, with `study` for what the study adds
 * (fidelity, seed, draws). 32 hexadecimal digits and a NUL into `text`. */
#define SETUP_HASH 33
struct setup_hasher;

/* The hash in two parts: begun with all but the strategy, which is what takes
 * the time, and finished for each strategy. The caller frees it. */
struct setup_hasher *setup_hash_begin(const struct setup *setup, const char *study);
void setup_hash_finish(const struct setup_hasher *begun, const struct strategy *strategy,
                       const struct timeline *timeline, char text[SETUP_HASH]);
void setup_hash_free(struct setup_hasher *begun);

/* The same of what a simulation gets, costs aside: runs of one hash at the same costs are the
 * same run, whatever the study, the names and the settings that led to them. */
struct setup_hasher *setup_play_begin(const struct setup *setup, const struct timeline *timeline);
void setup_play_finish(const struct setup_hasher *begun, const struct strategy *strategy,
                       char text[SETUP_HASH]);

/* Both at once. */
void setup_hash(const struct setup *setup, const struct timeline *timeline, const char *study,
                char text[SETUP_HASH]);

#endif
