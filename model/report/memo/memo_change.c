/* The section of a memo on what would change the answer: break-even points, and the
 * costs that matter. */
#include "report/memo/memo_parts.h"

#include <math.h>
#include <string.h>

#define WORDS 512
#define SHOWN_COSTS 5

/* An estimate of next to nothing may be below it: no -0.00. */
static double share_of(const struct memo *memo, size_t row, const char *name)
{
    double share = memo_number(memo, MEMO_SENSITIVITY, row, name);
    return fabs(share) < 0.005 ? 0 : share;
}

static void cost_row(const struct memo *memo, size_t row, const char *where, struct doc_node *table)
{
    struct doc_node *line = doc_add(table, DOC_ROW, NULL);
    const enum memo_table_id id = MEMO_SENSITIVITY;
    char low[48], high[48];
    if (where) {
        doc_cell(line, "%s", where);
    }
    struct doc_node *what = doc_add(line, DOC_CELL, NULL);
    doc_code(what, memo_cell(memo, id, row, "a"));
    if (memo_cell(memo, id, row, "b")[0]) {
        doc_text(what, " less ");
        doc_code(what, memo_cell(memo, id, row, "b"));
    }
    doc_code(doc_add(line, DOC_CELL, NULL), memo_cell(memo, id, row, "cost"));
    const char *unit = memo_cell(memo, id, row, "cost_unit");
    bool bare = !unit[0] || strcmp(unit, "ratio") == 0;
    doc_number(line, "%.4g to %.4g%s%s", memo_number(memo, id, row, "low"),
               memo_number(memo, id, row, "high"), bare ? "" : " ", bare ? "" : unit);
    memo_say_number("ns", memo_number(memo, id, row, "at_low"), low, sizeof low);
    memo_say_number("ns", memo_number(memo, id, row, "at_high"), high, sizeof high);
    doc_number(line, "%s to %s", low, high);
    doc_number(line, "%.2f", share_of(memo, row, "first"));
    doc_number(line, "%.2f", share_of(memo, row, "total"));
    doc_cell(line, "%s", memo_cell(memo, id, row, "source"));
}

static void cost_table(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"situation",
                                        "of what",
                                        "cost",
                                        ">its range",
                                        ">the result at its ends",
                                        ">first order",
                                        ">total",
                                        "the cost's source"};
    size_t skip = memo->places == 1 ? 1 : 0;
    struct doc_node *table = doc_table(doc, names + skip, sizeof names / sizeof *names - skip);
    for (size_t p = 0; p < memo->places; p++) {
        char words[WORDS];
        memo_say_place(memo, &memo->place[p], true, words, sizeof words);
        for (size_t row = 0; row < memo->table[MEMO_SENSITIVITY].csv.rows; row++) {
            if (memo_number(memo, MEMO_SENSITIVITY, row, "rank") <= SHOWN_COSTS &&
                memo_matches(memo, MEMO_SENSITIVITY, row, &memo->place[p])) {
                cost_row(memo, row, skip ? NULL : words, table);
            }
        }
    }
}

/* What to measure first on one machine: its rows come by falling gain. */
static void say_machine(const struct memo *memo, size_t first, struct doc_node *item)
{
    const enum memo_table_id id = MEMO_INFORMATION;
    const char *machine = memo_cell(memo, id, first, "machine");
    double undecided = memo_number(memo, id, first, "undecided");
    size_t said = 0;
    doc_strong(item, "%s:", machine);
    doc_text(item, " no clear winner in %.1f %% of the study's situations", 100 * undecided);
    for (size_t row = first; row < memo->table[id].csv.rows; row++) {
        double gain = memo_number(memo, id, row, "gain");
        if (!memo_gains(memo, row) || strcmp(memo_cell(memo, id, row, "machine"), machine) != 0) {
            continue;
        }
        doc_text(item, said++ ? ", then " : "; measure first ");
        doc_code(item, memo_cell(memo, id, row, "cost"));
        doc_text(item, " (%.1f %% left when it is known)", 100 * fmax(undecided - gain, 0));
    }
    doc_text(item, said > 0 ? "."
                   : undecided == 0
                       ? "; nothing needs to be measured."
                       : "; knowing one cost would not change that by more than chance.");
}

static void information(const struct memo *memo, struct doc_node *doc)
{
    struct doc_node *list = doc_add(doc, DOC_LIST, NULL);
    const char *before = "";
    for (size_t row = 0; row < memo->table[MEMO_INFORMATION].csv.rows; row++) {
        const char *machine = memo_cell(memo, MEMO_INFORMATION, row, "machine");
        bool ours = false;
        for (size_t p = 0; p < memo->places; p++) {
            ours |= memo_matches(memo, MEMO_INFORMATION, row, &memo->place[p]);
        }
        if (ours && strcmp(machine, before) != 0) {
            say_machine(memo, row, doc_add(list, DOC_ITEM, NULL));
            before = machine;
        }
    }
}

static const char *setting_flag(const struct memo *memo, const char *key)
{
    const json_t *settings = json_object_get(json_object_get(memo->run, "study"), "memo");
    return json_is_false(json_object_get(settings, key)) ? "no" : "yes";
}

static void sensitivity(const struct memo *memo, struct doc_node *doc)
{
    static const struct memo_figure figure = {
        .script = "tornado",
        .name = "memo-tornado.svg",
        .note = "Which costs matter: the result with one cost at its low and at its high end, and "
                "each cost's share of the variance; the table below has the same.",
        .table = {MEMO_SENSITIVITY},
        .tables = 1,
    };
    bool there = memo->table[MEMO_SENSITIVITY].there && memo->table[MEMO_SENSITIVITY].csv.rows > 0;
    if (memo->table[MEMO_SENSITIVITY].there && !there) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                 "No cost decides: the strategies compared never differ.");
        return;
    }
    if (!there) {
        if (strcmp(setting_flag(memo, "sensitivity"), "yes") == 0) {
            memo_missing(memo, doc, "Which costs decide", "sensitivity", "");
        }
        return;
    }
    memo_figure(memo, doc, &figure);
    cost_table(memo, doc_add(doc, DOC_DETAILS, "The costs that matter most, as a table"));
    if (memo->table[MEMO_INFORMATION].there) {
        information(memo, doc);
    }
}

void memo_change_section(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "5 What would change the answer");
    if (memo->table[MEMO_BREAKEVEN].there && memo->table[MEMO_BREAKEVEN].csv.rows > 0) {
        memo_breakeven_table(memo, doc);
    } else if (memo->breakeven || !memo->given) {
        memo_missing(memo, doc, "A table of break-even points", "breakeven",
                     memo->breakeven ? "" : " --axis AXIS");
    }
    sensitivity(memo, doc);
}
