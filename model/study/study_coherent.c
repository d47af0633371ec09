/* `strategy = coherent`: every row that no reader can fault, by rule and not by list. */
#include "core/alloc.h"
#include "core/choice.h"
#include "core/error.h"
#include "study/policy_space.h"
#include "study/study_parts.h"
#include "study/sweep.h"
#include "study/trial.h"
#include "study/verdict.h"

#include <stdlib.h>
#include <string.h>

/* Situations that are looked at, at most. */
#define SITUATIONS_MAX 64

/* Whether a guest's bytes are old does not depend on how many there are: of generated boots
 * one of this size is played. */
#define FOOTPRINT_MAX (256 * MIB)
#define FOOTPRINT_TEXT "256M"

static bool listed(const struct values *values, const char *name)
{
    return choice_index((const char *const *)values->text, values->count, name) < values->count;
}

static void drop_value(struct values *values, size_t index)
{
    free(values->text[index]);
    values->count--;
    memmove(&values->text[index], &values->text[index + 1],
            (values->count - index) * sizeof *values->text);
}

static void add_value(struct study *study, struct values *values, const char *name)
{
    char **grown = alloc_checked(realloc(values->text, (values->count + 1) * sizeof *grown),
                                 "the strategies of a study");
    char *text = alloc_checked(strdup(name), "the strategies of a study");
    study->by_rule[values->count] = true;
    values->text = grown;
    values->text[values->count++] = text;
}

bool study_rule_begin(struct study *study, struct error *err)
{
    struct axis *axis = study_axis(study, study_role_name[AXIS_STRATEGY]);
    struct values *values = &axis->values;
    size_t at = 0;
    while (at < values->count && strcmp(values->text[at], STUDY_RULE) != 0) {
        at++;
    }
    if (at == values->count) {
        return true;
    }
    if (values->count + strategy_count + strategy_more_count + study->own_count > STUDY_RULED) {
        struct source_location place = {study->path, axis->line, axis->name};
        return error_input(err, &place,
                           "found %zu strategies beside " STUDY_RULE
                           ", expected fewer: name them in its place",
                           values->count - 1);
    }
    drop_value(values, at);
    for (size_t i = 0; i < strategy_count + strategy_more_count + study->own_count; i++) {
        size_t more = i - strategy_count;
        const char *name = i < strategy_count ? strategy_rows[i].name
                           : more < strategy_more_count
                               ? strategy_more[more].name
                               : study->own[more - strategy_more_count].name;
        if (!listed(values, name)) {
            add_value(study, values, name);
        }
    }
    study->ruled = true;
    return true;
}

/* --- which of them stay --- */

/* What readers may see, and whether a row exists, goes by these. Of the other axes the first
 * values together and the last ones are looked at. */
static bool looked_at(const struct study *study, size_t point)
{
    bool first = true, last = true;
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        size_t digit = study_digit(axis, point);
        bool matters = axis->role == AXIS_WORKLOAD || axis->role == AXIS_MACHINE ||
                       axis->role == AXIS_KERNEL || strcmp(axis->name, "backing") == 0;
        if (axis->role == AXIS_STRATEGY || matters) {
            continue;
        }
        first &= digit == 0;
        last &= digit == axis->values.count - 1;
    }
    return first || last;
}

struct trying {
    const struct study *study;
    size_t situation[SITUATIONS_MAX], count; /* cells */
    bool stays[STUDY_RULED]; /* in one situation or another */
};

/* What one situation was seen to say of a row. */
enum seen { SEEN_NOT, SEEN_COHERENT, SEEN_OTHER };

/* One that stays anywhere stays: that is asked of each row until it does, in whatever order. */
static bool stays_already(struct trying *trying, size_t row)
{
    bool stays;
#pragma omp atomic read
    stays = trying->stays[row];
    return stays;
}

static void let_stay(struct trying *trying, size_t row)
{
#pragma omp atomic write
    trying->stays[row] = true;
}

