/* The sections of a memo on what it rests on: validation and assumptions. */
#include "report/memo/memo_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 512

/* --- validation --- */

/* What the predicted rows of one table come to; `table` NULL: of all. */
struct score {
    size_t predicted, inside, refused;
    double sum_pct, worst_pct;
};

static struct score score_of(const struct memo *memo, const char *table)
{
    const enum memo_table_id id = MEMO_VALIDATION;
    struct score score = {0};
    for (size_t row = 0; row < memo->table[id].csv.rows; row++) {
        double error = fabs(memo_number(memo, id, row, "error_pct"));
        if (table && strcmp(memo_cell(memo, id, row, "table"), table) != 0) {
            continue;
        }
        if (!isfinite(error)) {
            score.refused++;
        } else if (strcmp(memo_cell(memo, id, row, "role"), "predict") == 0) {
            score.predicted++;
            score.inside += strcmp(memo_cell(memo, id, row, "inside"), "yes") == 0;
            score.sum_pct += error;
            score.worst_pct = fmax(score.worst_pct, error);
        }
    }
    return score;
}

static bool first_of_table(const struct memo *memo, size_t index)
{
    for (size_t row = 0; row < index; row++) {
        if (strcmp(memo_cell(memo, MEMO_VALIDATION, row, "table"),
                   memo_cell(memo, MEMO_VALIDATION, index, "table")) == 0) {
            return false;
        }
    }
    return true;
}

static void score_table(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"published table",    ">rows predicted",
                                        ">inside p10 to p90", ">mean error",
                                        ">largest error",     ">rows not expressed"};
    struct doc_node *table = doc_table(doc, names, 6);
    for (size_t row = 0; row < memo->table[MEMO_VALIDATION].csv.rows; row++) {
        if (!first_of_table(memo, row)) {
            continue;
        }
        const char *name = memo_cell(memo, MEMO_VALIDATION, row, "table");
        struct score score = score_of(memo, name);
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_cell(line, "%s", name);
        doc_number(line, "%zu", score.predicted);
        doc_number(line, "%zu", score.inside);
        if (score.predicted > 0) {
            doc_number(line, "%.1f %%", score.sum_pct / (double)score.predicted);
            doc_number(line, "%.1f %%", score.worst_pct);
        } else {
            doc_number(line, "%s", "");
            doc_number(line, "%s", "");
        }
        doc_number(line, "%zu", score.refused);
    }
}

static void row_table(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"table", "row",  "role", ">measured", ">p10",
                                        ">p50",  ">p90", "unit", ">error",    "within"};
    const enum memo_table_id id = MEMO_VALIDATION;
    struct doc_node *table = doc_table(doc, names, 10);
    for (size_t row = 0; row < memo->table[id].csv.rows; row++) {
        static const char *const numbers[] = {"measured", "p10", "p50", "p90"};
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        double error = memo_number(memo, id, row, "error_pct");
        doc_cell(line, "%s", memo_cell(memo, id, row, "table"));
        doc_cell(line, "%s", memo_cell(memo, id, row, "row"));
        doc_cell(line, "%s", memo_cell(memo, id, row, "role"));
        for (size_t i = 0; i < 4; i++) {
            doc_number(line, "%s", memo_cell(memo, id, row, numbers[i]));
        }
        doc_cell(line, "%s", memo_cell(memo, id, row, "unit"));
        if (isfinite(error)) {
            doc_number(line, "%+.1f %%", error);
        } else {
            doc_number(line, "not expressed");
        }
        doc_cell(line, "%s", memo_cell(memo, id, row, "inside"));
    }
}

