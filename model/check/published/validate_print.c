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

static void print_row(const struct published *row, const struct prediction *made, FILE *out)
{
    if (row->refusal[0] != '\0') {
        fprintf(out, "  %-22s %-8s not expressed: %s\n", row->row, role_name[row->role],
                row->refusal);
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

static void print_score(const struct score *score, FILE *out)
{
    if (score->rows == 0) {
        fprintf(out, "  nothing predicted\n");
        return;
    }
    bool met = score->mean_pct <= GOAL_MEAN && score->max_pct <= GOAL_WORST;
    fprintf(out, "  %s: mean error %.1f%%, largest %.1f%%; %zu of %zu inside, band x%.2f\n",
            met ? "met" : "missed", score->mean_pct, score->max_pct, score->inside, score->rows,
            score->band);
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

static void print_table(const struct validation *validation, const char *table, FILE *out)
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

void validation_print(const struct validation *validation, FILE *out)
{
    const struct published_set *set = validation->set;
    for (size_t i = 0; i < set->count; i++) {
        if (first_of_table(set, i)) {
            print_table(validation, set->rows[i].table, out);
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
    print_misfits(&validation->misfits, out);
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
        fprintf(out, ",%s,%s,%.10g,", role_name[row->role], row->unit, row->value);
        if (row->refusal[0] != '\0') {
            fprintf(out, ",,,,\n");
            continue;
        }
        fprintf(out, "%.6g,%.6g,%.6g,%.2f,%s\n", made->p10, made->p50, made->p90, made->error_pct,
                made->inside ? "yes" : "no");
    }
}
