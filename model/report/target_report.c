#include "report/analyses.h"

#include "report/cells.h"
#include "study/target.h"

#include <math.h>

#define TARGET_SCHEMA 1

static const char *name_of(const struct target_results *results, const struct target *row)
{
    return results->axis.groups.study->strategies[row->strategy]->name;
}

static const char *status_of(const struct target *row)
{
    return row->all         ? (row->rises ? "all values" : "all values from")
           : isnan(row->at) ? "not reachable"
           : row->rises     ? "up to"
                            : "from";
}

static void put_row(struct cells *cells, const struct target_results *results,
                    const struct target *row)
{
    cells_text(cells, "study", results->axis.groups.study->name);
    cells_text(cells, "metric", metric_name[results->axis.metric]);
    cells_group(cells, &results->axis.groups, row->group);
    cells_text(cells, "axis", results->axis.axis);
    cells_text(cells, "unit", unit_name(results->axis.kind.unit));
    cells_text(cells, "strategy", name_of(results, row));
    cells_real(cells, "limit", row->limit);
    cells_text(cells, "status", status_of(row));
    cells_estimate(cells, "at", row->at);
    cells_estimate(cells, "sure", row->sure);
    cells_real(cells, "share", row->share);
    cells_real(cells, "there_mode", isnan(row->at) ? NAN : row->there.mode);
    cells_real(cells, "there_p10", isnan(row->at) ? NAN : row->there.p10);
    cells_real(cells, "there_p90", isnan(row->at) ? NAN : row->there.p90);
    cells_real(cells, "best_mode", row->best.mode);
    cells_real(cells, "best_p10", row->best.p10);
    cells_real(cells, "best_p90", row->best.p90);
    cells_whole(cells, "schema_version", TARGET_SCHEMA);
    cells_end(cells);
}

static void write_rows(FILE *out, const void *found)
{
    const struct target_results *results = found;
    struct cells cells = {.out = out, .header = true};
    static const struct target none;
    put_row(&cells, results, results->count ? results->row : &none);
    cells.header = false;
    for (size_t i = 0; i < results->count; i++) {
        put_row(&cells, results, &results->row[i]);
    }
}

static void print_metric(FILE *out, const struct breakeven_curve *curve)
{
    cells_print_band(out, UNIT_NS, curve->mode, curve->p10, curve->p90, !isnan(curve->p10));
}

static void print_row(FILE *out, const struct target_results *results, const struct target *row)
{
    const struct breakeven_results *axis = &results->axis;
    char at[40], sure[40];
    double end = axis->x[row->rises ? 0 : axis->x_count - 1];
    fprintf(out, "  %s: ", name_of(results, row));
    if (isnan(row->at)) {
        fprintf(out, "not reachable: even at %s = %s it takes ", axis->axis,
                cells_human(end, axis->kind.unit, at, sizeof at));
        print_metric(out, &row->best);
        fprintf(out, "\n");
        return;
    }
    fprintf(out, "%s %s = %s",
            row->all     ? (row->rises ? "all values, up to" : "all values, from")
            : row->rises ? "up to"
                         : "from",
            axis->axis, cells_human(row->at, axis->kind.unit, at, sizeof at));
    fprintf(out, "%s, where it takes ", row->rises ? "" : " on");
    print_metric(out, &row->there);
    if (!isnan(row->share)) {
        fprintf(out, "; %.0f %% of the draws agree", 100 * row->share);
    }
    if (!isnan(row->sure) && row->sure != row->at) {
        fprintf(out, ", %.0f %% with %s", 100 * TARGET_SURE,
                cells_human(row->sure, axis->kind.unit, sure, sizeof sure));
    }
    fprintf(out, "\n");
}

static void print(FILE *out, const void *found)
{
    const struct target_results *results = found;
    size_t group = SIZE_MAX;
    double limit = NAN;
    char text[512];
    for (size_t i = 0; i < results->count; i++) {
        if (results->row[i].limit != limit) {
            limit = results->row[i].limit;
            group = SIZE_MAX;
            fprintf(out, "%s of at most %s along %s, %zu values\n",
                    metric_name[results->axis.metric],
                    cells_human(limit, UNIT_NS, text, sizeof text), results->axis.axis,
                    results->axis.x_count);
        }
        if (results->row[i].group != group) {
            group = results->row[i].group;
            groups_text(&results->axis.groups, group, text, sizeof text);
            fprintf(out, "%s%s", text, text[0] ? "\n" : "");
        }
        print_row(out, results, &results->row[i]);
    }
    if (results->count == 0) {
        fprintf(out, "  no strategy that is coherent and exists on this machine\n");
    }
}

const struct analysis_report target_report = {.table = {{"target.csv", write_rows}},
                                              .print = print};
