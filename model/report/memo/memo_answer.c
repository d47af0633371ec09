/* The answer, in at most sixty words: what to do, what it gains, how sure that is, and what
 * it rests on. */
#include "report/memo/memo_input.h"

#include "core/tojson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MISFIT_WORDS 7 /* of the shortest sentence on how well the model does */

/* A sentence is made apart and joins the answer where there is room for its words. */
static struct doc_node *sentence(void)
{
    return doc_new();
}

static bool add_sentence(struct doc_node *answer, struct doc_node *words)
{
    if (!words->first || doc_words(answer) + doc_words(words) > MEMO_ANSWER_WORDS) {
        doc_free(words);
        return false;
    }
    if (answer->first) {
        doc_text(answer, " ");
    }
    doc_join(answer, words);
    return true;
}

static void say_name(const struct memo *memo, size_t strategy, struct doc_node *words)
{
    doc_code(words, memo_name(memo, strategy));
}

/* --- which strategy --- */

/* "with 4 KiB leaves", "in 5 of 7 cases". */
static void say_places(const struct memo *memo, const struct memo_group *group, size_t groups,
                       struct doc_node *words)
{
    char text[MEMO_TEXT];
    if (groups == 1 && memo->places > 1) {
        doc_text(words, ", whatever the %s", memo_facet_names(memo, text));
    } else if (groups > 1 && group->places > 2) {
        doc_text(words, " in %zu of %zu cases", group->places, memo->places);
    } else if (groups > 1) {
        for (size_t i = 0; i < group->places; i++) {
            memo_place_words(memo, memo->place[group->place[i]], text);
            doc_text(words, "%s%s", i ? " and " : " with ", text);
        }
    }
}

static void say_share(double share, struct doc_node *words)
{
    if (share > 1) {
        return; /* no draws, not known */
    }
    if (share > 0.995) {
        doc_text(words, ", in all draws");
    } else {
        doc_text(words, ", in %s%.0f %% of draws", share < MAP_DECIDED ? "only " : "", 100 * share);
    }
}

/* "1.2 s, 9.1 times less than Linux" */
static void say_cost(const struct memo *memo, const struct memo_group *group,
                     struct doc_node *words)
{
    char cost[QUANTITY_TEXT], times[QUANTITY_TEXT];
    enum unit unit = metric_quantity(memo->metric[0]);
    const struct memo_scenario *there = memo_place(memo, group->place[0]);
    if (group->places == 1) {
        quantity_mid(memo_band(memo, there, 0, group->winner), unit, cost);
    } else {
        quantity_range(group->low, group->high, unit, cost);
    }
    doc_text(words, ": %s", cost);
    if (group->winner == memo->upstream) {
        doc_text(words, ", as Linux does");
        return;
    }
    if (!isfinite(group->linux_low)) {
        return;
    }
    char own[QUANTITY_TEXT];
    quantity_range(group->linux_low, group->linux_high, unit, own);
    if (group->places == 1 && group->low > 0) {
        doc_text(words, ", %s times less than Linux (%s)",
                 quantity_times(group->linux_low, group->low, times), own);
    } else {
        doc_text(words, " (Linux %s)", own);
    }
}

/* The next one, where it costs as much in all of the places. */
static void say_ties(const struct memo *memo, const struct memo_group *group,
                     struct doc_node *words)
{
    size_t next = memo_place(memo, group->place[0])->best.runner_up;
    bool same = next != MAP_NOBODY;
    for (size_t i = 0; i < group->places && same; i++) {
        const struct memo_scenario *there = memo_place(memo, group->place[i]);
        double ratio = memo_band(memo, there, 0, next).mid / there->best.value;
        same = there->best.runner_up == next && ratio < MEMO_TIE;
    }
    if (same) {
        doc_text(words, "; ");
        say_name(memo, next, words);
        doc_text(words, " the same");
    }
}

