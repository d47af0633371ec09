#include "report/columns.h"

#include "report/document/doc.h"
#include "study/metrics.h"

#include <string.h>

#define OF_METRIC "as `unit` says"

const struct column columns_of_rows[] = {
    {NULL, "study", "", "the study's name"},
    {NULL, "<axis>", "base units: ns, bytes, shares of 1",
     "a column for each axis of the study, in its order: machine, kernel, workload, strategy, "
     "keys"},
    {NULL, "metric", "", "what the row is about: see the metrics below"},
    {NULL, "unit", "", "the metric's"},
    {NULL, "n", "", "draws behind the following columns; 0: there are none, only the mode"},
    {NULL, "fitted", "",
     "so many of them were not played, nor priced again, but fitted to those that were: see "
     "`draws_min` of a study"},
    {NULL, "mode", OF_METRIC, "the value with every cost at its mode"},
    {NULL, "mean", OF_METRIC, "of the draws"},
    {NULL, "p10", OF_METRIC, "a tenth of the draws is below: where the band begins"},
    {NULL, "p50", OF_METRIC, "the median of the draws: what memos print"},
    {NULL, "p90", OF_METRIC, "a tenth of the draws is above: where the band ends"},
    {NULL, "interval_low", OF_METRIC,
     "95 % confidence interval of the mean: what too few draws leave open"},
    {NULL, "interval_high", OF_METRIC, "the same, upper end"},
    {NULL, "hypothetical", "", "no, or what hardware the machine would need"},
    {NULL, "verdict", "", "of all readers together: coherent, only-if or stale"},
    {NULL, "condition", "",
     "what must hold for an only-if verdict, or who reads stale lines; may hold commas, then in "
     "quotes"},
    {NULL, "config_hash", "", "of all that determines the point: equal hashes, equal figures"},
    {NULL, "schema_version", "", "of these columns"},
};
const size_t columns_of_rows_count = sizeof columns_of_rows / sizeof *columns_of_rows;

const struct column columns_of_store[] = {
    {"about", "name", "",
     "study, settings, program, shard, plays_repeated: how often what was there was played again, "
     "plays_alike: how many of the plays are another strategy's that is the same"},
    {"about", "value", "", "its value"},
    {"cell", "cell", "", "points that differ in the strategy only, counted from 0"},
    {"cell", "plays", "", "simulations behind them"},
    {"cell", "reprices", "", "runs that pricing again, or a fit, saved"},
    {"cell", "failed", "",
     "why it has no points, the line of the simulation that failed; empty where it has"},
    {"result", "point", "", "number of a point of the study"},
    {"result", "metric", "", "as in the rows"},
    {"result", "n", "", "as in the rows, like all that follow"},
    {"result", "fitted", "", ""},
    {"result", "mode", "the metric's", ""},
    {"result", "mean", "the metric's", ""},
    {"result", "p10", "the metric's", ""},
    {"result", "p50", "the metric's", ""},
    {"result", "p90", "the metric's", ""},
    {"result", "interval_low", "the metric's", ""},
    {"result", "interval_high", "the metric's", ""},
    {"play", "play_hash", "", "of all that a simulation depends on but the costs"},
    {"play", "costs_hash", "", "the costs that it was played with"},
    {"play", "serial", "", "1: no actor waited, and its counts hold for all costs"},
    {"play", "window_ps", "ps",
     "at these costs, like all times here: from the first re-init to the "
     "end"},
    {"play", "cpu_ps", "ps", "busy time of all actors in it"},
    {"play", "pause_ps", "ps", "longest hold of mmu_lock for write"},
    {"play", "stall_p50_ps", "ps", "median stall of a vCPU"},
    {"play", "stall_p99_ps", "ps", "what 99 of 100 stalls do not exceed"},
    {"play", "stall_max_ps", "ps", "longest stall"},
    {"play", "first_insn_ps", "ps", "from the first re-init to the end of a vCPU's first access"},
    {"play", "counts", "events", "JSON: from the first re-init on, by site and kind of event"},
    {"play", "before", "events", "JSON: the same before it"},
    {"play", "leaves", "leaves", "JSON: in stage 2 at the end, by size"},
    {"play", "verdicts", "",
     "JSON: of each reader, with its condition and its stale lines; empty where a draw was played"},
    {"play", "tails", "events",
     "JSON: holds and stalls that differ, how often each came up, the counts in it"},
    {"play", "sections", "events",
     "JSON: what several threads do at once, step by step; empty where there is none"},
    {"play", "checksum", "", "of the row"},
    {"costs", "costs_hash", "", "of one set of costs"},
    {"costs", "cost", "of `s2flush list costs`", "JSON: each cost of the machine"},
    {"costs", "price_ps", "ps", "JSON: what an event of each kind costs by these"},
    {"draw", "draws_hash", "", "the draws of a point's machine"},
    {"draw", "draw", "", "0: every cost at its mode; from 1 on the draws"},
    {"draw", "costs_hash", "", "the costs of the draw"},
    {"draw", "stratum", "", "of the draw's timeline; 0: the one at the modes"},
    {"source", "point", "", "a point of the study"},
    {"source", "stratum", "", "as above"},
    {"source", "play_hash", "", "the simulation that answers for it"},
    {"source", "ideal_hash", "", "that of the yardstick"},
    {"point", "point", "", "its number"},
    {"point", "<axis>", "base units: ns, bytes, shares of 1",
     "a column for each axis of the study"},
    {"point", "draws_hash", "", "which draws it has"},
    {"point", "hypothetical", "", "as in the rows, empty for no"},
    {"point", "verdict", "", "as in the rows"},
    {"point", "condition", "", "as in the rows"},
    {"point", "config_hash", "", "as in the rows"},
    {"point", "checksum", "", "of the row"},
};
const size_t columns_of_store_count = sizeof columns_of_store / sizeof *columns_of_store;

