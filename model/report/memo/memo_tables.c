/* The tables of a memo: strategies against Linux, limits, other machines and kernels. */
#include "report/memo/memo_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ACROSS 4 /* places as columns; more become rows */

static void put_name(const struct memo *memo, size_t strategy, struct doc_node *line)
{
    struct doc_node *cell = doc_add(line, DOC_CELL, NULL);
    if (strategy == WINNER_NONE) {
        doc_text(cell, "none is coherent");
        return;
    }
    doc_code(cell, memo_name(memo, strategy));
    doc_text(cell, "%s", strategy == memo->upstream ? " (Linux)" : "");
}

static void put_band(struct doc_node *line, struct band band, enum unit unit)
{
    char text[QUANTITY_TEXT];
    doc_number(line, "%s", isfinite(band.mid) ? quantity_band(band, unit, text) : "");
}

/* What a strategy comes to by a metric. */
static void put_cost(const struct memo *memo, const struct memo_scenario *there, size_t metric,
                     size_t strategy, struct memo_sampling *sampling, struct doc_node *line)
{
    struct band band = memo_band(memo, there, metric, strategy);
    put_band(line, band, metric_quantity(memo->metric[metric]));
    memo_sampling_add(sampling, band, memo_band_error(memo, there, metric, strategy));
}

/* Whether it may be used, in the worst of the places. */
static void put_safety(const struct memo *memo, size_t strategy, struct doc_node *line)
{
    bool stale = false, unread = true;
    unsigned conditions = 0;
    const char *hypothetical = NULL;
    for (size_t p = 0; p < memo->places; p++) {
        const struct strategy_verdict *verdict = &memo_place(memo, p)->verdict[strategy];
        stale |= verdict->worst == STALE;
        unread &= verdict->worst == NOT_READ;
        conditions |= verdict->worst == ONLY_IF ? verdict->conditions : 0;
        hypothetical = verdict->hypothetical ? verdict->hypothetical : hypothetical;
    }
    doc_cell(line, "%s%s%s",
             stale        ? "no: stale bytes are read"
             : conditions ? "under a condition"
             : unread     ? MEMO_UNREAD
                          : "yes",
             hypothetical ? ", " : "", hypothetical ? hypothetical : "");
}

/* "9.1 times less", of the medians; "" for what Linux does. */
static char *against(const struct memo *memo, const struct memo_scenario *there, size_t strategy,
                     char buf[QUANTITY_TEXT])
{
    char text[QUANTITY_TEXT];
    double own = memo->upstream == SIZE_MAX ? NAN : memo_band(memo, there, 0, memo->upstream).mid;
    double mid = memo_band(memo, there, 0, strategy).mid;
    bool tie = mid <= MEMO_TIE * own && own <= MEMO_TIE * mid, less = mid < own;
    if (strategy == memo->upstream || !(own > 0) || !(mid > 0)) {
        buf[0] = '\0';
    } else if (tie) {
        snprintf(buf, QUANTITY_TEXT, "the same");
    } else {
        quantity_times(less ? own : mid, less ? mid : own, text);
        snprintf(buf, QUANTITY_TEXT, "%.40s times %s", text, less ? "less" : "more");
    }
    return buf;
}

/* Strategies down, places to the right. */
static void across(const struct memo *memo, struct doc_node *doc)
{
    size_t order[STUDY_STRATEGIES * 2], count = memo_order(memo, memo_place(memo, 0), order);
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *head = doc_add(table, DOC_ROW, NULL);
    struct memo_sampling sampling = {0};
    doc_cell(head, "strategy");
    for (size_t p = 0; p < memo->places; p++) {
        char words[MEMO_TEXT];
        memo_place_words(memo, memo->place[p], words);
        doc_number(head, "%s", words[0] ? words : words_metric(memo->metric[0]));
        doc_number(head, "against Linux");
    }
    doc_cell(head, "safe?");
    for (size_t i = 0; i < count; i++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        put_name(memo, order[i], line);
        for (size_t p = 0; p < memo->places; p++) {
            const struct memo_scenario *there = memo_place(memo, p);
            char text[QUANTITY_TEXT];
            put_cost(memo, there, 0, order[i], &sampling, line);
            doc_number(line, "%s", against(memo, there, order[i], text));
        }
        put_safety(memo, order[i], line);
    }
    memo_put_sampling(memo, &sampling, doc);
}