static struct doc_node *group_sentence(const struct memo *memo, const struct memo_group *group,
                                       size_t groups, bool first)
{
    struct doc_node *words = sentence();
    if (group->winner == MAP_NOBODY) {
        doc_text(words, "No coherent strategy exists");
        say_places(memo, group, groups, words);
        doc_text(words, ".");
        return words;
    }
    if (first) {
        doc_text(words, "Of these %zu, ", memo->strategies);
    }
    say_name(memo, group->winner, words);
    doc_text(words, first ? " costs least" : "");
    say_places(memo, group, groups, words);
    say_cost(memo, group, words);
    say_share(group->share, words);
    say_ties(memo, group, words);
    doc_text(words, ".");
    return words;
}

/* The first winner that is safe under a condition only. */
static const struct memo_scenario *find_condition(const struct memo *memo,
                                                  const struct memo_group *group, size_t groups)
{
    for (size_t i = 0; i < groups; i++) {
        const struct memo_scenario *there = memo_place(memo, group[i].place[0]);
        if (group[i].winner != MAP_NOBODY && there->verdict[group[i].winner].worst == ONLY_IF) {
            return there;
        }
    }
    return NULL;
}

/* What the winner asks for, and what is left without it: in full, or where that is too long
 * by the section that has it. */
static void add_conditions(const struct memo *memo, const struct memo_group *group, size_t groups,
                           struct doc_node *answer)
{
    const struct memo_scenario *there = find_condition(memo, group, groups);
    bool added = !there;
    for (int brief = 0; brief < 2 && !added; brief++) {
        char text[QUANTITY_TEXT];
        struct doc_node *words = sentence();
        say_name(memo, there->best.winner, words);
        if (brief) {
            doc_text(words, " is safe under a ");
            doc_link(words, "condition", "#7-conditions");
            doc_text(words, " only");
        } else {
            doc_text(words, " is safe only if %s",
                     memo_condition(there->verdict[there->best.winner].conditions));
        }
        if (there->sound.winner != MAP_NOBODY) {
            doc_text(words, "; else ");
            say_name(memo, there->sound.winner, words);
            doc_text(words, ", %s",
                     quantity_mid(memo_band(memo, there, 0, there->sound.winner),
                                  metric_quantity(memo->metric[0]), text));
        }
        doc_text(words, ".");
        added = add_sentence(answer, words);
    }
}

/* How well the model does on this machine. */
static void add_misfit(const struct memo *memo, struct doc_node *answer)
{
    const struct axis *machine = memo->study->role[AXIS_MACHINE];
    const char *name = machine->values.text[study_digit(machine, memo->place[0])];
    double low = INFINITY, high = -INFINITY;
    size_t rows = 0;
    char least[QUANTITY_TEXT], most[QUANTITY_TEXT];
    for (size_t i = 0; i < memo->publisheds; i++) {
        const struct memo_published *one = &memo->published[i];
        if (one->predicted && strcmp(one->host, name) == 0) {
            low = fmin(low, one->error);
            high = fmax(high, one->error);
            rows++;
        }
    }
    static const char *const published[] = {
        "On published measurements of this machine the model errs by %s to %s.",
        "Model error on this machine: %s to %s.", "Model error: %s to %s."};
    static const char *const none[] = {"No measurement of this machine is published to check it.",
                                       "Nothing published checks it.", "Unchecked."};
    bool added = false;
    for (size_t i = 0; i < 3 && !added; i++) {
        char text[MEMO_TEXT];
        struct doc_node *words = sentence();
        snprintf(text, sizeof text, published[i], quantity_change(low, least),
                 quantity_change(high, most));
        doc_text(words, "%s", rows > 0 ? text : none[i]);
        added = add_sentence(answer, words);
    }
}

/* --- the ladder --- */

static const struct advise_rung *last_rung(const struct memo *memo, size_t place)
{
    const struct advise_ladder *ladder = memo_ladder(memo, place);
    return &ladder->rung[ladder->count - 1];
}

static bool same_changes(const struct advise_rung *a, const struct advise_rung *b)
{
    bool same = a->changes == b->changes;
    for (size_t i = 0; i < a->changes && same; i++) {
        same = strcmp(a->change[i].key, b->change[i].key) == 0 &&
               strcmp(a->change[i].value, b->change[i].value) == 0;
    }
    return same;
}

