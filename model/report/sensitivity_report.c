#include "report/analyses.h"

#include "report/cells.h"
#include "study/sensitivity.h"

#include <gsl/gsl_sort.h>
#include <math.h>

#define SENSITIVITY_SCHEMA 2
#define PRINT_COSTS 5

static const char *strategy_name(const struct sensitivity_results *results, size_t strategy)
{
    return strategy == WINNER_NONE ? NULL : results->groups.study->strategies[strategy]->name;
}

static const struct platform *platform_of(const struct sensitivity_results *results, size_t cell)
{
    const struct study *study = results->groups.study;
    size_t point = groups_point(&results->groups, cell);
    return &study->platforms[study_digit(study->role[AXIS_MACHINE], point)];
}

/* Costs by falling key; equal ones stay in their order. */
static void by_falling(const double key[COSTS], size_t order[COSTS])
{
    double rising[COSTS];
    for (size_t id = 0; id < COSTS; id++) {
        rising[id] = -key[id] + 1e-15 * (double)id * fabs(key[id]);
    }
    gsl_sort_index(order, rising, 1, COSTS);
}

static void by_swing(const struct sensitivity_cell *cell, size_t order[COSTS])
{
    double swing[COSTS];
    for (size_t id = 0; id < COSTS; id++) {
        swing[id] = cell->cost[id].live ? fabs(cell->cost[id].at_high - cell->cost[id].at_low) : -1;
    }
    by_falling(swing, order);
}

static void by_gain(const struct information information[COSTS], size_t order[COSTS])
{
    double gain[COSTS];
    for (size_t id = 0; id < COSTS; id++) {
        gain[id] = information[id].gain;
    }
    by_falling(gain, order);
}

/* --- tables --- */

static void put_cost(struct cells *cells, const struct sensitivity_results *results, size_t index,
                     size_t id, uint64_t rank)
{
    const struct sensitivity_cell *cell = &results->cell[index];
    const struct sensitivity_cost *cost = &cell->cost[id];
    const struct cost *range = &platform_of(results, index)->cost[id];
    cells_text(cells, "study", results->groups.study->name);
    cells_text(cells, "metric", metric_name[results->metric]);
    cells_group(cells, &results->groups, index);
    cells_text(cells, "unit", metric_unit[results->metric]);
    cells_text(cells, "a", strategy_name(results, cell->a));
    cells_text(cells, "b", strategy_name(results, cell->b));
    cells_whole(cells, "rank", rank);
    cells_text(cells, "cost", cost_name[id]);
    cells_text(cells, "cost_unit", unit_name(cost_entry[id].unit));
    cells_real(cells, "low", range->low);
    cells_real(cells, "mode", range->mode);
    cells_real(cells, "high", range->high);
    cells_estimate(cells, "at_modes", cell->at_modes);
    cells_estimate(cells, "at_low", cost->at_low);
    cells_estimate(cells, "at_high", cost->at_high);
    cells_estimate(cells, "mean", cell->mean);
    cells_estimate(cells, "variance", cell->variance);
    cells_estimate(cells, "first", cost->index.first);
    cells_estimate(cells, "first_low", cost->index.first_low);
    cells_estimate(cells, "first_high", cost->index.first_high);
    cells_estimate(cells, "total", cost->index.total);
    cells_estimate(cells, "total_low", cost->index.total_low);
    cells_estimate(cells, "total_high", cost->index.total_high);
    cells_text(cells, "method", surrogate_method_name[cell->method]);
    cells_estimate(cells, "off", cell->off.relative);
    cells_estimate(cells, "unexplained", cell->off.unexplained);
    cells_text(cells, "source", range->source);
    cells_whole(cells, "schema_version", SENSITIVITY_SCHEMA);
    cells_end(cells);
}

static void write_rows(FILE *out, const void *found)
{
    const struct sensitivity_results *results = found;
    struct cells cells = {.out = out, .header = true};
    put_cost(&cells, results, 0, 0, 0);
    cells.header = false;
    for (size_t i = 0; i < results->groups.count; i++) {
        size_t order[COSTS];
        by_swing(&results->cell[i], order);
        for (size_t rank = 0; rank < COSTS && results->cell[i].cost[order[rank]].live; rank++) {
            put_cost(&cells, results, i, order[rank], rank + 1);
        }
    }
}

static void put_information(struct cells *cells, const struct sensitivity_results *results,
                            size_t machine, size_t id, uint64_t rank)
{
    const struct study *study = results->groups.study;
    const struct information *information = &results->information[machine][id];
    const struct cost *range = &study->platforms[machine].cost[id];
    cells_text(cells, "study", study->name);
    cells_text(cells, "metric", metric_name[results->metric]);
    cells_text(cells, "machine", study->role[AXIS_MACHINE]->values.text[machine]);
    cells_whole(cells, "rank", rank);
    cells_text(cells, "cost", cost_name[id]);
    cells_text(cells, "cost_unit", unit_name(cost_entry[id].unit));
    cells_real(cells, "low", range->low);
    cells_real(cells, "mode", range->mode);
    cells_real(cells, "high", range->high);
    cells_estimate(cells, "undecided", results->undecided[machine]);
    cells_estimate(cells, "undecided_known", information->known);
    cells_estimate(cells, "undecided_chance", information->chance);
    cells_estimate(cells, "gain", information->gain);
    cells_estimate(cells, "noise", information->noise);
    cells_text(cells, "source", range->source);
    cells_whole(cells, "schema_version", SENSITIVITY_SCHEMA);
    cells_end(cells);
}

