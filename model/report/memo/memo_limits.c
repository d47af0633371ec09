/* Which values of the break-even axis keep a metric at or under its limits. */
#include "report/memo/memo_parts.h"

#include "study/target.h"

#include <math.h>
#include <string.h>

#define WORDS 256

/* How many draws keep the limit there, and where enough of them do; nothing where
 * enough keep it there. */
static void say_share(const struct memo *memo, size_t row, char *buf, size_t size)
{
    double share = memo_number(memo, MEMO_TARGET, row, "share");
    double sure = memo_number(memo, MEMO_TARGET, row, "sure");
    char value[48] = "none";
    buf[0] = '\0';
    if (isfinite(sure)) {
        memo_say_number(memo_cell(memo, MEMO_TARGET, row, "unit"), sure, value, sizeof value);
    }
    if (share < TARGET_SURE) {
        snprintf(buf, size, " (in %.0f %% of the draws; %s in %.0f %%)", 100 * share, value,
                 100 * TARGET_SURE);
    }
}

/* "up to 256 KiB", "none (607 us at best)" */
static void say_kept(const struct memo *memo, size_t row, char *buf, size_t size)
{
    const char *status = memo_cell(memo, MEMO_TARGET, row, "status");
    double at = memo_number(memo, MEMO_TARGET, row, "at");
    char value[48], share[128];
    if (!isfinite(at)) {
        memo_say_number("ns", memo_number(memo, MEMO_TARGET, row, "best_mode"), value,
                        sizeof value);
        snprintf(buf, size, "none (%s at best)", value);
        return;
    }
    memo_say_number(memo_cell(memo, MEMO_TARGET, row, "unit"), at, value, sizeof value);
    say_share(memo, row, share, sizeof share);
    snprintf(buf, size, "%s %s%s",
             strcmp(status, "all values") == 0        ? "any up to"
             : strcmp(status, "all values from") == 0 ? "any from"
                                                      : status,
             value, share);
}

/* The limits of the table, as they come; returns how many. */
static size_t find_limits(const struct memo *memo, double limits[STUDY_MEMO_LIST])
{
    size_t count = 0;
    for (size_t row = 0; row < memo->table[MEMO_TARGET].csv.rows; row++) {
        double limit = memo_number(memo, MEMO_TARGET, row, "limit");
        bool known = false;
        for (size_t i = 0; i < count; i++) {
            known |= limits[i] == limit;
        }
        if (!known && count < STUDY_MEMO_LIST) {
            limits[count++] = limit;
        }
    }
    return count;
}

static void say_limits(const double *limits, size_t count, struct doc_node *block)
{
    for (size_t i = 0; i < count; i++) {
        char text[48];
        memo_say_number("ns", limits[i], text, sizeof text);
        doc_text(block, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", text);
    }
}

/* The row of a strategy's answer; SIZE_MAX: it has none. */
static size_t find_limit(const struct memo *memo, const struct memo_place *place, const char *name,
                         double limit)
{
    for (size_t row = 0; row < memo->table[MEMO_TARGET].csv.rows; row++) {
        if (strcmp(memo_cell(memo, MEMO_TARGET, row, "strategy"), name) == 0 &&
            memo_number(memo, MEMO_TARGET, row, "limit") == limit &&
            memo_matches(memo, MEMO_TARGET, row, place)) {
            return row;
        }
    }
    return SIZE_MAX;
}

/* A strategy's answers at a place, in the order of the limits. Where even the
 * loosest limit is out of reach that is said once. */
static void say_limits_at(const struct memo *memo, const struct memo_place *place, const char *name,
                          const double *limits, size_t count, struct doc_node *block)
{
    double best = NAN;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        size_t row = find_limit(memo, place, name, limits[i]);
        any |= row != SIZE_MAX && isfinite(memo_number(memo, MEMO_TARGET, row, "at"));
        best = row == SIZE_MAX ? best : memo_number(memo, MEMO_TARGET, row, "best_mode");
    }
    char text[WORDS];
    if (!any && isfinite(best)) {
        memo_say_number("ns", best, text, sizeof text);
        doc_text(block, "none for any of them (%s at best)", text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = find_limit(memo, place, name, limits[i]);
        snprintf(text, sizeof text, "not known");
        if (row != SIZE_MAX) {
            say_kept(memo, row, text, sizeof text);
        }
        doc_text(block, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", text);
    }
}

void memo_limits_lead(const struct memo *memo, size_t strategy, struct doc_node *block)
{
    double limits[STUDY_MEMO_LIST];
    size_t count = find_limits(memo, limits);
    if (count == 0) {
        return;
    }
    doc_text(block, "Which %s keeps ", memo_cell(memo, MEMO_TARGET, 0, "axis"));
    doc_code(block, memo_strategy(memo, strategy));
    doc_text(block, " at ");
    say_limits(limits, count, block);
    doc_text(block, ": ");
    for (size_t p = 0; p < memo->places; p++) {
        char where[WORDS];
        memo_say_place(memo, &memo->place[p], true, where, sizeof where);
        doc_text(block, "%s%s%s", p ? "; " : "", where, where[0] ? " " : "");
        say_limits_at(memo, &memo->place[p], memo_strategy(memo, strategy), limits, count, block);
    }
    doc_text(block, ". ");
}

static bool in_targets(const struct memo *memo, const char *name)
{
    bool found = false;
    for (size_t row = 0; row < memo->table[MEMO_TARGET].csv.rows; row++) {
        found |= strcmp(memo_cell(memo, MEMO_TARGET, row, "strategy"), name) == 0;
    }
    return found;
}

void memo_limits_table(const struct memo *memo, struct doc_node *doc)
{
    double limits[STUDY_MEMO_LIST];
    size_t count = find_limits(memo, limits);
    if (count == 0) {
        return;
    }
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "Values of %s that keep %s at or under a limit:",
             memo_cell(memo, MEMO_TARGET, 0, "axis"), memo->metric);
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *line = doc_add(table, DOC_ROW, NULL);
    doc_cell(line, "situation");
    doc_cell(line, "strategy");
    for (size_t i = 0; i < count; i++) {
        say_limits(&limits[i], 1, doc_add(line, DOC_CELL, NULL));
    }
    for (size_t p = 0; p < memo->places; p++) {
        char where[WORDS];
        memo_say_place(memo, &memo->place[p], true, where, sizeof where);
        for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
            if (!in_targets(memo, memo_strategy(memo, s))) {
                continue;
            }
            line = doc_add(table, DOC_ROW, NULL);
            doc_cell(line, "%s", where);
            doc_code(doc_add(line, DOC_CELL, NULL), memo_strategy(memo, s));
            for (size_t i = 0; i < count; i++) {
                size_t row = find_limit(memo, &memo->place[p], memo_strategy(memo, s), limits[i]);
                char text[WORDS] = "";
                if (row != SIZE_MAX) {
                    say_kept(memo, row, text, sizeof text);
                }
                doc_cell(line, "%s", text);
            }
        }
    }
}