/* The changes in words, or as keys where these would be too many. */
static void say_changes(const struct advise_rung *rung, bool brief, struct doc_node *words)
{
    for (size_t i = 0; i < rung->changes; i++) {
        const struct kernel_change *change = &rung->change[i];
        char text[160];
        doc_text(words, "%s", i ? (brief ? ", " : "; ") : "");
        if (brief) {
            snprintf(text, sizeof text, "%s=%s", change->key, change->value);
            doc_code(words, text);
        } else {
            doc_text(words, "%s", change->what);
        }
    }
}

/* What the best of all strategies changes, with places that have the same changes together. */
static struct doc_node *ladder_sentence(const struct memo *memo, size_t place, bool brief,
                                        bool spoken[MEMO_PLACES])
{
    const struct advise_rung *rung = last_rung(memo, place);
    double low = INFINITY, high = -INFINITY, own_low = INFINITY, own_high = -INFINITY, share = 2;
    char text[QUANTITY_TEXT], own[QUANTITY_TEXT], where[MEMO_TEXT];
    size_t places = 0;
    for (size_t p = 0; p < memo->places; p++) {
        const struct advise_ladder *ladder = memo_ladder(memo, p);
        if (same_changes(rung, last_rung(memo, p))) {
            low = fmin(low, last_rung(memo, p)->cost.p50);
            high = fmax(high, last_rung(memo, p)->cost.p50);
            own_low = fmin(own_low, ladder->rung[0].cost.p50);
            own_high = fmax(own_high, ladder->rung[0].cost.p50);
            share = fmin(share, last_rung(memo, p)->probability);
            spoken[p] = true;
            places++;
        }
    }
    struct doc_node *words = sentence();
    if (places < memo->places && places == 1) {
        doc_text(words, "%s: ", memo_place_words(memo, memo->place[place], where));
    } else if (places < memo->places) {
        doc_text(words, "In %zu of %zu cases: ", places, memo->places);
    }
    if (rung->changes == 0) {
        doc_text(words, "%s change of Linux gains", places < memo->places ? "no" : "No");
    } else {
        say_changes(rung, brief, words);
        doc_text(words, ": %s instead of %s", quantity_range(low, high, UNIT_NS, text),
                 quantity_range(own_low, own_high, UNIT_NS, own));
        say_share(share, words);
    }
    doc_text(words, ".");
    return words;
}

/* How many places have the same best changes as one. */
static size_t places_like(const struct memo *memo, size_t place)
{
    size_t count = 0;
    for (size_t p = 0; p < memo->places; p++) {
        count += same_changes(last_rung(memo, place), last_rung(memo, p));
    }
    return count;
}

/* The best of all strategies, what holds in most places first: in words, or where these are
 * too many by keys, as far as there is room. */
static void add_ladder(const struct memo *memo, struct doc_node *answer)
{
    for (int brief = 0; brief < 2; brief++) {
        bool spoken[MEMO_PLACES] = {false}, all = true;
        struct doc_node *words = sentence();
        doc_text(words,
                 "Best of all %zu strategies, against Linux:", memo_ladder(memo, 0)->policies);
        for (size_t most = memo->places; most > 0; most--) {
            for (size_t p = 0; p < memo->places; p++) {
                if (!spoken[p] && places_like(memo, p) == most) {
                    struct doc_node *more = ladder_sentence(memo, p, brief, spoken);
                    size_t count = doc_words(answer) + doc_words(words) + doc_words(more);
                    bool fits = count + MISFIT_WORDS <= MEMO_ANSWER_WORDS;
                    all &= fits;
                    if (fits) {
                        doc_text(words, " ");
                        doc_join(words, more);
                    } else {
                        doc_free(more);
                    }
                }
            }
        }
        if (all || brief) {
            add_sentence(answer, words);
            return;
        }
        doc_free(words);
    }
}

static void add_choice(const struct memo *memo, struct doc_node *answer)
{
    if (memo->advised) {
        add_ladder(memo, answer);
        return;
    }

    struct memo_group group[MEMO_PLACES];
    size_t groups = memo_groups(memo, group);
    for (size_t i = 0; i < groups; i++) {
        add_sentence(answer, group_sentence(memo, &group[i], groups, i == 0));
    }
    add_conditions(memo, group, groups, answer);
}