/* The cells of a line about who costs least in a scenario. */
static void put_best(const struct memo *memo, const struct memo_scenario *there,
                     struct memo_sampling *sampling, struct doc_node *line)
{
    const struct winner_map_choice *best = &there->best;
    if (there->failed) {
        doc_cell(line, MEMO_FAILED);
    } else {
        put_name(memo, best->winner, line);
    }
    if (best->winner == WINNER_NONE) {
        doc_number(line, "%s", "");
        doc_number(line, "%s", "");
    } else {
        double share = memo_share_least(memo, there, best->winner);
        put_cost(memo, there, 0, best->winner, sampling, line);
        if (isfinite(share)) {
            doc_number(line, "%.0f %%", 100 * share);
        } else {
            doc_number(line, "%s", "");
        }
    }
    if (best->runner_up == WINNER_NONE) {
        doc_cell(line, "%s", "");
        doc_number(line, "%s", "");
    } else {
        put_name(memo, best->runner_up, line);
        put_cost(memo, there, 0, best->runner_up, sampling, line);
    }
    if (memo->upstream == SIZE_MAX) {
        doc_number(line, "%s", "");
    } else {
        put_cost(memo, there, 0, memo->upstream, sampling, line);
    }
}

static struct doc_node *best_table(struct doc_node *doc, const char *first)
{
    const char *const names[] = {first,  "costs least", ">cost", ">of draws",
                                 "next", ">cost",       ">Linux"};
    return doc_table(doc, names, sizeof names / sizeof *names);
}

static void down(const struct memo *memo, struct doc_node *doc)
{
    struct doc_node *table = best_table(doc, "case");
    struct memo_sampling sampling = {0};
    for (size_t p = 0; p < memo->places; p++) {
        char words[MEMO_TEXT];
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_cell(line, "%s", memo_place_words(memo, memo->place[p], words));
        put_best(memo, memo_place(memo, p), &sampling, line);
    }
    memo_put_sampling(memo, &sampling, doc);
}

/* Every strategy in every place, with the metrics that stand beside. */
static void everything(const struct memo *memo, struct doc_node *doc)
{
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "All strategies");
    struct doc_node *table = doc_add(details, DOC_TABLE, NULL);
    struct doc_node *head = doc_add(table, DOC_ROW, NULL);
    struct memo_sampling sampling = {0};
    doc_cell(head, "case");
    doc_cell(head, "strategy");
    for (size_t m = 0; m < memo->parts; m++) {
        doc_number(head, "%s", words_metric(memo->metric[m]));
    }
    for (size_t p = 0; p < memo->places; p++) {
        const struct memo_scenario *there = memo_place(memo, p);
        size_t order[STUDY_STRATEGIES * 2], count = memo_order(memo, there, order);
        for (size_t i = 0; i < count; i++) {
            char words[MEMO_TEXT];
            struct doc_node *line = doc_add(table, DOC_ROW, NULL);
            doc_cell(line, "%s", memo_place_words(memo, memo->place[p], words));
            put_name(memo, order[i], line);
            for (size_t m = 0; m < memo->parts; m++) {
                put_cost(memo, there, m, order[i], &sampling, line);
            }
        }
    }
    memo_put_sampling(memo, &sampling, details);
}

/* --- limits --- */

/* Up to which value of the axis a strategy keeps a limit, by the median. */
static void put_kept(const struct memo *memo, size_t place, size_t strategy, double limit,
                     struct doc_node *line)
{
    size_t last = SIZE_MAX, count = memo->axis->values.count;
    char text[QUANTITY_TEXT];
    for (size_t i = 0; i < count; i++) {
        const struct memo_scenario *there =
            memo_at(memo, memo_with(memo->axis, memo->place[place], i));
        if (!(memo_band(memo, there, 0, strategy).mid <= limit)) {
            break;
        }
        last = i;
    }
    if (last == SIZE_MAX || last + 1 == count) {
        doc_number(line, "%s", last == SIZE_MAX ? "none" : "any");
    } else {
        doc_number(line, "up to %s",
                   quantity_value(strtod(memo->axis->values.text[last], NULL),
                                  memo->axis->kind.unit, text));
    }
}