void memo_validation_section(const struct memo *memo, struct doc_node *doc)
{
    const struct memo_table *table = &memo->table[MEMO_VALIDATION];
    doc_heading(doc, "6 What was validated, and how well");
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    if (!table->there) {
        doc_code(block, "s2flush validate --format csv");
        doc_text(block, " holds predictions against published measurements; its table is not here, "
                        "and --validation FILE would name it.");
        return;
    }
    struct score all = score_of(memo, NULL);
    doc_text(
        block,
        "Predictions held against published measurements, hits and misses: %zu of %zu predicted "
        "rows lie within p10 to p90.",
        all.inside, all.predicted);
    for (size_t i = 0; i < table->csv.comment_count; i++) {
        const char *text = table->csv.comments[i];
        doc_text(block, "%s%s", i ? " " : " Of this table: ", text + strspn(text, " "));
    }
    doc_text(block, "%s",
             table->csv.comment_count ? "" : " Which version made the table it does not say.");
    score_table(memo, doc);
    row_table(memo, doc_add(doc, DOC_DETAILS, "All rows"));
}

/* --- strategies --- */

/* The place where a strategy does worst: reads stale lines, or leans on
 * something. */
static size_t worst_place(const struct memo *memo, size_t strategy)
{
    size_t worst = 0;
    for (size_t p = memo->places; p-- > 0;) {
        worst = memo_condition(memo, &memo->place[p], strategy) ? p : worst;
    }
    for (size_t p = memo->places; p-- > 0;) {
        worst = memo_stale(memo, &memo->place[p], strategy) ? p : worst;
    }
    return worst;
}

static void say_verdict(const struct memo *memo, size_t strategy, struct doc_node *cell)
{
    const struct memo_place *place = &memo->place[worst_place(memo, strategy)];
    size_t row = memo_row(memo, place, strategy), alike = 0;
    const char *verdict = memo_cell(memo, MEMO_ROWS, row, "verdict");
    const char *condition = memo_cell(memo, MEMO_ROWS, row, "condition");
    for (size_t p = 0; p < memo->places; p++) {
        size_t other = memo_row(memo, &memo->place[p], strategy);
        alike += strcmp(memo_cell(memo, MEMO_ROWS, other, "verdict"), verdict) == 0;
    }
    if (strcmp(verdict, "stale") == 0) {
        doc_strong(cell, "incoherent, never wins");
        doc_text(cell, "; stale lines are read by %s", condition);
    } else if (condition[0]) {
        doc_text(cell, "coherent only if %s", condition);
    } else {
        doc_text(cell, "%s", verdict);
    }
    if (alike < memo->places) {
        doc_text(cell, " (in %zu of %zu situations)", alike, memo->places);
    }
}

static void strategy_table(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"strategy", "what it does", "verdict", "exists", "caveat"};
    struct doc_node *table = doc_table(doc, names, 5);
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        const char *paper = memo_paper(memo, &memo->place[0], s);
        doc_code(doc_add(line, DOC_CELL, NULL), memo_strategy(memo, s));
        doc_cell(line, "%s",
                 memo_text(memo->run, "configuration", "strategies", memo_strategy(memo, s),
                           "strategy", "title"));
        say_verdict(memo, s, doc_add(line, DOC_CELL, NULL));
        doc_cell(line, "%s%s", paper ? "hypothetical: " : "yes", paper ? paper : "");
        doc_cell(line, "%s", memo_caveat(memo, s));
    }
}

/* --- assumptions --- */

/* Evidence that is weaker than a measurement. */
static const char *weak_evidence(const char *text)
{
    static const char *const words[] = {"assumed", "inferred", "unverified"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(text, words[i])) {
            return words[i];
        }
    }
    return NULL;
}

static void put_assumption(struct doc_node *table, const char *of, const char *key,
                           const char *value, const char *evidence, const char *source)
{
    struct doc_node *line = doc_add(table, DOC_ROW, NULL);
    doc_cell(line, "%s", of);
    doc_code(doc_add(line, DOC_CELL, NULL), key);
    doc_cell(line, "%s", value);
    doc_cell(line, "%s", evidence);
    doc_cell(line, "%s", source);
}

/* A cost is an object with its range and evidence; the other settings are texts
 * with a second member "KEY source". Returns how many there are. */