/* --- limits --- */

/* The last value of the axis up to which the median keeps the limit; SIZE_MAX: none. */
static size_t last_within(const struct memo *memo, size_t place, size_t strategy, double limit)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < memo->axis->values.count; i++) {
        const struct memo_scenario *there =
            memo_at(memo, memo_with(memo->axis, memo->place[place], i));
        if (memo_band(memo, there, 0, strategy).mid > limit) {
            break;
        }
        last = i;
    }
    return last;
}

/* "up to 256 KiB", "none", "any". */
static void say_last(const struct memo *memo, size_t last, struct doc_node *words)
{
    char text[QUANTITY_TEXT];
    if (last == SIZE_MAX || last + 1 == memo->axis->values.count) {
        doc_text(words, "%s", last == SIZE_MAX ? "none" : "any");
    } else {
        doc_text(words, "up to %s",
                 quantity_value(strtod(memo->axis->values.text[last], NULL), memo->axis->kind.unit,
                                text));
    }
}

/* For one limit: how far it is kept, places that are alike together. */
static struct doc_node *limit_sentence(const struct memo *memo, size_t strategy, double limit)
{
    char text[QUANTITY_TEXT], where[MEMO_TEXT];
    struct doc_node *words = sentence();
    size_t last[MEMO_PLACES], said = 0;
    bool spoken[MEMO_PLACES] = {false};
    doc_text(words, "Under %s: ", quantity_value(limit, UNIT_NS, text));
    for (size_t p = 0; p < memo->places; p++) {
        last[p] = last_within(memo, p, strategy, limit);
    }
    for (size_t p = 0; p < memo->places; p++) {
        size_t alike = 0;
        for (size_t q = p; q < memo->places && !spoken[p]; q++) {
            bool same = last[q] == last[p] && memo_is_panel(memo, q);
            spoken[q] |= same && q > p;
            alike += same;
        }
        if (alike == 0 || !memo_is_panel(memo, p)) {
            continue;
        }
        doc_text(words, "%s", said++ ? "; " : "");
        say_last(memo, last[p], words);
        if (alike > 1) {
            doc_text(words, " in %zu cases", alike);
        } else {
            doc_text(words, " with %s", memo_place_words(memo, memo->place[p], where));
        }
    }
    doc_text(words, ".");
    return words;
}

static void add_limits(const struct memo *memo, struct doc_node *answer)
{
    double limit[STUDY_MEMO_LIST];
    size_t limits = study_memo_targets(&memo->study->memo, limit);
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    struct doc_node *words = sentence();
    if (!memo->axis || limits == 0) {
        doc_free(words);
        add_choice(memo, answer);
        return;
    }
    doc_text(words, "The largest %s for Linux.", memo->axis->name);
    add_sentence(answer, words);
    for (size_t i = 0; i < limits; i++) {
        add_sentence(answer, limit_sentence(memo, strategy, limit[i]));
    }
}

/* --- readers --- */

static struct doc_node *stale_sentence(const struct memo *memo, size_t strategy)
{
    struct doc_node *words = sentence();
    bool reads[READERS] = {false};
    size_t said = 0;
    for (size_t p = 0; p < memo->places; p++) {
        for (int reader = 0; reader < READERS; reader++) {
            reads[reader] |= memo_place(memo, p)->reader[strategy][reader].outcome == STALE;
        }
    }
    for (int reader = 0; reader < READERS; reader++) {
        if (reads[reader]) {
            if (said == 0) {
                say_name(memo, strategy, words);
                doc_text(words, " is not enough: stale bytes reach ");
            }
            doc_text(words, "%s%s", said++ ? " and " : "", reader_name[reader]);
        }
    }
    doc_text(words, "%s", said ? "." : "");
    if (said == 0) {
        doc_free(words);
        return sentence();
    }
    return words;
}

static void add_readers(const struct memo *memo, struct doc_node *answer)
{
    for (size_t s = 0; s < memo->strategies; s++) {
        add_sentence(answer, stale_sentence(memo, s));
    }
    add_choice(memo, answer);
}

