/* Whether a table has what a picture takes, and the pictures' files. */
#include "report/plot/plot.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/error.h"
#include "report/chart/chart.h"
#include "report/gnuplot.h"
#include "report/output.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AXIS_VALUES 4096

/* Why pictures do not fit, one behind the other; starts zeroed. */
struct reasons {
    char text[600];
    size_t used;
};

/* --- what the rows have --- */

/* How many different values a column has, counted up to AXIS_VALUES. */
static size_t count_values(const struct csv *rows, int column)
{
    static const char *seen[AXIS_VALUES];
    size_t count = 0;
    for (size_t row = 0; row < rows->rows; row++) {
        const char *text = csv_cell(rows, row, column);
        size_t i = 0;
        while (i < count && strcmp(seen[i], text) != 0) {
            i++;
        }
        if (i == count && count < AXIS_VALUES) {
            seen[count++] = text;
        }
    }
    return count;
}

static bool has_metric(const struct csv *rows, int column, enum metric metric)
{
    for (size_t row = 0; row < rows->rows; row++) {
        if (strcmp(csv_cell(rows, row, column), metric_name[metric]) == 0) {
            return true;
        }
    }
    return false;
}

static void __attribute__((format(printf, 3, 4)))
add_reason(struct reasons *reasons, const struct picture *picture, const char *format, ...)
{
    char reason[160];
    va_list list;
    va_start(list, format);
    vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    int more = snprintf(reasons->text + reasons->used, sizeof reasons->text - reasons->used,
                        "%s%s %s", reasons->used ? "; " : "", picture->name, reason);
    if (more > 0 && (size_t)more < sizeof reasons->text - reasons->used) {
        reasons->used += (size_t)more;
    } else {
        reasons->text[reasons->used] = '\0'; /* whole reasons only */
    }
}

static bool axis_fits(const struct csv *rows, int column, const struct picture *picture,
                      struct reasons *reasons)
{
    const char *name = rows->header[column];
    size_t min = 1, max = 1, count = count_values(rows, column);
    for (const struct picture_axis *axis = picture->axis; axis->name; axis++) {
        if (strcmp(axis->name, name) == 0) {
            min = axis->min;
            max = axis->max;
        }
    }
    if (count >= min && count <= max) {
        return true;
    }
    if (min == max) {
        add_reason(reasons, picture, "takes %zu of %s, found %zu", min, name, count);
    } else {
        add_reason(reasons, picture, "takes %zu to %zu of %s, found %zu", min, max, name, count);
    }
    return false;
}

/* Whether the rows have the axes, values and metrics that the picture takes; where they have not,
 * one more reason. */
static bool rows_suffice(const struct csv *rows, const struct picture *picture,
                         struct reasons *reasons)
{
    int metric = csv_column(rows, "metric");
    for (const struct picture_axis *axis = picture->axis; axis->name; axis++) {
        if (axis->min > 0 && csv_column(rows, axis->name) < 0) {
            add_reason(reasons, picture, "needs an axis %s", axis->name);
            return false;
        }
    }
    /* The axes stand between the study and the metric. */
    for (int column = csv_column(rows, "study") + 1; column < metric; column++) {
        if (!axis_fits(rows, column, picture, reasons)) {
            return false;
        }
    }
    for (size_t i = 0; i < picture->metrics; i++) {
        if (!has_metric(rows, metric, picture->metric[i])) {
            add_reason(reasons, picture, "needs %s", metric_name[picture->metric[i]]);
            return false;
        }
    }
    return true;
}

/* --- pictures --- */

static void name_files(FILE *messages, const char *folder, const char *stem)
{
    if (messages) {
        fprintf(messages, "%s/%s.svg and .png\n", folder, stem);
    }
}

static bool draw_picture(const char *folder, const struct picture *picture, const struct csv *rows,
                         FILE *messages, struct error *err)
{
    char *data = NULL, path[OUTPUT_PATH];
    size_t size = 0;
    struct csv also;
    struct plot plot = {.table = rows};
    if (picture->also) {
        if (!output_path(path, folder, picture->also, err) || !csv_read(path, &also, err)) {
            return false;
        }
        plot.also = &also;
    }
    FILE *out = alloc_checked(open_memstream(&data, &size), "plots");
    picture->lay_out(&plot, out);
    (void)fclose(out);
    bool good = chart_files(data, folder, picture->name, err);
    plot_free(&plot);
    free(data);
    if (plot.also) {
        csv_free(&also);
    }
    if (good) {
        name_files(messages, folder, picture->name);
    }
    return good;
}

/* --- predictions against measurements --- */

#define VALIDATE "validate"