static void write_information(FILE *out, const void *found)
{
    const struct sensitivity_results *results = found;
    struct cells cells = {.out = out, .header = true};
    put_information(&cells, results, 0, 0, 0);
    cells.header = false;
    for (size_t machine = 0; machine < results->machines; machine++) {
        size_t order[COSTS];
        uint64_t place = 0;
        by_gain(results->information[machine], order);
        for (size_t rank = 0; rank < COSTS; rank++) {
            const struct cost *costs = results->groups.study->platforms[machine].cost;
            if (sensitivity_measurable(costs, (enum cost_id)order[rank])) {
                put_information(&cells, results, machine, order[rank], ++place);
            }
        }
    }
}

/* --- sentences --- */

static void print_time(FILE *out, double ns)
{
    char text[40];
    fprintf(out, "%s", cells_human(ns, UNIT_NS, text, sizeof text));
}

/* An estimate of next to nothing may be below it: no -0.00. */
static double rounded(double share)
{
    return fabs(share) < 0.005 ? 0 : share;
}

static void print_cost(FILE *out, const struct sensitivity_results *results, size_t index,
                       size_t id)
{
    const struct sensitivity_cost *cost = &results->cell[index].cost[id];
    const struct cost *range = &platform_of(results, index)->cost[id];
    fprintf(out, "    %-16s %g to %g: ", cost_name[id], range->low, range->high);
    print_time(out, cost->at_low);
    fprintf(out, " to ");
    print_time(out, cost->at_high);
    fprintf(out, "; first order %.2f (%.2f to %.2f), total %.2f (%.2f to %.2f)\n",
            rounded(cost->index.first), rounded(cost->index.first_low),
            rounded(cost->index.first_high), rounded(cost->index.total),
            rounded(cost->index.total_low), rounded(cost->index.total_high));
}

/* How it was found where runs could not be priced again, and how far off that is. */
static void print_method(FILE *out, const struct sensitivity_cell *cell)
{
    if (cell->method == SURROGATE_PRICED) {
        return;
    }
    fprintf(out, "    vCPUs wait for each other: taken as linear in what events cost%s",
            cell->method == SURROGATE_COUNTED  ? ", by how often these happen"
            : cell->method == SURROGATE_FITTED ? ", fitted to the study's draws"
                                               : "");
    if (!isnan(cell->off.relative)) {
        fprintf(out, "; off by %.2g %% in the draws, %.2g %% of their variance",
                100 * cell->off.relative, 100 * cell->off.unexplained);
    }
    fprintf(out, "\n");
}

static void print_cell(FILE *out, const struct sensitivity_results *results, size_t index)
{
    const struct sensitivity_cell *cell = &results->cell[index];
    size_t order[COSTS];
    char text[512];
    groups_text(&results->groups, index, text, sizeof text);
    fprintf(out, "%s%s", text, text[0] ? "\n" : "");
    if (cell->a == WINNER_NONE) {
        fprintf(out, "  %s\n",
                cell->failed ? "a simulation failed"
                             : "no strategy that is coherent and exists on this machine");
        return;
    }
    fprintf(out, "  %s%s%s at the modes: ", strategy_name(results, cell->a),
            cell->b == WINNER_NONE ? "" : " less ",
            cell->b == WINNER_NONE ? "" : strategy_name(results, cell->b));
    print_time(out, cell->at_modes);
    fprintf(out, "\n");
    print_method(out, cell);
    by_swing(cell, order);
    for (size_t rank = 0; rank < PRINT_COSTS && cell->cost[order[rank]].live; rank++) {
        print_cost(out, results, index, order[rank]);
    }
}

static bool is_gain(const struct information *information)
{
    return information->gain >= information_least_gain(information->noise);
}

static void print_information(FILE *out, const struct sensitivity_results *results, size_t machine)
{
    const struct study *study = results->groups.study;
    size_t order[COSTS];
    by_gain(results->information[machine], order);
    fprintf(out, "%s: no clear winner in %.0f %% of the cells",
            study->role[AXIS_MACHINE]->values.text[machine], 100 * results->undecided[machine]);
    const struct information *best = &results->information[machine][order[0]];
    if (results->undecided[machine] == 0 || !is_gain(best)) {
        fprintf(out, results->undecided[machine] == 0
                         ? "; nothing needs to be measured\n"
                         : "; no single cost would change that by more than chance\n");
        return;
    }
    fprintf(out, "; measure first:\n");
    for (size_t rank = 0; rank < PRINT_COSTS; rank++) {
        const struct information *information = &results->information[machine][order[rank]];
        if (is_gain(information)) {
            fprintf(out, "    %-16s %.0f %% left when it is known\n", cost_name[order[rank]],
                    100 * fmax(results->undecided[machine] - information->gain, 0));
        }
    }
}

static void print(FILE *out, const void *found)
{
    const struct sensitivity_results *results = found;
    fprintf(out, "%s: what each cost does, and its share of the variance\n",
            metric_name[results->metric]);
    for (size_t i = 0; i < results->groups.count; i++) {
        print_cell(out, results, i);
    }
    fprintf(out, "What to measure\n");
    for (size_t machine = 0; machine < results->machines; machine++) {
        print_information(out, results, machine);
    }
}

const struct analysis_report sensitivity_report = {
    .table = {{"sensitivity.csv", write_rows}, {"information.csv", write_information}},
    .print = print};