/* --- shares --- */

static void add_share(const struct memo *memo, enum memo_share share, const char *verb,
                      struct doc_node *answer)
{
    double low = INFINITY, high = -INFINITY;
    char text[QUANTITY_TEXT];
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    struct doc_node *words = sentence();
    for (size_t p = 0; p < memo->places; p++) {
        double part[MEMO_SHARES];
        const struct memo_scenario *there = memo_place(memo, p);
        memo_share_parts(memo, there, strategy, part);
        low = fmin(low, part[share]);
        high = fmax(high, part[share]);
    }
    doc_text(words, "%s %s of the busy time.", verb, quantity_range(low, high, UNIT_RATIO, text));
    add_sentence(answer, words);
}

/* What another value of a facet does, against the first one, all else equal. */
static void add_facet(const struct memo *memo, size_t index, struct doc_node *answer)
{
    const struct axis *axis = &memo->study->axes[index];
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    for (size_t v = 1; v < axis->values.count; v++) {
        char name[MEMO_TEXT], text[QUANTITY_TEXT];
        double low = INFINITY, high = -INFINITY;
        for (size_t p = 0; p < memo->places; p++) {
            size_t first = memo_with(axis, memo->place[p], 0);
            const struct memo_scenario *one = memo_at(memo, first);
            const struct memo_scenario *other = memo_at(memo, memo_with(axis, first, v));
            double ratio =
                memo_band(memo, other, 0, strategy).mid / memo_band(memo, one, 0, strategy).mid;
            low = fmin(low, ratio);
            high = fmax(high, ratio);
        }
        struct doc_node *words = sentence();
        char less[QUANTITY_TEXT], more[QUANTITY_TEXT];
        memo_axis_words(memo, axis, memo_with(axis, memo->place[0], v), name);
        quantity_times(low, 1, less);
        quantity_times(high, 1, more);
        snprintf(text, sizeof text, "%.40s%s%.40s", less, strcmp(less, more) ? " to " : "",
                 strcmp(less, more) ? more : "");
        doc_text(words, "%s: %s times the time of ", name, text);
        doc_text(words, "%s.",
                 memo_axis_words(memo, axis, memo_with(axis, memo->place[0], 0), name));
        add_sentence(answer, words);
    }
}

static void add_shares(const struct memo *memo, struct doc_node *answer)
{
    add_share(memo, MEMO_CLEANING, "Cleaning takes", answer);
    add_share(memo, MEMO_FAULTS, "Faults take", answer);
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        if (memo->facet[i]) {
            add_facet(memo, i, answer);
        }
    }
}

/* --- costs --- */

static void add_costs(const struct memo *memo, struct doc_node *answer)
{
    const struct memo_swing *decides = NULL;
    for (size_t i = 0; i < memo->swings && !decides; i++) {
        decides = memo->swing[i].turns ? &memo->swing[i] : NULL;
    }
    const struct memo_swing *largest = memo->swings ? &memo->swing[0] : NULL;
    struct doc_node *words = sentence();
    if (decides) {
        doc_text(words, "Measure ");
        doc_code(words, decides->key);
        doc_text(words, " first: between %s and %s the best strategy changes.", decides->low_text,
                 decides->high_text);
    } else if (largest) {
        doc_text(words, "No single cost changes the best strategy; ");
        doc_code(words, largest->key);
        doc_text(words, " moves its lead most.");
    }
    add_sentence(answer, words);
    add_choice(memo, answer);
}

/* --- the section --- */

/* The caller frees it. */
static struct doc_node *answer_of(const struct memo *memo)
{
    struct doc_node *answer = doc_new();
    answer->kind = DOC_PARAGRAPH;
    switch (memo->study->memo.about) {
    case MEMO_ABOUT_CHOICE:
        add_choice(memo, answer);
        break;
    case MEMO_ABOUT_LIMITS:
        add_limits(memo, answer);
        break;
    case MEMO_ABOUT_READERS:
        add_readers(memo, answer);
        break;
    case MEMO_ABOUT_SHARES:
        add_shares(memo, answer);
        break;
    case MEMO_ABOUT_COSTS:
        add_costs(memo, answer);
        break;
    }
    add_misfit(memo, answer);
    return answer;
}

