#include "report/rows.h"

#include "core/csv.h"
#include "core/error.h"
#include "core/invariant.h"
#include "report/cells.h"

#include <math.h>
#include <string.h>

bool rows_formats(const char *word, bool format[ROWS_FORMATS], struct error *err)
{
    static const char *const names[] = {"csv", "jsonl", "both"};
    char hint[128] = "";
    bool both = strcmp(word, "both") == 0;
    format[ROWS_CSV] = both || strcmp(word, "csv") == 0;
    format[ROWS_JSONL] = both || strcmp(word, "jsonl") == 0;
    if (format[ROWS_CSV] || format[ROWS_JSONL]) {
        return true;
    }
    error_suggest(hint, sizeof hint, word, names, 3);
    return error_input(err, NULL, "--format: found '%.80s'%s", word, hint);
}

/* Numbers of an axis are plain decimal text already. */
static void put_axis(struct cells *cells, const struct store_axis *axis, const char *text)
{
    double value;
    if (text && axis->number && unit_parse(text, UNIT_NONE, &value)) {
        cells_real(cells, axis->name, value);
    } else {
        cells_text(cells, axis->name, text);
    }
}

/* Beside the axes. */
#define COLUMNS_MAX 24 /* of a row, without its axes */

static void put_row(struct cells *cells, const struct store_about *about,
                    const struct stored_point *point, int metric)
{
    const struct point_result *result = &point->result;
    const struct spread *spread = &result->metric[metric];
    bool drawn = spread->known && spread->n > 0;
    cells_text(cells, "study", about->text[STORE_STUDY]);
    for (size_t a = 0; a < about->axes; a++) {
        put_axis(cells, &about->axis[a], point->axis[a]);
    }
    cells_text(cells, "metric", metric_name[metric]);
    cells_text(cells, "unit", metric_unit[metric]);
    cells_whole(cells, "n", spread->n);
    cells_whole(cells, "fitted", spread->fitted);
    cells_real(cells, "mode", spread->known ? spread->mode : NAN);
    cells_real(cells, "mean", drawn ? spread->mean : NAN);
    cells_real(cells, "p10", drawn ? spread->p10 : NAN);
    cells_real(cells, "p50", drawn ? spread->p50 : NAN);
    cells_real(cells, "p90", drawn ? spread->p90 : NAN);
    cells_real(cells, "interval_low", drawn && spread->has_interval ? spread->interval_low : NAN);
    cells_real(cells, "interval_high", drawn && spread->has_interval ? spread->interval_high : NAN);
    cells_text(cells, "hypothetical", result->hypothetical[0] ? result->hypothetical : "no");
    cells_text(cells, "verdict", outcome_name[result->worst]);
    cells_text(cells, "condition", result->condition);
    cells_text(cells, "config_hash", result->hash);
    cells_whole(cells, "schema_version", ROWS_SCHEMA);
    INVARIANT(cells->count <= about->axes + COLUMNS_MAX, "a row of %zu columns", cells->count);
    cells_end(cells);
}

bool rows_fit(const struct study *study, uint64_t count, struct error *err)
{
    struct source_location at = {.file = study->path, .key = "metrics"};
    uint64_t max = CSV_CELLS_MAX / (study->axis_count + COLUMNS_MAX);
    return count <= max ||
           error_input(err, &at,
                       "the study has %llu rows, expected at most %llu: name the metrics that "
                       "matter, or take values from the axes",
                       (unsigned long long)count, (unsigned long long)max);
}

void rows_columns(FILE *out, const struct store_about *about)
{
    static const struct stored_point none;
    struct cells cells = {.out = out, .header = true};
    put_row(&cells, about, &none, 0);
}

void rows_point(FILE *out, enum rows_format format, const struct store_about *about,
                const struct stored_point *point)
{
    struct cells cells = {.out = out, .json = format == ROWS_JSONL};
    for (int metric = 0; metric < METRICS; metric++) {
        if (point->has[metric]) {
            put_row(&cells, about, point, metric);
        }
    }
}
