#include "report/analyses.h"

#include "report/cells.h"
#include "report/quantity.h"
#include "study/breakeven.h"
#include "study/verdict.h"

#include <math.h>

#define BREAKEVEN_SCHEMA 1

static const char *strategy_name(const struct breakeven_results *results, size_t strategy)
{
    return results->groups.study->strategies[strategy]->name;
}

/* --- tables --- */

/* Who wins at the ends, and between them. */
static void put_winners(struct cells *cells, const struct breakeven_results *results,
                        const struct breakeven *row)
{
    const char *a = strategy_name(results, row->a), *b = strategy_name(results, row->b);
    bool crosses = row->crossing > 0 || row->status == BREAKEVEN_CROSSING;
    bool left_out = row->status == BREAKEVEN_LEFT_OUT;
    cells_text(cells, "wins_below", crosses ? (row->a_below ? a : b) : NULL);
    cells_text(cells, "wins_above", crosses ? (row->a_below ? b : a) : NULL);
    cells_real(cells, "low", results->x[0]);
    cells_text(cells, "low_winner", left_out ? NULL : row->a_wins_low ? a : b);
    cells_estimate(cells, "low_factor", row->low_ratio);
    cells_real(cells, "high", results->x[results->x_count - 1]);
    cells_text(cells, "high_winner", left_out ? NULL : row->a_wins_high ? a : b);
    cells_estimate(cells, "high_factor", row->high_ratio);
}

static void put_row(struct cells *cells, const struct breakeven_results *results,
                    const struct breakeven *row)
{
    char reason[160] = "";
    if (row->reason) {
        snprintf(reason, sizeof reason, "%s: %s", strategy_name(results, row->reason_strategy),
                 row->reason);
    }
    cells_text(cells, "study", results->groups.study->name);
    cells_text(cells, "metric", metric_name[results->metric]);
    cells_group(cells, &results->groups, row->group);
    cells_text(cells, "axis", results->axis);
    cells_text(cells, "unit", unit_name(results->kind.unit));
    cells_text(cells, "a", strategy_name(results, row->a));
    cells_text(cells, "b", strategy_name(results, row->b));
    cells_text(cells, "status", breakeven_status_name[row->status]);
    cells_whole(cells, "crossing", row->crossing);
    cells_estimate(cells, "at", row->at);
    cells_whole(cells, "n", row->n);
    cells_estimate(cells, "p10", row->p10);
    cells_estimate(cells, "p50", row->p50);
    cells_estimate(cells, "p90", row->p90);
    cells_real(cells, "share_crossing", row->share_crossing);
    cells_real(cells, "share_a", row->share_a);
    cells_real(cells, "share_b", row->share_b);
    cells_real(cells, "share_other", row->share_other);
    put_winners(cells, results, row);
    cells_text(cells, "condition", verdict_conditions(row->conditions));
    cells_text(cells, "left_out", reason);
    cells_whole(cells, "schema_version", BREAKEVEN_SCHEMA);
    cells_end(cells);
}

static void write_rows(FILE *out, const void *found)
{
    const struct breakeven_results *results = found;
    struct cells cells = {.out = out, .header = true};
    static const struct breakeven none;
    put_row(&cells, results, results->count ? results->row : &none);
    cells.header = false;
    for (size_t i = 0; i < results->count; i++) {
        put_row(&cells, results, &results->row[i]);
    }
}

static void put_curve(struct cells *cells, const struct breakeven_results *results, size_t group,
                      size_t x, size_t strategy)
{
    size_t strategies = results->groups.study->role[AXIS_STRATEGY]->values.count;
    const struct breakeven_curve *curve =
        &results->curve[(group * results->x_count + x) * strategies + strategy];
    cells_text(cells, "study", results->groups.study->name);
    cells_text(cells, "metric", metric_name[results->metric]);
    cells_group(cells, &results->groups, group);
    cells_text(cells, "axis", results->axis);
    cells_text(cells, "unit", unit_name(results->kind.unit));
    cells_real(cells, "x", results->x[x]);
    cells_text(cells, "strategy", strategy_name(results, strategy));
    cells_real(cells, "mode", curve->mode);
    cells_real(cells, "p10", curve->p10);
    cells_real(cells, "p50", curve->p50);
    cells_real(cells, "p90", curve->p90);
    cells_end(cells);
}

static void write_curves(FILE *out, const void *found)
{
    const struct breakeven_results *results = found;
    struct cells cells = {.out = out, .header = true};
    size_t strategies = results->groups.study->role[AXIS_STRATEGY]->values.count;
    put_curve(&cells, results, 0, 0, 0);
    cells.header = false;
    for (size_t group = 0; group < results->groups.count; group++) {
        for (size_t s = 0; s < strategies; s++) {
            for (size_t x = 0; x < results->x_count && results->compared[group * strategies + s];
                 x++) {
                put_curve(&cells, results, group, x, s);
            }
        }
    }
}