void memo_answer(const struct memo *memo, struct doc_node *doc)
{
    char scenario[2 * MEMO_TEXT];
    const struct study *study = memo->study;
    doc_text(doc_add(doc, DOC_TITLE, NULL), "%s", study->title[0] ? study->title : study->name);
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s",
             study->question[0] ? study->question : "Which strategy costs least?");
    doc_heading(doc, "1 Answer");
    doc_join(doc_add(doc, DOC_PARAGRAPH, NULL), answer_of(memo));
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "Scenario: %s; %s.",
             memo_scenario_words(memo, false, scenario), memo_metric_words(memo->metric[0]));
}

/* --- in short --- */

static json_t *runs_of(struct doc_node *answer)
{
    json_t *runs = json_array();
    for (const struct doc_node *run = answer->first; run; run = run->next) {
        json_t *one = json_object();
        tojson_set(one, run->kind == DOC_CODE ? "code" : "text", tojson_text(run->text));
        tojson_append(runs, one);
    }
    doc_free(answer);
    return runs;
}

static void set_cost(json_t *into, const char *key, const struct memo *memo,
                     const struct memo_scenario *there, size_t strategy)
{
    char text[QUANTITY_TEXT];
    if (strategy != SIZE_MAX && strategy != MAP_NOBODY) {
        struct band band = memo_band(memo, there, 0, strategy);
        tojson_set(into, key, tojson_text(quantity_mid(band, metric_quantity(memo->metric[0]), text)));
    }
}

/* Of the first place: its best, by the ladder where there is one, and Linux. */
static void set_first(const struct memo *memo, json_t *summary)
{
    char text[QUANTITY_TEXT];
    const struct memo_scenario *there = memo_place(memo, 0);
    double share = there->best.probability;
    if (memo->advised) {
        const struct advise_ladder *ladder = memo_ladder(memo, 0);
        const struct advise_rung *last = &ladder->rung[ladder->count - 1];
        tojson_set(summary, "best", tojson_text(quantity_mid(memo_rung_band(last), UNIT_NS, text)));
        tojson_set(summary, "upstream",
                   tojson_text(quantity_mid(memo_rung_band(&ladder->rung[0]), UNIT_NS, text)));
        share = last->changes > 0 ? last->probability : NAN;
    } else {
        set_cost(summary, "best", memo, there, there->best.winner);
        set_cost(summary, "upstream", memo, there, memo->upstream);
    }
    if (isfinite(share)) {
        snprintf(text, sizeof text, "%.0f %%", 100 * share);
        tojson_set(summary, "share", tojson_text(text));
    }
}

json_t *memo_summary(const struct memo *memo)
{
    char words[2 * MEMO_TEXT];
    json_t *summary = json_object(), *machines = json_array();
    const struct study *study = memo->study;
    const struct axis *machine = study->role[AXIS_MACHINE];
    tojson_set(summary, "name", tojson_text(study->name));
    tojson_set(summary, "title", tojson_text(study->title[0] ? study->title : study->name));
    tojson_set(summary, "question", tojson_text(study->question));
    tojson_set(summary, "answer", runs_of(answer_of(memo)));
    tojson_set(summary, "scenario", tojson_text(memo_scenario_words(memo, false, words)));
    set_first(memo, summary);
    for (size_t m = 0; m < machine->values.count; m++) {
        const struct memo_scenario *there = memo_at(memo, memo_with(machine, memo->place[0], m));
        size_t best = there->best.winner;
        json_t *one = json_object();
        tojson_set(one, "name", tojson_text(machine->values.text[m]));
        tojson_set(one, "best", tojson_text(best == MAP_NOBODY ? "none" : memo_name(memo, best)));
        set_cost(one, "cost", memo, there, best);
        set_cost(one, "upstream", memo, there, memo->upstream);
        tojson_append(machines, one);
    }
    tojson_set(summary, "machines", machines);
    return summary;
}