/* Whether a row that is not coherent does all that this one does. */
static bool does_too_little(const struct study *study, const enum seen *seen, size_t row)
{
    bool less = false;
    for (size_t i = 0; i < study->role[AXIS_STRATEGY]->values.count && !less; i++) {
        less = seen[i] == SEEN_OTHER &&
               policy_does_all_of(study->strategies[i], study->strategies[row]);
    }
    return less;
}

static bool is_coherent(const struct setup *setup, const struct timeline *timeline)
{
    struct error unused;
    struct trial trial;
    double modes[COSTS];
    unsigned conditions;
    platform_modes(&setup->platform, modes);
    if (!trial_possible(setup, timeline, &unused) ||
        !trial_play(setup, timeline, modes, &trial, &unused)) {
        return false;
    }
    bool coherent = verdict_worst(trial.verdict, &conditions) <= COHERENT;
    trial_free(&trial);
    return coherent;
}

static uint64_t footprint(const struct workload *workload)
{
    const struct option_row *row =
        option_find(workload_options, workload_option_count, "boot", "footprint");
    uint64_t bytes;
    memcpy(&bytes, (const char *)workload_values(workload) + row->offset, sizeof bytes);
    return bytes;
}

static bool try_situation(void *context, size_t part, struct error *err)
{
    struct trying *trying = context;
    const struct study *study = trying->study;
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(study, study_point(study, trying->situation[part], 0), &setup, err)) {
        return false;
    }
    setup.exact = false; /* verdicts are the same */
    bool large = !workload_without_effect(setup.workload, "footprint") &&
                 footprint(setup.workload) > FOOTPRINT_MAX;
    bool good = (!large || workload_set(setup.workload, "footprint", FOOTPRINT_TEXT, NULL, err)) &&
                workload_build(setup.workload, &timeline, err);
    if (!good) {
        setup_free(&setup);
        return false;
    }
    enum seen seen[STUDY_RULED] = {SEEN_NOT};
    for (size_t s = 0; s < study->role[AXIS_STRATEGY]->values.count; s++) {
        setup_use(&setup, study->strategies[s]);
        bool exists = setup_hypothetical(&setup.platform, setup.strategy) == NULL;
        bool given = !study->by_rule[s] || (exists && study->strategies[s]->upstream);
        if (!given && exists && !stays_already(trying, s) && !does_too_little(study, seen, s)) {
            seen[s] = is_coherent(&setup, &timeline) ? SEEN_COHERENT : SEEN_OTHER;
        }
        if (given || seen[s] == SEEN_COHERENT) {
            let_stay(trying, s);
        }
    }
    timeline_free(&timeline);
    setup_free(&setup);
    return true;
}

/* Every so many, where there are more than may be looked at. */
static void find_situations(struct trying *trying)
{
    const struct study *study = trying->study;
    size_t cells = study_cells(study), all = 0, seen = 0;
    for (size_t cell = 0; cell < cells; cell++) {
        all += looked_at(study, study_point(study, cell, 0));
    }
    size_t step = (all + SITUATIONS_MAX - 1) / SITUATIONS_MAX;
    for (size_t cell = 0; cell < cells; cell++) {
        if (looked_at(study, study_point(study, cell, 0)) && seen++ % step == 0) {
            trying->situation[trying->count++] = cell;
        }
    }
}

bool study_rule_end(struct study *study, struct error *err)
{
    struct trying trying = {.study = study};
    struct sweep sweep = {0};
    if (!study->ruled) {
        return true;
    }
    find_situations(&trying);
    bool good = sweep_parts(&sweep, trying.count, try_situation, &trying, err);
    struct axis *axis = study_axis(study, study_role_name[AXIS_STRATEGY]);
    size_t kept = 0, all = axis->values.count;
    for (size_t s = 0; good && s < all; s++) {
        if (trying.stays[s]) {
            study->strategies[kept++] = study->strategies[s];
        } else {
            drop_value(&axis->values, kept);
        }
    }
    return good && study_lay_out(study, err);
}