static size_t put_section(struct doc_node *table, const char *of, const char *name,
                          const json_t *section)
{
    size_t count = 0;
    const char *evidence = memo_text(section, "evidence");
    if (evidence[0] && weak_evidence(evidence)) {
        char range[WORDS];
        snprintf(range, sizeof range, "%s, %s to %s", memo_text(section, "mode"),
                 memo_text(section, "low"), memo_text(section, "high"));
        put_assumption(table, of, name, range, evidence, memo_text(section, "source"));
        return 1;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)section, key, value)
    {
        char source_key[128];
        snprintf(source_key, sizeof source_key, "%.100s source", key);
        const char *source = memo_text(section, source_key);
        if (weak_evidence(source) && json_is_string(value)) {
            char word[64];
            snprintf(word, sizeof word, "%s%s", strstr(source, "(read)") ? "in part " : "",
                     weak_evidence(source));
            put_assumption(table, of, key, json_string_value(value), word, source);
            count++;
        }
    }
    return count;
}

bool memo_in_places(const struct memo *memo, const char *axis, const char *value)
{
    for (size_t i = 0; i < memo->axes; i++) {
        for (size_t p = 0; p < memo->places; p++) {
            if (strcmp(memo->axis[i].name, axis) == 0 &&
                strcmp(memo_value(&memo->axis[i], memo->place[p].digit[i]), value) == 0) {
                return true;
            }
        }
    }
    return false;
}

static size_t put_configuration(const struct memo *memo, const char *axis, const char *plural,
                                struct doc_node *table)
{
    const json_t *all = json_object_get(json_object_get(memo->run, "configuration"), plural);
    const char *name, *section_name;
    json_t *one, *section;
    size_t count = 0;
    json_object_foreach((json_t *)all, name, one)
    {
        char of[WORDS];
        snprintf(of, sizeof of, "%s %s", axis, name);
        if (!memo_in_places(memo, axis, name)) {
            continue;
        }
        json_object_foreach(one, section_name, section)
        {
            count += json_is_object(section) ? put_section(table, of, section_name, section) : 0;
        }
    }
    return count;
}

static void assumptions(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"of", "key", "value", "evidence", "source"};
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "What is assumed, inferred or unverified");
    struct doc_node *table = doc_table(details, names, 5);
    size_t costs = put_configuration(memo, "machine", "machines", table);
    size_t keys = put_configuration(memo, "workload", "workloads", table);
    size_t kernels = put_configuration(memo, "kernel", "kernels", table);
    doc_text(
        block,
        "Not measured but assumed, inferred or unverified, in the situations above: %zu settings "
        "and costs of machines, %zu of workloads, %zu of kernels. The bands come from the costs' "
        "ranges alone.",
        costs, keys, kernels);
}

/* Axes for which one value was taken though nobody asked for it. */
static void stand_ins(const struct memo *memo, struct doc_node *doc)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const struct memo_axis *axis = &memo->axis[i];
        char value[160];
        if (axis->count < 2 || memo->facet[i] || i == memo->strategy || axis->fixed != SIZE_MAX) {
            continue;
        }
        memo_say_value(axis, memo_value(axis, memo->place[0].digit[i]), value, sizeof value);
        doc_text(
            doc_add(doc, DOC_PARAGRAPH, NULL),
            "The study names no %s for its answer; of its %zu values the %s one, %s, is taken.",
            axis->name, axis->count, axis->number ? "middle" : "first", value);
    }
}

void memo_assumption_section(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "7 Assumptions, conditions, coherence");
    strategy_table(memo, doc);
    stand_ins(memo, doc);
    assumptions(memo, doc);
}

/* --- all of it --- */

struct doc_node *memo_write(struct memo *memo)
{
    struct doc_node *doc = doc_new();
    memo_answer(memo, doc);
    memo_map_section(memo, doc);
    memo_curve_section(memo, doc);
    memo_change_section(memo, doc);
    memo_validation_section(memo, doc);
    memo_assumption_section(memo, doc);
    memo_repeat_section(memo, doc);
    return doc;
}
