/* What a validation looks like: a report for people, a table for programs. */
#include "check/published/validate.h"

#include "core/csv.h"

#include <math.h>
#include <string.h>

/* The model's goal for a table, in percent. */
#define GOAL_MEAN 10
#define GOAL_WORST 20

static bool first_of_table(const struct published_set *set, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(set->rows[i].table, set->rows[index].table) == 0) {
            return false;
        }
    }
    return true;
}

static const char *const bound_sign[] = {
    [BOUND_NONE] = "", [BOUND_ABOVE] = ">", [BOUND_BELOW] = "<"};

static void print_bound(const struct published *row, const struct prediction *made, FILE *out)
{
    char measured[32];
    snprintf(measured, sizeof measured, "%s%.4g", bound_sign[row->bound], row->value);
    fprintf(out, "  %-22s %-8s %9s %9.4g %9.4g %9.4g %-2s %8s  %s\n", row->row, "bound", measured,
            made->p10, made->p50, made->p90, row->unit, "", made->inside ? "kept" : "broken");
}

static void print_row(const struct published *row, const struct prediction *made, FILE *out)
{
    if (row->refusal[0] != '\0') {
        fprintf(out, "  %-22s %-8s not expressed: %s\n", row->row, role_name[row->role],
                row->refusal);
        return;
    }
    if (row->bound != BOUND_NONE) {
        print_bound(row, made, out);
        return;
    }
    char line[32] = "";
    if (made->has_line) {
        snprintf(line, sizeof line, "%+.1f%%", made->line_error_pct);
    }
    fprintf(out, "  %-22s %-8s %9.4g %9.4g %9.4g %9.4g %-2s %+7.1f%%  %-7s %9s\n", row->row,
            role_name[row->role], row->value, made->p10, made->p50, made->p90, row->unit,
            made->error_pct, made->inside ? "inside" : "outside", line);
}

static bool is_met(const struct score *score)
{
    return score->mean_pct <= GOAL_MEAN && score->max_pct <= GOAL_WORST;
}

static void print_score(const struct score *score, FILE *out)
{
    if (score->bounds > 0) {
        fprintf(out, "  %zu of %zu bounds kept\n", score->bounds_kept, score->bounds);
    }
    if (score->rows == 0) {
        fprintf(out, score->bounds > 0 ? "" : "  nothing predicted\n");
        return;
    }
    fprintf(out, "  %s: mean error %.1f%%, largest %.1f%%; %zu of %zu inside, band x%.2f\n",
            is_met(score) ? "met" : "missed", score->mean_pct, score->max_pct, score->inside,
            score->rows, score->band);
    if (score->lines == 0) {
        fprintf(out, "  straight line: none, no row of the table may be fitted\n");
        return;
    }
    fprintf(out,
            "  straight line: mean error %.1f%%, largest %.1f%%; closer than the model on "
            "%zu of %zu rows%s\n",
            score->line_mean_pct, score->line_max_pct, score->lost, score->lines,
            score->line_mean_pct < score->mean_pct ? " and on average: the model loses" : "");
}

/* Why a table is missed: the mechanism that the model lacks, and what was tried. */
static void print_missing(const struct published_notes *notes, const char *table, FILE *out)
{
    const struct csv *csv = &notes->missing;
    size_t named = 0;
    for (size_t i = 0; i < csv->rows; i++) {
        if (strcmp(csv_cell(csv, i, csv_column(csv, "table")), table) == 0) {
            fprintf(out, "  missing mechanism: %s\n    tried: %s\n",
                    csv_cell(csv, i, csv_column(csv, "mechanism")),
                    csv_cell(csv, i, csv_column(csv, "tried")));
            named++;
        }
    }
    if (named == 0) {
        fprintf(out, "  missing mechanism: none is named\n");
    }
}

static void print_unused(const struct published_notes *notes, FILE *out)
{
    const struct csv *csv = &notes->unused;
    fprintf(out, "%zu figures of the same sources that are no row:\n", csv->rows);
    for (size_t i = 0; i < csv->rows; i++) {
        fprintf(out, "  %s: %s\n", csv_cell(csv, i, csv_column(csv, "figure")),
                csv_cell(csv, i, csv_column(csv, "reason")));
    }
}

static void print_table(const struct validation *validation, const struct published_notes *notes,
                        const char *table, FILE *out)
{
    const struct published_set *set = validation->set;
    fprintf(out, "%s\n  %-22s %-8s %9s %9s %9s %9s %-2s %8s  %-7s %9s\n", table, "row", "role",
            "measured", "p10", "p50", "p90", "", "error", "", "line");
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rows[i].table, table) == 0) {
            print_row(&set->rows[i], &validation->rows[i], out);
        }
    }
    struct score score = validation_score(validation, table);
    print_score(&score, out);
    if (score.rows > 0 && !is_met(&score)) {
        print_missing(notes, table, out);
    }
    fprintf(out, "\n");
}

static void print_misfits(const struct misfit_rows *misfits, FILE *out)
{
    double deviation[MISFITS];
    misfit_deviations(misfits, NULL, deviation);
    fprintf(out,
            "bands of a table hold the model's error as the other tables have it (tables left out "
            "in turn; wanted: 70 to 90%% inside)\n"
            "the model's error by these tables, standard deviation of a factor:");
    for (size_t kind = 0; kind < MISFITS; kind++) {
        fprintf(out, "%s %s x%.2f", kind > 0 ? "," : "", misfit_name[kind], exp(deviation[kind]));
    }
    fputc('\n', out);
}

void validation_print(const struct validation *validation, const struct published_notes *notes,
                      FILE *out)
{
    const struct published_set *set = validation->set;
    for (size_t i = 0; i < set->count; i++) {
        if (first_of_table(set, i)) {
            print_table(validation, notes, set->rows[i].table, out);
        }
    }
    struct score all = validation_score(validation, NULL);
    if (all.rows == 0) {
        fprintf(out, "all tables: no row to predict, %zu rows not expressed\n", all.refused);
        return;
    }
    fprintf(out, "all tables: %zu of %zu predicted rows inside (%.0f%%), median band p90/p10 %.2f",
            all.inside, all.rows, 100.0 * (double)all.inside / (double)all.rows, all.band);
    fprintf(out, "; %zu rows not expressed\n", all.refused);
    if (all.bounds > 0) {
        fprintf(out, "bounds: %zu of %zu kept\n", all.bounds_kept, all.bounds);
    }
    print_misfits(&validation->misfits, out);
    print_unused(notes, out);
}

void validation_csv(const struct validation *validation, FILE *out)
{
    const struct published_set *set = validation->set;
    fprintf(out, "table,row,role,unit,measured,p10,p50,p90,error_pct,inside\n");
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        const struct prediction *made = &validation->rows[i];
        csv_put(out, row->table);
        fputc(',', out);
        csv_put(out, row->row);
        fprintf(out, ",%s,%s,%s%.10g,", row->bound != BOUND_NONE ? "bound" : role_name[row->role],
                row->unit, bound_sign[row->bound], row->value);
        if (row->refusal[0] != '\0') {
            fprintf(out, ",,,,\n");
            continue;
        }
        fprintf(out, "%.6g,%.6g,%.6g,", made->p10, made->p50, made->p90);
        if (row->bound == BOUND_NONE) {
            fprintf(out, "%.2f", made->error_pct);
        }
        fprintf(out, ",%s\n", made->inside ? "yes" : "no");
    }
}