static void limits(const struct memo *memo, struct doc_node *doc)
{
    double limit[STUDY_MEMO_LIST];
    size_t count = study_memo_targets(&memo->study->memo, limit);
    if (!memo->axis || count == 0) {
        return;
    }
    doc_text(
        doc_add(doc, DOC_PARAGRAPH, NULL),
        "The largest %s, of those that were played, with which the median of the %s keeps each "
        "limit:",
        memo->axis->name, words_metric(memo->metric[0]));
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *head = doc_add(table, DOC_ROW, NULL);
    doc_cell(head, "case");
    doc_cell(head, "strategy");
    for (size_t i = 0; i < count; i++) {
        char text[QUANTITY_TEXT];
        doc_number(head, "under %s", quantity_value(limit[i], UNIT_NS, text));
    }
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t s = 0; s < memo->strategies && memo_is_panel(memo, p); s++) {
            char words[MEMO_TEXT];
            if (memo_stale(memo_place(memo, p), s)) {
                continue;
            }
            struct doc_node *line = doc_add(table, DOC_ROW, NULL);
            doc_cell(line, "%s", memo_place_words(memo, memo->place[p], words));
            put_name(memo, s, line);
            for (size_t i = 0; i < count; i++) {
                put_kept(memo, p, s, limit[i], line);
            }
        }
    }
}

/* --- shares --- */

static void shares(const struct memo *memo, struct doc_node *doc)
{
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *head = doc_add(table, DOC_ROW, NULL);
    struct memo_sampling sampling = {0};
    doc_cell(head, "case");
    doc_number(head, "%s", words_metric(memo->metric[0]));
    for (int i = 0; i < MEMO_SHARES; i++) {
        doc_number(head, "%s", memo_share_name[i]);
    }
    for (size_t p = 0; p < memo->places; p++) {
        const struct memo_scenario *there = memo_place(memo, p);
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        double part[MEMO_SHARES];
        char words[MEMO_TEXT];
        doc_cell(line, "%s", memo_place_words(memo, memo->place[p], words));
        put_cost(memo, there, 0, strategy, &sampling, line);
        memo_share_parts(memo, there, strategy, part);
        for (int i = 0; i < MEMO_SHARES; i++) {
            doc_number(line, "%.0f %%", 100 * part[i]);
        }
    }
    memo_put_sampling(memo, &sampling, doc);
}

/* --- the ladder --- */

static void put_rung(const struct memo *memo, size_t place, const struct advise_rung *rung,
                     struct memo_sampling *sampling, struct doc_node *table)
{
    struct doc_node *line = doc_add(table, DOC_ROW, NULL);
    char words[MEMO_TEXT], text[QUANTITY_TEXT];
    struct doc_node *cell = NULL;
    doc_cell(line, "%s", memo_place_words(memo, memo->place[place], words));
    doc_number(line, "%zu", rung->changes);
    cell = doc_add(line, DOC_CELL, NULL);
    doc_text(cell, "%s", rung->changes == 0 ? "Linux as it is" : "");
    for (size_t i = 0; i < rung->changes; i++) {
        if (!rung->kept[i]) {
            doc_text(cell, "%s%s (", cell->first->next ? "; " : "", rung->change[i].what);
            doc_code(cell, rung->change[i].where);
            doc_text(cell, ")");
        }
    }
    put_band(line, memo_rung_band(rung->cost), UNIT_NS);
    memo_sampling_add(sampling, memo_rung_band(rung->cost), rung->cost_error);
    if (rung->changes > 0 && isfinite(rung->probability)) {
        doc_number(line, "%.0f %%", 100 * rung->probability);
    } else {
        doc_number(line, "%s", "");
    }
    doc_cell(line, "%s%s%s",
             rung->verdict.worst == ONLY_IF    ? "only if "
             : rung->verdict.worst == NOT_READ ? MEMO_UNREAD
                                               : "yes",
             memo_condition(rung->verdict.worst == ONLY_IF ? rung->verdict.conditions : 0),
             rung->needs_guest ? ", for Linux guests" : "");
    doc_number(line, "%s", quantity_mid(memo_rung_band(rung->pause_ns), UNIT_NS, text));
}

/* What to know of where the ladders end, each thing once. */
static void put_last_caveats(const struct memo *memo, struct doc_node *doc)
{
    char text[MEMO_PLACES * STRATEGY_CAVEAT_BYTES] = "", caveat[STRATEGY_CAVEAT_BYTES];
    for (size_t p = 0; p < memo->places; p++) {
        const struct advise_ladder *ladder = memo_ladder(memo, p);
        strategy_caveat(&ladder->rung[ladder->count - 1].strategy, caveat, sizeof caveat);
        if (caveat[0] && !strstr(text, caveat)) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used ? "; " : "", caveat);
        }
    }
    if (text[0]) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "What to know of the last %s: %s.",
                 memo->places > 1 ? "steps" : "step", text);
    }
}