/* --- sentences --- */

/* By what factor the cheaper one is, at one end of the range. */
static void print_end(FILE *out, const struct breakeven_results *results, double x, double factor)
{
    char text[40], times[QUANTITY_TEXT];
    if (isfinite(factor)) {
        fprintf(out, " by a factor of %s", quantity_times(factor, 1, times));
    }
    fprintf(out, " at %s", cells_human(x, results->kind.unit, text, sizeof text));
}

/* Who is cheaper at the ends: one strategy at both, or each at one. */
static void print_ends(FILE *out, const struct breakeven_results *results,
                       const struct breakeven *row)
{
    const char *a = strategy_name(results, row->a), *b = strategy_name(results, row->b);
    fprintf(out, "%s costs less", row->a_wins_low ? a : b);
    print_end(out, results, results->x[0], row->low_ratio);
    fprintf(out, ",");
    if (row->a_wins_low != row->a_wins_high) {
        fprintf(out, " %s", row->a_wins_high ? a : b);
    }
    print_end(out, results, results->x[results->x_count - 1], row->high_ratio);
    fprintf(out, "\n");
}

/* The median over the draws, as everywhere; without draws the value at the modes. */
static void print_crossing(FILE *out, const struct breakeven_results *results,
                           const struct breakeven *row)
{
    const char *a = strategy_name(results, row->a), *b = strategy_name(results, row->b);
    double place = isfinite(row->p50) ? row->p50 : row->at;
    fprintf(out, "%s up to %s = ", row->a_below ? a : b, results->axis);
    cells_print_band(out, results->kind.unit, place, row->p10, row->p90, row->n > 0);
    fprintf(out, ", %s beyond", row->a_below ? b : a);
    if (row->n > 0 && row->share_crossing < 1) {
        fprintf(out, ", in %.0f %% of the draws", 100 * row->share_crossing);
    }
    fprintf(out, "\n    ");
    print_ends(out, results, row);
}

static void print_undecided(FILE *out, const struct breakeven_results *results,
                            const struct breakeven *row)
{
    const char *a = strategy_name(results, row->a), *b = strategy_name(results, row->b);
    fprintf(out, "undecided: %s wins in the whole range in %.0f %% of the draws, %s in %.0f %%, ",
            a, 100 * row->share_a, b, 100 * row->share_b);
    fprintf(out, "they cross in %.0f %%", 100 * (row->share_crossing + row->share_other));
    if (isfinite(row->at)) {
        char at[40];
        fprintf(out, ", at the modes at %s",
                cells_human(row->at, results->kind.unit, at, sizeof at));
    }
    fprintf(out, "\n    ");
    print_ends(out, results, row);
}

static void print_row(FILE *out, const struct breakeven_results *results,
                      const struct breakeven *row)
{
    const char *a = strategy_name(results, row->a), *b = strategy_name(results, row->b);
    fprintf(out, "  %s, %s: ", a, b);
    switch (row->status) {
    case BREAKEVEN_CROSSING:
        print_crossing(out, results, row);
        break;
    case BREAKEVEN_NONE:
        fprintf(out, "no crossing in range; ");
        print_ends(out, results, row);
        break;
    case BREAKEVEN_EQUAL:
        fprintf(out, "they cost the same in the whole range\n");
        break;
    case BREAKEVEN_UNDECIDED:
        print_undecided(out, results, row);
        break;
    case BREAKEVEN_LEFT_OUT:
        fprintf(out, "not compared: %s: %s\n", strategy_name(results, row->reason_strategy),
                row->reason);
        break;
    }
    if (verdict_conditions(row->conditions)) {
        fprintf(out, "    only if %s\n", verdict_conditions(row->conditions));
    }
}

static void print(FILE *out, const void *found)
{
    const struct breakeven_results *results = found;
    size_t group = SIZE_MAX;
    bool drawn = results->count > 0 && results->row[0].n > 0;
    fprintf(out, "%s along %s, %zu values; %s\n", metric_name[results->metric], results->axis,
            results->x_count,
            drawn ? "medians of the draws, in brackets p10 to p90" : "every cost at its mode");
    for (size_t i = 0; i < results->count; i++) {
        char text[512];
        if (results->row[i].group != group) {
            group = results->row[i].group;
            groups_text(&results->groups, group, text, sizeof text);
            fprintf(out, "%s%s", text, text[0] ? "\n" : "");
        }
        print_row(out, results, &results->row[i]);
    }
    if (results->count == 0 && results->failed.count == 0) {
        fprintf(out, "  no two strategies that are coherent and exist on this machine\n");
    }
}

const struct analysis_report breakeven_report = {
    .table = {{"breakeven.csv", write_rows}, {"breakeven-curves.csv", write_curves}},
    .print = print};