/* Text with code between backticks. */
static void put_text(struct doc_node *block, const char *text)
{
    for (bool code = false; *text; code = !code) {
        char part[256];
        size_t length = strcspn(text, "`");
        snprintf(part, sizeof part, "%.*s", length < sizeof part ? (int)length : 255, text);
        if (code) {
            doc_code(block, part);
        } else if (part[0]) {
            doc_text(block, "%s", part);
        }
        text += length + (text[length] == '`');
    }
}

static void put_columns(struct doc_node *doc, const struct column *column, size_t count)
{
    static const char *const names[] = {"table", "column", "unit", "meaning"};
    bool store = column->table != NULL;
    struct doc_node *table = doc_table(doc, names + !store, 4 - !store);
    for (size_t i = 0; i < count; i++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        if (store) {
            doc_code(doc_add(line, DOC_CELL, NULL), column[i].table);
        }
        doc_code(doc_add(line, DOC_CELL, NULL), column[i].name);
        put_text(doc_add(line, DOC_CELL, NULL), column[i].unit);
        put_text(doc_add(line, DOC_CELL, NULL), column[i].help);
    }
}

static void put_metrics(struct doc_node *doc)
{
    static const char *const names[] = {"metric", "unit", "meaning"};
    struct doc_node *table = doc_table(doc, names, 3);
    for (int m = 0; m < METRICS; m++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_code(doc_add(line, DOC_CELL, NULL), metric_name[m]);
        doc_cell(line, "%s", metric_unit[m]);
        doc_cell(line, "%s", metric_help[m]);
    }
}

void columns_write(FILE *out)
{
    struct doc_node *doc = doc_new();
    doc_text(doc_add(doc, DOC_TITLE, NULL), "Columns of results");
    put_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "Made by `s2flush manual columns`. A cell is empty where something is not known.");
    doc_heading(doc, "rows.csv");
    put_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "One line for each point of the study and metric; `rows.jsonl` has the same names.");
    put_columns(doc, columns_of_rows, columns_of_rows_count);
    doc_heading(doc, "Metrics");
    put_metrics(doc);
    doc_heading(doc, "samples.db");
    put_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "An SQLite file with all that was played, from which the rows are made.");
    put_columns(doc, columns_of_store, columns_of_store_count);
    doc_markdown(out, doc);
    doc_free(doc);
}
