/* Tables of break-even points: the pairs that cross or may, and apart from them the
 * pairs of which one costs less all along. */
#include "report/memo/memo_parts.h"

#include <math.h>

#define WORDS 256

static bool may_cross(const struct memo *memo, size_t row)
{
    return memo_has_status(memo, row, BREAKEVEN_CROSSING) ||
           memo_has_status(memo, row, BREAKEVEN_UNDECIDED);
}

static void put_code(struct doc_node *line, const char *text)
{
    doc_code(doc_add(line, DOC_CELL, NULL), text);
}

/* A share of the draws; an empty cell where there are none. */
static void put_share(struct doc_node *line, double share)
{
    if (isfinite(share)) {
        doc_number(line, "%.0f %%", 100 * share);
    } else {
        doc_number(line, "%s", "");
    }
}

/* The columns behind the situation of a pair that crosses, or may. */
static void put_open(const struct memo *memo, struct doc_node *line, size_t row)
{
    char text[48] = "", low[48] = "", high[48] = "";
    double p10 = memo_number(memo, MEMO_BREAKEVEN, row, "p10");
    bool crossing = memo_has_status(memo, row, BREAKEVEN_CROSSING);
    double at =
        crossing ? memo_crossing_at(memo, row) : memo_number(memo, MEMO_BREAKEVEN, row, "at");
    if (isfinite(at)) {
        memo_say_at(memo, row, at, text, sizeof text);
    }
    if (isfinite(p10)) {
        memo_say_at(memo, row, p10, low, sizeof low);
        memo_say_at(memo, row, memo_number(memo, MEMO_BREAKEVEN, row, "p90"), high, sizeof high);
    }
    put_code(line, memo_cell(memo, MEMO_BREAKEVEN, row, crossing ? "wins_below" : "low_winner"));
    put_code(line, memo_cell(memo, MEMO_BREAKEVEN, row, crossing ? "wins_above" : "high_winner"));
    doc_cell(line, "%s", memo_cell(memo, MEMO_BREAKEVEN, row, "status"));
    doc_number(line, "%s", text);
    doc_number(line, "%s%s%s", low, low[0] ? " to " : "", high);
    put_share(line, memo_number(memo, MEMO_BREAKEVEN, row, "share_crossing"));
}

/* Those of a pair of which one costs less all along; of others, which are equal or
 * not compared, both stand in one cell. */
static void put_settled(const struct memo *memo, struct doc_node *line, size_t row)
{
    struct throughout found;
    const char *left_out = memo_cell(memo, MEMO_BREAKEVEN, row, "left_out");
    memo_find_throughout(memo, row, &found);
    if (memo_has_status(memo, row, BREAKEVEN_NONE)) {
        put_code(line, found.winner);
        put_code(line, found.loser);
        doc_number(line, "%s", found.factor);
        put_share(line, found.share);
        return;
    }
    struct doc_node *pair = doc_add(line, DOC_CELL, NULL);
    doc_code(pair, memo_cell(memo, MEMO_BREAKEVEN, row, "a"));
    doc_text(pair, ", ");
    doc_code(pair, memo_cell(memo, MEMO_BREAKEVEN, row, "b"));
    doc_text(pair, ": %s", left_out[0] ? left_out : memo_cell(memo, MEMO_BREAKEVEN, row, "status"));
    for (size_t i = 0; i < 3; i++) {
        doc_cell(line, "%s", "");
    }
}

static void put_rows(const struct memo *memo, struct doc_node *table, bool open)
{
    for (size_t p = 0; p < memo->places; p++) {
        char where[WORDS];
        memo_say_place(memo, &memo->place[p], true, where, sizeof where);
        for (size_t row = 0; row < memo->table[MEMO_BREAKEVEN].csv.rows; row++) {
            if (may_cross(memo, row) != open ||
                !memo_matches(memo, MEMO_BREAKEVEN, row, &memo->place[p])) {
                continue;
            }
            struct doc_node *line = doc_add(table, DOC_ROW, NULL);
            if (memo->places > 1) {
                doc_cell(line, "%s", where);
            }
            (open ? put_open : put_settled)(memo, line, row);
            doc_cell(line, "%s", memo_cell(memo, MEMO_BREAKEVEN, row, "condition"));
        }
    }
}

static void put_tables(const struct memo *memo, struct doc_node *doc, size_t open, size_t all)
{
    static const char *const crossing[] = {"situation",         "cheaper below", "cheaper above",
                                           "break-even",        ">at",           ">p10 to p90",
                                           ">draws that cross", "leans on"};
    static const char *const settled[] = {"situation",       "cheaper throughout", "dearer",
                                          ">by a factor of", ">of the draws",      "leans on"};
    size_t skip = memo->places == 1 ? 1 : 0;
    if (open > 0) {
        size_t count = sizeof crossing / sizeof *crossing - skip;
        put_rows(memo, doc_table(doc, crossing + skip, count), true);
    }
    if (open < all) {
        struct doc_node *details = doc_add(doc, DOC_DETAILS, "Pairs without a break-even point");
        size_t count = sizeof settled / sizeof *settled - skip;
        put_rows(memo, doc_table(details, settled + skip, count), false);
    }
}

void memo_breakeven_table(const struct memo *memo, struct doc_node *doc)
{
    size_t open = 0, all = 0;
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t row = 0; row < memo->table[MEMO_BREAKEVEN].csv.rows; row++) {
            if (memo_matches(memo, MEMO_BREAKEVEN, row, &memo->place[p])) {
                all++;
                open += may_cross(memo, row);
            }
        }
    }
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "Break-even points along %s, where two strategies cost the same: of %zu pairs and "
             "situations %zu have one or are undecided.",
             memo_cell(memo, MEMO_BREAKEVEN, 0, "axis"), all, open);
    put_tables(memo, doc, open, all);
}