static bool draw_validation(const char *folder, const char *table, FILE *messages,
                            struct error *err)
{
    static const char *const formats[] = {"svg", "png"};
    char stem[96];
    snprintf(stem, sizeof stem, VALIDATE "-%s", table);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[112];
        snprintf(name, sizeof name, "%s.%s", stem, formats[i]);
        if (!gnuplot_draw(folder, VALIDATE ".gp", VALIDATE ".csv", table, name, formats[i], err)) {
            return false;
        }
    }
    name_files(messages, folder, stem);
    return true;
}

/* Whether a picture's file may have the name: lower-case letters, digits, - and _. */
static bool valid_name(const char *name)
{
    return name[0] && strlen(name) < 64 &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

/* Whether a row is the first of its value among those that have something to draw. */
static bool is_first(const struct csv *rows, size_t row, int column, int filled)
{
    for (size_t i = 0; i < row; i++) {
        if (csv_cell(rows, i, filled)[0] &&
            strcmp(csv_cell(rows, i, column), csv_cell(rows, row, column)) == 0) {
            return false;
        }
    }
    return csv_cell(rows, row, filled)[0] != '\0';
}

/* A picture for each published table of which there are predictions; its name becomes a part of the
 * file's. */
static bool draw_validations(const char *folder, const struct csv *rows, FILE *messages,
                             struct error *err)
{
    int column = csv_column(rows, "table"), filled = csv_column(rows, "error_pct");
    if (column < 0 || filled < 0) {
        return error_input(err, NULL, "%s/" VALIDATE ".csv: has no columns table and error_pct",
                           folder);
    }
    bool good = true;
    for (size_t row = 0; good && row < rows->rows; row++) {
        const char *name = csv_cell(rows, row, column);
        struct source_location at = {rows->path, rows->lines[row], "table"};
        if (!is_first(rows, row, column, filled)) {
            continue;
        }
        good = (valid_name(name) ||
                error_input(err, &at,
                            "found '%.80s', pictures are named by lower-case letters, digits, - "
                            "and _, 63 at most",
                            name)) &&
               draw_validation(folder, name, messages, err);
    }
    return good;
}

/* --- tables --- */

/* Reads a table where the folder has it. False where it has one that is no table. */
static bool read_table(const char *folder, const char *name, struct csv *table, bool *there,
                       struct error *err)
{
    char path[OUTPUT_PATH];
    *there = false;
    if (!output_path(path, folder, name, err)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        return true;
    }
    *there = csv_read(path, table, err);
    return *there;
}

static bool draw_if_fits(const char *folder, const struct picture *picture, const struct csv *rows,
                         struct reasons *reasons, FILE *messages, int *drawn, struct error *err)
{
    if (csv_column(rows, "study") < 0 || csv_column(rows, "metric") < 0) {
        return error_input(err, NULL, "%s/%s: has no columns study and metric", folder,
                           picture->table);
    }
    if (!rows_suffice(rows, picture, reasons)) {
        return true;
    }
    ++*drawn;
    return draw_picture(folder, picture, rows, messages, err);
}

/* All pictures of the rows and the other tables; `any`: there is one of them. */
static bool draw_pictures(const char *folder, struct reasons *reasons, FILE *messages, bool *any,
                          int *drawn, struct error *err)
{
    struct csv rows, other;
    bool has_rows, there;
    bool good = read_table(folder, PLOT_ROWS, &rows, &has_rows, err);
    *any |= has_rows;
    for (const struct picture *picture = pictures; picture->name && good; picture++) {
        bool of_rows = strcmp(picture->table, PLOT_ROWS) == 0;
        if (of_rows && has_rows) {
            good = draw_if_fits(folder, picture, &rows, reasons, messages, drawn, err);
        } else if (!of_rows) {
            good = read_table(folder, picture->table, &other, &there, err);
            *any |= there;
            if (good && there) {
                good = draw_if_fits(folder, picture, &other, reasons, messages, drawn, err);
                csv_free(&other);
            }
        }
    }
    if (has_rows) {
        csv_free(&rows);
    }
    return good;
}

bool plot_folder(const char *folder, FILE *messages, struct error *err)
{
    struct reasons reasons = {.used = 0};
    struct csv validation;
    int drawn = 0;
    bool any = false, there = false;
    if (access(folder, F_OK) != 0) {
        return error_input(err, NULL, "%s: no such folder", folder);
    }
    bool good = draw_pictures(folder, &reasons, messages, &any, &drawn, err) &&
                read_table(folder, VALIDATE ".csv", &validation, &there, err);
    if (good && there) {
        drawn++;
        good = draw_validations(folder, &validation, messages, err);
        csv_free(&validation);
    }
    if (good && !any && !there) {
        return error_input(err, NULL, "%s: has neither " PLOT_ROWS " nor another table to draw",
                           folder);
    }
    return good &&
           (drawn > 0 || error_run(err,
                                   "%.200s: no plot fits these rows (values of an axis: %s); "
                                   "tables of map, breakeven and sensitivity are always drawn",
                                   folder, reasons.text));
}