/* From Linux to the cheapest of all strategies; those under a condition behind the others. */
static void put_ladder(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {
        "case",  ">changes",          "what is new", ">cost", ">it gains, of draws",
        "safe?", ">mmu_lock held for"};
    struct doc_node *table = doc_table(doc, names, 7);
    struct memo_sampling sampling = {0};
    bool needs_guest = false;
    for (size_t p = 0; p < memo->places; p++) {
        const struct advise_ladder *ladder = memo_ladder(memo, p);
        for (size_t i = 0; i < ladder->count; i++) {
            put_rung(memo, p, &ladder->rung[i], &sampling, table);
            needs_guest |= ladder->rung[i].needs_guest;
        }
        for (size_t i = 0; i < ladder->conditional_count; i++) {
            put_rung(memo, p, &ladder->conditional[i], &sampling, table);
            needs_guest |= ladder->conditional[i].needs_guest;
        }
    }
    memo_put_sampling(memo, &sampling, doc);
    if (needs_guest) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "For Linux guests: " ADVISE_NEEDS_GUEST ".");
    }
    const struct advise_ladder *first = memo_ladder(memo, 0);
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "The cheapest coherent strategy with each number of changes, of all %zu that the "
             "kernel could have here; %zu of them were played, of the others it is known that "
             "readers find stale bytes or that they cost no less. All times are medians.",
             first->policies, first->played);
    put_last_caveats(memo, doc);
}

void memo_comparison(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "3 Strategies");
    if (memo->advised) {
        put_ladder(memo, doc);
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "The strategies that the study compares:");
    }
    if (memo->study->memo.about == MEMO_ABOUT_LIMITS) {
        limits(memo, doc);
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "In the scenario of the answer:");
    }
    if (memo->study->memo.about == MEMO_ABOUT_SHARES) {
        shares(memo, doc);
    }
    if (memo->places <= ACROSS) {
        across(memo, doc);
    } else {
        down(memo, doc);
    }
    if (memo->places > ACROSS || memo->parts > 1) {
        everything(memo, doc);
    }
}

/* --- machines and kernels --- */

/* Another machine or kernel at a place, in the order of lines. */
struct elsewhere {
    size_t place, machine, kernel;
};

static size_t point_elsewhere(const struct memo *memo, struct elsewhere at)
{
    const struct study *study = memo->study;
    size_t point = memo_with(study->role[AXIS_MACHINE], memo->place[at.place], at.machine);
    return memo_with(study->role[AXIS_KERNEL], point, at.kernel);
}

/* Whether a point has its line elsewhere: it is another place, or an earlier place differs from
 * this one in nothing but machine and kernel. */
static bool has_line(const struct memo *memo, size_t point, size_t place)
{
    for (size_t p = 0; p < memo->places; p++) {
        struct elsewhere same = {.place = p,
                                 .machine = study_digit(memo->study->role[AXIS_MACHINE], point),
                                 .kernel = study_digit(memo->study->role[AXIS_KERNEL], point)};
        if (p != place &&
            (memo->place[p] == point || (p < place && point_elsewhere(memo, same) == point))) {
            return true;
        }
    }
    return false;
}

void memo_machines(const struct memo *memo, struct doc_node *doc)
{
    const struct axis *machine = memo->study->role[AXIS_MACHINE];
    const struct axis *kernel = memo->study->role[AXIS_KERNEL];
    size_t each = machine->values.count * kernel->values.count;
    doc_heading(doc, "6 Machines and kernels");
    if (each == 1) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "The study has one machine and one kernel.");
        return;
    }
    struct doc_node *table = best_table(doc, "machine, kernel and case");
    struct memo_sampling sampling = {0};
    for (size_t i = 0; i < memo->places * each; i++) {
        struct elsewhere at = {i / each, i % each / kernel->values.count, i % kernel->values.count};
        size_t point = point_elsewhere(memo, at);
        char at_machine[MEMO_TEXT], on_kernel[MEMO_TEXT], words[MEMO_TEXT];
        if (point != memo->place[at.place] && has_line(memo, point, at.place)) {
            continue;
        }
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        memo_rest_words(memo, point, words);
        doc_cell(line, "%s, %s%s%s%s", memo_axis_words(memo, machine, point, at_machine),
                 memo_axis_words(memo, kernel, point, on_kernel), words[0] ? ", " : "", words,
                 point == memo->place[at.place] ? " (the answer's)" : "");
        put_best(memo, memo_at(memo, point), &sampling, line);
    }
    memo_put_sampling(memo, &sampling, doc);
}
